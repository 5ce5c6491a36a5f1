/*
 * An IPC connection on an event loop. relay, judge, scout, admin, parent.
 *
 * A packet that cannot go at once waits in order with duplicates of its descriptors. When sending fails, the queue is
 * dropped and the socket shut down, but reading goes on to its end: a child that answered and then died has still
 * answered.
 */
#include "gateway/base/ipc_chan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"

/* Packets read before others on the loop get their turn. */
enum { CHAN_BURST = 16, DRAIN_MAX = 4096 };

struct packet {
	struct packet *next;
	struct buf b;
	int fds[IPC_FDS_MAX];
	int nfds;
};

struct ipc_chan {
	struct loop_io *io;
	int fd;
	const struct ipc_chan_ops *ops;
	void *ctx;
	struct packet *first, **end;
	size_t waiting;
	struct buf store;
	bool paused, broken /* nothing can be sent */, closed /* on_close was called */;
	bool busy /* inside a callback */, doomed /* freed there */;
	char why[96];
};

static void packet_free(struct packet *p)
{
	for (int i = 0; i < p->nfds; i++)
		close(p->fds[i]);
	buf_clear(&p->b);
	free(p);
}

static void drop_queue(struct ipc_chan *c)
{
	for (struct packet *p = c->first, *next; p; p = next) {
		next = p->next;
		packet_free(p);
	}
	c->first = NULL;
	c->end = &c->first;
	c->waiting = 0;
}

static void watch(struct ipc_chan *c)
{
	unsigned want = 0;

	if (!c->closed && !c->paused)
		want |= LOOP_READ;
	if (!c->closed && c->first)
		want |= LOOP_WRITE;
	loop_io_want(c->io, want);
}

static void set_broken(struct ipc_chan *c, const char *doing)
{
	if (!c->broken)
		snprintf(c->why, sizeof c->why, "%s: %s", doing, strerror(errno));
	c->broken = true;
	drop_queue(c);
	shutdown(c->fd, SHUT_RDWR); /* makes reading come to its end */
}

static void destroy(struct ipc_chan *c)
{
	drop_queue(c);
	loop_io_free(c->io);
	close(c->fd);
	buf_clear(&c->store);
	free(c);
}

/* 1 when the channel was freed inside. */
static int say_closed(struct ipc_chan *c, const char *why)
{
	c->closed = c->broken = true;
	drop_queue(c);
	c->busy = true;
	c->ops->on_close(c->ctx, c, c->why[0] ? c->why : why);
	c->busy = false;
	if (!c->doomed)
		return 0;
	destroy(c);
	return 1;
}

/* 1 when the channel was freed inside. */
static int say_msg(struct ipc_chan *c, struct ipc_in *in)
{
	c->busy = true;
	c->ops->on_msg(c->ctx, c, in);
	c->busy = false;
	ipc_close_fds(in);
	if (!c->doomed)
		return 0;
	destroy(c);
	return 1;
}

static void flush(struct ipc_chan *c)
{
	while (c->first) {
		struct packet *p = c->first;

		if (ipc_send_now(c->fd, &p->b, p->fds, p->nfds) < 0) {
			if (errno != EAGAIN)
				set_broken(c, "send");
			return;
		}
		c->first = p->next;
		if (!c->first)
			c->end = &c->first;
		c->waiting -= p->b.len;
		packet_free(p);
	}
}

static void read_burst(struct ipc_chan *c, int max)
{
	for (int i = 0; i < max && !c->paused && !c->closed; i++) {
		struct ipc_in in;
		int r = ipc_recv_now(c->fd, &c->store, &in);

		if (r > 0) {
			if (say_msg(c, &in))
				return;
			continue;
		}
		if (r < 0 && errno == EAGAIN)
			break;
		if (say_closed(c, r == 0 ? "peer closed" : errno == EBADMSG ? "malformed packet" : strerror(errno)))
			return;
	}
	watch(c);
}

static void on_io(void *ctx, int fd, unsigned got)
{
	struct ipc_chan *c = ctx;

	(void)fd;
	if (got & LOOP_WRITE) {
		flush(c);
		watch(c);
	}
	if (got & LOOP_READ)
		read_burst(c, CHAN_BURST);
}

struct ipc_chan *ipc_chan_new(struct loop *l, int fd, const struct ipc_chan_ops *ops, void *ctx)
{
	struct ipc_chan *c = mem_new(sizeof *c);

	c->fd = fd;
	c->ops = ops;
	c->ctx = ctx;
	c->end = &c->first;
	buf_init(&c->store, IPC_PACKET_MAX);
	c->io = loop_io_new(l, fd, on_io, c);
	watch(c);
	return c;
}

/* Takes the octets of o over, without copying, and duplicates its descriptors. -1 when there are no more to be had.
 */
static int enqueue(struct ipc_chan *c, struct ipc_out *o)
{
	struct packet *p = mem_new(sizeof *p);

	p->b = o->b;
	buf_init(&o->b, IPC_PACKET_MAX);
	for (int i = 0; i < o->nfds; i++) {
		p->fds[i] = fcntl(o->fds[i], F_DUPFD_CLOEXEC, 0);
		if (p->fds[i] < 0) {
			packet_free(p);
			return -1;
		}
		p->nfds++;
	}
	*c->end = p;
	c->end = &p->next;
	c->waiting += p->b.len;
	return 0;
}

static int send_or_queue(struct ipc_chan *c, struct ipc_out *o)
{
	if (c->broken || ipc_out_finish(o) < 0 || c->waiting + o->b.len > IPC_CHAN_QUEUE_MAX)
		return -1;
	if (!c->first) {
		if (ipc_send_now(c->fd, &o->b, o->fds, o->nfds) == 0)
			return 0;
		if (errno != EAGAIN) {
			set_broken(c, "send");
			return -1;
		}
	}
	return enqueue(c, o);
}

int ipc_chan_send(struct ipc_chan *c, struct ipc_out *o)
{
	int r = send_or_queue(c, o);

	ipc_out_clear(o);
	if (c->first)
		watch(c);
	return r;
}

bool ipc_chan_broken(const struct ipc_chan *c)
{
	return c->broken || c->closed;
}

size_t ipc_chan_waiting(const struct ipc_chan *c)
{
	return c->waiting;
}

int ipc_chan_fd(const struct ipc_chan *c)
{
	return c->fd;
}

void ipc_chan_drain(struct ipc_chan *c)
{
	REQUIRE(!c->busy);
	read_burst(c, DRAIN_MAX);
}

void ipc_chan_pause(struct ipc_chan *c, bool paused)
{
	c->paused = paused;
	watch(c);
}

void ipc_chan_free(struct ipc_chan *c)
{
	if (!c)
		return;
	if (c->busy)
		c->doomed = true;
	else
		destroy(c);
}
