/* The steps of one question: order, bounds, again from the start. */
#include "certstore/trace.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(steps_in_order)
{
	struct trace t = {0};
	struct trace_step *s = trace_add(&t, "dns CERT", "%s CERT", "lab.example");

	ck_assert_str_eq(s->place, "dns CERT");
	ck_assert_str_eq(s->query, "lab.example CERT");
	ck_assert(s->answer[0] == '\0' && s->dnssec[0] == '\0' && !s->pending && s->age_s == 0);
	ck_assert_ptr_nonnull(trace_add(&t, "ldap", "x"));
	ck_assert_uint_eq(t.n, 2);
	ck_assert_str_eq(t.v[0].place, "dns CERT");
	ck_assert_str_eq(t.v[1].place, "ldap");
	trace_clear(&t);
	ck_assert(t.v == NULL && t.n == 0);
}
END_TEST

START_TEST(bounded)
{
	struct trace t = {0};

	for (int i = 0; i < TRACE_STEPS_MAX; i++)
		ck_assert_ptr_nonnull(trace_add(&t, "p", "%d", i));
	ck_assert(!t.more);
	ck_assert_ptr_null(trace_add(&t, "p", "one too many"));
	ck_assert(t.more && t.n == TRACE_STEPS_MAX);
	ck_assert_str_eq(t.v[TRACE_STEPS_MAX - 1].query, "399");
	trace_clear(&t);
	ck_assert_ptr_null(trace_add(NULL, "p", "nobody looks"));
}
END_TEST

START_TEST(again)
{
	struct trace t = {0};
	struct trace_step *s = trace_add(&t, "dns", "a");

	s->pending = true;
	s->took_ms = 7;
	trace_restart(&t);
	ck_assert_uint_eq(t.n, 0);
	s = trace_add(&t, "dns", "a");
	ck_assert(!s->pending && s->took_ms == 0 && t.n == 1);
	trace_clear(&t);
}
END_TEST

START_TEST(long_words_are_cut)
{
	struct trace t = {0};
	char big[2000];
	struct trace_step *s;

	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	s = trace_add(&t, big, "%s", big);
	ck_assert_uint_eq(strlen(s->place), sizeof s->place - 1);
	ck_assert_uint_eq(strlen(s->query), sizeof s->query - 1);
	trace_clear(&t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("trace");
	TCase *c = tcase_create("steps");

	tcase_add_test(c, steps_in_order);
	tcase_add_test(c, bounded);
	tcase_add_test(c, again);
	tcase_add_test(c, long_words_are_cut);
	suite_add_tcase(s, c);
	return suite_run(s);
}
