/* lines.c: the same lines however the reader cuts them, long lines in pieces, lone CR and LF noticed. */
#include "gateway/mail/lines.h"

#include "tests/unit/slow_reader.h"

static const struct {
	const char *in;
	const char *want; /* lines in brackets, "$" where a CRLF stood */
	bool bare;
	size_t longest;
} cases[] = {
    {"", "", false, 0},
    {"\r\n", "[]$", false, 0},
    {"a\r\nbcd\r\n", "[a]$[bcd]$", false, 3},
    {"a\r\n\r\nb", "[a]$[]$[b]", false, 1},
    {"a\nb\r\n", "[a\nb]$", true, 3},
    {"a\rb\r\n", "[a\rb]$", true, 3},
    {"a\r\r\nb", "[a\r]$[b]", true, 2},
    {"a\r", "[a\r]", true, 2},
    {"\r", "[\r]", true, 1},
    {"\n", "[\n]", true, 1},
    {"a\n\r\nb\r\n", "[a\n]$[b]$", true, 2},
    {"\n\n\r\n", "[\n\n]$", true, 2},
    {"a\r\n\r", "[a]$[\r]", true, 1},
    {"\r\n\n", "[]$[\n]", true, 1},
};

static void walk(const char *in, size_t n, size_t step, struct buf *got, struct lines_facts *f)
{
	struct lines_piece piece;
	struct slow_reader s;
	struct lines *l;
	uint64_t at = 0;
	int more;

	slow_init(&s, in, n, step);
	l = lines_new(&s.reader, 0, n);
	while ((more = lines_next(l, &piece, NULL)) > 0) {
		ck_assert_uint_eq(piece.off, at);
		ck_assert_uint_eq(piece.next, at + piece.n + (piece.crlf ? 2 : 0));
		ck_assert(!piece.crlf || piece.last);
		ck_assert_mem_eq(piece.p, in + at, piece.n);
		at = piece.next;
		ck_assert_int_eq((piece.first && buf_adds(got, "[")) || buf_add(got, piece.p, piece.n) ||
				     (piece.last && buf_adds(got, "]")) || (piece.crlf && buf_adds(got, "$")),
		    0);
	}
	ck_assert_int_eq(more, 0);
	ck_assert_uint_eq(at, n);
	*f = lines_facts(l);
	lines_free(l);
}

START_TEST(test_lines)
{
	size_t n = strlen(cases[_i].in);

	for (size_t step = 1; step <= n + 1; step++) {
		struct lines_facts f;
		struct buf got;

		buf_init(&got, 4096);
		walk(cases[_i].in, n, step, &got, &f);
		ck_assert_str_eq(buf_str(&got), cases[_i].want);
		ck_assert_int_eq(f.bare, cases[_i].bare);
		ck_assert_uint_eq(f.longest, cases[_i].longest);
		buf_clear(&got);
	}
}
END_TEST

/* CRLF, lone CR and lone LF pushed over the edge of a window; lines longer than one. */
START_TEST(test_windows)
{
	static const struct {
		const char *end;
		bool bare;
	} ends[] = {{"\r\nx\r\n", false}, {"\rx\r\n", true}, {"\nx\r\n", true}, {"\r\r\nx\r\n", true}, {"\r", true},
	    {"\r\n", false}};
	size_t most = 3 * 65536;
	char *p = malloc(most + 16);

	for (size_t e = 0; e < sizeof(ends) / sizeof(ends[0]); e++) {
		for (size_t n = 65536 - 1030; n <= 65536 + 4; n += n < 65536 - 1020 || n > 65536 - 6 ? 1 : 101) {
			struct lines_facts f;
			struct buf got;
			size_t len = n + strlen(ends[e].end);

			memset(p, 'a', n);
			memcpy(p + n, ends[e].end, strlen(ends[e].end));
			buf_init(&got, most * 2);
			walk(p, len, 65536, &got, &f);
			ck_assert_int_eq(f.bare, ends[e].bare);
			ck_assert_uint_ge(f.longest, n);
			buf_clear(&got);
		}
	}
	free(p);
}
END_TEST

/* A line of up to LINES_WHOLE octets is one piece wherever it lies. */
START_TEST(test_whole)
{
	size_t n = 200000;
	char *p = malloc(n);
	struct lines_piece piece;
	struct stream_mem m;
	struct lines *l;

	memset(p, 'a', n);
	for (size_t at = LINES_WHOLE; at < n; at += LINES_WHOLE - at % 7)
		memcpy(p + at - 2, "\r\n", 2);
	stream_mem_init(&m, p, n);
	l = lines_new(&m.reader, 0, n);
	while (lines_next(l, &piece, NULL) > 0)
		ck_assert(piece.first && piece.last);
	lines_free(l);
	free(p);
}
END_TEST

START_TEST(test_octets)
{
	struct lines_facts f;
	struct buf got;

	for (size_t at = 0; at < 20; at++) {
		char s[20];

		memset(s, 'a', sizeof(s));
		buf_init(&got, 4096);
		walk(s, sizeof(s), 20, &got, &f);
		ck_assert(!f.eight_bit && !f.nul);
		s[at] = (char)0x80;
		walk(s, sizeof(s), 20, &got, &f);
		ck_assert(f.eight_bit && !f.nul);
		s[at] = 0;
		walk(s, sizeof(s), 20, &got, &f);
		ck_assert(!f.eight_bit && f.nul);
		buf_clear(&got);
	}
}
END_TEST

START_TEST(test_short_reader)
{
	struct lines_piece piece;
	struct problem pr;
	struct stream_mem m;
	struct lines *l;

	stream_mem_init(&m, "abc", 3);
	l = lines_new(&m.reader, 0, 4);
	ck_assert_int_eq(lines_next(l, &piece, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	lines_free(l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lines");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_lines, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_windows);
	tcase_add_test(t, test_whole);
	tcase_add_test(t, test_octets);
	tcase_add_test(t, test_short_reader);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return suite_run(s);
}
