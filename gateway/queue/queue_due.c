/* What the queue knows without asking the disk, and how it learns it when it opens. relay. */
#include "gateway/queue/queue_due.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/queue/queue.h"
#include "gateway/queue/queue_db.h"

void queue_due_init(struct queue_due *d)
{
	*d = (struct queue_due){0};
	pthread_mutex_init(&d->lock, NULL);
	queue_active_init(&d->active);
	queue_hops_init(&d->hops);
}

void queue_due_clear(struct queue_due *d)
{
	queue_active_clear(&d->active);
	queue_hops_clear(&d->hops);
	pthread_mutex_destroy(&d->lock);
}

static int load_one(struct queue_due *d, sqlite3 *db, int state, const char *sql)
{
	sqlite3_stmt *st = queue_db_prepare(db, sql);
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		d->tally[state] = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* From the indexes alone: history may be many times the queue, and what is done is counted from the start on. */
static int load_tally(struct queue_due *d, sqlite3 *db)
{
	int rc = load_one(d, db, QUEUE_QUEUED, "SELECT count(*) FROM rcpt INDEXED BY rcpt_due WHERE state = 0");

	return rc != SQLITE_OK
		   ? rc
		   : load_one(d, db, QUEUE_HELD, "SELECT count(*) FROM rcpt INDEXED BY rcpt_held WHERE state = 2");
}

/* From one next hop to the following in the index: as many look-ups as hops, however many recipients each has. Where
 * the first that is due was tried before, the site failed most likely. */
int queue_due_load(struct queue_due *d, sqlite3 *db)
{
	sqlite3_stmt *first =
	    queue_db_prepare(db, "SELECT nexthop, next_at, attempts FROM rcpt INDEXED BY rcpt_due WHERE "
				 "state = 0 ORDER BY nexthop, next_at LIMIT 1");
	sqlite3_stmt *next = queue_db_prepare(db,
	    "SELECT nexthop, next_at, attempts FROM rcpt INDEXED BY rcpt_due WHERE state = 0 AND nexthop > ?1"
	    " ORDER BY nexthop, next_at LIMIT 1");
	int rc = load_tally(d, db);

	for (sqlite3_stmt *st = first; rc == SQLITE_OK;) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW)
			break;

		char *name = mem_str(queue_db_column(st, 0));

		queue_hops_lower(&d->hops, name, sqlite3_column_int64(st, 1));
		if (sqlite3_column_int(st, 2) > 0)
			queue_hops_put_off(&d->hops, name, 1, true);
		sqlite3_reset(st); /* before the binding, which a statement under way would refuse */
		sqlite3_bind_text(next, 1, name, -1, free);
		st = next;
		rc = SQLITE_OK;
	}
	sqlite3_finalize(first);
	sqlite3_finalize(next);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}
