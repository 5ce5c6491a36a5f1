/* The verb RCPT. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_RCPT_H
#define POSTERN_SMTP_SMTPD_RCPT_H

#include <stddef.h>

struct smtpd;
void smtpd_rcpt(struct smtpd *s, const char *arg, size_t n);

#endif
