/*
 * XSMG in sessions from outside (docs/XSMG.md): GET is answered with what the judge says of our statement, PUT hands
 * it a hint. Relay, loop thread. Knows nothing of what is in a statement.
 */
#ifndef POSTERN_PROC_RELAY_XSMG_SERVER_H
#define POSTERN_PROC_RELAY_XSMG_SERVER_H

#include "gateway/proc/relay.h"
#include "gateway/smtp/smtpd.h"

/* Statements given out lately, and who asks how often. */
struct relay_xsmg_given;
struct relay_xsmg_given *relay_xsmg_given_new(struct relay *r);
void relay_xsmg_given_free(struct relay_xsmg_given *g);

/* As in smtpd_ops; app is the relay. */
void relay_xsmg_server(void *app, struct smtpd *s, const char *arg, size_t n);
int relay_xsmg_server_line(void *app, struct smtpd *s, const char *p, size_t n, struct problem *pr);
void relay_xsmg_server_end(void *app, struct smtpd *s);
void relay_xsmg_server_over(void *app, struct smtpd *s);

#endif
