/* shown.c, author_name.c: a mark in a Subject and a second address in a From, however they are written. */
#include "gateway/mail/shown.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/mail/author_name.h"
#include "tests/unit/suite.h"

static struct arena *a;

static void setup(void)
{
	a = arena_new(4 << 20);
}

static void teardown(void)
{
	arena_free(a);
}

/* NULL: nothing is found and nothing changed. */
static const struct {
	const char *in, *out;
} removed[] = {
    {" hello", NULL},
    {"", NULL},
    {" [not verified] hello", "hello"},
    {" [NOT Verified]hello", "hello"},
    {" [ not  verified ] hello", "hello"},
    {" [notverified] hello", "hello"},
    {" Re: [not verified] hello [Not\tVerified] there", "Re: hello there"},
    {" [not\r\n verified] hello", "hello"},
    {"\r\n [not verified]\r\n hello", "hello"},
    {" [not verified]", ""},
    {" [[not verified] hello", "[ hello"},
    {" [not [not [not verified]verified] verified] hello", "hello"},
    {" [not verified hello", NULL},
    {" not verified] hello", NULL},
    {" [really not verified]", NULL},
    {" =?utf-8?q?=5Bnot_verified=5D_hello?=", "=?utf-8?B?aGVsbG8=?="},
    {" =?UTF-8?B?W25vdCB2ZXJpZmllZF0=?= hello", "hello"},
    {" =?utf-8?q?[not?= =?utf-8?q?_verified]?= hello", "hello"},
    {" [not =?utf-8?q?verified?=] hello", "hello"},
    {" =?iso-8859-1?Q?[not=A0verified]_gr=FC=DFe?=", "=?iso-8859-1?B?Z3L832U=?="},
    {" =?utf-8*en?q?[not_verified]?= x", "x"},
    {" =?utf-16?b?AFsAbgBvAHQAIAB2AGUAcgBpAGYAaQBlAGQAXQ==?= x", "x"},
    {" =?utf-16le?b?WwBuAG8AdAAgAHYAZQByAGkAZgBpAGUAZABdAA==?= x", "x"},
    {" =?utf-7?q?+AFs-not_verified+AF0-?= x", "x"},
    {" =?utf-7?q?+AFsAbgBvAHQAIAB2AGUAcgBpAGYAaQBlAGQAXQ-_y?= x", "x"},
    {" [not\xc2\xa0verified] x", "x"},
    {" [n\xe2\x80\x8bot ver\xc2\xad"
     "ified] x",
	"x"},
    {" [not\xe2\x80\x83verified] x", "x"},
    {" \xef\xbc\xbbnot verified\xef\xbc\xbd x", "x"},
    {" [n\xd0\xbet ver\xd1\x96"
     "fi\xd0\xb5"
     "d] x",
	"x"},
    {" \xef\xbc\xbb\xef\xbd\x8e\xef\xbd\x8f\xef\xbd\x94 verified] x", "x"},
    {" =?utf-8?q?=E2=80=8B[not=C2=A0verified]?= \xc3\xa4", "=?utf-8?B?4oCL?= \xc3\xa4"},
    {" =?utf-8?q?[not_verified]", NULL}, /* no encoded word: literally */
    {" =?x?z?[not verified]?= y", "=?x?z?"
				  "?= y"},
    {" [not\xff"
     " verified] x",
	NULL},
};

START_TEST(removes)
{
	struct buf b;
	int r;

	buf_init(&b, 65536);
	r = shown_remove(a, removed[_i].in, strlen(removed[_i].in), "[not verified]", &b);
	ck_assert_msg(r == (removed[_i].out != NULL), "%d: %d", _i, r);
	if (r == 1)
		ck_assert_str_eq(buf_str(&b), removed[_i].out);
	buf_clear(&b);
}
END_TEST

/* Nothing that is left shows the mark, and no line is over-long or blank. */
START_TEST(removes_for_good)
{
	static const char *const bits[] = {"[not ", "verified]", "=?utf-8?q?[not?=", " ", "x",
	    "=?utf-8?b?dmVyaWZpZWRd?=", "\r\n ", "\xe2\x80\x8b", "[", "=?utf-7?q?+AFs-not?="};

	srand(1);
	for (int i = 0; i < 20000; i++) {
		char in[1024] = " ";
		struct buf b, again;

		for (int k = 0; k < 12; k++)
			strcat(in, bits[(size_t)rand() % (sizeof bits / sizeof *bits)]);
		buf_init(&b, 65536);
		buf_init(&again, 65536);
		if (shown_remove(a, in, strlen(in), "[not verified]", &b) == 1) {
			size_t line = 0;

			ck_assert_msg(shown_remove(a, buf_str(&b), b.len, "[not verified]", &again) == 0, "%s", in);

			for (size_t k = 0; k < b.len; k++) {
				line = b.p[k] == '\n' ? 0 : line + 1;
				ck_assert(line < 500);
				if (b.p[k] == '\n')
					ck_assert(k + 2 < b.len && b.p[k + 1] == ' ' && b.p[k + 2] > ' ');
			}
		}
		buf_clear(&b);
		buf_clear(&again);
		if (i % 100 == 0) {
			teardown();
			setup();
		}
	}
}
END_TEST

static const struct {
	const char *from, *author, *other; /* other "" none */
} names[] = {
    {" x@evil.test", "x@evil.test", ""},
    {" \"ceo@bank.test\" <x@evil.test>", "x@evil.test", "ceo@bank.test"},
    {" ceo@bank.test <x@evil.test>", "x@evil.test", "ceo@bank.test"},
    {" =?utf-8?q?ceo=40bank.test?= <x@evil.test>", "x@evil.test", "ceo@bank.test"},
    {" =?utf-8?b?Y2VvQGJhbmsudGVzdA==?= <x@evil.test>", "x@evil.test", "ceo@bank.test"},
    {" \"ceo\xef\xbc\xa0"
     "bank.test\" <x@evil.test>",
	"x@evil.test", "ceo@bank.test"},
    {" \"c\xe2\x80\x8b"
     "eo@bank.te\xe2\x80\x8bst\" <x@evil.test>",
	"x@evil.test", "ceo@bank.test"},
    {" \"X@EVIL.test\" <x@evil.test>", "x@evil.test", ""},
    {" \"x@evil.test via list\" <x@evil.test>", "x@evil.test", ""},
    {" \"Bob @ Lab\" <bob@lab.test>", "bob@lab.test", ""},
    {" \"Bob@Home\" <bob@lab.test>", "bob@lab.test", ""},
    {" Bob <bob@lab.test>", "bob@lab.test", ""},
    {" \"bob@lab.test.\" <bob@lab.test>", "bob@lab.test", ""},
    {" \"bob@lab.test.evil.example\" <bob@lab.test>", "bob@lab.test", "bob@lab.test.evil.example"},
};

START_TEST(name_shows)
{
	struct header_field f = {.value = names[_i].from, .value_len = strlen(names[_i].from)};
	char other[ADDRESS_TEXT_MAX] = "";
	struct address who;

	ck_assert_int_eq(address_parse_utf8(names[_i].author, strlen(names[_i].author), &who, NULL), 0);
	ck_assert_int_eq(author_name_other(a, &f, &who, other), names[_i].other[0] != 0);
	ck_assert_str_eq(other, names[_i].other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shown");
	TCase *t = tcase_create("shown");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, removes, 0, sizeof removed / sizeof *removed);
	tcase_add_test(t, removes_for_good);
	tcase_add_loop_test(t, name_shows, 0, sizeof names / sizeof *names);
	suite_add_tcase(s, t);
	return suite_run(s);
}
