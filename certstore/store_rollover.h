/* Where the change of a domain's keys stands. Part of store.h, which says who calls, what blocks and who frees. The
 * steps themselves: gateway/proc/judge_xsmg_rollover.c. */
#ifndef POSTERN_CERTSTORE_STORE_ROLLOVER_H
#define POSTERN_CERTSTORE_STORE_ROLLOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

enum store_rollover_kind { STORE_ROLLOVER_MAIL = 1, STORE_ROLLOVER_STATEMENT = 2 };
enum store_rollover_step {
	STORE_ROLLOVER_NONE,
	STORE_ROLLOVER_WAITS,	  /* the new keys are made and wait for their certificates */
	STORE_ROLLOVER_ANNOUNCED, /* the statement lists the new certificates from switch_at on */
	STORE_ROLLOVER_OVERLAP,	  /* the new ones are used; the old ones are still listed, until finish_at */
	STORE_ROLLOVER_DONE,
};
/* "none", "waits", "announced", "overlap", "done" */
const char *store_rollover_word(enum store_rollover_step step);

struct store_rollover {
	char domain[256];
	enum store_rollover_kind kind;
	enum store_rollover_step step;
	int64_t started, switch_at, finish_at; /* unix s; 0 not known yet */
	int64_t serial;			       /* ms: no statement below it announces the new certificates */
	bool early; /* switch_at came nearer, because all known partners hold the announcement */
};
/* step NONE when there never was one. 0 / -1. */
int store_rollover_get(struct store *s, const char *domain, enum store_rollover_kind kind, struct store_rollover *r_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* With its audit row. */
int store_rollover_put(struct store *s, const struct store_rollover *r, const char *who, const char *detail,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
