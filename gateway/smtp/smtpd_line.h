/*
 * Command lines out of a stream of octets: CRLF alone ends a line (RFC 5321 2.3.8). Pure. Any split of the stream
 * gives the same lines.
 */
#ifndef POSTERN_SMTP_SMTPD_LINE_H
#define POSTERN_SMTP_SMTPD_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct smtpd_line {
	bool overlong;	/* the line under way is over the maximum; its beginning was thrown away */
	bool behind_lf; /* the line under way follows an LF without CR: it is the rest of a bad line */
	size_t skipped; /* octets of it thrown away */
};

struct smtpd_line_got {
	const char *p; /* the line without CRLF and trailing blanks */
	size_t n;
	size_t used;	 /* octets to take out of the stream (may be > 0 also when more is needed) */
	const char *why; /* -1: what is wrong with the line */
};

void smtpd_line_init(struct smtpd_line *l);
/* The next line of the n octets at p; max counts its CRLF. 1 = a line, 0 = more is needed, -1 = a line that must not
 * be interpreted (take it out, answer 500). */
int smtpd_line_take(struct smtpd_line *l, const void *p, size_t n, size_t max, struct smtpd_line_got *got_r)
    __attribute__((warn_unused_result));

#endif
