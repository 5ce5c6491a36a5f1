/* A message as JSON. relay. Words of the outside (addresses, replies) need not be UTF-8; JSON is, so other octets are
 * shown as '?'. */
#include "gateway/queue/queue_json.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_names.h"

void queue_json_init(struct queue_json *j, struct queue *q)
{
	j->q = q;
	pthread_mutex_lock(&q->reader.lock);
	j->msg = queue_db_prepare(q->reader.db,
	    "SELECT kind, size, sender, message_id, trace, facts, EXISTS (SELECT 1 FROM body WHERE msg = msg.id)"
	    " FROM msg WHERE id = ?1");
	j->rcpts = queue_db_prepare(q->reader.db, "SELECT id, address, nexthop, state, attempts, next_at, changed, "
						  "reason, remote, status, treatment, outcome,"
						  " waits, waits_for, again_at, since, tries"
						  " FROM rcpt NOT INDEXED LEFT JOIN held ON held.rcpt = rcpt.id"
						  " WHERE id >= ?1 AND id < ?2 ORDER BY id");
	j->reports = queue_db_prepare(q->reader.db, "SELECT at, action, mta, status, diagnostic, via FROM report"
						    " WHERE rcpt = ?1 ORDER BY at, via");
	j->about = queue_db_prepare(q->reader.db, "SELECT of FROM about WHERE msg = ?1 ORDER BY of LIMIT 100");
	j->of = queue_db_prepare(q->reader.db, "SELECT msg FROM about WHERE of = ?1 ORDER BY msg LIMIT 100");
}

void queue_json_clear(struct queue_json *j)
{
	sqlite3_finalize(j->msg);
	sqlite3_finalize(j->rcpts);
	sqlite3_finalize(j->reports);
	sqlite3_finalize(j->about);
	sqlite3_finalize(j->of);
	pthread_mutex_unlock(&j->q->reader.lock);
}

static void set(json_t *o, const char *key, json_t *value)
{
	if (!value || json_object_set_new(o, key, value))
		log_fatal("out of memory: JSON");
}

static void set_text(json_t *o, const char *key, const char *s)
{
	json_t *v = json_string(s);

	if (!v) {
		char *plain = mem_str(s);

		for (char *p = plain; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		v = json_string(plain);
		free(plain);
	}
	set(o, key, v);
}

static void set_column(json_t *o, const char *key, sqlite3_stmt *st, int i)
{
	set_text(o, key, queue_db_column(st, i));
}

static enum queue_state state_of(struct queue *q, int64_t row, enum queue_state stored)
{
	pthread_mutex_lock(&q->due.lock);

	bool active = queue_active_has(&q->due.active, row);

	pthread_mutex_unlock(&q->due.lock);
	return active && stored != QUEUE_DONE ? QUEUE_ACTIVE : stored;
}

static json_t *rcpt(struct queue *q, sqlite3_stmt *st)
{
	json_t *o = json_object();
	enum queue_state state =
	    state_of(q, sqlite3_column_int64(st, 0), (enum queue_state)sqlite3_column_int(st, 3));

	set_column(o, "address", st, 1);
	set_column(o, "nexthop", st, 2);
	set_text(o, "state", queue_names_state(state));
	set(o, "attempts", json_integer(sqlite3_column_int(st, 4)));
	set(o, "next_at",
	    json_integer(state == QUEUE_QUEUED ? sqlite3_column_int64(st, 5)
			 : state == QUEUE_HELD ? sqlite3_column_int64(st, 14)
					       : 0));
	set(o, "changed", json_integer(sqlite3_column_int64(st, 6)));
	set_column(o, "reason", st, 7);
	set_column(o, "remote", st, 8);
	set_column(o, "status", st, 9);
	set_column(o, "treatment", st, 10);
	set_text(o, "outcome", queue_names_outcome((enum queue_outcome)sqlite3_column_int(st, 11)));
	if (sqlite3_column_type(st, 12) != SQLITE_NULL) {
		set_text(o, "waits", queue_names_waits((enum queue_waits)sqlite3_column_int(st, 12)));
		set_column(o, "waits_for", st, 13);
		set(o, "held_since", json_integer(sqlite3_column_int64(st, 15)));
		set(o, "judged", json_integer(sqlite3_column_int(st, 16)));
	}
	return o;
}

bool queue_json_has_state(const json_t *o, const char *state)
{
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(o, "recipients"), i,
	    r) if (strcmp(json_string_value(json_object_get(r, "state")), state) == 0) return true;
	return false;
}

/* What is least finished: active, queued, held, done. */
static const char *state_of_all(const json_t *o)
{
	static const enum queue_state order[] = {QUEUE_ACTIVE, QUEUE_QUEUED, QUEUE_HELD};

	for (size_t i = 0; i < sizeof order / sizeof order[0]; i++)
		if (queue_json_has_state(o, queue_names_state(order[i])))
			return queue_names_state(order[i]);
	return queue_names_state(QUEUE_DONE);
}

static json_t *rcpts(struct queue_json *j, int64_t number)
{
	json_t *list = json_array();

	sqlite3_bind_int64(j->rcpts, 1, queue_number_row(number, 0));
	sqlite3_bind_int64(j->rcpts, 2, queue_number_row(number + 1, 0));
	while (sqlite3_step(j->rcpts) == SQLITE_ROW)
		if (json_array_append_new(list, rcpt(j->q, j->rcpts)))
			log_fatal("out of memory: JSON");
	sqlite3_reset(j->rcpts);
	return list;
}

json_t *queue_json_msg(struct queue_json *j, int64_t number)
{
	char id[QUEUE_ID_MAX];
	json_t *o = NULL;

	sqlite3_bind_int64(j->msg, 1, number);
	if (sqlite3_step(j->msg) == SQLITE_ROW) {
		queue_number_text(number, id, sizeof id);
		o = json_object();
		set_text(o, "id", id);
		set_text(o, "kind", queue_names_kind((enum queue_kind)sqlite3_column_int(j->msg, 0)));
		set(o, "size", json_integer(sqlite3_column_int64(j->msg, 1)));
		set(o, "arrived", json_integer(queue_number_time(number)));
		set_column(o, "sender", j->msg, 2);
		set_column(o, "message_id", j->msg, 3);
		set(o, "recipients", rcpts(j, number));
		set_text(o, "state", state_of_all(o));
	}
	sqlite3_reset(j->msg);
	return o;
}

/* ---- notices and reports ---- */

static void add(json_t *list, json_t *value)
{
	if (!value || json_array_append_new(list, value))
		log_fatal("out of memory: JSON");
}

static json_t *ids(sqlite3_stmt *st, int64_t number)
{
	json_t *list = json_array();
	char id[QUEUE_ID_MAX];

	sqlite3_bind_int64(st, 1, number);
	while (sqlite3_step(st) == SQLITE_ROW) {
		queue_number_text(sqlite3_column_int64(st, 0), id, sizeof id);
		add(list, json_string(id));
	}
	sqlite3_reset(st);
	return list;
}

static json_t *reports(sqlite3_stmt *st, int64_t row)
{
	json_t *list = json_array();
	char id[QUEUE_ID_MAX];

	sqlite3_bind_int64(st, 1, row);
	while (sqlite3_step(st) == SQLITE_ROW) {
		json_t *o = json_object();

		queue_number_text(sqlite3_column_int64(st, 5), id, sizeof id);
		set(o, "at", json_integer(sqlite3_column_int64(st, 0)));
		set_column(o, "action", st, 1);
		set_column(o, "mta", st, 2);
		set_column(o, "status", st, 3);
		set_column(o, "diagnostic", st, 4);
		set_text(o, "message", id);
		add(list, o);
	}
	sqlite3_reset(st);
	return list;
}

/* A message's rows lie side by side, so that a recipient's place in the list is its place in the row. */
static void add_reports(struct queue_json *j, int64_t number, json_t *o)
{
	size_t i;
	json_t *r;

	json_array_foreach(json_object_get(o, "recipients"), i, r)
	{
		json_t *list = reports(j->reports, queue_number_row(number, i));

		if (json_array_size(list))
			set(r, "reports", list);
		else
			json_decref(list);
	}
}

void queue_json_more(struct queue_json *j, int64_t number, json_t *o)
{
	sqlite3_bind_int64(j->msg, 1, number);
	if (sqlite3_step(j->msg) == SQLITE_ROW) {
		json_t *facts = json_loads(queue_db_column(j->msg, 5), JSON_REJECT_DUPLICATES, NULL);
		bool done =
		    strcmp(json_string_value(json_object_get(o, "state")), queue_names_state(QUEUE_DONE)) == 0;

		set_column(o, "trace", j->msg, 4);
		if (facts)
			set(o, "facts", facts);
		else
			set_column(o, "facts", j->msg, 5);
		set_text(o, "content", sqlite3_column_int(j->msg, 6) ? "database" : done ? "removed" : "file");
	}
	sqlite3_reset(j->msg);
	set(o, "about", ids(j->about, number));
	set(o, "notices", ids(j->of, number));
	add_reports(j, number, o);
}

static bool contains(const json_t *o, const char *key, const char *words)
{
	return strcasestr(json_string_value(json_object_get(o, key)), words) != NULL;
}

bool queue_json_matches(const json_t *o, const char *words)
{
	const json_t *r;
	size_t i;

	if (contains(o, "id", words) || contains(o, "sender", words) || contains(o, "message_id", words))
		return true;
	json_array_foreach(json_object_get(o, "recipients"), i, r) if (contains(r, "address", words)) return true;
	return false;
}

char *queue_json_text(const json_t *o)
{
	char *s = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);

	if (!s)
		log_fatal("out of memory: JSON");
	return s;
}
