/* status: what there is, what runs, what waits for the admin. Handler of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_STATUS_H
#define POSTERN_PROC_JUDGE_ADMIN_STATUS_H

#include "gateway/proc/judge_call.h"

/* -> counts, keeper: {state, keys}, audit: {id, hash}, lookups, domains: [{domain, signs, sign_why, opens,
 * open_why}], and what wants the admin, each with next, the sentence that says what to do: expiring: [{owner, kind,
 * subject, serial, sha256, not_after, days_left}] within 60 days (certificates, and statements whose successor is
 * late), waiting: [{owner, local, sha256, by, known, known_by, since}], revoked: [{owner, sha256, why, since}],
 * bundles: [{url, why, since, tried, taken}] whose last edition was not taken, retired: [{key_id, domain, use,
 * since}] that the keeper still has. */
int judge_admin_status(struct judge_call *c);

#endif
