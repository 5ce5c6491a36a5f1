/* The verb DATA and the content behind it. The argument is what stands behind the verb. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_DATA_H
#define POSTERN_SMTP_SMTPD_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct smtpd;
void smtpd_data(struct smtpd *s, const char *arg, size_t n);
/* Takes content from the input. Returns whether it did anything. */
bool smtpd_data_content(struct smtpd *s);
/* When the content must have moved on (loop_now_ms). */
int64_t smtpd_data_deadline(const struct smtpd *s);

#endif
