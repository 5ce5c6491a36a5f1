/*
 * An IPC connection on an event loop: reads packets as they come, queues what cannot be sent at once. relay, judge,
 * scout, admin, parent. Never blocks. One channel belongs to one loop and its thread.
 */
#ifndef POSTERN_BASE_IPC_CHAN_H
#define POSTERN_BASE_IPC_CHAN_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/ipc.h"

struct loop;

struct ipc_chan;
struct ipc_chan_ops {
	/* One message. in and what it points at are valid during the call. Take descriptors with ipc_get_fd: those
	 * left in `in` are closed after the call. */
	void (*on_msg)(void *ctx, struct ipc_chan *c, struct ipc_in *in);
	/* The peer closed, sending or receiving failed, or a packet was malformed. Called once, from the loop, after
	 * every message that had arrived; while paused it waits. The channel is of no more use: free it, here or
	 * later. */
	void (*on_close)(void *ctx, struct ipc_chan *c, const char *why);
};

/* Octets that may wait in a channel before sending is refused. */
#define IPC_CHAN_QUEUE_MAX (64u * 1024 * 1024)

/* Owns fd from now on. Never NULL. */
struct ipc_chan *ipc_chan_new(struct loop *l, int fd, const struct ipc_chan_ops *ops, void *ctx);
/* Sends or queues (then descriptors are duplicated: the caller may close its own at once); always clears o.
 * 0, or -1 when closed, bad, out of descriptors, or more than IPC_CHAN_QUEUE_MAX octets would wait. */
int ipc_chan_send(struct ipc_chan *c, struct ipc_out *o) __attribute__((warn_unused_result));
/* Did sending fail because the peer is gone? on_close comes, or has come. */
bool ipc_chan_broken(const struct ipc_chan *c);
/* Octets queued, for back-pressure. */
size_t ipc_chan_waiting(const struct ipc_chan *c);
int ipc_chan_fd(const struct ipc_chan *c);
/* Tells now what has arrived already (on_msg, and on_close at its end), before the channel is given up for another
 * one. c may be freed inside. Not from inside its own callbacks. */
void ipc_chan_drain(struct ipc_chan *c);
/* Stops or resumes reading (back-pressure). */
void ipc_chan_pause(struct ipc_chan *c, bool paused);
/* Closes; on_close is not called; what is queued is lost. May be called from inside on_msg and on_close. NULL is
 * allowed. */
void ipc_chan_free(struct ipc_chan *c);

#endif
