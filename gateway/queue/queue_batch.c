/* One transaction's consequences outside the database. Writer thread. relay. */
#include "gateway/queue/queue_batch.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/queue/queue_files.h"

enum { FIRST_CAP = 64 };

void queue_batch_init(
    struct queue_batch *b, sqlite3 *db, struct queue_store *store, struct queue_due *due, int spool_fd)
{
	*b = (struct queue_batch){.db = db, .store = store, .due = due, .spool_fd = spool_fd};
}

void queue_batch_reset(struct queue_batch *b, int64_t now)
{
	for (size_t i = 0; i < b->nhops; i++)
		free(b->hops[i].name);
	b->nhops = b->begun.n = b->ended.n = b->made.n = b->gone.n = 0;
	memset(b->tally, 0, sizeof b->tally);
	b->now = now;
}

void queue_batch_clear(struct queue_batch *b)
{
	queue_batch_reset(b, 0);
	free(b->hops);
	free(b->begun.v);
	free(b->ended.v);
	free(b->made.v);
	free(b->gone.v);
	*b = (struct queue_batch){0};
}

void queue_batch_add(struct queue_batch_rows *r, int64_t row)
{
	if (r->n == r->cap) {
		r->cap = r->cap ? r->cap * 2 : FIRST_CAP;
		r->v = mem_resize(r->v, r->cap * sizeof *r->v);
	}
	r->v[r->n++] = row;
}

int queue_batch_begin(struct queue_batch *b, int64_t row)
{
	pthread_mutex_lock(&b->due->lock);

	bool added = queue_active_add(&b->due->active, row);

	pthread_mutex_unlock(&b->due->lock);
	if (!added)
		return -1;
	queue_batch_add(&b->begun, row);
	return 0;
}

void queue_batch_due(struct queue_batch *b, const char *nexthop, int64_t at, bool wake)
{
	struct queue_batch_hop *last = b->hops && b->nhops ? &b->hops[b->nhops - 1] : NULL;

	if (last && last->at <= at && last->wake == wake && strcmp(last->name, nexthop) == 0)
		return;
	if (b->nhops == b->hops_cap) {
		b->hops_cap = b->hops_cap ? b->hops_cap * 2 : FIRST_CAP;
		b->hops = mem_resize(b->hops, b->hops_cap * sizeof *b->hops);
	}
	b->hops[b->nhops++] = (struct queue_batch_hop){.name = mem_str(nexthop), .at = at, .wake = wake};
}

/* The next hops go in after the commit and not before it: a claim in between would find nobody and strike them out
 * again. */
void queue_batch_committed(struct queue_batch *b)
{
	pthread_mutex_lock(&b->due->lock);
	for (size_t i = 0; i < b->ended.n; i++)
		queue_active_remove(&b->due->active, b->ended.v[i]);
	for (size_t i = 0; i < b->nhops; i++) {
		queue_hops_lower(&b->due->hops, b->hops[i].name, b->hops[i].at);
		if (b->hops[i].wake)
			queue_hops_works(&b->due->hops, b->hops[i].name);
	}
	for (int i = 0; i < QUEUE_DUE_STATES; i++)
		b->due->tally[i] += b->tally[i];
	pthread_mutex_unlock(&b->due->lock);
	for (size_t i = 0; i < b->gone.n; i++)
		queue_files_remove(b->spool_fd, b->gone.v[i]);
}

void queue_batch_undone(struct queue_batch *b)
{
	pthread_mutex_lock(&b->due->lock);
	for (size_t i = 0; i < b->begun.n; i++)
		queue_active_remove(&b->due->active, b->begun.v[i]);
	pthread_mutex_unlock(&b->due->lock);
	for (size_t i = 0; i < b->made.n; i++)
		queue_files_remove(b->spool_fd, b->made.v[i]);
}
