/* Partners' certificates. Part of store.h, which says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_CERT_H
#define POSTERN_CERTSTORE_STORE_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

#define STORE_HARVESTED "harvested" /* out of signed and believed mail */
struct store_cert {
	int64_t id;
	char *owner; /* partner domain or user@domain */
	uint8_t *der;
	size_t der_len;
	char sha256[65];
	char *source; /* "pinned" or "admin"; STORE_HARVESTED */
	bool pinned;  /* trusted without anchor because the admin compared the fingerprint */
	int64_t added;
	int64_t not_after; /* of the certificate, unix s: for the list of what runs out */
};
/* owner NULL: all. */
int store_certs(struct store *s, const char *owner, struct store_cert **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* Everybody's, by number, those with id > after, at most max. */
int store_certs_page(struct store *s, int64_t after, size_t max, struct store_cert **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* Everybody's whose fingerprint begins so, by owner, at most max. */
int store_certs_named(struct store *s, const char *sha256, size_t max, struct store_cert **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* Those that run out before `before`, soonest first, at most max. */
int store_certs_expiring(struct store *s, int64_t before, size_t max, struct store_cert **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
void store_certs_free(struct store_cert *l, size_t n);
/* The same certificate again for the same owner changes source and pinned. */
int store_cert_add(struct store *s, const struct store_cert *c, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* Keeps a harvested one unless the owner has it already, at most `most` of an owner: the oldest harvested one goes.
 * 1 kept, 0 was there, -1. */
int store_cert_harvest(struct store *s, const struct store_cert *c, unsigned most, const char *detail,
    struct problem *pr) __attribute__((warn_unused_result));
/* How many owners have harvested ones. */
int store_cert_harvested(struct store *s, int64_t *owners_r, struct problem *pr) __attribute__((warn_unused_result));
int store_cert_remove(struct store *s, const char *owner, const char *sha256, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
