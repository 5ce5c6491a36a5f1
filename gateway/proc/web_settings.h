/* Settings of section "web": the HTTP interface for the admin's programs. */
#ifndef POSTERN_PROC_WEB_SETTINGS_H
#define POSTERN_PROC_WEB_SETTINGS_H

#include "gateway/base/settings.h"

struct web_settings {
	char *address;	    /* "" = off; else on loopback */
	char *client_field; /* "" = none */
	int64_t connections_max;
	int64_t timeout, lifetime;	   /* ms */
	int64_t session_idle, session_max; /* ms */
	int64_t body_octets;
};
extern const struct settings_section web_settings_section;

#endif
