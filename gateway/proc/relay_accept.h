/*
 * Listeners: accepting, who may connect, how many sessions, and the server's TLS contexts made from our TLS
 * identities (keys stay in the keeper). Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_ACCEPT_H
#define POSTERN_PROC_RELAY_ACCEPT_H

#include "gateway/proc/relay.h"
#include "gateway/smtp/smtpd.h"

struct relay_accept *relay_accept_new(struct relay *r);
void relay_accept_free(struct relay_accept *a);
/* Listening socket of listener i of the configuration (owned). Accepting begins with relay_accept_begin. */
void relay_accept_listen(struct relay_accept *a, size_t i, int fd);
void relay_accept_begin(struct relay_accept *a);
/* Our identities changed: new TLS contexts for new sessions. */
void relay_accept_identities(struct relay_accept *a);
/* Shutdown: stops accepting, 421 to all sessions. */
void relay_accept_stop(struct relay_accept *a);
size_t relay_accept_sessions(const struct relay_accept *a);
/* For relay_session: is the peer a balancer of the listener's proxy-from? */
bool relay_accept_proxied(const struct relay_accept *a, const struct smtpd *s);
/* For relay_session: may this session begin (network list, limits)? 0 counts it, -1 with pr. */
int relay_accept_count(struct relay_accept *a, struct smtpd *s, struct problem *pr);
/* A client for whom rates and shares do not hold (`unlimited` of an outside listener; any inside). */
bool relay_accept_unlimited(const struct relay_accept *a, const struct smtpd *s);
void relay_accept_uncount(struct relay_accept *a, struct smtpd *s);

#endif
