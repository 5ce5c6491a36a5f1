/* domain.retire: the end of a key of ours. Handler of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_RETIRE_H
#define POSTERN_PROC_JUDGE_ADMIN_RETIRE_H

#include "gateway/keys/keys.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_call.h"

/* key, force (false) -> key_id, domain, use, forgotten, warnings: [text] */
int judge_admin_retire(struct judge_call *c);
/* Keys that were retired while the keeper could not be asked: asks it again. keys may be NULL. Blocks as keys.h says,
 * and only when there are such. */
void judge_admin_retire_rest(struct store *s, struct judge_cache *cache, struct keys_client *keys);

#endif
