/* How long an HTTP answer may be kept (RFC 9111 4.2.1), for a cache of one user. Role scout. Pure. */
#ifndef POSTERN_SCOUT_HTTP_FRESH_H
#define POSTERN_SCOUT_HTTP_FRESH_H

#include <stdint.h>

/* Values of the header fields, "" or NULL where there is none. */
struct http_fresh_fields {
	const char *cache_control, *age, *date, *expires;
};
/* Seconds from now on, 0..max. 0 when nothing says so, or no-store or no-cache does. now: unix s. */
uint32_t http_fresh(const struct http_fresh_fields *f, int64_t now, uint32_t max);

#endif
