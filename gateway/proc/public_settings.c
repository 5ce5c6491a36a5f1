/* The table of section "public". Pure. */
#include "gateway/proc/public_settings.h"

#include <string.h>

#include "gateway/base/network.h"
#include "gateway/mail/address.h"
#include "gateway/proc/conf.h"

static int check_address(const char *v, struct problem *pr)
{
	struct sockaddr_storage ss;
	char host[256];
	unsigned port;

	return v[0] == '\0' ? 0 : conf_hostport(v, 443, host, &ss, &port, pr);
}

static int check_host(const char *v, struct problem *pr)
{
	char out[ADDRESS_DOMAIN_MAX + 1];

	if (v[0] == '\0' || address_domain(v, strlen(v), out, NULL) == 0)
		return 0;
	return problem_perm(pr, "a full host name such as smg.hospital.example");
}

static int check_network(const char *v, struct problem *pr)
{
	return network_ok(v) ? 0 : problem_perm(pr, "an address or network such as 192.0.2.0/24 or 2001:db8::/32");
}

#define AT(f) offsetof(struct public_settings, f)

static const struct setting rows[] = {
    {.name = "address",
	.type = SETTING_STR,
	.offset = AT(address),
	.dflt = "",
	.max = 80,
	.help = "Where statements and certificates of our domains are served over HTTPS to anybody, such as "
		"\"0.0.0.0:443\"; empty: nowhere.",
	.check = check_address},
    {.name = "hostname",
	.type = SETTING_STR,
	.offset = AT(hostname),
	.dflt = "",
	.max = 253,
	.help =
	    "Our name there, such as smg.hospital.example: its TLS key is made with postern domain tls. Empty: the "
	    "hostname of the gateway.",
	.check = check_host},
    {.name = "connections-max",
	.type = SETTING_INT,
	.offset = AT(connections_max),
	.dflt = "200",
	.min = 1,
	.max = 10000,
	.help =
	    "Connections at a time. When all are taken, a new one takes the place of the oldest one of the client "
	    "that has the most."},
    {.name = "connections-per-client",
	.type = SETTING_INT,
	.offset = AT(connections_per_client),
	.dflt = "10",
	.min = 1,
	.max = 10000,
	.help = "The same of one client: an IPv4 address, or an IPv6 network of 64 bits; further ones are closed."},
    {.name = "rate",
	.type = SETTING_INT,
	.offset = AT(rate),
	.dflt = "200",
	.min = 0,
	.max = 100000,
	.help = "New connections a second, of all clients; further ones are closed before TLS begins, which costs a "
		"signature each. 0: as many as come."},
    {.name = "client-rate",
	.type = SETTING_INT,
	.offset = AT(client_rate),
	.dflt = "20",
	.min = 0,
	.max = 100000,
	.help = "The same of one client: an IPv4 address, or an IPv6 network of 64 bits."},
    {.name = "known-share",
	.type = SETTING_INT,
	.offset = AT(known_share),
	.dflt = "50",
	.min = 0,
	.max = 90,
	.help =
	    "How many percent of rate and connections-max are kept for known clients: those of known-networks, and "
	    "networks (IPv4 of 24 bits, IPv6 of 48) that came before: first an hour ago, last within eight days. "
	    "So a flood from many networks leaves room for partners that come every day. What is known so is in "
	    "memory, and gone with a restart. 0: none."},
    {.name = "known-networks",
	.type = SETTING_LIST,
	.offset = AT(known_networks),
	.dflt = "",
	.max = 256,
	.help = "Clients that are known from the start: the networks from which partners fetch.",
	.check = check_network},
    {.name = "timeout",
	.type = SETTING_DURATION,
	.offset = AT(timeout),
	.dflt = "10s",
	.min = 1000,
	.max = 300 * 1000LL,
	.help = "How long a connection may be silent."},
    {.name = "lifetime",
	.type = SETTING_DURATION,
	.offset = AT(lifetime),
	.dflt = "30s",
	.min = 1000,
	.max = 3600 * 1000LL,
	.help = "How long a connection may last in all, however slowly or busily it is used."},
    {.name = "max-age",
	.type = SETTING_DURATION,
	.offset = AT(max_age),
	.dflt = "1h",
	.min = 0,
	.max = 24 * 3600 * 1000LL,
	.help = "How long others may keep an answer (Cache-Control); at most until a statement's end."},
};
const struct settings_section public_settings_section = {
    "public", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct public_settings), false};

const char *public_settings_host(const struct conf *c)
{
	const struct public_settings *set = conf_section(c, "public");

	return set->hostname[0] != '\0' ? set->hostname : conf_top(c)->hostname;
}
