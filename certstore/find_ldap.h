/* Certificates out of directories: configured ones, and those that the partner's domain names (SRV `_ldap._tcp`). For
 * find.c. */
#ifndef POSTERN_CERTSTORE_FIND_LDAP_H
#define POSTERN_CERTSTORE_FIND_LDAP_H

#include "certstore/find_work.h"

void find_ldap(struct find_work *w);

#endif
