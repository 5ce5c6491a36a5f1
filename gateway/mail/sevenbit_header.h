/*
 * Header fields in 7-bit form, lines of lawful length (RFC 2047, RFC 5322 2.1.1). Pure.
 */
#ifndef POSTERN_MAIL_SEVENBIT_HEADER_H
#define POSTERN_MAIL_SEVENBIT_HEADER_H

#include "gateway/mail/header.h"

/* Writes all fields in their order and the empty line. cte is the value Content-Transfer-Encoding gets where it
 * stands, or at the end when it does not stand; NULL leaves it alone. A field without octets above 126 and with lines
 * of at most 998 stays octet for octet; text above 126 becomes encoded words (utf-8 where it is that, else
 * unknown-8bit). 0, or -1: a line that cannot be folded (554 5.6.0), an address with octets above 126
 * (554 5.6.3: it has no 7-bit form), or the writer's problem. */
int sevenbit_header_write(const struct header *h, const char *cte, struct writer *w, struct problem *pr)
    __attribute__((warn_unused_result));
/* The same, but all other fields octet for octet, whatever stands in them: nothing but the encoding is said anew. */
int sevenbit_header_relabel(const struct header *h, const char *cte, struct writer *w, struct problem *pr)
    __attribute__((warn_unused_result));
/* One field as sevenbit_header_write does. 0 / -1. */
int sevenbit_header_field(const struct header_field *f, struct writer *w, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
