/* xtext.c: what RFC 3461 and 6533 allow, and nothing else. */
#include "gateway/mail/xtext.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *in;
	const char *want; /* NULL: refused */
} decoded[] = {
    {"", ""},
    {"abc", "abc"},
    {"a+2Bb+3D", "a+b="},
    {"a+0D+0A", "a\r\n"},
    {"+", NULL},
    {"a+2", NULL},
    {"a+2b", NULL},
    {"a=b", NULL},
    {"a b", NULL},
    {"\303\251", NULL},
};

START_TEST(decode)
{
	char out[20];
	int n = xtext_decode(decoded[_i].in, strlen(decoded[_i].in), out, sizeof out);

	if (!decoded[_i].want) {
		ck_assert_int_eq(n, -1);
		return;
	}
	ck_assert_int_eq(n, (int)strlen(decoded[_i].want));
	ck_assert_str_eq(out, decoded[_i].want);
}
END_TEST

/* RFC 3461 4: hexchar has capital letters alone. */
START_TEST(hex)
{
	static const char digits[] = "0123456789ABCDEF";

	for (int i = 0; i < 256; i++) {
		const char *at = i ? strchr(digits, i) : NULL;

		ck_assert_msg(xtext_hex((char)i) == (at ? (int)(at - digits) : -1), "octet %d", i);
	}
}
END_TEST

START_TEST(room)
{
	char out[4];

	ck_assert_int_eq(xtext_decode("abc", 3, out, 4), 3);
	ck_assert_int_eq(xtext_decode("abc", 3, out, 3), -1);
	ck_assert_int_eq(xtext_decode("", 0, out, 0), -1);
}
END_TEST

START_TEST(printable)
{
	ck_assert(xtext_printable("a+20b", 5, 5));
	ck_assert(!xtext_printable("a+20b", 5, 4));
	ck_assert(!xtext_printable("", 0, 5));
	ck_assert(!xtext_printable("a+0A", 4, 5));
	ck_assert(!xtext_printable("a+00", 4, 5));
	ck_assert(!xtext_printable("a+7F", 4, 5));
	ck_assert(!xtext_printable("a+E9", 4, 5));
}
END_TEST

static const struct {
	const char *in;
	int want; /* 0 never, 1 always, 2 with utf8 alone */
} orcpts[] = {
    {"rfc822;a@b.c", 1},
    {"RFC822;a+2Bb@c.d", 1},
    {"x400;c=de", 0},
    {"x400;c+3Dde", 1},
    {"rfc822", 0},
    {";a", 0},
    {"rfc822;", 0},
    {"rfc 822;a", 0},
    {"rfc822;a+0Ab", 0},
    {"rfc822;\303\251", 0},
    {"utf-8;a@b.c", 1},
    {"utf-8;\303\251@b.c", 2},
    {"UTF-8;\\x{E9}@b.c", 1},
    {"utf-8;\\x{10FFFF}", 1},
    {"utf-8;\\x{110000}", 0},
    {"utf-8;\\x{D800}", 0},
    {"utf-8;\\x{0A}", 0},
    {"utf-8;\\x{9}", 0},
    {"utf-8;\\x{E9", 0},
    {"utf-8;\\x{e9}", 0},
    {"utf-8;\\y", 0},
    {"utf-8;a+b", 0},
    {"utf-8;a=b", 0},
    {"utf-8;\303", 0},
    {"utf-8;\302\205", 0},
    {"utf-8;", 0},
};

START_TEST(orcpt)
{
	const char *in = orcpts[_i].in;
	size_t n = strlen(in);
	char *copy = malloc(n);

	memcpy(copy, in, n);
	ck_assert_int_eq(xtext_orcpt(copy, n, 500, false), orcpts[_i].want == 1);
	ck_assert_int_eq(xtext_orcpt(copy, n, 500, true), orcpts[_i].want > 0);
	ck_assert(!xtext_orcpt(copy, n, n - 1, true));
	free(copy);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xtext");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, decode, 0, (int)(sizeof decoded / sizeof decoded[0]));
	tcase_add_test(t, hex);
	tcase_add_test(t, room);
	tcase_add_test(t, printable);
	tcase_add_loop_test(t, orcpt, 0, (int)(sizeof orcpts / sizeof orcpts[0]));
	suite_add_tcase(s, t);
	return suite_run(s);
}
