/*
 * One TCP connection on the loop: input buffer, output buffer, TLS in the middle when started. Shared by server and
 * client. Role relay. Never blocks. What was read before STARTTLS is thrown away when TLS starts (RFC 3207 4.2); TLS
 * close_notify is sent on an orderly close.
 */
#ifndef POSTERN_SMTP_CONN_H
#define POSTERN_SMTP_CONN_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "gateway/base/buf.h"
#include "gateway/base/loop.h"

struct conn;
/* Any of them may call conn_free or conn_linger. None is called from inside a conn_* function. */
struct conn_ops {
	void (*on_input)(void *ctx,
	    struct conn
		*c); /* new octets in conn_in(c); called again only when more come (conn_again asks for one) */
	void (*on_drained)(
	    void *ctx, struct conn *c); /* output fell below the low-water mark after conn_write said "full" */
	/* Handshake done (why NULL) or failed: then the connection is dead, conn_ssl still tells the details, free
	 * it; on_closed does not come. */
	void (*on_tls)(void *ctx, struct conn *c, const char *why);
	/* Peer closed (also only its sending side), error, or "timeout"; once; free it there or later. Octets that
	 * came before were given to on_input. */
	void (*on_closed)(void *ctx, struct conn *c, const char *why);
};
/* Owns fd (nonblocking is set). connected: 0 = a connect() is under way: on_drained is called when it stands,
 * on_closed when it fails. */
struct conn *conn_new(struct loop *l, int fd, bool connected, size_t in_max, const struct conn_ops *ops, void *ctx);
/* Frees and closes at once. May be called from inside callbacks. */
void conn_free(struct conn *c);
/* Sends what is waiting (at most `ms`), close_notify, FIN, waits for the peer's FIN while throwing away what it sends
 * (a close with unread input would be an RST that can overtake our last reply), then frees; no more callbacks. While
 * CONN_LINGERING_MAX do so already, only what the socket takes at once is sent: clients that are refused by the
 * thousand must not hold the descriptors of those that are served. */
enum { CONN_LINGERING_MAX = 1000 };
void conn_linger(struct conn *c, int64_t ms);
/* How many of this thread's connections still linger: a process that ends gives its loop some more rounds while this
 * is not 0. */
size_t conn_lingering(void);
/* Take octets out with buf_drop. Holds at most in_max; a full buffer stops reading until on_input returns with room,
 * or conn_again or conn_pause is called. */
struct buf *conn_in(struct conn *c);
void conn_again(struct conn *c); /* on_input soon, although nothing new came */
/* Queues octets; 1 = full (wait for on_drained before writing much more), 0 fine, -1 closed (or more than 1 MiB
 * queued, which closes). Sent when the callback returns, or soon when called from elsewhere. */
int conn_write(struct conn *c, const void *p, size_t n);
size_t conn_waiting(const struct conn *c);
void conn_flush(struct conn *c); /* tries to send now */
/* While corked, writes wait for more (some milliseconds at most) so that several replies share one packet. Uncorking
 * sends. */
void conn_cork(struct conn *c, bool corked);
void conn_pause(struct conn *c,
    bool paused); /* stop or resume reading; a peer's close is not noticed meanwhile, but by conn_gone */
/* Has the peer closed or reset, as far as the kernel knows now? One poll(2). */
bool conn_gone(const struct conn *c);
/* (Re)arms the one timer: `ms` from now, traffic does not move it; 0 = off; on_closed("timeout"). */
void conn_timeout(struct conn *c, int64_t ms);
/* Starts TLS as server or client (name = SNI and name to verify when verify is set in ctx; NULL none). What is queued
 * for output goes out in the clear first; what was read and not yet taken is thrown away. */
void conn_start_tls(struct conn *c, SSL_CTX *ctx, bool server, const char *name);
bool conn_is_tls(const struct conn *c);
SSL *conn_ssl(struct conn *c);
/* "TLSv1.3 cipher TLS_AES_256_GCM_SHA384" or "". */
const char *conn_tls_words(const struct conn *c, char *out, size_t cap);
const char *conn_peer(
    const struct conn *c); /* "192.0.2.1" / "IPv6:2001:db8::1" text of the peer; "unix" for a local socket */
int conn_fd(const struct conn *c);

#endif
