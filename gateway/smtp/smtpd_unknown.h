/* Verbs that are known and not implemented, that must not be heard here, or that nobody knows. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_UNKNOWN_H
#define POSTERN_SMTP_SMTPD_UNKNOWN_H

#include <stddef.h>

struct smtpd;
void smtpd_unknown(struct smtpd *s, const char *arg, size_t n);
void smtpd_unknown_known(struct smtpd *s, const char *arg, size_t n);
void smtpd_unknown_http(struct smtpd *s, const char *arg, size_t n);

#endif
