/* One recipient of one sender: which rule, which certificate, which signer; what cannot be told is temporary; how
 * long a warm answer takes. */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cms/cms.h"
#include "gateway/proc/judge_resolve.h"

#include "gateway/pipeline/outbound.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static struct judge_fixture fx;
static struct arena *arena;
static struct judge_verdict v;
static struct testcert root, lab, sign, dec;

static struct testcert issue(struct testcert_spec s)
{
	s.issuer = root.x;
	s.issuer_key = root.key;
	return testcert_make(&s);
}

static void setup(void)
{
	judge_fixture_start(&fx);
	arena = arena_new(1 << 20);
	root = testcert_ca("root", NULL);
	lab = issue((struct testcert_spec){.cn = "lab", .san = "DNS:lab.example"});
	sign = testcert_make(
	    &(struct testcert_spec){.cn = "hospital sign", .san = "DNS:hospital.example", .ku = "digitalSignature"});
	dec = testcert_make(
	    &(struct testcert_spec){.cn = "hospital dec", .san = "DNS:hospital.example", .ku = "keyAgreement"});
	judge_fixture_identity(&fx, "hospital.example", STORE_SIGN, "k-sign", &sign, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_DECRYPT, "k-dec", &dec, true);
}

static void teardown(void)
{
	arena_free(arena);
	testcert_free(&root);
	testcert_free(&lab);
	testcert_free(&sign);
	testcert_free(&dec);
	judge_fixture_end(&fx);
}

static int resolve_at(const char *sender, const char *recipient, int64_t now)
{
	struct judge_resolve rq = {.sender = ""};

	memcpy(rq.sender, sender, strlen(sender) + 1);
	memcpy(rq.recipient, recipient, strlen(recipient) + 1);
	return judge_resolve(fx.s, &fx.w, NULL, &rq, now, arena, &v);
}

static int resolve(const char *recipient)
{
	return resolve_at("alice@hospital.example", recipient, TESTCERT_NOW);
}

static bool uses(const struct testcert *c)
{
	return v.certs == POLICY_CERTS_USABLE && v.nrcpt_certs == 1 && v.rcpt_certs[0].n == c->n &&
	       memcmp(v.rcpt_certs[0].p, c->der, c->n) == 0;
}

START_TEST(nothing_known)
{
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(!v.temp && !v.listed && !v.seen_protected);
	ck_assert_str_eq(v.rule, "default");
	ck_assert(v.treatment == POLICY_SEAL && v.strength == POLICY_PREFER && v.certs == POLICY_CERTS_NONE &&
		  v.nrcpt_certs == 0);
	ck_assert_str_eq(v.cert_why, "there is no certificate for lab.example in the store");
	ck_assert(v.have_signer && !v.signer_why[0]);
	ck_assert_str_eq(v.sign_key, "k-sign");
	ck_assert(v.sign_cert.n == sign.n && memcmp(v.sign_cert.p, sign.der, sign.n) == 0);
	ck_assert(v.sign_chain.n == 5 && memcmp(v.sign_chain.p, "chain", 5) == 0);
	ck_assert(v.enc_cert.n == dec.n && memcmp(v.enc_cert.p, dec.der, dec.n) == 0);
	ck_assert(v.sign_domain && v.format.cipher == CMS_AES_256_CBC && v.format.keymode == CMS_KEY_RSA_V15);
}
END_TEST

START_TEST(rule_then_partner_then_default)
{
	judge_fixture_partner(&fx, "lab.example", "sign", "require");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_str_eq(v.rule, "partner lab.example");
	ck_assert(v.listed && v.treatment == POLICY_SIGN && v.strength == POLICY_REQUIRE);
	judge_fixture_partner(&fx, "bob@lab.example", "tls", "prefer");
	ck_assert_int_eq(resolve("Bob@LAB.example"), 0);
	ck_assert_str_eq(v.rule, "partner bob@lab.example");
	ck_assert(v.treatment == POLICY_TLS);
	ck_assert_int_eq(resolve("carol@lab.example"), 0);
	ck_assert_str_eq(v.rule, "partner lab.example");
	judge_fixture_rule(&fx, "x", "*@other.example", "*", "clear", "never");
	judge_fixture_rule(&fx, "bobs", "*", "bob@lab.example", "seal", "require");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_str_eq(v.rule, "rule \"bobs\"");
	ck_assert(v.listed && v.treatment == POLICY_SEAL && v.strength == POLICY_REQUIRE);
	ck_assert_int_eq(resolve("bob@a.lab.example"), 0);
	ck_assert_str_eq(v.rule, "default");
	ck_assert(!v.listed);
}
END_TEST

START_TEST(seen)
{
	struct problem pr = {0};

	ck_assert_int_eq(store_seen_protected(fx.s, "lab.example", 5, &pr), 0);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(v.seen_protected && !v.listed);
	ck_assert_int_eq(resolve("bob@other.example"), 0);
	ck_assert(!v.seen_protected);
}
END_TEST

START_TEST(certificates_by_anchor)
{
	judge_fixture_cert(&fx, "lab.example", &lab, false);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_int_eq(v.certs, POLICY_CERTS_UNUSABLE);
	ck_assert_msg(
	    strstr(v.cert_why, "CN=lab, serial") && strstr(v.cert_why, "no anchor leads to it"), "%s", v.cert_why);
	judge_fixture_anchor(&fx, "lab.example", STORE_IN, &root); /* for their signatures only */
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_int_eq(v.certs, POLICY_CERTS_UNUSABLE);
	judge_fixture_anchor(&fx, "other.example", STORE_BOTH, &root); /* for others only */
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_int_eq(v.certs, POLICY_CERTS_UNUSABLE);
	judge_fixture_anchor(&fx, "*", STORE_OUT, &root);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_msg(uses(&lab), "%s", v.cert_why);
	ck_assert(!v.personal);
	ck_assert_msg(strstr(v.cert_why, "trusted by the anchor CN=root, speaks for the domain"), "%s", v.cert_why);
}
END_TEST

/* All recipients behind one domain certificate get one and the same verdict: they share one encryption. */
START_TEST(same_for_the_domain)
{
	static struct judge_verdict first;

	judge_fixture_cert(&fx, "lab.example", &lab, true);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	first = v;
	ck_assert_int_eq(resolve("carol@lab.example"), 0);
	ck_assert_str_eq(first.cert_why, v.cert_why);
	ck_assert_str_eq(first.rule, v.rule);
	ck_assert(uses(&lab));
}
END_TEST

START_TEST(newest_valid)
{
	struct testcert old =
	    issue((struct testcert_spec){.cn = "old", .san = "DNS:lab.example", .from = TESTCERT_FROM - 1000});
	struct testcert newer =
	    issue((struct testcert_spec){.cn = "newer", .san = "DNS:lab.example", .from = TESTCERT_FROM + 1000});
	struct testcert past = issue((struct testcert_spec){
	    .cn = "past", .san = "DNS:lab.example", .from = TESTCERT_FROM + 2000, .until = TESTCERT_NOW - 5});
	struct testcert coming =
	    issue((struct testcert_spec){.cn = "coming", .san = "DNS:lab.example", .from = TESTCERT_NOW + 100});

	judge_fixture_cert(&fx, "lab.example", &newer, true);
	judge_fixture_cert(&fx, "lab.example", &old, true);
	judge_fixture_cert(&fx, "lab.example", &past, true);
	judge_fixture_cert(&fx, "lab.example", &coming, true);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_msg(uses(&newer), "%s", v.cert_why);
	/* The clock alone changes it: the one that was coming has come. */
	ck_assert_int_eq(resolve_at("alice@hospital.example", "bob@lab.example", TESTCERT_NOW + 100), 0);
	ck_assert_msg(uses(&coming), "%s", v.cert_why);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_msg(uses(&newer), "%s", v.cert_why);
	testcert_free(&old);
	testcert_free(&newer);
	testcert_free(&past);
	testcert_free(&coming);
}
END_TEST

START_TEST(address_before_domain)
{
	struct testcert bob = issue((struct testcert_spec){.cn = "bob", .san = "email:bob@lab.example"});
	struct testcert past =
	    issue((struct testcert_spec){.cn = "past", .san = "email:carol@lab.example", .until = TESTCERT_NOW - 5});

	judge_fixture_cert(&fx, "lab.example", &lab, true);
	judge_fixture_cert(&fx, "bob@lab.example", &bob, true);
	judge_fixture_cert(&fx, "carol@lab.example", &past, true);
	ck_assert_int_eq(resolve("BOB@lab.example"), 0);
	ck_assert(uses(&bob) && v.personal);
	ck_assert_int_eq(resolve("dave@lab.example"), 0);
	ck_assert(uses(&lab) && !v.personal);
	ck_assert_int_eq(resolve("carol@lab.example"), 0); /* her own ran out: the domain's serves */
	ck_assert(uses(&lab) && !v.personal);
	testcert_free(&bob);
	testcert_free(&past);
}
END_TEST

/* Kept under the domain, but by its names one person's: used for nobody else, and personal for him. */
START_TEST(bound_to_one)
{
	struct testcert bob = issue((struct testcert_spec){.cn = "bob", .san = "email:bob@lab.example"});

	judge_fixture_cert(&fx, "lab.example", &bob, false);
	judge_fixture_anchor(&fx, "lab.example", STORE_OUT, &root);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(uses(&bob) && v.personal);
	ck_assert_int_eq(resolve("carol@lab.example"), 0);
	ck_assert_int_eq(v.certs, POLICY_CERTS_UNUSABLE);
	ck_assert_msg(strstr(v.cert_why, "does not name carol@lab.example"), "%s", v.cert_why);
	testcert_free(&bob);
}
END_TEST

START_TEST(signing_half_only)
{
	struct testcert s =
	    issue((struct testcert_spec){.cn = "s", .san = "DNS:lab.example", .ku = "digitalSignature"});

	judge_fixture_cert(&fx, "lab.example", &s, true);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_int_eq(v.certs, POLICY_CERTS_NONE);
	ck_assert_msg(strstr(v.cert_why, "only for signing"), "%s", v.cert_why);
	judge_fixture_cert(&fx, "lab.example", &lab, true);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(uses(&lab));
	testcert_free(&s);
}
END_TEST

START_TEST(all_reasons)
{
	struct testcert past =
	    issue((struct testcert_spec){.cn = "past", .san = "DNS:lab.example", .until = TESTCERT_NOW - 5});
	struct testcert weak = issue((struct testcert_spec){.cn = "weak", .san = "DNS:lab.example", .rsa = 1024});

	judge_fixture_cert(&fx, "lab.example", &past, true);
	judge_fixture_cert(&fx, "lab.example", &weak, true);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert_int_eq(v.certs, POLICY_CERTS_UNUSABLE);
	ck_assert_msg(strstr(v.cert_why, "CN=past") && strstr(v.cert_why, "ran out on 2026-11-22") &&
			  strstr(v.cert_why, "CN=weak") && strstr(v.cert_why, "1024 bits"),
	    "%s", v.cert_why);
	testcert_free(&past);
	testcert_free(&weak);
}
END_TEST

START_TEST(signers)
{
	struct testcert personal =
	    testcert_make(&(struct testcert_spec){.cn = "alice", .san = "email:alice@second.example"});
	struct testcert past = testcert_make(
	    &(struct testcert_spec){.cn = "past", .san = "DNS:second.example", .until = TESTCERT_NOW - 5});

	/* not ours */
	ck_assert_int_eq(resolve_at("x@far.example", "bob@lab.example", TESTCERT_NOW), 0);
	ck_assert(!v.have_signer && v.sign_cert.n == 0);
	ck_assert_msg(strstr(v.signer_why, "far.example is not one of ours"), "%s", v.signer_why);
	/* ours without any */
	ck_assert_int_eq(resolve_at("x@second.example", "bob@lab.example", TESTCERT_NOW), 0);
	ck_assert(!v.have_signer);
	ck_assert_str_eq(v.signer_why, "none was added");
	/* waiting, run out, retired */
	judge_fixture_identity(&fx, "second.example", STORE_SIGN, "k2", NULL, true);
	judge_fixture_identity(&fx, "second.example", STORE_SIGN, "k3", &past, true);
	judge_fixture_identity(&fx, "second.example", STORE_SIGN, "k4", &personal, false);
	ck_assert_int_eq(resolve_at("x@second.example", "bob@lab.example", TESTCERT_NOW), 0);
	ck_assert(!v.have_signer);
	ck_assert_msg(
	    strstr(v.signer_why, "k2: its certificate is still to be installed") && strstr(v.signer_why, "ran out"),
	    "%s", v.signer_why);
	/* a personal one signs as the person */
	judge_fixture_identity(&fx, "second.example", STORE_SIGN, "k5", &personal, true);
	ck_assert_int_eq(resolve_at("alice@second.example", "bob@lab.example", TESTCERT_NOW), 0);
	ck_assert(v.have_signer && !v.sign_domain && strcmp(v.sign_key, "k5") == 0 && v.enc_cert.n == 0);
	/* a notice has no sender: the first domain speaks */
	ck_assert_int_eq(resolve_at("", "bob@lab.example", TESTCERT_NOW), 0);
	ck_assert(v.have_signer && strcmp(v.sign_key, "k-sign") == 0);
	testcert_free(&personal);
	testcert_free(&past);
}
END_TEST

START_TEST(own_domain)
{
	ck_assert_int_eq(resolve("x@second.example"), 0);
	ck_assert_str_eq(v.rule, "own domain");
	ck_assert(v.treatment == POLICY_CLEAR && v.strength == POLICY_NEVER);
}
END_TEST

START_TEST(bad_addresses)
{
	ck_assert_int_eq(resolve("no address"), -1);
	ck_assert(v.temp && v.pr.cls != PROBLEM_NONE && v.certs == POLICY_CERTS_UNCERTAIN && !v.have_signer);
	ck_assert_int_eq(resolve_at("no address", "bob@lab.example", TESTCERT_NOW), -1);
}
END_TEST

static void sql(const char *text)
{
	char path[128];
	sqlite3 *db;

	(void)snprintf(path, sizeof path, "%s/store.db", fx.dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* P1: each table that cannot be read makes the answer "later", never "unlisted" or "no certificate". */
static const char *const tables[] = {"partner", "seen", "cert", "rule", "identity", "anchor"};

START_TEST(store_away)
{
	char text[100];

	judge_fixture_cert(&fx, "lab.example", &lab, false);
	(void)snprintf(text, sizeof text, "ALTER TABLE %s RENAME TO gone", tables[_i]);
	sql(text);
	ck_assert_int_eq(resolve("bob@lab.example"), -1);
	ck_assert_msg(v.temp && v.pr.cls == PROBLEM_TEMP && v.pr.code == 451, "%s: %s", tables[_i], v.pr.text);
	ck_assert(v.certs == POLICY_CERTS_UNCERTAIN && !v.have_signer && v.nrcpt_certs == 0);
	(void)snprintf(text, sizeof text, "ALTER TABLE gone RENAME TO %s", tables[_i]);
	sql(text);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(!v.temp && v.certs == POLICY_CERTS_UNUSABLE && v.have_signer);
}
END_TEST

static void exempt_rule(const char *name, const char *sender, const char *recipient, const char *exempt)
{
	struct store_rule r = {.name = FIXTURE_STR(name),
	    .sender = FIXTURE_STR(sender),
	    .recipient = FIXTURE_STR(recipient),
	    .treatment = FIXTURE_STR("seal"),
	    .strength = FIXTURE_STR("require"),
	    .exempt = FIXTURE_STR(exempt)};
	struct problem pr = {0};

	ck_assert_msg(store_rule_add(fx.s, &r, "test", &pr) == 0, "%s", pr.text);
}

/* Of the rule that fits; for an author who is not the sender, what every rule for the recipient lets go. */
START_TEST(exemptions)
{
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(v.exempt == 0 && v.any_exempt == 0);
	exempt_rule("a", "alice@hospital.example", "*@lab.example", "calendar,auto-reply");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(v.exempt == POLICY_EXEMPT_ALL && v.any_exempt == POLICY_EXEMPT_ALL);
	exempt_rule("b", "*", "*@other.example", "");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(v.any_exempt == POLICY_EXEMPT_ALL);
	exempt_rule("c", "*", "bob@lab.example", "calendar");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(v.exempt == POLICY_EXEMPT_ALL && v.any_exempt == POLICY_EXEMPT_CALENDAR);
	ck_assert_int_eq(resolve_at("", "bob@lab.example", TESTCERT_NOW), 0);
	ck_assert(v.exempt == POLICY_EXEMPT_CALENDAR && v.any_exempt == POLICY_EXEMPT_CALENDAR);
	ck_assert_int_eq(resolve_at("carol@hospital.example", "eve@lab.example", TESTCERT_NOW), 0);
	ck_assert(v.exempt == 0 && v.any_exempt == 0); /* the default lets nothing go */
	judge_fixture_rule(&fx, "d", "*", "bob@lab.example", "seal", "require");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(v.exempt == POLICY_EXEMPT_ALL && v.any_exempt == 0);
	sql("UPDATE rule SET exempt = 'everything' WHERE name = 'a'");
	ck_assert_int_eq(resolve("bob@lab.example"), -1);
	ck_assert_msg(v.temp && strstr(v.pr.text, "everything"), "%s", v.pr.text);
}
END_TEST

START_TEST(damaged_words)
{
	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	sql("UPDATE partner SET treatment = 'sael'");
	ck_assert_int_eq(resolve("bob@lab.example"), -1);
	ck_assert_msg(v.temp && strstr(v.pr.text, "sael"), "%s", v.pr.text);
}
END_TEST

/* What another process wrote counts at the next question. */
START_TEST(changed_outside)
{
	judge_fixture_cert(&fx, "lab.example", &lab, true);
	judge_fixture_rule(&fx, "r", "*", "*", "seal", "require");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(uses(&lab) && strcmp(v.rule, "rule \"r\"") == 0);
	sql("UPDATE cert SET pinned = 0; DELETE FROM rule");
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	ck_assert(v.certs == POLICY_CERTS_UNUSABLE && strcmp(v.rule, "default") == 0);
}
END_TEST

START_TEST(facts_round)
{
	struct policy_out f;

	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	judge_fixture_cert(&fx, "lab.example", &lab, true);
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	outbound_facts(&v, false, JOB_UNASKED, &f);
	ck_assert(f.treatment == POLICY_SEAL && f.strength == POLICY_REQUIRE && f.listed && !f.seen_protected &&
		  f.have_signer);
	ck_assert_int_eq(f.certs, POLICY_CERTS_USABLE);
	ck_assert_str_eq(f.rule, v.rule);
	ck_assert_str_eq(f.cert_why, v.cert_why);
	ck_assert(!f.reply_to_sealed && !f.tls_verified_possible);
}
END_TEST

/* The enums travel as numbers between layers that cannot see each other: judge_proto.c holds them to these ranges. */
START_TEST(numbers_agree)
{
	ck_assert(POLICY_CLEAR == 0 && POLICY_SEAL == 3 && POLICY_NEVER == 0 && POLICY_REQUIRE == 2);
	ck_assert(POLICY_CERTS_NONE == 0 && POLICY_CERTS_UNUSABLE == 3);
	ck_assert(CMS_AES_256_CBC == 0 && CMS_AES_128_GCM == 3 && CMS_KEY_RSA_V15 == 0 && CMS_KEY_ECDH == 2);
	ck_assert(CMS_AES_192_GCM == 5 && CMS_KEY_RSA_OAEP_SHA1 == 3 && POLICY_EXEMPT_ALL == 3);
	ck_assert_int_eq(JUDGE_CAPS_MAX, CMS_CAPS_DER_MAX);
}
END_TEST

/* Warm, with 200 rules, 50 anchors and both certificates by path. The bound is generous: sanitizers and a loaded
 * machine. */
START_TEST(warm)
{
	struct timespec a, b;
	double us;

	judge_fixture_cert(&fx, "lab.example", &lab, false);
	judge_fixture_anchor(&fx, "*", STORE_OUT, &root);
	for (int i = 0; i < 200; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "r%d", i);
		judge_fixture_rule(&fx, name, "*@far.example", "*", "seal", "require");
	}
	for (int i = 0; i < 50; i++) {
		struct testcert ca = testcert_ca("another root", NULL);

		judge_fixture_anchor(&fx, "*", STORE_BOTH, &ca);
		testcert_free(&ca);
	}
	ck_assert_int_eq(resolve("bob@lab.example"), 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 2000; i++) {
		arena_free(arena);
		arena = arena_new(1 << 20);
		ck_assert_int_eq(resolve("bob@lab.example"), 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	ck_assert(uses(&lab));
	us = ((double)(b.tv_sec - a.tv_sec) * 1e6 + (double)(b.tv_nsec - a.tv_nsec) / 1e3) / 2000;
	if (getenv("POSTERN_TEST_TIMES"))
		printf("warm resolve: %.1f us\n", us);
	ck_assert_msg(us < 2000, "%.1f us", us);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_resolve");
	TCase *t = tcase_create("judge_resolve");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nothing_known);
	tcase_add_test(t, rule_then_partner_then_default);
	tcase_add_test(t, seen);
	tcase_add_test(t, certificates_by_anchor);
	tcase_add_test(t, same_for_the_domain);
	tcase_add_test(t, newest_valid);
	tcase_add_test(t, address_before_domain);
	tcase_add_test(t, bound_to_one);
	tcase_add_test(t, signing_half_only);
	tcase_add_test(t, all_reasons);
	tcase_add_test(t, signers);
	tcase_add_test(t, own_domain);
	tcase_add_test(t, bad_addresses);
	tcase_add_loop_test(t, store_away, 0, sizeof tables / sizeof *tables);
	tcase_add_test(t, exemptions);
	tcase_add_test(t, damaged_words);
	tcase_add_test(t, changed_outside);
	tcase_add_test(t, facts_round);
	tcase_add_test(t, numbers_agree);
	tcase_add_test(t, warm);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
