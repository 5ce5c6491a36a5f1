#include "gateway/scout/scout_ldap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "ldap/ldap_find.h"

struct directory {
	struct directory *next;
	const char *name;
	const struct ldap_settings *set;
	struct ldap_find *find; /* NULL: why */
	char why[400];
};
struct scout_ldap {
	struct loop *loop;
	struct dns *dns;
	struct directory *all;
};
struct question {
	struct directory *dir;
	struct ldap_proto_ask ask;
	struct ldap_find_where where;
	size_t server; /* whose name is being looked up */
	struct dns *dns;
	scout_ldap_fn *fn;
	void *ctx;
};

struct scout_ldap *scout_ldap_new(struct loop *l, struct dns *d)
{
	struct scout_ldap *s = mem_new(sizeof(*s));

	s->loop = l;
	s->dns = d;
	return s;
}

void scout_ldap_add(struct scout_ldap *s, const char *name, const struct ldap_settings *set)
{
	struct directory *d = mem_new(sizeof(*d));
	struct problem pr = {0};

	d->name = name;
	d->set = set;
	d->find = ldap_find_new(s->loop, set, &pr);
	if (d->find == NULL) {
		snprintf(d->why, sizeof(d->why), "%.390s", pr.text);
		log_error(NULL, "scout", "alarm=ldap name=%s why=\"%s\"", name, pr.text);
	}
	d->next = s->all;
	s->all = d;
}

static struct directory *directory(struct scout_ldap *s, const char *name)
{
	struct directory *d = s->all;

	while (d != NULL && strcmp(d->name, name) != 0)
		d = d->next;
	return d;
}

void scout_ldap_password(struct scout_ldap *s, const char *name, const void *p, size_t n)
{
	struct directory *d = directory(s, name);

	if (d != NULL && d->find != NULL)
		ldap_find_password(d->find, p, n);
}

static void found(void *ctx, enum ldap_find_status status, const char *said)
{
	static const enum ldap_proto_status statuses[] = {
	    [LDAP_FIND_FOUND] = LDAP_PROTO_FOUND,
	    [LDAP_FIND_NOTHING] = LDAP_PROTO_NOTHING,
	    [LDAP_FIND_TEMP] = LDAP_PROTO_TEMP,
	    [LDAP_FIND_WRONG] = LDAP_PROTO_WRONG,
	};
	struct question *q = ctx;
	struct ldap_proto_answer a = {.status = statuses[status]};

	snprintf(a.said, sizeof(a.said), "%s", said);
	q->fn(q->ctx, &a);
	free(q);
}

static void look_up(struct question *q);

static void host_came(void *ctx, const struct scout_hosts *h)
{
	struct question *q = ctx;
	size_t n = 0;

	if (h->status == SCOUT_OK)
		for (; n < h->hosts[0].naddrs && n < LDAP_FIND_ADDRS_MAX; n++)
			q->where.servers[q->server].addrs[n] = h->hosts[0].addrs[n];
	q->where.servers[q->server].naddrs = n;
	q->server++;
	look_up(q);
}

/* One name after the other; unbound remembers them. */
static void look_up(struct question *q)
{
	struct ldap_settings_server s;

	if (q->server < q->dir->set->servers.n && q->server < LDAP_FIND_SERVERS_MAX) {
		if (ldap_settings_server(q->dir->set->servers.v[q->server], &s, NULL) != 0)
			log_panic("a server of the configuration cannot be read");
		dns_host(q->dns, s.host, host_came, q);
		return;
	}
	ldap_find_ask(q->dir->find, q->ask.local, q->ask.domain, &q->where, found, q);
}

void scout_ldap_ask(struct scout_ldap *s, const struct ldap_proto_ask *m, scout_ldap_fn *fn, void *ctx)
{
	struct directory *d = directory(s, m->directory);
	struct ldap_proto_answer a = {.status = LDAP_PROTO_WRONG};
	struct question *q;

	if (d == NULL || d->find == NULL) {
		snprintf(a.said, sizeof(a.said), "%s", d == NULL ? "there is no such directory" : d->why);
		fn(ctx, &a);
		return;
	}
	q = mem_new(sizeof(*q));
	q->dir = d;
	q->ask = *m;
	q->dns = s->dns;
	q->fn = fn;
	q->ctx = ctx;
	look_up(q);
}
