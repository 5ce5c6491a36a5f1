/* Wrapping of data keys: round trip, every octet damaged, another keeper's. */
#include "gateway/keys/keeper_wrap.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const uint8_t queue[32] = "the queue's own key, 32 octets.";
static const uint8_t key[32] = "the data key of a message here.";

START_TEST(round_trip)
{
	uint8_t back[32];
	struct problem pr = {0};
	struct buf a, b;

	buf_init(&a, KEYS_WRAPPED_MAX);
	buf_init(&b, KEYS_WRAPPED_MAX);
	ck_assert_int_eq(keeper_wrap(queue, key, &a, &pr), 0);
	ck_assert_int_eq(keeper_wrap(queue, key, &b, &pr), 0);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_ne(a.p, b.p, a.len);
	ck_assert_int_eq(keeper_wrap_open(queue, a.p, a.len, back, &pr), 0);
	ck_assert_mem_eq(back, key, 32);
	ck_assert_int_eq(keeper_wrap_open(queue, b.p, b.len, back, &pr), 0);
	ck_assert_mem_eq(back, key, 32);
	buf_clear(&a);
	buf_clear(&b);
}
END_TEST

START_TEST(damaged)
{
	uint8_t back[32] = {0}, other[32];
	struct problem pr = {0};
	struct buf a;

	buf_init(&a, KEYS_WRAPPED_MAX);
	ck_assert_int_eq(keeper_wrap(queue, key, &a, &pr), 0);
	for (size_t i = 0; i < a.len; i++) {
		a.p[i] ^= 1;
		ck_assert_int_eq(keeper_wrap_open(queue, a.p, a.len, back, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_mem_ne(back, key, 32);
		a.p[i] ^= 1;
		ck_assert_int_eq(keeper_wrap_open(queue, a.p, i, back, &pr), -1);
	}
	memcpy(other, queue, 32);
	other[31] ^= 1;
	ck_assert_int_eq(keeper_wrap_open(other, a.p, a.len, back, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "another keeper"));
	buf_clear(&a);
	buf_init(&a, 20);
	ck_assert_int_eq(keeper_wrap(queue, key, &a, &pr), -1);
	buf_clear(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper_wrap");
	TCase *t = tcase_create("all");

	tcase_add_test(t, round_trip);
	tcase_add_test(t, damaged);
	suite_add_tcase(s, t);
	return suite_run(s);
}
