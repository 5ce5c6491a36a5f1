/* A set of row numbers: open addressing with linear probing; removal closes the gap, so that no tombstones gather.
 * relay. */
#include "gateway/queue/queue_active.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { FIRST_CAP = 256 };

void queue_active_init(struct queue_active *a)
{
	*a = (struct queue_active){0};
}

void queue_active_clear(struct queue_active *a)
{
	free(a->slot);
	queue_active_init(a);
}

/* Rows differ in their upper bits mostly; the multiplication brings them down (Fibonacci hashing). */
static size_t home(const struct queue_active *a, int64_t row)
{
	return (size_t)(((uint64_t)row * UINT64_C(0x9e3779b97f4a7c15)) >> 24) & (a->cap - 1);
}

/* Where the row is, or the free slot where it would be. */
static size_t find(const struct queue_active *a, int64_t row)
{
	size_t i = home(a, row);

	while (a->slot[i] && a->slot[i] != row)
		i = (i + 1) & (a->cap - 1);
	return i;
}

static void grow(struct queue_active *a)
{
	struct queue_active b = {.cap = a->cap ? a->cap * 2 : FIRST_CAP, .n = a->n};

	b.slot = mem_new(b.cap * sizeof *b.slot);
	for (size_t i = 0; i < a->cap; i++)
		if (a->slot[i])
			b.slot[find(&b, a->slot[i])] = a->slot[i];
	free(a->slot);
	*a = b;
}

bool queue_active_add(struct queue_active *a, int64_t row)
{
	REQUIRE(row > 0);
	if (a->n * 2 >= a->cap)
		grow(a);

	size_t i = find(a, row);

	if (a->slot[i])
		return false;
	a->slot[i] = row;
	a->n++;
	return true;
}

bool queue_active_has(const struct queue_active *a, int64_t row)
{
	return a->n > 0 && a->slot[find(a, row)] != 0;
}

bool queue_active_remove(struct queue_active *a, int64_t row)
{
	if (a->n == 0)
		return false;

	size_t gap = find(a, row), mask = a->cap - 1;

	if (!a->slot[gap])
		return false;
	a->n--;
	for (size_t i = (gap + 1) & mask; a->slot[i]; i = (i + 1) & mask) {
		/* moves back whoever probed over the gap: its home is not between the gap and its place */
		if (((i - home(a, a->slot[i])) & mask) >= ((i - gap) & mask)) {
			a->slot[gap] = a->slot[i];
			gap = i;
		}
	}
	a->slot[gap] = 0;
	return true;
}

void queue_active_all(const struct queue_active *a, int64_t *rows_r)
{
	size_t n = 0;

	for (size_t i = 0; i < a->cap; i++)
		if (a->slot[i])
			rows_r[n++] = a->slot[i];
	REQUIRE(n == a->n);
}
