/*
 * Questions to the history. relay, reader thread.
 *
 * What is gone through is chosen by what the question gives: the index of addresses and Message-IDs, where several of
 * them are cut with each other before any row is read; an outcome that few have; else messages by time. The rest is
 * compared row by row, for BUDGET_MS at most.
 */
#include "gateway/queue/history_find.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/queue/history.h"
#include "gateway/queue/history_db.h"
#include "gateway/queue/history_rows.h"
#include "gateway/queue/history_way.h"
#include "gateway/queue/queue_number.h"

enum {
	LIMIT_DEFAULT = 50,
	LIMIT_MAX = 1000,
	CHUNK = 256, /* candidates at a time */
	FEW = 2000,
	BUDGET_MS = 35,
	RECIPIENTS = 20,
	HOURS = 24,
	HOUR_MS = 3600000,
	MINUTE_MS = 60000,
	OCTETS_MAX = 8 << 20, /* of an answer, as JSON: half of what a reply may have */
};

#define TIME_MAX INT64_C(4102444800) /* the year 2100, unix s */

enum driver { BY_TIME = 't', BY_KEY = 'k', BY_OUTCOME = 'o', BY_TREATMENT = 'r' };

struct question {
	struct history_rows rows;
	struct history_index *x;
	const char *from, *to, *id, *message_id, *direction;
	enum history_outcome outcome;
	const char *treatment;
	int64_t first, last; /* numbers */
	int64_t limit, deadline;
	enum driver driver;
	int64_t hashes[3];
	size_t nhashes;
	sqlite3_stmt *walk;
	json_t *found;
	size_t octets; /* of what was found */
};

/* ---- the question ---- */

static const char *str(const json_t *args, const char *name)
{
	const char *s = json_string_value(json_object_get(args, name));

	return s ? s : "";
}

static bool is_address(const char *s)
{
	return strchr(s, '@') && s[0] != '@';
}

static void add_hash(struct question *q, enum history_index_kind k, const char *text)
{
	char domain[300];

	if (!text[0])
		return;
	if (k != HISTORY_INDEX_ID && !strchr(text, '@')) {
		(void)snprintf(domain, sizeof domain, "@%s", text);
		text = domain;
	}
	q->hashes[q->nhashes++] = history_index_hash(k, text);
}

static int parse_outcome(struct question *q, const char *word, struct problem *pr)
{
	static const char *const words[][2] = {
	    {"sealed", "seal"}, {"signed", "sign"}, {"tls", "tls"}, {"clear", "clear"}, {"opened", "open"}};

	if (!word[0])
		return 0;
	q->outcome = history_outcome_parse(word);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i][0]) == 0)
			q->treatment = words[i][1];
	if (q->outcome || q->treatment)
		return 0;
	return problem_perm(pr,
	    "there is no outcome \"%.60s\"; there are queued, deferred, held, delivered, refused, bounced, expired, "
	    "deleted, and sealed, signed, tls, clear, opened",
	    word);
}

static int parse_cursor(struct question *q, const char *text, struct problem *pr)
{
	char *end;
	int64_t number;

	if (!text[0])
		return 0;
	number = strtoll(text + 1, &end, 10);
	if (!strchr("tkor", text[0]) || *end || end == text + 1 || number <= 0)
		return problem_perm(pr, "the cursor is not one that an answer gave");
	q->driver = (enum driver)text[0];
	if ((q->driver == BY_KEY && !q->nhashes) || (q->driver == BY_OUTCOME && !q->outcome) ||
	    (q->driver == BY_TREATMENT && !q->treatment))
		return problem_perm(pr, "the cursor belongs to another question");
	if (number <= q->last)
		q->last = number - 1;
	return 0;
}

/* Of a time beyond all that a number may stand for: the last one. */
static int64_t number_from(int64_t unix_s)
{
	return queue_number_from(unix_s < TIME_MAX ? unix_s * 1000 : TIME_MAX * 1000);
}

static int parse(struct question *q, const json_t *args, struct problem *pr)
{
	int64_t since = json_integer_value(json_object_get(args, "since")),
		until = json_integer_value(json_object_get(args, "until"));

	q->from = str(args, "from");
	q->to = str(args, "to");
	q->id = str(args, "id");
	q->message_id = str(args, "message_id");
	q->direction = str(args, "direction");
	q->limit = json_integer_value(json_object_get(args, "limit"));
	if (q->limit <= 0)
		q->limit = LIMIT_DEFAULT;
	if (q->limit > LIMIT_MAX)
		q->limit = LIMIT_MAX;
	q->first = since > 0 ? number_from(since) : 0;
	q->last = until > 0 ? number_from(until) - 1 : INT64_MAX >> 17;
	add_hash(q, HISTORY_INDEX_FROM, q->from);
	add_hash(q, HISTORY_INDEX_TO, q->to);
	add_hash(q, HISTORY_INDEX_ID, q->message_id);
	if (parse_outcome(q, str(args, "outcome"), pr))
		return -1;
	return parse_cursor(q, str(args, "cursor"), pr);
}

/* ---- candidates ---- */

static const char *walk_text(enum driver d)
{
	switch (d) {
	case BY_OUTCOME:
		return "SELECT DISTINCT id >> 16 FROM rcpt INDEXED BY rcpt_outcome WHERE outcome = ?1 AND id >= ?2 "
		       "<< 16 "
		       "AND id < (?3 + 1) << 16 ORDER BY id DESC LIMIT ?4";
	case BY_TREATMENT:
		return "SELECT DISTINCT id >> 16 FROM rcpt INDEXED BY rcpt_treatment WHERE treatment = ?1 AND id >= "
		       "?2 << 16 "
		       "AND id < (?3 + 1) << 16 ORDER BY id DESC LIMIT ?4";
	default:
		return "SELECT number FROM msg WHERE ?1 IS NULL AND number >= ?2 AND number <= ?3 ORDER BY number "
		       "DESC "
		       "LIMIT ?4";
	}
}

static int bind_walk(struct question *q, enum driver d, int64_t last, int64_t limit)
{
	if (!q->walk && !(q->walk = history_db_prepare(q->rows.db, walk_text(d))))
		return SQLITE_CORRUPT;
	sqlite3_reset(q->walk);
	if (d == BY_OUTCOME)
		sqlite3_bind_int(q->walk, 1, (int)q->outcome);
	else if (d == BY_TREATMENT)
		sqlite3_bind_text(q->walk, 1, q->treatment, -1, SQLITE_STATIC);
	sqlite3_bind_int64(q->walk, 2, q->first);
	sqlite3_bind_int64(q->walk, 3, last);
	sqlite3_bind_int64(q->walk, 4, limit);
	return SQLITE_OK;
}

/* Do so few have this outcome that it is the best way to the others? */
static bool is_rare(struct question *q, enum driver d)
{
	int n = 0;

	if (bind_walk(q, d, q->last, FEW) == SQLITE_OK)
		while (sqlite3_step(q->walk) == SQLITE_ROW)
			n++;
	sqlite3_finalize(q->walk);
	q->walk = NULL;
	return n < FEW;
}

static void choose(struct question *q)
{
	enum driver d = q->outcome ? BY_OUTCOME : BY_TREATMENT;

	if (q->driver) /* the cursor's */
		return;
	q->driver = q->nhashes ? BY_KEY : BY_TIME;
	if ((q->outcome || q->treatment) && (!q->nhashes || is_rare(q, d)))
		q->driver = d;
}

/* The next candidates at or below last, descending; malloc'd. */
static size_t candidates(struct question *q, int64_t last, int64_t **v_r)
{
	int64_t *v;
	size_t n = 0;
	int rc;

	if (q->driver == BY_KEY) {
		rc = history_index_find(q->x, q->rows.db, q->hashes, q->nhashes, q->first, last, CHUNK, v_r, &n);
		if (rc != SQLITE_OK)
			q->rows.rc = rc;
		return n;
	}
	*v_r = v = malloc(CHUNK * sizeof *v);
	REQUIRE(v);
	rc = bind_walk(q, q->driver, last, CHUNK);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(q->walk);
		if (rc == SQLITE_ROW)
			v[n++] = sqlite3_column_int64(q->walk, 0);
	}
	if (rc != SQLITE_DONE)
		q->rows.rc = rc;
	return n;
}

/* ---- does it fit? ---- */

static bool fits_address(const char *wanted, const char *address)
{
	const char *at = strrchr(address, '@');

	if (!wanted[0])
		return true;
	if (is_address(wanted))
		return strcasecmp(wanted, address) == 0;
	return at && strcasecmp(wanted + (wanted[0] == '@'), at + 1) == 0;
}

static bool fits_id(const char *wanted, const char *id)
{
	return !wanted[0] || history_index_hash(HISTORY_INDEX_ID, wanted) == history_index_hash(HISTORY_INDEX_ID, id);
}

static bool fits_rcpt(const struct question *q, const json_t *r)
{
	if (q->outcome && strcmp(history_rows_str(r, "outcome"), history_outcome_word(q->outcome)) != 0)
		return false;
	if (q->treatment && strcmp(history_rows_str(r, "treatment"), q->treatment) != 0)
		return false;
	return fits_address(q->to, history_rows_str(r, "address"));
}

/* Keeps those that fit. */
static bool take_rcpts(struct question *q, json_t *m, int64_t number)
{
	json_t *all = history_rows_rcpts(&q->rows, number), *kept = json_array(), *r;
	size_t i, n = 0;

	json_array_foreach(all, i, r)
	{
		if (!fits_rcpt(q, r))
			continue;
		if (n++ < RECIPIENTS && json_array_append(kept, r))
			log_fatal("out of memory: JSON");
	}
	history_rows_set(m, "recipients", kept);
	history_rows_set(m, "recipients_total", json_integer((json_int_t)n));
	if (n == 0 && json_array_size(all) == 0 && !q->to[0] && !q->outcome && !q->treatment)
		n = 1; /* one that came before the history began: its recipients are not known */
	json_decref(all);
	return n > 0;
}

static bool is_found(const struct question *q, const char *id)
{
	const json_t *m;
	size_t i;

	if (q->driver == BY_TIME || q->driver == BY_KEY)
		return false;
	json_array_foreach(q->found, i, m) if (strcmp(history_rows_str(m, "id"), id) == 0) return true;
	return false;
}

static void look(struct question *q, int64_t number)
{
	json_t *m;

	number = history_rows_root(&q->rows, number);
	m = history_rows_msg(&q->rows, number, HISTORY_ROWS_SHORT);
	if (!m)
		return;
	if (fits_address(q->from, history_rows_str(m, "from")) &&
	    fits_id(q->message_id, history_rows_str(m, "message_id")) &&
	    (!q->direction[0] || strcmp(q->direction, history_rows_str(m, "direction")) == 0) &&
	    !is_found(q, history_rows_str(m, "id")) && take_rcpts(q, m, number)) {
		if (json_array_append(q->found, m))
			log_fatal("out of memory: JSON");
		q->octets += json_dumpb(m, NULL, 0, JSON_COMPACT);
	}
	json_decref(m);
}

/* ---- finding ---- */

/* The cursor, or 0 when all was gone through. */
static int64_t walk(struct question *q)
{
	int64_t last = q->last;
	bool looked = false; /* each answer goes on at least by one */

	while (q->rows.rc == SQLITE_OK) {
		int64_t *v = NULL;
		size_t n = candidates(q, last, &v);

		for (size_t i = 0; i < n && q->rows.rc == SQLITE_OK; i++) {
			if ((int64_t)json_array_size(q->found) >= q->limit || q->octets > OCTETS_MAX ||
			    (looked && loop_now_ms() > q->deadline)) {
				free(v);
				return last + 1;
			}
			look(q, v[i]);
			looked = true;
			last = v[i] - 1;
		}
		free(v);
		if (n < CHUNK)
			return 0;
	}
	return 0;
}

static int find_id(struct question *q, struct problem *pr)
{
	int64_t number;
	char id[QUEUE_NUMBER_TEXT + 1];

	(void)snprintf(id, sizeof id, "%s", q->id);
	for (char *p = id; *p; p++) /* as it is read aloud */
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	if (strlen(q->id) != QUEUE_NUMBER_TEXT || queue_number_parse(id, &number))
		return problem_perm(
		    pr, "\"%.60s\" is not the id of a message: 10 characters, as the log has them", q->id);
	if (number >= q->first && number <= q->last)
		look(q, number);
	return 0;
}

json_t *history_find(sqlite3 *db, struct history_index *x, const json_t *args, int *rc_r, struct problem *pr)
{
	struct question q = {.x = x, .deadline = loop_now_ms() + BUDGET_MS};
	json_t *o = NULL;
	int64_t cursor = 0;
	char text[32];
	int err = parse(&q, args, pr);

	*rc_r = SQLITE_OK;
	if (err)
		return NULL;
	q.found = json_array();
	if (history_rows_init(&q.rows, db) == SQLITE_OK && q.id[0]) {
		err = find_id(&q, pr);
	} else if (q.rows.rc == SQLITE_OK) {
		choose(&q);
		cursor = walk(&q);
	}
	*rc_r = q.rows.rc;
	if (!err && q.rows.rc == SQLITE_OK) {
		o = json_object();
		history_rows_set(o, "messages", json_incref(q.found));
		(void)snprintf(text, sizeof text, "%c%" PRId64, (int)q.driver, cursor);
		if (cursor)
			history_rows_set(o, "cursor", json_string(text));
	}
	json_decref(q.found);
	sqlite3_finalize(q.walk);
	history_rows_clear(&q.rows);
	return o;
}

/* ---- one message ---- */

/* Whom an event is about. */
static void name_rcpts(json_t *m, const json_t *rcpts)
{
	json_t *e, *r;
	size_t i, k;

	json_array_foreach(json_object_get(m, "events"), i, e)
	{
		json_int_t row = json_integer_value(json_object_get(e, "row"));

		json_array_foreach(rcpts, k, r) if (row && json_integer_value(json_object_get(r, "row")) == row)
		    history_rows_set(e, "to", history_way_text(history_rows_str(r, "address")));
	}
}

/* As many as a reply takes, and how many there are. */
static void keep_some(json_t *m, json_t *rcpts)
{
	size_t octets = 0, n = 0, all = json_array_size(rcpts);

	while (n < all && octets <= OCTETS_MAX)
		octets += json_dumpb(json_array_get(rcpts, n++), NULL, 0, JSON_COMPACT);
	while (json_array_size(rcpts) > n)
		(void)json_array_remove(rcpts, json_array_size(rcpts) - 1);
	history_rows_set(m, "recipients_total", json_integer((json_int_t)all));
	history_rows_set(m, "recipients", rcpts);
}

/* When and from whom it came. */
static void tell_received(json_t *m)
{
	const char *client = history_rows_str(m, "client"), *helo = history_rows_str(m, "helo");
	json_t *e, *text;

	if (!client[0])
		return;
	e = json_object();
	text = json_sprintf("from %s%s%s%s", client, helo[0] ? " (" : "", helo, helo[0] ? ")" : "");
	history_rows_set(e, "at", json_incref(json_object_get(m, "at")));
	history_rows_set(e, "event", json_string("received"));
	history_rows_set(e, "text", text ? text : history_way_text(client));
	if (history_rows_str(m, "tls")[0])
		history_rows_set(e, "tls", history_way_text(history_rows_str(m, "tls")));
	if (json_array_insert_new(json_object_get(m, "events"), 0, e))
		log_fatal("out of memory: JSON");
}

json_t *history_find_show(sqlite3 *db, const json_t *args, int *rc_r, struct problem *pr)
{
	struct question q = {
	    .id = str(args, "id"), .last = INT64_MAX, .from = "", .to = "", .message_id = "", .direction = ""};
	json_t *m = NULL, *rcpts;
	int64_t number;
	int err;

	q.found = json_array();
	*rc_r = history_rows_init(&q.rows, db);
	err = *rc_r == SQLITE_OK ? find_id(&q, pr) : -1;
	if (!err && json_array_size(q.found) == 0)
		err = problem_perm(pr,
		    "no message %.20s is remembered: it is older than the history (section history of the "
		    "configuration), or never came here",
		    q.id);
	if (!err && queue_number_parse(history_rows_str(json_array_get(q.found, 0), "id"), &number) == 0)
		m = history_rows_msg(&q.rows, number, HISTORY_ROWS_WHOLE);
	if (m) {
		rcpts = history_rows_rcpts(&q.rows, number);
		name_rcpts(m, rcpts);
		tell_received(m);
		keep_some(m, rcpts);
	}
	if (q.rows.rc != SQLITE_OK)
		*rc_r = q.rows.rc;
	json_decref(q.found);
	history_rows_clear(&q.rows);
	return m;
}

/* ---- counts ---- */

/* Into "by": "in.sealed" becomes sealed of in. Else into the hour. */
static void add_word(json_t *hour, const char *word, int64_t n)
{
	const char *point = word ? strchr(word, '.') : NULL;
	json_t *by = json_object_get(hour, "by");

	if (point)
		hour = json_object_get(by, strncmp(word, "in.", 3) == 0 ? "in" : "out");
	/* a word that a damaged file has is left out, like what is not text at all */
	(void)json_object_set_new(hour, point ? point + 1 : word, json_integer(n));
}

static void add_hour(json_t *hours, sqlite3_stmt *st, int64_t hour)
{
	json_t *o = json_object(), *by = json_object();

	history_rows_set(by, "in", json_object());
	history_rows_set(by, "out", json_object());
	history_rows_set(o, "at", json_integer(hour * (HOUR_MS / 1000)));
	history_rows_set(o, "by", by);
	sqlite3_reset(st);
	sqlite3_bind_int64(st, 1, hour);
	while (sqlite3_step(st) == SQLITE_ROW)
		add_word(o, (const char *)sqlite3_column_text(st, 0), sqlite3_column_int64(st, 1));
	if (json_array_append_new(hours, o))
		log_fatal("out of memory: JSON");
}

json_t *history_find_counts(sqlite3 *db, int64_t now_ms, int *rc_r)
{
	sqlite3_stmt *st = history_db_prepare(db, "SELECT what, n FROM hour WHERE hour = ?1"),
		     *left = history_db_prepare(db, "SELECT coalesce(sum(n), 0) FROM left_out WHERE minute > ?1");
	json_t *o = NULL, *hours;

	*rc_r = st && left ? SQLITE_OK : SQLITE_CORRUPT;
	if (*rc_r == SQLITE_OK) {
		o = json_object();
		hours = json_array();
		for (int64_t h = now_ms / HOUR_MS - HOURS + 1; h <= now_ms / HOUR_MS; h++)
			add_hour(hours, st, h);
		history_rows_set(o, "hours", hours);
		sqlite3_bind_int64(left, 1, now_ms / MINUTE_MS - HOURS * 60);
		if (sqlite3_step(left) == SQLITE_ROW)
			history_rows_set(o, "left_out", json_integer(sqlite3_column_int64(left, 0)));
	}
	sqlite3_finalize(st);
	sqlite3_finalize(left);
	return o;
}
