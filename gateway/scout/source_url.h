/*
 * URLs that others name (RFC 3986): taken apart strictly and written anew, so that what is judged is what libcurl
 * gets. Role scout. Pure.
 */
#ifndef POSTERN_SCOUT_SOURCE_URL_H
#define POSTERN_SCOUT_SOURCE_URL_H

#include <stdbool.h>

#include "certstore/source.h"

struct source_url {
	bool tls;	/* https */
	char host[256]; /* lower case without a dot at its end; or a numeric address without brackets */
	unsigned port;
	char text[SOURCE_NAME_MAX + 32]; /* scheme://host:port/path?query; no fragment */
};
/* An absolute URL. 0, or -1 with *why_r: other schemes than http and https, user information, a host that is neither
 * a name nor an address in its one usual spelling, octets that belong in no URL, too long. */
int source_url_split(const char *url, struct source_url *u_r, const char **why_r) __attribute__((warn_unused_result));
/* Where a Location field leads from there (RFC 3986 5). As above, and https to http is refused. */
int source_url_follow(const struct source_url *from, const char *location, struct source_url *u_r, const char **why_r)
    __attribute__((warn_unused_result));

#endif
