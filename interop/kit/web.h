/* The kit's web server, HTTP and HTTPS: what init put into http.index, certificates by RFC 4387, CRLs and OCSP
 * answers made anew for each request, and statements. A thread a connection. */
#ifndef INTEROP_WEB_H
#define INTEROP_WEB_H

#include "interop/kit/kit.h"
#include "interop/kit/world.h"

struct web;

/* Listens at kit.http and kit.https (where they are set). NULL with why. */
struct web *web_open(const struct kit *k, struct world *w, struct buf *why);
void web_close(struct web *w);
/* From now on GET of the path gives these octets; NULL: 404. Safe for threads. */
void web_put(struct web *w, const char *path, const char *type, const struct buf *octets);

#endif
