/* A queue in a directory of its own, a clock that stands still, and short ways to put, claim and settle: for the
 * tests of gateway/queue. */
#ifndef POSTERN_TESTS_QUEUE_FIXTURE_H
#define POSTERN_TESTS_QUEUE_FIXTURE_H

#include <check.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/queue/queue.h"
#include "gateway/queue/queue_settings.h"
#include "tests/unit/suite.h"

struct fixture {
	char dir[64];
	struct loop *loop;
	struct queue *q;
	struct queue_settings set;
	_Atomic int64_t now; /* unix ms */
	/* of the last commit */
	int err;
	struct problem pr;
	int64_t rows[64];
	size_t nrows;
	long finished; /* commits finished so far */
};

static const uint8_t fixture_key[SPOOL_KEY] = "a key for the tests of the queue";

static inline int64_t fixture_clock(void *ctx)
{
	return atomic_load(&((struct fixture *)ctx)->now);
}

static inline int fixture_open(struct fixture *f)
{
	f->q = queue_open(f->dir, &f->set, f->loop, &f->pr);
	if (f->q)
		queue_set_clock(f->q, fixture_clock, f);
	return f->q ? 0 : -1;
}

static inline void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof *f);
	log_init("test", LOG_LEVEL_ERROR);
	queue_settings_default(&f->set);
	snprintf(f->dir, sizeof f->dir, "/tmp/test_queue_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	atomic_store(&f->now, INT64_C(1800000000000));
	f->loop = loop_new();
	ck_assert_msg(fixture_open(f) == 0, "%s", f->pr.text);
}

static inline void fixture_close(struct fixture *f)
{
	queue_close(f->q);
	f->q = NULL;
	loop_once(f->loop, 0);
}

static inline void fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	ck_assert_msg(fixture_open(f) == 0, "%s", f->pr.text);
}

static inline void fixture_remove_dir(const char *dir)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static inline void fixture_clear(struct fixture *f)
{
	fixture_close(f);
	loop_free(f->loop);
	fixture_remove_dir(f->dir);
}

static inline void fixture_done(void *ctx, int err, const int64_t *rows, size_t nrows, const struct problem *pr)
{
	struct fixture *f = ctx;

	f->err = err;
	f->nrows = nrows < 64 ? nrows : 64;
	if (f->nrows)
		memcpy(f->rows, rows, f->nrows * sizeof *rows);
	if (pr)
		f->pr = *pr;
	ck_assert_int_eq(err == 0, pr == NULL);
	f->finished++;
}

static inline void fixture_wait(struct fixture *f, long finished)
{
	while (f->finished < finished)
		loop_once(f->loop, 10000);
}

/* Commits and waits; the transaction's result. */
static inline int fixture_commit(struct fixture *f, const struct queue_tx *tx)
{
	long before = f->finished;

	queue_commit(f->q, tx, fixture_done, f);
	fixture_wait(f, before + 1);
	return f->err;
}

/* n octets of these words again and again; free() it. */
static inline char *fixture_octets(const char *words, size_t n)
{
	size_t len = strlen(words);
	char *p = malloc(n + 1);

	for (size_t i = 0; p && i < n; i++)
		p[i] = words[i % len];
	return p;
}

/* NULL when it fails. Without ck_assert, for children that are killed. */
static inline struct spool *fixture_make(struct fixture *f, const char *words, size_t n)
{
	struct spool *s = spool_new(fixture_key, (size_t)f->set.memory_max, queue_spool_dir(f->q), -1, UINT64_MAX);
	char *p = fixture_octets(words, n);
	int bad = !p || spool_add(s, p, n, &f->pr) || spool_finish(s, &f->pr);

	free(p);
	if (!bad)
		return s;
	spool_free(s);
	return NULL;
}

static inline struct spool *fixture_content(struct fixture *f, const char *words, size_t n)
{
	struct spool *s = fixture_make(f, words, n);

	ck_assert_msg(s != NULL, "%s", f->pr.text);
	return s;
}

static inline void fixture_expect_content(struct fixture *f, int64_t msg, const char *words, size_t n)
{
	struct problem pr = {0};
	struct spool *s = queue_content(f->q, msg, fixture_key, &pr);
	char *got = malloc(n + 1), *want = fixture_octets(words, n);

	ck_assert_msg(s != NULL, "%s", pr.text);
	ck_assert(got && want);
	ck_assert_uint_eq(spool_size(s), n);
	ck_assert_msg(stream_read_full(spool_reader(s), 0, got, n, &pr) == 0, "%s", pr.text);
	ck_assert_msg(memcmp(got, want, n) == 0, "the content differs");
	free(got);
	free(want);
	spool_free(s);
}

static inline struct queue_rcpt fixture_rcpt(const char *address, const char *nexthop, enum queue_state state)
{
	return (struct queue_rcpt){
	    .address = address,
	    .nexthop = nexthop,
	    .state = state,
	    .outcome = state == QUEUE_DONE ? QUEUE_REFUSED : QUEUE_NONE,
	    .reason = state == QUEUE_HELD ? "waits for a certificate" : NULL,
	    .treatment = "seal",
	};
}

static inline struct queue_msg fixture_msg(
    const char *id, struct spool *content, const struct queue_rcpt *rcpts, size_t n)
{
	return (struct queue_msg){
	    .id = id,
	    .kind = QUEUE_OUTBOUND,
	    .sender = "ward3@hospital.example",
	    .trace = "Received: from a\r\n",
	    .facts = "{\"helo\":\"a\"}",
	    .message_id = "<1@hospital.example>",
	    .wrapped = "wrapped key",
	    .wrapped_len = 11,
	    .content = content,
	    .rcpts = rcpts,
	    .nrcpts = n,
	};
}

/* One message of `n` octets to these recipients; its id to id_r. The result. */
static inline int fixture_put(
    struct fixture *f, const struct queue_rcpt *rcpts, size_t nrcpts, size_t n, char id_r[QUEUE_ID_MAX])
{
	struct spool *content = fixture_content(f, "words ", n);
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

	queue_id(f->q, id_r);
	m = fixture_msg(id_r, content, rcpts, nrcpts);

	int err = fixture_commit(f, &tx);

	spool_free(content);
	return err;
}

static inline int fixture_put_one(
    struct fixture *f, const char *address, const char *nexthop, enum queue_state state, char id_r[QUEUE_ID_MAX])
{
	struct queue_rcpt r = fixture_rcpt(address, nexthop, state);

	return fixture_put(f, &r, 1, 100, id_r);
}

static inline int fixture_settle(
    struct fixture *f, int64_t row, enum queue_state state, enum queue_outcome outcome, int64_t next_at)
{
	struct queue_settle s = {
	    .rcpt = row, .state = state, .outcome = outcome, .next_at = next_at, .reason = "250 ok"};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};

	return fixture_commit(f, &tx);
}

static inline size_t fixture_claim(struct fixture *f, struct queue_job **jobs, size_t max)
{
	int64_t next;

	return queue_claim(f->q, max, NULL, 0, jobs, &next);
}

static inline bool fixture_has_file(struct fixture *f, const char *id)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof path, "%s/spool/%s", f->dir, id);
	return stat(path, &st) == 0;
}

/* Runs SQL over a connection of its own; the number in the first column of its last row to value_r (may be NULL). The
 * SQLite result. */
static inline int fixture_sql(struct fixture *f, const char *sql, int64_t *value_r)
{
	char path[128];
	sqlite3 *db;
	sqlite3_stmt *st = NULL;

	snprintf(path, sizeof path, "%s/queue.db", f->dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);

	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(st);
		if (rc == SQLITE_ROW && value_r)
			*value_r = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static inline int64_t fixture_ask(struct fixture *f, const char *sql)
{
	int64_t value = -1;

	ck_assert_int_eq(fixture_sql(f, sql, &value), SQLITE_OK);
	return value;
}

#endif
