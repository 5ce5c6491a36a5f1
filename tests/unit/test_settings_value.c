/* settings_value.c: every kind of value, at and past its borders. */
#include "gateway/base/settings_value.h"

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const char *const colours[] = {"red", "green", "blue", NULL};

static int only_foo(const char *value, struct problem *pr)
{
	return strcmp(value, "foo") == 0 ? 0 : problem_perm(pr, "foo");
}

static const struct setting rows[] = {
    {.name = "int", .type = SETTING_INT, .min = -5, .max = 70000},
    {.name = "any", .type = SETTING_INT},
    {.name = "size", .type = SETTING_SIZE, .min = 1024, .max = INT64_C(5) << 30},
    {.name = "time", .type = SETTING_DURATION, .min = 500, .max = INT64_C(5) * 86400000},
    {.name = "bool", .type = SETTING_BOOL},
    {.name = "text", .type = SETTING_STR, .min = 1, .max = 5},
    {.name = "enum", .type = SETTING_ENUM, .words = colours},
    {.name = "check", .type = SETTING_STR, .check = only_foo},
};

enum { INT, ANY, SIZE, TIME, BOOL, TEXT, ENUM, CHECK };

static const struct {
	int row;
	const char *value;
	int64_t want;
} good[] = {
    {INT, "0", 0},
    {INT, "-5", -5},
    {INT, "70000", 70000},
    {INT, "007", 7},
    {ANY, "9223372036854775807", INT64_MAX},
    {SIZE, "1024", 1024},
    {SIZE, "1k", 1024},
    {SIZE, "1K", 1024},
    {SIZE, "50M", 50 << 20},
    {SIZE, "5G", INT64_C(5) << 30},
    {TIME, "500ms", 500},
    {TIME, "60s", 60000},
    {TIME, "5m", 300000},
    {TIME, "4h", 14400000},
    {TIME, "5d", 432000000},
    {BOOL, "yes", 1},
    {BOOL, "no", 0},
    {BOOL, "TRUE", 1},
    {BOOL, "false", 0},
    {BOOL, "on", 1},
    {BOOL, "off", 0},
    {ENUM, "red", 0},
    {ENUM, "blue", 2},
};

START_TEST(test_good)
{
	const struct setting *row = &rows[good[_i].row];
	struct arena *a = arena_new(1000);
	struct problem pr;
	char *value = arena_str(a, good[_i].value);
	union {
		int64_t number;
		bool yes;
		int word;
	} got;

	ck_assert_int_eq(settings_value_check(row, value, &pr), 0);
	ck_assert_int_eq(settings_value_store(row, &value, 1, a, &got), 0);
	if (row->type == SETTING_BOOL)
		ck_assert_int_eq(got.yes, good[_i].want);
	else if (row->type == SETTING_ENUM)
		ck_assert_int_eq(got.word, good[_i].want);
	else
		ck_assert_int_eq(got.number, good[_i].want);
	arena_free(a);
}
END_TEST

static const struct {
	int row;
	const char *value, *says;
} bad[] = {
    {INT, "", "a number from -5 to 70000"},
    {INT, "-6", "from -5 to 70000"},
    {INT, "70001", "from -5 to 70000"},
    {INT, "1x", "number"},
    {INT, " 1", "number"},
    {INT, "1 ", "number"},
    {INT, "+1", "number"},
    {INT, "0x10", "number"},
    {INT, "1k", "number"},
    {INT, "-", "number"},
    {ANY, "-1", "from 0"},
    {ANY, "9223372036854775808", "from 0"},
    {ANY, "99999999999999999999999999", "from 0"},
    {SIZE, "1023", "a size in octets, or with k, M or G from 1k to 5G"},
    {SIZE, "6G", "from 1k to 5G"},
    {SIZE, "9999999999G", "from 1k to 5G"},
    {SIZE, "5m", "from 1k to 5G"},
    {SIZE, "5MB", "from 1k to 5G"},
    {SIZE, "1.5M", "from 1k to 5G"},
    {TIME, "60", "a time with its unit ms, s, m, h or d from 500ms to 5d"},
    {TIME, "0", "unit"},
    {TIME, "499ms", "from 500ms"},
    {TIME, "6d", "to 5d"},
    {TIME, "5 m", "unit"},
    {TIME, "5min", "unit"},
    {TIME, "1h30m", "unit"},
    {BOOL, "1", "yes or no"},
    {BOOL, "", "yes or no"},
    {BOOL, "yess", "yes or no"},
    {TEXT, "", "a text of 1 to 5 characters"},
    {TEXT, "123456", "a text of 1 to 5 characters"},
    {ENUM, "Red", "red, green or blue"},
    {ENUM, "", "red, green or blue"},
    {CHECK, "bar", "allowed is foo"},
};

START_TEST(test_bad)
{
	struct problem pr;
	char quoted[64];

	ck_assert_int_eq(settings_value_check(&rows[bad[_i].row], bad[_i].value, &pr), -1);
	snprintf(
	    quoted, sizeof quoted, "setting \"%s\" is \"%s\": allowed is ", rows[bad[_i].row].name, bad[_i].value);
	ck_assert_msg(strncmp(pr.text, quoted, strlen(quoted)) == 0, "%s", pr.text);
	ck_assert_msg(strstr(pr.text, bad[_i].says) != NULL, "%s", pr.text);
}
END_TEST

struct texts {
	char *text;
	struct settings_list list;
};

static const struct setting text_row = {
    .name = "t", .type = SETTING_STR, .offset = offsetof(struct texts, text), .dflt = "x y"};
static const struct setting list_row = {
    .name = "l", .type = SETTING_LIST, .offset = offsetof(struct texts, list), .dflt = "{ a, b c,d }"};

START_TEST(test_texts)
{
	struct arena *a = arena_new(1000);
	struct texts t = {0};
	char one[] = "one", two[] = "";
	char *values[] = {one, two};

	ck_assert_int_eq(settings_value_store(&text_row, values, 1, a, &t), 0);
	ck_assert_str_eq(t.text, "one");
	ck_assert_int_eq(settings_value_store(&list_row, values, 2, a, &t), 0);
	one[0] = 'X'; /* copies */
	ck_assert_str_eq(t.text, "one");
	ck_assert_uint_eq(t.list.n, 2);
	ck_assert_str_eq(t.list.v[0], "one");
	ck_assert_str_eq(t.list.v[1], "");
	ck_assert_ptr_null(t.list.v[2]);
	ck_assert_int_eq(settings_value_store(&list_row, values, 0, a, &t), 0);
	ck_assert_uint_eq(t.list.n, 0);
	ck_assert_int_eq(settings_value_default(&text_row, a, &t), 0);
	ck_assert_str_eq(t.text, "x y");
	ck_assert_int_eq(settings_value_default(&list_row, a, &t), 0);
	ck_assert_uint_eq(t.list.n, 4);
	ck_assert_str_eq(t.list.v[3], "d");
	arena_free(a);
	a = arena_new(20);
	ck_assert_int_eq(settings_value_store(&list_row, values, 2, a, &t), -1);
	ck_assert_int_eq(settings_value_default(&list_row, a, &t), -1);
	arena_free(a);
}
END_TEST

START_TEST(test_bad_default)
{
	static const struct setting row = {.name = "x", .type = SETTING_DURATION, .dflt = "60"};
	struct arena *a = arena_new(1000);
	int64_t v;

	ck_assert_int_eq(settings_value_default(&row, a, &v), -1); /* a bug in a table: aborts */
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("settings_value");
	TCase *t = tcase_create("settings_value");

	tcase_add_loop_test(t, test_good, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(t, test_bad, 0, sizeof bad / sizeof *bad);
	tcase_add_test(t, test_texts);
	tcase_add_test_raise_signal(t, test_bad_default, 6);
	suite_add_tcase(s, t);
	return suite_run(s);
}
