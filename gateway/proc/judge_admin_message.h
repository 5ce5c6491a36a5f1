/* message.audit: asked by the admin role alone, before it lets somebody search the history. Handler of judge_admin.c;
 * role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_MESSAGE_H
#define POSTERN_PROC_JUDGE_ADMIN_MESSAGE_H

#include "gateway/proc/judge_call.h"

/* what (verb), search (its arguments as text) */
int judge_admin_message_audit(struct judge_call *c);

#endif
