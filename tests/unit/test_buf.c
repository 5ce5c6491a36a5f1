/* buf.c: growth, the maximum, what is left behind. */
#include "gateway/base/buf.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(test_empty)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_ptr_null(b.p);
	ck_assert_int_eq(buf_add(&b, NULL, 0), 0);
	ck_assert_ptr_null(b.p);
	buf_reset(&b);
	buf_drop(&b, 0);
	buf_clear(&b);
}
END_TEST

START_TEST(test_append)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(buf_adds(&b, "ab"), 0);
	ck_assert_int_eq(buf_addc(&b, 'c'), 0);
	ck_assert_int_eq(buf_addf(&b, "%d-%s", 42, "x"), 0);
	ck_assert_int_eq(buf_add(&b, "\0z", 2), 0);
	ck_assert_uint_eq(b.len, 9);
	ck_assert_mem_eq(b.p, "abc42-x\0z", 10); /* with the NUL behind */
	buf_drop(&b, 3);
	ck_assert_mem_eq(b.p, "42-x\0z", 7);
	ck_assert_mem_eq(b.p + 6, "\0\0\0\0", 4); /* what moved away is wiped */
	buf_reset(&b);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_str_eq(buf_str(&b), "");
	ck_assert_mem_eq(b.p, "\0\0\0\0\0\0", 6);
	buf_clear(&b);
	ck_assert_ptr_null(b.p);
	ck_assert_int_eq(buf_adds(&b, "again"), 0);
	buf_clear(&b);
}
END_TEST

/* At every maximum around the first block: up to it all is taken, past it nothing is, and what was there stays. */
START_TEST(test_maximum)
{
	struct buf b;
	char big[600];

	memset(big, 'x', sizeof big);
	for (size_t max = 0; max < 520; max++) {
		buf_init(&b, max);
		for (size_t i = 0; i < max; i++)
			ck_assert_int_eq(buf_addc(&b, 'x'), 0);
		ck_assert_uint_eq(b.len, max);
		ck_assert_int_eq(buf_addc(&b, 'y'), -1);
		ck_assert_int_eq(buf_add(&b, big, 1), -1);
		ck_assert_int_eq(buf_addf(&b, "%s", "y"), -1);
		ck_assert_ptr_null(buf_room(&b, 1));
		ck_assert_ptr_null(buf_room(&b, SIZE_MAX));
		ck_assert_uint_eq(b.len, max);
		ck_assert_uint_le(b.cap, max + 1);
		ck_assert_int_eq(strlen(buf_str(&b)), (long)max);
		buf_clear(&b);
		ck_assert_int_eq(buf_add(&b, big, max + 1), -1);
		ck_assert_int_eq(buf_add(&b, big, max), 0);
		ck_assert_int_eq(buf_addf(&b, "%s", ""), 0);
		buf_clear(&b);
	}
}
END_TEST

START_TEST(test_room)
{
	struct buf b;

	buf_init(&b, 100000);

	uint8_t *p = buf_room(&b, 70000);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq(b.len, 0);
	memset(p, 'a', 70000);
	buf_added(&b, 5);
	ck_assert_str_eq(buf_str(&b), "aaaaa");
	ck_assert_ptr_eq(buf_room(&b, 10), b.p + 5);
	ck_assert_int_eq(buf_add(&b, "bc", 2), 0);
	ck_assert_str_eq(buf_str(&b), "aaaaabc");
	buf_clear(&b);
}
END_TEST

START_TEST(test_added_too_many)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert_ptr_nonnull(buf_room(&b, 4));
	buf_added(&b, 11); /* a bug of the caller: aborts */
}
END_TEST

START_TEST(test_drop_too_many)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert_int_eq(buf_adds(&b, "abc"), 0);
	buf_drop(&b, 4);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("buf");
	TCase *t = tcase_create("buf");

	tcase_add_test(t, test_empty);
	tcase_add_test(t, test_append);
	tcase_add_test(t, test_maximum);
	tcase_add_test(t, test_room);
	tcase_add_test_raise_signal(t, test_added_too_many, 6);
	tcase_add_test_raise_signal(t, test_drop_too_many, 6);
	suite_add_tcase(s, t);
	return suite_run(s);
}
