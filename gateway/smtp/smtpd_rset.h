/* The verb RSET. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_RSET_H
#define POSTERN_SMTP_SMTPD_RSET_H

#include <stddef.h>

struct smtpd;
void smtpd_rset(struct smtpd *s, const char *arg, size_t n);

#endif
