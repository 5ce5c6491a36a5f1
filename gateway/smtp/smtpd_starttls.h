/* The verb STARTTLS. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_STARTTLS_H
#define POSTERN_SMTP_SMTPD_STARTTLS_H

#include <stddef.h>

struct smtpd;
void smtpd_starttls(struct smtpd *s, const char *arg, size_t n);
/* The handshake ended: why NULL = well. */
void smtpd_starttls_done(struct smtpd *s, const char *why);

#endif
