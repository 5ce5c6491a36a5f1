/*
 * MAIL and RCPT with their parameters, and whether this host can be given this mail at all. Role relay. Pure.
 * RFC 1870 (SIZE), RFC 3461 (DSN), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC 8689 (REQUIRETLS).
 */
#ifndef POSTERN_SMTP_SMTPC_PARAMS_H
#define POSTERN_SMTP_SMTPC_PARAMS_H

#include "gateway/smtp/smtpc_state.h"

#define SMTPC_PARAMS_LINE 1024

/* The content has 8-bit octets. */
bool smtpc_params_eight(const struct smtpc_mail *m);
/* May the address stand in a command? 0, or -1 with pr (PERM). */
int smtpc_params_path(const struct smtpc *c, const char *address, const char *what, struct problem *pr)
    __attribute__((warn_unused_result));
/* REQUIRETLS: is this a host and a connection that may have the mail? 0, or -1 with pr (PERM 5.7.30). */
int smtpc_params_requiretls(const struct smtpc *c, struct problem *pr) __attribute__((warn_unused_result));
/* Anything in the mail as a whole that this host cannot be given? Sender, size, 8-bit content, SMTPUTF8. 0, or -1
 * with pr (PERM). */
int smtpc_params_mail(const struct smtpc *c, uint64_t size, struct problem *pr) __attribute__((warn_unused_result));

const char *smtpc_params_mail_line(const struct smtpc *c, uint64_t size, char out[SMTPC_PARAMS_LINE]);
const char *smtpc_params_rcpt_line(const struct smtpc *c, const struct smtpc_rcpt *r, char out[SMTPC_PARAMS_LINE]);

#endif
