/* cert.*: partners' certificates. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_CERT_H
#define POSTERN_PROC_JUDGE_ADMIN_CERT_H

#include "gateway/proc/judge_call.h"

/* content, owner (optional) -> certificates: [facts + warnings, grade "good"/"force"/"never", reason, owner
 * (suggested)] */
int judge_admin_cert_preview(struct judge_call *c);
/* owner, content, sha256: [fingerprints that were compared], pinned (true), force (false) -> imported: [facts],
 * warnings, listed */
int judge_admin_cert_import(struct judge_call *c);
/* owner; or everybody's, with after (0) and max (2000) -> certificates: [row], more, next (to give as after) */
int judge_admin_cert_list(struct judge_call *c);
/* owner, sha256 (8 or more digits) -> owner, sha256 */
int judge_admin_cert_remove(struct judge_call *c);

/* facts + owner, pinned, source, added, encrypt: {usable, why}, sign: {usable, why}. */
json_t *judge_admin_cert_row(struct judge_call *c, const struct store_cert *sc);
/* The rows of one owner. */
int judge_admin_cert_rows(struct judge_call *c, const char *owner, json_t **array_r);

/* owner, sha256 (8 or more digits): one that waits, because it would take the place of a better founded one, may */
int judge_admin_cert_accept(struct judge_call *c);

#endif
