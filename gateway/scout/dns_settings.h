/* Settings of section "dns": how the resolver inside scout finds its answers. Role scout. */
#ifndef POSTERN_SCOUT_DNS_SETTINGS_H
#define POSTERN_SCOUT_DNS_SETTINGS_H

#include "gateway/base/settings.h"

struct dns_settings {
	struct settings_list forwards; /* "192.0.2.53" "127.0.0.1@15353"; none: from the root by itself */
	struct settings_list stubs;    /* "lab.test=127.0.0.1@15353" */
	char *trust_anchor_file;       /* DS or DNSKEY records; "" the root's, built in; "none" no validation */
	int64_t timeout;	       /* ms, for all look-ups of one question together */
	int64_t sockets;	       /* questions under way by UDP; 0: libunbound's default, 16 */
	int64_t tcp_connections;       /* the same by TCP; 0: libunbound's default, 2 */
	bool loopback_hosts;	       /* a mail domain may point to 127.0.0.0/8 or ::1 */
};
extern const struct settings_section dns_settings_section;

/* The server part of both lists: "ADDRESS" or "ADDRESS@PORT". 1 when the address is loopback, 0 when not, -1 with pr.
 */
int dns_settings_server(const char *text, struct problem *pr) __attribute__((warn_unused_result));
/* Splits "zone=server" of a stub. 0 with the zone copied and *server_r inside text, or -1 with pr. */
int dns_settings_stub(const char *text, char zone_r[256], const char **server_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
