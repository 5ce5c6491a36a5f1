/*
 * What is held, seen from the loop's thread: who is to be judged again, and whose share of held-max is used up. The
 * reader's lock is held by the caller where it says so. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_HELD_H
#define POSTERN_QUEUE_QUEUE_HELD_H

#include <sqlite3.h>

#include "gateway/queue/queue.h"
#include "gateway/queue/queue_active.h"

/* One walk through those that wait for one thing, from the lowest row up, over as many claims as it takes. */
struct queue_held_walk {
	enum queue_waits waits;
	bool all; /* every domain, else this one */
	char domain[256];
	int64_t row; /* done up to this one; 0: not begun */
};
enum { QUEUE_HELD_WALKS = 32 };

struct queue_held {
	sqlite3_stmt *again, *stale, *one, *next_domain, *rcpts, *client, *domain;
	struct queue_held_walk walks[QUEUE_HELD_WALKS];
	size_t nwalks;
};

void queue_held_init(struct queue_held *h, sqlite3 *reader);
void queue_held_clear(struct queue_held *h);
/* A candidate; its strings are the statement's and valid until the next call. */
struct queue_held_row {
	int64_t row;
	const char *nexthop, *waits_for;
	enum queue_waits waits;
	int64_t again_at;
};
/* The next one of a walk that is not in `active`; the walk stands still at one that is, so that none is passed over
 * while it is judged by what was known before. An SQLite result: SQLITE_ROW with *r_r, SQLITE_DONE: none now.
 * Reader's lock. */
int queue_held_next(struct queue_held *h, const struct queue_active *active, struct queue_held_row *r_r);
/* Of a statement that gives rcpt, nexthop, waits, waits_for, again_at. */
struct queue_held_row queue_held_read(sqlite3_stmt *st);

#endif
