/* Rows of the history as JSON. relay, reader thread. */
#include "gateway/queue/history_rows.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/queue/history.h"
#include "gateway/queue/history_db.h"
#include "gateway/queue/history_way.h"
#include "gateway/queue/queue_number.h"

static const char *const texts[HISTORY_ROWS_STATEMENTS] = {
    [HISTORY_ROWS_MSG] = "SELECT direction, size, sender, message_id, client, helo, tls, judged, trace,"
			 " CASE ?2 WHEN 0 THEN x'' ELSE way END FROM msg WHERE number = ?1",
    [HISTORY_ROWS_RCPTS] = "SELECT id, outcome, changed, address, treatment, reason, status, remote, tls, rule,"
			   " partner, certs, signed_by FROM rcpt WHERE id >= ?1 << 16 AND id < (?1 + 1) << 16"
			   " ORDER BY id LIMIT 1000",
    [HISTORY_ROWS_CHILDREN] = "SELECT number FROM alias WHERE root = ?1 ORDER BY number LIMIT 64",
    [HISTORY_ROWS_ROOT] = "SELECT root FROM alias WHERE number = ?1",
};

int history_rows_init(struct history_rows *r, sqlite3 *db)
{
	*r = (struct history_rows){.db = db};
	r->rc = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
	for (int i = 0; i < HISTORY_ROWS_STATEMENTS && r->rc == SQLITE_OK; i++)
		if (!(r->st[i] = history_db_prepare(db, texts[i])))
			r->rc = SQLITE_CORRUPT;
	return r->rc;
}

void history_rows_clear(struct history_rows *r)
{
	for (int i = 0; i < HISTORY_ROWS_STATEMENTS; i++)
		sqlite3_finalize(r->st[i]);
	if (!sqlite3_get_autocommit(r->db))
		(void)sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
}

static int note_failure(struct history_rows *r, int rc)
{
	if (rc != SQLITE_ROW && rc != SQLITE_DONE && r->rc == SQLITE_OK)
		r->rc = rc;
	return rc;
}

void history_rows_set(json_t *o, const char *name, json_t *v)
{
	if (!v || json_object_set_new(o, name, v))
		log_fatal("out of memory: JSON");
}

const char *history_rows_str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void set_column(json_t *o, const char *name, sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	if (s && s[0])
		history_rows_set(o, name, history_way_text(s));
}

static void set_id(json_t *o, const char *name, int64_t number)
{
	char id[QUEUE_NUMBER_TEXT + 1];

	queue_number_text(number, id, sizeof id);
	history_rows_set(o, name, json_string(id));
}

int64_t history_rows_root(struct history_rows *r, int64_t number)
{
	sqlite3_stmt *st = r->st[HISTORY_ROWS_ROOT];
	int64_t root = number;

	sqlite3_bind_int64(st, 1, number);
	if (note_failure(r, sqlite3_step(st)) == SQLITE_ROW)
		root = sqlite3_column_int64(st, 0);
	sqlite3_reset(st);
	return root;
}

static json_t *msg(sqlite3_stmt *st, int64_t number, enum history_rows_how how)
{
	static const char *const directions[] = {"unknown", "in", "out", "notice"};
	static const char *const names[] = {
	    "message_id", "client", "helo", "tls", "judged", "trace"}; /* columns 3 to 8 */
	json_t *o = json_object();
	int direction = sqlite3_column_int(st, 0);
	const char *sender = (const char *)sqlite3_column_text(st, 2);

	set_id(o, "id", number);
	history_rows_set(o, "at", json_integer(queue_number_time(number)));
	history_rows_set(
	    o, "direction", json_string(directions[direction >= 0 && direction <= HISTORY_NOTICE ? direction : 0]));
	history_rows_set(o, "size", json_integer(sqlite3_column_int64(st, 1)));
	history_rows_set(o, "from", history_way_text(sender ? sender : ""));
	for (int i = 0; i < 6; i++)
		set_column(o, names[i], st, i + 3);
	if (how == HISTORY_ROWS_WHOLE) {
		const char *way = sqlite3_column_blob(st, 9);
		int n = sqlite3_column_bytes(st, 9);

		history_rows_set(o, "events", history_way_json(way ? way : "", way ? (size_t)n : 0));
	}
	return o;
}

json_t *history_rows_msg(struct history_rows *r, int64_t number, enum history_rows_how how)
{
	sqlite3_stmt *st = r->st[HISTORY_ROWS_MSG];
	json_t *o = NULL;

	sqlite3_bind_int64(st, 1, number);
	sqlite3_bind_int(st, 2, how == HISTORY_ROWS_WHOLE);
	if (note_failure(r, sqlite3_step(st)) == SQLITE_ROW)
		o = msg(st, number, how);
	sqlite3_reset(st);
	return o;
}

static json_t *rcpt(sqlite3_stmt *st, int64_t root)
{
	static const char *const names[] = {"address", "treatment", "reason", "status", "remote", "tls", "rule",
	    "partner", "certificates", "signed_by"}; /* columns 3 to 12 */
	int64_t row = sqlite3_column_int64(st, 0), number = queue_number_msg(row);
	json_t *o = json_object();

	history_rows_set(o, "row", json_integer(row));
	history_rows_set(
	    o, "outcome", json_string(history_outcome_word((enum history_outcome)sqlite3_column_int(st, 1))));
	history_rows_set(o, "changed", json_integer(sqlite3_column_int64(st, 2)));
	for (int i = 0; i < 10; i++)
		set_column(o, names[i], st, i + 3);
	if (number != root)
		set_id(o, "message", number);
	return o;
}

static void add_rcpts(struct history_rows *r, json_t *list, int64_t number, int64_t root)
{
	sqlite3_stmt *st = r->st[HISTORY_ROWS_RCPTS];

	sqlite3_bind_int64(st, 1, number);
	while (note_failure(r, sqlite3_step(st)) == SQLITE_ROW)
		if (sqlite3_column_int(st, 1) != HISTORY_REPLACED && json_array_append_new(list, rcpt(st, root)))
			log_fatal("out of memory: JSON");
	sqlite3_reset(st);
}

json_t *history_rows_rcpts(struct history_rows *r, int64_t number)
{
	sqlite3_stmt *st = r->st[HISTORY_ROWS_CHILDREN];
	json_t *list = json_array();

	add_rcpts(r, list, number, number);
	sqlite3_bind_int64(st, 1, number);
	while (note_failure(r, sqlite3_step(st)) == SQLITE_ROW)
		add_rcpts(r, list, sqlite3_column_int64(st, 0), number);
	sqlite3_reset(st);
	return list;
}
