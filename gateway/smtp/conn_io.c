/*
 * The descriptor under a connection, with or without TLS. Role relay. RFC 3207, RFC 8446. Never blocks; no buffers,
 * no callbacks, no loop.
 */
#include "gateway/smtp/conn_io.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"

static void why_errno(struct conn_io *io, const char *doing)
{
	snprintf(io->why, sizeof io->why, "%s: %s", doing, strerror(errno));
}

void conn_io_init(struct conn_io *io, int fd)
{
	int one = 1, flags = fcntl(fd, F_GETFL);

	/* OpenSSL's socket BIO uses write(2): a peer that went away must be EPIPE, not the end of the process. */
	signal(SIGPIPE, SIG_IGN);
	REQUIRE(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
	/* Replies are put together above; Nagle would only hold back the last part. Fails harmlessly on what is not
	 * TCP. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	*io = (struct conn_io){.fd = fd};
}

void conn_io_clear(struct conn_io *io)
{
	if (io->ssl && io->up && !io->broken) {
		/* Without a shutdown state OpenSSL drops the session from its cache: no resumption later. */
		ERR_clear_error();
		(void)SSL_shutdown(io->ssl);
	}
	SSL_free(io->ssl);
	io->ssl = NULL;
	if (io->fd >= 0)
		close(io->fd);
	io->fd = -1;
}

enum conn_io_result conn_io_connected(struct conn_io *io)
{
	int err = 0;
	socklen_t n = sizeof err;

	if (getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		err = errno;
	if (err == 0)
		return CONN_IO_DONE;
	errno = err;
	why_errno(io, "connect");
	return CONN_IO_BAD;
}

/* The words for the error on top of OpenSSL's queue, with what the peer's certificate check said where that was it.
 */
static void why_tls(struct conn_io *io, const char *doing)
{
	unsigned long e = ERR_peek_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;
	long v = SSL_get_verify_result(io->ssl);

	if (v != X509_V_OK && SSL_get_verify_mode(io->ssl) != SSL_VERIFY_NONE)
		snprintf(io->why, sizeof io->why, "%s: certificate of the peer: %s", doing,
		    X509_verify_cert_error_string(v));
	else
		snprintf(io->why, sizeof io->why, "%s: %s", doing, reason ? reason : "error without a reason");
	ERR_clear_error();
}

static bool unexpected_end(void)
{
	return ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_SSL &&
	       ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
}

static enum conn_io_result end(struct conn_io *io, const char *why)
{
	snprintf(io->why, sizeof io->why, "%s", why);
	return CONN_IO_END;
}

/* r: what the OpenSSL call returned when it was not success. saved: errno right after it. */
static enum conn_io_result tls_result(struct conn_io *io, int r, int saved, const char *doing)
{
	switch (SSL_get_error(io->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return CONN_IO_READ;
	case SSL_ERROR_WANT_WRITE:
		return CONN_IO_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return end(io, "peer closed the connection");
	case SSL_ERROR_SYSCALL:
		io->broken = true;
		if (saved == 0)
			return end(io, "peer closed the connection without TLS close_notify");
		errno = saved;
		why_errno(io, doing);
		return CONN_IO_BAD;
	default:
		io->broken = true;
		if (unexpected_end()) {
			ERR_clear_error();
			return end(io, io->up ? "peer closed the connection without TLS close_notify"
					      : "peer closed the connection during the TLS handshake");
		}
		why_tls(io, doing);
		return CONN_IO_BAD;
	}
}

static enum conn_io_result plain_result(struct conn_io *io, const char *doing, enum conn_io_result again)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return again;
	why_errno(io, doing);
	return CONN_IO_BAD;
}

static enum conn_io_result read_plain(struct conn_io *io, void *p, size_t n, size_t *got_r)
{
	ssize_t r;

	do
		r = recv(io->fd, p, n, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return plain_result(io, "read", CONN_IO_READ);
	if (r == 0)
		return end(io, "peer closed the connection");
	*got_r = (size_t)r;
	return CONN_IO_DONE;
}

enum conn_io_result conn_io_read(struct conn_io *io, void *p, size_t n, size_t *got_r)
{
	*got_r = 0;
	if (!io->ssl)
		return read_plain(io, p, n, got_r);
	ERR_clear_error();
	errno = 0;

	int r = SSL_read_ex(io->ssl, p, n, got_r);
	int saved = errno;

	return r == 1 ? CONN_IO_DONE : tls_result(io, r, saved, "TLS read");
}

static enum conn_io_result write_plain(struct conn_io *io, const void *p, size_t n, size_t *put_r)
{
	ssize_t r;

	do
		r = send(io->fd, p, n, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return plain_result(io, "write", CONN_IO_WRITE);
	*put_r = (size_t)r;
	return CONN_IO_DONE;
}

enum conn_io_result conn_io_write(struct conn_io *io, const void *p, size_t n, size_t *put_r)
{
	*put_r = 0;
	if (!io->up)
		return write_plain(io, p, n, put_r);
	ERR_clear_error();
	errno = 0;

	int r = SSL_write_ex(io->ssl, p, n, put_r);
	int saved = errno;

	return r == 1 ? CONN_IO_DONE : tls_result(io, r, saved, "TLS write");
}

static bool is_ip(const char *name)
{
	struct in6_addr any;

	return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

/* RFC 6066 3: a name only, never an address. RFC 6125 6.4.3: no part-of-a-label wildcards. */
static int set_name(SSL *ssl, const char *name)
{
	if (!is_ip(name) && SSL_set_tlsext_host_name(ssl, name) != 1)
		return -1;
	if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
		return 0;
	if (is_ip(name))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1 ? 0 : -1;
	SSL_set_hostflags(
	    ssl, X509_VERIFY_PARAM_get_hostflags(SSL_get0_param(ssl)) | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 ? 0 : -1;
}

int conn_io_tls(struct conn_io *io, SSL_CTX *ctx, bool server, const char *name)
{
	ERR_clear_error();
	io->ssl = SSL_new(ctx);
	if (!io->ssl)
		log_fatal("no TLS object: %s", ERR_reason_error_string(ERR_peek_error()));
	SSL_set_mode(
	    io->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_set_options(io->ssl, SSL_OP_NO_RENEGOTIATION);
	SSL_set_read_ahead(io->ssl, 1);
	if (SSL_set_fd(io->ssl, io->fd) != 1 || (name && !server && set_name(io->ssl, name) < 0)) {
		why_tls(io, "TLS set-up");
		io->broken = true;
		return -1;
	}
	if (server)
		SSL_set_accept_state(io->ssl);
	else
		SSL_set_connect_state(io->ssl);
	return 0;
}

enum conn_io_result conn_io_handshake(struct conn_io *io)
{
	ERR_clear_error();
	errno = 0;

	int r = SSL_do_handshake(io->ssl);
	int saved = errno;

	if (r == 1) {
		io->up = true;
		return CONN_IO_DONE;
	}

	enum conn_io_result got = tls_result(io, r, saved, "TLS handshake");

	if (got == CONN_IO_END)
		return end(io, "peer closed the connection during the TLS handshake");
	return got;
}

enum conn_io_result conn_io_bye(struct conn_io *io)
{
	if (io->ssl && io->up && !io->broken && !(SSL_get_shutdown(io->ssl) & SSL_SENT_SHUTDOWN)) {
		ERR_clear_error();
		errno = 0;

		int r = SSL_shutdown(io->ssl);
		int saved = errno;

		/* 0: ours is out, the peer's has not come; it is not waited for (RFC 8446 6.1). */
		if (r < 0) {
			enum conn_io_result got = tls_result(io, r, saved, "TLS close");

			if (got == CONN_IO_READ || got == CONN_IO_WRITE)
				return got;
		}
	}
	(void)shutdown(io->fd, SHUT_WR);
	return CONN_IO_DONE;
}
