/* audit.*, store.snapshot, status: the store as a whole. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_STORE_H
#define POSTERN_PROC_JUDGE_ADMIN_STORE_H

#include "gateway/proc/judge_call.h"

/* before (id), max (100) -> rows: [{id, at, who, what, subject, detail, hash}], newest first */
int judge_admin_audit_list(struct judge_call *c);
/* -> rows, head; an error when the chain is broken */
int judge_admin_audit_verify(struct judge_call *c);
/* -> octets; the reply carries a descriptor of the copy */
int judge_admin_snapshot(struct judge_call *c);
/* -> counts, keeper: {state, keys}, audit: {id, hash}, expiring: [{owner, kind, subject, sha256, not_after,
 * days_left}] within 60 days, domains: [without signer] */
int judge_admin_status(struct judge_call *c);

#endif
