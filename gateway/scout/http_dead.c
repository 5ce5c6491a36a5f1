#include "gateway/scout/http_dead.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "gateway/base/log.h"

enum { LEAST_MS = 1000, SERVER = 300 };

static const char *server_of(const struct http_dead_place *p, char out[SERVER])
{
	(void)snprintf(out, SERVER, "%.255s:%u", p->host, p->port);
	return out;
}

static void put_ports(const struct http_dead_place *p)
{
	for (size_t i = 0; i < p->naddrs; i++) {
		if (p->addrs[i].ss_family == AF_INET6)
			((struct sockaddr_in6 *)&p->addrs[i])->sin6_port = htons((uint16_t)p->port);
		else
			((struct sockaddr_in *)&p->addrs[i])->sin_port = htons((uint16_t)p->port);
	}
}

/*
 * What costs no time need not be remembered. A server that took the connection is there: that one URL has no answer
 * says nothing of the others, and a stranger chooses the URL. An address counts as dead for everybody when it was the
 * only one of the name: of several it is not known which was tried, and a stranger's name may lead to other people's
 * servers; then the name counts as dead, with these addresses.
 */
void http_dead_note(struct dead *d, const struct http_dead_place *p, const struct http_dead_silence *s, int64_t ms)
{
	bool everybody = p->naddrs == 1;
	char server[SERVER];

	if (ms <= 0 || s->connected || s->ran_ms < LEAST_MS || (!s->given_up && s->ran_ms < s->time_ms / 4 * 3))
		return;
	server_of(p, server);
	put_ports(p);
	for (size_t i = 0; i < p->naddrs; i++)
		dead_mark(d, everybody ? "" : server, &p->addrs[i], ms, s->why);
	log_warn(NULL, "scout", "dead server=%s why=\"%s\"", server, s->why);
}

size_t http_dead_leave_out(const struct dead *d, struct http_dead_place *p, char *words, size_t cap)
{
	char server[SERVER], why[400] = "";
	size_t n = 0;

	server_of(p, server);
	put_ports(p);
	for (size_t i = 0; i < p->naddrs; i++)
		if (!dead_is(d, server, &p->addrs[i], why, sizeof why))
			p->addrs[n++] = p->addrs[i];
	p->naddrs = n;
	if (n == 0)
		(void)snprintf(words, cap, "%.60s is %.220s", server, why);
	return n;
}
