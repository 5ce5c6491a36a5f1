/* Settings of a section certificate-directory "NAME": a directory that has partners' certificates. Scout, and whoever
 * reads the configuration. */
#ifndef POSTERN_LDAP_LDAP_CERT_SETTINGS_H
#define POSTERN_LDAP_LDAP_CERT_SETTINGS_H

#include "ldap/ldap_settings.h"

struct ldap_cert_settings {
	struct ldap_settings ldap; /* base "": every namingContexts; attributes: those with certificates */
	int64_t entries;	   /* that one search may give */
	int64_t waiting;	   /* questions */
	int64_t idle;		   /* ms that an unused connection is kept */
};
extern const struct settings_section ldap_cert_settings_section;

#endif
