/* Whether a certificate may be taken for a partner, and what the admin should know about it. Role judge; pure. */
#ifndef POSTERN_PROC_JUDGE_IMPORT_H
#define POSTERN_PROC_JUDGE_IMPORT_H

#include "gateway/proc/judge_call.h"

enum judge_import_grade {
	JUDGE_IMPORT_GOOD,
	JUDGE_IMPORT_FORCE, /* only with "force": the reason */
	JUDGE_IMPORT_NEVER, /* it would never be used: the reason */
};
struct judge_import {
	enum judge_import_grade grade;
	char reason[640]; /* which, why, what to do */
	json_t *warnings; /* array of sentences; json_decref */
};
/* who->domain "" when the owner is not known yet (a preview): then binding is not looked at. */
void judge_import_check(X509 *x, const struct address *who, bool pinned, int64_t now, struct judge_import *r_r);
/* Whom it names, as an owner: its first dNSName, else its first address, of authority or otherwise; "" when nobody.
 */
void judge_import_owner(const struct cert_facts *f, char out[ADDRESS_TEXT_MAX]);

#endif
