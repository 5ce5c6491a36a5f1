/*
 * A search that brings values of attributes, entry by entry, so that a server cannot make us keep more than is wanted
 * of it. RFC 4511 4.5. Used by one thread, as the link. Blocks. Scout.
 */
#ifndef POSTERN_LDAP_LDAP_VALUES_H
#define POSTERN_LDAP_LDAP_VALUES_H

#include <stddef.h>
#include <stdint.h>

#include "ldap/ldap_link.h"

/* A value that was asked for; 0: go on, -1: enough. */
typedef int ldap_values_fn(void *ctx, const char *attribute, const void *p, size_t n);

struct ldap_values {
	const char *base, *filter; /* filter NULL: the base itself and nothing below it */
	const struct settings_list *attributes;
	int64_t timeout; /* ms, for the whole search */
	int64_t entries; /* that it may give */
	ldap_values_fn *fn;
	void *ctx;
	/* what came */
	int code;	  /* of the result (RFC 4511 4.1.9); libldap's own are below 0 */
	size_t entries_n; /* entries */
	size_t values_n;  /* values that fn was called with */
	size_t elsewhere; /* references to other servers, which are not followed; but for the three that every Active
			     Directory adds to what it has, for its DNS and its own configuration */
	char first_elsewhere[200]; /* the first of them */
	bool more;		   /* it was given up before its end: the link is spent */
};
/* FOUND: an entry, with or without values; NOTHING: none; else words. As ldap_link_search, never ERROR. */
enum ldap_link_result ldap_values_search(struct ldap_link *k, struct ldap_values *v, char words_r[400]);

#endif
