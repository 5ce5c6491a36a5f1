/* The set of rows in delivery, against a plain array. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/queue/queue_active.h"

#include "tests/unit/suite.h"

START_TEST(test_against_array)
{
	enum { ROWS = 3000 };
	static bool in[ROWS];
	static int64_t all[ROWS];
	struct queue_active a;
	uint32_t x = 1 + (uint32_t)_i;
	size_t n = 0;

	memset(in, 0, sizeof in);
	queue_active_init(&a);
	ck_assert(!queue_active_has(&a, 5));
	ck_assert(!queue_active_remove(&a, 5));
	for (int i = 0; i < 50000; i++) {
		x = x * 1664525 + 1013904223;

		size_t k = (x >> 8) % ROWS;
		int64_t row = (int64_t)k << (_i ? 16 : 0) | 1; /* neighbours, or as rows of messages are */

		if (_i == 0)
			row = (int64_t)k + 1;
		if ((x >> 4) & 1) {
			ck_assert_int_eq(queue_active_add(&a, row), !in[k]);
			n += !in[k];
			in[k] = true;
		} else {
			ck_assert_int_eq(queue_active_remove(&a, row), in[k]);
			n -= in[k];
			in[k] = false;
		}
		ck_assert_uint_eq(a.n, n);
		if (i % 500)
			continue;
		for (size_t m = 0; m < ROWS; m++)
			ck_assert_int_eq(queue_active_has(&a, _i ? (int64_t)m << 16 | 1 : (int64_t)m + 1), in[m]);
		queue_active_all(&a, all);
	}
	queue_active_clear(&a);
	ck_assert_uint_eq(a.n, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_active");
	TCase *t = tcase_create("queue_active");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_against_array, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
