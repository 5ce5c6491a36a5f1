/* What our own domains say of themselves (XSMG): their statements, made daily and on change. Role judge; reads and
 * writes the store, asks the keeper to sign. Blocks on both. */
#ifndef POSTERN_PROC_JUDGE_XSMG_OWN_H
#define POSTERN_PROC_JUDGE_XSMG_OWN_H

#include <stddef.h>
#include <stdint.h>

#include "certstore/store.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_world.h"

struct judge_xsmg_own;

/* One of ours as it is given out: borrowed until the next call with the same struct judge_xsmg_own. */
struct judge_xsmg_statement {
	char id[44];
	int64_t serial;		 /* ms */
	int64_t issued, expires; /* unix s */
	const uint8_t *der;
	size_t n;
};

/* The statement of one of our domains now, from memory while the store did not change. 1 with s_r, 0 when the domain
 * is not ours or has none that is in its time (a statement key is missing: the log said why), -1 with pr when the
 * store cannot tell now. */
int judge_xsmg_own_current(struct judge_xsmg_own *o, const char *domain, int64_t now,
    struct judge_xsmg_statement *s_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
