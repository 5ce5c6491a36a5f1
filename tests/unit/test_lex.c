/* lex.c: classes, comments, folding, quoted strings. */
#include "gateway/mail/lex.h"

#include "tests/unit/slow_reader.h"

static const struct {
	const char *in;
	int result, left; /* octets not passed over */
	enum lex_comment seen;
} cfws[] = {
    {"", 0, 0, LEX_COMMENT_NONE},
    {"x", 0, 1, LEX_COMMENT_NONE},
    {" \t x", 0, 1, LEX_COMMENT_NONE},
    {"\r\n x", 0, 1, LEX_COMMENT_NONE},
    {"\r\n", 0, 0, LEX_COMMENT_NONE},
    {" (c) x", 0, 1, LEX_COMMENT_PLAIN},
    {"(a(b)(c(d)))x", 0, 1, LEX_COMMENT_PLAIN},
    {"(a\\)b)x", 0, 1, LEX_COMMENT_PLAIN},
    {"(a\\\\)x", 0, 1, LEX_COMMENT_PLAIN},
    {"(a\r\n b)(c)\r\n\tx", 0, 1, LEX_COMMENT_PLAIN},
    {"(a@b)x", 0, 1, LEX_COMMENT_ADDRESS},
    {"(a)(<)x", 0, 1, LEX_COMMENT_ADDRESS},
    {"(\\@)x", 0, 1, LEX_COMMENT_ADDRESS},
    {"(\"a)x", 0, 1, LEX_COMMENT_PLAIN},
    {"(a", -1, 0, LEX_COMMENT_NONE},
    {"(a\\", -1, 0, LEX_COMMENT_NONE},
    {"((a)", -1, 0, LEX_COMMENT_NONE},
    {"(a\nb)", -1, 0, LEX_COMMENT_NONE},
    {"(a\r\nb)", -1, 0, LEX_COMMENT_NONE},
    {"(a\\\rb)", -1, 0, LEX_COMMENT_NONE},
    {"\r\nx", -1, 0, LEX_COMMENT_NONE},
    {"\rx", -1, 0, LEX_COMMENT_NONE},
    {"\n x", -1, 0, LEX_COMMENT_NONE},
    {"\x7f", -1, 0, LEX_COMMENT_NONE},
};

START_TEST(test_cfws)
{
	enum lex_comment seen = LEX_COMMENT_NONE;
	struct lex l;

	lex_init(&l, cfws[_i].in, strlen(cfws[_i].in));
	ck_assert_int_eq(lex_cfws(&l, &seen), cfws[_i].result);
	if (cfws[_i].result == 0) {
		ck_assert_int_eq(l.end - l.p, cfws[_i].left);
		ck_assert_int_eq(seen, cfws[_i].seen);
	}
}
END_TEST

START_TEST(test_deep_comment)
{
	size_t n = 200000;
	char *s = malloc(2 * n);
	struct lex l;

	memset(s, '(', n);
	memset(s + n, ')', n);
	lex_init(&l, s, 2 * n);
	ck_assert_int_eq(lex_cfws(&l, NULL), 0);
	ck_assert(lex_at_end(&l));
	lex_init(&l, s, 2 * n - 1);
	ck_assert_int_eq(lex_cfws(&l, NULL), -1);
	free(s);
}
END_TEST

static const struct {
	const char *in, *out;
	size_t cap;
	int left; /* -1: refused */
} quoted[] = {
    {"\"\"", "", 1, 0},
    {"\"a b\"c", "a b", 4, 1},
    {"\"a\\\"b\\\\\"", "a\"b\\", 16, 0},
    {"\"a\r\n b\"", "a b", 16, 0},
    {"\"\xc3\xa4\"", "\xc3\xa4", 16, 0},
    {"\"abc\"", "", 3, -1},
    {"\"abc", "", 16, -1},
    {"\"abc\\", "", 16, -1},
    {"\"a\nb\"", "", 16, -1},
    {"\"a\r\nb\"", "", 16, -1},
    {"\"a\\\nb\"", "", 16, -1},
    {"abc", "", 16, -1},
    {"", "", 16, -1},
};

START_TEST(test_quoted)
{
	char out[16];
	struct lex l;
	size_t n;

	lex_init(&l, quoted[_i].in, strlen(quoted[_i].in));
	if (quoted[_i].left < 0) {
		ck_assert_int_eq(lex_quoted(&l, out, quoted[_i].cap, &n), -1);
		return;
	}
	ck_assert_int_eq(lex_quoted(&l, out, quoted[_i].cap, &n), 0);
	ck_assert_str_eq(out, quoted[_i].out);
	ck_assert_uint_eq(n, strlen(out));
	ck_assert_int_eq(l.end - l.p, quoted[_i].left);
	lex_init(&l, quoted[_i].in, strlen(quoted[_i].in));
	ck_assert_int_eq(lex_quoted(&l, NULL, 0, &n), 0);
	ck_assert_int_eq(l.end - l.p, quoted[_i].left);
}
END_TEST

START_TEST(test_classes)
{
	static const char tspecials[] = "()<>@,;:\\\"/[]?=", specials[] = "()<>[]:;@\\,.\"";

	for (int c = 0; c < 256; c++) {
		bool graphic = c > 32 && c < 127;

		ck_assert_int_eq(lex_is((char)c, LEX_TOKEN), graphic && !strchr(tspecials, c));
		ck_assert_int_eq(lex_is((char)c, LEX_ATEXT), graphic && !strchr(specials, c));
		ck_assert_int_eq(lex_is((char)c, LEX_FTEXT), graphic && c != ':');
	}
}
END_TEST

START_TEST(test_same)
{
	ck_assert(lex_same("From", 4, "fROM"));
	ck_assert(!lex_same("From", 3, "From"));
	ck_assert(!lex_same("From", 4, "Fro"));
	ck_assert(!lex_same("@rom", 4, "`rom"));
	ck_assert(lex_same("", 0, ""));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lex");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_cfws, 0, (int)(sizeof(cfws) / sizeof(cfws[0])));
	tcase_add_loop_test(t, test_quoted, 0, (int)(sizeof(quoted) / sizeof(quoted[0])));
	tcase_add_test(t, test_deep_comment);
	tcase_add_test(t, test_classes);
	tcase_add_test(t, test_same);
	suite_add_tcase(s, t);
	return suite_run(s);
}
