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
#include "gateway/queue/queue_store.h"

enum { PROBE_WAIT_MS = 5 * 60 * 1000 }; /* a probe that is not heard of for so long is no longer waited for */

struct claim {
	struct queue *q;
	struct queue_job **jobs;
	size_t n, max, probes, strangers;
	int64_t now;
};

void queue_job_free(struct queue_job *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->nrcpts; i++) {
		free(j->rcpts[i].address);
		free(j->rcpts[i].treatment);
		free(j->rcpts[i].orcpt);
	}
	free(j->rcpts);
	free(j->sender);
	free(j->trace);
	free(j->facts);
	free(j->message_id);
	free(j->envid);
	free(j->nexthop);
	mem_free_secret(j, sizeof *j);
}

static char *column(sqlite3_stmt *st, int i)
{
	return mem_str(queue_db_column(st, i));
}

static struct envelope read_env(sqlite3_stmt *st, const char *envid)
{
	int flags = sqlite3_column_int(st, 7), ret = sqlite3_column_int(st, 8);

	return (struct envelope){
	    .body8 = flags & QUEUE_STORE_BODY8,
	    .utf8 = flags & QUEUE_STORE_UTF8,
	    .requiretls = flags & QUEUE_STORE_REQUIRETLS,
	    .tls_no = flags & QUEUE_STORE_TLS_NO,
	    .ret = ret >= ENVELOPE_RET_NONE && ret <= ENVELOPE_RET_FULL ? (enum envelope_ret)ret : ENVELOPE_RET_NONE,
	    .envid = envid,
	};
}

/* The envelope; NULL when it is gone (SQLITE_DONE), damaged (SQLITE_ROW), or cannot be read. */
static int read_msg(struct queue_reader *r, int64_t number, const char *nexthop, struct queue_job **j_r)
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
		j->envid = column(r->msg, 9);
		j->env = read_env(r->msg, j->envid);
		j->wrapped_len = wrapped;
		if (wrapped)
			memcpy(j->wrapped, sqlite3_column_blob(r->msg, 6), wrapped);
		j->nexthop = mem_str(nexthop);
	}
	sqlite3_reset(r->msg);
	*j_r = j;
	return rc;
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
	j->rcpts[i].orcpt = column(st, 7);
	j->rcpts[i].env = (struct envelope_rcpt){(unsigned)sqlite3_column_int(st, 6), j->rcpts[i].orcpt};
	j->rcpts[i].warned = sqlite3_column_int(st, 4) != 0;
	/* only when all were: one released does not let another pass its own hold */
	j->released = (i == 0 || j->released) && sqlite3_column_int(st, 5) == 1;
}

/* All recipients of the message for this next hop that wait for the same. */
static void read_held(struct claim *c, struct queue_job *j, const struct queue_held_row *w, int64_t until)
{
	sqlite3_stmt *st = c->q->held.rcpts;

	j->held = true;
	j->waits = w->waits;
	sqlite3_bind_int64(st, 1, queue_number_row(j->msg, 0));
	sqlite3_bind_int64(st, 2, queue_number_row(j->msg + 1, 0));
	queue_db_text(st, 3, j->nexthop);
	sqlite3_bind_int(st, 4, (int)w->waits);
	queue_db_text(st, 5, w->waits_for);
	sqlite3_bind_int64(st, 6, until);
	while (sqlite3_step(st) == SQLITE_ROW) {
		if (!queue_active_add(&c->q->due.active, sqlite3_column_int64(st, 0)))
			continue;
		add_rcpt(j, st);
		if (sqlite3_column_int(st, 8) > j->tries)
			j->tries = sqlite3_column_int(st, 8);
	}
	sqlite3_reset(st);
}

/* All recipients of the message for this next hop that are due and not in delivery. */
static void read_rcpts(struct claim *c, struct queue_job *j)
{
	struct queue_reader *r = &c->q->reader;

	sqlite3_bind_int64(r->rcpts, 1, queue_number_row(j->msg, 0));
	sqlite3_bind_int64(r->rcpts, 2, queue_number_row(j->msg + 1, 0));
	sqlite3_bind_int(r->rcpts, 3, QUEUE_QUEUED);
	queue_db_text(r->rcpts, 4, j->nexthop);
	sqlite3_bind_int64(r->rcpts, 5, c->now);
	while (sqlite3_step(r->rcpts) == SQLITE_ROW)
		if (queue_active_add(&c->q->due.active, sqlite3_column_int64(r->rcpts, 0)))
			add_rcpt(j, r->rcpts);
	sqlite3_reset(r->rcpts);
}

/* ---- what cannot be claimed ---- */

/* A hold that is under way. */
struct unreadable {
	struct queue *q;
	int64_t row;
	char *nexthop;
};

static void give_back_row(struct queue *q, int64_t row, const char *nexthop, int64_t at)
{
	pthread_mutex_lock(&q->due.lock);
	queue_active_remove(&q->due.active, row);
	if (at > 0) {
		queue_hops_lower(&q->due.hops, nexthop, 0); /* it is due; the putting off alone keeps it */
		queue_hops_put_off(&q->due.hops, nexthop, at, false);
	}
	pthread_mutex_unlock(&q->due.lock);
}

static void held(void *ctx, int err, const int64_t *rows, size_t n, const struct problem *pr)
{
	struct unreadable *u = ctx;

	(void)rows;
	(void)n;
	if (err) {
		log_error(NULL, "queue", "unreadable row=%lld not-held=\"%s\"", (long long)u->row, pr->text);
		give_back_row(u->q, u->row, u->nexthop, queue_clock_ms(&u->q->clock) + u->q->set.retry_min);
	}
	free(u->nexthop);
	free(u);
}

/* The envelope of a row is gone or damaged: a person must look. The row is in the active set. */
static void hold(struct queue *q, int64_t row, const char *nexthop)
{
	struct unreadable *u = mem_new(sizeof *u);
	struct queue_settle t = {.rcpt = row,
	    .state = QUEUE_HELD,
	    .reason = "the message's envelope in the queue database is gone or damaged: see `postern queue check`",
	    .status = "5.3.0"};
	struct queue_tx tx = {.settles = &t, .nsettles = 1};

	*u = (struct unreadable){.q = q, .row = row, .nexthop = mem_str(nexthop)};
	queue_writer_add(q->writer, queue_item_new(&tx, held, u));
}

void queue_give_back(struct queue *q, const struct queue_job *j, int64_t at)
{
	for (size_t i = 0; i < j->nrcpts; i++)
		give_back_row(q, j->rcpts[i].row, j->nexthop, at);
}

/* ---- claiming ---- */

/* Takes the message of a row; held: of one that is held, since `until` or longer. -1: the database cannot be read
 * now, nothing was taken. */
static int take(
    struct claim *c, int64_t row, const char *nexthop, const struct queue_held_row *held_row, int64_t until)
{
	struct queue_job *j;
	int rc = read_msg(&c->q->reader, queue_number_msg(row), nexthop, &j);

	if (j && held_row)
		read_held(c, j, held_row, until);
	else if (j)
		read_rcpts(c, j);
	if (j && j->nrcpts) {
		c->jobs[c->n++] = j;
		return 0;
	}
	queue_job_free(j);
	log_error(NULL, "queue", "unreadable row=%lld error=\"%s\"", (long long)row,
	    rc == SQLITE_DONE || rc == SQLITE_ROW ? "its envelope is gone or damaged" : sqlite3_errstr(rc));
	if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
		queue_writer_reader_failed(c->q->writer, rc);
		return -1;
	}
	if ((!held_row || held_row->again_at > 0) && queue_active_add(&c->q->due.active, row))
		hold(c->q, row, nexthop);
	return 0;
}

static bool is_full(const struct claim *c)
{
	return c->n >= c->max || (int64_t)c->q->due.active.n >= c->q->set.active_max;
}

static bool goes_freely(const struct claim *c, const struct queue_hop *hop)
{
	enum queue_hops_kind kind = queue_hops_kind(hop);

	return kind == QUEUE_HOPS_PROVEN || (kind == QUEUE_HOPS_STRANGER && c->strangers == SIZE_MAX);
}

/*
 * At a hop that is not proven one recipient tries for all, and the others wait untried. But who is old enough to be
 * given up, or to have its sender warned, is claimed by its own schedule, so that no notice comes late.
 */
static bool waits_for_probe(const struct claim *c, const struct queue_hop *hop, int64_t row, size_t taken)
{
	const struct queue_settings *set = &c->q->set;
	int64_t age = c->now - queue_number_time(queue_number_msg(row));

	if (taken == 0 || goes_freely(c, hop))
		return false;
	return age < (set->delay_warning > 0 && set->delay_warning < set->expire ? set->delay_warning : set->expire);
}

/* Those claimed from `before` on try for all at a hop that is not proven: until it is known how that ends nothing
 * more goes there. */
static void note_probe(struct claim *c, struct queue_hop *hop, size_t before)
{
	enum queue_hops_kind kind = queue_hops_kind(hop);

	if (goes_freely(c, hop))
		return;
	for (size_t i = before; i < c->n; i++) {
		c->jobs[i]->probe = kind == QUEUE_HOPS_SUSPECT;
		c->jobs[i]->stranger = kind == QUEUE_HOPS_STRANGER;
	}
	queue_hops_put_off(&c->q->due.hops, hop->name, c->now + PROBE_WAIT_MS, kind == QUEUE_HOPS_SUSPECT);
	c->probes -= kind == QUEUE_HOPS_SUSPECT && c->probes > 0;
	c->strangers -= kind == QUEUE_HOPS_STRANGER && c->strangers > 0;
}

/* Claims at one next hop what is due at `until`, and corrects the hop's time. */
static void claim_hop(struct claim *c, struct queue_hop *hop, int64_t until)
{
	sqlite3_stmt *st = c->q->reader.due;
	int64_t next = INT64_MAX;
	size_t before = c->n;
	int rc, err = 0;

	queue_db_text(st, 1, hop->name);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int64_t row = sqlite3_column_int64(st, 0), at = sqlite3_column_int64(st, 1);

		if (queue_active_has(&c->q->due.active, row))
			continue;
		if (at > until || is_full(c)) {
			next = at < next ? at : next;
			break;
		}
		if (waits_for_probe(c, hop, row, c->n - before)) {
			next = at < next ? at : next;
			continue;
		}
		err = take(c, row, hop->name, NULL, c->now);
		if (err)
			break;
	}
	sqlite3_reset(st);
	if (err || (rc != SQLITE_ROW && rc != SQLITE_DONE)) {
		if (!err)
			queue_writer_reader_failed(c->q->writer, rc);
		queue_hops_put_off(&c->q->due.hops, hop->name, c->now + c->q->set.retry_min, false);
		next = c->now;
	} else if (c->n > before) {
		note_probe(c, hop, before);
	}
	queue_hops_set(&c->q->due.hops, hop, next);
}

static unsigned kinds(const struct claim *c)
{
	return 1u << QUEUE_HOPS_PROVEN | (c->probes > 0) << QUEUE_HOPS_SUSPECT |
	       (c->strangers > 0) << QUEUE_HOPS_STRANGER;
}

static void claim_all(struct claim *c)
{
	struct queue_hop *hop;
	int64_t until;

	while (!is_full(c) && (hop = queue_hops_first(&c->q->due.hops, c->now, kinds(c), &until)))
		claim_hop(c, hop, until);
}

static void lock_both(struct queue *q)
{
	pthread_mutex_lock(&q->reader.lock);
	pthread_mutex_lock(&q->due.lock);
	/* one look for all statements; an older one that was never ended would show rows that were settled since */
	REQUIRE(sqlite3_get_autocommit(q->reader.db));
	queue_db_exec(q->reader.db, "BEGIN");
}

static void unlock_both(struct queue *q)
{
	if (queue_db_exec(q->reader.db, "COMMIT") != SQLITE_OK && !sqlite3_get_autocommit(q->reader.db))
		log_fatal("queue database: a look at it cannot be ended: %s", sqlite3_errmsg(q->reader.db));
	pthread_mutex_unlock(&q->due.lock);
	pthread_mutex_unlock(&q->reader.lock);
}

size_t queue_claim_with(
    struct queue *q, const struct queue_claim_limits *l, struct queue_job **jobs_r, int64_t *next_due_r)
{
	struct claim c = {.q = q,
	    .jobs = jobs_r,
	    .max = l->max,
	    .probes = l->probes,
	    .strangers = l->strangers,
	    .now = queue_clock_ms(&q->clock)};

	*next_due_r = INT64_MAX;
	queue_writer_start(q->writer);
	if (queue_writer_in_trouble(q->writer, NULL)) /* what is delivered now could not be recorded */
		return 0;
	lock_both(q);
	queue_hops_park(&q->due.hops, l->skip, l->nskip);
	claim_all(&c);
	*next_due_r = queue_hops_next(&q->due.hops, c.now, kinds(&c));
	queue_hops_unpark(&q->due.hops);
	unlock_both(q);
	return c.n;
}

size_t queue_claim(struct queue *q, size_t max, const char *const *skip, size_t nskip, struct queue_job **jobs_r,
    int64_t *next_due_r)
{
	struct queue_claim_limits l = {
	    .max = max, .probes = max, .strangers = SIZE_MAX, .skip = skip, .nskip = nskip};

	return queue_claim_with(q, &l, jobs_r, next_due_r);
}

void queue_hop_failed(struct queue *q, const char *nexthop, int64_t until)
{
	pthread_mutex_lock(&q->due.lock);
	queue_hops_put_off(&q->due.hops, nexthop, until, true);
	pthread_mutex_unlock(&q->due.lock);
}

void queue_hop_again(struct queue *q, const char *nexthop)
{
	pthread_mutex_lock(&q->due.lock);
	queue_hops_again(&q->due.hops, nexthop);
	pthread_mutex_unlock(&q->due.lock);
}

void queue_hop_works(struct queue *q, const char *nexthop)
{
	pthread_mutex_lock(&q->due.lock);
	queue_hops_works(&q->due.hops, nexthop);
	pthread_mutex_unlock(&q->due.lock);
}

/* ---- what is held ---- */

size_t queue_claim_stale(struct queue *q, size_t max, struct queue_job **jobs_r)
{
	struct claim c = {.q = q, .jobs = jobs_r, .max = max, .now = queue_clock_ms(&q->clock)};
	sqlite3_stmt *st = q->held.stale;
	int64_t until = c.now - q->set.hold_expire;

	if (queue_writer_in_trouble(q->writer, NULL))
		return 0;
	lock_both(q);
	sqlite3_bind_int64(st, 1, until);
	while (!is_full(&c) && sqlite3_step(st) == SQLITE_ROW) {
		struct queue_held_row w = queue_held_read(st);

		w.again_at = 0;
		if (!queue_active_has(&q->due.active, w.row) && take(&c, w.row, w.nexthop, &w, until))
			break;
	}
	sqlite3_reset(st);
	unlock_both(q);
	return c.n;
}

/* The clock's turn. Those in delivery are few and passed over. */
static int claim_due(struct claim *c, int64_t *next_due_r)
{
	sqlite3_stmt *st = c->q->held.again;
	int rc, err = 0;

	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct queue_held_row w = queue_held_read(st);

		if (w.again_at > c->now || is_full(c)) {
			*next_due_r = w.again_at;
			break;
		}
		if (!queue_active_has(&c->q->due.active, w.row))
			err = take(c, w.row, w.nexthop, &w, INT64_MAX);
	}
	sqlite3_reset(st);
	return err;
}

size_t queue_claim_again(struct queue *q, size_t max, struct queue_job **jobs_r, int64_t *next_due_r)
{
	struct claim c = {.q = q, .jobs = jobs_r, .max = max, .now = queue_clock_ms(&q->clock)};
	struct queue_held_row w;
	int rc, err;

	*next_due_r = INT64_MAX;
	queue_writer_start(q->writer);
	if (queue_writer_in_trouble(q->writer, NULL))
		return 0;
	lock_both(q);
	err = claim_due(&c, next_due_r);
	while (!err && !is_full(&c) && (rc = queue_held_next(&q->held, &q->due.active, &w)) == SQLITE_ROW) {
		w.again_at = 1; /* what cannot be read waits for the admin */
		err = take(&c, w.row, w.nexthop, &w, INT64_MAX);
	}
	sqlite3_reset(q->held.one);
	if (q->held.nwalks > 0)
		*next_due_r = c.now;
	unlock_both(q);
	return c.n;
}
