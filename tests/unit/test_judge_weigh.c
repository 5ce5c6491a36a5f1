/* Which anchors count for whom, by what reason a certificate is believed, what is remembered of revoked ones, and the
 * warnings before an end. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_expiry.h"
#include "gateway/proc/judge_weigh.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"
#include "tests/unit/testrevoke.h"

#define CRL "http://root.example/crl"

static struct judge_fixture fx;
static struct testcert root, lab, listed;
static struct testrevoke_net net;
static char why[700];
static enum trust_reason reason;
static int64_t now;
static struct problem pr;

static void setup(void)
{
	judge_fixture_start(&fx);
	now = TESTCERT_NOW;
	root = testcert_ca("root", NULL);
	lab = testcert_make(
	    &(struct testcert_spec){.cn = "lab", .san = "DNS:lab.example", .issuer = root.x, .issuer_key = root.key});
	listed = testcert_make(&(struct testcert_spec){
	    .cn = "listed", .san = "DNS:lab.example", .crl = "URI:" CRL, .issuer = root.x, .issuer_key = root.key});
}

static void teardown(void)
{
	testcert_free(&root);
	testcert_free(&lab);
	testcert_free(&listed);
	testrevoke_clear(&net);
	judge_fixture_end(&fx);
}

static void anchor(const char *scope, const char *local, enum store_direction dir)
{
	struct store_anchor a = {
	    .scope = FIXTURE_STR(scope), .local = FIXTURE_STR(local), .dir = dir, .der = root.der, .der_len = root.n};

	memcpy(a.sha256, root.sha256, sizeof a.sha256);
	ck_assert_msg(store_anchor_add(fx.s, &a, "test", &pr) == 0, "%s", pr.text);
}

static enum trust_result weigh(const struct testcert *c, const char *domain, const char *local,
    enum store_direction dir, struct source_run *run, bool pinned)
{
	struct address who = {.local = ""};
	struct judge_weighing q = {.who = &who,
	    .local = local,
	    .use = CERT_TO_ENCRYPT,
	    .dir = dir,
	    .pinned = pinned,
	    .run = run,
	    .now = now,
	    .reason_r = &reason};
	enum trust_result r = TRUST_BAD;
	struct judge_cert *k;

	snprintf(who.domain, sizeof who.domain, "%s", domain);
	judge_cache_begin(fx.w.cache, fx.s);
	k = judge_cache_cert(fx.w.cache, c->der, c->n, NULL);
	ck_assert(judge_weigh(fx.w.cache, fx.s, k, &q, &r, why, sizeof why, &pr) == 0);
	judge_cert_drop(k);
	return r;
}

static void group(const char *domain, const char *name)
{
	struct store_partner p = {.domain = FIXTURE_STR(domain),
	    .treatment = FIXTURE_STR("seal"),
	    .strength = FIXTURE_STR("require"),
	    .group = FIXTURE_STR(name)};

	ck_assert_msg(store_partner_put(fx.s, &p, "test", &pr) == 0, "%s", pr.text);
}

static const struct {
	const char *scope, *for_local;
	enum store_direction dir;
	const char *local;
	enum trust_reason want; /* BY_NOTHING: not believed */
} scopes[] = {
    {"*", "", STORE_BOTH, "hospital.example", TRUST_BY_ANCHOR},
    {"*", "", STORE_BOTH, NULL, TRUST_BY_ANCHOR},
    {"lab.example", "", STORE_OUT, "hospital.example", TRUST_BY_PARTNER},
    {"@labs", "", STORE_OUT, "hospital.example", TRUST_BY_GROUP},
    {"@others", "", STORE_OUT, "hospital.example", TRUST_BY_NOTHING},
    {"other.example", "", STORE_BOTH, "hospital.example", TRUST_BY_NOTHING},
    {"*", "", STORE_IN, "hospital.example", TRUST_BY_NOTHING},
    {"*", "hospital.example", STORE_BOTH, "hospital.example", TRUST_BY_ANCHOR},
    {"*", "hospital.example", STORE_BOTH, "second.example", TRUST_BY_NOTHING},
    {"*", "hospital.example", STORE_BOTH, NULL, TRUST_BY_NOTHING},
    {"@labs", "second.example", STORE_OUT, "second.example", TRUST_BY_GROUP},
};

START_TEST(which_count)
{
	group("lab.example", "labs");
	anchor(scopes[_i].scope, scopes[_i].for_local, scopes[_i].dir);
	ck_assert_msg((weigh(&lab, "lab.example", scopes[_i].local, STORE_OUT, NULL, false) == TRUST_GOOD) ==
			  (scopes[_i].want != TRUST_BY_NOTHING),
	    "%s", why);
	ck_assert_int_eq(reason, scopes[_i].want);
}
END_TEST

START_TEST(strongest_reason)
{
	group("lab.example", "labs");
	anchor("*", "", STORE_BOTH);
	anchor("@labs", "", STORE_BOTH);
	ck_assert_int_eq(weigh(&lab, "lab.example", NULL, STORE_OUT, NULL, false), TRUST_GOOD);
	ck_assert_int_eq(reason, TRUST_BY_GROUP);
	anchor("lab.example", "", STORE_BOTH);
	ck_assert_int_eq(weigh(&lab, "lab.example", NULL, STORE_OUT, NULL, false), TRUST_GOOD);
	ck_assert_int_eq(reason, TRUST_BY_PARTNER);
	ck_assert_int_eq(weigh(&lab, "lab.example", NULL, STORE_OUT, NULL, true), TRUST_GOOD);
	ck_assert_int_eq(reason, TRUST_BY_PIN);
	group("lab.example", "");
	ck_assert_int_eq(weigh(&lab, "lab.example", NULL, STORE_OUT, NULL, false), TRUST_GOOD);
}
END_TEST

static void list(const struct testcert *revoked)
{
	struct testrevoke_list l = {.ca = &root, .revoked = {revoked}, .reason = 1};
	size_t n;
	uint8_t *der = testrevoke_crl(&l, &n);

	testrevoke_put(&net, CRL, der, n);
}

/* Awaited: not kept. Revoked: kept in the store, whatever the network says later, and a pin does not help. */
START_TEST(revocation)
{
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	struct store_revoked *known;
	size_t n;

	anchor("*", "", STORE_BOTH);
	list(NULL);
	net.v[0].slow = true;
	(void)weigh(&listed, "lab.example", "hospital.example", STORE_OUT, &run, false);
	ck_assert_uint_eq(run.pending, 1);
	net.v[0].slow = false;
	list(&listed);
	run = testrevoke_run(&net, TESTCERT_NOW);
	ck_assert_int_eq(weigh(&listed, "lab.example", "hospital.example", STORE_OUT, &run, false), TRUST_REVOKED);
	ck_assert_msg(strstr(why, "keyCompromise") && strstr(why, "CN=listed"), "%s", why);
	ck_assert_int_eq(store_revoked(fx.s, &known, &n, &pr), 0);
	ck_assert(n == 1 && strcmp(known[0].sha256, listed.sha256) == 0);
	store_revoked_free(known, n);
	judge_cache_free(fx.w.cache);
	fx.w.cache = judge_cache_new();
	net.v[0].status = SOURCE_TEMP;
	run = testrevoke_run(&net, TESTCERT_NOW);
	ck_assert_int_eq(weigh(&listed, "lab.example", "hospital.example", STORE_OUT, &run, false), TRUST_REVOKED);
	ck_assert_int_eq(weigh(&listed, "lab.example", "hospital.example", STORE_OUT, &run, true), TRUST_REVOKED);
	ck_assert_int_eq(weigh(&listed, "lab.example", "hospital.example", STORE_OUT, NULL, true), TRUST_REVOKED);
	ck_assert_int_eq(store_audit_verify(fx.s, &pr), 0);
}
END_TEST

START_TEST(hard_and_soft)
{
	static const char *const domains[] = {"hospital.example", "second.example"};
	static const int modes[] = {REVOKE_SOFT, REVOKE_HARD};
	static const struct judge_believing b = {
	    .revoke = {.octets_max = 1 << 20, .keep_s = 3600, .timeout_ms = 1000},
	    .domains = domains,
	    .modes = modes,
	    .ndomains = 2,
	    .fetch_issuers = true};
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);

	judge_cache_believing_set(fx.w.cache, &b);
	anchor("*", "", STORE_BOTH);
	ck_assert_int_eq(weigh(&listed, "lab.example", domains[0], STORE_OUT, &run, false), TRUST_GOOD);
	ck_assert_msg(strstr(why, "cannot be told now") != NULL, "%s", why);
	ck_assert_int_eq(weigh(&listed, "lab.example", domains[1], STORE_OUT, &run, false), TRUST_UNSURE);
	ck_assert_int_eq(weigh(&lab, "lab.example", domains[1], STORE_OUT, &run, false), TRUST_GOOD);
	list(NULL); /* what could not be told is not kept */
	ck_assert_int_eq(weigh(&listed, "lab.example", domains[1], STORE_OUT, &run, false), TRUST_GOOD);
}
END_TEST

/* Of an issuer that is to be fetched. */
static struct testcert far_of(const struct testcert *middle, const char *aia)
{
	return testcert_make(&(struct testcert_spec){
	    .cn = "far", .san = "DNS:lab.example", .aia = aia, .issuer = middle->x, .issuer_key = middle->key});
}

/* An issuer that cannot be had now: outgoing mail waits as long as that lasts, what came in for a while only. A pin
 * needs none, nor does one that names somebody else. */
START_TEST(issuer_away)
{
	struct testcert middle = testcert_ca("middle", &root);
	struct testcert far = far_of(&middle, "caIssuers;URI:http://dead.example/middle");
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);

	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	judge_fixture_partner(&fx, "other.example", "seal", "require");
	anchor("*", "", STORE_BOTH);
	testrevoke_put(&net, "http://dead.example/middle", NULL, 0);
	net.v[0].status = SOURCE_TEMP;
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	now += 1790;
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	ck_assert_msg(strstr(why, "dead.example") != NULL, "%s", why);
	now += 20;
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_IN, &run, false), TRUST_BAD);
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_OUT, &run, false), TRUST_UNSURE);
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_OUT, &run, true), TRUST_GOOD);
	ck_assert_int_eq(weigh(&far, "other.example", NULL, STORE_OUT, &run, false), TRUST_UNBOUND);
	now += 2 * 86400;
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	net.v[0].status = SOURCE_NONE; /* it is surely not there */
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_OUT, &run, false), TRUST_BAD);
	testcert_free(&far);
	testcert_free(&middle);
}
END_TEST

/* The wait is for the present outage: one that ended, or was hours ago, does not shorten it; tries that fail all the
 * time do not lengthen it; and each address has its own. */
START_TEST(issuer_outages)
{
	struct testcert middle = testcert_ca("middle", &root), far[2];
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	static const char *const urls[] = {"http://dead.example/middle", "http://dead.example/other"};

	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	anchor("*", "", STORE_BOTH);
	for (int i = 0; i < 2; i++) {
		char aia[100];

		(void)snprintf(aia, sizeof aia, "caIssuers;URI:%s", urls[i]);
		far[i] = far_of(&middle, aia);
		testrevoke_put(&net, urls[i], NULL, 0)->status = SOURCE_TEMP;
	}
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	now += 1790;
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	now += 10;
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_IN, &run, false), TRUST_BAD);
	ck_assert_int_eq(weigh(&far[1], "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	/* it answers, and is away again */
	net.v[0].status = SOURCE_NONE;
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_OUT, &run, false), TRUST_BAD);
	net.v[0].status = SOURCE_TEMP;
	now += 61; /* what was found is kept a minute */
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	/* mail that is tried as seldom as the queue may */
	now += 4 * 3600;
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_IN, &run, false), TRUST_BAD);
	now += 4 * 3600 + 590;
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_IN, &run, false), TRUST_BAD);
	/* nobody noticed anything for longer than that */
	now += 5 * 3600;
	ck_assert_int_eq(weigh(&far[0], "lab.example", NULL, STORE_IN, &run, false), TRUST_UNSURE);
	for (int i = 0; i < 2; i++)
		testcert_free(&far[i]);
	testcert_free(&middle);
}
END_TEST

/* Two addresses that are away in turn: the mail does not wait for the one and then for the other again. */
START_TEST(issuers_in_turn)
{
	struct testcert middle = testcert_ca("middle", &root);
	struct testcert far =
	    far_of(&middle, "caIssuers;URI:http://one.example/middle,caIssuers;URI:http://two.example/middle");
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);

	judge_fixture_partner(&fx, "lab.example", "seal", "require");
	anchor("*", "", STORE_BOTH);
	testrevoke_put(&net, "http://one.example/middle", NULL, 0);
	testrevoke_put(&net, "http://two.example/middle", NULL, 0);
	for (int i = 0; i < 3; i++, now += 900) {
		net.v[i % 2].status = SOURCE_TEMP;
		net.v[1 - i % 2].status = SOURCE_NONE;
		ck_assert_int_eq(
		    weigh(&far, "lab.example", NULL, STORE_IN, &run, false), i < 2 ? TRUST_UNSURE : TRUST_BAD);
	}
	testcert_free(&far);
	testcert_free(&middle);
}
END_TEST

/* The fetches were used up by others: the same. */
START_TEST(fetches_spent)
{
	struct testcert middle = testcert_ca("middle", &root);
	struct testcert far = far_of(&middle, "caIssuers;URI:http://ca.example/middle");
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	struct address who = {.domain = "lab.example"};
	unsigned fetches = 0;
	struct judge_weighing q = {
	    .who = &who, .use = CERT_TO_ENCRYPT, .dir = STORE_OUT, .run = &run, .fetches = &fetches, .now = now};
	enum trust_result r;
	struct judge_cert *k;

	judge_fixture_partner(&fx, "lab.example", "seal", "prefer");
	anchor("*", "", STORE_BOTH);
	testrevoke_put(&net, "http://ca.example/middle", OPENSSL_memdup(middle.der, middle.n), middle.n);
	judge_cache_begin(fx.w.cache, fx.s);
	k = judge_cache_cert(fx.w.cache, far.der, far.n, NULL);
	ck_assert_int_eq(judge_weigh(fx.w.cache, fx.s, k, &q, &r, why, sizeof why, &pr), 0);
	ck_assert_int_eq(r, TRUST_UNSURE);
	q.dir = STORE_IN;
	ck_assert_int_eq(judge_weigh(fx.w.cache, fx.s, k, &q, &r, why, sizeof why, &pr), 0);
	ck_assert_int_eq(r, TRUST_BAD);
	judge_cert_drop(k);
	ck_assert_int_eq(weigh(&far, "lab.example", NULL, STORE_OUT, &run, false), TRUST_GOOD); /* nothing was kept */
	testcert_free(&far);
	testcert_free(&middle);
}
END_TEST

/* The work was used up by others: outgoing mail waits, what came in is bad as it brings the same each time. */
START_TEST(work_spent)
{
	struct address who = {.domain = "lab.example"};
	unsigned work = 0;
	struct judge_weighing q = {.who = &who, .use = CERT_TO_ENCRYPT, .dir = STORE_OUT, .work = &work, .now = now};
	enum trust_result r;
	struct judge_cert *k;

	anchor("*", "", STORE_BOTH);
	judge_cache_begin(fx.w.cache, fx.s);
	k = judge_cache_cert(fx.w.cache, lab.der, lab.n, NULL);
	ck_assert_int_eq(judge_weigh(fx.w.cache, fx.s, k, &q, &r, why, sizeof why, &pr), 0);
	ck_assert_int_eq(r, TRUST_UNSURE);
	ck_assert_msg(strstr(why, "uncertain") != NULL, "%s", why);
	q.dir = STORE_IN;
	ck_assert_int_eq(judge_weigh(fx.w.cache, fx.s, k, &q, &r, why, sizeof why, &pr), 0);
	ck_assert_int_eq(r, TRUST_BAD);
	judge_cert_drop(k);
	ck_assert_int_eq(weigh(&lab, "lab.example", NULL, STORE_OUT, NULL, false), TRUST_GOOD); /* nothing was kept */
}
END_TEST

/* The store has it not: only that it is used. */
static void of_the_network(void)
{
	struct store_believed_key k = {.owner = "lab.example", .use = CERT_TO_ENCRYPT, .local = ""};
	struct store_believed b = {.reason = TRUST_BY_ANCHOR};
	struct cert_facts f;

	cert_facts(lab.x, &f);
	memcpy(b.sha256, f.sha256, sizeof b.sha256);
	ck_assert_int_eq(store_believed_put(fx.s, &k, &b, "test", NULL, NULL, &pr), 0);
	ck_assert_int_eq(judge_expiry_note(fx.s, "lab.example", &f, f.not_after - 40 * 86400, &pr), 0);
	ck_assert_int_eq(judge_expiry_note(fx.s, "lab.example", &f, f.not_after - 40 * 86400, &pr), 0);
}

/* A statement that is not renewed. */
static void of_statement(void)
{
	static uint8_t octets[] = "the SignedData";
	struct store_statement *st = store_statement_new("lab.example");

	st->established = 1;
	st->trusted.der = octets;
	st->trusted.der_len = sizeof octets;
	st->trusted.content = octets;
	st->trusted.content_len = sizeof octets;
	(void)snprintf(st->trusted.id, sizeof st->trusted.id, "0123456789012345678901234567890123456789abc");
	st->trusted.expires = TESTCERT_UNTIL;
	st->trusted.issued = TESTCERT_UNTIL - INT64_C(300) * 86400;
	ck_assert_msg(store_statement_save(fx.s, st, "test", NULL, NULL, &pr) == 0, "%s", pr.text);
	st->trusted.der = st->trusted.content = NULL;
	store_statements_free(st, 1);
}

/* Once for each step, across restarts; of one in the store, of one that only the network has, of a statement. */
START_TEST(warnings)
{
	static const struct {
		int days, lines;
	} steps[] = {
	    {70, 0}, {59, 1}, {45, 0}, {30, 1}, {29, 0}, {14, 1}, {7, 1}, {2, 0}, {1, 1}, {0, 0}, {-1, 1}, {-9, 0}};
	int64_t end = TESTCERT_UNTIL;

	if (_i == 0)
		judge_fixture_cert(&fx, "lab.example", &lab, false);
	else if (_i == 1)
		of_the_network();
	else
		of_statement();
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		int64_t at = end - (int64_t)steps[i].days * 86400;

		ck_assert_msg(
		    judge_expiry_warn(fx.w.cache, fx.s, at, &pr) == steps[i].lines, "%d days", steps[i].days);
		ck_assert_int_eq(judge_expiry_warn(fx.w.cache, fx.s, at, &pr), 0);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_weigh");
	TCase *t = tcase_create("judge_weigh");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, which_count, 0, (int)(sizeof scopes / sizeof *scopes));
	tcase_add_test(t, strongest_reason);
	tcase_add_test(t, revocation);
	tcase_add_test(t, hard_and_soft);
	tcase_add_test(t, issuer_away);
	tcase_add_test(t, issuer_outages);
	tcase_add_test(t, issuers_in_turn);
	tcase_add_test(t, fetches_spent);
	tcase_add_test(t, work_spent);
	tcase_add_loop_test(t, warnings, 0, 3);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
