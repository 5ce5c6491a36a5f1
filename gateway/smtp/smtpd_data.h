/* DATA and the content behind it (RFC 5321 4.1.1.4, 4.5.2). Private to smtpd*.c. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_DATA_H
#define POSTERN_SMTP_SMTPD_DATA_H

#include <stdbool.h>
#include <stddef.h>

struct smtpd;

void smtpd_data(struct smtpd *s, const char *arg, size_t n);
/* One piece of content: returns whether there may be more in the input. */
bool smtpd_data_content(struct smtpd *s);

#endif
