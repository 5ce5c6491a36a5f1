/*
 * The next hops that somebody waits for, and when each is due: a claim goes where something is due and nowhere else,
 * so that a million recipients for dead hosts cost nothing to pass by. A time may be too early (a claim then finds
 * nothing and corrects it), never too late, but for hops that are put off on purpose. A hop is proven when something
 * was taken there, suspect when its site failed since, and a stranger before either. Each kind stands in a heap of
 * its own, so that a hundred thousand dead ones never stand in the way of those that live. Only in memory. Not
 * locked. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_HOPS_H
#define POSTERN_QUEUE_QUEUE_HOPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_hop {
	char *name;
	int64_t earliest;   /* unix ms; INT64_MAX: nobody waits, only the putting off is remembered */
	int64_t not_before; /* 0: not put off */
	bool suspect, proven, parked;
	uint64_t hash;
	size_t at; /* in its heap */
	struct queue_hop *next;
};
struct queue_hops_heap {
	struct queue_hop **v;
	size_t n, cap;
};
enum queue_hops_kind { QUEUE_HOPS_PROVEN, QUEUE_HOPS_SUSPECT, QUEUE_HOPS_STRANGER, QUEUE_HOPS_KINDS };

struct queue_hops {
	struct queue_hop **bucket;
	size_t buckets, n;
	uint64_t seed;
	uint64_t *proven; /* hashes of those that worked, also while nobody waits */
	struct queue_hops_heap heap[QUEUE_HOPS_KINDS];
	struct queue_hops_heap aside; /* parked for this claim */
};

void queue_hops_init(struct queue_hops *h);
void queue_hops_clear(struct queue_hops *h);
/* Somebody for `name` is due at `at`. */
void queue_hops_lower(struct queue_hops *h, const char *name, int64_t at);
/* The claim looked: the earliest is `at` now; INT64_MAX takes the hop out when it is not put off (then it is freed).
 */
void queue_hops_set(struct queue_hops *h, struct queue_hop *hop, int64_t at);
/* Nobody for it is due before `until`; suspect: until something is taken there it may be only probed. */
void queue_hops_put_off(struct queue_hops *h, const char *name, int64_t until, bool suspect);
/* Something was taken there. */
void queue_hops_works(struct queue_hops *h, const char *name);
/* It is not put off any more; nothing is known of it. */
void queue_hops_again(struct queue_hops *h, const char *name);
/* Parks those in the list, to be passed over until queue_hops_unpark. */
void queue_hops_park(struct queue_hops *h, const char *const *names, size_t n);
void queue_hops_unpark(struct queue_hops *h);
/* The hop of these kinds (1 << kind) that is due first, if at or before now; NULL none. *until_r: when the second is
 * due, at most now. */
struct queue_hop *queue_hops_first(struct queue_hops *h, int64_t now, unsigned kinds, int64_t *until_r);
/* When the first is due that is not parked: after now; now itself when one is due already; INT64_MAX none. */
int64_t queue_hops_next(const struct queue_hops *h, int64_t now, unsigned kinds);
enum queue_hops_kind queue_hops_kind(const struct queue_hop *hop);

#endif
