/* partner.*: whom we exchange mail with, and how. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_PARTNER_H
#define POSTERN_PROC_JUDGE_ADMIN_PARTNER_H

#include "gateway/proc/judge_call.h"

/* domain (or user@domain), treatment (seal), strength (require), note: adds, or changes what is given. -> the entry,
 * "changed" */
int judge_admin_partner_add(struct judge_call *c);
int judge_admin_partner_set(struct judge_call *c); /* as add, of a listed one */
/* domain -> the entry ("listed" false when there is none), certificates, anchors */
int judge_admin_partner_show(struct judge_call *c);
/* domain: the entry, its certificates and anchors go; that it was seen protected stays */
int judge_admin_partner_remove(struct judge_call *c);
/* domain: ends P9's protection of the domain */
int judge_admin_partner_release(struct judge_call *c);

/* An entry as it is told. */
json_t *judge_admin_partner_entry(const struct store_partner *p);

#endif
