/* smtpd_line.c: what is a line, what is a bad one; every stream whole and split at every octet gives the same. */
#include "gateway/smtp/smtpd_line.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { MAX = 16 };

static const struct {
	const char *in;
	size_t n;
	const char *want; /* lines in [], bad ones as !l too long, !f LF, !r CR, !0 NUL, !c control */
} cases[] = {
#define T(in, want)                                                                                                  \
	{                                                                                                            \
		in, sizeof(in) - 1, want                                                                             \
	}
    T("NOOP\r\n", "[NOOP]"),
    T("NOOP  \r\n", "[NOOP]"),
    T("\r\n", "[]"),
    T("A\r\nB\r\n", "[A][B]"),
    T("A\r\nB", "[A]"),
    T("A\r", ""),
    T("A\n", "!f"),
    T("A\nB\r\nC\r\n", "!f!f[C]"),
    T("A\nB\nC\r\nD\r\n", "!f!f!f[D]"),
    T("\nB\r\nC\r\n", "!f!f[C]"),
    T("A\rB\r\nC\r\n", "!r[C]"),
    T("A\r\r\nC\r\n", "!r[C]"),
    T("A\0B\r\nC\r\n", "!0[C]"),
    T("A\tB\r\n", "!c"),
    T("A\177B\r\n", "!c"),
    T("A\377B\r\n", "[A\377B]"),
    T("0123456789abcd\r\nC\r\n", "[0123456789abcd][C]"),
    T("0123456789abcde\r\nC\r\n", "!l[C]"),
    T("0123456789abcdefghijklmnopqrstuvw\r\nC\r\n", "!l[C]"),
    T("0123456789abcdefghijklmnopqrstuvw\nC\r\nD\r\n", "!l!f[D]"),
    T("0123456789abcdefghijk\rlmnopqrstuvw\r\nC\r\n", "!l[C]"),
    T("0123456789abcdefghijklmnopqrstuvw\r", ""),
    T("0123456789abcde\n", "!f"),
    T("0123456789abcdef\n", "!l"),
#undef T
};

static void note(char *out, size_t cap, int r, const struct smtpd_line_got *g)
{
	size_t at = strlen(out);
	char why = 0;

	if (r == 1) {
		snprintf(out + at, cap - at, "[%.*s]", (int)g->n, g->p);
		return;
	}
	ck_assert_ptr_nonnull(g->why);
	why = strstr(g->why, "long")	  ? 'l'
	      : strstr(g->why, "an LF")	  ? 'f'
	      : strstr(g->why, "a CR")	  ? 'r'
	      : strstr(g->why, "NUL")	  ? '0'
	      : strstr(g->why, "control") ? 'c'
					  : '?';
	snprintf(out + at, cap - at, "!%c", why);
}

/* Takes lines from the n octets at p, a copy of its own size so that reading too far is seen. Returns the octets left
 * over. */
static size_t take_all(struct smtpd_line *l, const char *p, size_t n, char *out, size_t cap)
{
	char *copy = malloc(n ? n : 1);
	size_t off = 0;
	struct smtpd_line_got g;
	int r;

	memcpy(copy, p, n);
	while ((r = smtpd_line_take(l, copy + off, n - off, MAX, &g)) != 0) {
		note(out, cap, r, &g);
		ck_assert_uint_gt(g.used, 0);
		off += g.used;
	}
	off += g.used;
	ck_assert_uint_le(off, n);
	ck_assert_uint_le(n - off, MAX);
	free(copy);
	return n - off;
}

START_TEST(splits)
{
	for (size_t k = 0; k <= cases[_i].n; k++) {
		struct smtpd_line l;
		char out[200] = "";

		smtpd_line_init(&l);

		size_t left = take_all(&l, cases[_i].in, k, out, sizeof out);

		/* What was left is still in the buffer, unless it was thrown away as part of a line that is too long.
		 */
		take_all(&l, cases[_i].in + k - left, cases[_i].n - k + left, out, sizeof out);
		ck_assert_msg(strcmp(out, cases[_i].want) == 0, "split %zu: %s, not %s", k, out, cases[_i].want);
	}
}
END_TEST

START_TEST(octet_by_octet)
{
	struct smtpd_line l;
	char out[200] = "";
	size_t from = 0;

	smtpd_line_init(&l);
	for (size_t k = 1; k <= cases[_i].n; k++)
		from = k - take_all(&l, cases[_i].in + from, k - from, out, sizeof out);
	ck_assert_str_eq(out, cases[_i].want);
}
END_TEST

START_TEST(endless)
{
	struct smtpd_line l;
	struct smtpd_line_got g;
	size_t n = 0;
	char some[100];

	memset(some, 'x', sizeof some);
	smtpd_line_init(&l);
	for (int i = 0; i < 1000; i++) {
		ck_assert_int_eq(smtpd_line_take(&l, some, sizeof some, MAX, &g), 0);
		n += g.used;
	}
	ck_assert_uint_eq(l.skipped, n);
	ck_assert_uint_eq(n, 99000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpd_line");
	TCase *t = tcase_create("smtpd_line");

	tcase_add_loop_test(t, splits, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_loop_test(t, octet_by_octet, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, endless);
	suite_add_tcase(s, t);
	return suite_run(s);
}
