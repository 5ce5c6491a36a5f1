/* settings_help.c */
#include "gateway/base/settings_help.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const char *const words[] = {"a", "b", NULL};
static const struct setting top[] = {
    {.name = "name", .type = SETTING_STR, .help = "Our name."},
    {.name = "nets", .type = SETTING_LIST, .dflt = "x, y", .help = "Ours."},
};
static const struct setting inner[] = {
    {.name = "time", .type = SETTING_DURATION, .dflt = "5m", .min = 1000, .max = 3600000, .help = "Wait."},
    {.name = "kind", .type = SETTING_ENUM, .dflt = "a", .words = words, .help = "Which."},
    {.name = "text", .type = SETTING_STR, .dflt = "", .max = 9},
};
static const struct settings_section sections[] = {
    {.name = "", .rows = top, .nrows = 2}, {.name = "in", .rows = inner, .nrows = 3, .titled = true}};

START_TEST(test_text)
{
	struct buf b;

	buf_init(&b, 10000);
	ck_assert_int_eq(settings_help(sections, 2, &b), 0);
	ck_assert_str_eq(buf_str(&b),
	    "name (required)\n    Our name.\n    Allowed: a text of at most 1024 characters.\n"
	    "nets = {x, y}\n    Ours.\n    Allowed: texts of at most 1024 characters each.\n"
	    "\nin \"TITLE\" {\n"
	    "    time = 5m\n        Wait.\n        Allowed: a time with its unit ms, s, m, h or d from 1s to 1h.\n"
	    "    kind = a\n        Which.\n        Allowed: a or b.\n"
	    "    text = \"\"\n        \n        Allowed: a text of at most 9 characters.\n"
	    "}\n");

	size_t n = b.len;

	for (size_t max = 0; max < n; max++) {
		buf_clear(&b);
		buf_init(&b, max);
		ck_assert_int_eq(settings_help(sections, 2, &b), -1);
	}
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("settings_help");
	TCase *t = tcase_create("settings_help");

	tcase_add_test(t, test_text);
	suite_add_tcase(s, t);
	return suite_run(s);
}
