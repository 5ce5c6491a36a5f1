/*
 * What the queue knows without asking the disk: who is being delivered, which next hop is due when, how many
 * recipients are in which state.
 *
 * The lock orders claims and commits. A claim holds it while it reads; the writer takes it after a commit, before it
 * takes settled rows out of `active`. So a claim sees a row either in the set or already settled, never as free to
 * deliver again. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_DUE_H
#define POSTERN_QUEUE_QUEUE_DUE_H

#include <pthread.h>
#include <sqlite3.h>

#include "gateway/queue/queue_active.h"
#include "gateway/queue/queue_hops.h"

enum { QUEUE_DUE_STATES = 4 };

struct queue_due {
	pthread_mutex_t lock;
	struct queue_active active;
	struct queue_hops hops;
	int64_t tally[QUEUE_DUE_STATES]; /* recipients as stored: the active ones count as queued */
};

void queue_due_init(struct queue_due *d);
void queue_due_clear(struct queue_due *d);
/* Reads next hops and counts from the database: two indexes, no row. An SQLite result. */
int queue_due_load(struct queue_due *d, sqlite3 *db);

#endif
