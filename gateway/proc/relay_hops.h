/*
 * Where a message goes next: a next-hop key ("inside:our.domain", "host" = the configured relay host,
 * "mx:partner.domain") becomes hosts with addresses. Names are asked of the scout; numeric addresses need nobody.
 * Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_HOPS_H
#define POSTERN_PROC_RELAY_HOPS_H

#include "gateway/proc/relay.h"

#define RELAY_HOP_MAX 300

struct ipc_out;
struct relay_hops *relay_hops_new(struct relay *r);
void relay_hops_free(struct relay_hops *h);
void relay_hops_channel(struct relay_hops *h, int fd);

/* A question of another kind over the same channel (relay_rcpts.c); consumes o. 0, or -1: the scout is away. */
int relay_hops_tell_scout(struct relay_hops *h, struct ipc_out *o) __attribute__((warn_unused_result));

/* The key for a recipient of that domain. */
void relay_hops_key(const struct relay *r, const char *domain, char key_r[RELAY_HOP_MAX]);
/* dest: NULL when pr says why; valid during the call. From the loop or from inside. */
typedef void relay_hops_fn(void *ctx, const struct smtpc_dest *dest, const struct problem *pr);
void relay_hops_find(struct relay_hops *h, const char *key, relay_hops_fn *fn, void *ctx);
/* The same without what DNS and policies of the domain demand (RFC 8689 5): relay-tls dane is `may`, and MTA-STS is
 * not asked. What else the configuration demands holds. */
void relay_hops_find_less(struct relay_hops *h, const char *key, relay_hops_fn *fn, void *ctx);
/* Does the outbound next hop for this domain demand a verified certificate (treatment `tls`)? */
bool relay_hops_verified(const struct relay *r, const char *domain);
/* The way to the inside server of one of our domains, for REQUIRETLS: never leaves this machine, always verified TLS,
 * or neither of them. */
enum relay_hops_inside { RELAY_HOPS_INSIDE_OPEN, RELAY_HOPS_INSIDE_VERIFIED, RELAY_HOPS_INSIDE_LOCAL };
enum relay_hops_inside relay_hops_inside(const struct relay *r, const char *domain);

#endif
