/* A certificate that would take the place of another: by as good a reason, by a weaker one, listed or not. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_believed.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static struct judge_fixture fx;
static struct problem pr;

static void setup(void)
{
	judge_fixture_start(&fx);
}

static void teardown(void)
{
	judge_fixture_end(&fx);
}

static const struct {
	const char *known, *next;
	enum trust_reason before, after;
	bool listed;
	enum trust_change want;
} cases[] = {
    {"", "bb", TRUST_BY_NOTHING, TRUST_BY_DANE, true, TRUST_CHANGE_NONE},
    {"aa", "aa", TRUST_BY_PIN, TRUST_BY_ANCHOR, true, TRUST_CHANGE_NONE},
    {"aa", "bb", TRUST_BY_ANCHOR, TRUST_BY_ANCHOR, true, TRUST_CHANGE_FINE},
    {"aa", "bb", TRUST_BY_ANCHOR, TRUST_BY_PIN, true, TRUST_CHANGE_FINE},
    {"aa", "bb", TRUST_BY_PIN, TRUST_BY_PARTNER, true, TRUST_CHANGE_WAITS},
    {"aa", "bb", TRUST_BY_PARTNER, TRUST_BY_GROUP, true, TRUST_CHANGE_WAITS},
    {"aa", "bb", TRUST_BY_GROUP, TRUST_BY_ANCHOR, true, TRUST_CHANGE_WAITS},
    {"aa", "bb", TRUST_BY_ANCHOR, TRUST_BY_DANE, true, TRUST_CHANGE_WAITS},
    {"aa", "bb", TRUST_BY_PIN, TRUST_BY_DANE, false, TRUST_CHANGE_ALARM},
};

START_TEST(table)
{
	struct trust_known k = {.reason = cases[_i].before};

	memcpy(k.sha256, cases[_i].known, strlen(cases[_i].known) + 1);
	ck_assert_int_eq(trust_change(&k, cases[_i].next, cases[_i].after, cases[_i].listed), cases[_i].want);
}
END_TEST

static enum trust_change ask(const char *sha256, enum trust_reason r, bool listed)
{
	enum trust_change change = TRUST_CHANGE_NONE;
	char why[400] = "";

	ck_assert_int_eq(judge_believed_ask(
			     fx.s, "lab.example", CERT_TO_ENCRYPT, sha256, r, listed, &change, why, sizeof why, &pr),
	    0);
	ck_assert((change == TRUST_CHANGE_WAITS) == (strstr(why, "postern cert accept lab.example") != NULL));
	return change;
}

static int64_t rows(void)
{
	struct store_counts n;

	ck_assert_int_eq(store_count(fx.s, &n, &pr), 0);
	return n.audit;
}

static void used(const char *sha256, enum trust_reason r)
{
	ck_assert_int_eq(judge_believed_used(fx.s, "lab.example", CERT_TO_ENCRYPT, sha256, r, 100, &pr), 0);
}

static void waits(const char *sha256, enum trust_reason r)
{
	ck_assert_int_eq(judge_believed_waits(fx.s, "lab.example", CERT_TO_ENCRYPT, sha256, r, 100, &pr), 0);
}

static int accept_it(const char *sha256)
{
	return judge_believed_accept(fx.s, "lab.example", CERT_TO_ENCRYPT, sha256, 200, "root", &pr);
}

/* What was used is what counts next; what waits is told once, and is good once the admin says so. */
START_TEST(waits_for_the_admin)
{
	int64_t before;

	used("aaaaaaaa11", TRUST_BY_PARTNER);
	used("aaaaaaaa11", TRUST_BY_PARTNER);
	ck_assert_int_eq(rows(), 0); /* the first is no change */
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_ANCHOR, true), TRUST_CHANGE_WAITS);
	ck_assert_int_eq(accept_it("bbbbbbbb"), -1); /* nothing waits yet */
	waits("bbbbbbbb22", TRUST_BY_ANCHOR);
	before = rows();
	waits("bbbbbbbb22", TRUST_BY_ANCHOR);
	ck_assert_int_eq(rows(), before);
	ck_assert_int_eq(accept_it("cccccccc"), -1);
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_ANCHOR, true), TRUST_CHANGE_WAITS);
	ck_assert_int_eq(accept_it("bbbbbbbb"), 0);
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_ANCHOR, true), TRUST_CHANGE_NONE);
	ck_assert_int_eq(ask("aaaaaaaa11", TRUST_BY_PARTNER, true), TRUST_CHANGE_FINE);
	ck_assert_int_eq(store_audit_verify(fx.s, &pr), 0);
}
END_TEST

START_TEST(unlisted)
{
	used("aaaaaaaa11", TRUST_BY_PIN);
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_DANE, false), TRUST_CHANGE_ALARM);
	used("bbbbbbbb22", TRUST_BY_DANE);
	ck_assert_int_eq(rows(), 1);
	ck_assert_int_eq(ask("cccccccc33", TRUST_BY_DANE, true), TRUST_CHANGE_FINE);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_believed");
	TCase *t = tcase_create("judge_believed");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, table, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(t, waits_for_the_admin);
	tcase_add_test(t, unlisted);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
