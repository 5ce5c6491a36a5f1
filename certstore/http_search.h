/* The URLs by which a certificate store over HTTP is asked (RFC 4387). Judge; pure. */
#ifndef POSTERN_CERTSTORE_HTTP_SEARCH_H
#define POSTERN_CERTSTORE_HTTP_SEARCH_H

#include <stddef.h>

#include "gateway/mail/address.h"

/* base: "http://host/path", behind a base that ends in the host, as every one found in DNS does, is put
 * "/certificates/search.cgi": SRV records have no place for a path, and there stores are that are on a host with
 * other things. A base with a path is used as it is. by: "email" or "uri", with the value escaped. 0; -1 when it does
 * not fit cap or base is no http or https URL without a query. */
int http_search_url(const char *base, const char *by, const char *value, char *out, size_t cap)
    __attribute__((warn_unused_result));
/* Is it one that http_search_url takes? For settings. */
int http_search_base(const char *base) __attribute__((warn_unused_result));

#endif
