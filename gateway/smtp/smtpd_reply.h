/* Reply lines of the server (RFC 5321 4.2, RFC 2034). Pure. smtpd_reply itself is declared in smtpd.h. */
#ifndef POSTERN_SMTP_SMTPD_REPLY_H
#define POSTERN_SMTP_SMTPD_REPLY_H

#include <stdbool.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

/* The problem as a reply; what it left open (code, enhanced code) follows from its class. 0, -1 when out is full. */
int smtpd_reply_problem(struct buf *out, const struct problem *pr, bool utf8) __attribute__((warn_unused_result));
/* The code such a reply begins with. */
int smtpd_reply_code(const struct problem *pr);

#endif
