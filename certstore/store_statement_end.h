/* Statements that run out, ours and partners'. Part of store.h, which says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_STATEMENT_END_H
#define POSTERN_CERTSTORE_STORE_STATEMENT_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_statement_end {
	char *domain;
	char id[44];
	int64_t serial;	 /* ms */
	int64_t expires; /* unix s */
	bool ours;
};
/* Those that end between the two times and whose successor is late: less than a quarter of their time is left. A
 * gateway that is well has made the next one long before. Ours and trusted ones of partners, soonest first, at most
 * max of each. free with store_statement_end_free. */
int store_statement_ends(struct store *s, int64_t now, int64_t from, int64_t before, size_t max,
    struct store_statement_end **list_r, size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));
void store_statement_end_free(struct store_statement_end *l, size_t n);

#endif
