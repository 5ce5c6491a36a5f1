/* The table of section "web". Pure. */
#include "gateway/proc/web_settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "gateway/mail/address.h"
#include "gateway/proc/conf.h"

static bool is_loopback(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)ss)->sin6_addr);
	return ss->ss_family == AF_INET &&
	       ntohl(((const struct sockaddr_in *)ss)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static int check_address(const char *v, struct problem *pr)
{
	struct sockaddr_storage ss;
	char host[256];
	unsigned port;

	return v[0] == '\0' ? 0 : conf_hostport(v, 8025, host, &ss, &port, pr);
}

static int check_host(const char *v, struct problem *pr)
{
	char out[ADDRESS_DOMAIN_MAX + 1];

	if (v[0] == '\0' || address_domain(v, strlen(v), out, NULL) == 0)
		return 0;
	return problem_perm(pr, "a full host name such as postern.hospital.example");
}

/* RFC 9110 5.6.2 */
static int check_field(const char *v, struct problem *pr)
{
	size_t n = strspn(v, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return v[n] == '\0' ? 0
			    : problem_perm(pr, "the name of a header field such as X-Forwarded-For, without a colon");
}

#define AT(f) offsetof(struct web_settings, f)

static const struct setting rows[] = {
    {.name = "address",
	.type = SETTING_STR,
	.offset = AT(address),
	.dflt = "",
	.max = 80,
	.help = "Where the web UI and the HTTP interface (/api/v1, /metrics, /healthz, /readyz) listen, such as "
		"\"127.0.0.1:8025\", or \"192.0.2.7:8443\": passwords and tokens never travel in the clear, so "
		"elsewhere than on loopback TLS is always spoken. Empty: nowhere.",
	.check = check_address},
    {.name = "tls", .type = SETTING_BOOL, .offset = AT(tls), .dflt = "no", .help = "TLS also on loopback."},
    {.name = "hostname",
	.type = SETTING_STR,
	.offset = AT(hostname),
	.dflt = "",
	.max = 253,
	.help = "Our name in the browser, such as postern.hospital.example: its TLS key is made with postern domain "
		"tls. Empty: the hostname of the gateway.",
	.check = check_host},
    {.name = "client-field",
	.type = SETTING_STR,
	.offset = AT(client_field),
	.dflt = "",
	.max = 60,
	.help =
	    "The header field in which a web server in front tells its client's address, such as "
	    "\"X-Forwarded-For\" (the last address in it counts): who fails to sign in waits by it, and it stands "
	    "in the logs. Only where that server sets it or adds to it; empty: clients have the address that they "
	    "connect from.",
	.check = check_field},
    {.name = "connections-max",
	.type = SETTING_INT,
	.offset = AT(connections_max),
	.dflt = "100",
	.min = 1,
	.max = 10000,
	.help =
	    "Connections at a time. When all are taken, a new one takes the place of the oldest one of the client "
	    "that has the most."},
    {.name = "connections-per-client",
	.type = SETTING_INT,
	.offset = AT(connections_per_client),
	.dflt = "30",
	.min = 1,
	.max = 10000,
	.help =
	    "The same of one client, an IPv4 address or an IPv6 network of 64 bits; further ones are closed. Does "
	    "not count without TLS, where everybody comes from loopback."},
    {.name = "rate",
	.type = SETTING_INT,
	.offset = AT(rate),
	.dflt = "100",
	.min = 0,
	.max = 100000,
	.help = "New connections a second, of all clients; further ones are closed before TLS begins, which costs a "
		"signature each. 0: as many as come. Does not count without TLS."},
    {.name = "client-rate",
	.type = SETTING_INT,
	.offset = AT(client_rate),
	.dflt = "20",
	.min = 0,
	.max = 100000,
	.help = "The same of one client."},
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
	.dflt = "2m",
	.min = 1000,
	.max = 3600 * 1000LL,
	.help = "How long a connection may last, however busy it is."},
    {.name = "session-idle",
	.type = SETTING_DURATION,
	.offset = AT(session_idle),
	.dflt = "30m",
	.min = 60 * 1000LL,
	.max = 24 * 3600 * 1000LL,
	.help = "A user who does nothing for so long signs in again."},
    {.name = "session-max",
	.type = SETTING_DURATION,
	.offset = AT(session_max),
	.dflt = "12h",
	.min = 60 * 1000LL,
	.max = 30 * 24 * 3600 * 1000LL,
	.help = "A user signs in again after so long, however busy."},
    {.name = "body-octets",
	.type = SETTING_SIZE,
	.offset = AT(body_octets),
	.dflt = "8M",
	.min = 16 * 1024,
	.max = 11 * 1024 * 1024,
	.help = "The most that a request may bring, a form or a file, of a trust officer or an admin; of an operator "
		"512 KiB, of anybody else 16 KiB."},
};
const struct settings_section web_settings_section = {
    "web", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct web_settings), false};

const char *web_settings_host(const struct conf *c)
{
	const struct web_settings *set = conf_section(c, "web");

	return set->hostname[0] != '\0' ? set->hostname : conf_top(c)->hostname;
}

bool web_settings_tls(const struct conf *c)
{
	const struct web_settings *set = conf_section(c, "web");
	struct problem pr = {0};
	struct sockaddr_storage ss;
	char host[256];
	unsigned port;

	if (set->tls || set->address[0] == '\0')
		return set->tls;
	/* its check has passed; should it not, then not in the clear */
	return conf_hostport(set->address, 8025, host, &ss, &port, &pr) < 0 || !is_loopback(&ss);
}
