/* What partners' readers can open, taken from mail whose signers are believed. Role judge; writes the store. */
#ifndef POSTERN_PROC_JUDGE_LEARN_H
#define POSTERN_PROC_JUDGE_LEARN_H

#include "certstore/judge_proto.h"
#include "certstore/store.h"
#include "gateway/proc/judge_world.h"

/* Of every signer that was answered with GOOD, and of no other; t->v[i].caps then tells which capabilities are the
 * ones in use, "" none of them. A store that cannot be written loses a hint and nothing else: it is logged. */
void judge_learn(
    struct store *s, const struct judge_world *w, const struct judge_signers *rq, struct judge_trust *t, int64_t now);

#endif
