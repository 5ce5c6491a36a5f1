#include "interop/kit/http_get.h"

#include <limits.h>
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

/* What the head of an answer says. */
struct head {
	size_t n; /* its octets; 0: it is not there yet */
	size_t length;
	bool has_length, chunked;
	long status;
};

/* The field whose line is these n octets. -1: a second Content-Length, or one that is no number; a transfer coding
 * other than chunked. */
static int field(const char *p, size_t n, struct head *h, struct buf *type)
{
	const char *colon = memchr(p, ':', n);
	size_t name = colon ? (size_t)(colon - p) : 0;
	char *text, *value;
	long number = 0;
	int rc = 0;

	if (!colon)
		return -1;
	text = text_cut(colon + 1, n - name - 1);
	value = text + strspn(text, " \t");
	for (size_t len = strlen(value); len > 0 && strchr(" \t", value[len - 1]); len--)
		value[len - 1] = 0;
	if (name == 14 && !strncasecmp(p, "Content-Length", 14)) {
		if (h->has_length || *value < '0' || *value > '9' || number_read(value, 0, LONG_MAX, &number) < 0)
			rc = -1;
		h->has_length = true;
		h->length = (size_t)number;
	} else if (name == 17 && !strncasecmp(p, "Transfer-Encoding", 17)) {
		rc = h->chunked || strcasecmp(value, "chunked") != 0 ? -1 : 0;
		h->chunked = true;
	} else if (name == 12 && !strncasecmp(p, "Content-Type", 12)) {
		buf_clear(type);
		buf_adds(type, value);
	}
	free(text);
	return rc;
}

/* The head, once it is there (RFC 9112 2.1, 4, 6.3). -1 with why: it is none. */
static int head_of(const struct buf *in, struct head *h, struct buf *type, struct buf *why)
{
	const char *end = octets_find(in->p, in->n, "\r\n\r\n"), *line;

	if (!end)
		return 0;
	if (memchr(in->p, 0, (size_t)(end - in->p)) || strncmp(in->p, "HTTP/1.", 7) != 0 || end - in->p < 12 ||
	    in->p[8] != ' ' || in->p[9] == '0' || strspn(in->p + 9, "0123456789") != 3)
		return fail(why, "the answer does not begin as one of HTTP/1.1 does");
	h->status = strtol(in->p + 9, NULL, 10);
	for (const char *p = strstr(in->p, "\r\n"); p < end; p = line) {
		p += 2;
		line = strstr(p, "\r\n");
		if (field(p, (size_t)(line - p), h, type) < 0)
			return fail(why, "the answer has a field that is wrong: %.*s", (int)(line - p), p);
	}
	if (h->chunked && h->has_length)
		return fail(why, "the answer has two lengths");
	h->n = (size_t)(end - in->p) + 4;
	return 0;
}

/* The chunks of a body that came (RFC 9112 7.1), put together; trailers are not looked at. -1: they are not whole. */
static int unchunk(const char *p, size_t n, struct buf *out)
{
	while (n > 0) {
		const char *line = octets_find(p, n, "\r\n");
		size_t digits = strspn(p, "0123456789abcdefABCDEF"), len;

		if (!line || digits == 0 || digits > 7 || p + digits > line)
			return -1;
		len = strtoul(p, NULL, 16);
		n -= (size_t)(line + 2 - p);
		p = line + 2;
		if (len == 0)
			return 0;
		if (n < len + 2 || memcmp(p + len, "\r\n", 2) != 0)
			return -1;
		buf_add(out, p, len);
		p += len + 2;
		n -= len + 2;
	}
	return -1;
}

/* The body of what came until the connection was closed, it was whole, or too much. -1: it is not whole. */
static int body_of(const struct buf *in, const struct head *h, struct buf *body)
{
	const char *p = in->p + h->n;
	size_t n = in->n - h->n;

	if (h->n == 0 || n > BODY_MAX || (h->has_length && n != h->length))
		return -1;
	buf_add(body, "", 0);
	if (h->chunked)
		return unchunk(p, n, body);
	buf_add(body, p, n);
	return 0;
}

int http_get(const char *url, const char *at, long *status, struct buf *type, struct buf *body,
    struct buf *transcript, struct buf *why)
{
	struct url u = {0};
	SSL_CTX *context = NULL;
	struct buf in = {0}, request = {0};
	struct head head = {0};
	int64_t until = ticks_us() + LIMIT_US;
	BIO *b = NULL;
	bool late = false;
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
	while (in.n < BODY_MAX + 65536 && (head.n == 0 || !head.has_length || in.n - head.n < head.length) &&
	       (late = ticks_us() >= until) == false && (n = BIO_read(b, part, sizeof(part))) > 0) {
		buf_add(&in, part, (size_t)n);
		if (head.n == 0 && head_of(&in, &head, type, why) < 0)
			goto out;
	}
	if (transcript)
		buf_addf(transcript, "GET %s\n%.*s", url, (int)head.n, in.p ? in.p : "");
	if (late || body_of(&in, &head, body) < 0) {
		fail(why, "%s: no whole answer", url);
		goto out;
	}
	*status = head.status;
	rc = 0;
out:
	BIO_free_all(b);
	SSL_CTX_free(context);
	url_clear(&u);
	buf_free(&in);
	buf_free(&request);
	return rc;
}
