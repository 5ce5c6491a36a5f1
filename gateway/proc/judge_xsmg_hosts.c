#include "gateway/proc/judge_xsmg_hosts.h"

#include <stdio.h>
#include <string.h>

#include "certstore/store_statement_host.h"

/* A name and its NUL; what is longer is no host's. */
enum { HOST = 256 };

static void host_of(const char *remote, char host_r[HOST])
{
	size_t n = strcspn(remote, "[");

	if (n == 0)
		n = strlen(remote);
	(void)snprintf(host_r, HOST, "%.*s", n < HOST ? (int)n : HOST - 1, remote);
}

int judge_xsmg_hosts_offers(struct store *s, const struct partner_statement_settings *set, const char *domain,
    const char *remote, int64_t now, struct problem *pr)
{
	char host[HOST];

	host_of(remote, host);
	return store_statement_host_note(s, domain, host, now, now - set->hosts_keep / 1000, set->hosts_max, pr);
}

int judge_xsmg_hosts_offered(struct store *s, const struct partner_statement_settings *set, const char *domain,
    const char *remote, int64_t now, struct problem *pr)
{
	char host[HOST];

	host_of(remote, host);
	return store_statement_host_known(s, domain, host, now - set->hosts_keep / 1000, pr);
}
