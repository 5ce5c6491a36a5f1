/*
 * The descriptor under a connection, with or without TLS: one non-blocking read, write, handshake or farewell at a
 * time, its outcome as a word. Role relay. Used by conn.c alone; keeps no buffers of its own and calls nobody back.
 */
#ifndef POSTERN_SMTP_CONN_IO_H
#define POSTERN_SMTP_CONN_IO_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#define CONN_IO_WHY 256

struct conn_io {
	int fd;
	SSL *ssl;	       /* NULL: plain */
	bool up;	       /* the handshake is done */
	bool broken;	       /* TLS failed for good: nothing more may be sent through it */
	char why[CONN_IO_WHY]; /* after CONN_IO_END and CONN_IO_BAD: what happened */
};

enum conn_io_result {
	CONN_IO_DONE,  /* did something */
	CONN_IO_READ,  /* again when the descriptor is readable */
	CONN_IO_WRITE, /* again when it is writable */
	CONN_IO_END,   /* the peer ended the connection */
	CONN_IO_BAD,   /* failed */
};

/* Takes fd (owned, made non-blocking, TCP_NODELAY where it is TCP). */
void conn_io_init(struct conn_io *io, int fd);
/* Frees TLS and closes the descriptor. Says close_notify first where TLS stands. */
void conn_io_clear(struct conn_io *io);
/* The outcome of a connect() that was under way. */
enum conn_io_result conn_io_connected(struct conn_io *io);
enum conn_io_result conn_io_read(struct conn_io *io, void *p, size_t n, size_t *got_r);
enum conn_io_result conn_io_write(struct conn_io *io, const void *p, size_t n, size_t *put_r);
/* Prepares TLS; -1 with why set when OpenSSL refuses (out of memory, bad context). name as in conn_start_tls. */
int conn_io_tls(struct conn_io *io, SSL_CTX *ctx, bool server, const char *name) __attribute__((warn_unused_result));
enum conn_io_result conn_io_handshake(struct conn_io *io);
/* Sends close_notify (TLS), then the FIN. CONN_IO_DONE when both are out. */
enum conn_io_result conn_io_bye(struct conn_io *io);

#endif
