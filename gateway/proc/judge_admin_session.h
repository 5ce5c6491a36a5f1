/* user.sessions, user.session-end: who is signed in to the web UI. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_SESSION_H
#define POSTERN_PROC_JUDGE_ADMIN_SESSION_H

#include "gateway/proc/judge_call.h"

/* name (all) -> sessions: [{id, user, role, began, used, address, ends}] that are not over, by user, the newest first
 */
int judge_admin_session_list(struct judge_call *c);
/* id: it is over; whoever has it must sign in again */
int judge_admin_session_end(struct judge_call *c);

#endif
