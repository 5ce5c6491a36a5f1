/* An edit of the rules or of a partner's entry that is not made: what explain asks with it. Role judge; reads the
 * store and writes nothing. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_SUPPOSE_H
#define POSTERN_PROC_JUDGE_ADMIN_SUPPOSE_H

#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_call.h"

struct judge_admin_suppose;
/*
 * with_rule (an object with the arguments of rule.add), without_rule (a rule's name, or its number), with_partner
 * (those of partner.add), without_partner (as partner.remove). Looked at as if it was made: what those verbs refuse
 * is refused here. Both of rule: the one goes and the other comes, in its place unless a position is given. *s_r
 * NULL: nothing is supposed. 0; -1 with the problem set, *s_r NULL.
 */
int judge_admin_suppose(struct judge_call *c, struct judge_admin_suppose **s_r) __attribute__((warn_unused_result));
/* For judge_cache_suppose; lives as long as s. */
const struct judge_supposed *judge_admin_supposed(const struct judge_admin_suppose *s);
/* NULL is allowed. */
void judge_admin_suppose_free(struct judge_admin_suppose *s);

#endif
