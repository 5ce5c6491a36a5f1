/* The index of what was sent: notes, runs. relay. */
#include "gateway/queue/queue_sent.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/dsn_text.h"
#include "gateway/queue/queue.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_number.h"

enum {
	RUN = 8192,	      /* notes: 128 KiB */
	NOTES_MAX = 64 * RUN, /* in memory: 8 MiB */
	LOAD_MAX = 24 * RUN,  /* messages read back after a crash */
	SLACK_MS = 3600000,   /* how long a message may be on its way in before it is committed */
};

void queue_sent_init(struct queue_sent *s)
{
	*s = (struct queue_sent){0};
	pthread_mutex_init(&s->lock, NULL);
}

void queue_sent_clear(struct queue_sent *s)
{
	free(s->v);
	s->v = NULL;
	s->n = s->cap = 0;
	pthread_mutex_destroy(&s->lock);
}

/* ---- hashes: FNV-1a, for whatever is found is compared; SHA-256 would be felt at the speed of a relay ---- */

static int64_t hash_of(char kind, const char *p, size_t n)
{
	uint64_t h = UINT64_C(14695981039346656037);

	if (n == 0)
		return 0;
	h = (h ^ (uint8_t)kind) * UINT64_C(1099511628211);
	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * UINT64_C(1099511628211);
	return (int64_t)(h >> 1);
}

int64_t queue_sent_hash_id(const char *message_id)
{
	static const char around[] = " \t\r\n<>";
	const char *p = message_id + strspn(message_id, around);
	size_t n = strlen(p);

	while (n && strchr(around, p[n - 1]))
		n--;
	return hash_of('m', p, n);
}

int64_t queue_sent_hash_envid(const char *envid)
{
	return hash_of('e', envid, strlen(envid));
}

/* ---- notes ---- */

static void add(struct queue_sent *s, int64_t hash, int64_t number)
{
	if (hash == 0)
		return;
	if (s->n == NOTES_MAX) {
		s->n /= 2;
		memmove(s->v, s->v + s->n, s->n * sizeof *s->v);
	}
	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : RUN;
		s->v = mem_resize(s->v, s->cap * sizeof *s->v);
	}
	s->v[s->n++] = (struct queue_sent_note){hash, number};
}

static void note(struct queue_sent *s, const char *message_id, const char *envid, int64_t number)
{
	char plain[DSN_TEXT_MAX];

	add(s, queue_sent_hash_id(message_id ? message_id : ""), number);
	if (!envid || !envid[0])
		return;
	dsn_text_decode(envid, plain);
	add(s, queue_sent_hash_envid(plain), number);
}

void queue_sent_note(struct queue_sent *s, const struct queue_msg *m, int64_t number)
{
	if (m->kind != QUEUE_OUTBOUND)
		return;
	pthread_mutex_lock(&s->lock);
	note(s, m->message_id, m->env.envid, number);
	s->noted = true;
	pthread_mutex_unlock(&s->lock);
}

size_t queue_sent_noted(struct queue_sent *s, int64_t hash, int64_t *v, size_t n, size_t max)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = s->n; i > 0 && n < max; i--)
		if (s->v[i - 1].hash == hash)
			v[n++] = s->v[i - 1].number;
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- runs ---- */

static int64_t slack(void)
{
	return queue_number_from(queue_number_time(0) + SLACK_MS);
}

/*
 * What a run says of the numbers up to some number, and in its lowest bit how: this run and those before it have all
 * of them, or they may lack some of the last hour that were still on their way in. While notes of an earlier process
 * have not been read back, no run says more than was known before.
 */
static int64_t upto_of(const struct queue_sent *s, int64_t last_number, bool complete)
{
	if (!s->loaded && s->from < s->upto)
		return (s->from + slack()) << 1;
	return last_number << 1 | complete;
}

static int by_hash(const void *a, const void *b)
{
	const struct queue_sent_note *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

bool queue_sent_full(struct queue_sent *s)
{
	pthread_mutex_lock(&s->lock);

	bool full = s->n >= RUN;

	pthread_mutex_unlock(&s->lock);
	return full;
}

/* The end that closes the queue always leaves one, so that the next start knows that nothing is missing. */
struct queue_sent_run *queue_sent_cut(struct queue_sent *s, int64_t last_number, bool last)
{
	struct queue_sent_run *run = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->n >= RUN || (last && s->noted)) {
		size_t n = s->n < RUN || last ? s->n : RUN;

		run = mem_new(sizeof *run + n * sizeof run->notes[0]);
		run->upto = upto_of(s, last_number, last);
		run->n = n;
		if (n)
			memcpy(run->notes, s->v, n * sizeof *s->v);
		s->n -= n;
		memmove(s->v, s->v + n, s->n * sizeof *s->v);
		s->noted = s->noted && !last;
	}
	pthread_mutex_unlock(&s->lock);
	if (run)
		qsort(run->notes, run->n, sizeof run->notes[0], by_hash);
	return run;
}

int queue_sent_write(sqlite3_stmt *insert, const struct queue_sent_run *run, int64_t now_ms)
{
	sqlite3_bind_int64(insert, 1, run->upto);
	sqlite3_bind_int64(insert, 2, now_ms);
	sqlite3_bind_blob64(insert, 3, run->notes, run->n * sizeof run->notes[0], SQLITE_STATIC);
	return queue_db_run(insert);
}

/* ---- what an earlier process noted ---- */

int queue_sent_open(struct queue_sent *s, sqlite3 *db, int64_t last_number)
{
	sqlite3_stmt *st = queue_db_prepare(db, "SELECT upto FROM sent ORDER BY run DESC LIMIT 1");
	int rc = sqlite3_step(st);
	int64_t upto = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;

	sqlite3_finalize(st);
	s->upto = last_number;
	s->from = (upto >> 1) - (upto & 1 ? 0 : slack());
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int queue_sent_load(struct queue_sent *s, sqlite3 *db, int64_t since_ms)
{
	sqlite3_stmt *st;
	int64_t since = queue_number_from(since_ms);
	int rc;

	if (s->loaded)
		return SQLITE_OK;
	st = queue_db_prepare(db, "SELECT id, message_id, envid FROM msg WHERE id > ?1 AND id <= ?4 AND kind = ?2 "
				  "ORDER BY id DESC LIMIT ?3");
	sqlite3_bind_int64(st, 1, s->from > since ? s->from : since);
	sqlite3_bind_int64(st, 4, s->upto);
	sqlite3_bind_int(st, 2, QUEUE_OUTBOUND);
	sqlite3_bind_int(st, 3, LOAD_MAX);
	pthread_mutex_lock(&s->lock);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		note(s, queue_db_column(st, 1), queue_db_column(st, 2), sqlite3_column_int64(st, 0));
		s->noted = true;
	}
	s->loaded = rc == SQLITE_DONE;
	pthread_mutex_unlock(&s->lock);
	sqlite3_finalize(st);
	return s->loaded ? SQLITE_OK : rc;
}
