/* The table of section "public". Pure. */
#include "gateway/proc/public_settings.h"

#include <string.h>

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
	.help = "Connections at a time; further ones are closed."},
    {.name = "connections-per-client",
	.type = SETTING_INT,
	.offset = AT(connections_per_client),
	.dflt = "10",
	.min = 1,
	.max = 10000,
	.help = "The same of one client address."},
    {.name = "timeout",
	.type = SETTING_DURATION,
	.offset = AT(timeout),
	.dflt = "10s",
	.min = 1000,
	.max = 300 * 1000LL,
	.help = "How long a connection may be silent."},
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
