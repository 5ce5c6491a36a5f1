/* A transaction copied from its caller: measured first, then laid into one piece of memory. relay. */
#include "gateway/queue/queue_item.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/queue_number.h"

/* Gives out places; at is NULL while measuring, and nothing is written then. */
struct layout {
	char *at;
	size_t used;
};

static void *room(struct layout *l, size_t n)
{
	size_t from = (l->used + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);

	l->used = from + n;
	return l->at ? l->at + from : NULL;
}

static char *text(struct layout *l, const char *s)
{
	if (!s)
		return NULL;

	size_t n = strlen(s) + 1;
	char *to = l->at ? l->at + l->used : NULL;

	l->used += n;
	if (to)
		memcpy(to, s, n);
	return to;
}

static const void *octets(struct layout *l, const void *p, size_t n)
{
	void *to = room(l, n);

	if (to && n)
		memcpy(to, p, n);
	return to;
}

static void copy_rcpts(struct layout *l, struct queue_msg *m)
{
	struct queue_rcpt *to = room(l, m->nrcpts * sizeof *to);

	for (size_t i = 0; i < m->nrcpts; i++) {
		struct queue_rcpt r = m->rcpts[i];

		r.address = text(l, r.address);
		r.nexthop = text(l, r.nexthop);
		r.reason = text(l, r.reason);
		r.treatment = text(l, r.treatment);
		r.hold.waits_for = text(l, r.hold.waits_for);
		r.env.orcpt = text(l, r.env.orcpt);
		if (to)
			to[i] = r;
	}
	m->rcpts = to;
}

static const struct queue_msg *copy_msgs(struct layout *l, const struct queue_tx *tx)
{
	struct queue_msg *to = room(l, tx->nmsgs * sizeof *to);

	for (size_t i = 0; i < tx->nmsgs; i++) {
		struct queue_msg m = tx->msgs[i];

		m.id = text(l, m.id);
		m.sender = text(l, m.sender);
		m.trace = text(l, m.trace ? m.trace : "");
		m.facts = text(l, m.facts ? m.facts : "");
		m.message_id = text(l, m.message_id ? m.message_id : "");
		m.about = text(l, m.about);
		m.env.envid = text(l, m.env.envid);
		m.wrapped = octets(l, m.wrapped, m.wrapped_len);
		copy_rcpts(l, &m);
		if (to)
			to[i] = m;
	}
	return to;
}

static const struct queue_settle *copy_settles(struct layout *l, const struct queue_tx *tx)
{
	struct queue_settle *to = room(l, tx->nsettles * sizeof *to);

	for (size_t i = 0; i < tx->nsettles; i++) {
		struct queue_settle s = tx->settles[i];

		s.reason = text(l, s.reason);
		s.remote = text(l, s.remote);
		s.status = text(l, s.status);
		s.hold.waits_for = text(l, s.hold.waits_for);
		if (to)
			to[i] = s;
	}
	return to;
}

static const struct queue_report *copy_reports(struct layout *l, const struct queue_tx *tx)
{
	struct queue_report *to = room(l, tx->nreports * sizeof *to);

	for (size_t i = 0; i < tx->nreports; i++) {
		struct queue_report r = tx->reports[i];

		r.action = text(l, r.action);
		r.mta = text(l, r.mta);
		r.status = text(l, r.status);
		r.diagnostic = text(l, r.diagnostic);
		if (to)
			to[i] = r;
	}
	return to;
}

static const char *const *copy_ids(struct layout *l, const struct queue_tx *tx)
{
	const char **to = room(l, tx->nsealed_ids * sizeof *to);

	for (size_t i = 0; i < tx->nsealed_ids; i++) {
		const char *s = text(l, tx->sealed_ids[i]);

		if (to)
			to[i] = s;
	}
	return to;
}

static void copy(struct layout *l, struct queue_item *it, const struct queue_tx *tx)
{
	it->tx = *tx;
	it->tx.msgs = copy_msgs(l, tx);
	it->tx.settles = copy_settles(l, tx);
	it->tx.reports = copy_reports(l, tx);
	it->tx.sealed_ids = copy_ids(l, tx);
	it->numbers = room(l, tx->nmsgs * sizeof *it->numbers);
	it->rows = room(l, it->nrows * sizeof *it->rows);
	it->before = room(l, tx->nsettles);
}

static void check_msg(const struct queue_msg *m)
{
	REQUIRE(m->id && m->sender && m->nrcpts > 0 && m->nrcpts < (size_t)QUEUE_NUMBER_RCPTS);
	REQUIRE(m->wrapped_len <= sizeof((struct queue_job *)NULL)->wrapped);

	bool open = false;

	for (size_t i = 0; i < m->nrcpts; i++) {
		REQUIRE(m->rcpts[i].address && m->rcpts[i].nexthop && m->rcpts[i].state <= QUEUE_DONE);
		REQUIRE((m->rcpts[i].state == QUEUE_DONE) == (m->rcpts[i].outcome != QUEUE_NONE));
		open = open || m->rcpts[i].state != QUEUE_DONE;
	}
	REQUIRE(!open || m->content);
}

static void check_settle(const struct queue_settle *s)
{
	REQUIRE(s->state == QUEUE_QUEUED || s->state == QUEUE_HELD || s->state == QUEUE_DONE);
	REQUIRE((s->state == QUEUE_DONE) == (s->outcome != QUEUE_NONE));
}

static void number_rows(struct queue_item *it)
{
	size_t n = 0;

	for (size_t i = 0; i < it->tx.nmsgs; i++) {
		if (queue_number_parse(it->tx.msgs[i].id, &it->numbers[i]))
			log_panic("message id is not from queue_id");
		for (size_t k = 0; k < it->tx.msgs[i].nrcpts; k++)
			it->rows[n++] = queue_number_row(it->numbers[i], k);
	}
}

struct queue_item *queue_item_new(const struct queue_tx *tx, queue_done *done, void *ctx)
{
	struct queue_item *it = mem_new(sizeof *it);
	struct layout l = {0};

	it->done = done;
	it->ctx = ctx;
	for (size_t i = 0; i < tx->nmsgs; i++) {
		check_msg(&tx->msgs[i]);
		it->nrows += tx->msgs[i].nrcpts;
	}
	for (size_t i = 0; i < tx->nsettles; i++)
		check_settle(&tx->settles[i]);
	REQUIRE(tx->nreports == 0 || tx->nmsgs > 0);
	copy(&l, it, tx);
	l = (struct layout){.at = it->memory = mem_new(l.used)};
	copy(&l, it, tx);
	number_rows(it);
	for (size_t i = 0; i < tx->nmsgs; i++)
		if (tx->msgs[i].content)
			spool_ref(tx->msgs[i].content);
	return it;
}

void queue_item_free(struct queue_item *it)
{
	if (!it)
		return;
	for (size_t i = 0; i < it->tx.nmsgs; i++)
		spool_free(it->tx.msgs[i].content);
	free(it->memory);
	free(it->run);
	free(it->pr);
	free(it);
}

struct problem *queue_item_refuse(struct queue_item *it)
{
	it->err = -1;
	if (it->call) {
		it->call->err = -1;
		return &it->call->pr;
	}
	if (!it->pr)
		it->pr = mem_new(sizeof *it->pr);
	return it->pr;
}

int queue_item_begin(struct queue_item *it)
{
	int open = QUEUE_ITEM_OPEN;

	return !it->tx.cancel || atomic_compare_exchange_strong(it->tx.cancel, &open, QUEUE_ITEM_BEGUN) ||
		       open == QUEUE_ITEM_BEGUN
		   ? 0
		   : -1;
}
