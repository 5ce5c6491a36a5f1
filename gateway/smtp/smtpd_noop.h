/* The verb NOOP. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_NOOP_H
#define POSTERN_SMTP_SMTPD_NOOP_H

#include <stddef.h>

struct smtpd;
void smtpd_noop(struct smtpd *s, const char *arg, size_t n);

#endif
