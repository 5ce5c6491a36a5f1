/* Settings of section "sources": what the scout may fetch from places that strangers name, and how much of it at
 * once. Role scout and whoever reads the configuration. */
#ifndef POSTERN_SCOUT_SOURCE_SETTINGS_H
#define POSTERN_SCOUT_SOURCE_SETTINGS_H

#include <netinet/in.h>

#include "certstore/source.h"
#include "gateway/base/settings.h"

struct source_settings {
	struct settings_list allow_private;	     /* networks a stranger may name although they are not public */
	struct settings_list http_ports, ldap_ports; /* "80", "1024-65535" */
	int64_t http_redirects, http_connections, http_per_host, http_waiting, http_waiting_per_host;
	int64_t http_header;			  /* octets */
	int64_t http_slow_octets, http_slow_time; /* octets a second; ms */
	int64_t http_ttl, http_dead_time;	  /* ms */
	int64_t ldap_connections, ldap_per_server, ldap_waiting, ldap_waiting_per_server;
	int64_t ldap_timeout, ldap_dead_time, ldap_idle; /* ms */
	int64_t ldap_entries;
	bool ldap_tls_verify;
};
extern const struct settings_section source_settings_section;

/* May a connection to addr be made for a question of this kind (guard.h)? */
bool source_settings_addr(
    const struct source_settings *set, enum source_chosen chosen, const struct sockaddr_storage *addr);
/* Is the port in a list of "N" and "N-M"? */
bool source_settings_port(const struct settings_list *ports, unsigned port);

#endif
