#include "gateway/scout/source_ldap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "ldap/ldap_cert.h"
#include "ldap/ldap_filter.h"

struct directory {
	struct directory *next;
	const char *title;
	const struct ldap_cert_settings *set;
	struct ldap_cert *pool; /* NULL: why */
	char why[280];
};
struct source_ldap {
	struct loop *loop;
	struct dns *dns;
	const struct source_settings *set;
	struct ldap_settings strangers_set;
	struct ldap_cert *strangers;
	struct directory *all;
	struct question *questions; /* that wait for dns.h */
	size_t n;
};
struct question {
	struct question *next, **prev;
	struct source_ldap *of;
	const struct directory *dir; /* NULL: a stranger's server */
	char filter[LDAP_FILTER_MAX];
	char who[400];
	char place[300]; /* title or URI, as asked */
	struct ldap_cert_ask ask;
	size_t server; /* whose name is being looked up */
	int64_t began;
	struct loop_timer *late; /* while its names are looked up */
	bool told;		 /* but dns.h will still call */
	char why[300];		 /* set: it ends with this */
	source_done *done;
	void *ctx;
};

/* ---- the way of a question ---- */

static void question_free(struct question *q)
{
	*q->prev = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	q->of->n--;
	loop_timer_free(q->late);
	free(q);
}

__attribute__((format(printf, 2, 3))) static void say(struct question *q, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(q->why, sizeof(q->why), fmt, ap);
	va_end(ap);
}

/* Servers and libraries put octets of their own into their words. */
static void clean(char *s)
{
	for (; *s != '\0'; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

static void answered(void *ctx, const struct source_answer *from)
{
	struct question *q = ctx;
	struct source_answer *a = mem_new(sizeof(*a));
	source_done *done = q->done;
	void *to = q->ctx;

	*a = *from;
	a->took_ms = (uint32_t)(loop_now_ms() - q->began);
	clean(a->why);
	clean(a->where);
	question_free(q);
	done(to, a);
	free(a);
}

static void refuse(void *ctx)
{
	struct question *q = ctx;
	struct source_answer *a = mem_new(sizeof(*a));

	source_answer_set(a, SOURCE_TEMP, "%s", q->why);
	snprintf(a->where, sizeof(a->where), "%s", q->ask.nservers > 0 ? q->ask.servers[0].uri : q->place);
	answered(q, a);
	free(a);
}

/* dns.h has it: the question goes when that comes. */
static void on_late(void *ctx)
{
	struct question *q = ctx;
	struct source_answer *a = mem_new(sizeof(*a));

	source_answer_set(a, SOURCE_TEMP, "%.90s: DNS said nothing of its name within %u ms",
	    q->ask.servers[q->server].uri, q->ask.timeout_ms);
	snprintf(a->where, sizeof(a->where), "%s", q->ask.servers[q->server].uri);
	a->took_ms = q->ask.timeout_ms;
	q->told = true;
	q->done(q->ctx, a);
	free(a);
}

static void look_up(struct question *q);

static void host_came(void *ctx, const struct scout_hosts *h)
{
	struct question *q = ctx;
	struct ldap_cert_server *s = &q->ask.servers[q->server];
	const struct scout_host *host = &h->hosts[0];

	if (q->told) {
		question_free(q);
		return;
	}
	if (h->status != SCOUT_OK) {
		say(q, "%.90s: %.200s", s->uri,
		    h->status == SCOUT_PERM ? "it has no address in the DNS" : h->problem.text);
	} else {
		for (size_t i = 0; i < host->naddrs && s->naddrs < LDAP_CERT_ADDRS_MAX; i++)
			if (source_settings_addr(
				q->of->set, q->dir == NULL ? SOURCE_BY_STRANGER : SOURCE_BY_ADMIN, &host->addrs[i]))
				s->addrs[s->naddrs++] = host->addrs[i];
		if (s->naddrs == 0)
			say(q,
			    "%.90s has private or reserved addresses alone, which others may not name "
			    "(allow-private)",
			    s->uri);
	}
	q->server++;
	look_up(q);
}

/* Those without an address are left out: the others may do. */
static size_t with_address(struct question *q)
{
	size_t n = 0;

	for (size_t i = 0; i < q->ask.nservers; i++) {
		if (q->ask.servers[i].naddrs == 0)
			continue;
		if (n != i)
			q->ask.servers[n] = q->ask.servers[i];
		n++;
	}
	return n;
}

/* One name after the other; unbound remembers them. */
static void look_up(struct question *q)
{
	struct ldap_settings_server s;
	int64_t left = q->began + q->ask.timeout_ms - loop_now_ms();
	size_t n;

	if (q->server < q->ask.nservers) {
		if (ldap_settings_server(q->ask.servers[q->server].uri, &s, NULL) != 0)
			log_panic("a server of the configuration cannot be read");
		dns_host(q->of->dns, s.host, host_came, q);
		return;
	}
	loop_timer_off(q->late);
	n = with_address(q);
	if (n > 0 && left <= 0)
		say(q, "%.90s: no time left behind the DNS look-up of its name", q->ask.servers[0].uri);
	if (n == 0 || left <= 0) {
		refuse(q);
		return;
	}
	q->ask.nservers = n;
	q->ask.began = q->began;
	q->ask.filter = q->filter;
	q->ask.who = q->who;
	ldap_cert_ask(q->dir != NULL ? q->dir->pool : q->of->strangers, &q->ask, answered, q);
}

/* ---- what is asked ---- */

static int make_filter(struct question *q, const char *pattern, const char *mail)
{
	const char *at = strrchr(mail, '@');
	char *local = at == NULL ? NULL : mem_dup(mail, (size_t)(at - mail) + 1);
	struct buf b;
	int r;

	if (local != NULL)
		local[at - mail] = '\0';
	buf_init(&b, sizeof(q->filter) - 1);
	r = ldap_filter_make(pattern, local, at == NULL ? mail : at + 1, &b);
	if (r == 0)
		memcpy(q->filter, buf_str(&b), b.len + 1);
	buf_clear(&b);
	free(local);
	return r;
}

static void take_servers(struct question *q, char *const *uris, size_t n)
{
	for (size_t i = 0; i < n && q->ask.nservers < LDAP_CERT_SERVERS_MAX; i++)
		snprintf(q->ask.servers[q->ask.nservers++].uri, sizeof(q->ask.servers[0].uri), "%s", uris[i]);
}

static void prepare_directory(struct question *q, const struct source_ask *ask)
{
	const struct directory *d = q->of->all;

	while (d != NULL && strcmp(d->title, ask->directory) != 0)
		d = d->next;
	if (d == NULL) {
		say(q, "there is no section certificate-directory \"%.100s\"", ask->directory);
	} else if (d->pool == NULL) {
		say(q, "%s", d->why);
	} else {
		q->dir = d;
		take_servers(q, d->set->ldap.servers.v, d->set->ldap.servers.n);
		if (make_filter(q, d->set->ldap.filter, ask->mail) != 0)
			say(q, "the filter would be too long");
	}
}

static void prepare_stranger(struct question *q, const struct source_ask *ask)
{
	struct ldap_settings_server s;
	char *uri = mem_str(ask->name);

	if (q->of->strangers == NULL)
		say(q, "tls-ca-file could not be read when the gateway started");
	else if (strlen(uri) >= sizeof(q->ask.servers[0].uri) || ldap_settings_server(uri, &s, NULL) != 0)
		say(q, "\"%.100s\" is no LDAP server", uri);
	else if (!source_settings_port(&q->of->set->ldap_ports, s.port))
		say(q, "%.100s: port %u is not among ldap-ports", uri, s.port);
	else if (make_filter(q, "(mail=%s)", ask->mail) != 0)
		say(q, "the filter would be too long");
	else
		take_servers(q, &uri, 1);
	free(uri);
}

void source_ldap_ask(struct source_ldap *s, const struct source_ask *ask, source_done *done, void *ctx)
{
	struct question *q = mem_new(sizeof(*q));

	q->of = s;
	q->done = done;
	q->ctx = ctx;
	q->began = loop_now_ms();
	q->ask.max = ask->max;
	q->ask.timeout_ms = ask->timeout_ms;
	snprintf(q->who, sizeof(q->who), "%s", ask->mail);
	snprintf(q->place, sizeof(q->place), "%s", ask->directory[0] != '\0' ? ask->directory : ask->name);
	q->next = s->questions;
	q->prev = &s->questions;
	if (q->next != NULL)
		q->next->prev = &q->next;
	s->questions = q;
	s->n++;
	q->late = loop_timer_new(s->loop, on_late, q);
	if (ask->directory[0] != '\0')
		prepare_directory(q, ask);
	else
		prepare_stranger(q, ask);
	if (q->why[0] == '\0' && s->n > SOURCE_LDAP_WAITING_MAX)
		say(q, "too many questions wait for directories here");
	if (q->why[0] != '\0') {
		loop_soon(s->loop, refuse, q);
		return;
	}
	loop_timer_set(q->late, ask->timeout_ms);
	look_up(q);
}

/* ---- the whole ---- */

static struct ldap_cert *pool_for_strangers(struct source_ldap *s, const char *ca_file, struct problem *pr)
{
	static char none[] = "", binary[] = "userCertificate;binary", plain[] = "userCertificate",
		    p7binary[] = "userSMIMECertificate;binary", p7[] = "userSMIMECertificate";
	static char *attributes[] = {binary, plain, p7binary, p7};
	const struct source_settings *set = s->set;
	struct ldap_cert_set c = {.ldap = &s->strangers_set,
	    .connections = set->ldap_connections,
	    .per_server = set->ldap_per_server,
	    .waiting = set->ldap_waiting,
	    .waiting_per_server = set->ldap_waiting_per_server,
	    .idle = set->ldap_idle,
	    .entries = set->ldap_entries};

	s->strangers_set = (struct ldap_settings){.tls_verify = set->ldap_tls_verify,
	    .ca_file = mem_str(ca_file),
	    .base = none,
	    .attributes = {attributes, sizeof(attributes) / sizeof(attributes[0])},
	    .filter = none,
	    .bind_dn = none,
	    .password_file = none,
	    .timeout = set->ldap_timeout,
	    .dead_time = set->ldap_dead_time,
	    .connections = set->ldap_connections};
	c.tls = ldap_link_tls(&s->strangers_set, pr);
	return c.tls == NULL ? NULL : ldap_cert_new(s->loop, &c);
}

struct source_ldap *source_ldap_new(
    struct loop *l, struct dns *d, const struct source_settings *set, const char *ca_file)
{
	struct source_ldap *s = mem_new(sizeof(*s));
	struct problem pr;

	s->loop = l;
	s->dns = d;
	s->set = set;
	s->strangers = pool_for_strangers(s, ca_file, &pr);
	if (s->strangers == NULL)
		log_error(NULL, "scout", "alarm=sources why=\"tls-%s; no directory of others is asked\"", pr.text);
	return s;
}

void source_ldap_add(struct source_ldap *s, const char *title, const struct ldap_cert_settings *set)
{
	struct directory *d = mem_new(sizeof(*d));
	struct problem pr = {0};
	struct ldap_cert_set c = {.ldap = &set->ldap,
	    .connections = set->ldap.connections,
	    .per_server = set->ldap.connections,
	    .waiting = set->waiting,
	    .waiting_per_server = set->waiting,
	    .idle = set->idle,
	    .entries = set->entries,
	    .own = true};

	d->title = title;
	d->set = set;
	c.tls = ldap_link_tls(&set->ldap, &pr);
	if (c.tls != NULL) {
		d->pool = ldap_cert_new(s->loop, &c);
	} else {
		snprintf(d->why, sizeof(d->why), "%.270s", pr.text);
		log_error(NULL, "scout", "alarm=ldap name=%s why=\"%s\"", title, pr.text);
	}
	d->next = s->all;
	s->all = d;
}

void source_ldap_password(struct source_ldap *s, const char *title, const void *p, size_t n)
{
	struct directory *d = s->all;

	while (d != NULL && strcmp(d->title, title) != 0)
		d = d->next;
	if (d != NULL && d->pool != NULL)
		ldap_cert_password(d->pool, p, n);
}

void source_ldap_free(struct source_ldap *s)
{
	if (s == NULL)
		return;
	ldap_cert_free(s->strangers);
	free(s->strangers_set.ca_file);
	while (s->all != NULL) {
		struct directory *d = s->all;

		s->all = d->next;
		ldap_cert_free(d->pool);
		free(d);
	}
	/* question_free unlinks through prev, which the analyser does not follow */
	while (s->questions != NULL)
		question_free(s->questions); /* NOLINT(clang-analyzer-unix.Malloc) */
	free(s);
}
