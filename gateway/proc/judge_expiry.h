/* What runs out: our certificates, partners', anchors, each with its days left; and the warnings before. Role judge;
 * reads the store. */
#ifndef POSTERN_PROC_JUDGE_EXPIRY_H
#define POSTERN_PROC_JUDGE_EXPIRY_H

#include "certstore/cert.h"
#include "gateway/proc/judge_cache.h"

#define JUDGE_EXPIRY_DAYS 60 /* the first warning; what ends later is not told */

struct judge_expiry {
	const char *owner, *kind; /* "sign", "decrypt", "tls" of ours; "partner", "anchor", "bundle" */
	const struct cert_facts *f;
	int64_t days_left; /* -1: it ran out */
};
/* Calls tell for each that ends within JUDGE_EXPIRY_DAYS, ours first, then anchors, then partners' soonest first, at
 * most 1,000 of those. 0 / -1 with pr. */
int judge_expiry_all(struct judge_cache *c, struct store *s, int64_t now,
    void (*tell)(void *ctx, const struct judge_expiry *e), void *ctx, struct problem *pr)
    __attribute__((warn_unused_result));
/* A line in the log for each that came within 60, 30, 14, 7, 1 days of its end, or ran out: once for each of these.
 * How many, -1 with pr. */
int judge_expiry_warn(struct judge_cache *c, struct store *s, int64_t now, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
