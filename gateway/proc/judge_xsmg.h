/*
 * Partners' statements: octets come in by some way, are checked (statement_check.h), weighed (xsmg_trust.h), kept
 * (store_statement.h). Role judge; reads and writes the store, asks the network by the run. XSMG sections 4 and 5.
 */
#ifndef POSTERN_PROC_JUDGE_XSMG_H
#define POSTERN_PROC_JUDGE_XSMG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certstore/source.h"
#include "certstore/store.h"
#include "gateway/proc/judge_world.h"
#include "gateway/xsmg/xsmg_trust.h"

enum judge_xsmg_way {
	JUDGE_XSMG_BY_PUT,  /* a hint */
	JUDGE_XSMG_BY_GET,  /* the answer of a host that the partner's MX named */
	JUDGE_XSMG_BY_URL,  /* fetched, from .where */
	JUDGE_XSMG_BY_MAIL, /* a URL in signed mail; octets fetched from .where */
};
struct judge_xsmg_octets {
	const char *domain; /* A-labels, lower case */
	enum judge_xsmg_way way;
	const char *where; /* client, host, or the URL that answered (behind redirects): for people, and webpki */
	const uint8_t *der;
	size_t n;
};
struct judge_xsmg_result {
	enum xsmg_action action;
	enum xsmg_level level;
	bool declined; /* REFUSE: the admin, or the setting first-contact, wants none of it: as if there were none */
	char why[600];
};
/* Works one over what is known; while run->pending is not 0 afterwards nothing was decided and nothing changed: to be
 * made again. Else decided, stored, audited and told in *r_r. run NULL: nobody may be asked. 0, or -1 with pr: the
 * store. A PUT for a domain that no mail was exchanged with, and that is not listed, changes nothing. */
int judge_xsmg_take(const struct judge_world *w, struct store *s, struct source_run *run,
    const struct judge_xsmg_octets *o, int64_t now, struct judge_xsmg_result *r_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
