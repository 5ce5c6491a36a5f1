/* partner.*: whom we exchange mail with, and how. Handlers of judge_admin.c; role judge. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_PARTNER_H
#define POSTERN_PROC_JUDGE_ADMIN_PARTNER_H

#include "certstore/find_options.h"
#include "certstore/format.h"
#include "gateway/proc/judge_call.h"

/* An entry as it was typed: its texts are the request's, those of the old one, or those here. */
struct judge_admin_entry {
	char domain[ADDRESS_TEXT_MAX], format[FORMAT_TEXT_MAX], find[FIND_TEXT_MAX], group[JUDGE_GROUP_MAX + 1];
	struct store_partner p;
};
/* Reads and checks the arguments of partner.add and partner.set. *old_r: what is listed now, NULL nothing;
 * store_partners_free(*old_r, 1) when the entry is done with, and also after -1. */
int judge_admin_partner_read(struct judge_call *c, struct judge_admin_entry *e_r, struct store_partner **old_r);

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
