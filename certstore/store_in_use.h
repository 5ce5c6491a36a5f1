/* Certificates that only the network has and that mail is encrypted to: when they run out. Part of store.h, which
 * says who calls, what blocks and who frees. No change of trust: the audit log has none of it. */
#ifndef POSTERN_CERTSTORE_STORE_IN_USE_H
#define POSTERN_CERTSTORE_STORE_IN_USE_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_in_use {
	char *owner; /* a domain or an address, as in store_believed.h */
	char sha256[65];
	char *subject, *serial;
	int64_t not_after; /* unix s */
	int64_t used;	   /* unix s: mail was last encrypted to it, to a day */
};
/* Noted once, and its last use once a day; the same again costs a look and writes nothing. */
int store_in_use_put(struct store *s, const struct store_in_use *u, struct problem *pr)
    __attribute__((warn_unused_result));
/* Those that are still the ones believed for their owner, that the store itself has not got, that were used since
 * then, and that run out between the two times; soonest first, at most max. */
int store_in_use_expiring(struct store *s, int64_t used, int64_t from, int64_t before, size_t max,
    struct store_in_use **list_r, size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));
void store_in_use_free(struct store_in_use *l, size_t n);
/* Forgets those that ran out before, and those that are believed for nobody any more: another one took their place.
 */
int store_in_use_drop(struct store *s, int64_t before, struct problem *pr) __attribute__((warn_unused_result));
/* A partner is removed: forgets those of the domain, and of its addresses but listed ones. Within the caller's
 * transaction. */
int store_in_use_drop_owner(struct store *s, const char *domain, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
