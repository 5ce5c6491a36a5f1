/* Trust bundles on their schedule: fetched, compared with the edition in use, taken or refused. Role judge; reads and
 * writes the store, asks through the run. */
#ifndef POSTERN_PROC_JUDGE_BUNDLE_H
#define POSTERN_PROC_JUDGE_BUNDLE_H

#include "certstore/source.h"
#include "certstore/store.h"

#define JUDGE_BUNDLE_RETRY_S                                                                                         \
	3600 /* after a try that brought nothing, or the bundle's own time when that is shorter */

/* One bundle now. force: also when more than drop_max per cent of its anchors would go. b gets what came of it, as
 * the store has it then: trouble "" and the difference, or why the edition in use stays. While run->pending grows
 * nothing is changed. 0; -1 with pr: the store. */
int judge_bundle_refresh(struct store *s, struct source_run *run, struct store_bundle *b, unsigned drop_max,
    bool force, int64_t now, const char *who, struct problem *pr) __attribute__((warn_unused_result));
/* It is to be fetched by judge_bundle_due at once, in this name: nobody waits for the answer. -1: too many are asked
 * for already (JUDGE_BUNDLE_ASKED). In memory. */
#define JUDGE_BUNDLE_ASKED 32
int judge_bundle_ask(int64_t id, bool force, int64_t now, const char *who);
/* Since when it is being fetched, or is about to be (unix s); 0 it is not. */
int64_t judge_bundle_fetching(int64_t id);
/* Those whose time has come, in the name of "judge", and those that were asked for. How many were tried, -1 with pr.
 */
int judge_bundle_due(struct store *s, struct source_run *run, unsigned drop_max, int64_t now, struct problem *pr)
    __attribute__((warn_unused_result));
/* Is there one? */
bool judge_bundle_any_due(struct store *s, int64_t now);

#endif
