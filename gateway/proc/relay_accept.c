#include "gateway/proc/relay_accept.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/network.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_session.h"
#include "gateway/proc/relay_tls_server.h"
#include "gateway/smtp/smtpd_clients.h"
#include "gateway/smtp/smtpd_settings.h"

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
	struct smtpd_client *client;
	int side;
};
struct relay_accept {
	struct relay *r;
	struct listener *v;
	size_t n;
	SSL_CTX *tls; /* of the present identities, NULL none */
	struct smtpd_clients *clients;
	struct open_session *open[BUCKETS]; /* by the session's place */
	size_t sessions;
	size_t of_side[2]; /* inside clients keep their places when the outside takes all of its own */
	bool busy[2];
	int64_t alarmed;
	bool stopped;
};

/* ---- counting ---- */

static const struct conf_listener *conf_of(const struct relay_accept *a, const struct smtpd *s)
{
	for (size_t i = 0; i < a->n; i++)
		if (&a->v[i].ls == smtpd_where(s))
			return a->v[i].conf;
	log_panic("a session of no listener");
}

/* client: as smtpd_client() writes it, which for IPv6 is more than the number. */
static bool among(const struct settings_list *list, const char *client)
{
	static const char tag[] = "IPv6:";

	if (strncmp(client, tag, sizeof(tag) - 1) == 0)
		client += sizeof(tag) - 1;
	return network_contains(list->v, list->n, client);
}

bool relay_accept_proxied(const struct relay_accept *a, const struct smtpd *s)
{
	return among(&conf_of(a, s)->proxy_from, smtpd_client(s));
}

/* The first sessions-max * 3/4 may take their time; from there on until only half are left nobody may who does not
 * come forward with a message. Clients that come and go around one limit would have all deadlines looked at again and
 * again: hence two. */
static void weigh_load(struct relay_accept *a, int side)
{
	size_t max = (size_t)a->r->top->sessions_max, n = a->of_side[side];

	if (a->busy[side] && n <= max / 2) {
		a->busy[side] = false;
		log_info(NULL, "relay", "sessions-free side=%s sessions=%zu", side == 0 ? "inside" : "outside", n);
	}
	if (a->busy[side] || n <= max - max / 4)
		return;
	a->busy[side] = true;
	log_warn(NULL, "relay",
	    "sessions-scarce side=%s sessions=%zu why=\"idle sessions are ended after busy-timeout\"",
	    side == 0 ? "inside" : "outside", n);
	for (size_t b = 0; b < BUCKETS; b++)
		for (struct open_session *o = a->open[b]; o != NULL; o = o->next)
			if (o->side == side)
				smtpd_hurry(o->s);
}

static struct open_session **bucket(struct relay_accept *a, const struct smtpd *s)
{
	return &a->open[((uintptr_t)s >> 6) % BUCKETS];
}

static void remember(struct relay_accept *a, struct smtpd *s, int side, struct smtpd_client *c)
{
	struct open_session *o = mem_new(sizeof(*o)), **b = bucket(a, s);

	o->s = s;
	o->client = c;
	o->side = side;
	o->next = *b;
	o->prev = b;
	if (*b != NULL)
		(*b)->prev = &o->next;
	*b = o;
	a->sessions++;
	a->of_side[side]++;
	weigh_load(a, side);
}

static int check_rates(
    const struct smtpd_settings *set, struct smtpd_client *c, const char *client, struct problem *pr)
{
	int64_t now = loop_now_ms();

	if (set->client_errors_rate > 0 && smtpd_client_rate(c, SMTPD_RATE_ERRORS, now) > set->client_errors_rate)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.7.0", "",
		    "too many errors from %s within a minute, try again later", client);
	if (set->client_sessions_rate > 0 &&
	    smtpd_client_rate(c, SMTPD_RATE_SESSIONS, now) >= set->client_sessions_rate)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.7.0", "",
		    "too many sessions from %s within a minute, try again later", client);
	smtpd_client_count(c, SMTPD_RATE_SESSIONS, now);
	return 0;
}

bool relay_accept_unlimited(const struct relay_accept *a, const struct smtpd *s)
{
	const struct conf_listener *l = conf_of(a, s);

	return l->side == 0 || among(&l->unlimited, smtpd_client(s));
}

/* One session more of c, which entered for it. */
static int check_client(const struct relay_accept *a, struct smtpd *s, struct smtpd_client *c, struct problem *pr)
{
	const char *client = smtpd_client(s);

	if (smtpd_client_sessions(c) > (size_t)a->r->top->sessions_per_client)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.7.0", "", "too many sessions from %s", client);
	if (relay_accept_unlimited(a, s))
		return 0;
	if (check_rates(smtpd_where(s)->set, c, client, pr) != 0)
		return -1;
	smtpd_set_client(s, c);
	return 0;
}

int relay_accept_count(struct relay_accept *a, struct smtpd *s, struct problem *pr)
{
	const struct conf_listener *l = conf_of(a, s);
	const char *client = smtpd_client(s);
	struct smtpd_client *c;

	if (l->side == 0 && !among(&l->networks, client))
		return problem_set(
		    pr, PROBLEM_POLICY, 554, "5.7.1", "", "%s is not in the networks that may send here", client);
	if (a->of_side[l->side] >= (size_t)a->r->top->sessions_max)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.3.2", "", "too many sessions, try again later");
	c = smtpd_clients_enter(a->clients, client);
	if (c == NULL)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.3.2", "", "too many clients at once, try again later");
	if (check_client(a, s, c, pr) != 0) {
		smtpd_clients_leave(a->clients, c);
		return -1;
	}
	remember(a, s, l->side, c);
	return 0;
}

void relay_accept_uncount(struct relay_accept *a, struct smtpd *s)
{
	for (struct open_session *o = *bucket(a, s); o != NULL; o = o->next)
		if (o->s == s) {
			int side = o->side;

			*o->prev = o->next;
			if (o->next != NULL)
				o->next->prev = o->prev;
			smtpd_clients_leave(a->clients, o->client);
			free(o);
			a->sessions--;
			a->of_side[side]--;
			weigh_load(a, side);
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

/* false: there is no certificate. One that cannot be used leaves the old context as it is. */
static bool new_context(struct relay_accept *a, size_t i)
{
	struct problem pr = {0};
	struct listener *l = &a->v[i];
	SSL_CTX *c = relay_tls_server(a->r, l->conf, a->r->client_cas[i], &pr);

	if (c == NULL && pr.cls != PROBLEM_NONE) {
		log_error(NULL, "relay", "alarm=tls listener=%s why=\"%s\"", l->ls.name, pr.text);
		return true;
	}
	SSL_CTX_free(l->ls.tls);
	l->ls.tls = c;
	return c != NULL;
}

void relay_accept_identities(struct relay_accept *a)
{
	bool none = false;

	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].conf->starttls)
			none |= !new_context(a, i);
	if (none)
		log_warn(NULL, "relay",
		    "tls why=\"no TLS certificate: STARTTLS is not offered; make one with postern domain tls %s\"",
		    a->r->top->hostname);
}

struct relay_accept *relay_accept_new(struct relay *r)
{
	struct relay_accept *a = mem_new(sizeof(*a));
	const struct smtpd_settings *set = conf_section(r->conf, "smtp-server");

	a->r = r;
	a->clients = smtpd_clients_new((size_t)set->clients_max);
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
		l->ls.tls_required =
		    l->conf->tls_required || l->conf->client_certificates == CONF_CLIENT_CERTS_REQUIRE;
		l->ls.xsmg = r->top->xsmg;
		l->ls.busy = &a->busy[l->conf->side];
		l->ls.set = set;
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
		SSL_CTX_free(a->v[i].ls.tls);
	}
	smtpd_clients_free(a->clients);
	free(a->v);
	free(a);
}
