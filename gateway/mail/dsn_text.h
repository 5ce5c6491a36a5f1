/*
 * Texts inside a delivery report: xtext (RFC 3461 4), addresses beyond ASCII (RFC 6533), lines of UTF-8. Total on any
 * octets. Pure.
 */
#ifndef POSTERN_MAIL_DSN_TEXT_H
#define POSTERN_MAIL_DSN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"

#define DSN_TEXT_MAX 1024

bool dsn_text_is_ascii(const char *s);
/* xtext -> text; what is not xtext stays as it stands. Cut at DSN_TEXT_MAX - 1. */
void dsn_text_decode(const char *xtext, char text_r[DSN_TEXT_MAX]);
/* RFC 6533 3: utf-8-addr-xtext, "\x{E9}" for what is not ASCII. What is not UTF-8 becomes '?'. Cut at a whole
 * character. */
void dsn_text_escape(const char *utf8, char text_r[DSN_TEXT_MAX]);
/* Appends one line with CRLF, not folded: UTF-8 as it is, control octets as blanks, other octets as '?', cut at 996
 * octets. -1 past out's maximum. */
int dsn_text_clean(struct buf *out, const char *s, size_t n) __attribute__((warn_unused_result));

#endif
