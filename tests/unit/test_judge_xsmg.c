/*
 * A partner's statements over weeks, each a day of the clock: met, followed, taken over by thieves or not, frozen,
 * withdrawn. What is looked at is what mail would get (judge_xsmg_use.h), the level and the audit log.
 */
#include "gateway/proc/judge_xsmg.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/proc/judge_xsmg_keep.h"
#include "gateway/proc/judge_xsmg_use.h"
#include "gateway/proc/partner_statement_settings.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/source_fixture.h"
#include "tests/unit/statement_fixture.h"
#include "tests/unit/suite.h"

#define URL "https://smg.lab.example/.well-known/smg/lab.example"
#define DAYS(n) (FX_NOW + (int64_t)(n)*FX_DAY)

enum who { NOBODY, KEY_A, KEY_B, KEY_C, THIEF, MAIL, NEXT_MAIL, PEOPLE };
static struct testcert people[PEOPLE];
static struct judge_fixture j;
static struct source_fixture net;
static struct problem pr;

static void setup(void)
{
	judge_fixture_start(&j);
	source_fixture_start(&net);
	for (int i = 1; i < PEOPLE; i++)
		people[i] = fx_gateway("gateway");
}

static void teardown(void)
{
	for (int i = 1; i < PEOPLE; i++)
		testcert_free(&people[i]);
	judge_fixture_end(&j);
}

/* What a statement says and who signed it. */
struct said {
	int day;
	enum who by, mail; /* mail NOBODY: MAIL */
	enum who also;	   /* a second signer */
	enum who announce; /* a further statement key */
	int64_t serial_off;
	bool withdrawn;
	bool put, get;	   /* it came so; else fetched */
	const char *where; /* NULL: the well-known place */
};
#define SAID(d, ...) ((struct said){.day = (d), __VA_ARGS__})

static struct judge_xsmg_result come(struct said s)
{
	struct statement st = fx_statement(&people[s.by]);
	struct fx_signed sig = {.by = {&people[s.by], s.also ? &people[s.also] : NULL}};
	struct judge_xsmg_result r;
	struct judge_xsmg_octets o = {.domain = "lab.example",
	    .way = s.put   ? JUDGE_XSMG_BY_PUT
		   : s.get ? JUDGE_XSMG_BY_GET
			   : JUDGE_XSMG_BY_URL,
	    .where = s.where	      ? s.where
		     : s.put || s.get ? "mx.lab.example"
				      : URL};
	struct buf json, der;

	st.serial = DAYS(s.day) * 1000 + s.serial_off;
	st.issued = DAYS(s.day);
	st.expires = DAYS(s.day) + 7 * FX_DAY;
	st.withdrawn = s.withdrawn;
	st.certs[st.ncerts++] = fx_cert(STATEMENT_FOR_BOTH, &people[s.mail ? s.mail : MAIL]);
	if (s.announce)
		st.certs[st.ncerts++] = fx_cert(STATEMENT_FOR_STATEMENT, &people[s.announce]);
	json = fx_json(&st);
	der = fx_signed(json.p, json.len, &sig);
	o.der = der.p;
	o.n = der.len;
	ck_assert_msg(
	    judge_xsmg_take(&j.w, j.s, source_fixture_run(&net, DAYS(s.day)), &o, DAYS(s.day) + 60, &r, &pr) == 0,
	    "%s", pr.text);
	buf_clear(&json);
	buf_clear(&der);
	return r;
}

#define ACTION(r, a)                                                                                                 \
	do {                                                                                                         \
		struct judge_xsmg_result r_ = (r);                                                                   \
		ck_assert_msg(r_.action == (a), "%s: %s", xsmg_trust_action_word(r_.action), r_.why);                \
	} while (0)

static const struct judge_owner *owner(void)
{
	const struct judge_owner *o;

	judge_cache_begin(j.w.cache, j.s);
	ck_assert(judge_cache_owner(j.w.cache, j.s, "lab.example", &o, &pr) == 0);
	return o;
}

/* The certificate that mail of this day is encrypted to; -1 none. */
static int seals_to(int day)
{
	struct find_octets v[FIND_CERTS_MAX], issuers[FIND_ISSUERS_MAX];
	size_t n, k;

	judge_xsmg_use_certs(owner(), DAYS(day), v, &n, issuers, &k);
	for (int i = 1; n > 0 && i < PEOPLE; i++)
		if (people[i].n == v[0].n && memcmp(people[i].der, v[0].p, v[0].n) == 0)
			return i;
	return -1;
}

static bool holds(int day)
{
	char why[400];

	return judge_xsmg_use_holds(&j.w, owner(), DAYS(day), why, sizeof why);
}

static const char *key_hex(enum who w)
{
	static char hex[65];
	uint8_t md[32];
	unsigned char *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(people[w].x), &spki);

	ck_assert(n > 0 && EVP_Digest(spki, (size_t)n, md, NULL, EVP_sha256(), NULL) == 1);
	OPENSSL_free(spki);
	encode_hex(md, 32, hex);
	return hex;
}

static void mark_bad(enum who w, int day)
{
	struct store_statement *st;

	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && st);
	ck_assert(judge_xsmg_keep_bad_key(j.s, st, key_hex(w), "a test", DAYS(day), "root", &pr) == 0);
	store_statements_free(st, 1);
}

static size_t audited(const char *what)
{
	struct store_audit *l;
	size_t n, found = 0;

	ck_assert(store_audit_list(j.s, 0, 1000, &l, &n, &pr) == 0);
	for (size_t i = 0; i < n; i++)
		found += strcmp(l[i].what, what) == 0;
	store_audit_free(l, n);
	ck_assert(store_audit_verify(j.s, &pr) == 0);
	return found;
}

START_TEST(met_and_followed)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_WEBPKI);
	ck_assert_int_eq(seals_to(0), MAIL);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_CURRENT);
	/* by SMTP nothing but the key speaks for it, and that is enough */
	ACTION(come(SAID(1, .by = KEY_A, .mail = NEXT_MAIL, .get = true, .where = "mx")), XSMG_DO_TRUST);
	ck_assert_int_eq(seals_to(1), NEXT_MAIL);
	ACTION(come(SAID(0, .by = KEY_A, .serial_off = 1)), XSMG_DO_OLD);
	ck_assert_int_eq(seals_to(1), NEXT_MAIL);
	ck_assert_uint_eq(audited("statement.trust"), 2);
}
END_TEST

START_TEST(new_key)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(6, .by = KEY_B, .also = KEY_A, .get = true, .where = "mx")), XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(6), MAIL);
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .get = true, .where = "mx")), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->trusted.key, key_hex(KEY_B));
	ck_assert_str_eq(owner()->statement->through, key_hex(KEY_A));
	ACTION(come(SAID(9, .by = KEY_B, .get = true, .where = "mx")), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->through, key_hex(KEY_A));
	/* what was trusted through it alone waits again */
	mark_bad(KEY_A, 10);
	ck_assert_int_eq(seals_to(10), -1);
	ck_assert_ptr_nonnull(owner()->statement->waiting.der);
	ck_assert_uint_eq(audited("statement.bad-key"), 1);
	ACTION(come(SAID(11, .by = KEY_A, .get = true, .where = "mx")), XSMG_DO_REFUSE);
	/* until something as good as before speaks for it by itself */
	ACTION(come(SAID(12, .by = KEY_B)), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->through, "");
	ck_assert_int_eq(seals_to(12), MAIL);
}
END_TEST

/* Three keys, each through the one before: what the first one is worth, all of them are. */
START_TEST(chain)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .announce = KEY_C, .get = true)), XSMG_DO_TRUST);
	ACTION(come(SAID(16, .by = KEY_C, .also = KEY_B, .get = true)), XSMG_DO_TRUST);
	mark_bad(KEY_B, 17);
	ck_assert_int_eq(seals_to(17), -1);
}
END_TEST

START_TEST(thieves)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	/* a key of his own, over the partner's mail host, with or without a signature copied from elsewhere */
	ACTION(come(SAID(1, .by = THIEF, .mail = THIEF, .get = true, .where = "mx")), XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(1), MAIL);
	ACTION(come(SAID(1, .by = THIEF, .mail = THIEF, .withdrawn = true, .get = true, .serial_off = 1)),
	    XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(1), MAIL);
	/* an equal serial by a key of his own freezes nothing */
	ACTION(come(SAID(0, .by = THIEF, .mail = THIEF, .get = true)), XSMG_DO_REFUSE);
	ck_assert(!holds(1));
	/* by the key itself it does */
	ACTION(come(SAID(0, .by = KEY_A, .mail = NEXT_MAIL, .get = true)), XSMG_DO_FREEZE);
	ck_assert(holds(1) && seals_to(1) == -1);
	ACTION(come(SAID(2, .by = KEY_A)), XSMG_DO_FREEZE);
	ck_assert_uint_eq(audited("statement.freeze"), 2);
}
END_TEST

/* The old key of a partner who has another one by now. */
START_TEST(old_key)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_B)), XSMG_DO_TRUST);
	/* whoever puts it holds up nobody's mail; got from the partner it does */
	ACTION(come(SAID(2, .by = KEY_A, .mail = THIEF, .put = true, .where = "thief")), XSMG_DO_CONFIRM);
	ck_assert(!holds(2));
	ACTION(come(SAID(2, .by = KEY_A, .mail = THIEF, .get = true)), XSMG_DO_FREEZE);
	ck_assert(holds(2));
	ck_assert_str_eq(owner()->statement->trusted.key, key_hex(KEY_B));
}
END_TEST

START_TEST(old_key_marked)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_B)), XSMG_DO_TRUST);
	mark_bad(KEY_A, 1);
	ck_assert_int_eq(seals_to(1), MAIL);
	ACTION(come(SAID(2, .by = KEY_A, .mail = THIEF)), XSMG_DO_REFUSE);
	ck_assert(!holds(2) && seals_to(2) == MAIL);
	mark_bad(KEY_B, 3);
	ck_assert_int_eq(seals_to(3), -1);
	ACTION(come(SAID(4, .by = KEY_B)), XSMG_DO_REFUSE);
}
END_TEST

/* A hint makes nothing be kept of strangers, and nothing be believed of anybody. */
START_TEST(hints)
{
	struct store_statement *st;

	ACTION(come(SAID(0, .by = KEY_A, .put = true, .where = "192.0.2.1")), XSMG_DO_REFUSE);
	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && !st);
	judge_fixture_partner(&j, "lab.example", "seal", "prefer");
	ACTION(come(SAID(0, .by = KEY_A, .put = true, .where = "192.0.2.1")), XSMG_DO_CONFIRM);
	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && !st);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_A, .mail = NEXT_MAIL, .put = true, .where = "192.0.2.1")), XSMG_DO_CONFIRM);
	ck_assert_int_eq(seals_to(1), MAIL);
}
END_TEST

START_TEST(withdrawal)
{
	ck_assert(store_seen_protected(j.s, "lab.example", FX_NOW, &pr) == 0);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(1, .by = KEY_A, .withdrawn = true)), XSMG_DO_TRUST);
	ck_assert_int_eq(seals_to(1), -1);
	ck_assert(store_was_protected(j.s, "lab.example") == 0);
	ck_assert_uint_eq(audited("statement.withdrawn"), 1);
}
END_TEST

static void pin(enum who w, bool follow)
{
	struct store_statement *st;

	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0 && st);
	memcpy(st->pin, key_hex(w), sizeof st->pin);
	st->follow = follow;
	ck_assert(store_statement_save(j.s, st, "root", "statement.set", "a test", &pr) == 0);
	store_statements_free(st, 1);
}

/* Continuity carries a pin on from the key that is pinned, and from no other. */
START_TEST(pinned)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	pin(KEY_C, true);
	ACTION(come(SAID(1, .by = KEY_A, .announce = KEY_B, .get = true)), XSMG_DO_PENDING);
	ACTION(come(SAID(9, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_PENDING);
	pin(KEY_A, true);
	ACTION(come(SAID(10, .by = KEY_A, .announce = KEY_B, .get = true)), XSMG_DO_TRUST);
	ACTION(come(SAID(11, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_TRUST);
	ACTION(come(SAID(12, .by = KEY_B, .get = true)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_PINNED);
	/* what stands on a pin that is no more stands on nothing */
	pin(KEY_C, true);
	ACTION(come(SAID(13, .by = KEY_B, .get = true)), XSMG_DO_PENDING);
}
END_TEST

#define CRL "http://root.example/crl"
#define SMG "_smg.lab.example TXT"

static void believe(enum revoke_mode second)
{
	static int modes[] = {REVOKE_SOFT, REVOKE_SOFT};
	static const struct judge_believing b = {
	    .revoke = {.octets_max = 1 << 20, .keep_s = 3600, .timeout_ms = 1000},
	    .domains = judge_fixture_domains,
	    .modes = modes,
	    .ndomains = 2};

	modes[1] = (int)second;
	judge_cache_believing_set(j.w.cache, &b);
}

/* One of our domains wants revocation told: then nothing is believed before it is, whatever names are allowed. */
START_TEST(revocation_hard)
{
	struct testcert root = testcert_ca("root", NULL);

	testcert_free(&people[KEY_A]);
	people[KEY_A] = testcert_make(&(struct testcert_spec){.cn = "gateway",
	    .san = "email:domain-signing-authority@lab.example",
	    .crl = "URI:" CRL,
	    .issuer = root.x,
	    .issuer_key = root.key,
	    .ski = true});
	testcert_free(&people[MAIL]);
	people[MAIL] = testcert_make(&(struct testcert_spec){
	    .cn = "mail", .san = "DNS:lab.example", .issuer = root.x, .issuer_key = root.key, .ski = true});
	judge_fixture_anchor(&j, "lab.example", STORE_BOTH, &root);
	source_fixture_temp(&net, CRL, SOURCE_UNSIGNED);
	believe(REVOKE_HARD);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_LATER);
	ACTION(come(SAID(0, .by = KEY_A, .get = true)), XSMG_DO_LATER);
	ck_assert_ptr_null(owner()->statement);
	believe(REVOKE_SOFT);
	ACTION(come(SAID(1, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_ANCHORED);
	testcert_free(&root);
}
END_TEST

/* A name that the admin allowed is not better told than others. */
START_TEST(revocation_hard_other_name)
{
	struct testcert root = testcert_ca("root", NULL);
	struct store_statement *st = store_statement_new("lab.example");

	free(st->local_parts);
	st->local_parts = strdup("gateway");
	ck_assert(store_statement_save(j.s, st, "root", "statement.set", "a test", &pr) == 0);
	store_statements_free(st, 1);
	testcert_free(&people[KEY_A]);
	people[KEY_A] = testcert_make(&(struct testcert_spec){.cn = "gateway",
	    .san = "email:gateway@lab.example",
	    .crl = "URI:" CRL,
	    .issuer = root.x,
	    .issuer_key = root.key,
	    .ski = true});
	judge_fixture_anchor(&j, "lab.example", STORE_BOTH, &root);
	source_fixture_temp(&net, CRL, SOURCE_UNSIGNED);
	believe(REVOKE_HARD);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_LATER);
	testcert_free(&root);
}
END_TEST

/* A key that a statement was trusted through is found revoked when somebody shows it again. */
START_TEST(predecessor_revoked)
{
	struct store_revoked r = {.at = DAYS(9)};

	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_TRUST);
	memcpy(r.sha256, people[KEY_A].sha256, sizeof r.sha256);
	r.words = FIXTURE_STR("a test");
	ck_assert(store_revoked_add(j.s, &r, "lab.example", "test", &pr) == 0);
	ACTION(come(SAID(10, .by = KEY_A, .get = true)), XSMG_DO_REFUSE);
	ck_assert_int_eq(seals_to(10), -1);
	ck_assert_ptr_nonnull(owner()->statement->waiting.der);
	ck_assert_uint_eq(audited("statement.bad-key"), 1);
}
END_TEST

/* What the signed zone says of keys: not this one, or not to be told. */
START_TEST(signed_zone)
{
	static const char text[] = "v=smg1; url=https://smg.lab.example/.well-known/smg/lab.example; "
				   "key=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	static uint8_t rd[sizeof text];

	source_fixture_temp(&net, SMG, SOURCE_BOGUS);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_LATER);
	rd[0] = sizeof text - 1;
	memcpy(rd + 1, text, sizeof text - 1);
	source_answer_set(source_fixture_at(&net, SMG), SOURCE_FOUND, "found");
	source_fixture_at(&net, SMG)->dnssec = SOURCE_SECURE;
	source_fixture_item(&net, SMG, "", rd, sizeof rd);
	ACTION(come(SAID(1, .by = KEY_A)), XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(1), -1);
}
END_TEST

/* Trust is lost: what was said before is not newer because of it. */
START_TEST(serial_floor)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(4, .by = KEY_C)), XSMG_DO_TRUST);
	mark_bad(KEY_C, 5);
	ACTION(come(SAID(3, .by = KEY_B)), XSMG_DO_OLD);
	ck_assert_int_eq(seals_to(5), -1);
	ACTION(come(SAID(6, .by = KEY_B)), XSMG_DO_TRUST);
}
END_TEST

/* Announced, taken out of the list, put into it again: the seven days begin anew. */
START_TEST(announced_anew)
{
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(5, .by = KEY_A)), XSMG_DO_TRUST);
	ACTION(come(SAID(6, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(9, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_PENDING);
	ACTION(come(SAID(14, .by = KEY_B, .also = KEY_A, .get = true)), XSMG_DO_TRUST);
}
END_TEST

START_TEST(first_contact)
{
	struct partner_statement_settings set = *partner_statement_settings_default();
	char why[400];

	j.w.statements = &set;
	ACTION(come(SAID(0, .by = KEY_A, .where = "https://smg.lab.example/else")), XSMG_DO_PENDING);
	ck_assert(judge_xsmg_use_waits(owner(), why, sizeof why) && seals_to(0) == -1);
	ACTION(come(SAID(0, .by = KEY_A, .where = "https://smg.lab.example/else")), XSMG_DO_PENDING);
	ck_assert_uint_eq(audited("statement.pending"), 1);
	set.first_contact = XSMG_ACCEPT;
	ACTION(come(SAID(1, .by = KEY_A, .where = "https://smg.lab.example/else")), XSMG_DO_TRUST);
	ck_assert_int_eq(seals_to(1), MAIL);
	/* ran out: its certificates serve on, or nothing goes */
	ck_assert(!holds(30) && seals_to(30) == MAIL);
	set.strict_expiry = true;
	ck_assert(holds(30));
}
END_TEST

START_TEST(what_it_reads)
{
	struct format f = format_default();
	unsigned given;
	enum policy_treatment least;

	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	given = judge_xsmg_use_format(owner(), 128, &f);
	ck_assert_str_eq(format_cipher_word(f.cipher), "aes-256-gcm");
	ck_assert_int_eq(f.wrap, FORMAT_WRAP_FIELDS);
	ck_assert_int_eq(f.digest, FORMAT_SHA256);
	ck_assert(given & FORMAT_GIVEN(FORMAT_CIPHER));
	ck_assert(!judge_xsmg_use_demands(owner(), &least));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, met_and_followed);
	tcase_add_test(tc, new_key);
	tcase_add_test(tc, chain);
	tcase_add_test(tc, thieves);
	tcase_add_test(tc, old_key);
	tcase_add_test(tc, old_key_marked);
	tcase_add_test(tc, hints);
	tcase_add_test(tc, withdrawal);
	tcase_add_test(tc, pinned);
	tcase_add_test(tc, revocation_hard);
	tcase_add_test(tc, revocation_hard_other_name);
	tcase_add_test(tc, predecessor_revoked);
	tcase_add_test(tc, signed_zone);
	tcase_add_test(tc, serial_floor);
	tcase_add_test(tc, announced_anew);
	tcase_add_test(tc, first_contact);
	tcase_add_test(tc, what_it_reads);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
