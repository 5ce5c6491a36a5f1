/*
 * One transaction of the writer and what follows from it: what becomes true in memory and on the disk only after its
 * commit, and what a rollback takes back. Writer thread. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_BATCH_H
#define POSTERN_QUEUE_QUEUE_BATCH_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/queue/queue_due.h"

struct queue_batch_rows {
	int64_t *v;
	size_t n, cap;
};
struct queue_batch_hop {
	char *name;
	int64_t at;
	bool wake; /* the admin wants it tried now, whatever its site did before */
};
struct queue_store;
struct queue_batch {
	sqlite3 *db;
	struct queue_store *store; /* the writer's statements, for calls */
	struct queue_due *due;
	int spool_fd;
	int64_t now;			 /* unix ms */
	int64_t tally[QUEUE_DUE_STATES]; /* changes */
	struct queue_batch_rows begun;	 /* rows put into the active set already */
	struct queue_batch_rows ended;	 /* rows that leave it with the commit */
	struct queue_batch_rows made;	 /* messages whose files have names already */
	struct queue_batch_rows gone;	 /* messages whose files are useless after the commit */
	struct queue_batch_hop *hops;
	size_t nhops, hops_cap;
};

void queue_batch_init(
    struct queue_batch *b, sqlite3 *db, struct queue_store *store, struct queue_due *due, int spool_fd);
/* Empties without freeing. */
void queue_batch_reset(struct queue_batch *b, int64_t now);
void queue_batch_clear(struct queue_batch *b);
void queue_batch_add(struct queue_batch_rows *r, int64_t row);
/* Puts a row into the active set now, before the commit: a claim that sees the committed row must find it there. 0,
 * or -1 when it was in it. */
int queue_batch_begin(struct queue_batch *b, int64_t row);
/* Somebody for this next hop will be due. */
void queue_batch_due(struct queue_batch *b, const char *nexthop, int64_t at, bool wake);
/* Exactly one of these two, once. */
void queue_batch_committed(struct queue_batch *b);
void queue_batch_undone(struct queue_batch *b);

#endif
