/* trace: what was done for a recipient that failed. Handler of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_TRACE_H
#define POSTERN_PROC_JUDGE_ADMIN_TRACE_H

#include "gateway/proc/judge_call.h"

/* id (8 hex digits) -> trace, at, sender, recipient, certificates, why, steps as explain has them; without id ->
 * traces: [the same without steps], newest first */
int judge_admin_trace(struct judge_call *c);

#endif
