/* Permits: for what they were given, once, within their time, and nothing else. */
#include "gateway/proc/permit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { NOW = 1700000000 };
static json_t *args;

static void setup(void)
{
	uint8_t key[PERMIT_KEY];

	memset(key, 7, sizeof key);
	permit_key(key, sizeof key);
	args = json_pack("{s:s, s:i}", "id", "0KX3M9QZ41", "max", 3);
}

static void teardown(void)
{
	json_decref(args);
}

static int use(const char *permit, const char *verb, const char *who, int64_t now)
{
	const char *why;

	return permit_use(permit, PERMIT_ONCE, verb, args, who, now, &why);
}

START_TEST(once)
{
	char p[PERMIT_TEXT];
	json_t *other = json_pack("{s:i, s:s}", "max", 3, "id", "0KX3M9QZ41");
	const char *why;

	permit_give("queue.delete", args, "anna (session)", NOW, p);
	ck_assert_int_eq(permit_use(p, PERMIT_ONCE, "queue.delete", other, "anna (session)", NOW, &why),
	    0); /* the order is no matter */
	ck_assert_int_eq(use(p, "queue.delete", "anna (session)", NOW), -1);
	json_decref(other);
}
END_TEST

/* Names that are no UTF-8 are refused; they end neither judge nor relay. */
START_TEST(odd_names)
{
	char p[PERMIT_TEXT], q[PERMIT_TEXT];

	permit_give("queue.show", args, "anna", NOW, p);
	ck_assert_int_eq(use(p, "queue.show", "anna\xff", NOW), -1);
	permit_give("queue.show", args, "anna\xff", NOW, q);
	ck_assert_int_eq(use(q, "queue.show", "anna\xff", NOW), -1);
	ck_assert_int_eq(use(p, "queue.show", "anna", NOW), 0);
}
END_TEST

START_TEST(for_nothing_else)
{
	char p[PERMIT_TEXT];
	json_t *other = json_pack("{s:s}", "id", "0KX3M9QZ42");
	const char *why;

	permit_give("queue.show", args, "anna", NOW, p);
	ck_assert_int_eq(use(p, "queue.delete", "anna", NOW), -1);
	ck_assert_int_eq(use(p, "queue.show", "bob", NOW), -1);
	ck_assert_int_eq(permit_use(p, PERMIT_ONCE, "queue.show", other, "anna", NOW, &why), -1);
	ck_assert_int_eq(permit_use(p, PERMIT_ONCE, "queue.show", NULL, "anna", NOW, &why), -1);
	ck_assert_int_eq(use(p, "queue.show", "anna", NOW + PERMIT_SECONDS + 1), -1);
	ck_assert_int_eq(use(p, "queue.show", "anna", NOW - 1), -1);
	ck_assert_int_eq(use(p, "queue.show", "anna", NOW + PERMIT_SECONDS), 0);
	json_decref(other);
}
END_TEST

/* Every octet of it counts. */
START_TEST(changed)
{
	char p[PERMIT_TEXT], q[PERMIT_TEXT];

	permit_give("status", args, "anna", NOW, p);
	for (size_t i = 0; p[i]; i++) {
		(void)snprintf(q, sizeof q, "%s", p);
		q[i] = q[i] == '0' ? '1' : '0';
		ck_assert_msg(use(q, "status", "anna", NOW) == -1, "%zu: %s", i, q);
		q[i] = '\0';
		ck_assert_int_eq(use(q, "status", "anna", NOW), -1);
	}
	for (const char *const *bad = (const char *const[]){"", ".", "..", "1.2.3", "-1..", "a.b.c", NULL}; *bad;
	     bad++)
		ck_assert_int_eq(use(*bad, "status", "anna", NOW), -1);
	ck_assert_int_eq(use(p, "status", "anna", NOW), 0);
}
END_TEST

/* As many as are remembered; those that ran out make room. */
START_TEST(many)
{
	char p[PERMIT_TEXT];
	const char *why;
	int taken = 0;

	for (int i = 0; i < 5000; i++) {
		permit_give("status", args, "anna", NOW + 1000, p);
		taken += use(p, "status", "anna", NOW + 1000) == 0;
	}
	ck_assert_int_ge(taken, 4000);
	ck_assert_int_lt(taken, 5000);
	/* figures take no room from what counts, and have it when there is none */
	permit_give("status", args, "bob", NOW + 1000, p);
	ck_assert_int_eq(use(p, "status", "bob", NOW + 1000), -1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(permit_use(p, PERMIT_OFTEN, "status", args, "bob", NOW + 1000, &why), 0);
	ck_assert_int_eq(permit_use(p, PERMIT_OFTEN, "message.counts", args, "bob", NOW + 1000, &why), -1);
	ck_assert_int_eq(permit_use(p, PERMIT_OFTEN, "status", args, "bob", NOW + 2000, &why), -1);
	for (int i = 0; i < 5000; i++) {
		permit_give("status", args, "bob", NOW + 2000, p);
		ck_assert_int_eq(permit_use(p, PERMIT_OFTEN, "status", args, "bob", NOW + 2000, &why), 0);
	}
	permit_give("status", args, "anna", NOW + 2000, p);
	ck_assert_int_eq(use(p, "status", "anna", NOW + 2000), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("permit");
	TCase *tc = tcase_create("permit");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, once);
	tcase_add_test(tc, odd_names);
	tcase_add_test(tc, for_nothing_else);
	tcase_add_test(tc, changed);
	tcase_add_test(tc, many);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
