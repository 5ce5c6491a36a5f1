/* What the parts of the admin role share: its loop, its ways to judge, relay and parent, its local clients. */
#ifndef POSTERN_PROC_ADMIN_H
#define POSTERN_PROC_ADMIN_H

#include "gateway/proc/admin_parent.h"
#include "gateway/proc/admin_peer.h"

struct loop;
struct loop_io;
struct admin_client;

#define ADMIN_CLIENTS_MAX 64
/* How long judge or relay may take for one request (making two RSA-4096 keys on a slow machine takes minutes), and
 * for their part of a status. */
#define ADMIN_ASK_MS 270000
#define ADMIN_STATUS_MS 5000
/* A client that asks nothing and waits for nothing. */
#define ADMIN_IDLE_MS 60000

struct admin {
	struct loop *loop;
	struct admin_parent parent;
	struct admin_peer judge, relay;
	int listener;
	struct loop_io *accepts;
	struct admin_client *clients;
	unsigned nclients;
};

#endif
