/* rule.*: the admin's rules by sender and recipient. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_RULE_H
#define POSTERN_PROC_JUDGE_ADMIN_RULE_H

#include "gateway/proc/judge_call.h"
#include "gateway/proc/judge_rule.h"

/* A rule as it was typed: its texts are the request's, or those here. */
struct judge_admin_rule {
	char sender[JUDGE_RULE_PATTERN_MAX], recipient[JUDGE_RULE_PATTERN_MAX];
	struct store_rule r;
};
/* Reads and checks the arguments of rule.add. */
int judge_admin_rule_read(struct judge_call *c, struct judge_admin_rule *t_r);

/* The rule as it stands, by its id (0: by its name), or NULL: there is none, or it cannot be read. */
json_t *judge_admin_rule_now(struct judge_call *c, int64_t id, const char *name);

/* name, sender ("*"), recipient ("*"), treatment, strength, position (last) -> name */
int judge_admin_rule_add(struct judge_call *c);
/* as add, of a rule that is there: what is not given stays */
int judge_admin_rule_set(struct judge_call *c);
/* -> rules: [...] in order */
int judge_admin_rule_list(struct judge_call *c);
/* id or name -> name */
int judge_admin_rule_remove(struct judge_call *c);

#endif
