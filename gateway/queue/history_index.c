/* Notes and runs of the history. relay. */
#include "gateway/queue/history_index.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/queue/history_db.h"
#include "gateway/queue/queue_number.h"

enum {
	BUCKETS = 64,
	BUCKET_SHIFT = 57, /* of 63 bits */
	RUN = 65536,	   /* notes: 1 MiB */
	LOAD_MAX = RUN,	   /* rows read back */
	HASHES_MAX = 4,
	SLACK_MS = 3600000, /* how long a message may be on its way in before its row is written */
};

void history_index_init(struct history_index *x)
{
	*x = (struct history_index){0};
	pthread_mutex_init(&x->lock, NULL);
}

void history_index_clear(struct history_index *x)
{
	free(x->v);
	x->v = NULL;
	x->n = x->cap = 0;
	pthread_mutex_destroy(&x->lock);
}

/* FNV-1a; what is found is compared. Its high bits, which choose the bucket, are mixed once more. */
static int64_t hash_of(char kind, const char *p, size_t n, bool fold)
{
	uint64_t h = UINT64_C(14695981039346656037);

	if (n == 0)
		return 0;
	h = (h ^ (uint8_t)kind) * UINT64_C(1099511628211);
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)(fold ? tolower((unsigned char)p[i]) : p[i])) * UINT64_C(1099511628211);
	h ^= h >> 32;
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return (int64_t)(h >> 1);
}

int64_t history_index_hash(enum history_index_kind k, const char *text)
{
	static const char around[] = " \t\r\n<>";
	const char *p = text;
	size_t n;

	if (k != HISTORY_INDEX_ID)
		return hash_of((char)k, p, strlen(p), true);
	p += strspn(p, around);
	n = strlen(p);
	while (n && strchr(around, p[n - 1]))
		n--;
	return hash_of((char)k, p, n, false);
}

void history_index_add(struct history_index *x, int64_t hash, int64_t number)
{
	if (hash == 0)
		return;
	pthread_mutex_lock(&x->lock);
	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 4096;
		x->v = mem_resize(x->v, x->cap * sizeof *x->v);
	}
	x->v[x->n++] = (struct history_index_note){hash, number};
	pthread_mutex_unlock(&x->lock);
}

void history_index_address(struct history_index *x, enum history_index_kind k, const char *address, int64_t number)
{
	const char *at = strrchr(address, '@');

	history_index_add(x, history_index_hash(k, address), number);
	if (at && at != address)
		history_index_add(x, history_index_hash(k, at), number);
}

size_t history_index_mark(struct history_index *x)
{
	pthread_mutex_lock(&x->lock);

	size_t n = x->n;

	pthread_mutex_unlock(&x->lock);
	return n;
}

void history_index_back(struct history_index *x, size_t n)
{
	pthread_mutex_lock(&x->lock);
	x->n = n < x->n ? n : x->n;
	pthread_mutex_unlock(&x->lock);
}

bool history_index_full(struct history_index *x)
{
	pthread_mutex_lock(&x->lock);

	bool full = x->n >= RUN;

	pthread_mutex_unlock(&x->lock);
	return full;
}

/* ---- writing ---- */

static int by_hash(const void *a, const void *b)
{
	const struct history_index_note *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static int step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int write_run(sqlite3 *db, const struct history_index_note *v, size_t n, int64_t first, int64_t last)
{
	sqlite3_stmt *run = history_db_prepare(db, "INSERT INTO run (first, last) VALUES (?1, ?2)"),
		     *notes = history_db_prepare(db, "INSERT INTO notes (bucket, run, v) VALUES (?1, ?2, ?3)");
	int rc = run && notes ? SQLITE_OK : SQLITE_ERROR;

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(run, 1, first);
		sqlite3_bind_int64(run, 2, last);
		rc = step(run);
	}
	for (size_t i = 0, end; i < n && rc == SQLITE_OK; i = end) {
		int64_t bucket = v[i].hash >> BUCKET_SHIFT;

		for (end = i; end < n && v[end].hash >> BUCKET_SHIFT == bucket;)
			end++;
		sqlite3_bind_int64(notes, 1, bucket);
		sqlite3_bind_int64(notes, 2, sqlite3_last_insert_rowid(db));
		sqlite3_bind_blob64(notes, 3, v + i, (end - i) * sizeof *v, SQLITE_STATIC);
		rc = step(notes);
	}
	sqlite3_finalize(run);
	sqlite3_finalize(notes);
	return rc;
}

int history_index_write(struct history_index *x, sqlite3 *db, size_t *n_r)
{
	struct history_index_note *v;
	int64_t first = INT64_MAX, last = 0;
	size_t n;
	int rc;

	pthread_mutex_lock(&x->lock);
	n = x->n;
	v = mem_raw(n * sizeof *v + 1);
	memcpy(v, x->v, n * sizeof *v);
	pthread_mutex_unlock(&x->lock);
	*n_r = n;
	for (size_t i = 0; i < n; i++) {
		first = v[i].number < first ? v[i].number : first;
		last = v[i].number > last ? v[i].number : last;
	}
	qsort(v, n, sizeof *v, by_hash);
	rc = n ? write_run(db, v, n, first, last) : SQLITE_OK;
	free(v);
	return rc;
}

void history_index_written(struct history_index *x, size_t n)
{
	pthread_mutex_lock(&x->lock);
	x->n -= n;
	memmove(x->v, x->v + n, x->n * sizeof *x->v);
	pthread_mutex_unlock(&x->lock);
}

int history_index_purge(sqlite3 *db, int64_t number)
{
	sqlite3_stmt *old = history_db_prepare(db, "SELECT run FROM run WHERE last < ?1 ORDER BY run LIMIT 1"),
		     *notes = history_db_prepare(db, "DELETE FROM notes WHERE bucket = ?1 AND run = ?2"),
		     *run = history_db_prepare(db, "DELETE FROM run WHERE run = ?1");
	int rc = old && notes && run ? SQLITE_OK : SQLITE_ERROR;

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(old, 1, number);
		rc = sqlite3_step(old);
	}
	if (rc == SQLITE_ROW) {
		int64_t which = sqlite3_column_int64(old, 0);

		rc = SQLITE_OK;
		for (int i = 0; i < BUCKETS && rc == SQLITE_OK; i++) {
			sqlite3_bind_int(notes, 1, i);
			sqlite3_bind_int64(notes, 2, which);
			rc = step(notes);
		}
		sqlite3_bind_int64(run, 1, which);
		if (rc == SQLITE_OK)
			rc = step(run);
	}
	sqlite3_finalize(old);
	sqlite3_finalize(notes);
	sqlite3_finalize(run);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- what an earlier process left ---- */

static void load_row(struct history_index *x, sqlite3_stmt *st)
{
	const char *sender = (const char *)sqlite3_column_text(st, 1), *id = (const char *)sqlite3_column_text(st, 2);
	int64_t number = sqlite3_column_int64(st, 0);

	history_index_address(x, HISTORY_INDEX_FROM, sender ? sender : "", number);
	history_index_add(x, history_index_hash(HISTORY_INDEX_ID, id ? id : ""), number);
}

static int load(struct history_index *x, sqlite3 *db, int64_t since)
{
	sqlite3_stmt
	    *msg = history_db_prepare(
		db, "SELECT number, sender, message_id FROM msg WHERE number > ?1 ORDER BY number DESC LIMIT ?2"),
	    *rcpt = history_db_prepare(db,
		"SELECT coalesce((SELECT root FROM alias WHERE number = rcpt.id >> 16), id >> 16), address FROM "
		"rcpt WHERE id > ?1 << 16 ORDER BY id DESC LIMIT ?2");
	int rc = msg && rcpt ? SQLITE_OK : SQLITE_ERROR;

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(msg, 1, since);
		sqlite3_bind_int(msg, 2, LOAD_MAX);
		sqlite3_bind_int64(rcpt, 1, since);
		sqlite3_bind_int(rcpt, 2, LOAD_MAX);
		while ((rc = sqlite3_step(msg)) == SQLITE_ROW)
			load_row(x, msg);
	}
	if (rc == SQLITE_DONE)
		while ((rc = sqlite3_step(rcpt)) == SQLITE_ROW) {
			const char *address = (const char *)sqlite3_column_text(rcpt, 1);

			history_index_address(
			    x, HISTORY_INDEX_TO, address ? address : "", sqlite3_column_int64(rcpt, 0));
		}
	sqlite3_finalize(msg);
	sqlite3_finalize(rcpt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int history_index_load(struct history_index *x, sqlite3 *db)
{
	sqlite3_stmt *st = history_db_prepare(db, "SELECT max(last) FROM run");
	int rc = st ? sqlite3_step(st) : SQLITE_ERROR;
	int64_t last = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;

	sqlite3_finalize(st);
	if (rc != SQLITE_ROW)
		return rc;
	if (last > 0)
		last = queue_number_from(queue_number_time(last) - SLACK_MS);
	return load(x, db, last);
}

/* ---- finding ---- */

struct search {
	const int64_t *hashes;
	size_t nhashes;
	int64_t from, to;
	size_t max;
	int64_t *v;
	size_t n, cap;
};

static void take(struct search *s, int64_t number)
{
	if (number < s->from || number > s->to)
		return;
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 1024;
		s->v = mem_resize(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = number;
}

/* The notes of one hash in a sorted run. */
struct range {
	const struct history_index_note *v;
	size_t n;
};

static struct range range_of(const struct history_index_note *v, size_t n, int64_t hash)
{
	size_t low = 0, high = n, first;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	first = low;
	for (high = n; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (v[middle].hash <= hash)
			low = middle + 1;
		else
			high = middle;
	}
	return (struct range){v + first, low - first};
}

static bool has(const struct range *r, int64_t number)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->v[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->n && r->v[low].number == number;
}

/* The shortest range is gone through, the others are asked. */
static void intersect(struct search *s, struct range *r, size_t n)
{
	size_t least = 0;

	for (size_t i = 1; i < n; i++)
		if (r[i].n < r[least].n)
			least = i;
	for (size_t i = 0; i < r[least].n; i++) {
		bool all = true;

		for (size_t k = 0; k < n && all; k++)
			all = k == least || has(&r[k], r[least].v[i].number);
		if (all)
			take(s, r[least].v[i].number);
	}
}

static void from_memory(struct history_index *x, struct search *s)
{
	struct range r[HASHES_MAX] = {{NULL, 0}};
	struct history_index_note *v = NULL;
	size_t n = 0;

	pthread_mutex_lock(&x->lock);
	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < s->nhashes; k++)
			if (x->v[i].hash == s->hashes[k])
				n++;
	v = mem_raw(n * sizeof *v + 1);
	n = 0;
	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < s->nhashes; k++)
			if (x->v[i].hash == s->hashes[k]) {
				v[n++] = x->v[i];
				break;
			}
	pthread_mutex_unlock(&x->lock);
	qsort(v, n, sizeof *v, by_hash);
	for (size_t k = 0; k < s->nhashes; k++)
		r[k] = range_of(v, n, s->hashes[k]);
	intersect(s, r, s->nhashes);
	free(v);
}

static int from_run(struct search *s, sqlite3_stmt **st, int64_t run)
{
	struct range r[HASHES_MAX] = {{NULL, 0}};
	struct history_index_note *copies[HASHES_MAX] = {NULL};
	int rc = SQLITE_OK;
	bool none = false;

	for (size_t k = 0; k < s->nhashes && rc == SQLITE_OK && !none; k++) {
		sqlite3_bind_int64(st[k], 1, s->hashes[k] >> BUCKET_SHIFT);
		sqlite3_bind_int64(st[k], 2, run);
		rc = sqlite3_step(st[k]);
		none = rc == SQLITE_DONE;
		if (rc == SQLITE_ROW) {
			const void *p = sqlite3_column_blob(st[k], 0); /* lies anywhere in a page */
			size_t n = p ? (size_t)sqlite3_column_bytes(st[k], 0) / sizeof *copies[k] : 0;

			copies[k] = mem_raw(n * sizeof *copies[k] + 1);
			if (n)
				memcpy(copies[k], p, n * sizeof *copies[k]);
			r[k] = range_of(copies[k], n, s->hashes[k]);
			none = r[k].n == 0;
			rc = SQLITE_OK;
		}
	}
	if (rc == SQLITE_OK && !none)
		intersect(s, r, s->nhashes);
	for (size_t k = 0; k < s->nhashes; k++) {
		sqlite3_reset(st[k]);
		free(copies[k]);
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int descending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

static void tidy(struct search *s)
{
	size_t n = 0;

	if (s->n == 0)
		return;
	qsort(s->v, s->n, sizeof *s->v, descending);
	for (size_t i = 0; i < s->n; i++)
		if (i == 0 || s->v[i] != s->v[n - 1])
			s->v[n++] = s->v[i];
	s->n = n;
}

/* Runs from the one with the greatest last number down: when enough are found that are greater than all that is left,
 * the rest cannot matter. */
static int from_runs(struct search *s, sqlite3 *db)
{
	sqlite3_stmt *runs = history_db_prepare(
			 db, "SELECT run, last FROM run WHERE last >= ?1 AND first <= ?2 ORDER BY last DESC"),
		     *st[HASHES_MAX] = {NULL};
	int rc = runs ? SQLITE_OK : SQLITE_ERROR;

	for (size_t k = 0; k < s->nhashes; k++)
		if (!(st[k] = history_db_prepare(db, "SELECT v FROM notes WHERE bucket = ?1 AND run = ?2")))
			rc = SQLITE_ERROR;
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(runs, 1, s->from);
		sqlite3_bind_int64(runs, 2, s->to);
	}
	while (rc == SQLITE_OK && (rc = sqlite3_step(runs)) == SQLITE_ROW) {
		if (s->n >= s->max) {
			tidy(s);
			/* found ones stand in v: NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
			if (s->n >= s->max && s->v[s->max - 1] > sqlite3_column_int64(runs, 1)) {
				rc = SQLITE_DONE;
				break;
			}
		}
		rc = from_run(s, st, sqlite3_column_int64(runs, 0));
	}
	sqlite3_finalize(runs);
	for (size_t k = 0; k < s->nhashes; k++)
		sqlite3_finalize(st[k]);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int history_index_find(struct history_index *x, sqlite3 *db, const int64_t *hashes, size_t nhashes, int64_t from,
    int64_t to, size_t max, int64_t **v_r, size_t *n_r)
{
	struct search s = {hashes, nhashes < HASHES_MAX ? nhashes : HASHES_MAX, from, to, max, NULL, 0, 0};
	int rc;

	from_memory(x, &s); /* first: what goes into a run meanwhile is found twice, never not at all */
	rc = from_runs(&s, db);
	tidy(&s);
	*v_r = s.v;
	*n_r = s.n < max ? s.n : max;
	return rc;
}
