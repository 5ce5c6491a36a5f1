/* Which statement is trusted, by what: the rules one by one, and what attackers and accidents make of them. */
#include "gateway/xsmg/xsmg_trust.h"

#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)
#define AGED(at) .now = NOW, .issued = (at), .by_get = true
#define BASE AGED(NOW - 60)
#define HINT .now = NOW, .issued = NOW - 60

struct row {
	const char *name;
	struct xsmg_facts f;
	enum xsmg_action action;
	enum xsmg_level level;
	const char *rule, *words; /* NULL: not looked at */
	bool alarm;
};

static void run(const struct row *t, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct xsmg_decision d;

		xsmg_trust(&t[i].f, &d);
		ck_assert_msg(d.action == t[i].action, "%s: %s, not %s (%s)", t[i].name,
		    xsmg_trust_action_word(d.action), xsmg_trust_action_word(t[i].action), d.why);
		ck_assert_msg(d.level == t[i].level, "%s: level %s", t[i].name, xsmg_trust_level_word(d.level));
		ck_assert_msg(d.alarm == t[i].alarm, "%s: alarm %d", t[i].name, d.alarm);
		if (t[i].rule)
			ck_assert_str_eq(d.rule, t[i].rule);
		if (t[i].words)
			ck_assert_msg(strstr(d.why, t[i].words) != NULL, "%s: %s", t[i].name, d.why);
		ck_assert(d.why[0] != '\0');
	}
}
#define RUN(t) run(t, sizeof(t) / sizeof *(t))

START_TEST(first)
{
	static const struct row t[] = {
	    {"nothing, ask", {BASE}, XSMG_DO_PENDING, XSMG_NEVER, "", "nothing speaks for", false},
	    {"nothing, accept", {BASE, .first = XSMG_ACCEPT}, XSMG_DO_TRUST, XSMG_FIRST_CONTACT, "first-contact",
		NULL, false},
	    {"nothing, refuse", {BASE, .first = XSMG_DECLINE}, XSMG_DO_REFUSE, XSMG_NEVER, "", NULL, false},
	    {"webpki", {BASE, .webpki = true}, XSMG_DO_TRUST, XSMG_WEBPKI, "webpki", NULL, false},
	    {"webpki under refuse", {BASE, .webpki = true, .first = XSMG_DECLINE}, XSMG_DO_TRUST, XSMG_WEBPKI, NULL,
		NULL, false},
	    {"dnssec", {BASE, .dns = XSMG_YES}, XSMG_DO_TRUST, XSMG_DNSSEC, "dnssec", NULL, false},
	    {"dnssec before webpki", {BASE, .dns = XSMG_YES, .webpki = true}, XSMG_DO_TRUST, XSMG_DNSSEC, NULL, NULL,
		false},
	    {"anchored", {BASE, .anchored = XSMG_YES}, XSMG_DO_TRUST, XSMG_ANCHORED, "anchored", NULL, false},
	    {"anchored, a mail certificate is not", {BASE, .anchored = XSMG_YES, .certs_bad = true}, XSMG_DO_PENDING,
		XSMG_NEVER, "", "a certificate for mail in it is not", false},
	    {"the same, and in a signed zone", {BASE, .anchored = XSMG_YES, .certs_bad = true, .dns = XSMG_YES},
		XSMG_DO_TRUST, XSMG_DNSSEC, NULL, NULL, false},
	    {"pinned", {BASE, .established = XSMG_PINNED, .pinned = true, .fits_pin = true}, XSMG_DO_TRUST,
		XSMG_PINNED, "pinned", NULL, false},
	    {"pinned, another key", {BASE, .established = XSMG_PINNED, .pinned = true, .anchored = XSMG_YES},
		XSMG_DO_PENDING, XSMG_ANCHORED, "", "trusted by pinned", false},
	    {"bogus zone", {BASE, .dns = XSMG_UNSURE}, XSMG_DO_LATER, XSMG_NEVER, "", "_smg", false},
	    {"bogus zone, accept", {BASE, .dns = XSMG_UNSURE, .first = XSMG_ACCEPT}, XSMG_DO_LATER, XSMG_NEVER, "",
		NULL, false},
	    {"bogus zone, webpki", {BASE, .dns = XSMG_UNSURE, .webpki = true}, XSMG_DO_LATER, XSMG_WEBPKI, "", "_smg",
		false},
	    {"bogus zone, anchored", {BASE, .dns = XSMG_UNSURE, .anchored = XSMG_YES}, XSMG_DO_TRUST, XSMG_ANCHORED,
		"anchored", NULL, false},
	    {"bogus zone, webpki again", {BASE, .established = XSMG_WEBPKI, .dns = XSMG_UNSURE, .webpki = true},
		XSMG_DO_LATER, XSMG_WEBPKI, "", "_smg", false},
	    {"bogus zone, less than established",
		{BASE, .established = XSMG_ANCHORED, .dns = XSMG_UNSURE, .webpki = true}, XSMG_DO_PENDING,
		XSMG_WEBPKI, "", NULL, false},
	    {"anchor cannot be told, dnssec", {BASE, .anchored = XSMG_UNSURE, .dns = XSMG_YES}, XSMG_DO_LATER,
		XSMG_DNSSEC, "", "anchor", false},
	    {"signed zone names others, webpki", {BASE, .dns_other = true, .webpki = true}, XSMG_DO_PENDING,
		XSMG_NEVER, "", "names other keys", false},
	    {"signed zone names others, accept", {BASE, .dns_other = true, .first = XSMG_ACCEPT}, XSMG_DO_PENDING,
		XSMG_NEVER, "", "names other keys", false},
	    {"signed zone names others, anchored", {BASE, .dns_other = true, .anchored = XSMG_YES}, XSMG_DO_TRUST,
		XSMG_ANCHORED, NULL, NULL, false},
	    {"revocation silent", {BASE, .anchored = XSMG_UNSURE, .first = XSMG_ACCEPT}, XSMG_DO_LATER, XSMG_NEVER,
		"", "anchor", false},
	    {"a hint", {HINT, .dns = XSMG_YES}, XSMG_DO_CONFIRM, XSMG_NEVER, "", NULL, false},
	    {"a withdrawal of a stranger", {BASE, .withdrawn = true, .dns = XSMG_YES}, XSMG_DO_REFUSE, XSMG_NEVER, "",
		NULL, false},
	};

	RUN(t);
}
END_TEST

/* Each established level against each thing that can speak for a new key: less never replaces. */
START_TEST(levels)
{
	for (int have = XSMG_FIRST_CONTACT; have <= XSMG_PINNED; have++)
		for (int says = XSMG_NEVER; says <= XSMG_PINNED; says++) {
			struct xsmg_facts f = {BASE, .established = (enum xsmg_level)have,
			    .pinned = have == XSMG_PINNED || says == XSMG_PINNED, .fits_pin = says == XSMG_PINNED,
			    .anchored = says == XSMG_ANCHORED ? XSMG_YES : XSMG_NO,
			    .dns = says == XSMG_DNSSEC ? XSMG_YES : XSMG_NO, .webpki = says == XSMG_WEBPKI,
			    .first = XSMG_ACCEPT};
			struct xsmg_decision d;
			bool enough = says >= have && says != XSMG_FIRST_CONTACT;

			xsmg_trust(&f, &d);
			ck_assert_msg((d.action == XSMG_DO_TRUST) == enough, "established %s, says %s: %s",
			    xsmg_trust_level_word((enum xsmg_level)have),
			    xsmg_trust_level_word((enum xsmg_level)says), d.why);
			ck_assert(d.action == XSMG_DO_TRUST || d.action == XSMG_DO_PENDING);
			if (enough)
				ck_assert_int_eq(d.level, says);
		}
}
END_TEST

#define NEXT .trusted_signed_too = true, .announced = NOW - 8 * DAY
START_TEST(continuity)
{
	static const struct row t[] = {
	    {"same key, webpki", {BASE, .established = XSMG_WEBPKI, .same_key = true}, XSMG_DO_TRUST, XSMG_WEBPKI,
		"same-key", NULL, false},
	    {"same key, first contact", {BASE, .established = XSMG_FIRST_CONTACT, .same_key = true}, XSMG_DO_TRUST,
		XSMG_FIRST_CONTACT, "same-key", NULL, false},
	    {"same key, the zone names it no more", {BASE, .established = XSMG_DNSSEC, .same_key = true},
		XSMG_DO_PENDING, XSMG_NEVER, "", "same key as before", false},
	    {"same key, the zone is silent", {BASE, .established = XSMG_DNSSEC, .same_key = true, .dns = XSMG_UNSURE},
		XSMG_DO_LATER, XSMG_NEVER, "", NULL, false},
	    {"same key, the anchor went", {BASE, .established = XSMG_ANCHORED, .same_key = true}, XSMG_DO_PENDING,
		XSMG_NEVER, "", NULL, false},
	    {"new key, announced, webpki", {BASE, .established = XSMG_WEBPKI, NEXT}, XSMG_DO_TRUST, XSMG_WEBPKI,
		"continuity", NULL, false},
	    {"new key, announced, first contact", {BASE, .established = XSMG_FIRST_CONTACT, NEXT}, XSMG_DO_TRUST,
		XSMG_FIRST_CONTACT, "continuity", NULL, false},
	    {"new key, announced, pinned with follow",
		{BASE, .established = XSMG_PINNED, .pinned = true, .follow = true, .trusted_by_pin = true, NEXT},
		XSMG_DO_TRUST, XSMG_PINNED, "continuity", NULL, false},
	    {"new key of a trusted one that is not the pinned one",
		{BASE, .established = XSMG_PINNED, .pinned = true, .follow = true, NEXT}, XSMG_DO_PENDING, XSMG_NEVER,
		"", "does not count", false},
	    {"same key, not the pinned one",
		{BASE, .established = XSMG_PINNED, .pinned = true, .follow = true, .same_key = true}, XSMG_DO_PENDING,
		XSMG_NEVER, "", "same key as before", false},
	    {"same key, the zone cannot be told",
		{BASE, .established = XSMG_WEBPKI, .same_key = true, .dns = XSMG_UNSURE}, XSMG_DO_LATER, XSMG_NEVER,
		"", "_smg", false},
	    {"same key, the signed zone names others",
		{BASE, .established = XSMG_WEBPKI, .same_key = true, .dns_other = true}, XSMG_DO_PENDING, XSMG_NEVER,
		"", "names other keys", false},
	    {"continuity from the pin needs no zone",
		{BASE, .established = XSMG_PINNED, .pinned = true, .follow = true, .trusted_by_pin = true,
		    .dns = XSMG_UNSURE, NEXT},
		XSMG_DO_TRUST, XSMG_PINNED, "continuity", NULL, false},
	    {"found better founded, and the zone cannot be told",
		{BASE, .established = XSMG_FIRST_CONTACT, .order = XSMG_SAME, .same_key = true, .webpki = true,
		    .dns = XSMG_UNSURE},
		XSMG_DO_CURRENT, XSMG_NEVER, "", NULL, false},
	    {"new key, announced, pinned", {BASE, .established = XSMG_PINNED, .pinned = true, NEXT}, XSMG_DO_PENDING,
		XSMG_NEVER, "", "does not count at this level", false},
	    {"new key, announced, dnssec", {BASE, .established = XSMG_DNSSEC, NEXT}, XSMG_DO_PENDING, XSMG_NEVER, "",
		NULL, false},
	    {"new key, announced, anchored", {BASE, .established = XSMG_ANCHORED, NEXT}, XSMG_DO_PENDING, XSMG_NEVER,
		"", NULL, false},
	    {"announced six days ago",
		{BASE, .established = XSMG_WEBPKI, .trusted_signed_too = true, .announced = NOW - 6 * DAY},
		XSMG_DO_PENDING, XSMG_NEVER, "", "less than 7 days", false},
	    {"never announced", {BASE, .established = XSMG_WEBPKI, .trusted_signed_too = true}, XSMG_DO_PENDING,
		XSMG_NEVER, "", "never announced", false},
	    {"announced, and the old one did not sign",
		{BASE, .established = XSMG_WEBPKI, .announced = NOW - 8 * DAY}, XSMG_DO_PENDING, XSMG_NEVER, "", NULL,
		false},
	    {"the predecessor is bad", {BASE, .established = XSMG_WEBPKI, NEXT, .trusted_bad = true}, XSMG_DO_PENDING,
		XSMG_NEVER, "", "revoked or compromised", false},
	    {"by hint", {HINT, .established = XSMG_WEBPKI, .same_key = true}, XSMG_DO_CONFIRM, XSMG_NEVER, "", NULL,
		false},
	    {"found better founded",
		{BASE, .established = XSMG_WEBPKI, .order = XSMG_SAME, .same_key = true, .dns = XSMG_YES},
		XSMG_DO_TRUST, XSMG_DNSSEC, "dnssec", NULL, false},
	    {"the same again",
		{BASE, .established = XSMG_DNSSEC, .order = XSMG_SAME, .same_key = true, .dns = XSMG_YES},
		XSMG_DO_CURRENT, XSMG_NEVER, "", NULL, false},
	};

	RUN(t);
}
END_TEST

START_TEST(attacks)
{
	static const struct row t[] = {
	    {"thief with the old key, before its revocation", {BASE, .established = XSMG_WEBPKI, .retired_key = true},
		XSMG_DO_FREEZE, XSMG_NEVER, "", "old key", true},
	    {"thief with the old key, by hint", {HINT, .established = XSMG_WEBPKI, .retired_key = true},
		XSMG_DO_CONFIRM, XSMG_NEVER, "", NULL, false},
	    {"two of one serial, by hint",
		{HINT, .established = XSMG_WEBPKI, .order = XSMG_OTHER_OF_SERIAL, .same_key = true}, XSMG_DO_CONFIRM,
		XSMG_NEVER, "", NULL, false},
	    {"frozen, by hint", {HINT, .established = XSMG_WEBPKI, .same_key = true, .frozen = true}, XSMG_DO_CONFIRM,
		XSMG_NEVER, "", NULL, false},
	    {"thief with the old key, after its revocation",
		{BASE, .established = XSMG_ANCHORED, .retired_key = true, .anchored = XSMG_YES, .revoked = XSMG_YES},
		XSMG_DO_REFUSE, XSMG_NEVER, "", "revoked", false},
	    {"thief with the old key, marked by the admin",
		{BASE, .established = XSMG_WEBPKI, .retired_key = true, .bad_key = true}, XSMG_DO_REFUSE, XSMG_NEVER,
		"", "compromised", false},
	    {"thief with the present key, marked by the admin",
		{BASE, .established = XSMG_WEBPKI, .same_key = true, .trusted_bad = true}, XSMG_DO_REFUSE, XSMG_NEVER,
		"", NULL, false},
	    {"thief signs with the old key beside a key of his own",
		{BASE, .established = XSMG_WEBPKI, .trusted_signed_too = true}, XSMG_DO_PENDING, XSMG_NEVER, "", NULL,
		false},
	    {"revoked is refused over a pin",
		{BASE, .established = XSMG_PINNED, .pinned = true, .fits_pin = true, .revoked = XSMG_YES},
		XSMG_DO_REFUSE, XSMG_NEVER, "", NULL, false},
	    {"revocation cannot be told",
		{BASE, .established = XSMG_ANCHORED, .anchored = XSMG_YES, .revoked = XSMG_UNSURE}, XSMG_DO_LATER,
		XSMG_NEVER, "", NULL, false},
	    {"owner's backup, older key", {BASE, .established = XSMG_DNSSEC, .retired_key = true, .dns = XSMG_YES},
		XSMG_DO_FREEZE, XSMG_NEVER, "", "old state brought back", true},
	    {"owner's backup, older statement",
		{AGED(NOW - 3600), .established = XSMG_WEBPKI, .order = XSMG_OLDER, .same_key = true}, XSMG_DO_OLD,
		XSMG_NEVER, "", NULL, false},
	    {"two gateways, one lags by a day",
		{AGED(NOW - DAY), .established = XSMG_WEBPKI, .order = XSMG_OLDER, .same_key = true}, XSMG_DO_OLD,
		XSMG_NEVER, "", NULL, false},
	    {"an old statement is handed out again",
		{AGED(NOW - 3 * DAY), .established = XSMG_WEBPKI, .order = XSMG_OLDER, .same_key = true}, XSMG_DO_OLD,
		XSMG_NEVER, "", "48 hours", true},
	    {"an old one of a stranger's key is no alarm",
		{AGED(NOW - 3 * DAY), .established = XSMG_WEBPKI, .order = XSMG_OLDER}, XSMG_DO_OLD, XSMG_NEVER, "",
		NULL, false},
	    {"two of one serial, by the key",
		{BASE, .established = XSMG_WEBPKI, .order = XSMG_OTHER_OF_SERIAL, .same_key = true}, XSMG_DO_FREEZE,
		XSMG_NEVER, "", "serial", true},
	    {"two of one serial, by a stranger's key",
		{BASE, .established = XSMG_WEBPKI, .order = XSMG_OTHER_OF_SERIAL}, XSMG_DO_REFUSE, XSMG_NEVER, "",
		NULL, false},
	    {"two of one serial, by a key the zone names",
		{BASE, .established = XSMG_DNSSEC, .order = XSMG_OTHER_OF_SERIAL, .dns = XSMG_YES}, XSMG_DO_FREEZE,
		XSMG_NEVER, "", NULL, true},
	    {"frozen stays frozen", {BASE, .established = XSMG_WEBPKI, .same_key = true, .frozen = true},
		XSMG_DO_FREEZE, XSMG_NEVER, "", "before the admin decides", false},
	    {"frozen, and a higher level", {BASE, .established = XSMG_WEBPKI, .dns = XSMG_YES, .frozen = true},
		XSMG_DO_FREEZE, XSMG_NEVER, "", NULL, false},
	    {"frozen, the trusted one again",
		{BASE, .established = XSMG_WEBPKI, .order = XSMG_SAME, .same_key = true, .frozen = true,
		    .dns = XSMG_YES},
		XSMG_DO_CURRENT, XSMG_NEVER, "", NULL, false},
	    {"withdrawal, by the key", {BASE, .established = XSMG_WEBPKI, .same_key = true, .withdrawn = true},
		XSMG_DO_TRUST, XSMG_WEBPKI, "same-key", NULL, false},
	    {"withdrawal, forged", {BASE, .established = XSMG_WEBPKI, .withdrawn = true}, XSMG_DO_PENDING, XSMG_NEVER,
		"", NULL, false},
	    {"withdrawal, by a web server alone",
		{BASE, .established = XSMG_WEBPKI, .webpki = true, .withdrawn = true}, XSMG_DO_PENDING, XSMG_WEBPKI,
		"", "withdrawal must be signed", false},
	    {"withdrawal, by a new key that the trusted one signs for",
		{BASE, .established = XSMG_WEBPKI, NEXT, .withdrawn = true}, XSMG_DO_TRUST, XSMG_WEBPKI, "continuity",
		NULL, false},
	    {"withdrawal, named by the zone", {BASE, .established = XSMG_WEBPKI, .dns = XSMG_YES, .withdrawn = true},
		XSMG_DO_TRUST, XSMG_DNSSEC, "dnssec", NULL, false},
	    {"withdrawal, named by the zone, of an anchored partner",
		{BASE, .established = XSMG_ANCHORED, .dns = XSMG_YES, .withdrawn = true}, XSMG_DO_PENDING,
		XSMG_DNSSEC, "", NULL, false},
	    {"withdrawal, forged, over a hijacked web server of an anchored partner",
		{BASE, .established = XSMG_ANCHORED, .webpki = true, .withdrawn = true}, XSMG_DO_PENDING, XSMG_WEBPKI,
		"", NULL, false},
	    {"all keys lost, a higher level", {BASE, .established = XSMG_WEBPKI, .dns = XSMG_YES}, XSMG_DO_TRUST,
		XSMG_DNSSEC, "dnssec", NULL, false},
	    {"all keys lost, the same level", {BASE, .established = XSMG_FIRST_CONTACT, .first = XSMG_ACCEPT},
		XSMG_DO_PENDING, XSMG_NEVER, "", NULL, false},
	    {"what the admin refused", {BASE, .refused_key = true, .first = XSMG_ACCEPT, .webpki = true},
		XSMG_DO_REFUSE, XSMG_NEVER, "", "the admin refused", false},
	};

	RUN(t);
}
END_TEST

START_TEST(words)
{
	enum xsmg_first f;

	ck_assert_int_eq(xsmg_trust_first_parse("accept", &f), 0);
	ck_assert_int_eq(f, XSMG_ACCEPT);
	ck_assert_int_eq(xsmg_trust_first_parse("refuse", &f), 0);
	ck_assert_int_eq(f, XSMG_DECLINE);
	ck_assert_int_eq(xsmg_trust_first_parse("never", &f), -1);
	ck_assert_str_eq(xsmg_trust_level_word(XSMG_DNSSEC), "dnssec");
	ck_assert_str_eq(xsmg_trust_level_word((enum xsmg_level)77), "nothing");
	ck_assert_str_eq(xsmg_trust_action_word((enum xsmg_action)77), "refused");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xsmg_trust");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, first);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, continuity);
	tcase_add_test(tc, attacks);
	tcase_add_test(tc, words);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
