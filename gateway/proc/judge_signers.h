/* Are the signers of an incoming message to be believed for its author? Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_SIGNERS_H
#define POSTERN_PROC_JUDGE_SIGNERS_H

#include "certstore/judge_proto.h"
#include "certstore/source.h"
#include "certstore/store.h"
#include "gateway/proc/judge_world.h"

/* One answer for each signer asked about, in order; of those whose certificate is not in the message also the
 * certificates in the store that they can mean, weighed (in the arena). What cannot be told now is JUDGE_TRUST_TEMP.
 * w->cache must be set. run: what may be asked of the network, NULL nothing; while run->pending is not 0 afterwards,
 * the answer is none yet. */
void judge_signers(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_signers *rq, int64_t now, struct arena *a, struct judge_trust *t_r);

#endif
