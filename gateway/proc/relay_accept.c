#include "gateway/proc/relay_accept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/network.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_session.h"
#include "gateway/proc/relay_tls.h"

enum { ACCEPT_AT_ONCE = 64, BUCKETS = 1024, REST_MS = 200, ALARM_MS = 60000 };

struct listener {
	struct relay_accept *of;
	struct smtpd_listener ls;
	const struct conf_listener *conf;
	int fd;
	struct loop_io *io;
	struct loop_timer *again;
};
struct open_session {
	struct open_session *next, **prev;
	struct smtpd *s;
	char client[64];
};
struct relay_accept {
	struct relay *r;
	struct listener *v;
	size_t n;
	SSL_CTX *tls;			    /* of the present identities, NULL none */
	struct open_session *open[BUCKETS]; /* by client address */
	size_t sessions;
	size_t of_side[2]; /* inside clients keep their places when the outside takes all of its own */
	int64_t alarmed;
	bool stopped;
};

static size_t bucket(const char *client)
{
	size_t h = 5381;

	while (*client != '\0')
		h = h * 33 + (uint8_t)*client++;
	return h % BUCKETS;
}

/* ---- counting ---- */

static size_t of_client(const struct relay_accept *a, const char *client)
{
	size_t n = 0;

	for (const struct open_session *o = a->open[bucket(client)]; o != NULL; o = o->next)
		n += strcmp(o->client, client) == 0;
	return n;
}

static const struct conf_listener *conf_of(const struct relay_accept *a, const struct smtpd *s)
{
	for (size_t i = 0; i < a->n; i++)
		if (&a->v[i].ls == smtpd_where(s))
			return a->v[i].conf;
	log_panic("a session of no listener");
}

static void remember(struct relay_accept *a, struct smtpd *s)
{
	struct open_session *o = mem_new(sizeof(*o));
	struct open_session **b;

	snprintf(o->client, sizeof(o->client), "%s", smtpd_client(s));
	b = &a->open[bucket(o->client)];
	o->s = s;
	o->next = *b;
	o->prev = b;
	if (*b != NULL)
		(*b)->prev = &o->next;
	*b = o;
	a->sessions++;
}

int relay_accept_count(struct relay_accept *a, struct smtpd *s, struct problem *pr)
{
	const struct conf_listener *c = conf_of(a, s);
	const char *client = smtpd_client(s);

	if (c->side == 0 && !network_contains(c->networks.v, c->networks.n, client))
		return problem_set(
		    pr, PROBLEM_POLICY, 554, "5.7.1", "", "%s is not in the networks that may send here", client);
	if (a->of_side[c->side] >= (size_t)a->r->top->sessions_max)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.3.2", "", "too many sessions, try again later");
	if (of_client(a, client) >= (size_t)a->r->top->sessions_per_client)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.7.0", "", "too many sessions from %s", client);
	remember(a, s);
	a->of_side[c->side]++;
	return 0;
}

void relay_accept_uncount(struct relay_accept *a, struct smtpd *s)
{
	for (struct open_session *o = a->open[bucket(smtpd_client(s))]; o != NULL; o = o->next)
		if (o->s == s) {
			*o->prev = o->next;
			if (o->next != NULL)
				o->next->prev = o->prev;
			a->sessions--;
			a->of_side[conf_of(a, s)->side]--;
			free(o);
			return;
		}
}

size_t relay_accept_sessions(const struct relay_accept *a)
{
	return a->sessions;
}

/* ---- accepting ---- */

/* No descriptor is free: the listener rests for a moment instead of being told of the same client again and again. */
static void rest(struct listener *l)
{
	int64_t now = loop_now_ms();

	loop_io_want(l->io, 0);
	loop_timer_set(l->again, REST_MS);
	if (now - l->of->alarmed < ALARM_MS && l->of->alarmed != 0)
		return;
	l->of->alarmed = now;
	log_error(NULL, "relay",
	    "alarm=descriptors listener=%s why=\"no free descriptor: raise LimitNOFILE or lower sessions-max\"",
	    l->ls.name);
}

static void rested(void *ctx)
{
	struct listener *l = ctx;

	if (l->io != NULL)
		loop_io_want(l->io, LOOP_READ);
}

static void on_accept(void *ctx, int fd, unsigned got)
{
	struct listener *l = ctx;

	(void)got;
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int c = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c < 0) {
			if (errno == EMFILE || errno == ENFILE)
				rest(l);
			return;
		}
		smtpd_new(l->of->r->loop, c, &l->ls);
	}
}

void relay_accept_listen(struct relay_accept *a, size_t i, int fd)
{
	if (i >= a->n || a->v[i].fd >= 0) {
		close(fd);
		return;
	}
	a->v[i].fd = fd;
}

void relay_accept_begin(struct relay_accept *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct listener *l = &a->v[i];

		if (l->fd < 0 || l->io != NULL)
			continue;
		l->io = loop_io_new(a->r->loop, l->fd, on_accept, l);
		loop_io_want(l->io, LOOP_READ);
	}
}

/* ---- TLS ---- */

void relay_accept_identities(struct relay_accept *a)
{
	struct problem pr = {0};
	SSL_CTX *ctx = relay_tls_server(a->r, &pr);

	if (ctx == NULL && pr.cls != PROBLEM_NONE) {
		log_error(NULL, "relay", "alarm=tls why=\"%s\"", pr.text);
		return; /* the old one goes on */
	}
	if (ctx == NULL)
		log_warn(NULL, "relay",
		    "tls why=\"no TLS certificate: STARTTLS is not offered; make one with postern domain tls %s\"",
		    a->r->top->hostname);
	SSL_CTX_free(a->tls);
	a->tls = ctx;
	for (size_t i = 0; i < a->n; i++)
		a->v[i].ls.tls = a->v[i].conf->starttls ? ctx : NULL;
}

struct relay_accept *relay_accept_new(struct relay *r)
{
	struct relay_accept *a = mem_new(sizeof(*a));

	a->r = r;
	a->n = conf_listeners(r->conf);
	a->v = mem_new((a->n + 1) * sizeof(*a->v));
	for (size_t i = 0; i < a->n; i++) {
		struct listener *l = &a->v[i];

		l->of = a;
		l->fd = -1;
		l->conf = conf_listener(r->conf, i, &l->ls.name);
		l->again = loop_timer_new(r->loop, rested, l);
		l->ls.side = l->conf->side == 0 ? SMTPD_INSIDE : SMTPD_OUTSIDE;
		l->ls.hostname = r->top->hostname;
		l->ls.tls_required = l->conf->tls_required;
		l->ls.set = conf_section(r->conf, "smtp-server");
		l->ls.ops = &relay_session_ops;
		l->ls.app = r;
	}
	return a;
}

void relay_accept_stop(struct relay_accept *a)
{
	a->stopped = true;
	for (size_t i = 0; i < a->n; i++) {
		loop_io_free(a->v[i].io);
		a->v[i].io = NULL;
	}
	for (size_t b = 0; b < BUCKETS; b++)
		for (struct open_session *o = a->open[b], *next; o != NULL; o = next) {
			next = o->next;
			smtpd_shutdown(o->s);
		}
}

void relay_accept_free(struct relay_accept *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++) {
		loop_io_free(a->v[i].io);
		loop_timer_free(a->v[i].again);
		if (a->v[i].fd >= 0)
			close(a->v[i].fd);
	}
	SSL_CTX_free(a->tls);
	free(a->v);
	free(a);
}
