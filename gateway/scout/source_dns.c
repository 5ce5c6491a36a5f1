/*
 * Look-ups of certificates' records. Role scout.
 *
 * libunbound calls back from inside ub_resolve_event when it knows the answer already, and its callbacks are no place
 * to ask again or to free: they only note what came; the rest runs from the question's own timer.
 *
 * When a question fails, or half of its time is over, it is asked whether the zone is signed: DS at the domain and at
 * each name below it. Who can only keep a signed zone from answering must not thereby make a partner one without a
 * certificate (P1); so what cannot be found out counts as signed.
 */
#include "gateway/scout/source_dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unbound-event.h>

#include "certstore/source_site.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/scout/dns_rdata.h"

enum {
	TYPE_DS = 43,
	TEXT_MAX = 4 * 253 + 2, /* every octet as \DDD, the dot at the end */
	CUTS_MAX = 4,		/* names asked for DS */
};

/* One look-up of libunbound's. */
struct lookup {
	struct question *q;
	void (*came)(struct question *q, int rcode, const struct dns_packet *k, int sec, const char *why);
	int id;
	bool busy;
};
enum signing { UNKNOWN, SIGNED, NOT_SIGNED };
struct question {
	struct question *next, **prev;
	struct source_dns *s;
	char name[256];
	uint16_t type;
	uint32_t max;
	int64_t began, timeout;
	source_done *done;
	void *ctx;
	struct lookup first, ds;
	struct loop_timer *soon, *half, *deadline;
	void (*step)(struct question *q); /* what soon runs */
	enum signing signing;
	const char *cut; /* the name asked for DS, inside name; NULL: not asked yet */
	unsigned cuts;
	bool failed; /* the first look-up; r says why */
	struct source_answer r;
	uint8_t *octets; /* of r */
};
struct source_dns {
	struct loop *loop;
	struct dns *dns;
	struct question *all;
	size_t n;
};

static void stop(struct lookup *l)
{
	if (l->busy)
		ub_cancel(dns_context(l->q->s->dns), l->id);
	l->busy = false;
}

static void question_free(struct question *q)
{
	stop(&q->first);
	stop(&q->ds);
	*q->prev = q->next;
	if (q->next)
		q->next->prev = q->prev;
	q->s->n--;
	loop_timer_free(q->soon);
	loop_timer_free(q->half);
	loop_timer_free(q->deadline);
	free(q->octets);
	free(q);
}

static void deliver(struct question *q)
{
	q->r.took_ms = (uint32_t)(loop_now_ms() - q->began);
	q->done(q->ctx, &q->r);
	question_free(q);
}

static void next(struct question *q, void (*step)(struct question *q))
{
	if (q->step != deliver)
		q->step = step;
	loop_timer_set(q->soon, 0);
}

static void finish(struct question *q)
{
	next(q, deliver);
}

/* ---- asking libunbound ---- */

/* RFC 1035 5.1: any octet as \DDD. */
static void presented(const char *name, char out[TEXT_MAX + 1])
{
	size_t n = 0;

	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
		    c == '_' || c == '.')
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, 5, "\\%03u", c);
	}
	out[n++] = '.';
	out[n] = 0;
}

static void answered(void *ctx, int rcode, void *packet, int n, int sec, char *why_bogus, int limited)
{
	struct lookup *l = ctx;
	struct dns_packet k;
	const char *why = NULL;

	l->busy = false;
	if (l->q->step == deliver)
		return;
	if (sec == 1)
		why = why_bogus ? why_bogus : "DNSSEC validation failed";
	else if (limited)
		why = "too many questions to its servers";
	else if (rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN)
		why = "its name servers do not answer or fail (SERVFAIL)";
	else if (!packet || n < 0 || dns_packet_open(&k, packet, (size_t)n) < 0)
		why = "the answer is malformed";
	else if (k.rcode != DNS_RCODE_NOERROR && k.rcode != DNS_RCODE_NXDOMAIN)
		why = "its name servers do not answer or fail (SERVFAIL)";
	l->came(l->q, rcode, why ? NULL : &k, sec, why);
}

static void look_up(struct lookup *l, const char *name, uint16_t type)
{
	char text[TEXT_MAX + 1];
	int r;

	presented(name, text);
	l->busy = true;
	r = ub_resolve_event(dns_context(l->q->s->dns), text, type, 1, l, answered, &l->id);
	if (r == 0)
		return;
	l->busy = false;
	l->came(l->q, DNS_RCODE_SERVFAIL, NULL, 0, ub_strerror(r));
}

/* ---- is the zone signed? ---- */

static void temp(struct question *q, enum source_dnssec d, const char *why)
{
	unsigned code = q->r.code;
	struct source_ask a = {.kind = SOURCE_DNS, .type = q->type};
	char words[400];

	(void)snprintf(a.name, sizeof a.name, "%s", q->name);
	source_ask_words(&a, words, sizeof words);
	source_answer_set(&q->r, SOURCE_TEMP, "DNS look-up of %.150s failed: %.130s", words, why);
	q->r.dnssec = d;
	q->r.code = (uint16_t)code;
}

/* The question has failed, and it is known whether it matters. */
static void settle(struct question *q)
{
	if (!q->failed || q->signing == UNKNOWN)
		return;
	q->r.dnssec = q->signing == NOT_SIGNED ? SOURCE_UNSIGNED : SOURCE_SIGNED_SILENT;
	finish(q);
}

static void known(struct question *q, enum signing s)
{
	q->signing = s;
	next(q, settle);
}

/* One label more. */
static const char *below(const struct question *q, const char *cut)
{
	const char *p = cut - 1;

	if (cut == q->name)
		return NULL;
	while (p > q->name && p[-1] != '.')
		p--;
	return p;
}

static void ask_ds(struct question *q)
{
	look_up(&q->ds, q->cut, TYPE_DS);
}

static void ds_came(struct question *q, int rcode, const struct dns_packet *k, int sec, const char *why)
{
	struct dns_rdata r;

	(void)rcode;
	(void)why;
	if (!k || dns_rdata_read(k, TYPE_DS, 65536, &r) < 0 || r.n > 0) {
		known(q, k && sec == 0 ? NOT_SIGNED : SIGNED);
		return;
	}
	if (sec == 0 || dns_rdata_unsigned_cut(k)) {
		known(q, NOT_SIGNED);
		return;
	}
	q->cut = k->rcode == DNS_RCODE_NXDOMAIN ? NULL : below(q, q->cut);
	if (!q->cut || ++q->cuts == CUTS_MAX)
		known(q, SIGNED);
	else
		next(q, ask_ds);
}

static void find_signing(struct question *q)
{
	const char *anchor = dns_anchor(q->s->dns, q->name);
	char site[SOURCE_SITE_MAX];
	struct source_ask a = {.kind = SOURCE_DNS};

	if (q->signing != UNKNOWN) {
		settle(q);
		return;
	}
	if (q->cut) {
		if (!q->ds.busy)
			ask_ds(q);
		return;
	}
	(void)snprintf(a.name, sizeof a.name, "%s", q->name);
	source_site(&a, site);
	if (!anchor) {
		known(q, NOT_SIGNED);
	} else if (strlen(anchor) >= strlen(site)) {
		known(q, SIGNED);
	} else {
		q->cut = q->name + strlen(q->name) - strlen(site);
		ask_ds(q);
	}
}

/* ---- the question ---- */

static void fail(struct question *q, const char *why)
{
	q->failed = true;
	temp(q, SOURCE_UNSIGNED, why);
	next(q, find_signing);
}

static void bogus(struct question *q, const char *why)
{
	log_error(NULL, "dns", "alarm=bogus name=\"%s\" type=%u why=\"%s\"", q->name, q->type, why);
	temp(q, SOURCE_BOGUS, why);
	finish(q);
}

static void none(struct question *q, const struct dns_packet *k, uint32_t ttl)
{
	source_answer_set(&q->r, SOURCE_NONE, "%s",
	    k->rcode == DNS_RCODE_NXDOMAIN ? "there is no such name" : "the name has no record of this type");
	q->r.ttl = ttl;
}

static void take(struct question *q, const struct dns_packet *k, const struct dns_rdata *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->v[i].n;
	source_answer_set(&q->r, SOURCE_FOUND, "%s", "");
	q->r.ttl = r->ttl;
	q->r.more = r->more;
	q->r.n = r->n;
	q->octets = mem_raw(n + 1);
	n = 0;
	for (size_t i = 0; i < r->n; i++) {
		memcpy(q->octets + n, k->p + r->v[i].at, r->v[i].n);
		q->r.items[i] = (struct source_item){.p = q->octets + n, .n = r->v[i].n};
		n += r->v[i].n;
	}
}

static void first_came(struct question *q, int rcode, const struct dns_packet *k, int sec, const char *why)
{
	struct dns_rdata r;

	q->r.code = (uint16_t)rcode;
	if (sec == 1) {
		bogus(q, why);
		return;
	}
	if (!k) {
		fail(q, why);
		return;
	}
	if (dns_rdata_read(k, q->type, q->max, &r) < 0) {
		fail(q, "the answer is malformed, or its aliases do not end");
		return;
	}
	if (r.n == 0 && r.more) {
		fail(q, "its first record is longer than what is read");
		return;
	}
	if (r.n == 0)
		none(q, k, r.ttl);
	else
		take(q, k, &r);
	q->r.code = (uint16_t)k->rcode;
	q->r.dnssec = sec == 2 ? SOURCE_SECURE : SOURCE_UNSIGNED;
	finish(q);
}

static void begin(struct question *q)
{
	if (q->s->n > SOURCE_DNS_ASKS_MAX) {
		temp(q, SOURCE_UNKNOWN, "too many look-ups are under way here");
		finish(q);
	} else if (!dns_rdata_plain(q->type)) {
		temp(q, SOURCE_UNKNOWN, "records of this type are not looked up");
		finish(q);
	} else {
		look_up(&q->first, q->name, q->type);
	}
}

/* ---- time ---- */

static void soon(void *ctx)
{
	struct question *q = ctx;

	q->step(q);
}

static void on_half(void *ctx)
{
	struct question *q = ctx;

	if (q->step != deliver)
		next(q, find_signing);
}

static void too_late(void *ctx)
{
	struct question *q = ctx;
	char why[64];

	if (q->step == deliver) {
		deliver(q);
		return;
	}
	if (!q->failed) {
		(void)snprintf(why, sizeof why, "no answer within %lld ms", (long long)q->timeout);
		fail(q, why);
	}
	if (q->signing == UNKNOWN)
		q->signing = SIGNED;
	settle(q);
}

void source_dns_ask(struct source_dns *s, const struct source_ask *ask, source_done *done, void *ctx)
{
	struct question *q = mem_new(sizeof *q);

	REQUIRE(strlen(ask->name) < sizeof q->name);
	memcpy(q->name, ask->name, strlen(ask->name) + 1);
	q->s = s;
	q->type = ask->type;
	q->max = ask->max;
	q->timeout = ask->timeout_ms;
	q->began = loop_now_ms();
	q->done = done;
	q->ctx = ctx;
	q->first = (struct lookup){.q = q, .came = first_came};
	q->ds = (struct lookup){.q = q, .came = ds_came};
	q->next = s->all;
	q->prev = &s->all;
	if (q->next)
		q->next->prev = &q->next;
	s->all = q;
	s->n++;
	q->soon = loop_timer_new(s->loop, soon, q);
	q->half = loop_timer_new(s->loop, on_half, q);
	q->deadline = loop_timer_new(s->loop, too_late, q);
	loop_timer_set(q->half, q->timeout / 2);
	loop_timer_set(q->deadline, q->timeout);
	next(q, begin);
}

struct source_dns *source_dns_new(struct loop *l, struct dns *d)
{
	struct source_dns *s = mem_new(sizeof *s);

	s->loop = l;
	s->dns = d;
	return s;
}

void source_dns_free(struct source_dns *s)
{
	if (!s)
		return;
	for (struct question *q = s->all, *after; q; q = after) {
		after = q->next;
		question_free(q);
	}
	free(s);
}
