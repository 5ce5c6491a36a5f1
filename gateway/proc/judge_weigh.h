/* One certificate weighed for one partner: its trust by the anchors that count for that partner, with answers kept.
 * Role judge; no I/O but the store. */
#ifndef POSTERN_PROC_JUDGE_WEIGH_H
#define POSTERN_PROC_JUDGE_WEIGH_H

#include "certstore/source.h"
#include "certstore/trust.h"
#include "gateway/proc/judge_cache.h"

struct judge_weighing {
	const struct address *who;
	const char *local; /* our domain whose anchors and settings count besides those for all of ours; NULL: none */
	enum cert_purpose use;
	enum store_direction dir; /* STORE_OUT or STORE_IN */
	bool pinned;
	struct judge_cert *const *extra; /* possible issuers from the message */
	size_t nextra;
	const struct trust_dane *dane; /* what a record of a signed zone says of it, NULL: there is none */
	struct source_run *run; /* by which revocation and missing issuers are asked for; NULL: nobody may ask */
	bool scoped;		/* anchors for this partner or its group alone count */
	bool direct;		/* missing issuers are looked for though the partner is not listed */
	unsigned
	    *fetches; /* how many may still be fetched for this question (ISSUER_FETCHES at first); NULL: that many */
	unsigned *work; /* that may still be done on paths for this question (TRUST_WORK at first); NULL: that much */
	int64_t now;
	bool back;   /* `now` is a time in the past: kept apart from answers about the present */
	bool strict; /* revocation as the strictest of our domains wants it: what is believed for all of them at once
		      */
	struct trust_found *found_r; /* NULL: not wanted. What the path alone gave, whomever it speaks for */
	enum trust_reason *reason_r; /* NULL: not wanted. Set with TRUST_GOOD */
};
/* When run->pending is not 0 afterwards the result is none: the question is to be asked again when answers came.
 * 0 and the result with its sentence; -1 with pr when the store could not be read. */
int judge_weigh(struct judge_cache *c, struct store *s, const struct judge_cert *k, const struct judge_weighing *q,
    enum trust_result *result_r, char *why, size_t cap, struct problem *pr) __attribute__((warn_unused_result));

#endif
