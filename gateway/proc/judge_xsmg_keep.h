/* What a decision about a statement changes in the store, and what is said of it. Role judge. */
#ifndef POSTERN_PROC_JUDGE_XSMG_KEEP_H
#define POSTERN_PROC_JUDGE_XSMG_KEEP_H

#include "gateway/proc/judge_xsmg_case.h"

/* Writes what was decided (c->d), with its audit row, and says it in the log. 0; -1 with pr. */
int judge_xsmg_keep(struct judge_xsmg_case *c, struct problem *pr) __attribute__((warn_unused_result));
/* st->waiting becomes st->trusted, at st->waiting.level: key history and certificates with it. Within the caller's
 * transaction, which saves st. -1 with pr: also when it cannot be read (any more). */
int judge_xsmg_keep_adopt(struct store *s, struct store_statement *st, int64_t now, struct problem *pr)
    __attribute__((warn_unused_result));
/* A key was revoked or compromised: marks it; what is trusted by it is not any more, what was trusted through it
 * alone waits for the admin again. Saves, with audit rows by who. */
int judge_xsmg_keep_bad_key(struct store *s, struct store_statement *st, const char *key, const char *why,
    int64_t now, const char *who, struct problem *pr) __attribute__((warn_unused_result));

/* What spoke for the trusted one speaks for it no more: it waits for the admin. Saves, with an audit row, and raises
 * an alarm. */
int judge_xsmg_keep_lost(struct store *s, struct store_statement *st, const char *why, struct problem *pr)
    __attribute__((warn_unused_result));
/* Is the trusted one's key believed by continuity alone, over this one? */
int judge_xsmg_keep_is_through(struct store *s, const struct store_statement *st, const struct store_statement_key *k,
    bool *through_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
