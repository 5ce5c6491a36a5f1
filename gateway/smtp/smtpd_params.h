/* The parameters behind the path of MAIL and RCPT (RFC 5321 4.1.2 Mail-parameters). Pure. */
#ifndef POSTERN_SMTP_SMTPD_PARAMS_H
#define POSTERN_SMTP_SMTPD_PARAMS_H

#include <stddef.h>

#include "gateway/base/problem.h"

struct smtpd_param {
	const char *key;
	size_t nkey;
	const char *value; /* NULL without "=" */
	size_t nvalue;
};

/* Takes the next parameter from *p, *n (which begin with a blank or are empty). 1 = one, 0 = no more, -1 = bad syntax
 * (501 5.5.4). */
int smtpd_params_next(const char **p, size_t *n, struct smtpd_param *out_r, struct problem *pr)
    __attribute__((warn_unused_result));

/* -1 with pr: 555 5.5.4, it is not announced here. */
int smtpd_params_unknown(const struct smtpd_param *p, struct problem *pr);

#endif
