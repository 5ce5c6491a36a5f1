/* The kit as an HTTP client, for what a gateway publishes: GET over HTTP/1.1, with TLS for https (any certificate:
 * the content proves itself). */
#ifndef INTEROP_HTTP_GET_H
#define INTEROP_HTTP_GET_H

#include "interop/kit/util.h"

/* Status and body (at most 1 MiB, with Content-Length, in chunks, or to the end of the connection). type: its media
 * type as it stands. Blocks to 30 s. at: host:port to connect to in the place of the URL's host; NULL: that. 0 or -1
 * with why.
 */
int http_get(const char *url, const char *at, long *status, struct buf *type, struct buf *body,
    struct buf *transcript, struct buf *why);

#endif
