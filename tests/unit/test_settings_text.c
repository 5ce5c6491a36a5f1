/* settings_text.c: comments go, lines stay, traps are refused with their line. */
#include "gateway/base/settings_text.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "tests/unit/suite.h"

static const struct {
	const char *in, *out;
} kept[] = {
    {"", ""},
    {"a = 1\n", "a = 1\n"},
    {"# x\na = 1", "   \na = 1"},
    {"a = 1 # x \"' /*\nb", "a = 1          \nb"},
    {"// x\n//\na", "    \n  \na"},
    {"/* a\n * b */ c", "    \n        c"},
    {"/**/x/ /***/", "    x/      "},
    {"a = http://x/y", "a = http://x/y"},
    {"a = \"# // /* '\" b", "a = \"# // /* '\" b"},
    {"a = '\"# \\n'", "a = '\"# \\n'"},
    {"a = \"\\\"\\\\\\$\" # c", "a = \"\\\"\\\\\\$\"    "},
    {"a = '\\'' # c", "a = '\\''    "},
    {"a = '${X}'", "a = '${X}'"},
    {"a = \"$X $\"", "a = \"$X $\""},
    {"a += {b,c}\r\n", "a += {b,c}\r\n"},
    {"a = \xc3\xbc", "a = \xc3\xbc"},
    {"a#b", "a  "},
    {"/", "/"},
};

START_TEST(test_kept)
{
	struct problem pr;
	const char *in = kept[_i].in;
	char *out = mem_new(strlen(in) + 1);

	ck_assert_int_eq(settings_text_clean("f", in, strlen(in), out, &pr), 0);
	ck_assert_str_eq(out, kept[_i].out);
	free(out);
}
END_TEST

static const struct {
	const char *in;
	size_t n;
	const char *line, *word;
} refused[] = {
    {"a = 1\n\nb = *:25", 15, "f:3: ", "\"*\""},
    {"a = x/**/", 9, "f:1: ", "\"*\""}, /* inside a word it is no comment */
    {"a = b+c", 7, "f:1: ", "\"+\""},
    {"\na = ${HOME}", 12, "f:2: ", "environment"},
    {"a = \"x${HOME}\"", 14, "f:1: ", "environment"},
    {"a = x${HOME}", 12, "f:1: ", "environment"},
    {"a = \"x\nb = \"y\"", 14, "f:1: ", "quote is not closed"},
    {"a = 'x", 6, "f:1: ", "quote is not closed"},
    {"a = \"x", 6, "f:1: ", "quote is not closed"},
    {"a = \"x\r\n\"", 9, "f:1: ", "quote is not closed"},
    {"a = \"\\x00\"", 10, "f:1: ", "backslash"},
    {"a = \"\\\n\"", 8, "f:1: ", "backslash"},
    {"a = \"\\", 6, "f:1: ", "backslash"},
    {"a = '\\\n'", 8, "f:1: ", "quote is not closed"},
    {"\n\n/* x\n", 8, "f:3: ", "no end"},
    {"a {\nb {\n}\n", 10, "f:1: ", "brace"},
    {"a\n{ b = {x }", 12, "f:2: ", "brace"},
    {"{{{{\n{{{{{", 10, "f:2: ", "deeply"},
    {"/*", 2, "f:1: ", "no end"},
    {"/*/", 3, "f:1: ", "no end"},
    {"a = \0", 5, "f:1: ", "control"},
    {"a = b\0c", 7, "f:1: ", "control"},
    {"a = \"b\0c\"", 9, "f:1: ", "control"},
    {"a = \x1b", 5, "f:1: ", "control"},
    {"a = \x7f", 5, "f:1: ", "control"},
    {"a =\r1", 5, "f:1: ", "control"},
};

START_TEST(test_refused)
{
	struct problem pr;
	char out[64];

	ck_assert_int_eq(settings_text_clean("f", refused[_i].in, refused[_i].n, out, &pr), -1);
	ck_assert_int_eq(strncmp(pr.text, refused[_i].line, strlen(refused[_i].line)), 0);
	ck_assert_ptr_nonnull(strstr(pr.text, refused[_i].word));
	ck_assert_ptr_nonnull(strstr(pr.text, "allowed"));
}
END_TEST

START_TEST(test_large)
{
	size_t n = SETTINGS_TEXT_MAX + 1;
	char *in = mem_new(n), *out = mem_new(n + 1);
	struct problem pr;

	memset(in, ' ', n);
	ck_assert_int_eq(settings_text_clean("f", in, n, out, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "1048576"));
	ck_assert_int_eq(settings_text_clean("f", in, n - 1, out, &pr), 0);
	free(in);
	free(out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("settings_text");
	TCase *t = tcase_create("settings_text");

	tcase_add_loop_test(t, test_kept, 0, sizeof kept / sizeof *kept);
	tcase_add_loop_test(t, test_refused, 0, sizeof refused / sizeof *refused);
	tcase_add_test(t, test_large);
	suite_add_tcase(s, t);
	return suite_run(s);
}
