/*
 * What each client of the SMTP server does: open sessions, and how many sessions, recipients and errors within the
 * last minute. A table of bounded size; a client is an IPv4 address or an IPv6 network of 64 bits (one customer has
 * that many addresses). Pure but for its memory; times are given. Role relay, loop thread.
 */
#ifndef POSTERN_SMTP_SMTPD_CLIENTS_H
#define POSTERN_SMTP_SMTPD_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#define SMTPD_CLIENT_KEY 64

enum smtpd_rate { SMTPD_RATE_SESSIONS, SMTPD_RATE_RECIPIENTS, SMTPD_RATE_ERRORS, SMTPD_RATE_XSMG, SMTPD_RATES };

struct smtpd_clients;
struct smtpd_client;

/* At most max clients are remembered; beyond that the one that has been without a session the longest is forgotten.
 */
struct smtpd_clients *smtpd_clients_new(size_t max);
void smtpd_clients_free(struct smtpd_clients *t);
/* client: as smtpd_client() writes it. Gives the name it is counted under: itself, or "IPv6:2001:db8:1:2::/64". */
const char *smtpd_clients_key(const char *client, char out[SMTPD_CLIENT_KEY]);
/* One more open session of this client; NULL: the table is full of clients that have sessions. */
struct smtpd_client *smtpd_clients_enter(struct smtpd_clients *t, const char *client);
/* One less. c may be forgotten from now on. */
void smtpd_clients_leave(struct smtpd_clients *t, struct smtpd_client *c);
size_t smtpd_clients_known(const struct smtpd_clients *t);
size_t smtpd_client_sessions(const struct smtpd_client *c);
/* How many within the last minute (the minute before counts for the part of it that is in there). now: loop_now_ms.
 */
int64_t smtpd_client_rate(struct smtpd_client *c, enum smtpd_rate r, int64_t now);
/* One more. */
void smtpd_client_count(struct smtpd_client *c, enum smtpd_rate r, int64_t now);

#endif
