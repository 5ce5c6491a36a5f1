/*
 * What every job on incoming mail carries: our keys' certificates for the recipient's domain, its rules, names and
 * limits. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_INBOUND_H
#define POSTERN_PROC_RELAY_INBOUND_H

#include "gateway/pipeline/job_proto.h"
#include "gateway/proc/relay.h"

/* Fills rq (strings and recipients are pointed at, not copied). All recipients are of one of our domains: that of the
 * first. */
void relay_inbound_request(const struct relay *r, enum job_kind kind, const char *id, const char *sender,
    const char *trace, struct job_rcpt *rcpts, size_t n, struct job_request *rq);
/* Puts in the identities that can open mail, those of the recipients' domain first; copied to a. Does nothing when
 * they are in already. -1 TEMP: the judge did not tell them yet. */
int relay_inbound_identities(const struct relay *r, struct arena *a, struct job_request *rq, struct problem *pr);
/* What does not depend on the direction: names and limits. */
void relay_inbound_common(const struct relay *r, struct job_request *rq);

#endif
