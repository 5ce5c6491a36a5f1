/*
 * The admin's hand on the queue: hold, release, retry, delete. Asked on the loop's thread, done in the writer's, in a
 * transaction. The relay does not wait for it (queue_admin_begin): another process may have the database locked for
 * as long as it likes. A recipient in delivery is left alone: it may be delivered at this very moment, and
 * "deleted" would be a second outcome. The others are put into the active set for the time of the change, so that no
 * claim takes them in between.
 */
#include "gateway/queue/queue_admin.h"

#include <stdlib.h>
#include <strings.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_parts.h"
#include "gateway/queue/queue_store.h"

struct verb {
	const char *name;
	const char *reason; /* when none is given; NULL keeps what stands there */
	unsigned from;	    /* states it applies to, as bits */
	enum queue_state to;
	enum queue_outcome outcome;
	enum queue_store_try mark;
};

static const struct verb verbs[] = {
    [QUEUE_VERB_HOLD] = {"hold", "held by the admin", 1u << QUEUE_QUEUED | 1u << QUEUE_HELD, QUEUE_HELD, QUEUE_NONE,
	QUEUE_STORE_HOLD},
    [QUEUE_VERB_RELEASE] = {"release", "released by the admin", 1u << QUEUE_HELD, QUEUE_QUEUED, QUEUE_NONE,
	QUEUE_STORE_RELEASE},
    [QUEUE_VERB_RETRY] = {"retry", NULL, 1u << QUEUE_QUEUED | 1u << QUEUE_HELD, QUEUE_QUEUED, QUEUE_NONE,
	QUEUE_STORE_RETRY},
    [QUEUE_VERB_DELETE] = {"delete", "deleted by the admin", 1u << QUEUE_QUEUED | 1u << QUEUE_HELD, QUEUE_DONE,
	QUEUE_DELETED, QUEUE_STORE_UNTRIED},
};

struct request {
	const struct verb *verb;
	const char *id, *address, *reason;
	int64_t number;
	long changed, busy, rcpts, named;
};

/* Judged again now; what waits for the admin is not. */
static int judge_again(struct request *r, struct queue_batch *b, int64_t row)
{
	int rc = queue_held_store_due(&b->store->held, row, b->now);

	if (rc == SQLITE_OK && sqlite3_changes(b->db) == 1)
		r->changed++;
	queue_batch_add(&b->ended, row);
	return rc;
}

/* One recipient; it is in the active set when this says begun. */
static int change(struct request *r, struct queue_batch *b, int64_t row, int state)
{
	struct queue_settle t = {
	    .rcpt = row,
	    .state = r->verb->to,
	    .outcome = r->verb->outcome,
	    .next_at = b->now,
	    .reason = r->reason ? r->reason : r->verb->reason,
	};

	if (!(r->verb->from & 1u << state))
		return SQLITE_OK;
	if (queue_batch_begin(b, row)) {
		r->busy++;
		return SQLITE_OK;
	}
	if (state == QUEUE_HELD && r->verb->to == QUEUE_QUEUED && r->verb->mark == QUEUE_STORE_RETRY)
		return judge_again(r, b, row);
	if (state == QUEUE_HELD && r->verb->to == QUEUE_HELD)
		t.reason = NULL; /* why the gateway holds it stays */
	r->changed++;
	return queue_store_settle(b->store, b, &t, state, r->verb->mark);
}

static bool is_meant(struct request *r, const char *address)
{
	r->rcpts++;
	if (r->address && strcasecmp(r->address, address) != 0)
		return false;
	r->named++;
	return true;
}

/* Row by row with a look-up for each, so that no statement is open on the table that is changed. */
static int change_all(struct request *r, struct queue_batch *b, sqlite3_stmt *next)
{
	int64_t end = queue_number_row(r->number + 1, 0);
	int rc = SQLITE_OK;

	for (int64_t row = queue_number_row(r->number, 0); rc == SQLITE_OK; row++) {
		sqlite3_bind_int64(next, 1, row);
		sqlite3_bind_int64(next, 2, end);
		rc = sqlite3_step(next);
		if (rc != SQLITE_ROW) {
			sqlite3_reset(next);
			return rc == SQLITE_DONE ? SQLITE_OK : rc;
		}
		row = sqlite3_column_int64(next, 0);

		int state = sqlite3_column_int(next, 1);
		bool meant = is_meant(r, queue_db_column(next, 2));

		sqlite3_reset(next);
		rc = meant ? change(r, b, row, state) : SQLITE_OK;
	}
	return rc;
}

static int run(struct queue_call *c, struct queue_batch *b)
{
	struct request *r = c->ctx;
	sqlite3_stmt *next = queue_db_prepare(
	    b->db, "SELECT id, state, address FROM rcpt NOT INDEXED WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1");

	r->changed = r->busy = r->rcpts = r->named = 0;

	int rc = change_all(r, b, next);

	sqlite3_finalize(next);
	return rc;
}

static long answer(const struct request *r, struct problem *pr)
{
	if (r->rcpts == 0)
		return problem_perm(pr, "there is no message %s in the queue", r->id);
	if (r->named == 0)
		return problem_perm(pr, "message %s has no recipient %s", r->id, r->address);
	if (r->changed == 0 && r->busy > 0)
		return problem_temp(pr, "message %s is being delivered at this moment; try again in a minute", r->id);
	return r->changed;
}

static int parse_id(struct request *r, struct problem *pr)
{
	return queue_number_parse(r->id, &r->number) == 0
		   ? 0
		   : problem_perm(pr,
			 "\"%s\" is not the id of a message (ten digits and capital letters, as `queue list` shows "
			 "them)",
			 r->id);
}

static void log_done(const struct request *r)
{
	log_info(r->id, "queue", "admin verb=%s recipients=%ld busy=%ld reason=\"%s\"", r->verb->name, r->changed,
	    r->busy, r->reason ? r->reason : "");
}

long queue_admin(struct queue *q, enum queue_verb verb, const char *id, const char *address, const char *reason,
    struct problem *pr)
{
	struct request r = {
	    .id = id, .address = address && *address ? address : NULL, .reason = reason && *reason ? reason : NULL};
	struct queue_call c = {.run = run, .ctx = &r};

	REQUIRE((size_t)verb < sizeof verbs / sizeof verbs[0]);
	r.verb = &verbs[verb];
	if (parse_id(&r, pr))
		return -1;
	if (queue_writer_call(q->writer, &c)) {
		if (pr)
			*pr = c.pr;
		return -1;
	}
	log_done(&r);
	return answer(&r, pr);
}

/* ---- without waiting ---- */

/* Belongs to the writer's item until its done. */
struct asked {
	struct request r;
	struct queue_call call;
	atomic_int cancel;
	struct loop_timer *timer;
	queue_admin_done *done; /* NULL: it was told already */
	void *ctx;
	int64_t patience;
	char *id, *address, *reason;
};

static void asked_free(struct asked *a)
{
	loop_timer_free(a->timer);
	free(a->id);
	free(a->address);
	free(a->reason);
	free(a);
}

static void on_done(void *ctx, int err, const int64_t *rows, size_t n, const struct problem *pr)
{
	struct asked *a = ctx;
	struct problem p = {0};
	long changed = -1;

	(void)rows;
	(void)n;
	(void)pr;
	if (err) {
		p = a->call.pr;
	} else {
		log_done(&a->r);
		changed = answer(&a->r, &p);
	}
	if (a->done)
		a->done(a->ctx, changed, &p);
	asked_free(a);
}

/* Has the writer not begun, it never will; else its commit is waited for. */
static void on_patience(void *ctx)
{
	struct asked *a = ctx;
	struct problem pr;

	if (!a->done || !queue_cancel(&a->cancel))
		return;
	problem_temp(&pr,
	    "nothing was changed: within %lld s the queue database could not be written, because the disk hangs or "
	    "another "
	    "process (a backup, an sqlite3 shell) keeps it locked; end that, then try again",
	    (long long)(a->patience / 1000));
	a->done(a->ctx, -1, &pr);
	a->done = NULL;
}

void queue_admin_begin(struct queue *q, enum queue_verb verb, const char *id, const char *address, const char *reason,
    int64_t patience_ms, queue_admin_done *done, void *ctx)
{
	struct asked *a = mem_new(sizeof *a);
	struct problem pr = {0};
	struct queue_item *it;

	REQUIRE((size_t)verb < sizeof verbs / sizeof verbs[0]);
	a->id = mem_str(id);
	a->address = address && *address ? mem_str(address) : NULL;
	a->reason = reason && *reason ? mem_str(reason) : NULL;
	a->r = (struct request){.verb = &verbs[verb], .id = a->id, .address = a->address, .reason = a->reason};
	a->call = (struct queue_call){.run = run, .ctx = &a->r};
	a->done = done;
	a->ctx = ctx;
	a->patience = patience_ms;
	if (parse_id(&a->r, &pr)) {
		done(ctx, -1, &pr);
		asked_free(a);
		return;
	}
	a->timer = loop_timer_new(q->loop, on_patience, a);
	loop_timer_set(a->timer, patience_ms);
	it = mem_new(sizeof *it);
	it->call = &a->call;
	it->tx.cancel = &a->cancel;
	it->done = on_done;
	it->ctx = a;
	queue_writer_add(q->writer, it);
}
