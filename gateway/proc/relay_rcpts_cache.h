/*
 * What was said of recipients lately. "Exists" and "does not" are bounded apart from each other, the longest unused
 * go first: whoever asks for made-up addresses pushes out made-up addresses only. Role relay, loop thread. No I/O, no
 * clock: the caller says what time it is.
 */
#ifndef POSTERN_PROC_RELAY_RCPTS_CACHE_H
#define POSTERN_PROC_RELAY_RCPTS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/proc/relay_rcpts_settings.h"

struct relay_rcpts_cache;
struct relay_rcpts_cached {
	bool known;
	bool fresh;	  /* within known-for or unknown-for */
	int64_t age;	  /* ms */
	const char *said; /* words of the source; valid until the next put */
};

/* set stays. */
struct relay_rcpts_cache *relay_rcpts_cache_new(const struct relay_rcpts_settings *set);
void relay_rcpts_cache_free(struct relay_rcpts_cache *c);
/* False when nothing is known that may still be used: "exists" goes after stale-for (or known-for, if that is
 * longer), "does not" after unknown-for. now: monotonic ms. */
bool relay_rcpts_cache_find(
    struct relay_rcpts_cache *c, const char *key, int64_t now, struct relay_rcpts_cached *found_r);
/* Replaces what was known. */
void relay_rcpts_cache_put(struct relay_rcpts_cache *c, const char *key, bool known, const char *said, int64_t now);
size_t relay_rcpts_cache_count(const struct relay_rcpts_cache *c, bool known);

#endif
