#include "gateway/proc/relay_dsn.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/mail/dsn_text.h"

struct match {
	struct arena *a;
	const struct job_dsn *d;
	struct job_request *rq;
	struct queue_report *v;
	size_t n;
};

/* Was it sent by one of those whom the report is for? Local parts may have changed their case on the way. */
static bool is_sender(const struct job_request *rq, const char *sender)
{
	for (size_t i = 0; i < rq->nrcpts; i++)
		if (sender[0] && strcasecmp(rq->rcpts[i].address, sender) == 0)
			return true;
	return false;
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

static void add_report(
    struct match *m, const struct dsn_read_rcpt *r, const struct queue_sent_rcpt *s, const char *id)
{
	struct queue_report *q = &m->v[m->n++];

	*q = (struct queue_report){.rcpt = s->row,
	    .action = dsn_action_word(r->action),
	    .mta = arena_str(m->a, m->d->read.mta),
	    .status = arena_str(m->a, r->status),
	    .diagnostic = arena_str(m->a, r->diagnostic)};
	REQUIRE(q->mta && q->status && q->diagnostic);
	log_info(m->rq->id, "relay", "dsn about=%s to=<%s> action=%s status=%s mta=%s diagnostic=\"%s\"", id,
	    s->address, q->action, q->status[0] ? q->status : "-", q->mta[0] ? q->mta : "-", q->diagnostic);
}

/* true: at least one of its recipients is spoken of. */
static bool weigh_message(struct match *m, const struct queue_sent_found *f)
{
	size_t before = m->n;

	for (size_t i = 0; i < f->nrcpts; i++) {
		char plain[DSN_TEXT_MAX], orcpt[ADDRESS_TEXT_MAX];

		dsn_text_decode(f->rcpts[i].orcpt, plain);
		if (dsn_read_address(plain, orcpt) != 0)
			orcpt[0] = 0;
		for (size_t k = 0; k < m->d->read.nrcpts && m->n < RELAY_DSN_REPORTS_MAX; k++)
			if (is_rcpt(&m->d->read.rcpts[k], &f->rcpts[i], orcpt)) {
				add_report(m, &m->d->read.rcpts[k], &f->rcpts[i], f->id);
				break;
			}
	}
	return m->n > before;
}

void relay_dsn_weigh(struct arena *a, const struct job_dsn *d, const struct queue_sent_found *found, size_t n,
    struct job_request *rq, struct relay_dsn *m_r)
{
	struct match m = {.a = a, .d = d, .rq = rq, .v = arena_alloc(a, RELAY_DSN_REPORTS_MAX * sizeof(*m.v))};
	char ids[sizeof(rq->dsn_text)] = "";
	size_t used = 0;
	const char *other = NULL;

	REQUIRE(m.v != NULL);
	for (size_t i = 0; i < n; i++) {
		if (!is_sender(rq, found[i].sender))
			continue;
		if (!weigh_message(&m, &found[i]))
			other = found[i].id;
		else if (used + sizeof(" id=") + sizeof(found[i].id) < sizeof(ids))
			used += (size_t)snprintf(ids + used, sizeof(ids) - used, " id=%s", found[i].id);
	}
	*m_r = (struct relay_dsn){.reports = m.v, .nreports = m.n};
	rq->dsn = m.n > 0 ? JOB_DSN_MATCHED : JOB_DSN_UNMATCHED;
	if (m.n > 0)
		snprintf(rq->dsn_text, sizeof(rq->dsn_text), "%s", ids);
	else if (other != NULL)
		snprintf(rq->dsn_text, sizeof(rq->dsn_text), "message %s was not sent to whom it names", other);
	else
		snprintf(rq->dsn_text, sizeof(rq->dsn_text),
		    "its recipient is not known to have sent a message with the Message-ID or envelope id that it "
		    "names");
	if (m.n == 0)
		log_info(rq->id, "relay", "dsn unmatched mta=%s message-id=%s envid=%s why=\"%s\"",
		    d->read.mta[0] ? d->read.mta : "-", d->message_id[0] ? d->message_id : "-",
		    d->read.envid[0] ? d->read.envid : "-", rq->dsn_text);
}

/* A look-up takes the loop's time, milliseconds with a million messages on record: no flood of reports gets more than
 * a part of it. */
static bool too_many(int64_t rate)
{
	static int64_t second, n;
	int64_t now = loop_now_ms() / 1000;

	if (now != second)
		n = 0;
	second = now;
	return ++n > rate;
}

int relay_dsn_match(struct relay *r, struct arena *a, const struct job_dsn *d, struct job_request *rq,
    struct relay_dsn *m_r, struct problem *pr)
{
	struct queue_sent_found *v = arena_alloc(a, QUEUE_SENT_FIND_MAX * sizeof(*v));
	int n;

	if (v == NULL)
		return problem_temp(pr, "the report needs more memory than a job may have");
	if (too_many(r->top->dsn_rate))
		return problem_temp(pr, "too many delivery reports come at this moment; try again");
	n = queue_sent_find(r->queue, d->message_id, d->read.envid, a, v, pr);
	if (n < 0)
		return -1;
	relay_dsn_weigh(a, d, v, (size_t)n, rq, m_r);
	return 0;
}
