/* The verb MAIL. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_MAIL_H
#define POSTERN_SMTP_SMTPD_MAIL_H

#include <stddef.h>

struct smtpd;
void smtpd_mail(struct smtpd *s, const char *arg, size_t n);

#endif
