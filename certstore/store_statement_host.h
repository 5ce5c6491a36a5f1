/* Which hosts of a partner were seen to offer XSMG. Part of store.h, which says who calls, what blocks and who frees.
 * What follows from it: gateway/proc/judge_xsmg_hosts.c. */
#ifndef POSTERN_CERTSTORE_STORE_STATEMENT_HOST_H
#define POSTERN_CERTSTORE_STORE_STATEMENT_HOST_H

#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

/* It offers: remembered, or remembered anew; hosts of the domain seen before `since` (unix s) are forgotten. With max
 * of them left a further one is not taken: whoever can show new names must not push out those that are known. */
int store_statement_host_note(struct store *s, const char *domain, const char *host, int64_t now, int64_t since,
    int64_t max, struct problem *pr) __attribute__((warn_unused_result));
/* Was it seen to offer since then? 1, 0, -1. */
int store_statement_host_known(struct store *s, const char *domain, const char *host, int64_t since,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
