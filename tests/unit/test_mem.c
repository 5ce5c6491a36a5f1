/* mem.c */
#include "gateway/base/mem.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(test_new)
{
	char zero[1000] = {0};
	char *p = mem_new(1000), *none = mem_new(0);

	ck_assert_mem_eq(p, zero, 1000);
	ck_assert_ptr_nonnull(none);
	p = mem_resize(p, 2000);
	ck_assert_mem_eq(p, zero, 1000);
	free(p);
	free(none);
}
END_TEST

START_TEST(test_copies)
{
	char *s = mem_str("text"), *d = mem_dup("a\0b", 3), *e = mem_dup(NULL, 0);

	ck_assert_str_eq(s, "text");
	ck_assert_mem_eq(d, "a\0b\0", 4);
	ck_assert_str_eq(e, "");
	free(s);
	free(d);
	free(e);
}
END_TEST

START_TEST(test_wipe)
{
	char secret[] = "secret";

	mem_wipe(secret, 3);
	ck_assert_mem_eq(secret, "\0\0\0ret", 7);
	mem_wipe(NULL, 0);
	mem_free_secret(NULL, 10);
	mem_free_secret(mem_str("x"), 1);
}
END_TEST

START_TEST(test_copy_str)
{
	char dst[5] = "old";

	ck_assert_int_eq(mem_copy_str(dst, sizeof dst, "four"), 0);
	ck_assert_str_eq(dst, "four");
	ck_assert_int_eq(mem_copy_str(dst, sizeof dst, "fives"), -1);
	ck_assert_str_eq(dst, "");
	ck_assert_int_eq(mem_copy_str(dst, 1, ""), 0);
	ck_assert_int_eq(mem_copy_str(dst, 1, "x"), -1);
}
END_TEST

/* ASan would otherwise end the process itself. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

/* 75: the parent starts such a process again. */
START_TEST(test_out_of_memory)
{
	volatile size_t much = SIZE_MAX / 2;
	void *volatile p = mem_new(much);

	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mem");
	TCase *t = tcase_create("mem");

	tcase_add_test(t, test_new);
	tcase_add_test(t, test_copies);
	tcase_add_test(t, test_wipe);
	tcase_add_test(t, test_copy_str);
	tcase_add_exit_test(t, test_out_of_memory, 75);
	suite_add_tcase(s, t);
	return suite_run(s);
}
