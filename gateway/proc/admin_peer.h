/* Asking judge or relay: requests by number, each answered exactly once or given up. Role admin; does not block. */
#ifndef POSTERN_PROC_ADMIN_PEER_H
#define POSTERN_PROC_ADMIN_PEER_H

#include <stdint.h>

#include "certstore/admin_proto.h"

struct loop;
struct ipc_chan;
struct admin_ask;

struct admin_peer {
	struct loop *loop;
	const char *name; /* "judge": for sentences */
	struct ipc_chan *chan;
	struct admin_ask *asks;
	uint32_t last_id;
};
/* Called once, later, from the loop. r is NULL when there is no answer: then why is the sentence. r and its
 * descriptors are the peer's and end with the call. */
typedef void admin_peer_done(void *ctx, const struct admin_reply *r, const char *why);

void admin_peer_init(struct admin_peer *p, struct loop *l, const char *name);
/* A channel to the (new) process. What was asked on an older one is given up. Owns fd. */
void admin_peer_attach(struct admin_peer *p, int fd);
void admin_peer_ask(
    struct admin_peer *p, const struct admin_request *rq, int64_t patience_ms, admin_peer_done *done, void *ctx);

#endif
