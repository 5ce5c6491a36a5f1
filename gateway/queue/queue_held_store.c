/*
 * The writer's statements on what is held. Writer thread. relay. A table of its own, so that mail which is never held
 * pays nothing for it. Whose share a recipient takes (held-share) is read from its message: the client in the facts,
 * the domain behind the sender's last "@".
 */
#include "gateway/queue/queue_held_store.h"

#include "gateway/base/log.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_number.h"

void queue_held_store_init(struct queue_held_store *h, sqlite3 *db)
{
	h->hold = queue_db_prepare(db,
	    "INSERT INTO held (rcpt, waits, waits_for, again_at, since, tries, client, domain)"
	    " SELECT ?1, CASE WHEN ?2 = 5 THEN 0 ELSE ?2 END, ?3, ?4, ?5, 0,"
	    " CASE WHEN json_valid(facts) THEN nullif(json_extract(facts, '$.client'), '') END,"
	    " nullif(lower(substr(sender, length(rtrim(sender, replace(sender, '@', ''))) + 1)), '')"
	    " FROM (SELECT 1) LEFT JOIN msg ON msg.id = ?6 WHERE true" /* also when its envelope is gone */
	    " ON CONFLICT (rcpt) DO UPDATE SET waits = CASE WHEN ?2 = 5 THEN waits ELSE ?2 END,"
	    " waits_for = CASE WHEN ?2 = 5 THEN waits_for ELSE ?3 END, again_at = ?4, tries = tries + 1");
	h->end = queue_db_prepare(db, "DELETE FROM held WHERE rcpt = ?1");
	h->due = queue_db_prepare(db, "UPDATE held SET again_at = ?2 WHERE rcpt = ?1 AND waits <> 0");
}

void queue_held_store_clear(struct queue_held_store *h)
{
	sqlite3_finalize(h->hold);
	sqlite3_finalize(h->end);
	sqlite3_finalize(h->due);
}

int queue_held_store_hold(struct queue_held_store *h, int64_t row, const struct queue_hold *w, int64_t now)
{
	sqlite3_bind_int64(h->hold, 1, row);
	sqlite3_bind_int(h->hold, 2, (int)w->waits);
	queue_db_text(h->hold, 3, w->waits_for ? w->waits_for : "");
	sqlite3_bind_int64(h->hold, 4, w->waits == QUEUE_WAITS_ADMIN ? 0 : w->again_at);
	sqlite3_bind_int64(h->hold, 5, now);
	sqlite3_bind_int64(h->hold, 6, queue_number_msg(row));
	return queue_db_run(h->hold);
}

int queue_held_store_end(struct queue_held_store *h, int64_t row)
{
	sqlite3_bind_int64(h->end, 1, row);
	return queue_db_run(h->end);
}

int queue_held_store_due(struct queue_held_store *h, int64_t row, int64_t now)
{
	sqlite3_bind_int64(h->due, 1, row);
	sqlite3_bind_int64(h->due, 2, now);
	return queue_db_run(h->due);
}

static int64_t count(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = queue_db_prepare(db, sql);
	int64_t n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;

	sqlite3_finalize(st);
	return n;
}

int queue_held_store_mend(sqlite3 *db)
{
	static const char mend[] =
	    "BEGIN IMMEDIATE;"
	    "DELETE FROM held WHERE NOT EXISTS (SELECT 1 FROM rcpt WHERE rcpt.id = held.rcpt AND state = 2);"
	    "INSERT INTO held SELECT id, 0, '', 0, changed, 0, NULL, NULL FROM rcpt INDEXED BY rcpt_held WHERE state "
	    "= 2"
	    " AND NOT EXISTS (SELECT 1 FROM held WHERE held.rcpt = rcpt.id);"
	    "COMMIT;";
	int64_t held = count(db, "SELECT count(*) FROM rcpt INDEXED BY rcpt_held WHERE state = 2");
	int64_t both = count(db, "SELECT count(*) FROM held CROSS JOIN rcpt INDEXED BY rcpt_held ON rcpt.id = "
				 "held.rcpt AND rcpt.state = 2");

	if (held == both && both == count(db, "SELECT count(*) FROM held"))
		return SQLITE_OK;
	log_warn(NULL, "queue", "held-mended recipients=%lld why=\"not all of what is held said what it waits for\"",
	    (long long)(held - both));
	return queue_db_exec(db, mend);
}
