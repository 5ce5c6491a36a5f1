/*
 * For each next hop with queued recipients, when its earliest one is due: what a claim looks at first, so that a
 * million recipients for a dead host cost nothing to pass by. A time may be too early (a claim then finds nothing and
 * corrects it), never too late. Only in memory. Not locked. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_HOPS_H
#define POSTERN_QUEUE_QUEUE_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_hop {
	char *name;
	int64_t earliest; /* unix ms */
	bool skip;
};
struct queue_hops {
	struct queue_hop *v; /* sorted by name */
	size_t n, cap;
};

void queue_hops_init(struct queue_hops *h);
void queue_hops_clear(struct queue_hops *h);
/* Somebody for `name` is due at `at`. */
void queue_hops_lower(struct queue_hops *h, const char *name, int64_t at);
/* The claim looked: the earliest is `at` now; INT64_MAX takes the hop out (h->v[i] is another afterwards). */
void queue_hops_set(struct queue_hops *h, size_t i, int64_t at);
/* Marks those in the list to be passed over, and no others. */
void queue_hops_skip(struct queue_hops *h, const char *const *names, size_t n);
/* The hop not passed over that is due first, if at or before now; -1 none. *until_r: when the second is due, at most
 * now. */
long queue_hops_first(const struct queue_hops *h, int64_t now, int64_t *until_r);
/* The earliest time after now; INT64_MAX none. */
int64_t queue_hops_next(const struct queue_hops *h, int64_t now);

#endif
