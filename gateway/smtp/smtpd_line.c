/*
 * Command lines out of a stream of octets. Pure. RFC 5321 2.3.8 and 4.5.3.1.4.
 *
 * A line ended by LF alone is answered (its sender waits for that), but what follows up to the next CRLF is still the
 * same line to everyone who reads the RFC, and is not interpreted either: two servers that disagree on where a
 * command begins are how commands are smuggled.
 */
#include "gateway/smtp/smtpd_line.h"

#include <string.h>

void smtpd_line_init(struct smtpd_line *l)
{
	*l = (struct smtpd_line){0};
}

static const char *bad_octet(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == '\r')
			return "a CR without LF in the command; lines end with CRLF (RFC 5321 2.3.8)";
		if (c == 0)
			return "a NUL in the command";
		if (c < 32 || c == 127)
			return "a control character in the command";
	}
	return NULL;
}

/* No LF yet. Of a line already too long only the last octet matters: it may be the CR before the LF. */
static void skip(struct smtpd_line *l, size_t n, size_t max, struct smtpd_line_got *got)
{
	if (n <= max && !l->overlong)
		return;
	l->overlong = true;
	got->used = n > 1 ? n - 1 : 0;
	l->skipped += got->used;
}

int smtpd_line_take(struct smtpd_line *l, const void *p, size_t n, size_t max, struct smtpd_line_got *got)
{
	const char *at = p, *lf = n ? memchr(p, '\n', n) : NULL;

	*got = (struct smtpd_line_got){0};
	if (!lf) {
		skip(l, n, max, got);
		return 0;
	}

	size_t len = (size_t)(lf - at);
	bool crlf = len > 0 && lf[-1] == '\r', tail = l->behind_lf, overlong = l->overlong || len + 1 > max;

	got->used = len + 1;
	*l = (struct smtpd_line){.behind_lf = !crlf};
	if (overlong)
		got->why = "the command line is too long";
	else if (!crlf || tail)
		got->why = "an LF without CR in the command; lines end with CRLF (RFC 5321 2.3.8)";
	else
		got->why = bad_octet(at, len - 1);
	if (got->why)
		return -1;
	len--;
	/* RFC 5321 4.1.1: blanks before the CRLF are tolerated. */
	while (len > 0 && at[len - 1] == ' ')
		len--;
	got->p = at;
	got->n = len;
	return 1;
}
