/* fold.c: no line too long, no octet that is not lawful, no line of the text's own making. */
#include "gateway/mail/fold.h"

#include "tests/unit/slow_reader.h"

static const struct {
	enum fold_kind kind;
	const char *in, *want;
} cases[] = {
    {FOLD_FIELD, "", "\r\n"},
    {FOLD_FIELD, "A: b", "A: b\r\n"},
    {FOLD_FIELD, "A:  b\tc \r\nD: e ", "A: b c D: e\r\n"},
    {FOLD_FIELD, "A: \x01\x7f\xc3\xa4", "A: ????\r\n"},
    {FOLD_FIELD, "A: 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890",
	"A: 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890\r\n 1234567890\r\n"},
    {FOLD_TEXT, "x: 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890",
	"x: 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890\r\n1234567890\r\n"},
    {FOLD_FIELD, "A: 23456789012345678901234567890123456789012345678901234567890123456789012345678",
	"A:\r\n 23456789012345678901234567890123456789012345678901234567890123456789012345678\r\n"},
};

START_TEST(test_cases)
{
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(fold_add(&b, cases[_i].kind, cases[_i].in, strlen(cases[_i].in)), 0);
	ck_assert_str_eq(buf_str(&b), cases[_i].want);
	buf_clear(&b);
}
END_TEST

START_TEST(test_long_word)
{
	char s[5000];
	struct buf b;
	size_t line = 0;

	memset(s, 'x', sizeof(s));
	buf_init(&b, 8192);
	ck_assert_int_eq(fold_add(&b, FOLD_FIELD, s, sizeof(s)), 0);
	for (size_t i = 0; i < b.len; i++) {
		line = b.p[i] == '\n' ? 0 : line + 1;
		ck_assert_uint_le(line, 999);
	}
	buf_clear(&b);
}
END_TEST

START_TEST(test_full)
{
	struct buf b;

	buf_init(&b, 10);
	ck_assert_int_eq(buf_adds(&b, "12345"), 0);
	ck_assert_int_eq(fold_add(&b, FOLD_TEXT, "abcd", 4), -1);
	ck_assert_str_eq(buf_str(&b), "12345");
	ck_assert_int_eq(fold_add(&b, FOLD_TEXT, "abc", 3), 0);
	ck_assert_str_eq(buf_str(&b), "12345abc\r\n");
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fold");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_cases, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_long_word);
	tcase_add_test(t, test_full);
	suite_add_tcase(s, t);
	return suite_run(s);
}
