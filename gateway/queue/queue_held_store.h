/* The writer's statements on what is held: one row of table "held" for each held recipient. Writer thread. relay. */
#ifndef POSTERN_QUEUE_QUEUE_HELD_STORE_H
#define POSTERN_QUEUE_QUEUE_HELD_STORE_H

#include <sqlite3.h>

#include "gateway/queue/queue.h"

struct queue_held_store {
	sqlite3_stmt *hold, *end, *due;
};
void queue_held_store_init(struct queue_held_store *h, sqlite3 *db);
void queue_held_store_clear(struct queue_held_store *h);
/* A recipient whose message is stored is held, or held again: then since when stays, and it counts as another try.
 * SQLite results. */
int queue_held_store_hold(struct queue_held_store *h, int64_t row, const struct queue_hold *w, int64_t now);
/* It is no longer held. */
int queue_held_store_end(struct queue_held_store *h, int64_t row);
/* It is judged again now, when it waits for anything but the admin: sqlite3_changes says whether it does. */
int queue_held_store_due(struct queue_held_store *h, int64_t row, int64_t now);

/* Before the queue is used: each held recipient has its row, and no other has one. After a database was mended by
 * hand that need not be so; who has none waits for the admin. An SQLite result. */
int queue_held_store_mend(sqlite3 *db);

#endif
