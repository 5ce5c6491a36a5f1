/* Changes that one person proposed and another one has to confirm. Part of store.h, which says who calls, what blocks
 * and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_PROPOSAL_H
#define POSTERN_CERTSTORE_STORE_PROPOSAL_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

/* MAX: that wait at a time. ARGS: octets of one's arguments. */
enum { STORE_PROPOSAL_MAX = 200, STORE_PROPOSAL_ARGS = 2 * 1024 * 1024, STORE_PROPOSAL_WHAT = 400 };

struct store_proposal {
	int64_t id, at, expires; /* unix s */
	char verb[40], subject[300] /* whom it is about */, what[STORE_PROPOSAL_WHAT], who[200];
	char *args; /* JSON, may hold whole certificates */
};

/* Stores it and gives it its number; those that ran out go. -1 with pr also when STORE_PROPOSAL_MAX wait. */
int store_proposal_add(struct store *s, struct store_proposal *p, struct problem *pr)
    __attribute__((warn_unused_result));
/* *p_r NULL: there is none. store_proposals_free(*p_r, 1) */
int store_proposal_get(struct store *s, int64_t id, struct store_proposal **p_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* The oldest first, also those that ran out. store_proposals_free */
int store_proposals(struct store *s, struct store_proposal **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
void store_proposals_free(struct store_proposal *list, size_t n);
/* How many wait at that time. */
int store_proposals_count(struct store *s, int64_t now, int64_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* It waits no longer; action and detail stand in the audit log. */
int store_proposal_end(struct store *s, const struct store_proposal *p, const char *who, const char *action,
    const char *detail, struct problem *pr) __attribute__((warn_unused_result));

#endif
