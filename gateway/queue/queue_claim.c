/*
 * Claims. relay, loop's thread. A claim costs a few reads and no commit: the rows go into the active set, and a crash
 * empties it. The next hops' table says where to look; in the index (nexthop, next_at) of what is queued, the first
 * rows of a hop are those in delivery already, at most active-max, and then those to be claimed. The whole claim runs
 * under the lock of queue_due.h, which says why.
 */
#include "gateway/queue/queue_claim.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_parts.h"

struct claim {
	struct queue *q;
	struct queue_job **jobs;
	size_t n, max;
	int64_t now;
};

void queue_job_free(struct queue_job *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->nrcpts; i++) {
		free(j->rcpts[i].address);
		free(j->rcpts[i].treatment);
	}
	free(j->rcpts);
	free(j->sender);
	free(j->trace);
	free(j->facts);
	free(j->message_id);
	free(j->nexthop);
	mem_free_secret(j, sizeof *j);
}

static char *column(sqlite3_stmt *st, int i)
{
	return mem_str(queue_db_column(st, i));
}

/* The envelope. NULL when it cannot be read. */
static struct queue_job *read_msg(struct queue_reader *r, int64_t number, const char *nexthop)
{
	struct queue_job *j = NULL;

	sqlite3_bind_int64(r->msg, 1, number);

	int rc = sqlite3_step(r->msg);
	size_t wrapped = rc == SQLITE_ROW ? (size_t)sqlite3_column_bytes(r->msg, 6) : 0;

	if (rc == SQLITE_ROW && wrapped <= sizeof j->wrapped) {
		j = mem_new(sizeof *j);
		j->msg = number;
		queue_number_text(number, j->id, sizeof j->id);
		j->arrived = queue_number_time(number);
		j->kind = (enum queue_kind)sqlite3_column_int(r->msg, 0);
		j->size = (uint64_t)sqlite3_column_int64(r->msg, 1);
		j->sender = column(r->msg, 2);
		j->trace = column(r->msg, 3);
		j->facts = column(r->msg, 4);
		j->message_id = column(r->msg, 5);
		j->wrapped_len = wrapped;
		if (wrapped)
			memcpy(j->wrapped, sqlite3_column_blob(r->msg, 6), wrapped);
		j->nexthop = mem_str(nexthop);
	}
	sqlite3_reset(r->msg);
	return j;
}

static void add_rcpt(struct queue_job *j, sqlite3_stmt *st)
{
	if ((j->nrcpts & (j->nrcpts - 1)) == 0)
		j->rcpts = mem_resize(j->rcpts, (j->nrcpts ? j->nrcpts * 2 : 1) * sizeof *j->rcpts);

	size_t i = j->nrcpts++;

	j->rcpts[i].row = sqlite3_column_int64(st, 0);
	j->rcpts[i].address = column(st, 1);
	j->rcpts[i].attempts = sqlite3_column_int(st, 2);
	j->rcpts[i].treatment = column(st, 3);
	j->rcpts[i].warned = sqlite3_column_int(st, 4) != 0;
	/* only when all were: one released does not let another pass its own hold */
	j->released = (i == 0 || j->released) && sqlite3_column_int(st, 5) == 1;
}

/* All recipients of the message in this state for this next hop that are due and not in delivery. */
static void read_rcpts(struct claim *c, struct queue_job *j, enum queue_state state, int64_t until)
{
	struct queue_reader *r = &c->q->reader;

	sqlite3_bind_int64(r->rcpts, 1, queue_number_row(j->msg, 0));
	sqlite3_bind_int64(r->rcpts, 2, queue_number_row(j->msg + 1, 0));
	sqlite3_bind_int(r->rcpts, 3, (int)state);
	queue_db_text(r->rcpts, 4, j->nexthop);
	sqlite3_bind_int64(r->rcpts, 5, until);
	while (sqlite3_step(r->rcpts) == SQLITE_ROW)
		if (queue_active_add(&c->q->due.active, sqlite3_column_int64(r->rcpts, 0)))
			add_rcpt(j, r->rcpts);
	sqlite3_reset(r->rcpts);
}

static void take(struct claim *c, int64_t row, const char *nexthop, enum queue_state state, int64_t until)
{
	struct queue_job *j = read_msg(&c->q->reader, queue_number_msg(row), nexthop);

	if (j)
		read_rcpts(c, j, state, until);
	if (j && j->nrcpts) {
		c->jobs[c->n++] = j;
		return;
	}
	/* set aside until the next start rather than met again at every claim */
	log_error(NULL, "queue", "unreadable row=%lld error=\"%s\"", (long long)row, sqlite3_errmsg(c->q->reader.db));
	queue_active_add(&c->q->due.active, row);
	queue_job_free(j);
}

static bool is_full(const struct claim *c)
{
	return c->n >= c->max || (int64_t)c->q->due.active.n >= c->q->set.active_max;
}

/* Claims at one next hop what is due at `until`, and corrects the hop's time. */
static void claim_hop(struct claim *c, size_t hop, int64_t until)
{
	sqlite3_stmt *st = c->q->reader.due;
	int64_t next = INT64_MAX;
	int rc;

	queue_db_text(st, 1, c->q->due.hops.v[hop].name);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t row = sqlite3_column_int64(st, 0), at = sqlite3_column_int64(st, 1);

		if (queue_active_has(&c->q->due.active, row))
			continue;
		if (at > until || is_full(c)) {
			next = at;
			break;
		}
		take(c, row, c->q->due.hops.v[hop].name, QUEUE_QUEUED, c->now);
	}
	sqlite3_reset(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		log_error(NULL, "queue", "claim error=\"%s\"", sqlite3_errmsg(c->q->reader.db));
		next = c->now + c->q->set.retry_min;
	}
	queue_hops_set(&c->q->due.hops, hop, next);
}

static void claim_all(struct claim *c)
{
	long hop;
	int64_t until;

	while (!is_full(c) && (hop = queue_hops_first(&c->q->due.hops, c->now, &until)) >= 0)
		claim_hop(c, (size_t)hop, until);
}

static void lock_both(struct queue *q)
{
	pthread_mutex_lock(&q->reader.lock);
	pthread_mutex_lock(&q->due.lock);
	queue_db_exec(
	    q->reader.db, "BEGIN"); /* one look for all statements; without it they would only take longer */
}

static void unlock_both(struct queue *q)
{
	queue_db_exec(q->reader.db, "COMMIT");
	pthread_mutex_unlock(&q->due.lock);
	pthread_mutex_unlock(&q->reader.lock);
}

size_t queue_claim(struct queue *q, size_t max, const char *const *skip, size_t nskip, struct queue_job **jobs_r,
    int64_t *next_due_r)
{
	struct claim c = {.q = q, .jobs = jobs_r, .max = max, .now = queue_clock_ms(&q->clock)};

	queue_writer_start(q->writer);
	lock_both(q);
	queue_hops_skip(&q->due.hops, skip, nskip);
	claim_all(&c);
	*next_due_r = queue_hops_next(&q->due.hops, c.now);
	unlock_both(q);
	return c.n;
}

size_t queue_claim_stale(struct queue *q, size_t max, struct queue_job **jobs_r)
{
	struct claim c = {.q = q, .jobs = jobs_r, .max = max, .now = queue_clock_ms(&q->clock)};
	int64_t until = c.now - q->set.hold_expire;

	lock_both(q);
	sqlite3_bind_int64(q->reader.held, 1, until);
	while (!is_full(&c) && sqlite3_step(q->reader.held) == SQLITE_ROW) {
		int64_t row = sqlite3_column_int64(q->reader.held, 0);

		if (!queue_active_has(&q->due.active, row))
			take(&c, row, queue_db_column(q->reader.held, 1), QUEUE_HELD, until);
	}
	sqlite3_reset(q->reader.held);
	unlock_both(q);
	return c.n;
}
