/*
 * dot.c: every published way to end data that is not CRLF.CRLF, fed whole, split at every octet, and octet by octet.
 */
#include "gateway/mail/dot.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

struct in_case {
	const char *in;
	const char *out; /* content; NULL: not looked at, the message is refused */
	int end;	 /* octets taken at the end of data, -1 when there is none */
	int bare;
};
static const struct in_case in_cases[] = {
    /* what RFC 5321 writes */
    {".\r\n", "", 3, 0},
    {"a\r\n.\r\n", "a\r\n", 6, 0},
    {"a\r\n.\r\nQUIT\r\n", "a\r\n", 6, 0},
    {"..\r\n.\r\n", ".\r\n", 7, 0},
    {"..a\r\n...\r\n.\r\n", ".a\r\n..\r\n", 13, 0},
    {".a\r\n.\r\n", "a\r\n", 7, 0},
    {"a.\r\n.\r\n", "a.\r\n", 7, 0},
    {"a\r\n\r\n.\r\n", "a\r\n\r\n", 8, 0},
    {"\r\n\r\n.\r\n", "\r\n\r\n", 7, 0},
    {"a\r\n. \r\n.\r\n", "a\r\n \r\n", 10, 0},
    {"a\r\nb", "a\r\nb", -1, 0},
    {"a\r\n.", "a\r\n", -1, 0},
    {"a\r\n.\r", "a\r\n", -1, 0},
    /* none of these ends anything; each is refused */
    {"a\n.\nb\r\n", NULL, -1, 1},
    {"a\n.\r\nb\r\n", NULL, -1, 1},
    {"a\r\n.\nb\r\n", NULL, -1, 1},
    {"a\r.\rb\r\n", NULL, -1, 1},
    {"a\r.\r\nb\r\n", NULL, -1, 1},
    {"a\r\n.\rb\r\n", NULL, -1, 1},
    {"a\r.\nb\r\n", NULL, -1, 1},
    {"a\n.\rb\r\n", NULL, -1, 1},
    {"a\n\n.\nb", NULL, -1, 1},
    {"a\n\n.\r\nb", NULL, -1, 1},
    {"a\r\r\n", NULL, -1, 1},
    {"a\r\n.\r\r\nb\r\n", NULL, -1, 1},
    {"a\r\n\r.\r\nb", NULL, -1, 1},
    {"a\r\n\n.\r\nb", NULL, -1, 1},
    {"a\n\r.\r\nb", NULL, -1, 1},
    {"a\n\r\n.\nb", NULL, -1, 1},
    {"\n.\r\nb", NULL, -1, 1},
    {".\nb", NULL, -1, 1},
    {".\rb", NULL, -1, 1},
    {".\r\r\nb", NULL, -1, 1},
    {"..\nb", NULL, -1, 1},
    {"a\nb\r\nc", NULL, -1, 1},
    {"a\rb\r\nc", NULL, -1, 1},
    {"\n", NULL, -1, 1},
    {"a\r\n\n", NULL, -1, 1},
    /* refused, and ended by the true end behind it */
    {"a\n.\nMAIL FROM:<x@y>\r\n.\r\n", NULL, 24, 1},
    {"a\n.\r\nMAIL FROM:<x@y>\r\n.\r\n", NULL, 25, 1},
    {"a\r\r\n.\r\nb", NULL, 7, 1},
    {"a\r\n.\r\r\n.\r\nb", NULL, 10, 1},
    {"\r\r\n.\r\n", NULL, 6, 1},
    {"a\r.\r\n.\r\n", NULL, 8, 1},
};

struct in_result {
	int end, bare;
	struct buf out;
};

static int feed(struct in_result *x, struct dot_in *d, const char *p, size_t n, int before)
{
	size_t used;
	int end = dot_in_feed(d, (const uint8_t *)p, n, &used, &x->out);

	ck_assert_uint_le(used, n);
	if (end)
		x->end = before + (int)used;
	else
		ck_assert_uint_eq(used, n);
	return end;
}

static void check_in(const struct in_case *c, size_t split, size_t step)
{
	struct in_result x = {.end = -1};
	size_t n = strlen(c->in), at = 0;
	struct dot_in d;

	buf_init(&x.out, 4096);
	dot_in_init(&d);
	while (at < n) {
		size_t len = at < split && split < n ? split - at : step && step < n - at ? step : n - at;

		if (feed(&x, &d, c->in + at, len, (int)at))
			break;
		at += len;
	}
	ck_assert_int_eq(x.end, c->end);
	ck_assert_int_eq(d.bare, c->bare);
	if (c->out) {
		ck_assert_uint_eq(x.out.len, strlen(c->out));
		ck_assert_str_eq(buf_str(&x.out), c->out);
	}
	buf_clear(&x.out);
}

START_TEST(test_in)
{
	const struct in_case *c = &in_cases[_i];

	check_in(c, 0, 0);
	check_in(c, 0, 1);
	check_in(c, 0, 2);
	for (size_t split = 1; split < strlen(c->in); split++)
		check_in(c, split, 0);
}
END_TEST

/* Every string of up to seven octets over the alphabet that matters, against the rule in its plainest words. */
START_TEST(test_in_all)
{
	static const char alphabet[] = "\r\n.a";

	for (unsigned long v = 0; v < 1UL << 14; v++) {
		for (size_t n = 1; n <= 7; n++) {
			char s[16] = "\r\n"; /* the CRLF of the DATA line */
			struct in_case c = {.in = s + 2, .end = -1};
			const char *end;
			size_t stop = n + 2;

			for (size_t i = 0; i < n; i++)
				s[2 + i] = alphabet[v >> (2 * i) & 3];
			s[stop] = 0;
			end = strstr(s, "\r\n.\r\n");
			if (end) {
				c.end = (int)(end - s) + 3;
				stop = (size_t)c.end + 2;
			}
			for (size_t i = 0; i < stop; i++) {
				c.bare |= s[i] == '\n' && s[i - 1] != '\r';
				c.bare |= s[i] == '\r' && i + 1 < stop && s[i + 1] != '\n';
			}
			check_in(&c, 0, 0);
			check_in(&c, 0, 1);
		}
	}
}
END_TEST

START_TEST(test_no_content_behind_bare)
{
	struct dot_in d;
	struct buf out;
	size_t used;

	buf_init(&out, 100);
	dot_in_init(&d);
	ck_assert_int_eq(dot_in_feed(&d, (const uint8_t *)"a\n", 2, &used, &out), 0);
	ck_assert_int_eq(dot_in_feed(&d, (const uint8_t *)"bcd\r\n", 5, &used, &out), 0);
	ck_assert_uint_le(out.len, 1);
	buf_clear(&out);
}
END_TEST

static const struct {
	const char *in, *out;
	int bare;
} out_cases[] = {
    {"", ".\r\n", 0},
    {"a\r\n", "a\r\n.\r\n", 0},
    {"a", "a\r\n.\r\n", 0},
    {".", "..\r\n.\r\n", 0},
    {".\r\n", "..\r\n.\r\n", 0},
    {"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n", 0},
    {"a.b\r\n..c\r\n", "a.b\r\n...c\r\n.\r\n", 0},
    {"\r\n\r\n", "\r\n\r\n.\r\n", 0},
    {"a\n.\nb", "a\r\n..\r\nb\r\n.\r\n", 1},
    {"a\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n", 1},
    {"a\r.\rb\r\n", "a\r\n..\r\nb\r\n.\r\n", 1},
    {"a\r\r\n", "a\r\n\r\n.\r\n", 1},
    {"a\r", "a\r\n.\r\n", 1},
    {"\r\n\n.\r\n", "\r\n\r\n..\r\n.\r\n", 1},
};

static void check_out(int i, size_t split, size_t step)
{
	const char *in = out_cases[i].in;
	size_t n = strlen(in), at = 0;
	struct dot_out d;
	struct buf out;

	buf_init(&out, 4096);
	dot_out_init(&d);
	while (at < n) {
		size_t len = at < split && split < n ? split - at : step && step < n - at ? step : n - at;
		size_t before = out.len;

		dot_out_feed(&d, (const uint8_t *)in + at, len, &out);
		ck_assert_uint_le(out.len - before, 2 * len + 4);
		at += len;
	}
	dot_out_end(&d, &out);
	ck_assert_str_eq(buf_str(&out), out_cases[i].out);
	ck_assert_int_eq(d.bare, out_cases[i].bare);
	buf_clear(&out);
}

START_TEST(test_out)
{
	check_out(_i, 0, 0);
	check_out(_i, 0, 1);
	for (size_t split = 1; split < strlen(out_cases[_i].in); split++)
		check_out(_i, split, 0);
}
END_TEST

/* What goes out comes in again as it was. */
START_TEST(test_round)
{
	static const char alphabet[] = "\r\n.a";
	struct buf wire, back;

	buf_init(&wire, 100);
	buf_init(&back, 100);
	for (unsigned v = 0; v < 1u << 12; v++) {
		struct dot_out o;
		struct dot_in d;
		uint8_t s[6];
		size_t used;

		for (size_t i = 0; i < 6; i++)
			s[i] = (uint8_t)alphabet[v >> (2 * i) & 3];
		buf_reset(&wire);
		buf_reset(&back);
		dot_out_init(&o);
		dot_in_init(&d);
		dot_out_feed(&o, s, 6, &wire);
		dot_out_end(&o, &wire);
		ck_assert_int_eq(dot_in_feed(&d, wire.p, wire.len, &used, &back), 1);
		ck_assert_uint_eq(used, wire.len);
		ck_assert_int_eq(d.bare, 0);
		if (!o.bare && s[4] == '\r' && s[5] == '\n') {
			ck_assert_uint_eq(back.len, 6);
			ck_assert_mem_eq(back.p, s, 6);
		}
	}
	buf_clear(&wire);
	buf_clear(&back);
}
END_TEST

/* ---- NUL ---- */

static const struct {
	const char *in;
	size_t n;
	int bad;
} nuls[] = {
#define NULS(text, bad)                                                                                              \
	{                                                                                                            \
		text, sizeof(text) - 1, bad                                                                          \
	}
    NULS("\0.\r\n", 1), NULS("a\r\n\0\0.\0\r\nMAIL", 1), NULS("\0\r\n\0.\r\n", 1),
    NULS(".\0\r\n", 0), /* leaves with its dot doubled */
    NULS("a\0.\r\n", 0), NULS("\0..\r\n", 0), NULS("\0.a\r\n", 0), NULS("\0\r\n.\r\n", 0),
    NULS("a\r\n\0.", 0), /* not ended */
#undef NULS
};

/* However it is cut. */
START_TEST(test_nul)
{
	for (size_t cut = 0; cut <= nuls[_i].n; cut++)
		for (size_t next = cut; next <= nuls[_i].n; next++) {
			struct dot_nul d;
			const uint8_t *p = (const uint8_t *)nuls[_i].in;
			int bad;

			dot_nul_init(&d);
			bad = dot_nul_feed(&d, p, cut) | dot_nul_feed(&d, p + cut, next - cut) |
			      dot_nul_feed(&d, p + next, nuls[_i].n - next);
			ck_assert_int_eq(bad, nuls[_i].bad);
		}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dot");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_in, 0, (int)(sizeof(in_cases) / sizeof(in_cases[0])));
	tcase_add_test(t, test_in_all);
	tcase_add_loop_test(t, test_nul, 0, (int)(sizeof(nuls) / sizeof(nuls[0])));
	tcase_add_test(t, test_no_content_behind_bare);
	tcase_add_loop_test(t, test_out, 0, (int)(sizeof(out_cases) / sizeof(out_cases[0])));
	tcase_add_test(t, test_round);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	return suite_run(s);
}
