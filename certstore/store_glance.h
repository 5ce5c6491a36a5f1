/* Partners as a table of thousands shows them: searched, sorted, page by page, each with its state at a glance. Part
 * of store.h, which says who calls, what blocks and who frees. What is shown was written down when it changed: no
 * certificate is read and no path is built here. */
#ifndef POSTERN_CERTSTORE_STORE_GLANCE_H
#define POSTERN_CERTSTORE_STORE_GLANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certstore/store_partner.h"

/* What needs a look first comes first. */
enum store_glance_state {
	STORE_GLANCE_ANY,
	STORE_GLANCE_FROZEN,	 /* two statements contradict each other */
	STORE_GLANCE_LOST,	 /* its statement is not trusted any more */
	STORE_GLANCE_PENDING,	 /* a statement or a certificate waits for the admin */
	STORE_GLANCE_DOWNGRADED, /* its hosts offered XSMG and do not any more */
	STORE_GLANCE_WITHDRAWN,	 /* it withdrew its statement */
	STORE_GLANCE_EXPIRED,	 /* every certificate that is known ran out */
	STORE_GLANCE_NO_KEY,	 /* none is known */
	STORE_GLANCE_SOON,	 /* the last one runs out soon */
	STORE_GLANCE_STALE,	 /* its statement is old, or ran out */
	STORE_GLANCE_UNTRIED, /* certificates are stored, and none was used yet: whether it is believed shows then */
	STORE_GLANCE_TRUSTED,
	STORE_GLANCE_LISTED, /* nothing is encrypted to it */
	STORE_GLANCE_STATES
};
/* "trusted", "no key" ...; NULL beyond the last. */
const char *store_glance_word(enum store_glance_state st);
/* ANY for "" and for no such word. */
enum store_glance_state store_glance_of(const char *word);

enum store_glance_sort {
	STORE_GLANCE_BY_NAME,
	STORE_GLANCE_BY_STATE,
	STORE_GLANCE_BY_END, /* when its last certificate runs out */
	STORE_GLANCE_BY_ADDED,
	STORE_GLANCE_BY_TREATMENT
};
struct store_glance_query {
	const char *match; /* within the name, the group or the note, in any case; "" or NULL: all */
	enum store_glance_state state;
	enum store_glance_sort sort;
	bool down;
	const char *after; /* names behind this one alone; "" or NULL: from the start */
	size_t offset, max;
	int64_t now, soon, stale; /* unix s: certificates that end before `soon`, statements issued before `stale` */
};
struct store_glance {
	struct store_partner p;
	enum store_glance_state state;
	int64_t until; /* unix s of the last certificate's end; 0 none known */
};
int store_glance(struct store *s, const struct store_glance_query *q, struct store_glance **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
void store_glance_free(struct store_glance *l, size_t n);
/* How many of those that match are in each state; [ANY]: all of them. q's state, sort and page do not count. */
int store_glance_counts(struct store *s, const struct store_glance_query *q, int64_t counts_r[STORE_GLANCE_STATES],
    struct problem *pr) __attribute__((warn_unused_result));

#endif
