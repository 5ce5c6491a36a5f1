/* The table of section "dns" and the checks of its values. Role scout and whoever reads the configuration. Pure. */
#include "gateway/scout/dns_settings.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/mail/address.h"

static int bad_server(struct problem *pr)
{
	return problem_perm(pr, "a name server: an IP address, or address@port as in 127.0.0.1@5353");
}

/* At most five digits, 1..65535. */
static int port_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > 5 || strspn(s, "0123456789") != n)
		return 0;

	long v = strtol(s, NULL, 10);

	return v >= 1 && v <= 65535;
}

int dns_settings_server(const char *text, struct problem *pr)
{
	char addr[64];
	const char *at = strchr(text, '@');
	size_t n = at ? (size_t)(at - text) : strlen(text);
	struct in_addr v4;
	struct in6_addr v6;

	if (n >= sizeof addr || (at && !port_ok(at + 1)))
		return bad_server(pr);
	memcpy(addr, text, n);
	addr[n] = 0;
	if (inet_pton(AF_INET, addr, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, addr, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return bad_server(pr);
}

int dns_settings_stub(const char *text, char zone_r[256], const char **server_r, struct problem *pr)
{
	const char *eq = strchr(text, '=');

	if (!eq || address_domain(text, (size_t)(eq - text), zone_r, pr) < 0)
		return problem_perm(pr, "a stub zone: zone=address or zone=address@port");
	*server_r = eq + 1;
	return dns_settings_server(eq + 1, pr) < 0 ? -1 : 0;
}

static int check_forward(const char *value, struct problem *pr)
{
	return dns_settings_server(value, pr) < 0 ? -1 : 0;
}

static int check_stub(const char *value, struct problem *pr)
{
	char zone[256];
	const char *server;

	return dns_settings_stub(value, zone, &server, pr);
}

static const struct setting rows[] = {
    {.name = "forwards",
	.type = SETTING_LIST,
	.offset = offsetof(struct dns_settings, forwards),
	.dflt = "",
	.help =
	    "Resolvers that are asked, as address or address@port; none: answers are found from the root servers on.",
	.check = check_forward},
    {.name = "stubs",
	.type = SETTING_LIST,
	.offset = offsetof(struct dns_settings, stubs),
	.dflt = "",
	.help = "Name servers of single zones, as zone=address@port; for zones that the root does not know.",
	.check = check_stub},
    {.name = "trust-anchor-file",
	.type = SETTING_STR,
	.offset = offsetof(struct dns_settings, trust_anchor_file),
	.dflt = "",
	.help =
	    "DS or DNSKEY records that DNSSEC validation starts from; empty: the root's keys, built in; \"none\": "
	    "nothing is validated."},
    {.name = "timeout",
	.type = SETTING_DURATION,
	.offset = offsetof(struct dns_settings, timeout),
	.dflt = "10s",
	.min = 100,
	.max = 120000,
	.help = "How long all look-ups for one next hop may take together; then the mail is tried again later."},
    {.name = "sockets",
	.type = SETTING_INT,
	.offset = offsetof(struct dns_settings, sockets),
	.dflt = "256",
	.min = 16,
	.max = 4096,
	.help = "Questions to name servers under way at once by UDP, each with a socket of its own; more wait, so "
		"that silent servers of a few domains hold up others only when there are very many of them."},
    {.name = "tcp-connections",
	.type = SETTING_INT,
	.offset = offsetof(struct dns_settings, tcp_connections),
	.dflt = "32",
	.min = 2,
	.max = 1024,
	.help = "The same by TCP, for answers that are too large for UDP; each needs 64 KiB of memory."},
    {.name = "loopback-hosts",
	.type = SETTING_BOOL,
	.offset = offsetof(struct dns_settings, loopback_hosts),
	.dflt = "no",
	.help = "Accept loopback addresses as mail hosts of a domain; for tests and demonstrations on one machine."},
};

const struct settings_section dns_settings_section = {
    .name = "dns",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct dns_settings),
};
