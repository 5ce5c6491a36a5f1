/* Settings of section "public": the HTTPS listener that serves our statements and certificates to anybody. */
#ifndef POSTERN_PROC_PUBLIC_SETTINGS_H
#define POSTERN_PROC_PUBLIC_SETTINGS_H

#include "gateway/base/settings.h"

struct public_settings {
	char *address;	/* "" = off */
	char *hostname; /* whose TLS key it uses; "" = hostname of the top */
	int64_t connections_max, connections_per_client;
	int64_t rate, client_rate; /* new ones a second; 0: as many as come */
	int64_t known_share;	   /* percent of rate and connections_max that are for known clients */
	struct settings_list known_networks;
	int64_t timeout, lifetime; /* ms */
	int64_t max_age;	   /* ms */
};
extern const struct settings_section public_settings_section;
/* Whose TLS key the listener uses. */
struct conf;
const char *public_settings_host(const struct conf *c);

#endif
