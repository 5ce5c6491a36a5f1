/* Our own identities: the list for relay, and which of them signs for a domain. Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_IDENTITIES_H
#define POSTERN_PROC_JUDGE_IDENTITIES_H

#include "certstore/judge_proto.h"
#include "gateway/proc/judge_cache.h"

/* One packet's worth for relay from the *at-th on: those that open mail (retired ones too) and the TLS ones. Sets
 * more, moves *at. Octets are in the arena (1 MiB suffices). Begin with *at = 0; an empty list is one packet. 0 / -1
 * with pr. */
int judge_identities(struct judge_cache *c, struct store *s, size_t *at, struct arena *a,
    struct judge_identity_list *l_r, struct problem *pr) __attribute__((warn_unused_result));

/* The identity of a domain for a use (STORE_SIGN, STORE_DECRYPT) that is active, readable, strong and valid now, the
 * newest. NULL when there is none: then why says what speaks against each. Valid until the next judge_cache_begin. -1
 * with pr when the store cannot be read. */
int judge_identities_find(struct judge_cache *c, struct store *s, const char *domain, enum store_use use, int64_t now,
    const struct store_identity **i_r, char *why, size_t cap, struct problem *pr) __attribute__((warn_unused_result));

#endif
