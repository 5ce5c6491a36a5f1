/* cli_table.c and cli_out.c: what comes from outside drives no terminal, and no table is wider than 80 columns. */
#include "admin-ui/cli_table.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "admin-ui/cli_out.h"
#include "tests/unit/suite.h"

static const struct {
	const char *in, *out;
	size_t columns;
} texts[] = {
    {"plain", "plain", 5},
    {"Müller", "Müller", 6},
    {"\033[2J", "?[2J", 4},
    {"a\rb\tc\177", "a?b?c?", 6},
    {"\302\233", "?", 1},	  /* C1: CSI */
    {"a\342\200\256b", "a?b", 3}, /* right-to-left override */
    {"\342\200\213", "?", 1},	  /* zero-width space */
    {"\377\376x", "??x", 3},
    {"\303", "?", 1},
    {"日本", "日本", 4},
};

START_TEST(test_clean)
{
	char *out;

	cli_out_init();
	out = cli_out_clean(texts[_i].in);
	ck_assert_str_eq(out, texts[_i].out);
	ck_assert_uint_eq(cli_out_width(out), texts[_i].columns);
	free(out);
}
END_TEST

START_TEST(test_fit)
{
	cli_out_init();
	ck_assert_uint_eq(cli_out_fit("Müller", 2), 3);
	ck_assert_uint_eq(cli_out_fit("日本", 3), 3);
	ck_assert_uint_eq(cli_out_fit("ab", 9), 2);
}
END_TEST

/* What is printed meanwhile goes to a memory file. */
static int saved, file;

static void capture(void)
{
	cli_out_init();
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	file = memfd_create("out", MFD_CLOEXEC);
	dup2(file, STDOUT_FILENO);
}

static char *captured(void)
{
	static char text[100000];

	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	ssize_t n = pread(file, text, sizeof text - 1, 0);
	text[n < 0 ? 0 : n] = '\0';
	close(file);
	return text;
}

static void all_within(char *text, size_t columns)
{
	for (char *line = strtok_r(text, "\n", &text); line; line = strtok_r(NULL, "\n", &text))
		ck_assert_msg(cli_out_width(line) <= columns, "%s", line);
}

START_TEST(test_table)
{
	static const char *const heads[] = {"ID", ">SIZE", "~SENDER", "~RECIPIENT", NULL};
	static char longer[300];
	struct cli_table *t;
	char *text;

	cli_out_init();
	t = cli_table_new(heads);
	memset(longer, 'x', sizeof longer - 1);
	cli_table_row(t, (const char *const[]){"A1", "5", "ümläut@hospital.example", longer});
	cli_table_row(t, (const char *const[]){"B2", "12345", longer, "two\nlines"});
	capture();
	cli_table_print(t, "none");
	text = captured();
	ck_assert_ptr_nonnull(strstr(text, "…"));
	ck_assert_msg(strstr(text, "A1      5  ümläut@hospital.example") != NULL, "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "two lines"));
	all_within(text, CLI_OUT_COLUMNS);
}
END_TEST

START_TEST(test_empty_table)
{
	static const char *const heads[] = {"ID", NULL};

	capture();
	cli_table_print(cli_table_new(heads), "Nothing here.");
	ck_assert_str_eq(captured(), "Nothing here.\n");
}
END_TEST

/* Lines within the width; a word that is longer than one, such as a DNS name, in one piece. */
START_TEST(test_wrap)
{
	char text[2000] = "", word[201] = "", *lines, *line;
	bool whole = false;

	for (int i = 0; i < 60; i++)
		strncat(text, "words and ", sizeof text - strlen(text) - 1);
	memset(word, 'y', 200);
	text[300 - 1] = text[300 + 200] = ' ';
	memcpy(text + 300, word, 200);
	capture();
	cli_out_wrap("lead: ", 6, text);
	lines = captured();
	while ((line = strtok_r(lines, "\n", &lines)) != NULL) {
		whole = whole || strcmp(line + strspn(line, " "), word) == 0;
		ck_assert_msg(strchr(line, 'y') != NULL || cli_out_width(line) <= CLI_OUT_COLUMNS, "%s", line);
	}
	ck_assert(whole);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli_table");
	TCase *t = tcase_create("cli_table");

	tcase_add_loop_test(t, test_clean, 0, sizeof texts / sizeof *texts);
	tcase_add_test(t, test_fit);
	tcase_add_test(t, test_table);
	tcase_add_test(t, test_empty_table);
	tcase_add_test(t, test_wrap);
	suite_add_tcase(s, t);
	return suite_run(s);
}
