/* One certificate weighed for one partner: its trust by the anchors that count for that partner, with answers kept.
 * Role judge; no I/O but the store. */
#ifndef POSTERN_PROC_JUDGE_WEIGH_H
#define POSTERN_PROC_JUDGE_WEIGH_H

#include "certstore/source.h"
#include "certstore/trust.h"
#include "gateway/proc/judge_cache.h"

struct judge_weighing {
	struct source_run *run; /* what may be asked of the network, NULL nothing */
	const struct address *who;
	enum cert_purpose use;
	enum store_direction dir; /* STORE_OUT or STORE_IN */
	bool pinned;
	struct judge_cert *const *extra; /* possible issuers from the message */
	size_t nextra;
	int64_t now;
	bool back; /* `now` is a time in the past: kept apart from answers about the present */
};
/* 0 and the result with its sentence; -1 with pr when the store could not be read. */
int judge_weigh(struct judge_cache *c, struct store *s, const struct judge_cert *k, const struct judge_weighing *q,
    enum trust_result *result_r, char *why, size_t cap, struct problem *pr) __attribute__((warn_unused_result));

#endif
