/* Settings of section "web": the HTTP interface for the admin's programs. */
#ifndef POSTERN_PROC_WEB_SETTINGS_H
#define POSTERN_PROC_WEB_SETTINGS_H

#include "gateway/base/settings.h"

struct web_settings {
	char *address;		       /* "" = off */
	char *hostname, *client_field; /* "" none */
	bool tls;
	int64_t connections_max, connections_per_client;
	int64_t rate, client_rate;	   /* connections a second; 0 any */
	int64_t timeout, lifetime;	   /* ms */
	int64_t session_idle, session_max; /* ms */
	int64_t body_octets;
};
extern const struct settings_section web_settings_section;

struct conf;
/* Whose TLS key it uses: the name set there, else the gateway's. */
const char *web_settings_host(const struct conf *c);
/* TLS is spoken: elsewhere than on loopback always. */
bool web_settings_tls(const struct conf *c);

#endif
