/*
 * Messages between our processes: SOCK_SEQPACKET, one message a packet, header {version, type, id, length} then
 * fields, big-endian. Descriptors travel beside. Every process. A packet that breaks the rules ends the peer (our own
 * child) or gets an error reply (local client): ipc only reports it. The event-driven form is in ipc_chan.h.
 */
#ifndef POSTERN_BASE_IPC_H
#define POSTERN_BASE_IPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

#define IPC_VERSION 1
#define IPC_HEADER 12
#define IPC_PACKET_MAX (96 * 1024) /* header and fields; content up to 64 KiB travels inline */
#define IPC_FDS_MAX 16

/* Writing fields. Overflow of IPC_PACKET_MAX is remembered and makes sending fail. */
struct ipc_out {
	struct buf b; /* header room first */
	int fds[IPC_FDS_MAX];
	int nfds;
	bool bad;
};
void ipc_out_init(struct ipc_out *o, uint16_t type, uint32_t id);
void ipc_out_clear(struct ipc_out *o); /* does not close the fds */
void ipc_put_u8(struct ipc_out *o, uint8_t v);
void ipc_put_u16(struct ipc_out *o, uint16_t v);
void ipc_put_u32(struct ipc_out *o, uint32_t v);
void ipc_put_u64(struct ipc_out *o, uint64_t v);
void ipc_put_bytes(struct ipc_out *o, const void *p, size_t n); /* u32 length + octets */
void ipc_put_str(struct ipc_out *o, const char *s);		/* as bytes; NULL = "" */
void ipc_put_fd(struct ipc_out *o, int fd); /* stays open here; duplicated by the kernel on sending */

/* A received message. p..p+n are the fields; fds belong to the receiver, who closes or takes them. */
struct ipc_in {
	uint16_t type;
	uint32_t id;
	const uint8_t *p;
	size_t n;
	int fds[IPC_FDS_MAX];
	int nfds;
	bool bad; /* set by a getter that found too little; getters then give zeroes */
};
uint8_t ipc_get_u8(struct ipc_in *in);
uint16_t ipc_get_u16(struct ipc_in *in);
uint32_t ipc_get_u32(struct ipc_in *in);
uint64_t ipc_get_u64(struct ipc_in *in);
/* Points into the packet; valid while the packet is. */
const uint8_t *ipc_get_bytes(struct ipc_in *in, size_t *n_r);
/* Copies into a fixed array; longer than cap-1 or containing NUL makes it bad. */
void ipc_get_str(struct ipc_in *in, char *dst, size_t cap);
/* Takes the next descriptor (caller closes), -1 and bad when there is none. */
int ipc_get_fd(struct ipc_in *in);
/* 0 when every field and descriptor was consumed and nothing was bad; else -1. Closes descriptors left over. */
int ipc_end(struct ipc_in *in) __attribute__((warn_unused_result));
/* Closes descriptors nobody took, for error paths. */
void ipc_close_fds(struct ipc_in *in);
/* Checks the header of a packet of n octets and points in at its fields; the fds are left alone. 0, or -1 when
 * malformed. */
int ipc_parse(const uint8_t *p, size_t n, struct ipc_in *in) __attribute__((warn_unused_result));

/* A connected pair, close-on-exec, buffers raised so that a full packet fits. 0 / -1 (errno). */
int ipc_pair(int fds_r[2]) __attribute__((warn_unused_result));

/* Blocking forms (sealer, keeper threads, clients). One packet. timeout_ms < 0: no limit.
 * ipc_send: 0, -1 peer gone, not sendable or time-out. ipc_recv: 1 got one, 0 peer closed, -1 error, time-out (errno
 * ETIMEDOUT) or malformed; packet memory is in `store` (init by the caller with max >= IPC_PACKET_MAX). */
int ipc_send(int fd, struct ipc_out *o, int timeout_ms) __attribute__((warn_unused_result));
int ipc_recv(int fd, struct buf *store, struct ipc_in *in, int timeout_ms) __attribute__((warn_unused_result));

/* What the blocking forms and ipc_chan are made of; never block. ipc_out_finish writes the length: 0, or -1 when bad.
 * ipc_send_now: 0, or -1 with errno (EAGAIN: no room now). ipc_recv_now: as ipc_recv, EAGAIN when nothing is there,
 * EBADMSG when malformed. */
int ipc_out_finish(struct ipc_out *o) __attribute__((warn_unused_result));
int ipc_send_now(int fd, const struct buf *packet, const int *fds, int nfds) __attribute__((warn_unused_result));
int ipc_recv_now(int fd, struct buf *store, struct ipc_in *in) __attribute__((warn_unused_result));

#endif
