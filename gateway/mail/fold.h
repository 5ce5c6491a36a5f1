/*
 * Text of ours put into lines of a message (RFC 5322 2.1.1, 2.2.3): 7-bit, no control octets, short lines. Pure.
 */
#ifndef POSTERN_MAIL_FOLD_H
#define POSTERN_MAIL_FOLD_H

#include <stddef.h>

#include "gateway/base/buf.h"

enum fold_kind {
	FOLD_FIELD, /* lines behind the first begin with a blank */
	FOLD_TEXT   /* lines of a text/plain */
};
/* Appends the text in lines of at most 78 octets where blanks allow it, each with CRLF. CR, LF and tab become blanks,
 * runs of blanks one, other control octets and those above 126 '?'; a word longer than 500 is broken. So nothing in
 * the text can begin a field or end a header. 0, or -1 past out's maximum (nothing appended). */
int fold_add(struct buf *out, enum fold_kind kind, const char *text, size_t n) __attribute__((warn_unused_result));

#endif
