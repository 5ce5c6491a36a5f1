/* partner.list: role judge; reads the store, and never certificates: fast with 20,000 partners. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_GLANCE_H
#define POSTERN_PROC_JUDGE_ADMIN_GLANCE_H

#include "gateway/proc/judge_call.h"

/* match, state, sort ("name", "state", "until", "added", "treatment", with "-" in front downwards), after, offset,
 * max, counts: {"partners", "more", and with counts "counts": how many of those that match are in each state}. */
int judge_admin_partner_list(struct judge_call *c);

#endif
