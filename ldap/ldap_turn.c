#include "ldap/ldap_turn.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "certstore/source_site.h"
#include "ldap/ldap_settings.h"

enum { SHARE = 4 };

static bool same_addr(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a, *b4 = (const struct sockaddr_in *)b;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a, *b6 = (const struct sockaddr_in6 *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr && a4->sin_port == b4->sin_port;
	return memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) == 0 && a6->sin6_port == b6->sin6_port;
}

static bool is_loopback(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

static bool same_network(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a, *b4 = (const struct sockaddr_in *)b;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a, *b6 = (const struct sockaddr_in6 *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (is_loopback(a))
		return same_addr(a, b);
	if (a->ss_family == AF_INET)
		return ntohl(a4->sin_addr.s_addr) >> 8 == ntohl(b4->sin_addr.s_addr) >> 8;
	return memcmp(&a6->sin6_addr, &b6->sin6_addr, 6) == 0;
}

/* "" for a server that is named by its address. */
static const char *domain_of(const struct ldap_settings_server *s)
{
	if (strchr(s->host, ':') != NULL || s->host[strspn(s->host, "0123456789.")] == '\0')
		return "";
	return source_site_domain(s->host);
}

static bool same_server(const struct ldap_cert_server *a, const struct ldap_cert_server *b)
{
	struct ldap_settings_server sa, sb;

	for (size_t i = 0; i < a->naddrs; i++)
		for (size_t k = 0; k < b->naddrs; k++)
			if (same_network(&a->addrs[i], &b->addrs[k]))
				return true;
	if (ldap_settings_server(a->uri, &sa, NULL) != 0 || ldap_settings_server(b->uri, &sb, NULL) != 0)
		return false;
	return *domain_of(&sa) != '\0' && strcasecmp(domain_of(&sa), domain_of(&sb)) == 0;
}

bool ldap_turn_same(const struct ldap_cert_ask *a, const struct ldap_cert_ask *b)
{
	for (size_t i = 0; i < a->nservers; i++)
		for (size_t k = 0; k < b->nservers; k++)
			if (same_server(&a->servers[i], &b->servers[k]))
				return true;
	return false;
}

static size_t find(const struct ldap_turn *t, const struct sockaddr_storage *addr)
{
	size_t i = 0;

	while (i < LDAP_TURN_MAX && (t->answered[i].ss_family == 0 || !same_addr(&t->answered[i], addr)))
		i++;
	return i;
}

void ldap_turn_answered(struct ldap_turn *t, const struct sockaddr_storage *addr)
{
	if (find(t, addr) == LDAP_TURN_MAX)
		t->answered[t->next++ % LDAP_TURN_MAX] = *addr;
}

void ldap_turn_failed(struct ldap_turn *t, const struct sockaddr_storage *addr)
{
	size_t i = find(t, addr);

	if (i < LDAP_TURN_MAX)
		memset(&t->answered[i], 0, sizeof(t->answered[i]));
}

bool ldap_turn_is_known(const struct ldap_turn *t, const struct ldap_cert_ask *a)
{
	return a->nservers > 0 && a->servers[0].naddrs > 0 && find(t, &a->servers[0].addrs[0]) < LDAP_TURN_MAX;
}

int64_t ldap_turn_share(int64_t threads)
{
	return threads - threads / SHARE;
}
