/*
 * Text of ours, with names from outside in it, as unstructured text of a header field or inside a comment: what is
 * not ASCII in encoded words (RFC 2047). Pure.
 */
#ifndef POSTERN_MAIL_ENCWORD_H
#define POSTERN_MAIL_ENCWORD_H

#include <stddef.h>

#include "gateway/base/buf.h"

/* Octets of the character at p when a reader may be shown it: UTF-8, no control character (C0, DEL, C1), no line or
 * paragraph separator, nothing that turns the direction. 0: a '?' stands for the octets taken_r. */
size_t encword_char(const char *p, size_t n, size_t *taken_r);
/*
 * Appends the text in ASCII: words that have other characters in them, that look like an encoded word already, or are
 * longer than 200 octets, become encoded words of at most 75 octets (UTF-8, Q), never cut inside a character; the
 * blanks between two of them go into them. Blanks and line ends become one blank. What is not to be shown becomes
 * '?'. special: octets that get a backslash in front where they stand outside encoded words (in a comment "()\\"), ""
 * for none. So nothing that the text holds is a line end, a control character or the end of a comment, read as it
 * stands or decoded. 0, or -1 past out's maximum.
 */
int encword_add(struct buf *out, const char *text, size_t n, const char *special) __attribute__((warn_unused_result));

#endif
