/* smtpd_params.c: the parameters behind a path, as text in and out. */
#include "gateway/smtp/smtpd_params.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *in, *want; /* each as (key) or (key=value); ! = an error */
} cases[] = {
    {"", ""},
    {" ", ""},
    {"   ", ""},
    {" A", "(A)"},
    {" A=1 B-C=x/y  D", "(A=1)(B-C=x/y)(D)"},
    {" A=", "!"},
    {" A==", "!"},
    {" A=b=c", "!"},
    {"A", "!"},
    {" -A", "!"},
    {" =1", "!"},
    {" A B ", "(A)(B)"},
    {" A=1 _", "(A=1)!"},
    {" A=\303\251", "(A=\303\251)"},
    {" A\303\251", "!"},
    {" A=b\tc", "!"},
    {" A=<>", "(A=<>)"},
    {" 8BIT", "(8BIT)"},
};

static void take_all(const char *in, size_t n, char *out, size_t cap)
{
	char *copy = malloc(n ? n : 1);
	const char *p = copy;
	struct smtpd_param one;
	struct problem pr;
	size_t at = 0;
	int r;

	memcpy(copy, in, n);
	out[0] = 0;
	while ((r = smtpd_params_next(&p, &n, &one, &pr)) == 1) {
		at += (size_t)snprintf(out + at, cap - at, "(%.*s", (int)one.nkey, one.key);
		at += (size_t)snprintf(out + at, cap - at, one.value ? "=%.*s)" : ")", (int)one.nvalue, one.value);
	}
	if (r < 0) {
		snprintf(out + at, cap - at, "!");
		ck_assert_int_eq(pr.code, 501);
		ck_assert_str_eq(pr.enh, "5.5.4");
	}
	free(copy);
}

START_TEST(parameters)
{
	char out[200];

	take_all(cases[_i].in, strlen(cases[_i].in), out, sizeof out);
	ck_assert_str_eq(out, cases[_i].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpd_params");
	TCase *t = tcase_create("smtpd_params");

	tcase_add_loop_test(t, parameters, 0, (int)(sizeof cases / sizeof cases[0]));
	suite_add_tcase(s, t);
	return suite_run(s);
}
