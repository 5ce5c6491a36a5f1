/*
 * Questions for next hops and the look-ups they are made of. Role scout. RFC 5321 5.1, RFC 7505, RFC 4035.
 *
 * A question first looks up MX, then A and AAAA of every host at once. libunbound calls back from inside
 * ub_resolve_event when it knows the answer already, and its callbacks are no place to ask again or to free: they
 * only note what came; the next step runs from the question's own timer.
 */
#include "gateway/scout/dns.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unbound.h>
#include <unbound-event.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/scout/dns_resolver.h"
#include "gateway/scout/dns_state.h"
#include "gateway/scout/dns_tlsa.h"

struct dns {
	struct loop *loop;
	struct ub_ctx *ub;
	int64_t timeout;
	enum dns_answer_which which; /* for hosts that a domain names */
	struct dns_resolver_anchors anchors;
	struct dns_question *all;
	size_t nall;
};

static void cancel(struct dns_question *q)
{
	for (size_t i = 0; i < q->nlookups; i++) {
		if (q->lookups[i].busy)
			ub_cancel(q->d->ub, q->lookups[i].id);
		q->lookups[i].busy = false;
	}
	q->nlookups = q->busy = 0;
}

static void question_free(struct dns_question *q)
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

static void deliver(struct dns_question *q)
{
	dns_done *done = q->done;
	dns_txt_done *txt_done = q->txt_done;
	void *ctx = q->ctx;
	struct scout_hosts out = q->out;
	char txt[sizeof q->txt];

	memcpy(txt, q->txt, sizeof txt);
	question_free(q);
	if (txt_done)
		txt_done(ctx, txt[0] ? txt : NULL, out.problem.cls == PROBLEM_NONE ? NULL : &out.problem);
	else
		done(ctx, &out);
}

void dns_state_next(struct dns_question *q, void (*step)(struct dns_question *q))
{
	q->step = step;
	loop_timer_set(q->soon, 0);
}

void dns_state_finish(struct dns_question *q, enum scout_status s)
{
	cancel(q);
	q->out.status = s;
	if (s != SCOUT_OK)
		q->out.nhosts = 0;
	dns_state_next(q, deliver);
}

static void finish_perm(struct dns_question *q, int code, const char *enh, const char *rfc, const char *what)
{
	problem_set(&q->out.problem, PROBLEM_PERM, code, enh, rfc, "%s %s", q->name, what);
	dns_state_finish(q, SCOUT_PERM);
}

static void unsure(struct dns_question *q, const char *name, const char *type, const char *why)
{
	if (q->unsure.cls == PROBLEM_NONE)
		problem_set(
		    &q->unsure, PROBLEM_TEMP, 451, "4.4.3", "", "DNS look-up of %s %s failed: %s", name, type, why);
}

static void finish_temp(struct dns_question *q)
{
	q->out.problem = q->unsure;
	dns_state_finish(q, SCOUT_TEMP);
}

static const char *type_word(uint16_t type)
{
	switch (type) {
	case DNS_TYPE_MX:
		return "MX";
	case DNS_TYPE_A:
		return "A";
	case DNS_TYPE_AAAA:
		return "AAAA";
	case DNS_TYPE_TXT:
		return "TXT";
	case DNS_TYPE_CNAME:
		return "CNAME";
	default:
		return "TLSA";
	}
}

/*
 * An answer as libunbound gives it: 0 and an open packet, or -1 with q->unsure set. Bogus is looked at first, because
 * such an answer comes with data and without an error code.
 */
static int open_answer(struct dns_question *q, const char *name, const struct dns_lookup *k, int rcode,
    const void *packet, int n, int sec, const char *why_bogus, int limited, struct dns_packet *p_r)
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

enum { NAME_CAP = DNS_NAME_MAX + 16 };

/* What is asked for, without the dot at its end. */
static const char *lookup_name(const struct dns_lookup *k, char out[NAME_CAP])
{
	if (k->type == DNS_TYPE_TLSA)
		dns_tlsa_name(k, out, NAME_CAP);
	else
		snprintf(out, NAME_CAP, "%s",
		    k->type == DNS_TYPE_MX || k->type == DNS_TYPE_TXT ? k->q->name : k->q->out.hosts[k->host].name);
	return out;
}

/* The callback of libunbound for every look-up. */
static void answered(void *ctx, int rcode, void *packet, int n, int sec, char *why_bogus, int limited);

void dns_state_look_up(struct dns_question *q, size_t host, uint16_t type, bool expanded)
{
	REQUIRE(q->nlookups < DNS_STATE_LOOKUPS);

	struct dns_lookup *k = &q->lookups[q->nlookups++];
	char dotted[NAME_CAP + 1], name[NAME_CAP];

	*k = (struct dns_lookup){.q = q, .host = host, .type = type, .expanded = expanded, .busy = true};
	q->busy++;
	snprintf(dotted, sizeof dotted, "%s.", lookup_name(k, name));

	int r = ub_resolve_event(q->d->ub, dotted, type, 1, k, answered, &k->id);

	if (r == 0)
		return;
	k->busy = false;
	q->busy--;
	unsure(q, name, type_word(type), ub_strerror(r));
	if (type == DNS_TYPE_TLSA || type == DNS_TYPE_CNAME)
		dns_tlsa_came(k, NULL, false);
}

/* All addresses are there: hosts without any go; what is left decides. */
static void judge_hosts(struct dns_question *q)
{
	size_t n = 0;

	if (q->busy > 0)
		return; /* a cached answer was first; the last one comes here again */
	for (size_t i = 0; i < q->out.nhosts; i++) {
		if (q->out.hosts[i].naddrs == 0)
			continue;
		dns_answer_mix(&q->out.hosts[i]);
		if (n != i) {
			q->out.hosts[n] = q->out.hosts[i];
			q->notes[n] = q->notes[i];
		}
		n++;
	}
	q->out.nhosts = n;
	if (q->kind == SCOUT_KIND_HOST)
		q->out.secure = !q->insecure;
	if (n > 0)
		dns_tlsa_begin(q);
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

static void look_up_hosts(struct dns_question *q)
{
	q->nlookups = 0;
	for (size_t i = 0; i < q->out.nhosts; i++) {
		dns_state_look_up(q, i, DNS_TYPE_A, false);
		dns_state_look_up(q, i, DNS_TYPE_AAAA, false);
	}
	if (q->busy == 0)
		dns_state_next(q, judge_hosts);
}

/* RFC 5321 5.1: without MX records the domain itself is the host. */
static void use_itself(struct dns_question *q, const char *name)
{
	q->implicit = true;
	q->out.nhosts = 1;
	q->out.hosts[0] = (struct scout_host){0};
	REQUIRE(mem_copy_str(q->out.hosts[0].name, sizeof q->out.hosts[0].name, name) == 0);
	dns_state_next(q, look_up_hosts);
}

static void mx_came(struct dns_question *q, const struct dns_packet *p)
{
	struct dns_answer_mx m;

	if (p->rcode == DNS_RCODE_NXDOMAIN) {
		finish_perm(q, 550, "5.1.2", "RFC 5321 5.1", "does not exist in the DNS");
		return;
	}
	int r = dns_answer_mx(p, q->name, &m);

	if (r == 0 && q->out.secure && strcmp(m.name, q->name) != 0)
		REQUIRE(mem_copy_str(q->out.domain, sizeof q->out.domain, m.name) == 0);
	if (r < 0) {
		unsure(q, q->name, "MX", "the answer is malformed or its aliases do not end");
		finish_temp(q);
	} else if (m.null_mx) {
		problem_set(&q->out.problem, PROBLEM_PERM, 556, "5.1.10", "RFC 7505 3",
		    "%s says by a null MX record that it takes no mail", q->name);
		dns_state_finish(q, SCOUT_NULL_MX);
	} else if (!m.any) {
		use_itself(q, m.name);
	} else {
		dns_answer_order(&m, &q->out);
		dns_state_next(q, q->out.nhosts ? look_up_hosts : judge_hosts);
	}
}

static void addresses_came(struct dns_lookup *k, const struct dns_packet *p)
{
	struct dns_question *q = k->q;
	struct scout_host *h = &q->out.hosts[k->host];
	enum dns_answer_which which = q->kind == SCOUT_KIND_HOST ? DNS_ANSWER_ANY : q->d->which;

	if (p->rcode == DNS_RCODE_NOERROR && dns_answer_alias(p, h->name, q->notes[k->host].expanded) < 0)
		q->notes[k->host].expanded[0] = 0;
	if (p->rcode == DNS_RCODE_NOERROR && dns_answer_addrs(p, k->type, which, h) < 0)
		unsure(q, h->name, type_word(k->type), "the answer is malformed");
}

static void txt_came(struct dns_question *q, const struct dns_packet *p)
{
	/* RFC 8461 3.1: several records, or one that is none of ours, count as none */
	if (dns_answer_txt(p, q->name, q->txt_begins, q->txt, sizeof q->txt) != 1)
		q->txt[0] = 0;
	dns_state_finish(q, SCOUT_OK);
}

/* MX or TXT: the question's own name. */
static void first_came(struct dns_question *q, const struct dns_packet *p, uint16_t type, bool secure)
{
	q->out.secure = secure;
	if (!p)
		finish_temp(q);
	else if (type == DNS_TYPE_TXT)
		txt_came(q, p);
	else
		mx_came(q, p);
}

static void answered(void *ctx, int rcode, void *packet, int n, int sec, char *why_bogus, int limited)
{
	struct dns_lookup *k = ctx;
	struct dns_question *q = k->q;
	struct dns_packet p;
	char name[NAME_CAP];

	k->busy = false;
	q->busy--;

	bool ok = open_answer(q, lookup_name(k, name), k, rcode, packet, n, sec, why_bogus, limited, &p) == 0;

	switch (k->type) {
	case DNS_TYPE_MX:
	case DNS_TYPE_TXT:
		first_came(q, ok ? &p : NULL, k->type, sec == 2);
		return;
	case DNS_TYPE_TLSA:
	case DNS_TYPE_CNAME:
		dns_tlsa_came(k, ok ? &p : NULL, sec == 2);
		return;
	default:
		break;
	}
	q->insecure |= sec != 2;
	/* A failure is not "insecure": who can make one of two answers fail must not thereby switch DANE off. */
	q->notes[k->host].insecure |= ok && sec != 2;
	if (ok)
		addresses_came(k, &p);
	if (q->busy == 0)
		dns_state_next(q, judge_hosts);
}

static void soon(void *ctx)
{
	struct dns_question *q = ctx;

	q->step(q);
}

static void too_late(void *ctx)
{
	struct dns_question *q = ctx;
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
	if (!addresses)
		finish_temp(q);
	else if (!q->tlsa)
		judge_hosts(q);
	if (q->step != deliver)
		dns_tlsa_late(q);
	deliver(q);
}

static void look_up_first(struct dns_question *q)
{
	q->nlookups = 0;
	dns_state_look_up(q, 0, q->txt_done ? DNS_TYPE_TXT : DNS_TYPE_MX, false);
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

static void begin(struct dns_question *q)
{
	if (q->d->nall > DNS_ASKS_MAX) {
		unsure(q, q->name, "MX", "too many look-ups are under way here");
		finish_temp(q);
	} else if (q->kind == SCOUT_KIND_HOST) {
		use_itself(q, q->name);
	} else {
		dns_state_next(q, look_up_first);
	}
}

static struct dns_question *question_new(struct dns *d, enum scout_kind kind, dns_done *done, void *ctx)
{
	struct dns_question *q = mem_new(sizeof *q);

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

/* RFC 5891 5: a name with U-labels is looked up by its A-labels. 0 / -1. */
static int to_ascii(const char *name, char out[ADDRESS_DOMAIN_MAX + 1])
{
	char *ascii = NULL;
	int r = idn2_lookup_u8((const uint8_t *)name, (uint8_t **)&ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

	if (r == IDN2_OK)
		r = address_domain(ascii, strlen(ascii), out, NULL);
	idn2_free(ascii);
	return r == 0 ? 0 : -1;
}

static void ask(struct dns *d, const struct scout_ask *a, dns_done *done, void *ctx)
{
	struct dns_question *q = question_new(d, a->kind, done, ctx);

	q->tlsa_port = a->tlsa_port;
	if (a->kind == SCOUT_KIND_HOST && strlen(a->name) < 64 && is_address(a->name, &q->out.hosts[0])) {
		q->out.nhosts = 1;
		dns_state_finish(q, SCOUT_OK);
		return;
	}
	if (address_domain(a->name, strlen(a->name), q->name, NULL) == 0 || to_ascii(a->name, q->name) == 0) {
		begin(q);
		return;
	}
	problem_set(&q->out.problem, PROBLEM_PERM, 550, "5.1.2", "RFC 5321 4.1.2", "\"%.253s\" is not a domain name",
	    a->name);
	dns_state_finish(q, SCOUT_PERM);
}

static void ask_name(struct dns *d, enum scout_kind kind, const char *name, dns_done *done, void *ctx)
{
	struct scout_ask a = {.kind = kind};

	/* what does not fit is too long for a name: "" is refused as one */
	if (mem_copy_str(a.name, sizeof a.name, name) < 0)
		a.name[0] = 0;
	ask(d, &a, done, ctx);
}

void dns_mx(struct dns *d, const char *domain, dns_done *done, void *ctx)
{
	ask_name(d, SCOUT_KIND_MX, domain, done, ctx);
}

void dns_host(struct dns *d, const char *host, dns_done *done, void *ctx)
{
	ask_name(d, SCOUT_KIND_HOST, host, done, ctx);
}

void dns_ask(struct dns *d, const struct scout_ask *a, dns_done *done, void *ctx)
{
	ask(d, a, done, ctx);
}

void dns_txt(struct dns *d, const char *prefix, const char *domain, const char *begins, dns_txt_done *done, void *ctx)
{
	struct dns_question *q = question_new(d, SCOUT_KIND_MX, NULL, ctx);
	char name[ADDRESS_DOMAIN_MAX + 1];
	int n;

	q->txt_done = done;
	q->txt_begins = begins;
	if (address_domain(domain, strlen(domain), name, NULL) < 0)
		name[0] = 0;
	n = snprintf(q->name, sizeof q->name, "%s%s", prefix, name);
	if (!name[0] || n < 0 || (size_t)n >= sizeof q->name)
		dns_state_finish(q, SCOUT_OK); /* no such name, no such record */
	else
		begin(q);
}

struct dns *dns_new(struct loop *l, const struct dns_settings *set, struct problem *pr)
{
	struct dns_resolver_anchors anchors;
	struct ub_ctx *u = dns_resolver_new(l, set, &anchors, pr);

	if (!u)
		return NULL;

	struct dns *d = mem_new(sizeof *d);

	d->loop = l;
	d->ub = u;
	d->anchors = anchors;
	d->timeout = set->timeout;
	d->which = set->loopback_hosts ? DNS_ANSWER_ANY : DNS_ANSWER_PUBLIC;
	return d;
}

struct ub_ctx *dns_context(struct dns *d)
{
	return d->ub;
}

/* Is it a domain, and name in it or the same? */
static bool is_in(const char *name, const char *domain)
{
	size_t n = strlen(name), k = strlen(domain);

	return k == 0 || (n >= k && strcasecmp(name + n - k, domain) == 0 && (n == k || name[n - k - 1] == '.'));
}

const char *dns_anchor(const struct dns *d, const char *name)
{
	const char *best = NULL;

	for (size_t i = 0; i < d->anchors.n; i++)
		if (is_in(name, d->anchors.v[i]) && (!best || strlen(d->anchors.v[i]) > strlen(best)))
			best = d->anchors.v[i];
	return best;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	for (struct dns_question *q = d->all, *next; q; q = next) {
		next = q->next;
		question_free(q);
	}
	ub_ctx_delete(d->ub);
	dns_resolver_anchors_free(&d->anchors);
	free(d);
}
