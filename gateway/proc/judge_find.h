/* Where the certificate of one recipient is looked for: the default, what the entry of its domain changes, what the
 * entry of the person changes. Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_FIND_H
#define POSTERN_PROC_JUDGE_FIND_H

#include "certstore/find_options.h"
#include "certstore/store.h"
#include "gateway/mail/address.h"
#include "gateway/proc/judge_world.h"

struct judge_find {
	struct find_options o;
	unsigned from_admin;		    /* bits of the options that an entry sets */
	char entries[2 * ADDRESS_TEXT_MAX]; /* whose; "" none */
};
/* 0, -1 with pr (the store cannot be read). */
int judge_find(const struct judge_world *w, struct store *s, const struct address *rcpt, struct judge_find *f_r,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
