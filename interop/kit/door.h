/* A listening socket with a thread for each visitor: what the sinks and the web server stand behind. */
#ifndef INTEROP_DOOR_H
#define INTEROP_DOOR_H

#include <openssl/ssl.h>

#include "interop/kit/world.h"

struct door;

/* Listens at host:port; visit is called in a thread of its own for each connection, and closes fd. At most 300 at a
 * time, more are closed at once. NULL with why. */
struct door *door_open(const char *address, void (*visit)(void *arg, int fd), void *arg, struct buf *why);
/* No more visitors; waits a second for those that are there. 0, or -1 when some are still there (nothing is freed
 * then). NULL is closed. */
int door_close(struct door *d);
/* The kit's own TLS certificate as a server; NULL: the world (may be NULL) has none. Free with SSL_CTX_free. */
SSL_CTX *door_tls(struct world *w);

#endif
