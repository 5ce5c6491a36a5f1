/* The writer's statements. Writer thread. relay. Durability is queue_writer.c's; here only rows are changed. */
#include "gateway/queue/queue_store.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_number.h"
#include "gateway/queue/queue_sealed.h"
#include "gateway/queue/queue_sent.h"

void queue_store_init(struct queue_store *s, sqlite3 *db)
{
	s->msg = queue_db_prepare(db, "INSERT INTO msg (id, kind, size, sender, trace, facts, message_id, wrapped,"
				      " flags, ret, envid) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
	s->body = queue_db_prepare(db, "INSERT INTO body (msg, sealed) VALUES (?1, ?2)");
	s->rcpt = queue_db_prepare(db, "INSERT INTO rcpt (id, address, nexthop, state, outcome, next_at, changed, "
				       "reason, treatment, notify, orcpt)"
				       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10)");
	s->sealed = queue_db_prepare(
	    db, "INSERT INTO sealed (hash, at) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET at = excluded.at");
	s->state = queue_db_prepare(db, "SELECT state FROM rcpt WHERE id = ?1");
	s->settle = queue_db_prepare(db,
	    "UPDATE rcpt SET state = ?2, outcome = ?3, next_at = ?4, changed = ?5, reason = coalesce(?6, reason),"
	    " remote = coalesce(?7, remote), status = coalesce(?8, status), attempts = attempts + ?9, warned = "
	    "warned | ?10,"
	    /* released: 0 no, 1 yes, 2 held by the admin while on its way */
	    " released = CASE WHEN ?11 = 2 AND state = 2 THEN released WHEN ?11 = 2 THEN 2 WHEN ?11 = 3 THEN "
	    "released <> 2 WHEN ?2 = 2 THEN 0 ELSE released "
	    "END"
	    " WHERE id = ?1 AND state <> 3");
	s->nexthop = queue_db_prepare(db, "SELECT nexthop FROM rcpt WHERE id = ?1");
	s->open =
	    queue_db_prepare(db, "SELECT 1 FROM rcpt NOT INDEXED WHERE id >= ?1 AND id < ?2 AND state <> 3 LIMIT 1");
	s->drop_body = queue_db_prepare(db, "DELETE FROM body WHERE msg = ?1");
	s->sent = queue_db_prepare(db, QUEUE_SENT_INSERT);
	s->report =
	    queue_db_prepare(db, "INSERT OR IGNORE INTO report (rcpt, via, at, action, mta, status, diagnostic)"
				 " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE EXISTS (SELECT 1 FROM rcpt WHERE id = "
				 "?1)");
	/* with ?2 recorded: who said the same before is heard once, and the oldest make room */
	s->reports_over = queue_db_prepare(db,
	    "SELECT via FROM report WHERE rcpt = ?1 AND via NOT IN (SELECT via FROM report WHERE rcpt = ?1 AND (via "
	    "= ?2 OR action <> ?3 OR mta <> ?4) ORDER BY via = ?2 DESC, at DESC, via DESC LIMIT ?5) LIMIT ?6");
	s->drop_report = queue_db_prepare(db, "DELETE FROM report WHERE rcpt = ?1 AND via = ?2");
	s->about = queue_db_prepare(db, "INSERT OR IGNORE INTO about (of, msg) VALUES (?1, ?2)");
	s->drop_about = queue_db_prepare(db,
	    "DELETE FROM about WHERE of = ?1 AND msg = ?2 AND NOT EXISTS (SELECT 1 FROM report WHERE rcpt >= ?3 AND "
	    "rcpt < ?4 AND via = ?2)");
	queue_held_store_init(&s->held, db);
}

void queue_store_clear(struct queue_store *s)
{
	sqlite3_stmt *all[] = {s->msg, s->body, s->rcpt, s->sealed, s->state, s->settle, s->nexthop, s->open,
	    s->drop_body, s->sent, s->report, s->reports_over, s->drop_report, s->about, s->drop_about};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		sqlite3_finalize(all[i]);
	queue_held_store_clear(&s->held);
	*s = (struct queue_store){0};
}

/* ---- messages ---- */

static int put_rcpt(struct queue_store *s, struct queue_batch *b, const struct queue_rcpt *r, int64_t row)
{
	/* "active" is a matter of memory: stored as queued, it is tried again after a crash */
	enum queue_state stored = r->state == QUEUE_ACTIVE ? QUEUE_QUEUED : r->state;

	sqlite3_bind_int64(s->rcpt, 1, row);
	queue_db_text(s->rcpt, 2, r->address);
	queue_db_text(s->rcpt, 3, r->nexthop);
	sqlite3_bind_int(s->rcpt, 4, (int)stored);
	sqlite3_bind_int(s->rcpt, 5, (int)r->outcome);
	sqlite3_bind_int64(s->rcpt, 6, b->now);
	queue_db_text(s->rcpt, 7, r->reason);
	queue_db_text(s->rcpt, 8, r->treatment);
	sqlite3_bind_int(s->rcpt, 9, (int)r->env.notify);
	queue_db_text(s->rcpt, 10, r->env.orcpt ? r->env.orcpt : "");
	b->tally[stored]++;
	if (r->state == QUEUE_ACTIVE)
		REQUIRE(queue_batch_begin(b, row) == 0);
	if (r->state == QUEUE_QUEUED)
		queue_batch_due(b, r->nexthop, b->now, false);
	return queue_db_run(s->rcpt);
}

static int flags_of(const struct envelope *e)
{
	return (e->body8 ? QUEUE_STORE_BODY8 : 0) | (e->utf8 ? QUEUE_STORE_UTF8 : 0) |
	       (e->requiretls ? QUEUE_STORE_REQUIRETLS : 0) | (e->tls_no ? QUEUE_STORE_TLS_NO : 0);
}

static int put_msg(struct queue_store *s, const struct queue_msg *m, int64_t number)
{
	sqlite3_bind_int64(s->msg, 1, number);
	sqlite3_bind_int(s->msg, 2, (int)m->kind);
	sqlite3_bind_int64(s->msg, 3, m->content ? (int64_t)spool_size(m->content) : 0);
	queue_db_text(s->msg, 4, m->sender);
	queue_db_text(s->msg, 5, m->trace);
	queue_db_text(s->msg, 6, m->facts);
	queue_db_text(s->msg, 7, m->message_id);
	sqlite3_bind_blob64(s->msg, 8, m->wrapped_len ? m->wrapped : "", m->wrapped_len, SQLITE_STATIC);
	sqlite3_bind_int(s->msg, 9, flags_of(&m->env));
	sqlite3_bind_int(s->msg, 10, (int)m->env.ret);
	queue_db_text(s->msg, 11, m->env.envid ? m->env.envid : "");
	return queue_db_run(s->msg);
}

/* Content in a file was synced and named before the transaction began; without open recipients none is kept. */
static int put_body(struct queue_store *s, const struct queue_msg *m, int64_t number, int open)
{
	size_t n;
	const uint8_t *p = m->content && open ? spool_sealed(m->content, &n) : NULL;

	if (!p)
		return SQLITE_OK;
	sqlite3_bind_int64(s->body, 1, number);
	sqlite3_bind_blob64(s->body, 2, p, n, SQLITE_STATIC);
	return queue_db_run(s->body);
}

static int link_about(struct queue_store *s, int64_t of, int64_t number)
{
	sqlite3_bind_int64(s->about, 1, of);
	sqlite3_bind_int64(s->about, 2, number);
	return queue_db_run(s->about);
}

static int put_about(struct queue_store *s, const struct queue_msg *m, int64_t number)
{
	int64_t of;

	if (!m->about || queue_number_parse(m->about, &of))
		return SQLITE_OK;
	return link_about(s, of, number);
}

static int hold_new(struct queue_store *s, struct queue_batch *b, const struct queue_msg *m, int64_t number)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < m->nrcpts && rc == SQLITE_OK; i++)
		if (m->rcpts[i].state == QUEUE_HELD)
			rc = queue_held_store_hold(&s->held, queue_number_row(number, i), &m->rcpts[i].hold, b->now);
	return rc;
}

static int put(struct queue_store *s, struct queue_batch *b, const struct queue_msg *m, int64_t number)
{
	int open = 0, rc = SQLITE_OK;

	for (size_t i = 0; i < m->nrcpts && rc == SQLITE_OK; i++) {
		open |= m->rcpts[i].state != QUEUE_DONE;
		rc = put_rcpt(s, b, &m->rcpts[i], queue_number_row(number, i));
	}
	if (rc == SQLITE_OK)
		rc = put_msg(s, m, number);
	if (rc == SQLITE_OK)
		rc = put_body(s, m, number, open);
	if (rc == SQLITE_OK)
		rc = hold_new(s, b, m, number);
	return rc == SQLITE_OK ? put_about(s, m, number) : rc;
}

/* ---- settlements ---- */

/* With its last recipient done, a message's content goes: the row now, a file after the commit (a crash between
 * leaves it to the next start). */
static int drop_if_done(struct queue_store *s, struct queue_batch *b, int64_t row)
{
	int64_t number = queue_number_msg(row);

	sqlite3_bind_int64(s->open, 1, queue_number_row(number, 0));
	sqlite3_bind_int64(s->open, 2, queue_number_row(number + 1, 0));

	int rc = sqlite3_step(s->open);

	sqlite3_reset(s->open);
	if (rc != SQLITE_DONE)
		return rc == SQLITE_ROW ? SQLITE_OK : rc;
	sqlite3_bind_int64(s->drop_body, 1, number);
	rc = queue_db_run(s->drop_body);
	if (rc == SQLITE_OK && sqlite3_changes(b->db) == 0)
		queue_batch_add(&b->gone, number);
	return rc;
}

/* A retry's next hop has to be known to the claims. */
static int retry_due(struct queue_store *s, struct queue_batch *b, const struct queue_settle *t, bool wake)
{
	sqlite3_bind_int64(s->nexthop, 1, t->rcpt);

	int rc = sqlite3_step(s->nexthop);

	if (rc == SQLITE_ROW)
		queue_batch_due(b, queue_db_column(s->nexthop, 0), t->next_at, wake);
	sqlite3_reset(s->nexthop);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int queue_store_settle(struct queue_store *s, struct queue_batch *b, const struct queue_settle *t, int before,
    enum queue_store_try tried)
{
	sqlite3_bind_int64(s->settle, 1, t->rcpt);
	sqlite3_bind_int(s->settle, 2, (int)t->state);
	sqlite3_bind_int(s->settle, 3, (int)t->outcome);
	sqlite3_bind_int64(s->settle, 4, t->state == QUEUE_QUEUED ? t->next_at : b->now);
	sqlite3_bind_int64(s->settle, 5, b->now);
	queue_db_text(s->settle, 6, t->reason);
	queue_db_text(s->settle, 7, t->remote);
	queue_db_text(s->settle, 8, t->status);
	sqlite3_bind_int(s->settle, 9, tried == QUEUE_STORE_TRIED);
	sqlite3_bind_int(s->settle, 10, t->warned);
	sqlite3_bind_int(s->settle, 11, (int)tried);

	int rc = queue_db_run(s->settle);

	if (rc == SQLITE_OK && sqlite3_changes(b->db) != 1)
		log_panic("recipient row %lld settled twice in one transaction", (long long)t->rcpt);
	if (rc == SQLITE_OK && t->state == QUEUE_HELD)
		rc = queue_held_store_hold(&s->held, t->rcpt, &t->hold, b->now);
	else if (rc == SQLITE_OK && before == QUEUE_HELD)
		rc = queue_held_store_end(&s->held, t->rcpt);
	if (rc != SQLITE_OK)
		return rc;
	b->tally[before]--;
	b->tally[t->state]++;
	queue_batch_add(&b->ended, t->rcpt);
	if (t->state == QUEUE_DONE)
		return drop_if_done(s, b, t->rcpt);
	return t->state == QUEUE_QUEUED
		   ? retry_due(s, b, t, tried == QUEUE_STORE_RETRY || tried == QUEUE_STORE_RELEASE)
		   : SQLITE_OK;
}

/* P6: looked at before anything of the item is written, so that a refusal needs no undoing. The statement's own WHERE
 * and the trigger stand behind it. */
static int check_settles(struct queue_store *s, struct queue_item *it)
{
	for (size_t i = 0; i < it->tx.nsettles; i++) {
		int64_t row = it->tx.settles[i].rcpt;

		sqlite3_bind_int64(s->state, 1, row);

		int rc = sqlite3_step(s->state);
		int state = rc == SQLITE_ROW ? sqlite3_column_int(s->state, 0) : QUEUE_DONE;

		sqlite3_reset(s->state);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE)
			return rc;
		it->before[i] = (uint8_t)state;
		if (state != QUEUE_DONE)
			continue;
		problem_set(queue_item_refuse(it), PROBLEM_PERM, 554, "5.3.0", NULL, "recipient row %lld %s",
		    (long long)row, rc == SQLITE_ROW ? "has its outcome already" : "does not exist");
		log_error(NULL, "queue", "settle-refused row=%lld why=\"%s\"", (long long)row, it->pr->text);
		return SQLITE_OK;
	}
	return SQLITE_OK;
}

/* Given back without a reason: nobody tried. */
static enum queue_store_try was_tried(const struct queue_settle *t)
{
	return t->state == QUEUE_QUEUED && !t->reason ? QUEUE_STORE_UNTRIED : QUEUE_STORE_TRIED;
}

static int remember_sealed(struct queue_store *s, struct queue_batch *b, const char *id)
{
	sqlite3_bind_int64(s->sealed, 1, queue_sealed_hash(id));
	sqlite3_bind_int64(s->sealed, 2, b->now);
	return queue_db_run(s->sealed);
}

/* The report is no longer on record; its message is about another as long as one of its recipients has one from it.
 */
static int drop_report(struct queue_store *s, int64_t row, int64_t via)
{
	int64_t of = queue_number_msg(row);
	int rc;

	sqlite3_bind_int64(s->drop_report, 1, row);
	sqlite3_bind_int64(s->drop_report, 2, via);
	rc = queue_db_run(s->drop_report);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(s->drop_about, 1, of);
	sqlite3_bind_int64(s->drop_about, 2, via);
	sqlite3_bind_int64(s->drop_about, 3, queue_number_row(of, 0));
	sqlite3_bind_int64(s->drop_about, 4, queue_number_row(of + 1, 0));
	return queue_db_run(s->drop_about);
}

/* Anybody can fill the places, so none of them is anybody's for good: the last word is there to be read. */
static int make_room(struct queue_store *s, const struct queue_report *r, int64_t via)
{
	int64_t over[QUEUE_REPORTS_MAX + 1];
	size_t n = 0;
	int rc;

	sqlite3_bind_int64(s->reports_over, 1, r->rcpt);
	sqlite3_bind_int64(s->reports_over, 2, via);
	queue_db_text(s->reports_over, 3, r->action);
	queue_db_text(s->reports_over, 4, r->mta);
	sqlite3_bind_int(s->reports_over, 5, QUEUE_REPORTS_MAX);
	sqlite3_bind_int(s->reports_over, 6, QUEUE_REPORTS_MAX + 1);
	while ((rc = sqlite3_step(s->reports_over)) == SQLITE_ROW && n < QUEUE_REPORTS_MAX + 1)
		over[n++] = sqlite3_column_int64(s->reports_over, 0);
	sqlite3_reset(s->reports_over);
	if (rc != SQLITE_DONE)
		return rc;
	rc = SQLITE_OK;
	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		rc = drop_report(s, r->rcpt, over[i]);
	return rc;
}

/* Beside the recipient, never into it: who reports is nobody that may change what becomes of mail. */
static int put_report(struct queue_store *s, struct queue_batch *b, const struct queue_report *r, int64_t via)
{
	sqlite3_bind_int64(s->report, 1, r->rcpt);
	sqlite3_bind_int64(s->report, 2, via);
	sqlite3_bind_int64(s->report, 3, b->now);
	queue_db_text(s->report, 4, r->action);
	queue_db_text(s->report, 5, r->mta);
	queue_db_text(s->report, 6, r->status);
	queue_db_text(s->report, 7, r->diagnostic);

	int rc = queue_db_run(s->report);

	if (rc != SQLITE_OK || sqlite3_changes(b->db) != 1)
		return rc;
	rc = link_about(s, queue_number_msg(r->rcpt), via);
	return rc == SQLITE_OK ? make_room(s, r, via) : rc;
}

int queue_store_apply(struct queue_store *s, struct queue_batch *b, struct queue_item *it)
{
	int rc = check_settles(s, it);

	if (rc != SQLITE_OK || it->err)
		return rc;
	if (it->run)
		return queue_sent_write(s->sent, it->run, b->now);
	for (size_t i = 0; i < it->tx.nmsgs && rc == SQLITE_OK; i++)
		rc = put(s, b, &it->tx.msgs[i], it->numbers[i]);
	for (size_t i = 0; i < it->tx.nsettles && rc == SQLITE_OK; i++)
		rc = queue_store_settle(s, b, &it->tx.settles[i], it->before[i], was_tried(&it->tx.settles[i]));
	for (size_t i = 0; i < it->tx.nsealed_ids && rc == SQLITE_OK; i++)
		rc = remember_sealed(s, b, it->tx.sealed_ids[i]);
	for (size_t i = 0; i < it->tx.nreports && rc == SQLITE_OK; i++)
		rc = put_report(s, b, &it->tx.reports[i], it->numbers[0]);
	return rc;
}
