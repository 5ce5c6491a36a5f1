/* The verbs EHLO and HELO. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_EHLO_H
#define POSTERN_SMTP_SMTPD_EHLO_H

#include <stddef.h>

struct smtpd;
void smtpd_ehlo(struct smtpd *s, const char *arg, size_t n);
void smtpd_ehlo_helo(struct smtpd *s, const char *arg, size_t n);

#endif
