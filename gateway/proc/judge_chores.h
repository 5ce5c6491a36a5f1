/* What the judge does unasked: warnings before certificates run out, trust bundles on their schedule, keys that the
 * keeper has still to forget. Role judge. */
#ifndef POSTERN_PROC_JUDGE_CHORES_H
#define POSTERN_PROC_JUDGE_CHORES_H

#include "gateway/base/loop.h"
#include "certstore/store.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_park.h"
#include "gateway/proc/judge_world.h"

struct judge_chores;
/* All stay; *keys may be NULL, and changes when there is a keeper. Looks at once and then every minute. Never NULL;
 * lives as long as the process. */
struct judge_chores *judge_chores_new(struct loop *l, const struct judge_world *w, struct store *s,
    struct judge_park *park, struct keys_client *const *keys);
/* Looks now: an admin asked for a bundle. Nothing where there are no chores. */
void judge_chores_now(void);

#endif
