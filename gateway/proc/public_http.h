/*
 * The public listener's HTTP: libmicrohttpd with one thread of its own. Role public. GET and HEAD of
 * /.well-known/smg/DOMAIN (application/cms, RFC 7193) and of /certificates/search.cgi?email=|uri=|certHash= (RFC
 * 4387). Every answer is made from the shelf, in memory: whoever asks causes no other work than this thread's.
 */
#ifndef POSTERN_PROC_PUBLIC_HTTP_H
#define POSTERN_PROC_PUBLIC_HTTP_H

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/proc/public_settings.h"
#include "gateway/proc/public_shelf.h"

struct public_http;
/* Starts to serve on a listening socket (taken over), whose connections are accepted on the loop. set, shelf: stay.
 * NULL with pr. */
struct public_http *public_http_new(
    struct loop *l, int fd, const struct public_settings *set, struct public_shelf *shelf, struct problem *pr);
/* Ends the thread and its connections. NULL is allowed. */
void public_http_free(struct public_http *h);

#endif
