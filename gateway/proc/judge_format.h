/* How mail for one recipient is written. Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_FORMAT_H
#define POSTERN_PROC_JUDGE_FORMAT_H

#include "certstore/format.h"
#include "gateway/cms/cms_caps.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_world.h"

struct judge_format {
	struct format f;
	unsigned from_default, from_caps, from_statement, from_admin; /* FORMAT_GIVEN bits: who decided it last */
	int64_t said;				/* unix s: when its reader said what it can, 0 never */
	char signer[256];			/* who signed that */
	char entries[ADDRESS_TEXT_MAX * 2 + 8]; /* the partners' entries that say something */
};
/*
 * The admin's entry for the partner, else what the trusted statement of its gateway reads, else what its reader said,
 * else the default. personal: the certificate is one
 * person's: then only what is kept under that person counts, because a desktop reads other things than the gateway of
 * its domain; else what is kept under the domain, with the person's entry before the domain's.
 * 0; -1 with pr: TEMP when the store cannot be read, POLICY when an entry asks for less than the floor.
 */
int judge_format(const struct judge_world *w, struct store *s, const struct address *rcpt, bool personal,
    struct judge_format *f_r, struct problem *pr) __attribute__((warn_unused_result));

/* What of f the capabilities decide; the options they decided as bits. Never below bits_min. */
unsigned judge_format_apply(const struct cms_caps *caps, unsigned bits_min, struct format *f);
/* 0, or -1 with pr (POLICY) when the cipher is below the floor. */
int judge_format_floor(const struct judge_world *w, const struct format *f, const char *whose, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
