/*
 * The HTTP interface: libmicrohttpd on the role's own loop, without threads. Role web. GET and HEAD of the table in
 * web_route.c; answers are JSON, errors application/problem+json (RFC 9457). A request that waits for judge or relay
 * is put aside and holds up nobody. Nothing is changed by any request: there are no cookies, and no page.
 */
#ifndef POSTERN_PROC_WEB_HTTP_H
#define POSTERN_PROC_WEB_HTTP_H

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/proc/admin_peer.h"
#include "gateway/proc/web_settings.h"

struct web_http;
/* Starts to serve on a listening socket (taken over). set, judge, relay: stay. NULL with pr. */
struct web_http *web_http_new(struct loop *l, int fd, const struct web_settings *set, struct admin_peer *judge,
    struct admin_peer *relay, struct problem *pr);
/* Ends its connections; questions under way are answered with 503. NULL is allowed. */
void web_http_free(struct web_http *h);

#endif
