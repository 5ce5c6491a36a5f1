/*
 * A message from inside that goes out to some of its recipients and is refused to others, whose gateways take none
 * that large (XSMG, read.octets). One reply answers for all of them: the message is accepted, and in the same
 * transaction the outcome of the others is recorded and the sender told by a notice. Relay, loop thread.
 */
#ifndef POSTERN_PROC_RELAY_PARTLY_H
#define POSTERN_PROC_RELAY_PARTLY_H

#include "gateway/proc/relay_tx.h"
#include "gateway/proc/relay_settle.h"

/* The sealer's result with what goes out first. Strings and recipients stay the result's. */
struct relay_partly {
	struct job_result res; /* noutputs: those that go out */
	struct spool *outs[JOB_VERDICTS_MAX];
	size_t nrefused; /* those behind them */
};
/* NULL: nobody is refused. free it. */
struct relay_partly *relay_partly_new(const struct job_result *res, struct spool *const *outs);
/* Logs it, and adds the notice to the sender, where one is wanted, to s. -1 with pr (TEMP): it cannot be made now. */
int relay_partly_tell(const struct relay_partly *p, const struct relay_tx *t, struct relay_settle *s,
    struct problem *pr) __attribute__((warn_unused_result));
/* At RCPT, of a recipient that policy lets pass with this treatment: is the message too large for the gateway of the
 * recipient, by what SIZE said (RFC 1870; 0: nothing)? true with pr (552 5.3.4). */
bool relay_partly_too_large(
    const struct judge_verdict *v, const char *recipient, uint64_t size, bool sealed, struct problem *pr);

#endif
