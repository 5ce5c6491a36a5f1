/* The header field that names a statement. */
#include "gateway/xsmg/xsmg_field.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

#define ID "7ZbZ0xh3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define URL "https://smg.lab.example/.well-known/smg/lab.example"

START_TEST(reads)
{
	static const char *const good[] = {"id=" ID "; url=" URL, " id=" ID "; url=" URL "\r\n",
	    " id=" ID ";\r\n url=" URL, "\tid=" ID ";\r\n\t url=" URL " \t"};
	struct xsmg_field f;
	const char *why;
	char text[XSMG_FIELD_MAX];

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		ck_assert_msg(xsmg_field_read(good[i], strlen(good[i]), &f, &why) == 0, "%s", good[i]);
		ck_assert_str_eq(f.id, ID);
		ck_assert_str_eq(f.url, URL);
	}
	ck_assert_int_eq(xsmg_field_write(f.id, f.url, text), 0);
	ck_assert_str_eq(text, good[0]);
}
END_TEST

START_TEST(refuses)
{
	static const char *const bad[] = {"", " ", "id=" ID, "id=" ID ";", "id=" ID ";url=" URL,
	    "url=" URL "; id=" ID, "id=" ID "; url=", "id=" ID "; url=http://lab.example/", "id=" ID "; url=https://",
	    "id=short; url=" URL, "id=" ID "A; url=" URL, "id=7ZbZ0xh3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB; url=" URL,
	    "id=7ZbZ0xh3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+; url=" URL, "ID=" ID "; url=" URL,
	    "id=" ID "; url=" URL "; key=x", "id=" ID "; url=" URL " x", "id=" ID "; url=https://lab.example/\"",
	    "id=" ID "; url=https://lab.example/\r\n more", "id=" ID "; url=https://lab.ex\xc3\xa4mple/"};
	char longest[STATEMENT_URL_MAX + 100];
	struct xsmg_field f;
	const char *why = NULL;
	int n;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(xsmg_field_read(bad[i], strlen(bad[i]), &f, &why) == -1 && why, "%s", bad[i]);
	n = snprintf(longest, sizeof longest, "id=" ID "; url=https://");
	memset(longest + n, 'a', STATEMENT_URL_MAX - 8);
	ck_assert_int_eq(xsmg_field_read(longest, (size_t)n + STATEMENT_URL_MAX - 8, &f, &why), 0);
	memset(longest + n, 'a', STATEMENT_URL_MAX - 7);
	ck_assert_int_eq(xsmg_field_read(longest, (size_t)n + STATEMENT_URL_MAX - 7, &f, &why), -1);
	memset(longest + n, ' ', STATEMENT_URL_MAX - 7);
	ck_assert_int_eq(xsmg_field_read(longest, (size_t)n + STATEMENT_URL_MAX - 7, &f, &why), -1);
}
END_TEST

START_TEST(writes)
{
	char text[XSMG_FIELD_MAX];

	ck_assert_int_eq(xsmg_field_write("short", URL, text), -1);
	ck_assert_int_eq(xsmg_field_write(ID, "https://lab.example/a;b", text), -1);
	ck_assert_int_eq(xsmg_field_write(ID, "ftp://lab.example/", text), -1);
	ck_assert_str_eq(text, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xsmg_field");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, reads);
	tcase_add_test(tc, refuses);
	tcase_add_test(tc, writes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
