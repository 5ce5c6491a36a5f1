/*
 * A report of ours with a whole 8-bit message in it, for a server that takes 7 bits only (RFC 6152 3). Pure; relay.
 * The message cannot be encoded as message/rfc822 (RFC 2046 5.2.1); as message/global it can (RFC 6532 3.7), and it
 * is not looked into for that.
 */
#ifndef POSTERN_MAIL_DSN_SEVEN_H
#define POSTERN_MAIL_DSN_SEVEN_H

#include "gateway/base/stream.h"

#define DSN_SEVEN_MAX (4 * 1024 * 1024) /* octets of a report */

/* Writes the report at r, which dsn_write has made, in 7 bits. 0; -1 with pr: not such a report, too large, or r or w
 * fails. Holds it in memory. */
int dsn_seven(struct reader *r, struct writer *w, struct problem *pr) __attribute__((warn_unused_result));

#endif
