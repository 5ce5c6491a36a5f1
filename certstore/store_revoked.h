/* Certificates that were found to be revoked: never used again while nobody can be asked, across restarts as well.
 * Part of store.h, which says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_REVOKED_H
#define POSTERN_CERTSTORE_STORE_REVOKED_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_revoked {
	char sha256[65];
	char *words; /* who said so, since when, why */
	int64_t at;  /* when it was found, unix s */
};
/* By fingerprint. */
int store_revoked(struct store *s, struct store_revoked **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
void store_revoked_free(struct store_revoked *l, size_t n);
/* Whose certificate it is, of those that were given or used for somebody: of the first, by name. 1, 0 nobody's, -1.
 */
int store_revoked_owner(struct store *s, const char *sha256, char *owner_r, size_t cap, struct problem *pr)
    __attribute__((warn_unused_result));
/* The audit log has it, under subject: whose it is. */
int store_revoked_add(struct store *s, const struct store_revoked *r, const char *subject, const char *who,
    struct problem *pr) __attribute__((warn_unused_result));
/* A newer list or answer says otherwise (a hold that was lifted): why stands in the audit log. */
int store_revoked_remove(struct store *s, const char *sha256, const char *why, const char *subject, const char *who,
    struct problem *pr) __attribute__((warn_unused_result));

/* Partners and people with a revoked certificate: those that were given or used, and those of listed or once
 * protected partners that were only found. */
struct store_revoked_of {
	char *owner;
	struct store_revoked r;
};
/* What was found last first, at most max. */
int store_revoked_owners(struct store *s, size_t max, struct store_revoked_of **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
void store_revoked_owners_free(struct store_revoked_of *l, size_t n);

#endif
