#include "gateway/proc/relay_hops.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_hop_tls.h"
#include "gateway/proc/relay_rcpts.h"
#include "gateway/scout/ldap_proto.h"
#include "gateway/scout/scout_proto.h"
#include "gateway/smtp/smtpc_dane.h"

enum { ASK_TIMEOUT_MS = 60000 };

struct question {
	struct question *next;
	uint32_t id;
	int64_t until;
	char key[RELAY_HOP_MAX];
	unsigned port;
	enum scout_kind kind;
	char name[256];
	enum conf_tls tls;
	relay_hops_fn *fn;
	void *ctx;
};
struct relay_hops {
	struct relay *r;
	struct ipc_chan *chan;
	struct loop_timer *timer;
	struct question *waiting;
	uint32_t next_id;
};

void relay_hops_key(const struct relay *r, const char *domain, char key[RELAY_HOP_MAX])
{
	if (conf_domain_find(r->conf, domain) != NULL)
		snprintf(key, RELAY_HOP_MAX, "inside:%s", domain);
	else if (r->top->relay_host[0])
		snprintf(key, RELAY_HOP_MAX, "host");
	else
		snprintf(key, RELAY_HOP_MAX, "mx:%s", domain);
}

bool relay_hops_verified(const struct relay *r, const char *domain)
{
	/* a host name out of an unauthenticated MX answer proves nothing: only a configured relay host counts */
	return conf_domain_find(r->conf, domain) == NULL && r->top->relay_host[0] != '\0' &&
	       r->top->relay_tls == CONF_TLS_VERIFY;
}

static bool is_local(const char *hostport)
{
	return strncmp(hostport, "127.", 4) == 0 || strncmp(hostport, "[::1]", 5) == 0 ||
	       strncmp(hostport, "localhost:", 10) == 0;
}

enum relay_hops_inside relay_hops_inside(const struct relay *r, const char *domain)
{
	const struct conf_domain *d = conf_domain_find(r->conf, domain);

	if (d == NULL)
		return RELAY_HOPS_INSIDE_OPEN;
	if (is_local(d->inside_server))
		return RELAY_HOPS_INSIDE_LOCAL;
	return d->inside_tls == CONF_TLS_VERIFY || d->inside_tls == CONF_TLS_DANE_ONLY ? RELAY_HOPS_INSIDE_VERIFIED
										       : RELAY_HOPS_INSIDE_OPEN;
}

static void put_port(struct sockaddr_storage *ss, unsigned port)
{
	if (ss->ss_family == AF_INET)
		((struct sockaddr_in *)ss)->sin_port = htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)ss)->sin6_port = htons((uint16_t)port);
}

static void no_answer(relay_hops_fn *fn, void *ctx, const char *why)
{
	struct problem pr;

	problem_set(&pr, PROBLEM_TEMP, 451, "4.4.3", "", "%s", why);
	fn(ctx, NULL, &pr);
}

static void answer(struct relay_hops *h, const char *key, enum conf_tls mode, const struct smtpc_host *hosts,
    size_t n, bool unsure, relay_hops_fn *fn, void *ctx)
{
	enum smtpc_tls tls = relay_hop_tls_least(mode);

	/* without the context that was asked for (the CA file could not be read) nothing goes: verification never
	 * becomes less */
	if (tls == SMTPC_TLS_VERIFY && h->r->tls_verify == NULL) {
		no_answer(fn, ctx,
		    "TLS is to be verified, but tls-ca-file could not be read when the gateway started: mend it and "
		    "reload");
		return;
	}
	struct smtpc_dest d = {
	    .key = key,
	    .hosts = hosts,
	    .nhosts = n,
	    .unsure = unsure,
	    .tls = tls,
	    .ctx = tls == SMTPC_TLS_NONE     ? NULL
		   : tls == SMTPC_TLS_VERIFY ? h->r->tls_verify
					     : h->r->tls_any,
	};

	fn(ctx, &d, NULL);
}

/* What TLS is wanted of a next hop, and whether MTA-STS may want more. */
struct want {
	enum conf_tls tls;
	bool sts;
};

static void ask(struct relay_hops *h, const char *key, enum scout_kind kind, const char *name, unsigned port,
    struct want want, relay_hops_fn *fn, void *ctx)
{
	struct scout_ask a = {.kind = kind};
	struct question *q;
	struct ipc_out o;

	if (h->chan == NULL || mem_copy_str(a.name, sizeof(a.name), name) != 0) {
		no_answer(fn, ctx, "the look-up process is away; try again");
		return;
	}
	relay_hop_tls_ask(h->r, want.tls, port, &a);
	a.sts = a.sts && want.sts;
	q = mem_new(sizeof(*q));
	q->id = ++h->next_id;
	q->until = loop_now_ms() + ASK_TIMEOUT_MS;
	q->port = port;
	q->kind = kind;
	q->tls = want.tls;
	snprintf(q->name, sizeof(q->name), "%s", name);
	q->fn = fn;
	q->ctx = ctx;
	snprintf(q->key, sizeof(q->key), "%s", key);
	scout_proto_put_ask(&o, q->id, &a);
	if (ipc_chan_send(h->chan, &o) != 0) {
		free(q);
		no_answer(fn, ctx, "the look-up process is away; try again");
		return;
	}
	q->next = h->waiting;
	h->waiting = q;
}

/* A configured host:port; numeric addresses are used as they stand. */
static void configured(
    struct relay_hops *h, const char *key, const char *hostport, enum conf_tls tls, relay_hops_fn *fn, void *ctx)
{
	struct smtpc_host host = {.naddrs = 1, .name_sure = true};
	unsigned port;

	if (conf_hostport(hostport, 25, host.name, &host.addrs[0], &port, NULL) == 0) {
		if (tls == CONF_TLS_DANE_ONLY)
			no_answer(fn, ctx,
			    "the next hop is configured by its address, which has no TLSA records: name it, or "
			    "change "
			    "dane-only");
		else
			answer(h, key, tls, &host, 1, false, fn, ctx);
		return;
	}
	if (conf_hostport(hostport, 25, host.name, NULL, &port, NULL) != 0)
		no_answer(fn, ctx,
		    "the configured next hop is not host:port"); /* cannot be: checked when the file was read */
	else
		ask(h, key, SCOUT_KIND_HOST, host.name, port, (struct want){.tls = tls}, fn, ctx);
}

static void find(struct relay_hops *h, const char *key, struct want out, relay_hops_fn *fn, void *ctx)
{
	const struct conf_top *top = h->r->top;

	if (strncmp(key, "inside:", 7) == 0) {
		const struct conf_domain *d = conf_domain_find(h->r->conf, key + 7);

		if (d == NULL)
			no_answer(fn, ctx,
			    "the domain is no longer in the configuration: put it back or delete the message");
		else
			configured(h, key, d->inside_server, (enum conf_tls)d->inside_tls, fn, ctx);
	} else if (strcmp(key, "host") == 0 && top->relay_host[0]) {
		configured(h, key, top->relay_host, out.tls, fn, ctx);
	} else if (strncmp(key, "mx:", 3) == 0) {
		if (top->relay_host[0]) /* the configuration changed since it was queued */
			configured(h, "host", top->relay_host, out.tls, fn, ctx);
		else
			ask(h, key, SCOUT_KIND_MX, key + 3, (unsigned)top->mx_port, out, fn, ctx);
	} else {
		no_answer(fn, ctx, "relay-host is no longer configured: configure it again or delete the message");
	}
}

void relay_hops_find(struct relay_hops *h, const char *key, relay_hops_fn *fn, void *ctx)
{
	find(h, key, (struct want){.tls = (enum conf_tls)h->r->top->relay_tls, .sts = true}, fn, ctx);
}

void relay_hops_find_less(struct relay_hops *h, const char *key, relay_hops_fn *fn, void *ctx)
{
	enum conf_tls tls = (enum conf_tls)h->r->top->relay_tls;

	find(h, key, (struct want){.tls = tls == CONF_TLS_DANE ? CONF_TLS_MAY : tls}, fn, ctx);
}

static void hosts_came(struct relay_hops *h, struct question *q, struct scout_hosts *got)
{
	struct smtpc_host *v;
	struct problem pr;
	size_t n = 0;

	if (got->status != SCOUT_OK) {
		q->fn(q->ctx, NULL, &got->problem);
		return;
	}
	v = mem_new(SCOUT_HOSTS_MAX * sizeof(*v));
	for (; n < got->nhosts; n++) {
		memcpy(v[n].name, got->hosts[n].name, sizeof(v[n].name));
		memcpy(v[n].addrs, got->hosts[n].addrs, sizeof(v[n].addrs));
		v[n].naddrs = got->hosts[n].naddrs;
		for (size_t k = 0; k < v[n].naddrs; k++)
			put_port(&v[n].addrs[k], q->port);
		v[n].name_sure = q->kind == SCOUT_KIND_HOST;
	}
	n = relay_hop_tls_choose(h->r, q->tls, q->kind, q->name, got, v, n, &pr);
	if (n > 0)
		answer(h, q->key, q->tls, v, n, relay_hop_tls_unsure(got), q->fn, q->ctx);
	else
		q->fn(q->ctx, NULL, &pr);
	for (size_t i = 0; i < SCOUT_HOSTS_MAX; i++)
		smtpc_dane_free(v[i].dane);
	free(v);
}

static void on_msg(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct relay_hops *h = ctx;
	struct scout_hosts *got;
	uint32_t id = in->id;

	(void)c;
	if (in->type == LDAP_PROTO_ANSWER) {
		relay_rcpts_ldap_came(h->r->rcpts, in);
		return;
	}
	got = mem_new(sizeof(*got));
	if (scout_proto_get_hosts(in, got) != 0)
		log_fatal("the scout sent an answer that cannot be read");
	for (struct question **p = &h->waiting; *p != NULL; p = &(*p)->next)
		if ((*p)->id == id) {
			struct question *q = *p;

			*p = q->next;
			hosts_came(h, q, got);
			free(q);
			break;
		}
	free(got);
}

static void fail_until(struct relay_hops *h, int64_t now, const char *why)
{
	struct question *late = NULL;

	for (struct question **p = &h->waiting; *p != NULL;) {
		struct question *q = *p;

		if (q->until > now) {
			p = &q->next;
			continue;
		}
		*p = q->next;
		q->next = late;
		late = q;
	}
	while (late != NULL) {
		struct question *q = late;

		late = q->next;
		no_answer(q->fn, q->ctx, why);
		free(q);
	}
}

static void on_close(void *ctx, struct ipc_chan *c, const char *why)
{
	struct relay_hops *h = ctx;

	log_warn(NULL, "relay", "scout-away why=\"%s\"", why);
	ipc_chan_free(c);
	h->chan = NULL;
	fail_until(h, INT64_MAX, "the look-up process is away; try again");
	relay_rcpts_scout_gone(h->r->rcpts);
}

static void on_timer(void *ctx)
{
	struct relay_hops *h = ctx;

	fail_until(h, loop_now_ms(), "the look-up of the next hop took too long");
	loop_timer_set(h->timer, 1000);
}

static const struct ipc_chan_ops ops = {on_msg, on_close};

struct relay_hops *relay_hops_new(struct relay *r)
{
	struct relay_hops *h = mem_new(sizeof(*h));

	h->r = r;
	h->timer = loop_timer_new(r->loop, on_timer, h);
	loop_timer_set(h->timer, 1000);
	return h;
}

void relay_hops_channel(struct relay_hops *h, int fd)
{
	ipc_chan_free(h->chan);
	h->chan = NULL;
	fail_until(h, INT64_MAX, "the look-up process was replaced; try again");
	h->chan = ipc_chan_new(h->r->loop, fd, &ops, h);
	relay_rcpts_scout_gone(h->r->rcpts);
}

int relay_hops_tell_scout(struct relay_hops *h, struct ipc_out *o)
{
	if (h->chan != NULL)
		return ipc_chan_send(h->chan, o);
	ipc_out_clear(o);
	return -1;
}

void relay_hops_free(struct relay_hops *h)
{
	if (h == NULL)
		return;
	ipc_chan_free(h->chan);
	loop_timer_free(h->timer);
	while (h->waiting != NULL) {
		struct question *q = h->waiting;

		h->waiting = q->next;
		free(q);
	}
	free(h);
}
