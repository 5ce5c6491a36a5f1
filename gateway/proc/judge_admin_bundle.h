/* bundle.*: trust bundles. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_BUNDLE_H
#define POSTERN_PROC_JUDGE_ADMIN_BUNDLE_H

#include "gateway/proc/judge_call.h"

/* url, scope, direction, local, signer (a certificate; none), every (s) -> bundle: row. It is fetched when its turn
 * comes, within a minute. */
int judge_admin_bundle_add(struct judge_call *c);
/* -> bundles: [row] */
int judge_admin_bundle_list(struct judge_call *c);
/* url -> bundle: row, anchors: [row] */
int judge_admin_bundle_show(struct judge_call *c);
/* url, force -> bundle: row. Asks the network. */
int judge_admin_bundle_refresh(struct judge_call *c);
/* url */
int judge_admin_bundle_remove(struct judge_call *c);

#endif
