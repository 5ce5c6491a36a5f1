/*
 * One connection on the loop: buffers, states, callbacks; conn_io.c does the reading, writing and TLS. Role relay.
 * RFC 3207 4.2 (input from before the handshake does not survive it). Does not know SMTP.
 *
 * Every event runs the state's handler until the state no longer changes, then says what the descriptor is watched
 * for. The user's callbacks are only called from there, never from inside a conn_* call; `depth` keeps the memory
 * alive when one of them frees the connection. An idle connection holds no buffers: both are given back whenever they
 * are empty.
 */
#include "gateway/smtp/conn.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/smtp/conn_io.h"

enum {
	OUT_HIGH = 64 * 1024,
	OUT_LOW = 16 * 1024,
	OUT_MAX = 1024 * 1024,
	STEP_MIN = 2 * 1024, /* first read of a quiet connection; grows while reads come back full */
	STEP_MAX = 64 * 1024,
	CORK_MS = 10,
	DISCARD_MAX = 1024 * 1024, /* read and thrown away while lingering */
};

enum conn_state { CONN_CONNECTING, CONN_OPEN, CONN_HANDSHAKE, CONN_LINGER, CONN_DEAD, CONN_STATES };

struct conn {
	struct conn_io io;
	struct loop *loop;
	struct loop_io *watch;
	struct loop_timer *timer; /* conn_timeout and linger; made when first needed */
	struct loop_timer *kick;  /* run soon */
	const struct conn_ops *ops;
	void *ctx;
	struct buf in, out;
	size_t out_off; /* octets of out already sent */
	size_t step;	/* size of the next read */
	size_t discarded;
	int64_t kick_due;   /* when kick will ring, 0: it is off */
	int64_t cork_since; /* when the first octet now waiting under the cork was written */
	enum conn_state state;
	unsigned wanted; /* what the descriptor is watched for */
	unsigned need;	 /* what reading, writing or the handshake wait for besides */
	int depth;	 /* inside run() or the timer */
	bool freed, paused, corked;
	bool full;  /* conn_write said so */
	bool again; /* conn_again */
	bool more;  /* reading stopped for want of room, not of octets: OpenSSL may hold some that the descriptor does
		       not show */
	bool over, failed; /* the peer ended or reading failed / writing failed; io.why says what */
	bool said_bye;
	char peer[INET6_ADDRSTRLEN + 8];
};

/* A loop belongs to one thread, and so do its connections. */
static _Thread_local size_t lingering;

static void run(struct conn *c);

static void set_peer(struct conn *c)
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof ss;
	char text[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&ss;

	snprintf(c->peer, sizeof c->peer, "unknown");
	if (getpeername(c->io.fd, (struct sockaddr *)&ss, &n) < 0)
		return;
	if (ss.ss_family == AF_UNIX)
		snprintf(c->peer, sizeof c->peer, "unix");
	if (ss.ss_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)&ss)->sin_addr, text, sizeof text);
		snprintf(c->peer, sizeof c->peer, "%s", text);
	}
	if (ss.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], text, sizeof text);
		snprintf(c->peer, sizeof c->peer, "%s", text);
	} else if (ss.ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
		snprintf(c->peer, sizeof c->peer, "IPv6:%s", text);
	}
}

static void on_kick(void *ctx)
{
	struct conn *c = ctx;

	c->kick_due = 0;
	run(c);
}

static void on_watch(void *ctx, int fd, unsigned got)
{
	(void)fd;
	(void)got;
	run(ctx);
}

/* Runs the connection from the loop, at the latest in ms. */
static void kick(struct conn *c, int64_t ms)
{
	int64_t due = loop_now_ms() + ms;

	if (c->state == CONN_DEAD || (c->kick_due && c->kick_due <= due))
		return;
	c->kick_due = due;
	loop_timer_set(c->kick, ms);
}

/* A write is worth a run of its own only outside of one. */
static void kick_write(struct conn *c)
{
	if (c->depth == 0)
		kick(c, c->corked ? CORK_MS : 0);
}

static void release(struct conn *c)
{
	loop_io_free(c->watch);
	loop_timer_free(c->kick);
	if (c->timer)
		loop_timer_free(c->timer);
	conn_io_clear(&c->io);
	buf_clear(&c->in);
	buf_clear(&c->out);
}

/* All but the memory. */
static void finish(struct conn *c)
{
	lingering -= c->state == CONN_LINGER;
	c->state = CONN_DEAD;
	c->freed = true;
	release(c);
}

void conn_free(struct conn *c)
{
	if (!c || c->freed)
		return;
	finish(c);
	if (c->depth == 0)
		free(c);
}

static void enter(struct conn *c)
{
	c->depth++;
}

static void leave(struct conn *c)
{
	if (--c->depth == 0 && c->freed)
		free(c);
}

static void die(struct conn *c, const char *why)
{
	c->state = CONN_DEAD;
	c->ops->on_closed(c->ctx, c, why);
}

/* OpenSSL wants a failed write repeated with the same octets; they stay in out until they are sent, and out only
 * grows at its end. */
static void flush(struct conn *c)
{
	while (c->out_off < c->out.len && !c->failed) {
		size_t put;
		enum conn_io_result r = conn_io_write(&c->io, c->out.p + c->out_off, c->out.len - c->out_off, &put);

		c->out_off += put;
		if (r == CONN_IO_READ || r == CONN_IO_WRITE) {
			c->need |= r == CONN_IO_READ ? LOOP_READ : LOOP_WRITE;
			return;
		}
		c->failed = r != CONN_IO_DONE;
	}
	if (c->full)
		buf_reset(&c->out); /* filled again in a moment */
	else
		buf_clear(&c->out);
	c->out_off = 0;
}

static bool held(const struct conn *c)
{
	return c->corked && !c->over && loop_now_ms() - c->cork_since < CORK_MS;
}

static size_t room(const struct conn *c)
{
	return c->in.max - c->in.len;
}

/* Reads until nothing is there, the buffer is full, or the peer ended. Returns how much came. */
static size_t fill(struct conn *c)
{
	size_t all = 0;

	while (!c->paused && !c->over && room(c) > 0) {
		size_t want = c->step < room(c) ? c->step : room(c), got;
		uint8_t *to = buf_room(&c->in, want);

		REQUIRE(to);

		enum conn_io_result r = conn_io_read(&c->io, to, want, &got);

		c->more = r == CONN_IO_DONE;
		if (r == CONN_IO_WRITE)
			c->need |= LOOP_WRITE;
		if (r == CONN_IO_END || r == CONN_IO_BAD)
			c->over = true;
		if (r != CONN_IO_DONE)
			break;
		buf_added(&c->in, got);
		all += got;
		if (got == want)
			c->step = c->step < STEP_MAX / 4 ? c->step * 4 : STEP_MAX;
		/* A short read of a plain socket emptied it: saves the read that would say so. */
		if (got < want && !c->io.ssl)
			break;
	}
	if (all < STEP_MIN)
		c->step = STEP_MIN;
	return all;
}

static void step_connecting(struct conn *c)
{
	struct pollfd p = {.fd = c->io.fd, .events = POLLOUT};

	if (poll(&p, 1, 0) <= 0)
		return;
	if (conn_io_connected(&c->io) != CONN_IO_DONE) {
		die(c, c->io.why);
		return;
	}
	c->state = CONN_OPEN;
	set_peer(c);
	c->ops->on_drained(c->ctx, c);
}

static void drained(struct conn *c)
{
	if (!c->full || conn_waiting(c) > OUT_LOW)
		return;
	c->full = false;
	c->ops->on_drained(c->ctx, c);
	if (c->state == CONN_OPEN && !held(c))
		flush(c);
}

static void step_open(struct conn *c)
{
	c->need = 0;
	bool tell = fill(c) > 0 || c->again;

	c->again = false;
	if (tell)
		c->ops->on_input(c->ctx, c);
	if (c->state != CONN_OPEN)
		return;
	if (!held(c))
		flush(c);
	if (c->in.len == 0)
		buf_clear(&c->in);
	/* The peer's end comes after all that it sent, also when that did not fit at once. */
	if (c->failed || (c->over && !c->again)) {
		die(c, c->io.why);
		return;
	}
	drained(c);
}

static void step_handshake(struct conn *c)
{
	c->need = 0;
	flush(c);
	if (c->failed) {
		c->state = CONN_DEAD;
		c->ops->on_tls(c->ctx, c, c->io.why);
		return;
	}
	if (conn_waiting(c))
		return;

	enum conn_io_result r = conn_io_handshake(&c->io);

	if (r == CONN_IO_READ || r == CONN_IO_WRITE) {
		c->need = r == CONN_IO_READ ? LOOP_READ : LOOP_WRITE;
		return;
	}
	c->state = r == CONN_IO_DONE ? CONN_OPEN : CONN_DEAD;
	c->ops->on_tls(c->ctx, c, r == CONN_IO_DONE ? NULL : c->io.why);
}

/* Throws away what still comes, within a limit. Returns false when the peer is gone or has had enough. */
static bool discard(struct conn *c)
{
	c->paused = false;
	buf_reset(&c->in);
	c->discarded += fill(c);
	buf_reset(&c->in);
	return !c->over && c->discarded <= DISCARD_MAX;
}

static void step_linger(struct conn *c)
{
	c->need = 0;
	flush(c);
	if (!c->failed && !conn_waiting(c) && !c->said_bye) {
		enum conn_io_result r = conn_io_bye(&c->io);

		c->said_bye = r == CONN_IO_DONE;
		c->failed = r == CONN_IO_BAD || r == CONN_IO_END;
		if (r == CONN_IO_WRITE)
			c->need |= LOOP_WRITE;
	}
	if (c->failed || !discard(c))
		conn_free(c);
	else
		buf_clear(&c->in);
}

static void step_dead(struct conn *c)
{
	(void)c;
}

static void (*const steps[CONN_STATES])(struct conn *c) = {
    [CONN_CONNECTING] = step_connecting,
    [CONN_OPEN] = step_open,
    [CONN_HANDSHAKE] = step_handshake,
    [CONN_LINGER] = step_linger,
    [CONN_DEAD] = step_dead,
};

static unsigned wants(const struct conn *c)
{
	switch (c->state) {
	case CONN_CONNECTING:
		return LOOP_WRITE;
	case CONN_OPEN:
	case CONN_LINGER:
		return c->need | (!c->paused && !c->over && room(c) > 0 ? LOOP_READ : 0);
	case CONN_HANDSHAKE:
		return c->need;
	default:
		return 0;
	}
}

/* After a run: what to watch, and whether to run again without an event. */
static void settle(struct conn *c)
{
	unsigned w = wants(c);

	if (w != c->wanted)
		loop_io_want(c->watch, w);
	c->wanted = w;
	if (c->state != CONN_OPEN && c->state != CONN_LINGER)
		return;
	if (c->again || (c->more && !c->paused && !c->over && room(c) > 0) || (c->full && conn_waiting(c) <= OUT_LOW))
		kick(c, 0);
	else if (c->corked && conn_waiting(c))
		kick(c, CORK_MS);
}

static void run(struct conn *c)
{
	enum conn_state before;

	enter(c);
	do {
		before = c->state;
		steps[before](c);
	} while (c->state != before);
	if (!c->freed)
		settle(c);
	leave(c);
}

static void on_timer(void *ctx)
{
	struct conn *c = ctx;

	enter(c);
	if (c->state == CONN_LINGER)
		finish(c); /* leave frees it */
	else if (c->state != CONN_DEAD)
		die(c, "timeout");
	if (!c->freed)
		settle(c);
	leave(c);
}

struct conn *conn_new(struct loop *l, int fd, bool connected, size_t in_max, const struct conn_ops *ops, void *ctx)
{
	struct conn *c = mem_new(sizeof *c);

	REQUIRE(in_max > 0);
	conn_io_init(&c->io, fd);
	c->loop = l;
	c->ops = ops;
	c->ctx = ctx;
	c->step = STEP_MIN;
	c->state = connected ? CONN_OPEN : CONN_CONNECTING;
	buf_init(&c->in, in_max);
	buf_init(&c->out, OUT_MAX);
	c->watch = loop_io_new(l, fd, on_watch, c);
	c->kick = loop_timer_new(l, on_kick, c);
	set_peer(c);
	settle(c);
	return c;
}

static void set_timer(struct conn *c, int64_t ms)
{
	if (!c->timer && ms > 0)
		c->timer = loop_timer_new(c->loop, on_timer, c);
	if (ms > 0)
		loop_timer_set(c->timer, ms);
	else if (c->timer)
		loop_timer_off(c->timer);
}

void conn_timeout(struct conn *c, int64_t ms)
{
	if (c->state != CONN_DEAD && c->state != CONN_LINGER)
		set_timer(c, ms);
}

/* What the socket takes goes out, what came is read, so that no RST overtakes it; the peer is not waited for. */
static void leave_at_once(struct conn *c)
{
	flush(c);
	if (!c->failed && !conn_waiting(c))
		(void)conn_io_bye(&c->io);
	(void)discard(c);
	conn_free(c);
}

void conn_linger(struct conn *c, int64_t ms)
{
	if ((c->state != CONN_OPEN && c->state != CONN_LINGER) || c->failed || ms <= 0) {
		conn_free(c);
		return;
	}
	if (c->state != CONN_LINGER && lingering >= CONN_LINGERING_MAX) {
		leave_at_once(c);
		return;
	}
	lingering += c->state != CONN_LINGER;
	c->state = CONN_LINGER;
	c->corked = c->again = c->full = false;
	set_timer(c, ms);
	if (c->depth == 0)
		run(c);
}

size_t conn_lingering(void)
{
	return lingering;
}

struct buf *conn_in(struct conn *c)
{
	return &c->in;
}

void conn_again(struct conn *c)
{
	c->again = true;
	if (c->depth == 0)
		kick(c, 0);
}

size_t conn_waiting(const struct conn *c)
{
	return c->out.len - c->out_off;
}

int conn_write(struct conn *c, const void *p, size_t n)
{
	REQUIRE(c->state != CONN_HANDSHAKE);
	if (c->failed || c->state != CONN_OPEN)
		return -1;
	if (c->out_off > 0 && c->out_off >= c->out.len / 2) {
		buf_drop(&c->out, c->out_off);
		c->out_off = 0;
	}
	if (c->corked && conn_waiting(c) == 0)
		c->cork_since = loop_now_ms();
	if (buf_add(&c->out, p, n) < 0) {
		snprintf(c->io.why, sizeof c->io.why, "more than %d octets of output waiting", OUT_MAX);
		c->failed = true;
		kick_write(c);
		return -1;
	}
	kick_write(c);
	if (conn_waiting(c) >= OUT_HIGH)
		c->full = true;
	return c->full ? 1 : 0;
}

/* Failures are told from the loop: the caller is not called back from here. */
void conn_flush(struct conn *c)
{
	if (c->state != CONN_OPEN || conn_waiting(c) == 0)
		return;
	flush(c);
	if (c->depth == 0)
		kick(c, 0);
}

void conn_cork(struct conn *c, bool corked)
{
	bool send = c->corked && !corked && conn_waiting(c);

	c->corked = corked;
	if (send && c->depth == 0)
		kick(c, 0);
}

void conn_pause(struct conn *c, bool paused)
{
	c->paused = paused;
	if (c->depth == 0)
		kick(c, 0);
}

bool conn_gone(const struct conn *c)
{
	struct pollfd p = {.fd = c->io.fd, .events = POLLRDHUP};

	return c->state == CONN_DEAD || c->over ||
	       (poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)));
}

void conn_start_tls(struct conn *c, SSL_CTX *ctx, bool server, const char *name)
{
	if (c->state != CONN_OPEN)
		return;
	/* RFC 3207 4.2: whatever the other side (or someone in between) said in the clear must not be taken for
	 * something said under TLS. */
	buf_clear(&c->in);
	c->again = false;
	c->corked = false;
	c->state = CONN_HANDSHAKE;
	/* The TLS object is first used by the handshake's step, after the last octet in the clear; a failure is told
	 * from there too. */
	if (conn_io_tls(&c->io, ctx, server, name) < 0)
		c->failed = true;
	if (c->depth == 0)
		kick(c, 0);
}

bool conn_is_tls(const struct conn *c)
{
	return c->io.up;
}

SSL *conn_ssl(struct conn *c)
{
	return c->io.ssl;
}

const char *conn_tls_words(const struct conn *c, char *out, size_t cap)
{
	REQUIRE(cap > 0);
	out[0] = 0;
	if (c->io.up)
		snprintf(out, cap, "%s cipher %s", SSL_get_version(c->io.ssl), SSL_get_cipher_name(c->io.ssl));
	return out;
}

const char *conn_peer(const struct conn *c)
{
	return c->peer;
}

int conn_fd(const struct conn *c)
{
	return c->io.fd;
}
