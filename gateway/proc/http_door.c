/* The door of an HTTP listener, see the header. */
#include "gateway/proc/http_door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/public_gate.h"

enum { ACCEPT_AT_ONCE = 64, LOOK_MS = 1000, TOLD_MS = 60000 };

struct http_door {
	struct MHD_Daemon *daemon;
	struct public_gate *gate;
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *timer;
	int64_t told; /* ms: when the log was last told of refusals */
	int fd;
	const char *who;
	void (*after)(void *ctx);
	void *ctx;
};

void http_door_tell(void *ctx, const char *format, va_list args)
{
	const struct http_door *d = ctx;
	char text[300];

	(void)vsnprintf(text, sizeof text, format, args);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug(NULL, d->who, "http why=\"%s\"", text);
}

void http_door_notice(void *ctx, struct MHD_Connection *c, void **state, enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct http_door *d = ctx;

	(void)state;
	if (i && what == MHD_CONNECTION_NOTIFY_STARTED)
		public_gate_started(d->gate, i->connect_fd);
	else if (i)
		public_gate_left(d->gate, i->connect_fd);
}

static void take(struct http_door *d, int fd, const struct sockaddr_storage *from, socklen_t n)
{
	if (!public_gate_enter(d->gate, fd, (const struct sockaddr *)from, loop_now_ms())) {
		(void)close(fd);
		return;
	}
	if (MHD_add_connection(d->daemon, fd, (const struct sockaddr *)from, n) != MHD_YES) /* which has closed it */
		public_gate_left(d->gate, fd);
}

static void take_all(struct http_door *d)
{
	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
		socklen_t n = sizeof from;
		int c = accept4(d->fd, (struct sockaddr *)&from, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c >= 0) {
			take(d, c, &from, n);
			continue;
		}
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		/* no descriptors: readable all the time until some are free */
		log_error(NULL, d->who, "alarm=accept why=\"%s\"", strerror(errno));
		loop_io_want(d->io, 0);
		return;
	}
}

static void incoming(void *ctx, int fd, unsigned got)
{
	struct http_door *d = ctx;

	(void)fd;
	(void)got;
	take_all(d);
	if (d->after)
		d->after(d->ctx);
}

static void look(void *ctx)
{
	struct http_door *d = ctx;
	int64_t now = loop_now_ms();
	unsigned n;

	loop_timer_set(d->timer, LOOK_MS);
	loop_io_want(d->io, LOOP_READ);
	public_gate_look(d->gate, now);
	if (now - d->told < TOLD_MS)
		return;
	d->told = now;
	n = public_gate_refused(d->gate);
	if (n > 0)
		log_warn(NULL, d->who, "connections-refused n=%u why=\"limits of section %s\"", n, d->who);
}

struct http_door *http_door_new(struct loop *l, int fd, const char *who, const struct public_settings *set)
{
	struct http_door *d = mem_new(sizeof *d);

	*d = (struct http_door){.gate = public_gate_new(set), .loop = l, .fd = fd, .who = who, .told = loop_now_ms()};
	return d;
}

void http_door_open(struct http_door *d, struct MHD_Daemon *daemon, void (*after)(void *ctx), void *ctx)
{
	d->daemon = daemon;
	d->after = after;
	d->ctx = ctx;
	d->io = loop_io_new(d->loop, d->fd, incoming, d);
	d->timer = loop_timer_new(d->loop, look, d);
	look(d);
}

void http_door_close(struct http_door *d)
{
	loop_timer_free(d->timer);
	loop_io_free(d->io);
	d->timer = NULL;
	d->io = NULL;
}

void http_door_free(struct http_door *d)
{
	http_door_close(d);
	public_gate_free(d->gate);
	(void)close(d->fd);
	free(d);
}
