#include "gateway/proc/relay_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/store.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_facts.h"
#include "gateway/proc/relay_failures.h"
#include "gateway/proc/relay_held.h"
#include "gateway/proc/relay_inbound.h"
#include "gateway/proc/relay_jobs.h"
#include "gateway/proc/relay_outputs.h"
#include "gateway/proc/relay_trust.h"
#include "gateway/proc/relay_xsmg.h"

enum {
	CRASHES_MAX = 3,
	MEMORY_MAX = 4 * 1024 * 1024,
	SOON = 10, /* the first tries come soon after one another: a process of ours was restarted */
	SOON_MS = 2000,
	JUDGED_MAX = 125, /* waiting for the judge: the rest of the places is for mail that waits for nobody */
};

struct opening {
	struct relay *r;
	struct arena *a;
	char *id, *sender, *trace, *facts_text;
	int64_t arrived;
	bool released, held;
	int tries;	/* of a held one */
	uint64_t asked; /* relay_ask_trust_changes when the judgement began */
	char *author;	/* whose signers were asked about */
	struct relay_facts facts;
	struct spool *content;
	struct envelope env;
	struct job_rcpt *rcpts;
	struct envelope_rcpt *env_rcpts;
	int64_t *rows;
	int *attempts;
	size_t n;
	struct job_request rq;
	struct relay_dsn dsn;
	int crashes;
};

size_t relay_open_active(const struct relay *r)
{
	return r->opening;
}

static int64_t now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static void opening_free(struct opening *o)
{
	struct relay *r = o->r;

	if (o->held)
		relay_held_end(r->held);
	spool_free(o->content);
	arena_free(o->a);
	r->opening--;
	relay_deliver_kick(r->deliver);
}

static void hold_all(struct opening *o, const char *why, const struct queue_hold *h)
{
	struct relay_settle *s = relay_settle_new(o->r, o->id);

	for (size_t i = 0; i < o->n; i++) {
		relay_settle_hold(s, o->rows[i], &(struct relay_why){why, NULL, "5.7.0"}, h);
		log_warn(o->id, "relay", "held to=<%s> from=<%s> why=\"%s\"", o->rcpts[i].address, o->sender, why);
	}
	if (h->waits == QUEUE_WAITS_TRUST || h->waits == QUEUE_WAITS_KEY)
		relay_held_watch(s, o->asked, h->waits_for);
	relay_settle_commit(s);
	opening_free(o);
}

/* Danger, or nothing that could come: a person decides. */
static void hold_for_admin(struct opening *o, const char *why)
{
	hold_all(o, why, &(struct queue_hold){.waits = QUEUE_WAITS_ADMIN});
}

static void hold_as_judged(struct opening *o, const struct job_result *res)
{
	enum queue_waits waits = (enum queue_waits)res->waits;
	struct queue_hold h = {.waits = waits,
	    .waits_for = res->waits_for,
	    .again_at = queue_held_again(o->r->queue, waits, o->held ? o->tries + 1 : 0)};

	hold_all(o,
	    res->why[0]	      ? res->why
	    : res->pr.text[0] ? res->pr.text
			      : "the sealing process gave no reason",
	    &h);
}

/* What was held stays so, for the reason it was held for. */
static void hold_again(struct opening *o)
{
	struct queue_hold h = relay_held_same(o->r, o->tries);
	struct relay_settle *s = relay_settle_new(o->r, o->id);

	for (size_t i = 0; i < o->n; i++)
		relay_settle_hold(s, o->rows[i], &(struct relay_why){NULL, NULL, NULL}, &h);
	relay_settle_commit(s);
	opening_free(o);
}

static int64_t next_try(const struct opening *o, size_t i)
{
	if (o->attempts[i] < SOON)
		return now_ms() + SOON_MS;
	return queue_next_try(o->r->queue, o->attempts[i] - SOON + 1, now_ms());
}

/* Something of ours is away: the ciphertext waits. Past the queue's life it is held, never bounced outside. */
static void wait_all(struct opening *o, const struct problem *pr)
{
	struct relay_settle *s;

	log_info(o->id, "relay", "deferred opening=yes why=\"%s\"", pr->text);
	if (o->held) {
		hold_again(o);
		return;
	}
	if (queue_expired(o->r->queue, o->arrived, now_ms())) {
		hold_all(o, pr->text,
		    &(struct queue_hold){.waits = QUEUE_WAITS_SERVICE,
			.again_at = queue_held_again(o->r->queue, QUEUE_WAITS_SERVICE, 0)});
		return;
	}
	s = relay_settle_new(o->r, o->id);
	for (size_t i = 0; i < o->n; i++)
		relay_settle_retry(s, o->rows[i], next_try(o, i), pr->text, NULL, pr->enh);
	relay_settle_commit(s);
	opening_free(o);
}

/* The opened message is committed together with the end of the raw one: deliver it. */
static void opened(void *ctx, struct relay_settle *s, const int64_t *rows, size_t nrows)
{
	struct relay *r = ctx;
	size_t n;
	const struct queue_msg *m = relay_settle_messages(s, &n);

	(void)nrows;
	relay_outputs_deliver(r, m, n, rows);
}

static void done(struct opening *o, const struct job_result *res, struct spool *const *outs)
{
	struct relay_settle *s = relay_settle_new(o->r, o->id);
	struct relay_outputs_in in = {.kind = QUEUE_INBOUND,
	    .sender = o->sender,
	    .rcpts = o->rcpts,
	    .nrcpts = o->n,
	    .res = res,
	    .outs = outs,
	    .facts = o->facts_text,
	    .env = &o->env,
	    .env_rcpts = o->env_rcpts,
	    .dsn = &o->dsn};
	char id[QUEUE_ID_MAX] = "";
	struct problem pr = {0};

	if (relay_outputs_add(s, &in, id, &pr) != 0) {
		relay_settle_abandon(s);
		wait_all(o, &pr);
		return;
	}
	for (size_t i = 0; i < o->n; i++) {
		relay_settle_done(s, o->rows[i], QUEUE_OPENED, id, NULL, "2.0.0");
		log_info(o->id, "relay", "opened as=%s to=<%s> from=<%s> %s why=\"%s\"", id, o->rcpts[i].address,
		    o->sender, res->log, res->outputs[0].why);
	}
	relay_settle_judged(s, res->log);
	if (strcmp(res->outputs[0].treatment, "open") == 0)
		relay_settle_sealed(s, res->message_id);
	if (res->protected_in)
		relay_ask_seen(o->r->ask, res->from_domain);
	relay_xsmg_named(o->r, o->id, res, true);
	relay_settle_after(s, opened, o->r);
	relay_settle_commit(s);
	opening_free(o);
}

static void run(struct opening *o);

static void on_trust(void *ctx, const struct judge_trust *t, const struct problem *pr)
{
	struct opening *o = ctx;
	struct problem full = {0};

	o->r->opening_judged--;

	if (t == NULL) {
		wait_all(o, pr);
		return;
	}
	if (judge_trust_copy(o->a, t, &o->rq.trust) != 0) {
		problem_temp(&full, "the certificates that are known of the signers do not fit into memory");
		wait_all(o, &full);
		return;
	}
	o->rq.have_trust = true;
	o->rq.trust_from[0] = '\0';
	relay_trust_note(o->r->trust, o->rq.our_domain, o->author, t, o->asked, loop_now_ms());
	relay_trust_promise_note(o->r->trust, o->author, t, o->asked, loop_now_ms());
	run(o);
}

static void need_trust(struct opening *o, const struct job_result *res)
{
	struct problem full = {0};

	o->author = arena_str(o->a, res->signers.from);
	REQUIRE(o->author != NULL);
	o->rq.have_trust = false; /* what was remembered does not fit */
	if (o->r->opening_judged >= JUDGED_MAX) {
		problem_temp(&full, "too many messages wait to know whether their signers are to be believed");
		wait_all(o, &full);
		return;
	}
	o->r->opening_judged++;
	relay_ask_trust(o->r->ask, &res->signers, on_trust, o);
}

static void need_dsn(struct opening *o, const struct job_result *res)
{
	struct problem pr = {0};

	if (relay_dsn_match(o->r, o->a, o->facts.client, res->dsn, &o->rq, &o->dsn, &pr) != 0)
		wait_all(o, &pr);
	else
		run(o);
}

static void crashed(struct opening *o, const struct job_result *res)
{
	if (++o->crashes < CRASHES_MAX)
		run(o);
	else if (o->r->stopping)
		wait_all(o, &res->pr);
	else
		hold_for_admin(o, "the sealing process died over this message three times: keep a copy for the "
				  "maintainers, then release or delete it");
}

static void on_result(void *ctx, const struct job_result *res, struct spool *const *outs, bool died)
{
	struct opening *o = ctx;

	relay_xsmg_broken(o->r, o->id, res, o->facts.client);
	if (res->open_failed)
		relay_failures_count(o->r->failures, &o->facts, now_ms());
	if (died)
		crashed(o, res);
	else if (res->status == JOB_DONE)
		done(o, res, outs);
	else if (res->status == JOB_NEEDS_TRUST && (!o->rq.have_trust || o->rq.trust_from[0]))
		need_trust(o, res);
	else if (res->status == JOB_NEEDS_DSN && o->rq.dsn == JOB_DSN_UNASKED)
		need_dsn(o, res);
	else if (res->status == JOB_LATER)
		wait_all(o, &res->pr);
	else
		hold_as_judged(o, res);
}

static void run(struct opening *o)
{
	struct problem pr = {0};

	if (o->rq.nids == 0)
		o->asked = relay_ask_trust_changes(o->r->ask);
	if (relay_inbound_identities(o->r, o->a, &o->rq, &pr) != 0) {
		wait_all(o, &pr);
		return;
	}
	relay_jobs_run(o->r->jobs, &o->rq, o->content, RELAY_JOB_LATER, on_result, o);
}

static struct opening *copy_job(struct relay *r, const struct queue_job *j, struct spool *content)
{
	struct arena *a = arena_new(MEMORY_MAX);
	struct opening *o = arena_alloc(a, sizeof(*o));

	REQUIRE(o != NULL);
	o->r = r;
	o->a = a;
	o->content = spool_ref(content);
	o->id = arena_str(a, j->id);
	o->sender = arena_str(a, j->sender);
	o->trace = arena_str(a, j->trace);
	o->facts_text = arena_str(a, j->facts);
	o->arrived = j->arrived;
	o->released = j->released;
	o->held = j->held;
	o->tries = j->tries;
	o->n = j->nrcpts;
	o->rcpts = arena_alloc(a, (o->n + 1) * sizeof(*o->rcpts));
	o->env_rcpts = arena_alloc(a, (o->n + 1) * sizeof(*o->env_rcpts));
	o->rows = arena_alloc(a, (o->n + 1) * sizeof(*o->rows));
	o->attempts = arena_alloc(a, (o->n + 1) * sizeof(*o->attempts));
	o->env = j->env;
	o->env.envid = arena_str(a, j->envid);
	REQUIRE(o->id && o->sender && o->trace && o->facts_text && o->rcpts && o->env_rcpts && o->rows &&
		o->attempts && o->env.envid);
	for (size_t i = 0; i < o->n; i++) {
		o->rcpts[i].address = arena_str(a, j->rcpts[i].address);
		o->env_rcpts[i] = j->rcpts[i].env;
		o->env_rcpts[i].orcpt = arena_str(a, j->rcpts[i].orcpt);
		REQUIRE(o->rcpts[i].address != NULL && o->env_rcpts[i].orcpt != NULL);
		o->rows[i] = j->rcpts[i].row;
		o->attempts[i] = j->rcpts[i].attempts;
	}
	relay_facts_parse(j->facts, &o->facts);
	return o;
}

void relay_open_claimed(struct relay *r, const struct queue_job *j, struct spool *content)
{
	struct opening *o = copy_job(r, j, content);

	r->opening++;
	if (o->held)
		relay_held_begin(r->held);
	relay_inbound_request(r, JOB_OPEN, o->id, o->sender, o->trace, o->rcpts, o->n, &o->rq);
	o->rq.released = o->released;
	relay_trust_give(r->trust, &o->rq, relay_ask_trust_changes(r->ask), loop_now_ms());
	if (r->top->xsmg)
		relay_trust_promise_give(r->trust, &o->rq, relay_ask_trust_changes(r->ask), loop_now_ms());
	if (o->released || !relay_failures_over(r->failures, &o->facts, now_ms()))
		run(o);
	else if (o->held)
		hold_again(o);
	else
		hold_for_admin(o, "held unopened: within an hour too many messages of this client, or with this "
				  "encrypted key, could not be opened");
}
