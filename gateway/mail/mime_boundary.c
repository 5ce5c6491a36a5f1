/*
 * Boundaries: RFC 2046 5.1.1. Pure; sealer.
 * A line is a delimiter when nothing but blanks stands behind the boundary, as mail readers do it. RFC 2046 5.1.2
 * allows a reader to compare the beginning alone; such a line is reported as odd, for those (multipart/signed) who
 * cannot have it.
 */
#include "gateway/mail/mime_boundary.h"

#include <string.h>

static int bad(struct problem *pr, const char *why)
{
	return problem_set(
	    pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2046 5.1.1", "The MIME structure is malformed: %s.", why);
}

int mime_boundary_of(const struct mime_type *t, struct mime_boundary *b_r, struct problem *pr)
{
	const char *text = mime_param(t, "boundary");
	size_t n = text ? strlen(text) : 0;

	b_r->len = 0;
	b_r->text[0] = 0;
	if (n == 0)
		return bad(pr, "a multipart has no boundary");
	if (n > MIME_BOUNDARY_MAX)
		return bad(pr, "a boundary is longer than 70 octets");
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return bad(pr, "a boundary has a forbidden character in it");
	if (text[n - 1] == ' ')
		return bad(pr, "a boundary ends with a blank");
	memcpy(b_r->text, text, n + 1);
	b_r->len = n;
	return 0;
}

enum mime_boundary_line mime_boundary_judge(const struct mime_boundary *b, const uint8_t *p, size_t n)
{
	bool closing;

	if (n < b->len + 2 || p[0] != '-' || p[1] != '-' || memcmp(p + 2, b->text, b->len) != 0)
		return MIME_BOUNDARY_NONE;
	p += b->len + 2;
	n -= b->len + 2;
	closing = n >= 2 && p[0] == '-' && p[1] == '-';
	for (size_t i = closing ? 2 : 0; i < n; i++)
		if (p[i] != ' ' && p[i] != '\t')
			return MIME_BOUNDARY_ODD;
	return closing ? MIME_BOUNDARY_CLOSE : MIME_BOUNDARY_DELIMITER;
}

static bool closes(const struct mime_boundary *a, const struct mime_boundary *b)
{
	return a->len == b->len + 2 && memcmp(a->text, b->text, b->len) == 0 &&
	       memcmp(a->text + b->len, "--", 2) == 0;
}

bool mime_boundary_apart(const struct mime_boundary *a, const struct mime_boundary *b)
{
	if (a->len == b->len && memcmp(a->text, b->text, a->len) == 0)
		return false;
	return !closes(a, b) && !closes(b, a);
}
