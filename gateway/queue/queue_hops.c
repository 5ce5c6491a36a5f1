/* Next hops: a hash table for the names, heaps for the times. A claim costs the logarithm of 200,000 hops. relay.
 */
#include "gateway/queue/queue_hops.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { FIRST_CAP = 64, PROVEN = 65536 /* remembered; a newcomer takes the place of another */ };

/* ---- a heap by time ---- */

static int64_t key(const struct queue_hop *p)
{
	if (p->earliest == INT64_MAX)
		return p->not_before;
	return p->earliest > p->not_before ? p->earliest : p->not_before;
}

static void place(struct queue_hops_heap *heap, size_t i, struct queue_hop *p)
{
	heap->v[i] = p;
	p->at = i;
}

static void sift(struct queue_hops_heap *heap, size_t i)
{
	struct queue_hop *p = heap->v[i];
	int64_t k = key(p);

	for (; i > 0 && key(heap->v[(i - 1) / 2]) > k; i = (i - 1) / 2)
		place(heap, i, heap->v[(i - 1) / 2]);
	for (size_t child; (child = 2 * i + 1) < heap->n; i = child) {
		if (child + 1 < heap->n && key(heap->v[child + 1]) < key(heap->v[child]))
			child++;
		if (key(heap->v[child]) >= k)
			break;
		place(heap, i, heap->v[child]);
	}
	place(heap, i, p);
}

static void push(struct queue_hops_heap *heap, struct queue_hop *p)
{
	if (heap->n == heap->cap) {
		heap->cap = heap->cap ? heap->cap * 2 : FIRST_CAP;
		heap->v = mem_resize(heap->v, heap->cap * sizeof(void *));
	}
	place(heap, heap->n++, p);
	sift(heap, p->at);
}

static void pull(struct queue_hops_heap *heap, struct queue_hop *p)
{
	size_t i = p->at;
	struct queue_hop *last = heap->v[--heap->n];

	heap->v[heap->n] = NULL;
	if (i == heap->n)
		return;
	place(heap, i, last);
	sift(heap, i);
}

static struct queue_hops_heap *heap_of(struct queue_hops *h, const struct queue_hop *p)
{
	return p->parked ? &h->aside : &h->heap[queue_hops_kind(p)];
}

enum queue_hops_kind queue_hops_kind(const struct queue_hop *p)
{
	return p->suspect ? QUEUE_HOPS_SUSPECT : p->proven ? QUEUE_HOPS_PROVEN : QUEUE_HOPS_STRANGER;
}

/* ---- the names ---- */

/* FNV-1a with a seed: names come from outside, and nobody there can choose names of one bucket. */
static uint64_t hash(const struct queue_hops *h, const char *name)
{
	uint64_t x = UINT64_C(0xcbf29ce484222325) ^ h->seed;

	for (; *name; name++)
		x = (x ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	x ^= h->seed >> 17;
	return x ^ x >> 29;
}

void queue_hops_init(struct queue_hops *h)
{
	*h = (struct queue_hops){.proven = mem_new(PROVEN * sizeof(uint64_t))};
	if (getrandom(&h->seed, sizeof h->seed, GRND_NONBLOCK) != sizeof h->seed)
		h->seed = (uint64_t)(uintptr_t)h;
}

void queue_hops_clear(struct queue_hops *h)
{
	for (size_t i = 0; i < h->buckets; i++)
		for (struct queue_hop *p = h->bucket[i], *next; p; p = next) {
			next = p->next;
			free(p->name);
			free(p);
		}
	free(h->bucket);
	for (int i = 0; i < QUEUE_HOPS_KINDS; i++)
		free(h->heap[i].v);
	free(h->aside.v);
	free(h->proven);
	*h = (struct queue_hops){0};
}

static struct queue_hop **find(struct queue_hops *h, const char *name, uint64_t x)
{
	struct queue_hop **p = &h->bucket[x & (h->buckets - 1)];

	while (*p && ((*p)->hash != x || strcmp((*p)->name, name) != 0))
		p = &(*p)->next;
	return p;
}

static void grow(struct queue_hops *h)
{
	size_t buckets = h->buckets ? h->buckets * 2 : FIRST_CAP;
	struct queue_hop **bucket = mem_new(buckets * sizeof(void *));

	for (size_t i = 0; i < h->buckets; i++)
		for (struct queue_hop *p = h->bucket[i], *next; p; p = next) {
			next = p->next;
			p->next = bucket[p->hash & (buckets - 1)];
			bucket[p->hash & (buckets - 1)] = p;
		}
	free(h->bucket);
	h->bucket = bucket;
	h->buckets = buckets;
}

static struct queue_hop *find_only(struct queue_hops *h, const char *name)
{
	return h->buckets ? *find(h, name, hash(h, name)) : NULL;
}

static uint64_t *proof(struct queue_hops *h, uint64_t x)
{
	return &h->proven[x >> 24 & (PROVEN - 1)];
}

/* What waits to be opened is handed to no site. */
static bool is_ours(const char *name)
{
	return strcmp(name, "open") == 0;
}

/* Found, or made with nobody waiting and in no heap. */
static struct queue_hop *find_or_make(struct queue_hops *h, const char *name, bool *made_r)
{
	uint64_t x = hash(h, name);
	struct queue_hop **at, *p;

	if (h->n >= h->buckets)
		grow(h);
	at = find(h, name, x);
	*made_r = !*at;
	if (*at)
		return *at;
	p = mem_new(sizeof *p);
	*p = (struct queue_hop){.name = mem_str(name), .earliest = INT64_MAX, .hash = x};
	p->proven = *proof(h, x) == x || is_ours(name);
	*at = p;
	h->n++;
	return p;
}

/* It is in no heap any more. */
static void forget(struct queue_hops *h, struct queue_hop *p)
{
	*find(h, p->name, p->hash) = p->next;
	h->n--;
	free(p->name);
	free(p);
}

static void drop(struct queue_hops *h, struct queue_hop *p)
{
	pull(heap_of(h, p), p);
	forget(h, p);
}

/* ---- times ---- */

void queue_hops_lower(struct queue_hops *h, const char *name, int64_t at)
{
	bool made;
	struct queue_hop *p = find_or_make(h, name, &made);

	if (at < p->earliest)
		p->earliest = at;
	if (made)
		push(heap_of(h, p), p);
	else
		sift(heap_of(h, p), p->at);
}

void queue_hops_set(struct queue_hops *h, struct queue_hop *p, int64_t at)
{
	p->earliest = at;
	if (at == INT64_MAX && p->not_before == 0)
		drop(h, p);
	else
		sift(heap_of(h, p), p->at);
}

void queue_hops_put_off(struct queue_hops *h, const char *name, int64_t until, bool suspect)
{
	bool made;
	struct queue_hop *p = find_or_make(h, name, &made);

	if (!made)
		pull(heap_of(h, p), p);
	p->not_before = until;
	if (suspect && !is_ours(name)) {
		p->suspect = true;
		p->proven = false;
		if (*proof(h, p->hash) == p->hash)
			*proof(h, p->hash) = 0;
	}
	push(heap_of(h, p), p);
}

static void let_go(struct queue_hops *h, struct queue_hop *p, bool works)
{
	pull(heap_of(h, p), p);
	if (works) {
		p->suspect = false;
		p->proven = true;
	}
	p->not_before = 0;
	push(heap_of(h, p), p);
	if (p->earliest == INT64_MAX)
		drop(h, p);
}

void queue_hops_works(struct queue_hops *h, const char *name)
{
	uint64_t x = hash(h, name);
	struct queue_hop *p = h->buckets ? *find(h, name, x) : NULL;

	*proof(h, x) = x;
	if (p && (p->suspect || !p->proven || p->not_before != 0))
		let_go(h, p, true);
}

void queue_hops_again(struct queue_hops *h, const char *name)
{
	struct queue_hop *p = find_only(h, name);

	if (p && p->not_before != 0)
		let_go(h, p, false);
}

/* ---- a claim ---- */

void queue_hops_park(struct queue_hops *h, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct queue_hop *p = find_only(h, names[i]);

		if (!p || p->parked)
			continue;
		pull(heap_of(h, p), p);
		p->parked = true;
		push(heap_of(h, p), p);
	}
}

void queue_hops_unpark(struct queue_hops *h)
{
	while (h->aside.n) {
		struct queue_hop *p = h->aside.v[0];

		pull(&h->aside, p);
		p->parked = false;
		push(heap_of(h, p), p);
	}
}

/* The heap's first, without those that nobody waits for any more and whose putting off is over. */
static struct queue_hop *top(struct queue_hops *h, int which, int64_t now)
{
	struct queue_hops_heap *heap = &h->heap[which];

	struct queue_hop *first = heap->n ? heap->v[0] : NULL;

	while (first && first->earliest == INT64_MAX && first->not_before <= now) {
		pull(heap, first);
		forget(h, first);
		first = heap->n ? heap->v[0] : NULL;
	}
	return first && key(first) <= now ? first : NULL;
}

static void lower_to(int64_t *at, const struct queue_hop *p)
{
	if (p && key(p) < *at)
		*at = key(p);
}

struct queue_hop *queue_hops_first(struct queue_hops *h, int64_t now, unsigned kinds, int64_t *until_r)
{
	struct queue_hop *first[QUEUE_HOPS_KINDS] = {NULL}, *best = NULL;

	for (int i = 0; i < QUEUE_HOPS_KINDS; i++) {
		first[i] = kinds & 1u << i ? top(h, i, now) : NULL;
		if (first[i] && (!best || key(first[i]) < key(best)))
			best = first[i];
	}
	*until_r = now;
	if (!best)
		return NULL;
	for (int i = 0; i < QUEUE_HOPS_KINDS; i++)
		if (first[i] != best)
			lower_to(until_r, first[i]);
	for (size_t child = 1; child <= 2; child++)
		if (child < heap_of(h, best)->n)
			lower_to(until_r, heap_of(h, best)->v[child]);
	return best;
}

int64_t queue_hops_next(const struct queue_hops *h, int64_t now, unsigned kinds)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < QUEUE_HOPS_KINDS; i++)
		if (kinds & 1u << i && h->heap[i].n)
			lower_to(&next, h->heap[i].v[0]);
	return next < now ? now : next;
}
