/* Settings of a section ldap "NAME": a directory of ours that knows which recipients exist. Scout, and whoever reads
 * the configuration. */
#ifndef POSTERN_LDAP_LDAP_SETTINGS_H
#define POSTERN_LDAP_LDAP_SETTINGS_H

#include "gateway/base/settings.h"

struct ldap_settings {
	struct settings_list servers; /* "ldap://HOST[:PORT]", "ldaps://HOST[:PORT]", in the order to try */
	bool starttls;		      /* on ldap:// */
	bool tls_verify;
	char *ca_file;
	char *base;
	struct settings_list attributes;
	char *filter; /* "" = made from attributes */
	char *bind_dn, *password_file;
	int64_t timeout, dead_time; /* ms */
	int64_t connections;
};
extern const struct settings_section ldap_settings_section;

struct ldap_settings_server {
	bool tls; /* ldaps */
	char host[256];
	unsigned port;
};
/* Splits the URI of a server. 0, or -1 with pr: what is allowed. */
int ldap_settings_server(const char *uri, struct ldap_settings_server *s_r, struct problem *pr)
    __attribute__((warn_unused_result));

/* Checks of single values, for the tables of sections with the same settings. 0, or -1 with pr. */
int ldap_settings_check_server(const char *v, struct problem *pr) __attribute__((warn_unused_result));
int ldap_settings_check_attribute(const char *v, struct problem *pr) __attribute__((warn_unused_result));
int ldap_settings_check_filter(const char *v, struct problem *pr) __attribute__((warn_unused_result));
int ldap_settings_check_path(const char *v, struct problem *pr) __attribute__((warn_unused_result));

#endif
