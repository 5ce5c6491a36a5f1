/*
 * Bodies in 7-bit form (RFC 2045 6.7, 6.8). Pure; streaming, constant memory.
 */
#ifndef POSTERN_MAIL_SEVENBIT_BODY_H
#define POSTERN_MAIL_SEVENBIT_BODY_H

#include <stdbool.h>

#include "gateway/base/stream.h"

/* Whether the octets are not 7-bit text as they are: an octet above 127 or 0, a bare CR or LF, a line above 998. */
int sevenbit_body_needed(struct reader *r, uint64_t off, uint64_t len, bool *needed_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* Whether they are no lines of text: a bare CR or LF (RFC 5321 2.3.8), which nothing but BINARYMIME carries, or what
 * some server takes for the end of the mail (dot_nul). text: the latter alone. */
int sevenbit_body_bare(struct reader *r, uint64_t off, uint64_t len, bool text, bool *bare_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* How many octets quoted-printable would have to write as =XX, `=` apart. */
int sevenbit_body_odd(struct reader *r, uint64_t off, uint64_t len, uint64_t *odd_r, struct problem *pr)
    __attribute__((warn_unused_result));

enum sevenbit_form {
	SEVENBIT_QP,	    /* the octets in quoted-printable; CRLF stays a line end */
	SEVENBIT_QP_REPAIR, /* it is quoted-printable with octets or lines that may not be: `=` stays */
	SEVENBIT_BASE64,
	SEVENBIT_BASE64_REWRAP, /* it is base64: lines of 76, nothing but its alphabet */
	SEVENBIT_PLAIN /* what nobody reads (preamble, epilogue): bad octets become ?, long lines are broken */
};
int sevenbit_body_write(struct reader *r, uint64_t off, uint64_t len, enum sevenbit_form form, struct writer *w,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
