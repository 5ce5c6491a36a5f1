#include "interop/kit/http_get.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#define BODY_MAX (1024 * 1024)
#define LIMIT_US 30000000

struct url {
	bool tls;
	char *host, *port, *path;
};

static void url_clear(struct url *u)
{
	free(u->host);
	free(u->port);
	free(u->path);
}

static int url_read(const char *text, struct url *u)
{
	const char *p, *slash, *colon;
	size_t n;

	u->tls = !strncmp(text, "https://", 8);
	if (!u->tls && strncmp(text, "http://", 7) != 0)
		return -1;
	p = text + (u->tls ? 8 : 7);
	slash = strchr(p, '/');
	n = slash ? (size_t)(slash - p) : strlen(p);
	colon = memchr(p, ':', n);
	u->host = text_cut(p, colon ? (size_t)(colon - p) : n);
	u->port = colon ? text_cut(colon + 1, n - (size_t)(colon + 1 - p)) : text_copy(u->tls ? "443" : "80");
	u->path = text_copy(slash ? slash : "/");
	return *u->host && !strpbrk(u->path, " \r\n") ? 0 : -1;
}

static BIO *dial(const struct url *u, const char *at, SSL_CTX **context, struct buf *why)
{
	char *address = at ? text_copy(at) : text_make("%s:%s", u->host, u->port);
	BIO *b, *tls;
	SSL *ssl = NULL;
	struct timeval limit = {.tv_sec = 20};
	int fd = -1;

	b = BIO_new_connect(address);
	if (!b || BIO_do_connect_retry(b, 10, 50) != 1) {
		fail(why, "no connection to %s", address);
		BIO_free_all(b);
		free(address);
		return NULL;
	}
	free(address);
	/* it was connected without blocking, to have a time limit; from now on each read and write has one of its own
	 */
	if (BIO_get_fd(b, &fd) < 0 || BIO_socket_nbio(fd, 0) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		die("a socket cannot be set up");
	if (!u->tls)
		return b;
	*context = SSL_CTX_new(TLS_client_method());
	tls = *context ? BIO_new_ssl(*context, 1) : NULL;
	if (!tls)
		die("TLS does not work");
	BIO_get_ssl(tls, &ssl);
	SSL_set_tlsext_host_name(ssl, u->host);
	b = BIO_push(tls, b);
	if (BIO_do_handshake(b) != 1) {
		fail(why, "the TLS handshake with %s failed", u->host);
		BIO_free_all(b);
		return NULL;
	}
	return b;
}

/* Status, and the place where the body begins; 0: the head is not there yet. */
static size_t head_of(const struct buf *in, long *status, size_t *length, struct buf *type)
{
	const char *end = octets_find(in->p, in->n, "\r\n\r\n");

	if (!end || strncmp(in->p, "HTTP/1.", 7) != 0)
		return 0;
	*status = strtol(in->p + 8, NULL, 10);
	*length = SIZE_MAX;
	for (const char *p = in->p; p < end; p = strchr(p, '\n') + 1)
		if (!strncasecmp(p, "Content-Length:", 15))
			*length = (size_t)strtoul(p + 15, NULL, 10);
		else if (!strncasecmp(p, "Content-Type:", 13))
			buf_add(type, p + 13 + strspn(p + 13, " "), strcspn(p + 13 + strspn(p + 13, " "), "\r\n"));
	return (size_t)(end - in->p) + 4;
}

int http_get(const char *url, const char *at, long *status, struct buf *type, struct buf *body,
    struct buf *transcript, struct buf *why)
{
	struct url u = {0};
	SSL_CTX *context = NULL;
	struct buf in = {0}, request = {0};
	size_t head = 0, length = SIZE_MAX;
	int64_t until = ticks_us() + LIMIT_US;
	BIO *b = NULL;
	char part[16384];
	int n, rc = -1;

	if (url_read(url, &u) < 0) {
		fail(why, "%s is not a URL of http or https", url);
		goto out;
	}
	b = dial(&u, at, &context, why);
	if (!b)
		goto out;
	buf_addf(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nUser-Agent: postern-interop\r\n\r\n",
	    u.path, u.host);
	if (BIO_write(b, request.p, (int)request.n) != (int)request.n) {
		fail(why, "%s takes no request", url);
		goto out;
	}
	while ((head == 0 || in.n - head < length) && in.n < BODY_MAX + 65536 && ticks_us() < until &&
	       (n = BIO_read(b, part, sizeof(part))) > 0) {
		buf_add(&in, part, (size_t)n);
		if (head == 0)
			head = head_of(&in, status, &length, type);
	}
	if (head == 0 || (length != SIZE_MAX && in.n - head < length) || in.n - head > BODY_MAX) {
		fail(why, "%s: no whole answer", url);
		goto out;
	}
	if (transcript)
		buf_addf(transcript, "GET %s\n%.*s", url, (int)head, in.p);
	buf_add(body, in.p + head, in.n - head);
	rc = 0;
out:
	BIO_free_all(b);
	SSL_CTX_free(context);
	url_clear(&u);
	buf_free(&in);
	buf_free(&request);
	return rc;
}
