/* Messages that the kit sends: the layers of a `message` statement (CASES.md), made with OpenSSL's plain API. */
#ifndef INTEROP_MAKE_MESSAGE_H
#define INTEROP_MAKE_MESSAGE_H

#include "interop/kit/scene.h"

/* The octets, with CRLF line ends, ready for DATA (not dot-stuffed). 0 or -1 with why (which names the line). */
int make_message(struct scene *s, const struct stmt *message, struct buf *out, struct buf *why);
/* The same message before its first layer (wrap, protect, sign ...): what its author wrote. */
int make_plain(struct scene *s, const struct stmt *message, struct buf *out, struct buf *why);
/* For `check`: is this a known layer, with the words it needs? 0 or -1 with why. */
int make_check(const struct stmt *layer, struct buf *why);

#endif
