/* The verb VRFY. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_VRFY_H
#define POSTERN_SMTP_SMTPD_VRFY_H

#include <stddef.h>

struct smtpd;
void smtpd_vrfy(struct smtpd *s, const char *arg, size_t n);

#endif
