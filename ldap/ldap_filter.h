/* Search filters for one address (RFC 4515): the escaping of what strangers wrote. Scout. Pure. */
#ifndef POSTERN_LDAP_LDAP_FILTER_H
#define POSTERN_LDAP_LDAP_FILTER_H

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/base/settings.h"

#define LDAP_FILTER_MAX 8192

/* Adds a value so that nothing in it is taken for syntax. 0, or -1 when out is full. */
int ldap_filter_escape(const char *value, struct buf *out) __attribute__((warn_unused_result));
/* A filter of the admin's: parentheses that close, %s, %u, %d, %% and no other %, and at least one of the first
 * three. 0 / -1 with pr. */
int ldap_filter_check(const char *pattern, struct problem *pr) __attribute__((warn_unused_result));
/* The pattern (checked) for local@domain; local NULL: for the domain alone (%s is it, %u is empty). 0, or -1 when out
 * is full. */
int ldap_filter_make(const char *pattern, const char *local, const char *domain, struct buf *out)
    __attribute__((warn_unused_result));
/* The pattern that looks into these attributes. */
int ldap_filter_pattern(const struct settings_list *attributes, struct buf *out) __attribute__((warn_unused_result));

#endif
