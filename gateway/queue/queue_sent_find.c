/* Looking up what was sent. relay. The index only proposes: what is found has the very Message-ID or ENVID. */
#include "gateway/queue/queue_sent_find.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/dsn_text.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_parts.h"

#define DAY_MS INT64_C(86400000)

enum { PROPOSED_MAX = 256 };

struct search {
	struct queue *q;
	struct arena *a;
	const char *sender, *message_id, *envid; /* the last two: "" none */
	bool full;				 /* the arena is */
	int64_t since;				 /* unix ms */
	sqlite3_stmt *runs, *msg, *rcpts;
	int64_t v[PROPOSED_MAX];
	size_t n;
};

static void prepare(struct search *s)
{
	sqlite3 *db = s->q->reader.db;

	s->runs = queue_db_prepare(db, "SELECT run FROM sent ORDER BY run DESC");
	s->msg = queue_db_prepare(db,
	    "SELECT sender, message_id, envid FROM msg WHERE id = ?1 AND kind = ?2 AND sender = ?3 COLLATE NOCASE");
	s->rcpts = queue_db_prepare(db,
	    "SELECT id, address, orcpt FROM rcpt NOT INDEXED WHERE id >= ?1 AND id < ?2 AND (state <> 3 OR changed > "
	    "?3)"
	    " ORDER BY id LIMIT ?4");
}

static void finish(struct search *s)
{
	sqlite3_finalize(s->runs);
	sqlite3_finalize(s->msg);
	sqlite3_finalize(s->rcpts);
}

/* ---- proposals ---- */

/* The first note of the run, sorted by hash, that is not before this one. SQLite result. */
static int lower_bound(sqlite3_blob *b, int n, int64_t hash, int *at_r)
{
	struct queue_sent_note note;
	int low = 0, high = n, rc = SQLITE_OK;

	while (low < high && rc == SQLITE_OK) {
		int middle = low + (high - low) / 2;

		rc = sqlite3_blob_read(b, &note, sizeof note, middle * (int)sizeof note);
		if (rc == SQLITE_OK && note.hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	*at_r = low;
	return rc;
}

static int from_run(struct search *s, sqlite3_blob *b, int64_t hash)
{
	struct queue_sent_note note;
	int n = sqlite3_blob_bytes(b) / (int)sizeof note, at, rc = lower_bound(b, n, hash, &at);

	for (; rc == SQLITE_OK && at < n && s->n < PROPOSED_MAX; at++) {
		rc = sqlite3_blob_read(b, &note, sizeof note, at * (int)sizeof note);
		if (rc != SQLITE_OK || note.hash != hash)
			break;
		s->v[s->n++] = note.number;
	}
	return rc;
}

/* The newest first: when there are too many proposals, it is the old ones that are not looked at. */
static int from_runs(struct search *s, const int64_t *hashes, size_t n)
{
	sqlite3_blob *b = NULL;
	int rc;

	while ((rc = sqlite3_step(s->runs)) == SQLITE_ROW) {
		int64_t run = sqlite3_column_int64(s->runs, 0);

		rc = b ? sqlite3_blob_reopen(b, run)
		       : sqlite3_blob_open(s->q->reader.db, "main", "sent", "notes", run, 0, &b);
		for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
			rc = from_run(s, b, hashes[i]);
		if (rc != SQLITE_OK)
			break;
	}
	sqlite3_reset(s->runs);
	sqlite3_blob_close(b);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int newest_first(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

static int propose(struct search *s)
{
	int64_t hashes[2];
	size_t n = 0;

	if (s->message_id[0])
		hashes[n++] = queue_sent_hash_id(s->message_id);
	if (s->envid[0])
		hashes[n++] = queue_sent_hash_envid(s->envid);
	for (size_t i = 0; i < n; i++)
		s->n = queue_sent_noted(&s->q->sent, hashes[i], s->v, s->n, PROPOSED_MAX / 2);

	int rc = n ? from_runs(s, hashes, n) : SQLITE_OK;

	qsort(s->v, s->n, sizeof s->v[0], newest_first);
	return rc;
}

/* ---- the record ---- */

static const char *keep(struct search *s, sqlite3_stmt *st, int i)
{
	const char *text = arena_str(s->a, queue_db_column(st, i));

	s->full |= !text;
	return text ? text : "";
}

static bool same_id(const char *a, const char *b)
{
	static const char around[] = " \t<>";
	size_t n, m;

	a += strspn(a, around);
	b += strspn(b, around);
	n = strcspn(a, around);
	m = strcspn(b, around);
	return n > 0 && n == m && memcmp(a, b, n) == 0;
}

static bool is_meant(const struct search *s, const struct queue_sent_found *f)
{
	char plain[DSN_TEXT_MAX];

	if (s->message_id[0] && same_id(s->message_id, f->message_id))
		return true;
	dsn_text_decode(f->envid, plain);
	return s->envid[0] && strcmp(s->envid, plain) == 0;
}

static int read_rcpts(struct search *s, int64_t number, struct queue_sent_found *f)
{
	struct queue_sent_rcpt *v = NULL;
	size_t cap = 0;
	int rc;

	sqlite3_bind_int64(s->rcpts, 1, queue_number_row(number, 0));
	sqlite3_bind_int64(s->rcpts, 2, queue_number_row(number + 1, 0));
	sqlite3_bind_int64(s->rcpts, 3, s->since);
	sqlite3_bind_int(s->rcpts, 4, QUEUE_SENT_FIND_RCPTS);
	f->nrcpts = 0;
	while ((rc = sqlite3_step(s->rcpts)) == SQLITE_ROW) {
		if (f->nrcpts == cap) {
			struct queue_sent_rcpt *more = arena_alloc(s->a, (cap = cap * 4 + 4) * sizeof *v);

			s->full |= !more;
			if (!more)
				break;
			if (v)
				memcpy(more, v, f->nrcpts * sizeof *v);
			v = more;
		}
		v[f->nrcpts++] = (struct queue_sent_rcpt){
		    sqlite3_column_int64(s->rcpts, 0), keep(s, s->rcpts, 1), keep(s, s->rcpts, 2)};
	}
	sqlite3_reset(s->rcpts);
	f->rcpts = v;
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* Is the proposal what is looked for? *found_r grows by one. */
static int look(struct search *s, int64_t number, struct queue_sent_found *f, int *found_r)
{
	sqlite3_bind_int64(s->msg, 1, number);
	sqlite3_bind_int(s->msg, 2, QUEUE_OUTBOUND);
	queue_db_text(s->msg, 3, s->sender);

	int rc = sqlite3_step(s->msg);

	if (rc == SQLITE_ROW) {
		f->sender = keep(s, s->msg, 0);
		f->message_id = keep(s, s->msg, 1);
		f->envid = keep(s, s->msg, 2);
	}
	sqlite3_reset(s->msg);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_OK : rc;
	if (!is_meant(s, f))
		return SQLITE_OK;
	queue_number_text(number, f->id, sizeof f->id);
	rc = read_rcpts(s, number, f);
	if (rc == SQLITE_OK && f->nrcpts > 0)
		++*found_r;
	return rc;
}

static int search(struct search *s, struct queue_sent_found *v, int *found_r)
{
	int rc = queue_sent_load(&s->q->sent, s->q->reader.db, s->since - s->q->set.expire);

	if (rc == SQLITE_OK)
		rc = propose(s);
	for (size_t i = 0; i < s->n && rc == SQLITE_OK && !s->full && *found_r < QUEUE_SENT_FIND_MAX; i++)
		if (i == 0 || s->v[i] != s->v[i - 1])
			rc = look(s, s->v[i], &v[*found_r], found_r);
	return rc;
}

int queue_sent_find(struct queue *q, const struct queue_sent_ask *ask, struct arena *a,
    struct queue_sent_found v[QUEUE_SENT_FIND_MAX], struct problem *pr)
{
	struct search s = {.q = q,
	    .a = a,
	    .sender = ask->sender,
	    .message_id = ask->message_id ? ask->message_id : "",
	    .envid = ask->envid ? ask->envid : ""};
	int rc, found = 0;

	if (q->set.dsn_match_days == 0)
		return 0;
	s.since = queue_now(q) - q->set.dsn_match_days * DAY_MS;
	pthread_mutex_lock(&q->reader.lock);
	prepare(&s);
	rc = search(&s, v, &found);
	finish(&s);
	if (rc != SQLITE_OK)
		queue_reader_problem(&q->reader, pr);
	pthread_mutex_unlock(&q->reader.lock);
	if (rc == SQLITE_OK && s.full)
		return problem_temp(
		    pr, "what is on record of that message needs more memory than a look-up may have");
	if (rc == SQLITE_OK)
		return found;
	queue_writer_reader_failed(q->writer, rc);
	return -1;
}
