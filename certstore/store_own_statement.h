/* The statements that our own domains give out (XSMG), and where the change of their keys stands. Part of store.h,
 * which says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_OWN_STATEMENT_H
#define POSTERN_CERTSTORE_STORE_OWN_STATEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_own_statement {
	char domain[256];	 /* ours, A-labels, lower case */
	char id[44];		 /* base64url of the SHA-256 of the content */
	int64_t serial;		 /* unix ms */
	int64_t issued, expires; /* unix s */
	char facts[65]; /* SHA-256 of what it says beside its times: another one means that it must be remade */
	uint8_t *der;	/* the whole SignedData */
	size_t der_len;
};
/* The newest one of a domain. 1 with row (clear it), 0 none yet, -1. */
int store_own_statement(struct store *s, const char *domain, struct store_own_statement *o_r, struct problem *pr)
    __attribute__((warn_unused_result));
void store_own_statement_clear(struct store_own_statement *o);
/* The serial of the next one: now_ms, at least the last one given to the domain + 1. Only between store_begin and
 * store_end, in which the statement is made and put as well: whoever shares the store waits meanwhile. */
int store_own_statement_serial(struct store *s, const char *domain, int64_t now_ms, int64_t *serial_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* Takes the place of the domain's statement; its id is remembered with its serial until 30 days past its end. */
int store_own_statement_put(struct store *s, const struct store_own_statement *o, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* The serial of a statement of ours by its id (what a partner holds). 1, 0 not known (any more), -1. */
int store_own_statement_serial_of(struct store *s, const char *domain, const char *id, int64_t *serial_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* How many partners are known to hold one of the domain's statements or gave us theirs, and how many of them hold one
 * of this serial or newer. */
int store_own_statement_holders(struct store *s, const char *domain, int64_t serial, int64_t *all_r, int64_t *hold_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* The partners that were handed one, by name; serial 0: of one that is forgotten. free(list). */
struct store_own_statement_holder {
	char partner[256];
	int64_t serial, at; /* ms; unix s: when */
};
int store_own_statement_holder_list(struct store *s, const char *domain, struct store_own_statement_holder **list_r,
    size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
