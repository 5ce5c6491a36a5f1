/* Which warnings of an end were given, so that each is given once, across restarts. Part of store.h, which says who
 * calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_WARNED_H
#define POSTERN_CERTSTORE_STORE_WARNED_H

#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

/* The smallest number of days of which a warning was given, INT64_MAX: none yet. */
int store_warned(struct store *s, const char *sha256, const char *kind, const char *owner, int64_t *days_r,
    struct problem *pr) __attribute__((warn_unused_result));
int store_warned_put(struct store *s, const char *sha256, const char *kind, const char *owner, int64_t days,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
