/* Outgoing mail: every combination of facts against what must never happen, and the exact sentences. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/policy/policy.h"

#include "tests/unit/suite.h"

static const char sender[] = "alice@hospital.example", rcpt[] = "bob@lab.example";

static void check_shape(const struct policy_decision *d)
{
	ck_assert(d->why[0]);
	if (d->action == POLICY_PASS) {
		ck_assert_int_eq(d->pr.cls, PROBLEM_NONE);
		return;
	}
	ck_assert_int_eq(d->pr.cls, d->action == POLICY_LATER ? PROBLEM_TEMP : PROBLEM_POLICY);
	ck_assert_int_eq(d->pr.code, d->action == POLICY_LATER ? 451 : 550);
	ck_assert_str_eq(d->pr.enh, d->action == POLICY_LATER ? "4.7.1" : "5.7.1");
	ck_assert_msg(strncmp(d->pr.text, "lab.example: ", 13) == 0, "%s", d->pr.text);
	ck_assert_msg(strstr(d->why, d->pr.text) != NULL, "%s | %s", d->why, d->pr.text);
}

/* What the decision gives is what can be given. */
static void check_possible(const struct policy_out *f, const struct policy_decision *d)
{
	if (d->action != POLICY_PASS)
		return;
	if (d->treatment == POLICY_SEAL)
		ck_assert(f->certs == POLICY_CERTS_USABLE && f->have_signer);
	if (d->treatment == POLICY_SIGN)
		ck_assert(f->have_signer);
	if (d->treatment == POLICY_TLS)
		ck_assert(f->tls_verified_possible);
}

static void check_never(const struct policy_out *f, const struct policy_decision *d)
{
	bool clear = d->action == POLICY_PASS && d->treatment == POLICY_CLEAR;
	bool seal_wanted = f->treatment == POLICY_SEAL && f->strength != POLICY_NEVER;

	/* P9, P1, and the reply. */
	if (f->seen_protected)
		ck_assert_msg(!clear, "seen protected, sent clear: %s", d->why);
	if (seal_wanted && f->certs == POLICY_CERTS_UNCERTAIN)
		ck_assert_msg(d->action == POLICY_LATER, "uncertain: %s", d->why);
	if (seal_wanted && f->certs != POLICY_CERTS_NONE)
		ck_assert_msg(d->action != POLICY_PASS || d->treatment == POLICY_SEAL, "less than seal: %s", d->why);
	if (f->reply_to_sealed && d->action == POLICY_PASS)
		ck_assert_int_eq(d->treatment, POLICY_SEAL);
	/* require never yields less than asked */
	if (f->strength == POLICY_REQUIRE && d->action == POLICY_PASS)
		ck_assert_int_ge(d->treatment, f->treatment);
	/* and nobody gets more than asked but for a reason */
	if (d->action == POLICY_PASS && !f->reply_to_sealed)
		ck_assert_int_le(d->treatment, f->strength == POLICY_NEVER ? POLICY_CLEAR : f->treatment);
	/* mail to someone never met goes out when no one asked for anything */
	if (f->strength == POLICY_NEVER && !f->seen_protected && !f->reply_to_sealed)
		ck_assert(clear);
}

START_TEST(every_combination)
{
	unsigned n = 0;

	for (int t = POLICY_CLEAR; t <= POLICY_SEAL; t++)
		for (int s = POLICY_NEVER; s <= POLICY_REQUIRE; s++)
			for (int c = POLICY_CERTS_NONE; c <= POLICY_CERTS_UNUSABLE; c++)
				for (unsigned bits = 0; bits < 32; bits++) {
					struct policy_out f = {.rule = "rule \"x\"",
					    .treatment = (enum policy_treatment)t,
					    .strength = (enum policy_strength)s,
					    .certs = (enum policy_certs)c,
					    .listed = bits & 1,
					    .seen_protected = bits & 2,
					    .have_signer = bits & 4,
					    .tls_verified_possible = bits & 8,
					    .reply_to_sealed = bits & 16};
					struct policy_decision d;

					policy_outbound(sender, rcpt, &f, &d);
					check_shape(&d);
					check_possible(&f, &d);
					check_never(&f, &d);
					n++;
				}
	ck_assert_uint_eq(n, 4 * 3 * 4 * 32);
}
END_TEST

START_TEST(exempt)
{
	for (int t = POLICY_CLEAR; t <= POLICY_SEAL; t++)
		for (int c = POLICY_CERTS_NONE; c <= POLICY_CERTS_UNUSABLE; c++)
			for (unsigned bits = 0; bits < 8; bits++) {
				struct policy_out f = {.rule = "rule \"x\"",
				    .treatment = (enum policy_treatment)t,
				    .strength = POLICY_REQUIRE,
				    .certs = (enum policy_certs)c,
				    .have_signer = true,
				    .exempt = POLICY_EXEMPT_CALENDAR,
				    .seen_protected = bits & 1,
				    .reply_to_sealed = bits & 2,
				    .tls_verified_possible = bits & 4};
				struct policy_out without = f;
				struct policy_decision d, e;

				without.exempt = 0;
				policy_outbound(sender, rcpt, &f, &d);
				policy_outbound(sender, rcpt, &without, &e);
				check_shape(&d);
				if (t < POLICY_SIGN || (bits & 2))
					ck_assert(memcmp(&d, &e, sizeof d) == 0);
				else
					ck_assert(d.action == POLICY_PASS && d.treatment == POLICY_CLEAR);
			}
}
END_TEST

static const struct {
	const char *text;
	int bits; /* -1: refused */
} exemptions[] = {{"", 0}, {"calendar", 1}, {"auto-reply", 2}, {"calendar,auto-reply", 3}, {"auto-reply,calendar", 3},
    {"calendar,", -1}, {",", -1}, {"calendars", -1}, {"calendar auto-reply", -1}, {"all", -1}};

START_TEST(exempt_words)
{
	char out[POLICY_EXEMPT_TEXT_MAX];
	uint8_t bits = 9, again;

	if (exemptions[_i].bits < 0) {
		ck_assert_int_eq(policy_exempt_parse(exemptions[_i].text, &bits), -1);
		return;
	}
	ck_assert_int_eq(policy_exempt_parse(exemptions[_i].text, &bits), 0);
	ck_assert_int_eq(bits, exemptions[_i].bits);
	policy_exempt_print(bits, out);
	ck_assert_int_eq(policy_exempt_parse(out, &again), 0);
	ck_assert_int_eq(again, bits);
}
END_TEST

struct out_case {
	const char *what;
	struct policy_out f;
	enum policy_action action;
	enum policy_treatment treatment;
	const char *text; /* of the reply, or of why */
};

#define WHY "certificate CN=lab.example, serial 1A: it ran out on 2025-01-01"

static const struct out_case cases[] = {
    {"sealed",
	{.rule = "partner lab.example",
	    .treatment = POLICY_SEAL,
	    .strength = POLICY_REQUIRE,
	    .certs = POLICY_CERTS_USABLE,
	    .have_signer = true,
	    .cert_why = "certificate CN=lab.example: pinned"},
	POLICY_PASS, POLICY_SEAL,
	"partner lab.example (seal, require): sealed for bob@lab.example: certificate CN=lab.example: pinned"},
    {"no certificate",
	{.treatment = POLICY_SEAL, .strength = POLICY_REQUIRE, .have_signer = true, .cert_why = "there is none"},
	POLICY_REFUSE, 0,
	"lab.example: mail must be encrypted, but there is no usable certificate: there is none; ask the partner for "
	"a certificate and "
	"import it with \"postern cert import\""},
    {"no certificate, in a whole sentence",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_REQUIRE,
	    .have_signer = true,
	    .cert_why = "there is no certificate for lab.example (looked in the store)"},
	POLICY_REFUSE, 0,
	"lab.example: mail must be encrypted, but there is no certificate for lab.example (looked in the store); ask "
	"the partner for a certificate and import it with \"postern cert import\""},
    {"default, nothing known, in a whole sentence",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_PREFER,
	    .have_signer = true,
	    .cert_why = "there is no certificate for lab.example (looked in the store)"},
	POLICY_PASS, POLICY_CLEAR,
	"default (seal, prefer): not sealed for bob@lab.example: there is no certificate for lab.example (looked in "
	"the "
	"store)"},
    {"expired",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_REQUIRE,
	    .have_signer = true,
	    .certs = POLICY_CERTS_UNUSABLE,
	    .cert_why = WHY},
	POLICY_REFUSE, 0,
	"lab.example: mail must be encrypted, but there is no usable certificate: " WHY
	"; ask the partner for a certificate and import it "
	"with \"postern cert import\""},
    {"default, nothing known",
	{.treatment = POLICY_SEAL, .strength = POLICY_PREFER, .have_signer = true, .cert_why = "there is none"},
	POLICY_PASS, POLICY_CLEAR,
	"default (seal, prefer): not sealed for bob@lab.example: there is no certificate: there is none"},
    {"default, but an expired certificate",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_PREFER,
	    .have_signer = true,
	    .certs = POLICY_CERTS_UNUSABLE,
	    .cert_why = WHY},
	POLICY_REFUSE, 0,
	"lab.example: mail should be encrypted, but there is no usable certificate: " WHY
	"; ask the partner for a certificate and import it "
	"with \"postern cert import\""},
    {"seen protected, none now",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_PREFER,
	    .have_signer = true,
	    .seen_protected = true,
	    .cert_why = "there is none"},
	POLICY_REFUSE, 0,
	"lab.example: mail with this partner was protected before and must stay so, but there is no usable "
	"certificate: there is none; "
	"import one with \"postern cert import\", or end the protection with \"postern partner release "
	"lab.example\""},
    {"never, but seen protected", {.treatment = POLICY_SEAL, .strength = POLICY_NEVER, .seen_protected = true},
	POLICY_REFUSE, 0,
	"lab.example: mail is to go unencrypted, but mail with this partner was protected before; end the protection "
	"with \"postern partner "
	"release lab.example\", or have it sealed with \"postern partner add lab.example --treatment seal\""},
    {"look-up failed",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_PREFER,
	    .certs = POLICY_CERTS_UNCERTAIN,
	    .cert_why = "SERVFAIL"},
	POLICY_LATER, 0,
	"lab.example: mail should be encrypted, and whether there is a certificate cannot be told now: SERVFAIL"},
    {"no signer of ours",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_PREFER,
	    .certs = POLICY_CERTS_USABLE,
	    .signer_why = "none was added"},
	POLICY_LATER, 0,
	"lab.example: mail should be encrypted, but hospital.example has no usable signing certificate: none was "
	"added; add one with "
	"\"postern domain add hospital.example\""},
    {"reply to sealed mail",
	{.treatment = POLICY_SEAL,
	    .strength = POLICY_PREFER,
	    .have_signer = true,
	    .reply_to_sealed = true,
	    .cert_why = "there is none"},
	POLICY_REFUSE, 0,
	"lab.example: this is a reply to sealed mail and must be encrypted, but there is no usable certificate: "
	"there is none; ask the "
	"partner for a certificate and import it with \"postern cert import\""},
    {"reply although never",
	{.treatment = POLICY_CLEAR,
	    .strength = POLICY_NEVER,
	    .have_signer = true,
	    .certs = POLICY_CERTS_USABLE,
	    .reply_to_sealed = true,
	    .cert_why = "pinned"},
	POLICY_PASS, POLICY_SEAL,
	"default (clear, never): sealed for bob@lab.example: a reply to sealed mail; pinned"},
    {"exempt from sealing",
	{.rule = "rule \"plans\"",
	    .treatment = POLICY_SEAL,
	    .strength = POLICY_REQUIRE,
	    .have_signer = true,
	    .certs = POLICY_CERTS_USABLE,
	    .exempt = POLICY_EXEMPT_CALENDAR},
	POLICY_PASS, POLICY_CLEAR,
	"rule \"plans\" (seal, require): not sealed for bob@lab.example: it is a calendar invitation, which the rule "
	"exempts"},
    {"exempt from signing",
	{.rule = "rule \"x\"",
	    .treatment = POLICY_SIGN,
	    .strength = POLICY_PREFER,
	    .have_signer = true,
	    .exempt = POLICY_EXEMPT_AUTO_REPLY},
	POLICY_PASS, POLICY_CLEAR,
	"rule \"x\" (sign, prefer): not signed for bob@lab.example: it is an automatic reply, which the rule "
	"exempts"},
    {"nothing signed is read, prefer",
	{.treatment = POLICY_SIGN, .strength = POLICY_PREFER, .have_signer = true, .reads_no_signed = true},
	POLICY_PASS, POLICY_CLEAR,
	"default (sign, prefer): not signed for bob@lab.example: the statement of lab.example says that its gateway "
	"reads nothing that is signed"},
    {"nothing signed is read, require",
	{.treatment = POLICY_SIGN, .strength = POLICY_REQUIRE, .have_signer = true, .reads_no_signed = true},
	POLICY_REFUSE, 0,
	"lab.example: mail must be signed, but its statement says that its gateway reads nothing that is signed; ask "
	"the partner, or have mail encrypted without a signature: \"postern partner add lab.example --treatment "
	"seal\""},
    {"signed", {.treatment = POLICY_SIGN, .strength = POLICY_REQUIRE, .have_signer = true}, POLICY_PASS, POLICY_SIGN,
	"default (sign, require): signed for bob@lab.example"},
    {"TLS not configured", {.treatment = POLICY_TLS, .strength = POLICY_REQUIRE}, POLICY_REFUSE, 0,
	"lab.example: mail must go over verified TLS, but neither DANE nor an enforced MTA-STS policy vouches for "
	"its "
	"mail hosts, and no relay-host is configured with \"relay-tls = verify\"; ask the partner for one of these, "
	"or "
	"import its certificate and have mail sealed"},
    {"clear as asked", {.treatment = POLICY_CLEAR, .strength = POLICY_REQUIRE}, POLICY_PASS, POLICY_CLEAR,
	"default (clear, require): unprotected to bob@lab.example, as asked"},
};

START_TEST(sentences)
{
	const struct out_case *k = &cases[_i];
	struct policy_decision d;

	policy_outbound(sender, rcpt, &k->f, &d);
	ck_assert_msg(d.action == k->action, "%s: %s", k->what, d.why);
	ck_assert_str_eq(d.action == POLICY_PASS ? d.why : d.pr.text, k->text);
	if (d.action == POLICY_PASS)
		ck_assert_int_eq(d.treatment, k->treatment);
}
END_TEST

START_TEST(notice_without_sender)
{
	struct policy_out f = {.treatment = POLICY_SEAL, .strength = POLICY_REQUIRE, .certs = POLICY_CERTS_USABLE};
	struct policy_decision d;

	policy_outbound("", rcpt, &f, &d);
	ck_assert_int_eq(d.action, POLICY_LATER);
	ck_assert_str_eq(d.pr.text,
	    "lab.example: mail must be encrypted, but there is no usable signing certificate for a notice without a "
	    "sender; add one with \"postern domain add\"");
}
END_TEST

/* Longest facts: nothing overflows, the sentence keeps its beginning. */
START_TEST(long_facts)
{
	struct policy_out f = {.treatment = POLICY_SEAL, .strength = POLICY_REQUIRE};
	struct policy_decision d;
	char to[400];

	memset(to, 'a', sizeof to - 1);
	to[sizeof to - 1] = 0;
	memset(f.rule, 'r', sizeof f.rule - 1);
	memset(f.cert_why, 'c', sizeof f.cert_why - 1);
	memset(f.signer_why, 's', sizeof f.signer_why - 1);
	policy_outbound(to, to, &f, &d);
	ck_assert_int_eq(d.action, POLICY_REFUSE);
	ck_assert_uint_lt(strlen(d.pr.text), sizeof d.pr.text);
	ck_assert_uint_lt(strlen(d.why), sizeof d.why);
}
END_TEST

START_TEST(words)
{
	enum policy_treatment t;
	enum policy_strength s;

	for (int i = POLICY_CLEAR; i <= POLICY_SEAL; i++)
		ck_assert(
		    policy_treatment_parse(policy_treatment_word((enum policy_treatment)i), &t) == 0 && (int)t == i);
	for (int i = POLICY_NEVER; i <= POLICY_REQUIRE; i++)
		ck_assert(
		    policy_strength_parse(policy_strength_word((enum policy_strength)i), &s) == 0 && (int)s == i);
	ck_assert_int_eq(policy_treatment_parse("Seal", &t), -1);
	ck_assert_int_eq(policy_treatment_parse("", &t), -1);
	ck_assert_int_eq(policy_strength_parse("always", &s), -1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("policy");
	TCase *t = tcase_create("policy");

	tcase_add_test(t, every_combination);
	tcase_add_test(t, exempt);
	tcase_add_loop_test(t, exempt_words, 0, sizeof exemptions / sizeof *exemptions);
	tcase_add_loop_test(t, sentences, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, notice_without_sender);
	tcase_add_test(t, long_facts);
	tcase_add_test(t, words);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
