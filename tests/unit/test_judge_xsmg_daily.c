/*
 * What a trusted statement rests on, looked at again each day: as long as it holds nothing changes; when it ends the
 * statement waits for the admin and nothing is encrypted to what it gave.
 */
#include "gateway/proc/judge_xsmg_daily.h"

#include <check.h>
#include <time.h>

#include "gateway/proc/judge_resolve.h"

/* before the fixture, whose names it would shadow */
#include "tests/unit/testrevoke.h"

#include "tests/unit/judge_xsmg_fixture.h"
#include "tests/unit/park_fixture.h"
#include "tests/unit/suite.h"

static struct testcert root, middle;
static struct source_run *run;
static uint8_t *lists[8]; /* until the test ends */
static size_t nlists;

static void weigh_at(int64_t now)
{
	run = source_fixture_run(&net, now);
	ck_assert_msg(judge_xsmg_daily_weigh(&j.w, j.s, run, "lab.example", now, &pr) == 0, "%s", pr.text);
}

/* Mail waits; none goes in the clear. */
static void put_off(int day)
{
	struct judge_resolve rq = {.sender = "a@hospital.example", .recipient = "b@lab.example"};
	struct arena *arena = arena_new(1 << 20);
	struct judge_verdict v;

	ck_assert_msg(judge_resolve(j.s, &j.w, NULL, &rq, DAYS(day), arena, &v) == 0, "%s", v.pr.text);
	ck_assert_msg(v.treatment == POLICY_SEAL && v.certs == POLICY_CERTS_UNCERTAIN && v.nrcpt_certs == 0, "%s: %s",
	    v.rule, v.cert_why);
	arena_free(arena);
}

static void waits(int day)
{
	char why[400];

	ck_assert_int_eq(seals_to(day), -1);
	ck_assert(judge_xsmg_use_waits(owner(), why, sizeof why));
	put_off(day);
	judge_fixture_partner(&j, "lab.example", "clear", "prefer");
	put_off(day);
	ck_assert(store_partner_remove(j.s, "lab.example", "root", &pr) == 0);
	ck_assert_ptr_null(owner()->statement->trusted.der);
}

static struct testcert under(const struct testcert *ca, const char *cn, const char *crl)
{
	return testcert_make(&(struct testcert_spec){.cn = cn,
	    .san = "DNS:lab.example",
	    .crl = crl,
	    .issuer = ca->x,
	    .issuer_key = ca->key,
	    .until = DAYS(310),
	    .ski = true});
}

static void issued_by(enum who w, const struct testcert *ca, const char *crl)
{
	testcert_free(&people[w]);
	people[w] = under(ca, w == MAIL ? "mail" : "gateway", crl);
}

static void set_up(void)
{
	setup();
	root = testcert_ca("root", NULL);
	middle = testcert_ca("middle", &root);
	believe(REVOKE_SOFT);
}

static void tear_down(void)
{
	testcert_free(&root);
	testcert_free(&middle);
	while (nlists > 0)
		OPENSSL_free(lists[--nlists]);
	teardown();
}

/* From day 0 on. */
static void anchored(const char *crl)
{
	issued_by(KEY_A, &root, crl);
	issued_by(MAIL, &root, NULL);
	judge_fixture_anchor(&j, "lab.example", STORE_BOTH, &root);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_ANCHORED);
}

START_TEST(anchor_removed)
{
	anchored(NULL);
	weigh_at(DAYS(1));
	ck_assert_int_eq(seals_to(1), MAIL);
	ck_assert_int_eq(owner()->statement->weighed, DAYS(1));
	ck_assert(store_anchor_remove(j.s, "lab.example", "", root.sha256, "root", &pr) == 0);
	weigh_at(DAYS(2));
	waits(2);
	ck_assert_str_eq(owner()->statement->waiting.key, key_hex(KEY_A));
	ck_assert_uint_eq(audited("statement.distrust"), 1);
	/* what reaches the level again is believed again; less is not */
	ACTION(come(SAID(3, .by = KEY_A)), XSMG_DO_PENDING);
	judge_fixture_anchor(&j, "lab.example", STORE_BOTH, &root);
	ACTION(come(SAID(4, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert_int_eq(seals_to(4), MAIL);
}
END_TEST

START_TEST(ran_out)
{
	anchored(NULL);
	weigh_at(DAYS(250));
	ck_assert_int_eq(seals_to(250), MAIL);
	weigh_at(DAYS(311));
	waits(311);
}
END_TEST

static void list(const char *url, const struct testcert *ca, const struct testcert *revoked, int64_t at)
{
	struct testrevoke_list l = {.ca = ca, .revoked = {revoked}, .from = at - 3600, .to = at + 3600};
	size_t n;
	uint8_t *der = lists[nlists++] = testrevoke_crl(&l, &n);

	source_answer_set(source_fixture_at(&net, url), SOURCE_FOUND, "found");
	source_fixture_at(&net, url)->n = 0;
	source_fixture_item(&net, url, "", der, n);
}

START_TEST(own_revoked)
{
	anchored("URI:" CRL);
	list(CRL, &root, NULL, DAYS(1));
	weigh_at(DAYS(1));
	ck_assert_int_eq(seals_to(1), MAIL);
	list(CRL, &root, &people[KEY_A], DAYS(3));
	weigh_at(DAYS(3));
	waits(3);
	ck_assert_uint_eq(audited("statement.bad-key"), 1);
	ACTION(come(SAID(4, .by = KEY_A)), XSMG_DO_REFUSE);
}
END_TEST

/* What cannot be told ends no belief, and is asked again after an hour. */
START_TEST(cannot_be_told)
{
	anchored("URI:" CRL);
	source_fixture_temp(&net, CRL, SOURCE_UNSIGNED);
	believe(REVOKE_HARD);
	weigh_at(DAYS(1));
	ck_assert_int_eq(seals_to(1), MAIL);
	ck_assert_int_eq(owner()->statement->weighed, DAYS(0) + 3600);
	ck_assert_uint_eq(audited("statement.bad-key") + audited("statement.distrust"), 0);
}
END_TEST

/* The key that the trusted one is believed through, by an authority that counts for all; nobody shows it again. */
START_TEST(through_revoked)
{
	certified(KEY_A, &middle, "DNS:lab.example", "URI:" CRL, NULL);
	judge_fixture_anchor(&j, "*", STORE_BOTH, &root);
	list(CRL, &middle, NULL, DAYS(0));
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B, .ca = &middle)), XSMG_DO_TRUST);
	ck_assert_int_eq(owner()->statement->established, XSMG_WEBPKI);
	list(CRL, &middle, NULL, DAYS(8));
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .get = true, .where = "mx")), XSMG_DO_TRUST);
	ck_assert_str_eq(owner()->statement->through, key_hex(KEY_A));
	list(CRL, &middle, NULL, DAYS(9));
	weigh_at(DAYS(9));
	ck_assert_int_eq(seals_to(9), MAIL);
	list(CRL, &middle, &people[KEY_A], DAYS(10));
	weigh_at(DAYS(10));
	waits(10);
	ck_assert_str_eq(owner()->statement->waiting.key, key_hex(KEY_B));
	ck_assert_uint_eq(audited("statement.bad-key"), 1);
}
END_TEST

/* An old key that nothing is believed through any more may go bad without harm; that it ran out is no harm either. */
START_TEST(through_ran_out)
{
	testcert_free(&people[KEY_A]);
	people[KEY_A] = under(&root, "gateway", NULL);
	ACTION(come(SAID(0, .by = KEY_A, .announce = KEY_B)), XSMG_DO_TRUST);
	ACTION(come(SAID(8, .by = KEY_B, .also = KEY_A, .get = true, .where = "mx")), XSMG_DO_TRUST);
	weigh_at(DAYS(311));
	ck_assert_ptr_nonnull(owner()->statement->trusted.der);
}
END_TEST

/* A name that the admin allowed, and does no more. */
START_TEST(name_not_allowed)
{
	struct store_statement *st = store_statement_new("lab.example");

	free(st->local_parts);
	st->local_parts = strdup("gateway");
	ck_assert(store_statement_save(j.s, st, "root", "statement.set", "a test", &pr) == 0);
	store_statements_free(st, 1);
	testcert_free(&people[KEY_A]);
	people[KEY_A] = testcert_make(&(struct testcert_spec){.cn = "gateway", .san = "email:gateway@lab.example"});
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	weigh_at(DAYS(1));
	ck_assert_int_eq(seals_to(1), MAIL);
	ck_assert(store_statement_get(j.s, "lab.example", &st, &pr) == 0);
	st->local_parts[0] = 0;
	ck_assert(store_statement_save(j.s, st, "root", "statement.set", "a test", &pr) == 0);
	store_statements_free(st, 1);
	weigh_at(DAYS(2));
	waits(2);
}
END_TEST

static int nobody_there(void *ctx, uint32_t id, const struct source_ask *a)
{
	(void)ctx, (void)id, (void)a;
	return -1;
}

static void nothing(void)
{
}

/* Everybody is due at once, as when the gateway is new to it, and nothing waits for the network: others get their
 * turn between a few. */
START_TEST(few_at_a_time)
{
	static struct judge_xsmg_daily *d;
	static struct park_fixture p;
	static const uint8_t der[] = {0x30, 0};
	int all = 0, n;

	park_fixture_start(&p, nobody_there);
	for (int i = 0; i < 100; i++) {
		char domain[32];
		struct store_statement *st;

		(void)snprintf(domain, sizeof domain, "d%02d.example", i);
		st = store_statement_new(domain);
		st->waiting.der = malloc(sizeof der);
		st->waiting.der_len = sizeof der;
		memcpy(st->waiting.der, der, sizeof der);
		ck_assert(store_statement_save(j.s, st, "judge", NULL, NULL, &pr) == 0);
		store_statements_free(st, 1);
	}
	d = judge_xsmg_daily_new(p.loop, &j.w, j.s, p.park, nothing, nothing);
	for (int i = 0; i < 20; i++) {
		n = judge_xsmg_daily_look(d, time(NULL));
		ck_assert_int_le(n, 16);
		all += n;
	}
	ck_assert_int_eq(all, 100);
	park_fixture_end(&p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_daily");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, anchor_removed);
	tcase_add_test(tc, ran_out);
	tcase_add_test(tc, own_revoked);
	tcase_add_test(tc, cannot_be_told);
	tcase_add_test(tc, through_revoked);
	tcase_add_test(tc, through_ran_out);
	tcase_add_test(tc, name_not_allowed);
	tcase_add_test(tc, few_at_a_time);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
