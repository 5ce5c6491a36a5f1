#include "gateway/proc/relay_settle.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_history.h"

enum { MESSAGES_MAX = 8, MEMORY_MAX = 16 * 1024 * 1024, AGAIN_MS = 5000 };

struct relay_settle {
	struct relay *r;
	struct arena *a;
	char *id;
	struct queue_settle *v;
	size_t n, cap;
	struct queue_msg msgs[MESSAGES_MAX];
	size_t nmsgs;
	const char *sealed_id, *tls, *judged;
	struct queue_report *reports;
	size_t nreports;
	struct dsn_rcpt *tell;
	size_t ntell;
	struct loop_timer *again;
	void (*after)(void *ctx, struct relay_settle *s, const int64_t *rows, size_t n);
	void *ctx;
};

static char *keep(struct relay_settle *s, const char *text)
{
	char *p = text == NULL ? NULL : arena_str(s->a, text);

	REQUIRE(text == NULL || p != NULL);
	return p;
}

struct relay_settle *relay_settle_new(struct relay *r, const char *id)
{
	struct relay_settle *s = mem_new(sizeof(*s));

	s->r = r;
	s->a = arena_new(MEMORY_MAX);
	s->id = keep(s, id);
	return s;
}

static void settle_free(struct relay_settle *s)
{
	for (size_t i = 0; i < s->nmsgs; i++)
		spool_free(s->msgs[i].content);
	loop_timer_free(s->again);
	arena_free(s->a);
	free(s->v);
	free(s->tell);
	free(s);
}

void relay_settle_abandon(struct relay_settle *s)
{
	settle_free(s);
}

struct arena *relay_settle_arena(struct relay_settle *s)
{
	return s->a;
}

struct relay *relay_settle_relay(struct relay_settle *s)
{
	return s->r;
}

const char *relay_settle_id(const struct relay_settle *s)
{
	return s->id;
}

static struct queue_settle *add(
    struct relay_settle *s, int64_t row, enum queue_state st, const char *why, const char *remote, const char *status)
{
	struct queue_settle *q;

	if (s->n == s->cap) {
		s->cap = s->cap * 2 + 8;
		s->v = mem_resize(s->v, s->cap * sizeof(*s->v));
	}
	q = &s->v[s->n++];
	memset(q, 0, sizeof(*q));
	q->rcpt = row;
	q->state = st;
	q->reason = keep(s, why);
	q->remote = keep(s, remote);
	q->status = keep(s, status);
	return q;
}

void relay_settle_done(struct relay_settle *s, int64_t row, enum queue_outcome o, const char *why, const char *remote,
    const char *status)
{
	add(s, row, QUEUE_DONE, why, remote, status)->outcome = o;
}

void relay_settle_retry(
    struct relay_settle *s, int64_t row, int64_t at, const char *why, const char *remote, const char *status)
{
	add(s, row, QUEUE_QUEUED, why, remote, status)->next_at = at;
}

void relay_settle_hold(
    struct relay_settle *s, int64_t row, const struct relay_why *why, const struct queue_hold *hold)
{
	struct queue_settle *q = add(s, row, QUEUE_HELD, why->text, why->remote, why->status);

	q->hold = *hold;
	q->hold.waits_for = keep(s, hold->waits_for);
}

void relay_settle_warned(struct relay_settle *s)
{
	REQUIRE(s->n > 0);
	s->v[s->n - 1].warned = true;
}

void relay_settle_message(struct relay_settle *s, const struct queue_msg *m)
{
	REQUIRE(s->nmsgs < MESSAGES_MAX);
	s->msgs[s->nmsgs] = *m;
	s->msgs[s->nmsgs++].content = spool_ref(m->content);
}

const struct queue_msg *relay_settle_messages(const struct relay_settle *s, size_t *n_r)
{
	*n_r = s->nmsgs;
	return s->msgs;
}

void relay_settle_sealed(struct relay_settle *s, const char *message_id)
{
	s->sealed_id = message_id[0] != '\0' ? keep(s, message_id) : NULL;
}

void relay_settle_tls(struct relay_settle *s, const char *tls)
{
	s->tls = tls[0] != '\0' ? keep(s, tls) : NULL;
}

void relay_settle_judged(struct relay_settle *s, const char *judged)
{
	s->judged = keep(s, judged);
}

void relay_settle_reports(struct relay_settle *s, const struct queue_report *v, size_t n)
{
	s->nreports = n;
	s->reports = arena_alloc(s->a, (n + 1) * sizeof(*s->reports));
	REQUIRE(s->reports != NULL);
	for (size_t i = 0; i < n; i++)
		s->reports[i] = (struct queue_report){.rcpt = v[i].rcpt,
		    .action = keep(s, v[i].action),
		    .mta = keep(s, v[i].mta),
		    .status = keep(s, v[i].status),
		    .diagnostic = keep(s, v[i].diagnostic)};
}

const struct queue_report *relay_settle_reported(const struct relay_settle *s, size_t *n_r)
{
	*n_r = s->nreports;
	return s->reports;
}

void relay_settle_after(
    struct relay_settle *s, void (*fn)(void *ctx, struct relay_settle *s, const int64_t *rows, size_t n), void *ctx)
{
	s->after = fn;
	s->ctx = ctx;
}

static void try_again(void *ctx)
{
	relay_settle_commit(ctx);
}

static void committed(void *ctx, int err, const int64_t *rows, size_t n, const struct problem *pr)
{
	struct relay_settle *s = ctx;

	if (err != 0 && pr->cls == PROBLEM_PERM) { /* it would be refused again for ever */
		log_error(s->id, "relay", "alarm=queue-write why=\"%s\"", pr->text);
		settle_free(s);
		return;
	}
	if (err != 0) {
		log_error(s->id, "relay", "alarm=queue-write why=\"%s\" again=5s", pr->text);
		if (s->again == NULL)
			s->again = loop_timer_new(s->r->loop, try_again, s);
		loop_timer_set(s->again, AGAIN_MS);
		return;
	}
	relay_history_settled(s->r, &(struct relay_history_settled){s->id, s->v, s->n, s->msgs, s->nmsgs, s->reports,
					s->nreports, s->tls, s->judged});
	if (s->after != NULL)
		s->after(s->ctx, s, rows, n);
	if (s->nmsgs > 0)
		relay_deliver_kick(s->r->deliver);
	settle_free(s);
}

void relay_settle_commit(struct relay_settle *s)
{
	struct queue_tx tx = {.msgs = s->msgs,
	    .nmsgs = s->nmsgs,
	    .settles = s->v,
	    .nsettles = s->n,
	    .reports = s->reports,
	    .nreports = s->nreports,
	    .sealed_ids = &s->sealed_id,
	    .nsealed_ids = s->sealed_id != NULL};

	if (s->n == 0 && s->nmsgs == 0) {
		settle_free(s);
		return;
	}
	queue_commit(s->r->queue, &tx, committed, s);
}

void relay_settle_tell(struct relay_settle *s, const struct dsn_rcpt *d)
{
	struct dsn_rcpt *t;

	s->tell = mem_resize(s->tell, (s->ntell + 1) * sizeof(*s->tell));
	t = &s->tell[s->ntell++];
	*t = *d;
	t->address = keep(s, d->address);
	t->orcpt = keep(s, d->orcpt);
	t->status = keep(s, d->status);
	t->diagnostic = keep(s, d->diagnostic);
	t->remote_mta = keep(s, d->remote_mta);
	t->sentence = keep(s, d->sentence);
}

const struct dsn_rcpt *relay_settle_told(const struct relay_settle *s, size_t *n_r)
{
	*n_r = s->ntell;
	return s->tell;
}
