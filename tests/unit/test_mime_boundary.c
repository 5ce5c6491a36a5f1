/* mime_boundary.c: which lines are delimiters. */
#include "gateway/mail/mime_boundary.h"

#include "tests/unit/slow_reader.h"

static struct mime_boundary make(const char *text)
{
	struct mime_boundary b;

	b.len = strlen(text);
	memcpy(b.text, text, b.len + 1);
	return b;
}

static const struct {
	const char *line;
	enum mime_boundary_line want;
} lines[] = {
    {"--ab", MIME_BOUNDARY_DELIMITER},
    {"--ab \t ", MIME_BOUNDARY_DELIMITER},
    {"--ab--", MIME_BOUNDARY_CLOSE},
    {"--ab-- ", MIME_BOUNDARY_CLOSE},
    {"--abc", MIME_BOUNDARY_ODD},
    {"--ab-", MIME_BOUNDARY_ODD},
    {"--ab --", MIME_BOUNDARY_ODD},
    {"--ab--x", MIME_BOUNDARY_ODD},
    {"--ab---", MIME_BOUNDARY_ODD},
    {"--ab\r", MIME_BOUNDARY_ODD},
    {"--a", MIME_BOUNDARY_NONE},
    {"--AB", MIME_BOUNDARY_NONE},
    {"-ab", MIME_BOUNDARY_NONE},
    {" --ab", MIME_BOUNDARY_NONE},
    {"---ab", MIME_BOUNDARY_NONE},
    {"", MIME_BOUNDARY_NONE},
    {"--", MIME_BOUNDARY_NONE},
    {"ab", MIME_BOUNDARY_NONE},
};

START_TEST(test_judge)
{
	struct mime_boundary b = make("ab");

	ck_assert_int_eq(
	    mime_boundary_judge(&b, (const uint8_t *)lines[_i].line, strlen(lines[_i].line)), lines[_i].want);
}
END_TEST

START_TEST(test_of)
{
	char value[80];
	struct mime_param p = {.name = "boundary", .value = value};
	struct mime_type t = {.type = "multipart", .subtype = "mixed", .params = &p, .nparams = 1};
	struct mime_boundary b;

	for (size_t n = 0; n < 75; n++) {
		memset(value, 'x', n);
		value[n] = 0;
		ck_assert_int_eq(mime_boundary_of(&t, &b, NULL), n >= 1 && n <= 70 ? 0 : -1);
	}
	p.value = "a ";
	ck_assert_int_eq(mime_boundary_of(&t, &b, NULL), -1);
	p.value = "a b";
	ck_assert_int_eq(mime_boundary_of(&t, &b, NULL), 0);
	p.value = "a\tb";
	ck_assert_int_eq(mime_boundary_of(&t, &b, NULL), -1);
	p.value = "\xc3\xa4";
	ck_assert_int_eq(mime_boundary_of(&t, &b, NULL), -1);
	t.nparams = 0;
	ck_assert_int_eq(mime_boundary_of(&t, &b, NULL), -1);
}
END_TEST

START_TEST(test_apart)
{
	struct mime_boundary a = make("a"), b = make("b"), closing = make("a--"), longer = make("aa");

	ck_assert(mime_boundary_apart(&a, &b));
	ck_assert(mime_boundary_apart(&a, &longer));
	ck_assert(!mime_boundary_apart(&a, &a));
	ck_assert(!mime_boundary_apart(&a, &closing));
	ck_assert(!mime_boundary_apart(&closing, &a));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("mime_boundary");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_judge, 0, (int)(sizeof(lines) / sizeof(lines[0])));
	tcase_add_test(t, test_of);
	tcase_add_test(t, test_apart);
	suite_add_tcase(s, t);
	return suite_run(s);
}
