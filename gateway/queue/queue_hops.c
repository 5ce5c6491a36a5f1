/* Next hops and when they are due: an array sorted by name. Looked through as a whole at a claim: 20,000 hops are
 * some 30 microseconds. relay. */
#include "gateway/queue/queue_hops.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { FIRST_CAP = 64 };

void queue_hops_init(struct queue_hops *h)
{
	*h = (struct queue_hops){0};
}

void queue_hops_clear(struct queue_hops *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->v[i].name);
	free(h->v);
	queue_hops_init(h);
}

/* The place of the name, or where it would go. */
static size_t place(const struct queue_hops *h, const char *name, bool *found_r)
{
	size_t low = 0, high = h->n;

	*found_r = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(h->v[mid].name, name);

		if (c == 0) {
			*found_r = true;
			return mid;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void queue_hops_lower(struct queue_hops *h, const char *name, int64_t at)
{
	bool found;
	size_t i = place(h, name, &found);

	if (found) {
		if (at < h->v[i].earliest)
			h->v[i].earliest = at;
		return;
	}
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : FIRST_CAP;
		h->v = mem_resize(h->v, h->cap * sizeof *h->v);
	}
	memmove(h->v + i + 1, h->v + i, (h->n - i) * sizeof *h->v);
	h->v[i] = (struct queue_hop){.name = mem_str(name), .earliest = at};
	h->n++;
}

void queue_hops_set(struct queue_hops *h, size_t i, int64_t at)
{
	REQUIRE(i < h->n);
	h->v[i].earliest = at;
	if (at < INT64_MAX)
		return;
	free(h->v[i].name);
	memmove(h->v + i, h->v + i + 1, (h->n - i - 1) * sizeof *h->v);
	h->n--;
}

void queue_hops_skip(struct queue_hops *h, const char *const *names, size_t n)
{
	bool found;

	for (size_t i = 0; i < h->n; i++)
		h->v[i].skip = false;
	for (size_t k = 0; k < n; k++) {
		size_t i = place(h, names[k], &found);

		if (found)
			h->v[i].skip = true;
	}
}

long queue_hops_first(const struct queue_hops *h, int64_t now, int64_t *until_r)
{
	long best = -1;

	*until_r = now;
	for (size_t i = 0; i < h->n; i++) {
		if (h->v[i].skip || h->v[i].earliest > now)
			continue;
		if (best < 0 || h->v[i].earliest < h->v[best].earliest) {
			if (best >= 0)
				*until_r = h->v[best].earliest;
			best = (long)i;
		} else if (h->v[i].earliest < *until_r) {
			*until_r = h->v[i].earliest;
		}
	}
	return best;
}

int64_t queue_hops_next(const struct queue_hops *h, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].earliest > now && h->v[i].earliest < next)
			next = h->v[i].earliest;
	return next;
}
