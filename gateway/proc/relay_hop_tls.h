/*
 * What TLS each host of a next hop gets: the setting (relay-tls, inside-tls), DANE (RFC 7672), MTA-STS (RFC 8461) and
 * what follows where hosts of one domain differ. Role relay. Pure but for the log.
 *
 * DANE goes before MTA-STS (RFC 8461 2). Hosts whose demand cannot be known or met are left out, never used with
 * less; and where one is left out because DNS did not say, those that would take mail without TLS are left out with
 * it.
 */
#ifndef POSTERN_PROC_RELAY_HOP_TLS_H
#define POSTERN_PROC_RELAY_HOP_TLS_H

#include "gateway/proc/relay.h"
#include "gateway/scout/scout_proto.h"

/* What a host gets that has no demand of its own. */
enum smtpc_tls relay_hop_tls_least(enum conf_tls mode);
/* Which further facts the scout is to bring. */
void relay_hop_tls_ask(const struct relay *r, enum conf_tls mode, unsigned port, struct scout_ask *a);
/* v: the n hosts of got, in the same order. Sets the demand of each, moves those that may be used to the front and
 * returns their number; 0 with pr (TEMP). The caller frees the dane of all n. */
size_t relay_hop_tls_choose(const struct relay *r, enum conf_tls mode, enum scout_kind kind, const char *name,
    const struct scout_hosts *got, struct smtpc_host *v, size_t n, struct problem *pr);

/* Is there anything in the scout's answer that was asked for and could not be told: an MTA-STS policy, TLSA records?
 */
bool relay_hop_tls_unsure(const struct scout_hosts *got);

/* Of the hosts of a destination those with which TLS is verified under a name that is nobody's forgery: by DANE, by
 * an MTA-STS policy, or configured so. Their number; out (of d->nhosts, NULL: only counted) gets them in their order,
 * with no references of their own. */
size_t relay_hop_tls_sure(const struct smtpc_dest *d, struct smtpc_host *out);

#endif
