/*
 * The admin's hand on the queue: hold, release, retry, delete. Asked on the loop's thread, which waits; done in the
 * writer's, in a transaction. A recipient in delivery is left alone: it may be delivered at this very moment, and
 * "deleted" would be a second outcome. The others are put into the active set for the time of the change, so that no
 * claim takes them in between.
 */
#include "gateway/queue/queue_admin.h"

#include <strings.h>

#include "gateway/base/log.h"
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
    [QUEUE_VERB_HOLD] = {"hold", "held by the admin", 1u << QUEUE_QUEUED, QUEUE_HELD, QUEUE_NONE, QUEUE_STORE_HOLD},
    [QUEUE_VERB_RELEASE] = {"release", "released by the admin", 1u << QUEUE_HELD, QUEUE_QUEUED, QUEUE_NONE,
	QUEUE_STORE_RELEASE},
    [QUEUE_VERB_RETRY] = {"retry", NULL, 1u << QUEUE_QUEUED, QUEUE_QUEUED, QUEUE_NONE, QUEUE_STORE_RETRY},
    [QUEUE_VERB_DELETE] = {"delete", "deleted by the admin", 1u << QUEUE_QUEUED | 1u << QUEUE_HELD, QUEUE_DONE,
	QUEUE_DELETED, QUEUE_STORE_UNTRIED},
};

struct request {
	const struct verb *verb;
	const char *id, *address, *reason;
	int64_t number;
	long changed, busy, rcpts, named;
};

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

long queue_admin(struct queue *q, enum queue_verb verb, const char *id, const char *address, const char *reason,
    struct problem *pr)
{
	struct request r = {
	    .id = id, .address = address && *address ? address : NULL, .reason = reason && *reason ? reason : NULL};
	struct queue_call c = {.run = run, .ctx = &r};

	REQUIRE((size_t)verb < sizeof verbs / sizeof verbs[0]);
	r.verb = &verbs[verb];
	if (queue_number_parse(id, &r.number))
		return problem_perm(pr,
		    "\"%s\" is not the id of a message (ten digits and capital letters, as `queue list` shows them)",
		    id);
	if (queue_writer_call(q->writer, &c)) {
		if (pr)
			*pr = c.pr;
		return -1;
	}
	log_info(id, "queue", "admin verb=%s recipients=%ld busy=%ld reason=\"%s\"", r.verb->name, r.changed, r.busy,
	    r.reason ? r.reason : "");
	return answer(&r, pr);
}
