/*
 * What trusted statements rest on, looked at again each day (partner-statements, weigh-after): revocation, paths,
 * anchors that are gone. Role judge; on the loop. XSMG section 7.2. Not here: the first decision (judge_xsmg.h).
 */
#ifndef POSTERN_PROC_JUDGE_XSMG_DAILY_H
#define POSTERN_PROC_JUDGE_XSMG_DAILY_H

#include "certstore/store.h"
#include "gateway/base/loop.h"
#include "gateway/proc/judge_park.h"
#include "gateway/proc/judge_world.h"

/* Looks at one domain's; when belief ends: distrusted, audited, an alarm, and it waits for the admin. While
 * run->pending is not 0 afterwards nothing was concluded: to be made again. What cannot be told now is looked at
 * again after an hour. 0; -1 with pr: the store. */
int judge_xsmg_daily_weigh(const struct judge_world *w, struct store *s, struct source_run *run, const char *domain,
    int64_t now, struct problem *pr) __attribute__((warn_unused_result));

struct judge_xsmg_daily;
/* All stay. before, after: around each change of the store. Never NULL; looks by itself, a few domains at a time. */
struct judge_xsmg_daily *judge_xsmg_daily_new(struct loop *l, const struct judge_world *w, struct store *s,
    struct judge_park *park, void (*before)(void), void (*after)(void));
/* Starts with the domains that are due among the next 500, 16 at most, as it does every minute, and sooner while
 * there were as many. Returns with how many. */
int judge_xsmg_daily_look(struct judge_xsmg_daily *d, int64_t now);

#endif
