/* Partners whose statements wait for the admin, and what he can do about each. Role judge; reads and writes the
 * store. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_PENDING_H
#define POSTERN_PROC_JUDGE_ADMIN_PENDING_H

#include "gateway/proc/judge_call.h"

/* What to do next, in words; "" nothing. */
void judge_admin_pending_next(const struct store_statement *st, char *out, size_t cap);
/* For status: the first ones, as "statements". */
int judge_admin_pending_status(struct judge_call *c);
/* The admin takes leave of a partner that was trusted and is not any more, or has withdrawn: mail to it does not wait
 * for its statement any more; keys that were marked stay marked. 1 done, 0 there is nothing to take leave of, -1. */
int judge_admin_pending_release(struct judge_call *c, const char *domain);

#endif
