/* BDAT and the chunk behind it (RFC 3030 2). Private to smtpd*.c. Role relay. */
#ifndef POSTERN_SMTP_SMTPD_BDAT_H
#define POSTERN_SMTP_SMTPD_BDAT_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/problem.h"

struct smtpd;

void smtpd_bdat(struct smtpd *s, const char *arg, size_t n);
/* The application has said whether the content may come. */
void smtpd_bdat_begin(struct smtpd *s, const struct problem *pr);
/* One piece of a chunk: returns whether there may be more in the input. */
bool smtpd_bdat_content(struct smtpd *s);

#endif
