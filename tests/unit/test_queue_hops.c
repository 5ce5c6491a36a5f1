/* The table of next hops. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/queue/queue_hops.h"

START_TEST(test_first_and_next)
{
	struct queue_hops h;
	int64_t until;
	const char *skip[] = {"b", "unknown"};

	queue_hops_init(&h);
	ck_assert_int_eq(queue_hops_first(&h, 1000, &until), -1);
	ck_assert_int_eq(queue_hops_next(&h, 1000), INT64_MAX);
	queue_hops_lower(&h, "c", 300);
	queue_hops_lower(&h, "a", 200);
	queue_hops_lower(&h, "b", 100);
	queue_hops_lower(&h, "b", 150); /* later: no matter */
	queue_hops_lower(&h, "c", 250);
	ck_assert_uint_eq(h.n, 3);
	ck_assert_str_eq(h.v[0].name, "a");
	ck_assert_int_eq(queue_hops_first(&h, 99, &until), -1);
	ck_assert_int_eq(queue_hops_next(&h, 99), 100);
	ck_assert_int_eq(queue_hops_first(&h, 100, &until), 1);
	ck_assert_int_eq(until, 100);
	ck_assert_int_eq(queue_hops_first(&h, 1000, &until), 1);
	ck_assert_int_eq(until, 200);
	queue_hops_skip(&h, skip, 2);
	ck_assert_int_eq(queue_hops_first(&h, 1000, &until), 0);
	ck_assert_int_eq(until, 250);
	queue_hops_set(&h, 0, INT64_MAX);
	ck_assert_uint_eq(h.n, 2);
	ck_assert_int_eq(queue_hops_first(&h, 1000, &until), 1);
	ck_assert_str_eq(h.v[1].name, "c");
	ck_assert_int_eq(until, 1000);
	queue_hops_skip(&h, NULL, 0);
	ck_assert_int_eq(queue_hops_first(&h, 1000, &until), 0);
	queue_hops_set(&h, 0, 5000);
	ck_assert_int_eq(queue_hops_next(&h, 1000), 5000);
	queue_hops_clear(&h);
}
END_TEST

START_TEST(test_many)
{
	struct queue_hops h;
	char name[16];

	queue_hops_init(&h);
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(name, sizeof name, "%u", i * 7919 % 2000);
		queue_hops_lower(&h, name, i);
	}
	ck_assert_uint_eq(h.n, 2000);
	for (size_t i = 1; i < h.n; i++)
		ck_assert_str_lt(h.v[i - 1].name, h.v[i].name);
	while (h.n)
		queue_hops_set(&h, h.n / 2, INT64_MAX);
	queue_hops_clear(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_hops");
	TCase *t = tcase_create("queue_hops");

	tcase_add_test(t, test_first_and_next);
	tcase_add_test(t, test_many);
	suite_add_tcase(s, t);

	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);

	int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed ? 1 : 0;
}
