/* address.c: what is an address, what is none, and that text and address come back from each other. */
#include "gateway/mail/address.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

struct good {
	const char *in, *local, *domain, *text;
};
static const struct good good[] = {
    {"bob@example.org", "bob", "example.org", "bob@example.org"},
    {"Bob.B+x@EXAMPLE.Org", "Bob.B+x", "example.org", "Bob.B+x@example.org"},
    {"a@b.c.", "a", "b.c", "a@b.c"},
    {"!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "x", "!#$%&'*+-/=?^_`{|}~@x"},
    {"\"bob\"@x.org", "bob", "x.org", "bob@x.org"},
    {"\"b o\\\"b\\\\\"@x.org", "b o\"b\\", "x.org", "\"b o\\\"b\\\\\"@x.org"},
    {"\"a@b>c\"@x.org", "a@b>c", "x.org", "\"a@b>c\"@x.org"},
    {"\".a\"@x.org", ".a", "x.org", "\".a\"@x.org"},
    {"\"a..b\"@x.org", "a..b", "x.org", "\"a..b\"@x.org"},
    {"\"a.\"@x.org", "a.", "x.org", "\"a.\"@x.org"},
    {"a@[192.0.2.1]", "a", "[192.0.2.1]", "a@[192.0.2.1]"},
    {"a@[IPv6:2001:DB8:0::1]", "a", "[ipv6:2001:db8::1]", "a@[ipv6:2001:db8::1]"},
    {"a@1-2.3x", "a", "1-2.3x", "a@1-2.3x"},
};

START_TEST(test_good)
{
	const struct good *g = &good[_i];
	struct address a, b;
	char text[ADDRESS_TEXT_MAX];
	struct problem pr;

	ck_assert_int_eq(address_parse(g->in, strlen(g->in), &a, &pr), 0);
	ck_assert_str_eq(a.local, g->local);
	ck_assert_str_eq(a.domain, g->domain);
	ck_assert_str_eq(address_text(&a, text), g->text);
	ck_assert_int_eq(address_parse(text, strlen(text), &b, &pr), 0);
	ck_assert(address_same(&a, &b));
}
END_TEST

#define BAD(s)                                                                                                       \
	{                                                                                                            \
		s, sizeof(s) - 1                                                                                     \
	}
static const struct {
	const char *p;
	size_t n;
} bad[] = {
    BAD(""),
    BAD("@"),
    BAD("a"),
    BAD("a@"),
    BAD("@x"),
    BAD("a@@x"),
    BAD("a@b@c"),
    BAD(".a@x"),
    BAD("a.@x"),
    BAD("a..b@x"),
    BAD("a b@x"),
    BAD("a@x y"),
    BAD(" a@x"),
    BAD("a@x "),
    BAD("a@-x"),
    BAD("a@x-"),
    BAD("a@x..y"),
    BAD("a@.x"),
    BAD("a@."),
    BAD("a@x_y"),
    BAD("a@x,y"),
    BAD("<a@x>"),
    BAD("a@x>"),
    BAD("a(c)@x"),
    BAD("\"\"@x"),
    BAD("\"a@x"),
    BAD("\"a\"b@x"),
    BAD("\"a\\\"@x"),
    BAD("\"a\\"),
    BAD("a@x\r\n"),
    BAD("a\r\n@x"),
    BAD("\"a\nb\"@x"),
    BAD("a\0@x"),
    BAD("a@x\0"),
    BAD("a@x\0.y"),
    BAD("\xc3\xa4@x"),
    BAD("a@\xc3\xa4.org"),
    BAD("a@[1.2.3]"),
    BAD("a@[1.2.3.4"),
    BAD("a@[]"),
    BAD("a@[1.2.3.4]x"),
    BAD("a@[IPv6:]"),
    BAD("a@[IPv6:1.2.3.4]"),
    BAD("a@[::1]"),
    BAD("a@[x:y]"),
    BAD("a@[1.2.3.4 ]"),
    BAD("a@["),
    BAD("\x7f@x"),
    BAD("a@x:25"),
    BAD("a;b@x"),
    BAD("a\\b@x"),
    BAD("a:b@x"),
};

START_TEST(test_bad)
{
	struct address a;
	struct problem pr;

	problem_clear(&pr);
	ck_assert_int_eq(address_parse(bad[_i].p, bad[_i].n, &a, &pr), -1);
	ck_assert(address_is_null(&a));
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert(pr.code == 501 || pr.code == 553);
	ck_assert(pr.text[0] != 0);
}
END_TEST

static int parse_sized(size_t local, size_t label, size_t labels)
{
	char s[1024];
	size_t n = 0;
	struct address a;

	memset(s, 'a', local);
	n = local;
	s[n++] = '@';
	for (size_t i = 0; i < labels; i++) {
		memset(s + n, 'd', label);
		n += label;
		s[n++] = '.';
	}
	return address_parse(s, n - 1, &a, NULL);
}

START_TEST(test_sizes)
{
	ck_assert_int_eq(parse_sized(64, 63, 1), 0);
	ck_assert_int_eq(parse_sized(65, 3, 1), -1);
	ck_assert_int_eq(parse_sized(1, 64, 1), -1);
	ck_assert_int_eq(parse_sized(1, 1, 127), 0);  /* 253 octets */
	ck_assert_int_eq(parse_sized(1, 1, 128), -1); /* 255 */
}
END_TEST

START_TEST(test_longest_text)
{
	char s[512], text[ADDRESS_TEXT_MAX];
	size_t n = 0;
	struct address a;

	s[n++] = '"';
	for (int i = 0; i < 64; i++) {
		s[n++] = '\\';
		s[n++] = '"';
	}
	s[n++] = '"';
	s[n++] = '@';
	for (int i = 0; i < 127; i++) {
		s[n++] = 'd';
		s[n++] = '.';
	}
	ck_assert_int_eq(address_parse(s, n - 1, &a, NULL), 0);
	s[n - 1] = 0;
	ck_assert_str_eq(address_text(&a, text), s);
}
END_TEST

static const struct {
	const char *in;
	int result;
	size_t used;
	int code;
	const char *local, *domain;
} paths[] = {
    {"<>", 0, 2, 0, "", ""},
    {"<> SIZE=1", 0, 2, 0, "", ""},
    {"<bob@x.org> SIZE=1", 0, 11, 0, "bob", "x.org"},
    {"<bob@x.org>SIZE=1", 0, 11, 0, "bob", "x.org"},
    {"<PostMaster>", 0, 12, 0, "postmaster", ""},
    {"<\"a>b\"@x.org>", 0, 13, 0, "a>b", "x.org"},
    {"<\"a\\\">b\"@x.org>", 0, 15, 0, "a\">b", "x.org"},
    {"<@a,@b:c@d>", -1, 0, 553, "", ""},
    {"<@a:c@d>", -1, 0, 553, "", ""},
    {"<bob>", -1, 0, 501, "", ""},
    {"<bob@x.org", -1, 0, 501, "", ""},
    {"bob@x.org", -1, 0, 501, "", ""},
    {"< bob@x.org>", -1, 0, 501, "", ""},
    {"<bob@x.org >", -1, 0, 501, "", ""},
    {"<<bob@x.org>>", -1, 0, 501, "", ""},
    {"", -1, 0, 501, "", ""},
    {"<", -1, 0, 501, "", ""},
    {"<\"", -1, 0, 501, "", ""},
    {"<\"\\", -1, 0, 501, "", ""},
    {"<b\xc3\xb6@x.org>", -1, 0, 553, "", ""},
};

START_TEST(test_path)
{
	struct problem pr;
	struct address a;
	size_t used;

	problem_clear(&pr);
	ck_assert_int_eq(address_parse_path(paths[_i].in, strlen(paths[_i].in), &a, &used, &pr), paths[_i].result);
	ck_assert_uint_eq(used, paths[_i].used);
	ck_assert_int_eq(pr.code, paths[_i].code);
	ck_assert_str_eq(a.local, paths[_i].local);
	ck_assert_str_eq(a.domain, paths[_i].domain);
}
END_TEST

START_TEST(test_text_of_special)
{
	char text[ADDRESS_TEXT_MAX];
	struct address a;
	size_t used;

	ck_assert_int_eq(address_parse_path("<>", 2, &a, &used, NULL), 0);
	ck_assert(address_is_null(&a));
	ck_assert_str_eq(address_text(&a, text), "");
	ck_assert_int_eq(address_parse_path("<postmaster>", 12, &a, &used, NULL), 0);
	ck_assert(!address_is_null(&a));
	ck_assert_str_eq(address_text(&a, text), "postmaster");
}
END_TEST

START_TEST(test_same)
{
	struct address a, b, c;

	ck_assert_int_eq(address_parse("Bob@x.org", 9, &a, NULL), 0);
	ck_assert_int_eq(address_parse("bob@X.ORG", 9, &b, NULL), 0);
	ck_assert_int_eq(address_parse("bobo@x.org", 10, &c, NULL), 0);
	ck_assert(!address_same(&a, &b));
	ck_assert(address_same_nocase(&a, &b));
	ck_assert(!address_same_nocase(&a, &c));
	ck_assert(!address_same_nocase(&c, &a));
}
END_TEST

START_TEST(test_domain)
{
	char out[ADDRESS_DOMAIN_MAX + 1];

	ck_assert_int_eq(address_domain("MX1.Example.ORG.", 16, out, NULL), 0);
	ck_assert_str_eq(out, "mx1.example.org");
	ck_assert_int_eq(address_domain("localhost", 9, out, NULL), 0);
	ck_assert_int_eq(address_domain("_dmarc.x", 8, out, NULL), -1);
	ck_assert_int_eq(address_domain("", 0, out, NULL), -1);
	ck_assert_int_eq(address_domain(".", 1, out, NULL), -1);
	ck_assert_int_eq(address_domain("x..", 3, out, NULL), -1);
	ck_assert_int_eq(address_domain("[1.2.3.4]", 9, out, NULL), -1);
	ck_assert_str_eq(out, "");
}
END_TEST

static const struct {
	const char *in, *text;
	const char *enh; /* NULL: accepted */
	bool utf8;
} utf8s[] = {
    {"<a@b.c> x", "a@b.c", NULL, false},
    {"<>", "", NULL, false},
    {"<postmaster>", "postmaster", NULL, false},
    {"<\303\251@b.c>", "\303\251@b.c", NULL, true},
    {"<\"\303\251 x\"@b.c>", "\"\303\251 x\"@b.c", NULL, true},
    {"<\"\303\251\"@b.c>", "\303\251@b.c", NULL, true},
    {"<a@b\303\274cher.example>", "a@xn--bcher-kva.example", NULL, true},
    {"<a@B\303\274cher.EXAMPLE.>", "a@xn--bcher-kva.example", NULL, true},
    {"<a@xn--bcher-kva.example>", "a@xn--bcher-kva.example", NULL, false},
    {"<a@fa\303\237.example>", "a@xn--fa-hia.example", NULL, true},
    {"<\360\237\230\200@b.c>", "\360\237\230\200@b.c", NULL, true},
    {"<a@B\303\234cher.example>", "", "5.1.3", false},	/* no U-label: upper case */
    {"<a@bu\314\210cher.example>", "", "5.1.3", false}, /* no U-label: not NFC */
    {"<a@b\343\200\202c>", "", "5.1.3", false},		/* ideographic full stop */
    {"<a@\357\274\241.c>", "", "5.1.3", false},		/* full-width A */
    {"<a@\360\237\230\200.c>", "", "5.1.3", false},
    {"<a@[\303\251]>", "", "5.1.3", false},
    {"<\303@b.c>", "", "5.6.7", false},
    {"<\300\200@b.c>", "", "5.6.7", false},
    {"<\302\205@b.c>", "", "5.6.7", false},
    {"<\355\240\200@b.c>", "", "5.6.7", false},
    {"<a\1@b.c>", "", "5.1.3", false},
};

START_TEST(test_utf8)
{
	const char *in = utf8s[_i].in;
	struct address a;
	struct problem pr = {0};
	char text[ADDRESS_TEXT_MAX] = "";
	size_t used;
	bool utf8;
	int r = address_parse_path_utf8(in, strlen(in), &a, &used, &utf8, &pr);

	ck_assert_msg(r == (utf8s[_i].enh ? -1 : 0), "%s: %s", in, pr.text);
	ck_assert_str_eq(address_text(&a, text), utf8s[_i].text);
	ck_assert_int_eq(utf8, utf8s[_i].utf8);
	if (utf8s[_i].enh)
		ck_assert_str_eq(pr.enh, utf8s[_i].enh);
	ck_assert_int_eq(address_is_utf8(&a), (unsigned char)text[0] > 127 || (unsigned char)text[1] > 127);
	/* without SMTPUTF8 none of it passes */
	if (utf8)
		ck_assert_int_eq(address_parse_path(in, strlen(in), &a, &used, &pr), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("address");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_good, 0, (int)(sizeof(good) / sizeof(good[0])));
	tcase_add_loop_test(t, test_utf8, 0, (int)(sizeof(utf8s) / sizeof(utf8s[0])));
	tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_loop_test(t, test_path, 0, (int)(sizeof(paths) / sizeof(paths[0])));
	tcase_add_test(t, test_sizes);
	tcase_add_test(t, test_longest_text);
	tcase_add_test(t, test_text_of_special);
	tcase_add_test(t, test_same);
	tcase_add_test(t, test_domain);
	suite_add_tcase(s, t);
	return suite_run(s);
}
