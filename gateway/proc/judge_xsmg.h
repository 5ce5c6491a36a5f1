/*
 * Partners' statements: octets come in by some way, are checked (statement_check.h), weighed (xsmg_trust.h), kept
 * (store_statement.h). Role judge; reads and writes the store, asks the network by its questions (judge_park.h).
 */
#ifndef POSTERN_PROC_JUDGE_XSMG_H
#define POSTERN_PROC_JUDGE_XSMG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certstore/source.h"
#include "certstore/store.h"
#include "gateway/proc/judge_park.h"
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
	const char *where; /* client, host, or URL that answered (behind redirects), for people and the webpki rule */
	const uint8_t *der;
	size_t n;
};
/* Works one over what is known; while run->pending is not 0 afterwards nothing was decided and nothing changed: to be
 * made again. Else decided, stored, audited and told in *d_r (may be NULL). 0, or -1 with pr: the store. */
int judge_xsmg_take(const struct judge_world *w, struct store *s, struct source_run *run,
    const struct judge_xsmg_octets *o, int64_t now, struct xsmg_decision *d_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* The same by itself: copied, parked, logged. Returns at once. */
void judge_xsmg_came(
    const struct judge_world *w, struct store *s, struct judge_park *park, const struct judge_xsmg_octets *o);
/* Fetches the domain's statement by what is known of its URL, else by its _smg record, and takes it; at most one at a
 * time for a domain. Returns at once. */
void judge_xsmg_fetch(const struct judge_world *w, struct store *s, struct judge_park *park, const char *domain);

/* Before a delivery from `ours` to `domain`, from memory: is its statement to be asked for, and with which id held;
 * and which of our ids does it hold. keyword: XSMG was seen in EHLO. 0, or -1 with pr. */
struct judge_xsmg_due {
	bool get;
	char held[STORE_STATEMENT_ID];	   /* theirs, that is trusted; "" none */
	char has_ours[STORE_STATEMENT_ID]; /* what it was handed last; "" none */
};
int judge_xsmg_due(const struct judge_world *w, struct store *s, const char *ours, const char *domain, bool keyword,
    int64_t now, struct judge_xsmg_due *d_r, struct problem *pr) __attribute__((warn_unused_result));
/* What a delivery saw. CURRENT: the host said that `id` is the newest. */
enum judge_xsmg_saw {
	JUDGE_XSMG_SAW_KEYWORD,
	JUDGE_XSMG_SAW_NO_KEYWORD,
	JUDGE_XSMG_SAW_CURRENT,
	JUDGE_XSMG_SAW_PUT_TAKEN, /* `id` of `ours` */
};
int judge_xsmg_note(const struct judge_world *w, struct store *s, const char *ours, const char *domain,
    enum judge_xsmg_saw saw, const char *id, int64_t now, struct problem *pr) __attribute__((warn_unused_result));

#endif
