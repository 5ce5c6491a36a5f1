/*
 * The HTTP interface: libmicrohttpd on the role's own loop. Role web. Pages (web_pages.c) and the table of
 * web_route.c, whose answers are JSON, errors application/problem+json (RFC 9457). A request that waits for judge or
 * relay is put aside and holds up nobody; a TLS handshake waits for the keeper, some milliseconds.
 */
#ifndef POSTERN_PROC_WEB_HTTP_H
#define POSTERN_PROC_WEB_HTTP_H

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/proc/admin_peer.h"
#include "gateway/proc/web_settings.h"

struct web_http;
/* Starts to serve on a listening socket (taken over). tls: by https_tls.h. set, judge, relay: stay. NULL with pr. */
struct web_http *web_http_new(struct loop *l, int fd, const struct web_settings *set, bool tls,
    struct admin_peer *judge, struct admin_peer *relay, struct problem *pr);
/* Ends its connections; questions under way are answered with 503. NULL is allowed. */
void web_http_free(struct web_http *h);

#endif
