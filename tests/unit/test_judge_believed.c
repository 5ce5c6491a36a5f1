/* A certificate that would take the place of another: by as good a reason, by a weaker one, listed or not. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_believed.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static struct judge_fixture fx;
static struct store_believed_key key = {"lab.example", CERT_TO_ENCRYPT, "hospital.example"};
static struct problem pr;

static void setup(void)
{
	judge_fixture_start(&fx);
	key.local = "hospital.example";
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
    {"aa", "bb", TRUST_BY_DANE, TRUST_BY_WEBPKI, true, TRUST_CHANGE_WAITS},
    {"aa", "bb", TRUST_BY_ANCHOR, TRUST_BY_WEBPKI, true, TRUST_CHANGE_WAITS},
    {"aa", "bb", TRUST_BY_PIN, TRUST_BY_WEBPKI, false, TRUST_CHANGE_ALARM},
    {"aa", "bb", TRUST_BY_WEBPKI, TRUST_BY_FIRST_CONTACT, true, TRUST_CHANGE_WAITS},
    {"aa", "bb", TRUST_BY_WEBPKI, TRUST_BY_WEBPKI, true, TRUST_CHANGE_FINE},
    {"aa", "bb", TRUST_BY_WEBPKI, TRUST_BY_DANE, true, TRUST_CHANGE_FINE},
    {"aa", "bb", TRUST_BY_FIRST_CONTACT, TRUST_BY_ANCHOR, true, TRUST_CHANGE_FINE},
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

	ck_assert_int_eq(judge_believed_ask(fx.s, &key, sha256, r, listed, &change, why, sizeof why, &pr), 0);
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
	ck_assert_int_eq(judge_believed_used(fx.s, &key, sha256, r, 100, &pr), 0);
}

static void waits(const char *sha256, enum trust_reason r)
{
	ck_assert_int_eq(judge_believed_waits(fx.s, &key, sha256, r, 100, &pr), 0);
}

static int accept_it(const char *sha256)
{
	char whole[CERT_HASH_TEXT];
	int rc = judge_believed_accept(fx.s, "lab.example", NULL, sha256, 200, "root", whole, &pr);

	ck_assert(rc < 0 || strncmp(whole, sha256, strlen(sha256)) == 0);
	return rc;
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

/* Two domains of ours with anchors of their own: what one of them believes is nothing to the other. */
START_TEST(each_domain_of_ours)
{
	struct store_waiting *list;
	uint64_t v;
	size_t n;

	used("aaaaaaaa11", TRUST_BY_PARTNER);
	key.local = "second.example";
	used("bbbbbbbb22", TRUST_BY_ANCHOR);
	v = store_version(fx.s);
	for (int i = 0; i < 3; i++) {
		key.local = "hospital.example";
		ck_assert_int_eq(ask("aaaaaaaa11", TRUST_BY_PARTNER, true), TRUST_CHANGE_NONE);
		used("aaaaaaaa11", TRUST_BY_PARTNER);
		key.local = "second.example";
		ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_ANCHOR, true), TRUST_CHANGE_NONE);
		used("bbbbbbbb22", TRUST_BY_ANCHOR);
	}
	ck_assert(store_version(fx.s) == v); /* what changes nothing writes nothing */
	ck_assert_int_eq(rows(), 0);

	waits("cccccccc33", TRUST_BY_DANE);
	key.local = "hospital.example";
	waits("cccccccc33", TRUST_BY_ANCHOR);
	ck_assert_int_eq(store_believed_waiting(fx.s, NULL, &list, &n, &pr), 0);
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(list[0].local, "hospital.example");
	ck_assert_str_eq(list[1].local, "second.example");
	store_waiting_free(list, n);
	ck_assert_int_eq(accept_it("cccccccc"), 0);
	ck_assert_int_eq(ask("cccccccc33", TRUST_BY_ANCHOR, true), TRUST_CHANGE_NONE);
	key.local = "second.example";
	ck_assert_int_eq(ask("cccccccc33", TRUST_BY_DANE, true), TRUST_CHANGE_NONE);
}
END_TEST

/* What waited for all of ours waits no more once a domain has a row of its own. */
START_TEST(common_row)
{
	struct store_waiting *list;
	size_t n;

	key.local = "";
	used("aaaaaaaa11", TRUST_BY_PIN);
	waits("bbbbbbbb22", TRUST_BY_ANCHOR);
	key.local = "second.example";
	waits("cccccccc33", TRUST_BY_ANCHOR);
	ck_assert_int_eq(store_believed_waiting(fx.s, NULL, &list, &n, &pr), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].local, "second.example");
	store_waiting_free(list, n);
}
END_TEST

START_TEST(accepted_for_one_domain)
{
	char whole[CERT_HASH_TEXT];

	used("aaaaaaaa11", TRUST_BY_PARTNER);
	waits("cccccccc33", TRUST_BY_ANCHOR);
	key.local = "second.example";
	used("aaaaaaaa11", TRUST_BY_PARTNER);
	waits("cccccccc44", TRUST_BY_ANCHOR);
	ck_assert_int_eq(accept_it("cccccccc"), -1); /* two begin so */
	ck_assert_msg(strstr(pr.text, "more digits") != NULL, "%s", pr.text);
	ck_assert_int_eq(
	    judge_believed_accept(fx.s, "lab.example", "second.example", "cccccccc", 200, "root", whole, &pr), 0);
	ck_assert_str_eq(whole, "cccccccc44");
	ck_assert_int_eq(ask("cccccccc44", TRUST_BY_ANCHOR, true), TRUST_CHANGE_NONE);
	key.local = "hospital.example";
	ck_assert_int_eq(ask("cccccccc33", TRUST_BY_ANCHOR, true), TRUST_CHANGE_WAITS);
}
END_TEST

/* What was known before our domains were told apart counts for each of them that has nothing of its own. */
START_TEST(known_of_old)
{
	key.local = "";
	used("aaaaaaaa11", TRUST_BY_PARTNER);
	key.local = "second.example";
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_ANCHOR, true), TRUST_CHANGE_WAITS);
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_PIN, true), TRUST_CHANGE_FINE);
	used("bbbbbbbb22", TRUST_BY_PIN);
	key.local = "hospital.example";
	ck_assert_int_eq(ask("aaaaaaaa11", TRUST_BY_PARTNER, true), TRUST_CHANGE_NONE);
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_ANCHOR, true), TRUST_CHANGE_WAITS);
}
END_TEST

/* A weaker reason for the same certificate does not prepare the way for another by that reason. */
START_TEST(a_reason_is_not_lowered)
{
	uint64_t v;

	used("aaaaaaaa11", TRUST_BY_PARTNER);
	v = store_version(fx.s);
	used("aaaaaaaa11", TRUST_BY_DANE);
	ck_assert(store_version(fx.s) == v);
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_DANE, true), TRUST_CHANGE_WAITS);
	used("aaaaaaaa11", TRUST_BY_PIN);
	ck_assert_int_eq(ask("bbbbbbbb22", TRUST_BY_PARTNER, true), TRUST_CHANGE_WAITS);
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
	tcase_add_test(t, each_domain_of_ours);
	tcase_add_test(t, accepted_for_one_domain);
	tcase_add_test(t, common_row);
	tcase_add_test(t, known_of_old);
	tcase_add_test(t, a_reason_is_not_lowered);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
