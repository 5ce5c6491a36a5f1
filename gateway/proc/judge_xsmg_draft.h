/*
 * What a domain of ours says of itself now: its certificates with their times, what it can read, what it promises.
 * Role judge; reads the store, writes nothing. When it is made and given out: judge_xsmg_own.c.
 */
#ifndef POSTERN_PROC_JUDGE_XSMG_DRAFT_H
#define POSTERN_PROC_JUDGE_XSMG_DRAFT_H

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_world.h"
#include "gateway/proc/statement_settings.h"
#include "gateway/xsmg/statement.h"

struct judge_xsmg_draft {
	struct statement st; /* without serial and id */
	/* who signs: the present statement key, and during a change the one before it */
	const struct store_identity *signers[STATEMENT_SIGNERS_MAX];
	size_t nsigners;
	char facts[65]; /* SHA-256 of all but its times */
};
/* message_max: octets of the largest message that is taken. 1 with *d_r, whose pointers lead into the arena (1 MiB)
 * and the cache's identities; 0 when nothing can be said: why; -1 with pr: the store. */
int judge_xsmg_draft(const struct judge_world *w, const struct statement_settings *set, uint64_t message_max,
    struct store *s, const char *domain, int64_t now, struct arena *a, struct judge_xsmg_draft *d_r, char *why,
    size_t cap, struct problem *pr) __attribute__((warn_unused_result));
/* The draft with this serial as a SignedData; id_r: of its content. Asks the keeper; blocks on it. */
int judge_xsmg_draft_sign(struct judge_xsmg_draft *d, struct keys_client *keys, int64_t now, int64_t serial,
    struct buf *der_r, char id_r[STATEMENT_ID + 1], struct problem *pr) __attribute__((warn_unused_result));
/* The identity of a use that is used at `now` (the newest that began), NULL none. */
const struct store_identity *judge_xsmg_draft_present(struct judge_cache *c, const struct store_identity *list,
    size_t n, const char *domain, enum store_use use, int64_t now);

#endif
