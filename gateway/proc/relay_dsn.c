#include "gateway/proc/relay_dsn.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/mail/dsn_text.h"
#include "gateway/smtp/smtpd_clients.h"

struct match {
	struct arena *a;
	const struct job_dsn *d;
	struct job_request *rq;
	struct queue_report *v;
	size_t n;
};

/* Was it sent by the one whom the report is for, and is it for nobody else? What one may read of his own message is
 * no news for others. Local parts may have changed their case on the way. */
static bool is_sender(const struct job_request *rq, const char *sender)
{
	for (size_t i = 0; i < rq->nrcpts; i++)
		if (!sender[0] || strcasecmp(rq->rcpts[i].address, sender) != 0)
			return false;
	return rq->nrcpts > 0;
}

static bool is_for_one(const struct job_request *rq)
{
	return rq->nrcpts > 0 && is_sender(rq, rq->rcpts[0].address);
}

static bool same(const char *a, const char *b)
{
	return a[0] && strcasecmp(a, b) == 0;
}

/* RFC 3464 2.3.1: the original recipient is what we said, when we said it; the final one may be another by then. */
static bool is_rcpt(const struct dsn_read_rcpt *r, const struct queue_sent_rcpt *s, const char *orcpt)
{
	return same(r->original, s->address) || (orcpt[0] && same(r->original, orcpt)) || same(r->final, s->address);
}

/* false: no room in the arena. */
static bool add_report(
    struct match *m, const struct dsn_read_rcpt *r, const struct queue_sent_rcpt *s, const char *id)
{
	struct queue_report *q = &m->v[m->n];

	*q = (struct queue_report){.rcpt = s->row,
	    .action = dsn_action_word(r->action),
	    .mta = arena_str(m->a, m->d->read.mta),
	    .status = arena_str(m->a, r->status),
	    .diagnostic = arena_str(m->a, r->diagnostic)};
	if (!q->mta || !q->status || !q->diagnostic)
		return false;
	m->n++;
	log_info(m->rq->id, "relay", "dsn about=%s to=<%s> action=%s status=%s mta=\"%s\" diagnostic=\"%s\"", id,
	    s->address, q->action, q->status[0] ? q->status : "-", q->mta, q->diagnostic);
	return true;
}

/* Of how many of its recipients it speaks; -1: no room in the arena. */
static int weigh_message(struct match *m, const struct queue_sent_found *f)
{
	size_t before = m->n;

	for (size_t i = 0; i < f->nrcpts; i++) {
		char plain[DSN_TEXT_MAX], orcpt[ADDRESS_TEXT_MAX];

		dsn_text_decode(f->rcpts[i].orcpt, plain);
		if (dsn_read_address(plain, orcpt) != 0)
			orcpt[0] = 0;
		for (size_t k = 0; k < m->d->read.nrcpts && m->n < RELAY_DSN_REPORTS_MAX; k++)
			if (is_rcpt(&m->d->read.rcpts[k], &f->rcpts[i], orcpt)) {
				if (!add_report(m, &m->d->read.rcpts[k], &f->rcpts[i], f->id))
					return -1;
				break;
			}
	}
	return (int)(m->n - before);
}

static void log_unmatched(const struct job_dsn *d, const struct job_request *rq)
{
	log_info(rq->id, "relay", "dsn unmatched mta=\"%s\" message-id=\"%s\" envid=\"%s\" why=\"%s\"", d->read.mta,
	    d->message_id, d->read.envid, rq->dsn_text);
}

static void say_unmatched(const struct job_dsn *d, const char *other, struct job_request *rq)
{
	rq->dsn = JOB_DSN_UNMATCHED;
	if (other != NULL)
		snprintf(rq->dsn_text, sizeof(rq->dsn_text), "message %s was not sent to whom it names", other);
	else
		snprintf(rq->dsn_text, sizeof(rq->dsn_text), "%s",
		    is_for_one(rq) ? "its recipient is not known to have sent a message with the Message-ID or "
				     "envelope id that it names"
				   : "it is for several recipients, and a message has one sender");
	log_unmatched(d, rq);
}

int relay_dsn_weigh(struct arena *a, const struct job_dsn *d, const struct queue_sent_found *found, size_t n,
    struct job_request *rq, struct relay_dsn *m_r, struct problem *pr)
{
	struct match m = {.a = a, .d = d, .rq = rq, .v = arena_alloc(a, RELAY_DSN_REPORTS_MAX * sizeof(*m.v))};
	char ids[sizeof(rq->dsn_text)] = "";
	size_t used = 0;
	const char *other = NULL;
	int named = m.v != NULL ? 0 : -1;

	for (size_t i = 0; i < n && named >= 0; i++) {
		if (!is_sender(rq, found[i].sender))
			continue;
		named = weigh_message(&m, &found[i]);
		if (named == 0)
			other = found[i].id;
		else if (named > 0 && used + sizeof(" id=") + sizeof(found[i].id) < sizeof(ids))
			used += (size_t)snprintf(ids + used, sizeof(ids) - used, " id=%s", found[i].id);
	}
	if (named < 0)
		return problem_temp(pr, "the report needs more memory than a job may have");
	*m_r = (struct relay_dsn){.reports = m.v, .nreports = m.n};
	if (m.n == 0) {
		say_unmatched(d, other, rq);
		return 0;
	}
	rq->dsn = JOB_DSN_MATCHED;
	snprintf(rq->dsn_text, sizeof(rq->dsn_text), "%s", ids);
	return 0;
}

/* ---- how many ---- */

enum { PLACES = 1024, CLIENTS = 5 /* that may use up their rate at once */ };

struct count {
	char client[SMTPD_CLIENT_KEY];
	int64_t second, n;
};

static bool is_over(struct count *c, int64_t second, int64_t rate)
{
	if (c->second != second)
		c->n = 0;
	c->second = second;
	return c->n >= rate;
}

/* Two clients in one place: within a second it is the first one's, and the other is bounded as all are. */
static struct count *place_of(const char *client, int64_t second)
{
	static struct count places[PLACES];
	uint32_t h = 2166136261U; /* FNV-1a */

	for (const char *p = client; *p; p++)
		h = (h ^ (uint8_t)*p) * 16777619U;

	struct count *c = &places[h % PLACES];

	if (c->second != second)
		snprintf(c->client, sizeof(c->client), "%s", client);
	return strcmp(c->client, client) == 0 ? c : NULL;
}

bool relay_dsn_too_many(const char *client, int64_t rate, int64_t now)
{
	static struct count all;
	int64_t second = now / 1000;
	struct count *c = client[0] ? place_of(client, second) : NULL;

	/* one that is over its own takes nothing of what there is for all */
	if ((c != NULL && is_over(c, second, rate)) || is_over(&all, second, rate * CLIENTS))
		return true;
	if (c != NULL)
		c->n++;
	all.n++;
	return false;
}

/* ---- looking up ---- */

int relay_dsn_match(struct relay *r, struct arena *a, const char *client, const struct job_dsn *d,
    struct job_request *rq, struct relay_dsn *m_r, struct problem *pr)
{
	struct queue_sent_found *v;
	struct arena *look;
	int n, err = -1;

	if (!is_for_one(rq))
		return relay_dsn_weigh(a, d, NULL, 0, rq, m_r, pr);
	if (relay_dsn_too_many(client, r->top->dsn_rate, loop_now_ms()))
		return problem_temp(pr, "too many delivery reports come at this moment; try again");
	look = arena_new(QUEUE_SENT_FIND_MEMORY);
	v = arena_alloc(look, QUEUE_SENT_FIND_MAX * sizeof(*v));
	REQUIRE(v != NULL);
	n = queue_sent_find(
	    r->queue, &(struct queue_sent_ask){rq->rcpts[0].address, d->message_id, d->read.envid}, look, v, pr);
	if (n >= 0)
		err = relay_dsn_weigh(a, d, v, (size_t)n, rq, m_r, pr);
	arena_free(look);
	return err;
}
