/*
 * Boundaries of multiparts and the lines that carry them (RFC 2046 5.1.1). Pure.
 */
#ifndef POSTERN_MAIL_MIME_BOUNDARY_H
#define POSTERN_MAIL_MIME_BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/mail/mime.h"

#define MIME_BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */

struct mime_boundary {
	char text[MIME_BOUNDARY_MAX + 1];
	size_t len;
};
/* The boundary of a multipart. 0, or -1 with pr: missing, empty, over-long, forbidden octets. */
int mime_boundary_of(const struct mime_type *t, struct mime_boundary *b_r, struct problem *pr)
    __attribute__((warn_unused_result));

enum mime_boundary_line {
	MIME_BOUNDARY_NONE, /* any other line */
	MIME_BOUNDARY_ODD,  /* begins like the delimiter and goes on: RFC 2046 5.1.2 lets a reader take it for one */
	MIME_BOUNDARY_DELIMITER,
	MIME_BOUNDARY_CLOSE
};
/* What a line (n octets, without CRLF) is to b. Blanks at its end are padding. */
enum mime_boundary_line mime_boundary_judge(const struct mime_boundary *b, const uint8_t *p, size_t n);
/* No line can be a delimiter of both. */
bool mime_boundary_apart(const struct mime_boundary *a, const struct mime_boundary *b);

#endif
