/* anchor.*: the certificates that paths may end at. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_ANCHOR_H
#define POSTERN_PROC_JUDGE_ADMIN_ANCHOR_H

#include "gateway/proc/judge_call.h"

/* scope (domain, "@GROUP" or "*"), local (one of our domains; all), direction ("both", "out", "in"), content, sha256:
 * [fingerprints] (needed when the file holds several), force -> added: [row], warnings */
int judge_admin_anchor_add(struct judge_call *c);
/* scope (all; else that scope, its group and "*") -> anchors: [row] */
int judge_admin_anchor_list(struct judge_call *c);
/* scope, local, sha256 (8 or more digits) -> scope, sha256 */
int judge_admin_anchor_remove(struct judge_call *c);

/* facts (x NULL: none) + scope, direction, local, bundle (null: by the admin), added. */
json_t *judge_admin_anchor_row(X509 *x, const struct store_anchor *a, int64_t now);
/* The rows that count for a scope (NULL: all). */
int judge_admin_anchor_rows(struct judge_call *c, const char *scope, json_t **array_r);

#endif
