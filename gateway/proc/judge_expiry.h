/* What runs out: our certificates, partners', anchors, each with its days left and what to do next; and the warnings
 * before. Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_EXPIRY_H
#define POSTERN_PROC_JUDGE_EXPIRY_H

#include "certstore/cert.h"
#include "gateway/proc/judge_cache.h"

#define JUDGE_EXPIRY_DAYS 60 /* the first warning; what ends later is not told */

struct judge_expiry {
	const char *owner, *kind; /* "sign", "decrypt", "tls" of ours; "partner", "network" (not in the store),
				   "anchor", "bundle", "statement", "own-statement": f is made up of
				   its id, serial and end */
	const struct cert_facts *f;
	const char *key_id; /* of ours when a newer key does the same already, else NULL */
	int64_t days_left;  /* -1: it ran out */
};
/* What the admin does about it, in one sentence. */
#define JUDGE_EXPIRY_NEXT_MAX 900
const char *judge_expiry_next(const struct judge_expiry *e, char out[JUDGE_EXPIRY_NEXT_MAX]);
/* A certificate of the network is used for owner (a domain, or an address in lower case): its end is kept, and when
 * that was (now, unix s). Cheap when it was known. */
int judge_expiry_note(struct store *s, const char *owner, const struct cert_facts *f, int64_t now, struct problem *pr)
    __attribute__((warn_unused_result));
/* Calls tell for each that ends within JUDGE_EXPIRY_DAYS, ours first, then anchors, then partners' soonest first,
 * then those that only the network has, then statements whose successor is late, at most max of each of these. One
 * of the network that ran out 30 days ago is told no more. 0 / -1 with pr. */
int judge_expiry_all(struct judge_cache *c, struct store *s, int64_t now, size_t max,
    void (*tell)(void *ctx, const struct judge_expiry *e), void *ctx, struct problem *pr)
    __attribute__((warn_unused_result));
/* A line in the log for each that came within 60, 30, 14, 7, 1 days of its end, or ran out: once for each of these.
 * How many, -1 with pr. */
int judge_expiry_warn(struct judge_cache *c, struct store *s, int64_t now, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
