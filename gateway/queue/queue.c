/*
 * The queue's public face: opening, closing, and the small functions of queue.h; claims, lists and the admin's verbs
 * are in files of their own. Role relay.
 */
#include "gateway/queue/queue.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_files.h"
#include "gateway/queue/queue_held_store.h"
#include "gateway/queue/queue_parts.h"
#include "gateway/queue/queue_schedule.h"

#define DAY_MS INT64_C(86400000)

enum { LARGE_QUEUE = 20000, OLDEST_KEPT_MS = 60000 };

/* ---- opening ---- */

/* A file is wanted by a message with an open recipient and no body of its own. */
static bool wanted(void *ctx, int64_t number)
{
	sqlite3_stmt *st = ctx;

	sqlite3_bind_int64(st, 1, queue_number_row(number, 0));
	sqlite3_bind_int64(st, 2, queue_number_row(number + 1, 0));
	sqlite3_bind_int64(st, 3, number);

	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc != SQLITE_DONE; /* cannot tell: it stays */
}

static void sweep(struct queue *q, sqlite3 *db)
{
	sqlite3_stmt *st =
	    queue_db_prepare(db, "SELECT 1 FROM rcpt NOT INDEXED WHERE id >= ?1 AND id < ?2 AND state <> 3"
				 " AND NOT EXISTS (SELECT 1 FROM body WHERE msg = ?3) LIMIT 1");
	long n = queue_files_sweep(q->spool_fd, wanted, st);

	sqlite3_finalize(st);
	if (n)
		log_info(NULL, "queue", "spool-swept files=%ld why=\"no message needs them\"", n);
}

/* What memory has to know: the largest number, next hops, counts. Nobody is active. */
static int load(struct queue *q, sqlite3 *db, struct problem *pr)
{
	sqlite3_stmt *st = queue_db_prepare(db, "SELECT max(id) FROM msg");
	int rc = sqlite3_step(st);

	q->numbers.last = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	sqlite3_finalize(st);
	if (rc == SQLITE_ROW)
		rc = queue_sent_open(&q->sent, db, q->numbers.last);
	if (rc == SQLITE_OK)
		rc = queue_held_store_mend(db);
	if (rc == SQLITE_OK)
		rc = queue_due_load(&q->due, db);
	if (rc == SQLITE_OK)
		return 0;
	return problem_temp(pr, "the queue database cannot be read: %s", sqlite3_errmsg(db));
}

static int open_parts(struct queue *q, const char *dir, struct loop *loop, struct problem *pr)
{
	q->lock_fd = queue_db_lock(dir, pr);
	q->spool_fd = q->lock_fd < 0 ? -1 : queue_files_open(dir, pr);
	if (q->spool_fd < 0)
		return -1;

	sqlite3 *db = queue_db_open(dir, pr);

	if (!db)
		return -1;

	sqlite3 *reader = queue_db_open_reader(dir, pr);

	if (!reader || load(q, db, pr)) {
		sqlite3_close(reader);
		sqlite3_close(db);
		return -1;
	}
	sweep(q, db);
	queue_reader_init(&q->reader, reader);
	queue_held_init(&q->held, reader);
	q->box = queue_box_new(loop);
	q->writer = queue_writer_new(&(struct queue_writer_config){
	    .db = db,
	    .due = &q->due,
	    .box = q->box,
	    .set = &q->set,
	    .spool_fd = q->spool_fd,
	    .dir = dir,
	    .clock = &q->clock,
	});
	return 0;
}

struct queue *queue_open(const char *dir, const struct queue_settings *set, struct loop *loop, struct problem *pr)
{
	struct queue *q = mem_new(sizeof *q);

	q->set = *set;
	q->loop = loop;
	q->lock_fd = q->spool_fd = -1;
	queue_clock_init(&q->clock);
	queue_due_init(&q->due);
	queue_number_init(&q->numbers, 0);
	queue_sent_init(&q->sent);
	if (open_parts(q, dir, loop, pr)) {
		queue_close(q);
		return NULL;
	}
	return q;
}

/* The notes of what was sent go with the next group: no transaction waits for them. */
static void write_run(struct queue *q, bool last)
{
	if (!last && (!queue_sent_full(&q->sent) || queue_writer_in_trouble(q->writer, NULL)))
		return;

	struct queue_sent_run *run = queue_sent_cut(&q->sent, queue_number_last(&q->numbers), last);

	if (!run)
		return;

	struct queue_item *it = queue_item_new(&(struct queue_tx){0}, NULL, NULL);

	it->run = run;
	queue_writer_add(q->writer, it);
}

void queue_close(struct queue *q)
{
	if (!q)
		return;
	queue_held_clear(&q->held);
	queue_reader_clear(&q->reader); /* first: the last checkpoint waits for no reader */
	if (q->writer)
		write_run(q, true);
	queue_writer_free(q->writer);
	queue_box_close(q->box);
	queue_due_clear(&q->due);
	queue_number_clear(&q->numbers);
	queue_sent_clear(&q->sent);
	if (q->spool_fd >= 0)
		close(q->spool_fd);
	if (q->lock_fd >= 0)
		close(q->lock_fd);
	free(q);
}

/* ---- small functions ---- */

int queue_spool_dir(const struct queue *q)
{
	return q->spool_fd;
}

const struct queue_settings *queue_settings_of(const struct queue *q)
{
	return &q->set;
}

void queue_set_clock(struct queue *q, int64_t (*now_ms)(void *ctx), void *ctx)
{
	q->clock = (struct queue_clock){.now_ms = now_ms, .ctx = ctx};
}

int64_t queue_now(const struct queue *q)
{
	return queue_clock_ms(&q->clock);
}

void queue_id(struct queue *q, char id_r[QUEUE_ID_MAX])
{
	queue_number_text(queue_number_next(&q->numbers, queue_clock_ms(&q->clock)), id_r, QUEUE_ID_MAX);
}

void queue_commit(struct queue *q, const struct queue_tx *tx, queue_done *done, void *ctx)
{
	struct queue_item *it = queue_item_new(tx, done, ctx);

	if (tx->expected)
		queue_writer_expect(q->writer, -1);
	for (size_t i = 0; i < tx->nmsgs; i++)
		queue_sent_note(&q->sent, &tx->msgs[i], it->numbers[i]);
	queue_writer_add(q->writer, it);
	write_run(q, false);
}

void queue_expect(struct queue *q)
{
	queue_writer_expect(q->writer, 1);
}

void queue_expect_none(struct queue *q)
{
	queue_writer_expect(q->writer, -1);
}

bool queue_cancel(atomic_int *cancel)
{
	int open = QUEUE_ITEM_OPEN;

	return atomic_compare_exchange_strong(cancel, &open, QUEUE_ITEM_CANCELLED) || open == QUEUE_ITEM_CANCELLED;
}

uint64_t queue_commits(const struct queue *q)
{
	return queue_writer_commits(q->writer);
}

long queue_purge(struct queue *q, struct problem *pr)
{
	return queue_writer_purge(q->writer, pr);
}

int queue_was_sealed(struct queue *q, const char *const *ids, size_t n)
{
	return queue_reader_was_sealed(
	    &q->reader, ids, n, queue_clock_ms(&q->clock) - q->set.sealed_ids_days * DAY_MS);
}

struct spool *queue_content(struct queue *q, int64_t msg, const uint8_t key[SPOOL_KEY], struct problem *pr)
{
	return queue_reader_content(&q->reader, q->spool_fd, msg, key, pr);
}

int64_t queue_next_try(const struct queue *q, int attempts, int64_t now_ms)
{
	uint16_t jitter = UINT16_MAX;

	/* without random numbers the wait is the longest; that is right too */
	if (getrandom(&jitter, sizeof jitter, GRND_NONBLOCK) != sizeof jitter)
		jitter = UINT16_MAX;
	return queue_schedule_next(&q->set, attempts, now_ms, jitter);
}

bool queue_delayed(const struct queue *q, int64_t arrived_ms, int64_t now_ms)
{
	return queue_schedule_delayed(&q->set, arrived_ms, now_ms);
}

bool queue_expired(const struct queue *q, int64_t arrived_ms, int64_t now_ms)
{
	return queue_schedule_expired(&q->set, arrived_ms, now_ms);
}

static int64_t not_below_zero(int64_t n)
{
	return n > 0 ? n : 0;
}

bool queue_trouble(struct queue *q, struct problem *pr)
{
	return queue_writer_in_trouble(q->writer, pr);
}

/* A look through the whole index of what is queued: in a large queue not each time that somebody asks for the counts.
 */
static int64_t oldest_queued(struct queue *q)
{
	int64_t now = loop_now_ms();

	pthread_mutex_lock(&q->due.lock);

	bool large = q->due.tally[QUEUE_QUEUED] > LARGE_QUEUE;

	pthread_mutex_unlock(&q->due.lock);
	if (!large || q->oldest_read == 0 || now - q->oldest_read > OLDEST_KEPT_MS) {
		q->oldest = queue_reader_oldest(&q->reader);
		q->oldest_read = now;
	}
	return q->oldest;
}

int queue_counts(struct queue *q, struct queue_counts *c_r)
{
	int64_t oldest = oldest_queued(q);

	pthread_mutex_lock(&q->due.lock);
	c_r->active = (int64_t)q->due.active.n;
	c_r->queued = not_below_zero(q->due.tally[QUEUE_QUEUED] - c_r->active);
	c_r->held = q->due.tally[QUEUE_HELD];
	c_r->done = q->due.tally[QUEUE_DONE];
	pthread_mutex_unlock(&q->due.lock);
	c_r->oldest_queued = not_below_zero(oldest);
	return oldest < 0 ? -1 : 0;
}
