/* What partners' readers can open, as their believed signed mail said it. Part of store.h, which says who calls, what
 * blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_CAPS_H
#define POSTERN_CERTSTORE_STORE_CAPS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

enum { STORE_CAPS_SIGNERS = 8 }; /* of one owner that are kept: those who spoke last */

struct store_caps {
	char *owner;	 /* partner domain, or user@domain when the signer speaks for that person alone */
	char sha256[65]; /* of the signer's certificate */
	char *signer;	 /* its subject */
	uint8_t *caps;	 /* SMIMECapabilities, the attribute's value */
	size_t ncaps;
	int64_t signing_time, seen; /* unix s: when it was said, when it came */
};
/* Of one owner, what was said last first. */
int store_caps(struct store *s, const char *owner, struct store_caps **list_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* How many partners and people there are of whom something is known. */
int store_caps_owners(struct store *s, int64_t *n_r, struct problem *pr) __attribute__((warn_unused_result));
void store_caps_free(struct store_caps *l, size_t n);
/* Keeps it in place of what the same signer said before, unless that is as new or newer: then nothing happens. With
 * detail it stands in the audit log. */
int store_caps_put(struct store *s, const struct store_caps *c, const char *detail, struct problem *pr)
    __attribute__((warn_unused_result));
/* The same was said again: only the time moves, forward; store_version stays. */
int store_caps_again(struct store *s, const struct store_caps *c, struct problem *pr)
    __attribute__((warn_unused_result));
/* Inside of an open transaction: what this signer said for the owner (sha256 NULL: all that was said for it). */
int store_caps_drop(struct store *s, const char *owner, const char *sha256, struct problem *pr)
    __attribute__((warn_unused_result));
/* Inside of an open transaction: all that was said for the domain and the people in it ("*": for anybody). */
int store_caps_drop_domain(struct store *s, const char *domain, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
