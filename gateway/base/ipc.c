/*
 * Messages between our processes: fields, header, one packet a message, and the blocking forms. Every process.
 *
 * Whoever can make a peer send us a packet chooses every octet of it, and may attach descriptors. So: lengths are
 * checked against what is left before anything is read; what does not fit sets `bad` and reads as zero, so that a
 * decoder is a straight list of getters with one check at its end; every descriptor the kernel installed is either
 * handed over or closed. Not here: what the types mean, and queueing (ipc_chan.c).
 */
#include "gateway/base/ipc.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/* The kernel takes at most net.core.wmem_max (212992 by default) and doubles it: room for a few full packets. */
enum { IPC_SOCKBUF = 512 * 1024 };

static void store16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void store32(uint8_t *p, uint32_t v)
{
	store16(p, (uint16_t)(v >> 16));
	store16(p + 2, (uint16_t)v);
}

static uint32_t load(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

void ipc_out_init(struct ipc_out *o, uint16_t type, uint32_t id)
{
	uint8_t head[IPC_HEADER] = {0};

	memset(o, 0, sizeof *o);
	buf_init(&o->b, IPC_PACKET_MAX);
	store16(head, IPC_VERSION);
	store16(head + 2, type);
	store32(head + 4, id);
	o->bad = buf_add(&o->b, head, sizeof head) < 0;
}

void ipc_out_clear(struct ipc_out *o)
{
	buf_clear(&o->b);
	o->nfds = 0;
	o->bad = true; /* without a header it can no longer be sent */
}

static void put(struct ipc_out *o, const void *p, size_t n)
{
	if (o->bad || buf_add(&o->b, p, n) < 0)
		o->bad = true;
}

void ipc_put_u8(struct ipc_out *o, uint8_t v)
{
	put(o, &v, 1);
}

void ipc_put_u16(struct ipc_out *o, uint16_t v)
{
	uint8_t p[2];

	store16(p, v);
	put(o, p, sizeof p);
}

void ipc_put_u32(struct ipc_out *o, uint32_t v)
{
	uint8_t p[4];

	store32(p, v);
	put(o, p, sizeof p);
}

void ipc_put_u64(struct ipc_out *o, uint64_t v)
{
	ipc_put_u32(o, (uint32_t)(v >> 32));
	ipc_put_u32(o, (uint32_t)v);
}

void ipc_put_bytes(struct ipc_out *o, const void *p, size_t n)
{
	if (n > IPC_PACKET_MAX) {
		o->bad = true;
		return;
	}
	ipc_put_u32(o, (uint32_t)n);
	put(o, p, n);
}

void ipc_put_str(struct ipc_out *o, const char *s)
{
	ipc_put_bytes(o, s ? s : "", s ? strlen(s) : 0);
}

void ipc_put_fd(struct ipc_out *o, int fd)
{
	if (fd < 0 || o->nfds == IPC_FDS_MAX)
		o->bad = true;
	else
		o->fds[o->nfds++] = fd;
}

int ipc_out_finish(struct ipc_out *o)
{
	if (o->bad || o->b.len < IPC_HEADER)
		return -1;
	store32(o->b.p + 8, (uint32_t)(o->b.len - IPC_HEADER));
	return 0;
}

static const uint8_t *take(struct ipc_in *in, size_t n)
{
	const uint8_t *p = in->p;

	if (in->bad || n > in->n) {
		in->bad = true;
		return NULL;
	}
	in->p += n;
	in->n -= n;
	return p;
}

static uint32_t take_number(struct ipc_in *in, size_t width)
{
	const uint8_t *p = take(in, width);

	return p ? load(p, width) : 0;
}

uint8_t ipc_get_u8(struct ipc_in *in)
{
	return (uint8_t)take_number(in, 1);
}

uint16_t ipc_get_u16(struct ipc_in *in)
{
	return (uint16_t)take_number(in, 2);
}

uint32_t ipc_get_u32(struct ipc_in *in)
{
	return take_number(in, 4);
}

uint64_t ipc_get_u64(struct ipc_in *in)
{
	const uint8_t *p = take(in, 8);

	return p ? (uint64_t)load(p, 4) << 32 | load(p + 4, 4) : 0;
}

const uint8_t *ipc_get_bytes(struct ipc_in *in, size_t *n_r)
{
	static const uint8_t none[1]; /* callers may memcpy 0 octets from it */
	size_t n = ipc_get_u32(in);
	const uint8_t *p = take(in, n);

	*n_r = p ? n : 0;
	return p ? p : none;
}

void ipc_get_str(struct ipc_in *in, char *dst, size_t cap)
{
	size_t n;
	const uint8_t *p = ipc_get_bytes(in, &n);

	REQUIRE(cap > 0);
	dst[0] = 0;
	/* a NUL inside would make two readers of the same text see different names */
	if (n >= cap || memchr(p, 0, n)) {
		in->bad = true;
		return;
	}
	memcpy(dst, p, n);
	dst[n] = 0;
}

int ipc_get_fd(struct ipc_in *in)
{
	if (in->bad || in->nfds == 0) {
		in->bad = true;
		return -1;
	}

	int fd = in->fds[0];

	in->nfds--;
	memmove(in->fds, in->fds + 1, (size_t)in->nfds * sizeof in->fds[0]);
	return fd;
}

void ipc_close_fds(struct ipc_in *in)
{
	for (int i = 0; i < in->nfds; i++)
		close(in->fds[i]);
	in->nfds = 0;
}

int ipc_end(struct ipc_in *in)
{
	int whole = !in->bad && in->n == 0 && in->nfds == 0;

	ipc_close_fds(in);
	return whole ? 0 : -1;
}

int ipc_parse(const uint8_t *p, size_t n, struct ipc_in *in)
{
	if (n < IPC_HEADER || n > IPC_PACKET_MAX)
		return -1;
	if (load(p, 2) != IPC_VERSION || load(p + 8, 4) != n - IPC_HEADER)
		return -1;
	in->type = (uint16_t)load(p + 2, 2);
	in->id = load(p + 4, 4);
	in->p = p + IPC_HEADER;
	in->n = n - IPC_HEADER;
	return 0;
}

int ipc_pair(int fds_r[2])
{
	int size = IPC_SOCKBUF;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds_r) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		if (setsockopt(fds_r[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0 &&
		    setsockopt(fds_r[i], SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0)
			continue;

		int saved = errno;

		close(fds_r[0]);
		close(fds_r[1]);
		errno = saved;
		return -1;
	}
	return 0;
}

union control {
	struct cmsghdr head; /* for the alignment */
	char space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

int ipc_send_now(int fd, const struct buf *packet, const int *fds, int nfds)
{
	struct iovec iov = {.iov_base = packet->p, .iov_len = packet->len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	union control c;
	ssize_t r;

	REQUIRE(nfds >= 0 && nfds <= IPC_FDS_MAX);
	if (nfds > 0) {
		size_t n = (size_t)nfds * sizeof(int);

		memset(&c, 0, sizeof c);
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(n);
		c.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(n), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&c.head), fds, n);
	}
	do {
		r = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -1 : 0;
}

/* Collects what the kernel installed; -1 when there was anything but at most IPC_FDS_MAX descriptors. */
static int collect_fds(struct msghdr *m, struct ipc_in *in)
{
	int ret = m->msg_flags & MSG_CTRUNC ? -1 : 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) {
			ret = -1;
			continue;
		}
		for (size_t off = 0; off + sizeof(int) <= h->cmsg_len - CMSG_LEN(0); off += sizeof(int)) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + off, sizeof fd);
			if (in->nfds < IPC_FDS_MAX) {
				in->fds[in->nfds++] = fd;
			} else {
				close(fd);
				ret = -1;
			}
		}
	}
	return ret;
}

/*
 * A peer that closed with packets of ours unread leaves ECONNRESET in front of what it sent before; that error is
 * reported once, the packets follow. So a reset is asked again.
 */
static ssize_t receive(int fd, struct msghdr *m, size_t controllen)
{
	ssize_t r;
	int resets = 0;

	do {
		m->msg_controllen = controllen;
		r = recvmsg(fd, m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	} while (r < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
	return r < 0 && errno == ECONNRESET ? 0 : r;
}

int ipc_recv_now(int fd, struct buf *store, struct ipc_in *in)
{
	struct iovec iov;
	union control c;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c};

	memset(in, 0, sizeof *in);
	REQUIRE(store->max >= IPC_PACKET_MAX);
	buf_reset(store);
	iov.iov_base = buf_room(store, IPC_PACKET_MAX);
	iov.iov_len = IPC_PACKET_MAX;

	ssize_t r = receive(fd, &m, sizeof c);

	if (r < 0)
		return -1;

	int ok = collect_fds(&m, in) == 0 && !(m.msg_flags & MSG_TRUNC);

	buf_added(store, (size_t)r);
	if (ok && r == 0 && in->nfds == 0)
		return 0;
	if (ok && ipc_parse(store->p, store->len, in) == 0)
		return 1;
	ipc_close_fds(in);
	errno = EBADMSG;
	return -1;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until fd is ready, failed or closed. -1 with ETIMEDOUT. end_ms < 0: no limit. */
static int wait_for(int fd, short events, int64_t end_ms)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = end_ms < 0 ? -1 : end_ms - now_ms();
		int r = poll(&pfd, 1, end_ms < 0 ? -1 : left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left);

		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -1;
		if (r == 0 && end_ms >= 0 && now_ms() >= end_ms) {
			errno = ETIMEDOUT;
			return -1;
		}
	}
}

int ipc_send(int fd, struct ipc_out *o, int timeout_ms)
{
	int64_t end = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;

	if (ipc_out_finish(o) < 0) {
		errno = EMSGSIZE;
		return -1;
	}
	while (ipc_send_now(fd, &o->b, o->fds, o->nfds) < 0)
		if (errno != EAGAIN || wait_for(fd, POLLOUT, end) < 0)
			return -1;
	return 0;
}

int ipc_recv(int fd, struct buf *store, struct ipc_in *in, int timeout_ms)
{
	int64_t end = timeout_ms < 0 ? -1 : now_ms() + timeout_ms;

	for (;;) {
		int r = ipc_recv_now(fd, store, in);

		if (r >= 0 || errno != EAGAIN || wait_for(fd, POLLIN, end) < 0)
			return r;
	}
}
