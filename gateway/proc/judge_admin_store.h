/* audit.*, store.snapshot: the store as a whole. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_STORE_H
#define POSTERN_PROC_JUDGE_ADMIN_STORE_H

#include "gateway/proc/judge_call.h"

/* before (id), max (100) -> rows: [{id, at, who, what, subject, detail, hash}], newest first */
int judge_admin_audit_list(struct judge_call *c);
/* -> rows, head; an error when the chain is broken */
int judge_admin_audit_verify(struct judge_call *c);
/* -> octets; the reply carries a descriptor of the copy */
int judge_admin_snapshot(struct judge_call *c);
/* Sets name: {id, hash} of the newest row. */
int judge_admin_store_head(struct judge_call *c, const char *name);

#endif
