/*
 * Notes become rows. relay, writer thread. A batch is gathered by message in memory first, so that a message that is
 * accepted and delivered within it is written once.
 */
#include "gateway/queue/history_store.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/queue/history_db.h"
#include "gateway/queue/history_way.h"
#include "gateway/queue/queue_number.h"

enum { PLACES = 4096 /* 12 bits */, PURGE_STEP = 500, HOUR_MS = 3600000, MINUTE_MS = 60000, WORDS = 40 };

/* What a batch says of one recipient, and of one message. The texts stay in the notes. */
struct rcpt {
	int64_t row, changed;
	enum history_outcome outcome;
	const struct history_rcpt *begins; /* NULL: it has its row already */
	const char *reason, *remote, *tls, *status;
};
struct message {
	struct message *same, *next; /* of this place; in order */
	int64_t number, root;
	const struct history_note *begins;
	struct buf way; /* of a root */
	int direction;	/* enum history_direction; -1: it was not looked for yet */
	struct rcpt *v;
	size_t n, cap;
};
enum {
	ROOT,
	DIRECTION,
	ALIAS,
	UPSERT,
	APPEND,
	PUT_RCPT,
	SET_RCPT,
	HOURS,
	LEFT_OUT,
	OLDEST,
	DROP_RCPT,
	DROP_MSG,
	DROP_ALIAS,
	CHANGE,
	STATEMENTS
};

struct history_store {
	sqlite3 *db;
	struct history_index *index;
	sqlite3_stmt *st[STATEMENTS];
	int64_t messages;
	struct message *places[PLACES], *first, **end;
	int64_t hour;
	struct {
		const char *word;
		int64_t n;
	} words[WORDS]; /* of this hour, in this batch */
};

/* A message that goes on for ever does not grow for ever. */
#define WAY_LONGER                                                                                                   \
	" way = CASE WHEN length(way) + length(excluded.way) <= 65536 THEN way || excluded.way ELSE way END"
_Static_assert(HISTORY_WAY_MAX == 65536, "WAY_LONGER has it in words");

static const char *const texts[STATEMENTS] = {
    [ROOT] = "SELECT root FROM alias WHERE number = ?1",
    [DIRECTION] = "SELECT direction FROM msg WHERE number = ?1",
    [ALIAS] = "INSERT OR REPLACE INTO alias (number, root) VALUES (?1, ?2)",
    [UPSERT] = "INSERT INTO msg (number, direction, size, sender, message_id, client, helo, tls, judged, trace, way)"
	       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (number) DO UPDATE SET"
	       " direction = excluded.direction, size = max(size, excluded.size),"
	       " message_id = CASE excluded.message_id WHEN '' THEN message_id ELSE excluded.message_id END,"
	       " sender = excluded.sender, client = excluded.client, helo = excluded.helo, tls = excluded.tls,"
	       " judged = CASE excluded.judged WHEN '' THEN judged ELSE excluded.judged END,"
	       " trace = CASE excluded.trace WHEN '' THEN trace ELSE excluded.trace END," WAY_LONGER,
    [APPEND] = "INSERT INTO msg (number, direction, size, sender, message_id, client, helo, tls, judged, trace, way)"
	       " VALUES (?1, 0, 0, '', '', '', '', '', ?3, '', ?2) ON CONFLICT (number) DO UPDATE SET" WAY_LONGER
	       ", judged = CASE excluded.judged WHEN '' THEN judged ELSE excluded.judged END",
    [PUT_RCPT] =
	"INSERT OR REPLACE INTO rcpt (id, outcome, changed, address, treatment, rule, partner, certs,"
	" signed_by, reason, remote, tls, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    [SET_RCPT] = "UPDATE rcpt SET outcome = CASE ?2 WHEN 0 THEN outcome ELSE ?2 END, changed = ?3,"
		 " reason = coalesce(?4, reason), remote = coalesce(?5, remote), tls = coalesce(?6, tls),"
		 " status = coalesce(?7, status) WHERE id = ?1",
    [HOURS] = "INSERT INTO hour (hour, what, n) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET n = n + excluded.n",
    [LEFT_OUT] = "INSERT INTO left_out (minute, n) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET n = n + excluded.n",
    [OLDEST] =
	"SELECT max(number), count(*) FROM (SELECT number FROM msg WHERE number < ?1 ORDER BY number LIMIT ?2)",
    [DROP_RCPT] = "DELETE FROM rcpt WHERE id < (?1 + 1) << 16",
    [DROP_MSG] = "DELETE FROM msg WHERE number <= ?1",
    [DROP_ALIAS] = "DELETE FROM alias WHERE number <= ?1",
    [CHANGE] = "UPDATE rcpt SET outcome = ?3, changed = ?4, reason = CASE ?6 WHEN '' THEN reason ELSE ?6 END"
	       " WHERE id >= ?1 << 16 AND id < (?1 + 1) << 16 AND (?2 >> outcome) & 1 AND (?5 = '' OR"
	       " address = ?5 COLLATE NOCASE)",
};

static int step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static void bind(sqlite3_stmt *st, int i, const char *s)
{
	sqlite3_bind_text(st, i, s ? s : "", -1, SQLITE_STATIC);
}

static void bind_or_null(sqlite3_stmt *st, int i, const char *s)
{
	if (s)
		sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, i);
}

/* ---- gathering ---- */

/* Numbers of different milliseconds have the same low bits. */
static size_t place(int64_t number)
{
	return (size_t)((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) >> 52);
}

static struct message *find(struct history_store *s, int64_t number)
{
	struct message *m = s->places[place(number)];

	while (m && m->number != number)
		m = m->same;
	return m;
}

/* Which message's child it is, else itself. */
static int64_t root_of(struct history_store *s, int64_t number)
{
	const struct message *m = find(s, number);
	int64_t root = number;

	if (m)
		return m->root;
	sqlite3_bind_int64(s->st[ROOT], 1, number);
	if (sqlite3_step(s->st[ROOT]) == SQLITE_ROW)
		root = sqlite3_column_int64(s->st[ROOT], 0);
	sqlite3_reset(s->st[ROOT]);
	return root;
}

static struct message *message_of(struct history_store *s, int64_t number, int64_t root)
{
	struct message *m = find(s, number);

	if (m)
		return m;
	m = mem_new(sizeof *m);
	m->number = number;
	m->root = root;
	m->direction = -1;
	buf_init(&m->way, HISTORY_WAY_MAX);
	m->same = s->places[place(number)];
	s->places[place(number)] = m;
	*s->end = m;
	s->end = &m->next;
	return m;
}

static struct rcpt *rcpt_of(struct message *m, int64_t row)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].row == row)
			return &m->v[i];
	if (m->n == m->cap) {
		m->cap = m->cap * 2 + 2;
		m->v = mem_resize(m->v, m->cap * sizeof *m->v);
	}
	m->v[m->n] = (struct rcpt){.row = row};
	return &m->v[m->n++];
}

static void count(struct history_store *s, const char *word, int64_t n)
{
	for (int i = 0; i < WORDS && n > 0; i++) {
		if (s->words[i].n && strcmp(s->words[i].word, word) != 0)
			continue;
		s->words[i].word = word;
		s->words[i].n += n;
		return;
	}
}

/* The word, and beside it the word of its direction. */
struct counted {
	const char *what, *word, *in, *out;
};

static void count_both(struct history_store *s, const struct counted *c, int direction, int64_t n)
{
	count(s, c->word, n);
	if (direction == HISTORY_IN)
		count(s, c->in, n);
	else if (direction == HISTORY_OUT)
		count(s, c->out, n);
}

static void count_rcpt(struct history_store *s, const struct history_note *n, const struct history_rcpt *r)
{
	static const struct counted words[] = {{"seal", "sealed", "in.sealed", "out.sealed"},
	    {"sign", "signed", "in.signed", "out.signed"}, {"tls", "tls", "in.tls", "out.tls"},
	    {"clear", "clear", "in.clear", "out.clear"}, {"open", "opened", "in.sealed", "out.sealed"}};

	if (r->outcome == HISTORY_REFUSED || n->direction == HISTORY_NOTICE)
		return;
	for (size_t i = 0; r->treatment && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(words[i].what, r->treatment) == 0)
			count_both(s, &words[i], n->direction, 1);
	if (!n->parent || n->direction == HISTORY_OUT) /* what is opened was counted as it came */
		count(s, n->direction == HISTORY_OUT ? "out" : "in", 1);
}

static const struct counted *counted_outcome(enum history_outcome o)
{
	static const struct counted words[HISTORY_OUTCOMES] = {
	    [HISTORY_HELD] = {"", "held", "in.held", "out.held"},
	    [HISTORY_DELIVERED] = {"", "delivered", "in.delivered", "out.delivered"},
	    [HISTORY_REFUSED] = {"", "refused", "in.refused", "out.refused"},
	    [HISTORY_BOUNCED] = {"", "bounced", "in.bounced", "out.bounced"},
	    [HISTORY_DEFERRED] = {"", "deferred", "in.deferred", "out.deferred"},
	};

	return words[o].word ? &words[o] : NULL;
}

/* Which way a message goes of which only later events are in this batch. */
static int direction_of(struct history_store *s, struct message *m)
{
	sqlite3_stmt *st = s->st[DIRECTION];
	const struct message *root = m->root == m->number ? NULL : find(s, m->root);

	if (m->direction < 0 && root && root->direction > 0)
		m->direction = root->direction;
	if (m->direction < 0) {
		sqlite3_bind_int64(st, 1, m->root);
		m->direction = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int(st, 0) : HISTORY_UNKNOWN;
		sqlite3_reset(st);
	}
	return m->direction;
}

static void count_outcome(struct history_store *s, enum history_outcome o, int direction)
{
	const struct counted *c = counted_outcome(o);

	if (c)
		count_both(s, c, direction, 1);
}

static void begin(struct history_store *s, struct message *m, const struct history_item *it)
{
	const struct history_note *n = &it->n;

	m->begins = n;
	m->direction = (int)n->direction;
	if (m->root == m->number) {
		history_index_address(s->index, HISTORY_INDEX_FROM, n->sender ? n->sender : "", m->root);
		if (n->message_id)
			history_index_add(s->index, history_index_hash(HISTORY_INDEX_ID, n->message_id), m->root);
	}
	for (size_t i = 0; i < n->nrcpts; i++) {
		const struct history_rcpt *r = &n->rcpts[i];
		struct rcpt *t = rcpt_of(m, queue_number_row(m->number, (size_t)r->place));

		t->begins = r;
		t->outcome = r->outcome;
		t->changed = it->at;
		t->reason = r->reason;
		history_index_address(s->index, HISTORY_INDEX_TO, r->address ? r->address : "", m->root);
		count_rcpt(s, n, r);
		count_outcome(s, r->outcome, m->direction);
	}
}

static void happen(struct history_store *s, struct message *m, const struct history_item *it)
{
	const struct history_note *n = &it->n;
	struct rcpt *t;

	if (!n->row)
		return;
	t = rcpt_of(m, n->row);
	t->changed = it->at;
	if (n->outcome)
		t->outcome = n->outcome;
	t->reason = n->text ? n->text : t->reason;
	t->remote = n->remote ? n->remote : t->remote;
	t->tls = n->tls_out ? n->tls_out : t->tls;
	t->status = n->status ? n->status : t->status;
	if (counted_outcome(n->outcome))
		count_outcome(s, n->outcome, direction_of(s, m));
}

static void gather(struct history_store *s, const struct history_item *it)
{
	int64_t number, parent;
	struct message *m;

	if (queue_number_parse(it->n.id, &number))
		return;
	if (it->n.parent && queue_number_parse(it->n.parent, &parent) == 0 && parent != number)
		m = message_of(s, number, root_of(s, parent));
	else
		m = message_of(s, number, root_of(s, number));
	if (it->n.nrcpts)
		begin(s, m, it);
	happen(s, m, it);
	if (it->n.event)
		history_way_add(&message_of(s, m->root, m->root)->way, it);
}

static void forget(struct history_store *s)
{
	for (struct message *m = s->first, *next; m; m = next) {
		next = m->next;
		buf_clear_public(&m->way);
		free(m->v);
		s->places[place(m->number)] = NULL;
		free(m);
	}
	s->first = NULL;
	s->end = &s->first;
}

/* ---- writing ---- */

static int write_root(struct history_store *s, const struct message *m, const char *judged)
{
	const struct history_note *n = m->begins;
	sqlite3_stmt *st = s->st[n ? UPSERT : APPEND];
	int64_t before = sqlite3_last_insert_rowid(s->db);
	int rc;

	sqlite3_bind_int64(st, 1, m->number);
	if (!n) {
		sqlite3_bind_blob(st, 2, m->way.p ? m->way.p : (const void *)"", (int)m->way.len, SQLITE_STATIC);
		bind(st, 3, judged);
		return step(st);
	}
	sqlite3_bind_int(st, 2, n->direction);
	sqlite3_bind_int64(st, 3, (int64_t)n->size);
	bind(st, 4, n->sender);
	bind(st, 5, n->message_id);
	bind(st, 6, n->client);
	bind(st, 7, n->helo);
	bind(st, 8, n->tls_in);
	bind(st, 9, judged);
	bind(st, 10, n->trace);
	sqlite3_bind_blob(st, 11, m->way.p ? m->way.p : (const void *)"", (int)m->way.len, SQLITE_STATIC);
	rc = step(st);
	s->messages += rc == SQLITE_OK && sqlite3_last_insert_rowid(s->db) != before;
	return rc;
}

/* The statement, with what both have in common. */
static sqlite3_stmt *changed(const struct history_store *s, int which, const struct rcpt *t)
{
	sqlite3_stmt *st = s->st[which];

	sqlite3_bind_int64(st, 1, t->row);
	sqlite3_bind_int(st, 2, (int)t->outcome);
	sqlite3_bind_int64(st, 3, t->changed);
	return st;
}

static int put_rcpt(struct history_store *s, const struct rcpt *t)
{
	const struct history_rcpt *r = t->begins;
	sqlite3_stmt *st = changed(s, PUT_RCPT, t);

	bind(st, 4, r->address);
	bind(st, 5, r->treatment);
	bind(st, 6, r->rule);
	bind(st, 7, r->partner);
	bind(st, 8, r->certs);
	bind(st, 9, r->signed_by);
	bind(st, 10, t->reason);
	bind(st, 11, t->remote);
	bind(st, 12, t->tls);
	bind(st, 13, t->status);
	return step(st);
}

static int set_rcpt(struct history_store *s, const struct rcpt *t)
{
	sqlite3_stmt *st = changed(s, SET_RCPT, t);

	bind_or_null(st, 4, t->reason);
	bind_or_null(st, 5, t->remote);
	bind_or_null(st, 6, t->tls);
	bind_or_null(st, 7, t->status);
	return step(st);
}

static int write_message(struct history_store *s, const struct message *m)
{
	int rc = SQLITE_OK;

	if (m->root == m->number) {
		if (m->begins || m->way.len)
			rc = write_root(s, m, m->begins ? m->begins->judged : NULL);
	} else if (m->begins) {
		sqlite3_bind_int64(s->st[ALIAS], 1, m->number);
		sqlite3_bind_int64(s->st[ALIAS], 2, m->root);
		rc = step(s->st[ALIAS]);
		if (rc == SQLITE_OK && m->begins->judged) { /* what the opening found */
			struct message root = {.number = m->root};

			rc = write_root(s, &root, m->begins->judged);
		}
	}
	for (size_t i = 0; i < m->n && rc == SQLITE_OK; i++)
		rc = m->v[i].begins ? put_rcpt(s, &m->v[i]) : set_rcpt(s, &m->v[i]);
	return rc;
}

/* Since this process began, for /metrics: read by another thread. */
static const char *const total_words[] = {"in.sealed", "in.signed", "in.tls", "in.clear", "in.held", "in.delivered",
    "in.refused", "in.bounced", "in.deferred", "out.sealed", "out.signed", "out.tls", "out.clear", "out.held",
    "out.delivered", "out.refused", "out.bounced", "out.deferred"};
enum { TOTALS = sizeof total_words / sizeof total_words[0] };
static _Atomic uint64_t totals[TOTALS];

static void add_total(const char *word, int64_t n)
{
	for (size_t i = 0; i < TOTALS; i++)
		if (strcmp(total_words[i], word) == 0)
			totals[i] += (uint64_t)n;
}

const char *history_store_total(size_t i, uint64_t *n_r)
{
	*n_r = i < TOTALS ? totals[i] : 0;
	return i < TOTALS ? total_words[i] : NULL;
}

static int write_counts(struct history_store *s, int64_t left_out, int64_t now_ms)
{
	int rc = SQLITE_OK;

	for (int i = 0; i < WORDS && rc == SQLITE_OK; i++) {
		if (!s->words[i].n)
			continue;
		sqlite3_bind_int64(s->st[HOURS], 1, now_ms / HOUR_MS);
		bind(s->st[HOURS], 2, s->words[i].word);
		sqlite3_bind_int64(s->st[HOURS], 3, s->words[i].n);
		rc = step(s->st[HOURS]);
		if (rc == SQLITE_OK)
			add_total(s->words[i].word, s->words[i].n);
		s->words[i].n = 0;
	}
	if (left_out > 0 && rc == SQLITE_OK) {
		sqlite3_bind_int64(s->st[LEFT_OUT], 1, now_ms / MINUTE_MS);
		sqlite3_bind_int64(s->st[LEFT_OUT], 2, left_out);
		rc = step(s->st[LEFT_OUT]);
	}
	return rc;
}

static int write_gathered(struct history_store *s)
{
	int rc = SQLITE_OK;

	for (const struct message *m = s->first; m && rc == SQLITE_OK; m = m->next)
		rc = write_message(s, m);
	forget(s);
	return rc;
}

/* The admin's hand: what it changes depends on what stands there. */
static int write_verb(struct history_store *s, const struct history_item *it)
{
	static const struct {
		unsigned from;
		enum history_outcome to;
	} changes[] = {
	    [HISTORY_VERB_HOLD] = {1u << HISTORY_QUEUED | 1u << HISTORY_DEFERRED, HISTORY_HELD},
	    [HISTORY_VERB_RELEASE] = {1u << HISTORY_HELD, HISTORY_QUEUED},
	    [HISTORY_VERB_RETRY] = {0, HISTORY_QUEUED},
	    [HISTORY_VERB_DELETE] = {1u << HISTORY_QUEUED | 1u << HISTORY_DEFERRED | 1u << HISTORY_HELD,
		HISTORY_DELETED},
	};
	sqlite3_stmt *st = s->st[CHANGE];
	int64_t number;
	int rc = write_gathered(s);

	if (rc != SQLITE_OK || queue_number_parse(it->n.id, &number))
		return rc;
	sqlite3_bind_int64(st, 1, number);
	sqlite3_bind_int(st, 2, (int)changes[it->verb].from);
	sqlite3_bind_int(st, 3, (int)changes[it->verb].to);
	sqlite3_bind_int64(st, 4, it->at);
	bind(st, 5, it->address);
	bind(st, 6, it->n.text);
	return step(st);
}

static int write_all(struct history_store *s, const struct history_item *first, int64_t left_out, int64_t now_ms)
{
	int rc = SQLITE_OK;

	count_both(s, counted_outcome(HISTORY_REFUSED), HISTORY_IN, left_out); /* strangers, nearly all of them */
	for (; first && rc == SQLITE_OK; first = first->next) {
		if (first->verb)
			rc = write_verb(s, first);
		if (rc == SQLITE_OK)
			gather(s, first);
	}
	if (rc == SQLITE_OK)
		rc = write_gathered(s);
	return rc == SQLITE_OK ? write_counts(s, left_out, now_ms) : rc;
}

static int end_transaction(struct history_store *s, int rc)
{
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	if (rc != SQLITE_OK && !sqlite3_get_autocommit(s->db))
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

static int write_run(struct history_store *s)
{
	size_t n = 0;
	int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = end_transaction(s, history_index_write(s->index, s->db, &n));
	if (rc == SQLITE_OK)
		history_index_written(s->index, n);
	return rc;
}

int history_store_write(struct history_store *s, const struct history_item *first, int64_t left_out, int64_t now_ms)
{
	size_t mark = history_index_mark(s->index);
	int64_t messages = s->messages;
	int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	memset(s->words, 0, sizeof s->words);
	if (rc == SQLITE_OK)
		rc = end_transaction(s, write_all(s, first, left_out, now_ms));
	forget(s);
	if (rc != SQLITE_OK) {
		/* as long as the disk gives nothing, nothing may grow here */
		history_index_back(s->index, mark);
		s->messages = messages;
	}
	if (rc == SQLITE_OK && history_index_full(s->index))
		rc = write_run(s);
	return rc;
}

int64_t history_store_messages(const struct history_store *s)
{
	return s->messages;
}

/* ---- forgetting ---- */

static int drop(struct history_store *s, int64_t number)
{
	static const int which[] = {DROP_RCPT, DROP_MSG, DROP_ALIAS};
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sizeof which / sizeof which[0] && rc == SQLITE_OK; i++) {
		sqlite3_bind_int64(s->st[which[i]], 1, number);
		rc = step(s->st[which[i]]);
	}
	return rc == SQLITE_OK ? history_index_purge(s->db, number) : rc;
}

int history_store_purge(struct history_store *s, int64_t number, int64_t *n_r)
{
	int64_t last = 0;
	int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	*n_r = 0;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(s->st[OLDEST], 1, number);
	sqlite3_bind_int(s->st[OLDEST], 2, PURGE_STEP);
	rc = sqlite3_step(s->st[OLDEST]);
	if (rc == SQLITE_ROW) {
		last = sqlite3_column_int64(s->st[OLDEST], 0);
		*n_r = sqlite3_column_int64(s->st[OLDEST], 1);
		rc = SQLITE_OK;
	}
	sqlite3_reset(s->st[OLDEST]);
	rc = end_transaction(s, rc == SQLITE_OK && *n_r > 0 ? drop(s, last) : rc);
	if (rc == SQLITE_OK)
		s->messages -= *n_r;
	return rc;
}

/* ---- life ---- */

struct history_store *history_store_new(sqlite3 *db, struct history_index *index)
{
	struct history_store *s = mem_new(sizeof *s);
	sqlite3_stmt *st = history_db_prepare(db, "SELECT count(*) FROM msg");

	s->db = db;
	s->index = index;
	s->end = &s->first;
	if (st && sqlite3_step(st) == SQLITE_ROW)
		s->messages = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	for (int i = 0; i < STATEMENTS; i++)
		if (!(s->st[i] = history_db_prepare(db, texts[i]))) {
			history_store_free(s);
			return NULL;
		}
	return s;
}

void history_store_free(struct history_store *s)
{
	if (!s)
		return;
	forget(s);
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(s->st[i]);
	free(s);
}
