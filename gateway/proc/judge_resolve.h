/*
 * One recipient of one sender: rule, partner, certificates, our signer; everything that policy_outbound and the
 * sealer need. Role judge; reads the store, blocks on the disk at most. Decides nothing itself: that is
 * policy_outbound's.
 */
#ifndef POSTERN_PROC_JUDGE_RESOLVE_H
#define POSTERN_PROC_JUDGE_RESOLVE_H

#include "certstore/judge_proto.h"
#include "certstore/source.h"
#include "gateway/proc/judge_certs.h"
#include "gateway/proc/judge_world.h"

/* Fills v_r; its octets live in the arena (256 KiB suffices). 0; or -1 when it cannot be told now, with v_r->temp and
 * v_r->pr set (451). w->cache must be set. run: what may be asked of the network, NULL nothing; while run->pending is
 * not 0 afterwards, the answer is none yet, and the question is to be asked again. */
int judge_resolve(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_resolve *rq, int64_t now, struct arena *a, struct judge_verdict *v_r);
/* The same, with every certificate that was looked at (explain). certs_r may be NULL. */
int judge_resolve_trace(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_resolve *rq, int64_t now, struct arena *a, struct judge_verdict *v_r,
    struct judge_certs *certs_r);

#endif
