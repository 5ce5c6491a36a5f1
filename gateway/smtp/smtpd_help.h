/* The verb HELP. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_HELP_H
#define POSTERN_SMTP_SMTPD_HELP_H

#include <stddef.h>

struct smtpd;
void smtpd_help(struct smtpd *s, const char *arg, size_t n);

#endif
