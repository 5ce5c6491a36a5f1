/* By what reason a partner's certificate was believed last, and one that waits for the admin. Part of store.h, which
 * says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_BELIEVED_H
#define POSTERN_CERTSTORE_STORE_BELIEVED_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

/* Which one: owner is a domain or an address, use enum cert_purpose, local the domain of ours whose mail it is:
 * anchors may count for one of them alone. "": all of those that have no row of their own. */
struct store_believed_key {
	const char *owner;
	int use;
	const char *local;
};
struct store_believed {
	char sha256[65]; /* "": none yet */
	int reason;	 /* enum trust_reason */
	int64_t at;
	char waiting[65]; /* one that would take its place by a weaker reason, "" none */
	int waiting_reason;
	int64_t waiting_at;
};
/* All "" when there is nothing. */
int store_believed(struct store *s, const struct store_believed_key *k, struct store_believed *b_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* what, detail: for the audit log; NULL: no row. */
int store_believed_put(struct store *s, const struct store_believed_key *k, const struct store_believed *b,
    const char *who, const char *what, const char *detail, struct problem *pr) __attribute__((warn_unused_result));

/* One that waits, with whom and what it waits for. */
struct store_waiting {
	char *owner, *local;
	int use;
	struct store_believed b;
};
/* Those of an owner, of everybody when it is NULL; by owner. */
int store_believed_waiting(struct store *s, const char *owner, struct store_waiting **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
void store_waiting_free(struct store_waiting *l, size_t n);
/* Forgets the owner; of a domain also its people, but for those who are listed. */
int store_believed_drop(struct store *s, const char *owner, struct problem *pr) __attribute__((warn_unused_result));

#endif
