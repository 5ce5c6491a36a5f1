/* The table of section "sources". Role scout and whoever reads the configuration. Pure. */
#include "gateway/scout/source_settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/network.h"
#include "gateway/scout/guard.h"

static int check_network(const char *v, struct problem *pr)
{
	if (network_ok(v))
		return 0;
	return problem_perm(pr, "an address or a network such as 192.0.2.0/24 or 2001:db8::/32");
}

/* "N" or "N-M", 1..65535. 0 / -1. */
static int ports_of(const char *v, unsigned *from_r, unsigned *to_r)
{
	const char *dash = strchr(v, '-');
	size_t n = dash ? (size_t)(dash - v) : strlen(v);

	if (n == 0 || n > 5 || strspn(v, "0123456789") != n)
		return -1;
	*from_r = *to_r = (unsigned)strtoul(v, NULL, 10);
	if (dash) {
		size_t m = strlen(dash + 1);

		if (m == 0 || m > 5 || strspn(dash + 1, "0123456789") != m)
			return -1;
		*to_r = (unsigned)strtoul(dash + 1, NULL, 10);
	}
	return *from_r >= 1 && *from_r <= *to_r && *to_r <= 65535 ? 0 : -1;
}

static int check_ports(const char *v, struct problem *pr)
{
	unsigned from, to;

	if (ports_of(v, &from, &to) == 0)
		return 0;
	return problem_perm(pr, "a port such as 80, or several such as 1024-65535");
}

bool source_settings_port(const struct settings_list *ports, unsigned port)
{
	unsigned from, to;

	for (size_t i = 0; i < ports->n; i++) {
		if (ports_of(ports->v[i], &from, &to) == 0 && port >= from && port <= to)
			return true;
	}
	return false;
}

bool source_settings_addr(
    const struct source_settings *set, enum source_chosen chosen, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)addr;
	char text[INET6_ADDRSTRLEN];
	bool six = addr->ss_family == AF_INET6;

	if (chosen == SOURCE_BY_ADMIN || guard_public(addr))
		return true;
	if (!inet_ntop(addr->ss_family, six ? (const void *)&in6->sin6_addr : &in4->sin_addr, text, sizeof text))
		return false;
	return network_contains(set->allow_private.v, set->allow_private.n, text);
}

#define AT(f) offsetof(struct source_settings, f)
#define S 1000LL
#define HOUR (3600 * S)
static const struct setting rows[] = {
    {"allow-private", SETTING_LIST, AT(allow_private), "", 0, 64, NULL,
	"Networks whose addresses others may name in DNS records, certificates and redirects although they are not "
	"public; what the configuration names may be anywhere.",
	check_network},
    {"http-ports", SETTING_LIST, AT(http_ports), "80, 443, 1024-65535", 0, 16, NULL,
	"Ports that others may name in URLs.", check_ports},
    {"http-redirects", SETTING_INT, AT(http_redirects), "3", 0, 20, NULL, "Redirects that are followed, one by one.",
	NULL},
    {"http-connections", SETTING_INT, AT(http_connections), "32", 1, 512, NULL, "HTTP requests under way at once.",
	NULL},
    {"http-per-host", SETTING_INT, AT(http_per_host), "4", 1, 64, NULL,
	"HTTP requests under way at once to one name or address.", NULL},
    {"http-waiting", SETTING_INT, AT(http_waiting), "1000", 1, 100000, NULL,
	"HTTP requests that are asked for and not answered; more are answered \"not now\".", NULL},
    {"http-waiting-per-host", SETTING_INT, AT(http_waiting_per_host), "50", 1, 10000, NULL,
	"HTTP requests of them that may wait for one name or address.", NULL},
    {"http-dead-time", SETTING_DURATION, AT(http_dead_time), "30s", 0, HOUR, NULL,
	"How long a server that could not be reached, and took time for it, is not asked.", NULL},
    {"http-header", SETTING_SIZE, AT(http_header), "32k", 1024, 1 << 20, NULL,
	"Longest header of an answer, all lines together.", NULL},
    {"http-slow-octets", SETTING_SIZE, AT(http_slow_octets), "100", 1, 1 << 20, NULL,
	"An answer that is slower than this many octets a second for http-slow-time is given up.", NULL},
    {"http-slow-time", SETTING_DURATION, AT(http_slow_time), "10s", S, 600 * S, NULL,
	"See http-slow-octets (whole seconds).", NULL},
    {"http-ttl", SETTING_DURATION, AT(http_ttl), "24h", 0, 366 * 24 * HOUR, NULL,
	"Longest time that an answer may be kept because its server says so (Cache-Control, Expires).", NULL},
    {"ldap-ports", SETTING_LIST, AT(ldap_ports), "389, 636, 1024-65535", 0, 16, NULL,
	"Ports of directories that others may name in SRV records.", check_ports},
    {"ldap-tls-verify", SETTING_BOOL, AT(ldap_tls_verify), "yes", 0, 0, NULL,
	"Check the certificates of ldaps:// servers that others name (CAs: tls-ca-file).", NULL},
    {"ldap-connections", SETTING_INT, AT(ldap_connections), "8", 1, 64, NULL,
	"Directories that others name: questions at once (a thread each).", NULL},
    {"ldap-per-server", SETTING_INT, AT(ldap_per_server), "2", 1, 32, NULL,
	"Questions at once to one such address, its neighbours (/24, /48 for IPv6) or servers of one domain. Servers "
	"that "
	"never answered have at most three quarters of ldap-connections.",
	NULL},
    {"ldap-waiting", SETTING_INT, AT(ldap_waiting), "500", 1, 100000, NULL,
	"Questions to such directories that are asked and not answered; more are answered \"not now\".", NULL},
    {"ldap-waiting-per-server", SETTING_INT, AT(ldap_waiting_per_server), "50", 1, 10000, NULL,
	"Questions of them that may wait for one address, its neighbours or one domain.", NULL},
    {"ldap-timeout", SETTING_DURATION, AT(ldap_timeout), "5s", 100, 120 * S, NULL,
	"How long such a server may take, for connecting with TLS, and for each search.", NULL},
    {"ldap-dead-time", SETTING_DURATION, AT(ldap_dead_time), "30s", 0, HOUR, NULL,
	"How long such a server that failed is not asked.", NULL},
    {"ldap-idle", SETTING_DURATION, AT(ldap_idle), "20s", 0, HOUR, NULL,
	"How long a connection to such a server is kept unused.", NULL},
    {"ldap-entries", SETTING_INT, AT(ldap_entries), "20", 1, 10000, NULL, "Entries that one search there may give.",
	NULL},
};
#undef AT

const struct settings_section source_settings_section = {
    .name = "sources",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct source_settings),
};
