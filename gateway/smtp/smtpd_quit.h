/* The verb QUIT. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_QUIT_H
#define POSTERN_SMTP_SMTPD_QUIT_H

#include <stddef.h>

struct smtpd;
void smtpd_quit(struct smtpd *s, const char *arg, size_t n);

#endif
