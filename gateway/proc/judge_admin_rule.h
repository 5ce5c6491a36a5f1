/* rule.*: the admin's rules by sender and recipient. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_RULE_H
#define POSTERN_PROC_JUDGE_ADMIN_RULE_H

#include "gateway/proc/judge_call.h"

/* name, sender ("*"), recipient ("*"), treatment, strength, position (last) -> name */
int judge_admin_rule_add(struct judge_call *c);
/* -> rules: [...] in order */
int judge_admin_rule_list(struct judge_call *c);
/* id or name -> name */
int judge_admin_rule_remove(struct judge_call *c);

#endif
