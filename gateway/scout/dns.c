/*
 * Questions for next hops and the look-ups they are made of. Role scout. RFC 5321 5.1, RFC 7505, RFC 4035.
 *
 * A question first looks up MX, then A and AAAA of every host at once. libunbound calls back from inside
 * ub_resolve_event when it knows the answer already, and its callbacks are no place to ask again or to free: they
 * only note what came; the next step runs from the question's own timer.
 */
#include "gateway/scout/dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unbound-event.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"
#include "gateway/scout/dns_answer.h"
#include "gateway/scout/dns_packet.h"
#include "gateway/scout/dns_resolver.h"

enum { LOOKUPS_MAX = 2 * SCOUT_HOSTS_MAX };

struct question;
struct lookup {
	struct question *q;
	size_t host; /* index into out.hosts, for addresses */
	uint16_t type;
	bool busy;
	int id; /* of ub_cancel, while busy */
};
struct question {
	struct question *next, **prev;
	struct dns *d;
	enum scout_kind kind;
	char name[ADDRESS_DOMAIN_MAX + 1];
	dns_done *done;
	void *ctx;
	struct loop_timer *soon, *deadline;
	void (*step)(struct question *q); /* what soon runs */
	struct lookup lookups[LOOKUPS_MAX];
	size_t nlookups, busy;
	struct problem unsure; /* TEMP: why an answer could not be had or believed; NONE so far */
	bool insecure;	       /* an answer came without DNSSEC */
	bool implicit;	       /* no MX: the domain is its own host */
	struct scout_hosts out;
};
struct dns {
	struct loop *loop;
	struct ub_ctx *ub;
	int64_t timeout;
	enum dns_answer_which which; /* for hosts that a domain names */
	struct question *all;
	size_t nall;
};

static void cancel(struct question *q)
{
	for (size_t i = 0; i < q->nlookups; i++) {
		if (q->lookups[i].busy)
			ub_cancel(q->d->ub, q->lookups[i].id);
		q->lookups[i].busy = false;
	}
	q->nlookups = q->busy = 0;
}

static void question_free(struct question *q)
{
	cancel(q);
	*q->prev = q->next;
	if (q->next)
		q->next->prev = q->prev;
	q->d->nall--;
	loop_timer_free(q->soon);
	loop_timer_free(q->deadline);
	free(q);
}

static void deliver(struct question *q)
{
	dns_done *done = q->done;
	void *ctx = q->ctx;
	struct scout_hosts out = q->out;

	question_free(q);
	done(ctx, &out);
}

static void next_step(struct question *q, void (*step)(struct question *q))
{
	q->step = step;
	loop_timer_set(q->soon, 0);
}

static void finish(struct question *q, enum scout_status s)
{
	cancel(q);
	q->out.status = s;
	if (s != SCOUT_OK)
		q->out.nhosts = 0;
	next_step(q, deliver);
}

static void finish_perm(struct question *q, int code, const char *enh, const char *rfc, const char *what)
{
	problem_set(&q->out.problem, PROBLEM_PERM, code, enh, rfc, "%s %s", q->name, what);
	finish(q, SCOUT_PERM);
}

static void unsure(struct question *q, const char *name, const char *type, const char *why)
{
	if (q->unsure.cls == PROBLEM_NONE)
		problem_set(
		    &q->unsure, PROBLEM_TEMP, 451, "4.4.3", "", "DNS look-up of %s %s failed: %s", name, type, why);
}

static void finish_temp(struct question *q)
{
	q->out.problem = q->unsure;
	finish(q, SCOUT_TEMP);
}

static const char *type_word(uint16_t type)
{
	return type == DNS_TYPE_MX ? "MX" : type == DNS_TYPE_A ? "A" : "AAAA";
}

/*
 * An answer as libunbound gives it: 0 and an open packet, or -1 with q->unsure set. Bogus is looked at first, because
 * such an answer comes with data and without an error code.
 */
static int open_answer(struct question *q, const char *name, const struct lookup *k, int rcode, const void *packet,
    int n, int sec, const char *why_bogus, int limited, struct dns_packet *p_r)
{
	const char *type = type_word(k->type), *why = NULL;

	if (sec == 1)
		why = why_bogus ? why_bogus : "DNSSEC validation failed";
	else if (limited)
		why = "too many questions to its servers";
	else if (rcode != DNS_RCODE_NOERROR && rcode != DNS_RCODE_NXDOMAIN)
		why = "its name servers do not answer or fail (SERVFAIL)";
	else if (!packet || n < 0 || dns_packet_open(p_r, packet, (size_t)n) < 0)
		why = "the answer is malformed";
	else if (p_r->rcode != DNS_RCODE_NOERROR && p_r->rcode != DNS_RCODE_NXDOMAIN)
		why = "its name servers do not answer or fail (SERVFAIL)";
	if (why)
		unsure(q, name, type, why);
	return why ? -1 : 0;
}

static const char *lookup_name(const struct lookup *k)
{
	return k->type == DNS_TYPE_MX ? k->q->name : k->q->out.hosts[k->host].name;
}

/* The callback of libunbound for every look-up. */
static void answered(void *ctx, int rcode, void *packet, int n, int sec, char *why_bogus, int limited);

static void look_up(struct question *q, size_t host, uint16_t type)
{
	struct lookup *k = &q->lookups[q->nlookups++];
	char dotted[DNS_NAME_MAX + 1];

	*k = (struct lookup){.q = q, .host = host, .type = type, .busy = true};
	q->busy++;

	size_t len = strlen(lookup_name(k));

	memcpy(dotted, lookup_name(k), len);
	memcpy(dotted + len, ".", 2);

	int r = ub_resolve_event(q->d->ub, dotted, type, 1, k, answered, &k->id);

	if (r == 0)
		return;
	k->busy = false;
	q->busy--;
	unsure(q, lookup_name(k), type_word(type), ub_strerror(r));
}

/* All addresses are there: hosts without any go; what is left decides. */
static void judge_hosts(struct question *q)
{
	size_t n = 0;

	if (q->busy > 0)
		return; /* a cached answer was first; the last one comes here again */
	for (size_t i = 0; i < q->out.nhosts; i++) {
		if (q->out.hosts[i].naddrs == 0)
			continue;
		dns_answer_mix(&q->out.hosts[i]);
		if (n != i)
			q->out.hosts[n] = q->out.hosts[i];
		n++;
	}
	q->out.nhosts = n;
	if (q->kind == SCOUT_KIND_HOST)
		q->out.secure = !q->insecure;
	if (n > 0)
		finish(q, SCOUT_OK);
	else if (q->unsure.cls != PROBLEM_NONE)
		finish_temp(q);
	else if (q->kind == SCOUT_KIND_HOST)
		finish_perm(
		    q, 550, "5.4.4", "", "has no address in the DNS; check the host name in the configuration");
	else if (q->implicit)
		finish_perm(
		    q, 550, "5.1.2", "RFC 5321 5.1", "has neither MX nor address records that mail could go to");
	else
		finish_perm(
		    q, 550, "5.4.4", "RFC 5321 5.1", "has MX records, but none of their hosts has a usable address");
}

static void look_up_hosts(struct question *q)
{
	q->nlookups = 0;
	for (size_t i = 0; i < q->out.nhosts; i++) {
		look_up(q, i, DNS_TYPE_A);
		look_up(q, i, DNS_TYPE_AAAA);
	}
	if (q->busy == 0)
		next_step(q, judge_hosts);
}

/* RFC 5321 5.1: without MX records the domain itself is the host. */
static void use_itself(struct question *q, const char *name)
{
	q->implicit = true;
	q->out.nhosts = 1;
	q->out.hosts[0] = (struct scout_host){0};
	REQUIRE(mem_copy_str(q->out.hosts[0].name, sizeof q->out.hosts[0].name, name) == 0);
	next_step(q, look_up_hosts);
}

static void mx_came(struct question *q, const struct dns_packet *p)
{
	struct dns_answer_mx m;

	if (p->rcode == DNS_RCODE_NXDOMAIN) {
		finish_perm(q, 550, "5.1.2", "RFC 5321 5.1", "does not exist in the DNS");
		return;
	}
	if (dns_answer_mx(p, q->name, &m) < 0) {
		unsure(q, q->name, "MX", "the answer is malformed or its aliases do not end");
		finish_temp(q);
	} else if (m.null_mx) {
		problem_set(&q->out.problem, PROBLEM_PERM, 556, "5.1.10", "RFC 7505 3",
		    "%s says by a null MX record that it takes no mail", q->name);
		finish(q, SCOUT_NULL_MX);
	} else if (!m.any) {
		use_itself(q, m.name);
	} else {
		dns_answer_order(&m, &q->out);
		next_step(q, q->out.nhosts ? look_up_hosts : judge_hosts);
	}
}

static void addresses_came(struct lookup *k, const struct dns_packet *p)
{
	struct question *q = k->q;
	struct scout_host *h = &q->out.hosts[k->host];
	enum dns_answer_which which = q->kind == SCOUT_KIND_HOST ? DNS_ANSWER_ANY : q->d->which;

	if (p->rcode == DNS_RCODE_NOERROR && dns_answer_addrs(p, k->type, which, h) < 0)
		unsure(q, h->name, type_word(k->type), "the answer is malformed");
}

static void answered(void *ctx, int rcode, void *packet, int n, int sec, char *why_bogus, int limited)
{
	struct lookup *k = ctx;
	struct question *q = k->q;
	struct dns_packet p;

	k->busy = false;
	q->busy--;
	q->insecure |= sec != 2;

	int ok = open_answer(q, lookup_name(k), k, rcode, packet, n, sec, why_bogus, limited, &p) == 0;

	if (k->type == DNS_TYPE_MX) {
		q->out.secure = sec == 2;
		if (ok)
			mx_came(q, &p);
		else
			finish_temp(q);
		return;
	}
	if (ok)
		addresses_came(k, &p);
	if (q->busy == 0)
		next_step(q, judge_hosts);
}

static void soon(void *ctx)
{
	struct question *q = ctx;

	q->step(q);
}

static void too_late(void *ctx)
{
	struct question *q = ctx;
	bool addresses = q->out.nhosts > 0;
	char why[64];

	if (q->step == deliver) {
		deliver(q);
		return;
	}
	snprintf(why, sizeof why, "no answer within %lld ms", (long long)q->d->timeout);
	unsure(q, q->name, addresses ? "host addresses" : "MX", why);
	cancel(q);
	/* Addresses that came in time are worth more than those that did not. */
	if (addresses)
		judge_hosts(q);
	else
		finish_temp(q);
	deliver(q);
}

static void look_up_first(struct question *q)
{
	q->nlookups = 0;
	look_up(q, 0, DNS_TYPE_MX);
	if (q->busy == 0 && q->unsure.cls != PROBLEM_NONE && q->step == look_up_first)
		finish_temp(q);
}

/* A host may be configured by its address. */
static int is_address(const char *name, struct scout_host *h)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&h->addrs[0];
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&h->addrs[0];

	if (inet_pton(AF_INET, name, &in4->sin_addr) == 1)
		in4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, name, &in6->sin6_addr) == 1)
		in6->sin6_family = AF_INET6;
	else
		return 0;
	REQUIRE(mem_copy_str(h->name, sizeof h->name, name) == 0);
	h->naddrs = 1;
	return 1;
}

static void begin(struct question *q)
{
	if (q->d->nall > DNS_ASKS_MAX) {
		unsure(q, q->name, "MX", "too many look-ups are under way here");
		finish_temp(q);
	} else if (q->kind == SCOUT_KIND_HOST) {
		use_itself(q, q->name);
	} else {
		next_step(q, look_up_first);
	}
}

static struct question *question_new(struct dns *d, enum scout_kind kind, dns_done *done, void *ctx)
{
	struct question *q = mem_new(sizeof *q);

	q->d = d;
	q->kind = kind;
	q->done = done;
	q->ctx = ctx;
	q->next = d->all;
	q->prev = &d->all;
	if (q->next)
		q->next->prev = &q->next;
	d->all = q;
	d->nall++;
	q->soon = loop_timer_new(d->loop, soon, q);
	q->deadline = loop_timer_new(d->loop, too_late, q);
	loop_timer_set(q->deadline, d->timeout);
	return q;
}

static void ask(struct dns *d, enum scout_kind kind, const char *name, dns_done *done, void *ctx)
{
	struct question *q = question_new(d, kind, done, ctx);

	if (kind == SCOUT_KIND_HOST && strlen(name) < 64 && is_address(name, &q->out.hosts[0])) {
		q->out.nhosts = 1;
		finish(q, SCOUT_OK);
		return;
	}
	if (address_domain(name, strlen(name), q->name, NULL) == 0) {
		begin(q);
		return;
	}
	problem_set(
	    &q->out.problem, PROBLEM_PERM, 550, "5.1.2", "RFC 5321 4.1.2", "\"%.253s\" is not a domain name", name);
	finish(q, SCOUT_PERM);
}

void dns_mx(struct dns *d, const char *domain, dns_done *done, void *ctx)
{
	ask(d, SCOUT_KIND_MX, domain, done, ctx);
}

void dns_host(struct dns *d, const char *host, dns_done *done, void *ctx)
{
	ask(d, SCOUT_KIND_HOST, host, done, ctx);
}

void dns_ask(struct dns *d, const struct scout_ask *a, dns_done *done, void *ctx)
{
	ask(d, a->kind, a->name, done, ctx);
}

struct dns *dns_new(struct loop *l, const struct dns_settings *set, struct problem *pr)
{
	struct ub_ctx *u = dns_resolver_new(l, set, pr);

	if (!u)
		return NULL;

	struct dns *d = mem_new(sizeof *d);

	d->loop = l;
	d->ub = u;
	d->timeout = set->timeout;
	d->which = set->loopback_hosts ? DNS_ANSWER_ANY : DNS_ANSWER_PUBLIC;
	return d;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	for (struct question *q = d->all, *next; q; q = next) {
		next = q->next;
		question_free(q);
	}
	ub_ctx_delete(d->ub);
	free(d);
}
