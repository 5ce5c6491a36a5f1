/* cli_args.c: words and options in any order, and what is refused. */
#include "admin-ui/cli_args.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const char allowed[] = "days= csr json out=";

static int parse(struct cli_args *a, const char *line, char *why)
{
	static char copy[256], *argv[100];
	int argc = 0;

	strncat(memset(copy, 0, sizeof copy), line, sizeof copy - 1);
	for (char *p = copy; *p;) {
		argv[argc++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
	}
	return cli_args_parse(a, argc, argv, allowed, why, 200);
}

static const struct {
	const char *line;
	int nwords;
	const char *word0, *days;
	bool csr;
} good[] = {
    {"a b", 2, "a", NULL, false},
    {"a --days 5 b", 2, "a", "5", false},
    {"--days=5 a", 1, "a", "5", false},
    {"--days= a", 1, "a", "", false},
    {"--csr a", 1, "a", NULL, true},
    {"--days --csr a", 1, "a", "--csr", false},
    {"-- --csr", 1, "--csr", NULL, false},
    {"-", 1, "-", NULL, false},
    {"--csr -- -x", 1, "-x", NULL, true},
};

START_TEST(test_good)
{
	struct cli_args a;
	char why[200];

	ck_assert_int_eq(parse(&a, good[_i].line, why), 0);
	ck_assert_int_eq(a.nwords, good[_i].nwords);
	ck_assert_str_eq(a.words[0], good[_i].word0);
	ck_assert_pstr_eq(cli_args_get(&a, "days"), good[_i].days);
	ck_assert_int_eq(cli_args_has(&a, "csr"), good[_i].csr);
}
END_TEST

static const struct {
	const char *line, *part;
} bad[] = {
    {"--day 5", "no option --day"},
    {"--dayss=5", "no option --dayss"},
    {"--csr=1", "takes no value"},
    {"a --days", "needs a value"},
    {"--csr --csr", "twice"},
    {"--days=1 --days 2", "twice"},
    {"-c", "no option -c"},
    {"--=x", "no option"},
};

START_TEST(test_bad)
{
	struct cli_args a;
	char why[200] = "";

	ck_assert_int_eq(parse(&a, bad[_i].line, why), -1);
	ck_assert_msg(strstr(why, bad[_i].part) != NULL, "%s", why);
}
END_TEST

START_TEST(test_many)
{
	struct cli_args a;
	char why[200], line[256] = "";

	for (int i = 0; i < CLI_ARGS_WORDS_MAX + 1; i++)
		strncat(line, "w ", sizeof line - strlen(line) - 1);
	ck_assert_int_eq(parse(&a, line, why), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli_args");
	TCase *t = tcase_create("cli_args");

	tcase_add_loop_test(t, test_good, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(t, test_bad, 0, sizeof bad / sizeof *bad);
	tcase_add_test(t, test_many);
	suite_add_tcase(s, t);
	return suite_run(s);
}
