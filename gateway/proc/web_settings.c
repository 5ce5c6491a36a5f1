/* The table of section "web". Pure. */
#include "gateway/proc/web_settings.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "gateway/proc/conf.h"

static bool is_loopback(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)ss)->sin6_addr);
	return ss->ss_family == AF_INET &&
	       ntohl(((const struct sockaddr_in *)ss)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Tokens are never to travel in the clear. */
static int check_address(const char *v, struct problem *pr)
{
	struct sockaddr_storage ss;
	char host[256];
	unsigned port;

	if (v[0] == '\0')
		return 0;
	if (conf_hostport(v, 8025, host, &ss, &port, pr) < 0)
		return -1;
	return is_loopback(&ss) ? 0
				: problem_perm(pr, "an address of loopback such as 127.0.0.1:8025: it is plain HTTP, "
						   "and tokens are not to travel in the clear");
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
	.help = "Where the HTTP interface (/api/v1, /metrics, /healthz, /readyz) listens, on loopback only, such as "
		"\"127.0.0.1:8025\"; empty: nowhere.",
	.check = check_address},
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
	.help = "Connections at a time; for one more, the oldest gives way."},
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
	.help = "The most that a request may bring, a form or a file."},
};
const struct settings_section web_settings_section = {
    "web", rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct web_settings), false};
