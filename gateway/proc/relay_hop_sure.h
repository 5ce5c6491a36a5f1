/*
 * Is the way to a partner's domain under verified TLS, so that treatment `tls` can be kept? Yes where relay-host is
 * configured with relay-tls = verify, and where DANE or an MTA-STS policy with mode enforce vouches for a mail host.
 * Asked at RCPT; at each delivery the hosts are chosen anew. Relay, loop thread.
 */
#ifndef POSTERN_PROC_RELAY_HOP_SURE_H
#define POSTERN_PROC_RELAY_HOP_SURE_H

#include "gateway/proc/relay.h"

enum relay_hop_sure_answer { RELAY_HOP_SURE_NO, RELAY_HOP_SURE_YES, RELAY_HOP_SURE_UNKNOWN };
struct relay_hop_sure;
/* NO is sure: DNS and the partner's servers said so. pr: of UNKNOWN (TEMP, 451 4.7.1). */
typedef void relay_hop_sure_fn(void *ctx, enum relay_hop_sure_answer a, const struct problem *pr);
/* fn is called once, from the loop or from inside, unless cancelled; *slot is set while it is waited for. */
void relay_hop_sure_ask(
    struct relay *r, const char *domain, relay_hop_sure_fn *fn, void *ctx, struct relay_hop_sure **slot);
/* NULL is allowed. */
void relay_hop_sure_cancel(struct relay_hop_sure *q);

#endif
