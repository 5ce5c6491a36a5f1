/* Who changed what, when: append-only, each row's hash over the one before and itself (P8). Part of store.h, which
 * says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_AUDIT_H
#define POSTERN_CERTSTORE_STORE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_audit {
	int64_t id, at;
	char *who, *what, *subject, *detail, *hash;
};
/* Newest first, those with id < before (0: from the newest), at most max. */
int store_audit_list(struct store *s, int64_t before, size_t max, struct store_audit **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* The same, of those alone that concern a partner: a domain with its people, or one person. */
int store_audit_of(struct store *s, const char *partner, int64_t before, size_t max, struct store_audit **list_r,
    size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));
void store_audit_free(struct store_audit *l, size_t n);
/* Checks the whole chain; 0 good, -1 with the first broken row named. What was cut off at the end shows only by
 * comparing the head with the log. */
int store_audit_verify(struct store *s, struct problem *pr) __attribute__((warn_unused_result));
/* The last row's id (0: none yet) and hash. */
int store_audit_head(struct store *s, int64_t *id_r, char hash_r[65], struct problem *pr)
    __attribute__((warn_unused_result));
/* The row that carries this hash, 0: none does. */
int store_audit_find(struct store *s, const char *hash, int64_t *id_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* A row of its own, for what changes nothing in the store but is to be known (a snapshot was taken). Within a
 * transaction: with it. */
int store_audit_add(struct store *s, const char *who, const char *what, const char *subject, const char *detail,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
