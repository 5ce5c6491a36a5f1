/* problem.c */
#include "gateway/base/problem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(test_set)
{
	struct problem p;

	ck_assert_int_eq(
	    problem_set(&p, PROBLEM_POLICY, 550, "5.7.27", "RFC 7505 3", "no mail for %s", "x.example"), -1);
	ck_assert_int_eq(p.cls, PROBLEM_POLICY);
	ck_assert_int_eq(p.code, 550);
	ck_assert_str_eq(p.enh, "5.7.27");
	ck_assert_str_eq(p.rfc, "RFC 7505 3");
	ck_assert_str_eq(p.text, "no mail for x.example");
	problem_clear(&p);
	ck_assert_int_eq(p.cls, PROBLEM_NONE);
	ck_assert_str_eq(p.text, "");
	ck_assert_int_eq(problem_set(NULL, PROBLEM_TEMP, 0, NULL, NULL, "x"), -1);
	ck_assert_int_eq(problem_temp(NULL, "x"), -1);
	ck_assert_int_eq(problem_perm(NULL, "x"), -1);
	ck_assert_int_eq(problem_policy(NULL, "x"), -1);
	ck_assert_int_eq(problem_prefix(NULL, "x"), -1);
	problem_clear(NULL);
}
END_TEST

START_TEST(test_shorthands)
{
	struct problem p;

	ck_assert_int_eq(problem_temp(&p, "a"), -1);
	ck_assert(p.cls == PROBLEM_TEMP && p.code == 451 && strcmp(p.enh, "4.3.0") == 0);
	ck_assert_int_eq(problem_policy(&p, "a"), -1);
	ck_assert(p.cls == PROBLEM_POLICY && p.code == 550 && strcmp(p.enh, "5.7.1") == 0);
	ck_assert_int_eq(problem_perm(&p, "a"), -1);
	ck_assert(p.cls == PROBLEM_PERM && p.code == 554 && strcmp(p.enh, "5.6.0") == 0);
}
END_TEST

START_TEST(test_plain)
{
	struct problem p;

	problem_temp(&p, "a%sb", "\r\n250 ok\t\x1b[2J\x7f");
	ck_assert_str_eq(p.text, "a??250 ok??[2J?b");
	problem_temp(&p, "%s",
	    "Z\xc3\xbcrich \xc2\x9b"
	    "2J");
	ck_assert_str_eq(p.text, "Z\xc3\xbcrich ??2J");
}
END_TEST

START_TEST(test_long)
{
	struct problem p;
	char text[2000];

	memset(text, 'x', sizeof text);
	text[1999] = 0;
	problem_temp(&p, "%s", text);
	ck_assert_uint_eq(strlen(p.text), sizeof p.text - 1);
	/* cut inside an o with two dots at every offset: never half of it */
	for (int i = 0; i < 8; i++) {
		for (int k = i; k < 1990; k += 2)
			memcpy(text + k, "\xc3\xb6", 3);
		memset(text, 'x', (size_t)i);
		problem_temp(&p, "%s", text);

		size_t n = strlen(p.text);

		ck_assert_uint_ge(n, sizeof p.text - 2);
		ck_assert_int_eq((unsigned char)p.text[n - 1], 0xb6);
		problem_prefix(&p, "in: ");
		n = strlen(p.text);
		ck_assert_int_eq((unsigned char)p.text[n - 1], 0xb6);
	}
}
END_TEST

START_TEST(test_prefix)
{
	struct problem p;

	problem_policy(&p, "not allowed");
	ck_assert_int_eq(problem_prefix(&p, "%s:%d: ", "a.conf", 3), -1);
	ck_assert_str_eq(p.text, "a.conf:3: not allowed");
	ck_assert_int_eq(p.cls, PROBLEM_POLICY);
	ck_assert_int_eq(p.code, 550);
}
END_TEST

/* What stands as a sentence, put into another one. */
START_TEST(test_clause)
{
	static const char *const texts[][2] = {{"The message has no end.", "the message has no end"},
	    {"A header line is cut off.", "a header line is cut off"}, {"no stop", "no stop"},
	    {"and so on...", "and so on..."}, {"Octets follow.", "Octets follow"}, {"", ""}, {".", ""},
	    {"AES is short.", "AES is short"}};
	char out[PROBLEM_TEXT_MAX];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct problem p;

		problem_perm(&p, "%s", texts[i][0]);
		ck_assert_str_eq(problem_clause(&p, out), texts[i][1]);
		ck_assert_str_eq(p.text, texts[i][0]);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("problem");
	TCase *t = tcase_create("problem");

	tcase_add_test(t, test_set);
	tcase_add_test(t, test_shorthands);
	tcase_add_test(t, test_plain);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_prefix);
	tcase_add_test(t, test_clause);
	suite_add_tcase(s, t);
	return suite_run(s);
}
