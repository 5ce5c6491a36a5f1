/* arena.c: alignment, zeroes, the bound. */
#include "gateway/base/arena.h"

#include <check.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(test_alloc)
{
	static const size_t sizes[] = {0, 1, 7, 8, 16, 17, 100, 900, 1000, 4000, 4096, 5000, 100000, 3};
	struct arena *a = arena_new(1000000);
	char *got[sizeof sizes / sizeof *sizes];

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		got[i] = arena_alloc(a, sizes[i]);
		ck_assert_ptr_nonnull(got[i]);
		ck_assert_uint_eq((uintptr_t)got[i] % alignof(max_align_t), 0);
		for (size_t k = 0; k < sizes[i]; k++)
			ck_assert_int_eq(got[i][k], 0);
		memset(got[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			ck_assert_int_eq(got[i][k], (int)i + 1);
	arena_free(a);
	arena_free(NULL);
}
END_TEST

START_TEST(test_bound)
{
	struct arena *a = arena_new(1000);
	size_t n = 0;

	ck_assert_ptr_null(arena_alloc(a, 1001));
	ck_assert_ptr_null(arena_alloc(a, SIZE_MAX));
	ck_assert_ptr_null(arena_alloc(a, SIZE_MAX - 8));
	ck_assert_ptr_null(arena_dup(a, "x", SIZE_MAX));
	ck_assert_uint_eq(arena_used(a), 0);
	while (arena_alloc(a, 10))
		n++;
	ck_assert_uint_eq(n, 1000 / 16);
	ck_assert_uint_le(arena_used(a), 1000);
	ck_assert_ptr_null(arena_str(a, "0123456789"));
	ck_assert_ptr_null(arena_printf(a, "%d", 123456789));
	arena_free(a);
}
END_TEST

START_TEST(test_text)
{
	struct arena *a = arena_new(10000);

	ck_assert_str_eq(arena_str(a, "text"), "text");
	ck_assert_mem_eq(arena_dup(a, "a\0b", 3), "a\0b\0", 4);
	ck_assert_str_eq(arena_dup(a, NULL, 0), "");
	ck_assert_str_eq(arena_printf(a, "%s-%d", "x", 7), "x-7");
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arena");
	TCase *t = tcase_create("arena");

	tcase_add_test(t, test_alloc);
	tcase_add_test(t, test_bound);
	tcase_add_test(t, test_text);
	suite_add_tcase(s, t);
	return suite_run(s);
}
