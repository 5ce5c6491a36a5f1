/* The set of recipient rows that are being delivered. Only in memory: after a crash it is empty, and what was in it
 * is queued. Not locked. relay. */
#ifndef POSTERN_QUEUE_QUEUE_ACTIVE_H
#define POSTERN_QUEUE_QUEUE_ACTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_active {
	int64_t *slot; /* open addressing; 0 is free (no row is 0) */
	size_t cap;    /* a power of two, or 0 */
	size_t n;
};

void queue_active_init(struct queue_active *a);
void queue_active_clear(struct queue_active *a);
/* true when the row was not in the set before. */
bool queue_active_add(struct queue_active *a, int64_t row);
/* true when it was. */
bool queue_active_remove(struct queue_active *a, int64_t row);
bool queue_active_has(const struct queue_active *a, int64_t row);
/* All rows, in no order, to rows_r with room for a->n. */
void queue_active_all(const struct queue_active *a, int64_t *rows_r);

#endif
