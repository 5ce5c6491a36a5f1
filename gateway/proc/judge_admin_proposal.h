/* Changes that take two people (setting two-person): proposed by one, confirmed by another. Role judge; handlers of
 * judge_admin.c, which says what they return. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_PROPOSAL_H
#define POSTERN_PROC_JUDGE_ADMIN_PROPOSAL_H

#include <stdbool.h>

#include "gateway/proc/judge_call.h"

/* By the setting, this verb is for two. */
bool judge_admin_proposal_needed(const struct judge_admin *ja, const char *verb);
/* Two people are asked for, and c's, who came by the web, asks for a token that would make a second one of him. */
bool judge_admin_proposal_second_self(const struct judge_call *c, const char *user);
/* Writes down c->args, which were tried and are good. The reply has the proposal instead of what the verb says. */
int judge_admin_proposal_add(struct judge_call *c, const char *verb);
/* proposals: what waits, without the content of files. */
int judge_admin_proposal_list(struct judge_call *c);
/* Makes the change that has that number: by anybody but who proposed it. */
int judge_admin_proposal_confirm(struct judge_call *c);
/* By anybody; the reason stands in the audit log. */
int judge_admin_proposal_drop(struct judge_call *c);
/* For status: "proposals", a few lines' worth. */
int judge_admin_proposal_status(struct judge_call *c);

#endif
