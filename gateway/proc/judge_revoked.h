/* What is remembered of revoked certificates, for revoke.c, and what the settings say of asking. Role judge; reads
 * and writes the store. */
#ifndef POSTERN_PROC_JUDGE_REVOKED_H
#define POSTERN_PROC_JUDGE_REVOKED_H

#include "certstore/revoke.h"
#include "gateway/proc/judge_cache.h"

struct judge_revoked {
	struct judge_cache *cache;
	struct store *store;
	int64_t now;
	struct revoke_memory memory; /* filled by judge_revoked_init; its ctx is this struct */
};
void judge_revoked_init(struct judge_revoked *j, struct judge_cache *c, struct store *s, int64_t now);

#endif
