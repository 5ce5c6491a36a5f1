/*
 * Forgetting. Writer thread. relay. Message numbers grow with time, so that the old ones stand together at the
 * table's beginning and no index by age is needed: a round looks at every message older than done-keep and removes
 * those that are done long enough.
 */
#include "gateway/queue/queue_purge.h"

#include <string.h>

#include "gateway/queue/queue_batch.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_number.h"

enum {
	STEP_MESSAGES = 200,
	SLICES = 256,
	WAIT_IN_ROUND_MS = 50,
	WAIT_BETWEEN_MS = 10 * 60 * 1000,
};

#define DAY_MS INT64_C(86400000)

void queue_purge_init(struct queue_purge *p, sqlite3 *db, const struct queue_settings *set)
{
	*p = (struct queue_purge){.set = set, .round_done = true};
	p->old = queue_db_prepare(db, "SELECT id FROM msg WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3");
	p->kept = queue_db_prepare(db,
	    "SELECT 1 FROM rcpt NOT INDEXED WHERE id >= ?1 AND id < ?2 AND (state <> 3 OR changed > ?3 OR"
	    " (changed > ?4 AND EXISTS (SELECT 1 FROM msg WHERE msg.id = ?5 AND kind = ?6))) LIMIT 1");
	p->drop_rcpts = queue_db_prepare(db, "DELETE FROM rcpt WHERE id >= ?1 AND id < ?2");
	p->drop_msg = queue_db_prepare(db, "DELETE FROM msg WHERE id = ?1");
	p->drop_body = queue_db_prepare(db, "DELETE FROM body WHERE msg = ?1");
	p->drop_report = queue_db_prepare(db, "DELETE FROM report WHERE rcpt >= ?1 AND rcpt < ?2");
	p->drop_about = queue_db_prepare(db, "DELETE FROM about WHERE of = ?1 OR msg = ?1");
	p->drop_run = queue_db_prepare(db, "DELETE FROM sent WHERE run = (SELECT min(run) FROM sent) AND at < ?1");
	p->drop_sealed = queue_db_prepare(db, "DELETE FROM sealed WHERE hash >= ?1 AND hash <= ?2 AND at < ?3");
}

void queue_purge_clear(struct queue_purge *p)
{
	sqlite3_finalize(p->old);
	sqlite3_finalize(p->kept);
	sqlite3_finalize(p->drop_rcpts);
	sqlite3_finalize(p->drop_msg);
	sqlite3_finalize(p->drop_body);
	sqlite3_finalize(p->drop_sealed);
	sqlite3_finalize(p->drop_report);
	sqlite3_finalize(p->drop_about);
	sqlite3_finalize(p->drop_run);
}

static int drop(struct queue_purge *p, int64_t number)
{
	sqlite3_bind_int64(p->drop_rcpts, 1, queue_number_row(number, 0));
	sqlite3_bind_int64(p->drop_rcpts, 2, queue_number_row(number + 1, 0));

	sqlite3_bind_int64(p->drop_report, 1, queue_number_row(number, 0));
	sqlite3_bind_int64(p->drop_report, 2, queue_number_row(number + 1, 0));
	sqlite3_bind_int64(p->drop_about, 1, number);

	int rc = queue_db_run(p->drop_rcpts);

	if (rc == SQLITE_OK)
		rc = queue_db_run(p->drop_report);
	if (rc == SQLITE_OK)
		rc = queue_db_run(p->drop_about);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(p->drop_msg, 1, number);
	sqlite3_bind_int64(p->drop_body, 1, number);
	rc = queue_db_run(p->drop_msg);
	return rc == SQLITE_OK ? queue_db_run(p->drop_body) : rc;
}

static int drop_if_over(struct queue_purge *p, struct queue_batch *b, int64_t number, long *removed_r)
{
	sqlite3_bind_int64(p->kept, 1, queue_number_row(number, 0));
	sqlite3_bind_int64(p->kept, 2, queue_number_row(number + 1, 0));
	sqlite3_bind_int64(p->kept, 3, b->now - p->set->done_keep);
	sqlite3_bind_int64(p->kept, 4, b->now - p->set->dsn_match_days * DAY_MS);
	sqlite3_bind_int64(p->kept, 5, number);
	sqlite3_bind_int(p->kept, 6, QUEUE_OUTBOUND);

	int rc = sqlite3_step(p->kept);

	sqlite3_reset(p->kept);
	if (rc == SQLITE_ROW)
		return SQLITE_OK;
	if (rc != SQLITE_DONE)
		return rc;
	++*removed_r;
	return drop(p, number);
}

/* The numbers are read first: deleting from a table while walking through it is asking for trouble. */
static int messages(struct queue_purge *p, struct queue_batch *b, long *removed_r)
{
	int64_t found[STEP_MESSAGES];
	int n = 0, rc;

	sqlite3_bind_int64(p->old, 1, p->cursor);
	sqlite3_bind_int64(p->old, 2, queue_number_from(b->now - p->set->done_keep));
	sqlite3_bind_int(p->old, 3, STEP_MESSAGES);
	while ((rc = sqlite3_step(p->old)) == SQLITE_ROW)
		found[n++] = sqlite3_column_int64(p->old, 0);
	sqlite3_reset(p->old);
	if (rc != SQLITE_DONE)
		return rc;
	rc = SQLITE_OK;
	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = drop_if_over(p, b, found[i], removed_r);
	p->round_done = n < STEP_MESSAGES;
	p->cursor = p->round_done ? 0 : found[n - 1];
	return rc;
}

/* A 256th of the hashes at a time; queue_was_sealed looks at the age itself. */
static int sealed_ids(struct queue_purge *p, struct queue_batch *b)
{
	const int64_t width = INT64_MAX / SLICES + 1;
	int64_t from = (int64_t)p->slice * width;

	p->slice = (p->slice + 1) % SLICES;
	sqlite3_bind_int64(p->drop_sealed, 1, from);
	sqlite3_bind_int64(p->drop_sealed, 2, from + (width - 1));
	sqlite3_bind_int64(p->drop_sealed, 3, b->now - p->set->sealed_ids_days * DAY_MS);
	return queue_db_run(p->drop_sealed);
}

/* One run of the index a step. A message may have waited, or been held, before the days of its reports began. */
static int sent_run(struct queue_purge *p, struct queue_batch *b)
{
	int64_t days = p->set->dsn_match_days * DAY_MS, waited = p->set->expire + p->set->hold_expire;

	sqlite3_bind_int64(p->drop_run, 1, b->now - days - waited);
	return queue_db_run(p->drop_run);
}

static int step(struct queue_call *c, struct queue_batch *b)
{
	struct queue_purge *p = c->ctx;

	int rc = messages(p, b, &c->count);

	c->more = !p->round_done;
	if (rc == SQLITE_OK)
		rc = sent_run(p, b);
	return rc == SQLITE_OK && p->round_done ? sealed_ids(p, b) : rc;
}

void queue_purge_call(struct queue_purge *p, struct queue_call *c)
{
	memset(c, 0, sizeof *c);
	c->run = step;
	c->ctx = p;
}

int64_t queue_purge_wait_ms(const struct queue_purge *p)
{
	return p->round_done ? WAIT_BETWEEN_MS : WAIT_IN_ROUND_MS;
}
