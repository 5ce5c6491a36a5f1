/* mailbox.c: lists of recipients; what makes an author doubtful is tested with header_author in test_header.c. */
#include "gateway/mail/mailbox.h"

#include "tests/unit/slow_reader.h"

static const struct {
	const char *in;
	const char *want; /* addresses with a blank between; NULL: refused */
} lists[] = {
    {" a@x.org\r\n", "a@x.org"},
    {" a@x.org, b@x.org,\r\n\tBob <c@x.org>", "a@x.org b@x.org c@x.org"},
    {"\"Doe, Jane\" <j@x.org>, Dr. J. Q. Roe <r@x.org>", "j@x.org r@x.org"},
    {"=?utf-8?Q?J=C3=A4ne?= <j@x.org>", "j@x.org"},
    {"J\xc3\xa4ne <j@x.org>", "j@x.org"},
    {"undisclosed-recipients:;", ""},
    {"Team: a@x.org, B <b@x.org>;, c@x.org", "a@x.org b@x.org c@x.org"},
    {"Team:;, Other: (none) ;", ""},
    {"a@x.org (Jane (home)), (x) b@x.org (y)", "a@x.org b@x.org"},
    {"(a@b.c) a@x.org", "a@x.org"},
    {"\"a@b.c <d@e.f>\" <a@x.org>", "a@x.org"},
    {"<a@x.org>", "a@x.org"},
    {",a@x.org,,b@x.org, ,", "a@x.org b@x.org"},
    {"", ""},
    {" \r\n ", ""},
    {"\"a b\"@x.org", "\"a b\"@x.org"},
    {"\"a>,b\"@x.org, X <\"c>d\"@x.org>", "\"a>,b\"@x.org \"c>d\"@x.org"},
    {"a@[192.0.2.1], <b@[IPv6:::1]>", "a@[192.0.2.1] b@[ipv6:::1]"},
    {"A@X.ORG", "A@x.org"},
    {"a", NULL},
    {"Bob", NULL},
    {"Bob <>", NULL},
    {"Bob <a@x.org", NULL},
    {"Bob a@x.org>", NULL},
    {"Bob a@x.org", NULL},
    {"a@x.org>", NULL},
    {"a@x.org b@x.org", NULL},
    {"a@x.org <b@x.org>", NULL},
    {"<a@x.org> b", NULL},
    {"<a@x.org> <b@x.org>", NULL},
    {"<<a@x.org>>", NULL},
    {"< a@x.org>", NULL},
    {"<a@x.org >", NULL},
    {"<a(c)@x.org>", NULL},
    {"a (c)@x.org", NULL},
    {"a@(c)x.org", NULL},
    {"a @x.org", NULL},
    {"a@ x.org", NULL},
    {"<@r.org:a@x.org>", NULL},
    {"<@r.org,@s.org:a@x.org>", NULL},
    {"a@x.org;", NULL},
    {"Team: a@x.org", NULL},
    {"Team: a@x.org; b@x.org", NULL},
    {"Team: Other: a@x.org;;", NULL},
    {": a@x.org;", NULL},
    {"\"Bob <a@x.org>", NULL},
    {"Bob (x <a@x.org>", NULL},
    {"=?utf-8?q?a?=@x.org", NULL},
    {"<=?utf-8?q?a?=@x.org>", NULL},
    {"\"=?utf-8?q?a?=\"@x.org", NULL},
    {"a\xc3\xa4@x.org", "a\xc3\xa4@x.org"},
    {"a@x\xc3\xa4.org", "a@xn--x-0fa.org"},
    {"J\xc3\xa4ne <j\xc3\xa4@x\xc3\xa4.org>", "j\xc3\xa4@xn--x-0fa.org"},
    {"a\xc3@x.org", NULL},
    {"a\xe4@x.org", NULL},
    {"a\xc2\x85@x.org", NULL},
    {"a\xe2\x80\xae@x.org", NULL},
    {"a@x\xe4.org", NULL},
    {"a@x.org\r\nb", NULL},
    {"a@x.org\nb", NULL},
    {"a@[1.2.3.4", NULL},
    {"a@x.org[", NULL},
    {"[x] <a@x.org>", NULL},
    {"a..b@x.org", NULL},
    {"a@x.org, b@", NULL},
    {"\x01", NULL},
};

START_TEST(test_lists)
{
	const char *in = lists[_i].in;
	struct address list[8];
	char got[1024] = "";
	struct problem pr;
	size_t n, at = 0;

	problem_clear(&pr);
	if (!lists[_i].want) {
		ck_assert_int_eq(mailbox_list("To", in, strlen(in), MAILBOX_RECIPIENTS, list, 8, &n, &pr), -1);
		ck_assert_uint_eq(n, 0);
		ck_assert_int_eq(pr.code, 554);
		ck_assert_str_eq(pr.enh, "5.6.0");
		ck_assert_ptr_nonnull(strstr(pr.text, "The field To "));
		return;
	}
	ck_assert_int_eq(mailbox_list("To", in, strlen(in), MAILBOX_RECIPIENTS, list, 8, &n, &pr), 0);
	for (size_t i = 0; i < n; i++) {
		char text[ADDRESS_TEXT_MAX];

		at +=
		    (size_t)snprintf(got + at, sizeof(got) - at, "%s%s", i ? " " : "", address_text(&list[i], text));
	}
	ck_assert_str_eq(got, lists[_i].want);
}
END_TEST

START_TEST(test_max)
{
	static const char in[] = "a@x, b@x, c@x";
	struct address list[3];
	size_t n;

	ck_assert_int_eq(mailbox_list("Cc", in, sizeof(in) - 1, MAILBOX_RECIPIENTS, list, 3, &n, NULL), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_int_eq(mailbox_list("Cc", in, sizeof(in) - 1, MAILBOX_RECIPIENTS, list, 2, &n, NULL), -1);
	ck_assert_int_eq(mailbox_list("Cc", in, sizeof(in) - 1, MAILBOX_RECIPIENTS, NULL, 0, &n, NULL), -1);
}
END_TEST

/* Any cut of a good list is read without reading past it (the sanitizers watch) and gives 0 or -1. */
START_TEST(test_cut)
{
	static const char in[] = "\"A\\\"\" (c(d)\\)) <a@x.org>, T: b@[1.2.3.4], \"q\"@y;\r\n";

	for (size_t cut = 0; cut < sizeof(in); cut++) {
		struct address list[4];
		char *p = malloc(cut + 1);
		size_t n;

		memcpy(p + 1, in, cut);
		if (mailbox_list("To", p + 1, cut, MAILBOX_RECIPIENTS, list, 4, &n, NULL) == 0)
			ck_assert_uint_le(n, 3);
		free(p);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mailbox");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_lists, 0, (int)(sizeof(lists) / sizeof(lists[0])));
	tcase_add_test(t, test_max);
	tcase_add_test(t, test_cut);
	suite_add_tcase(s, t);
	return suite_run(s);
}
