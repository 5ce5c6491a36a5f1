/*
 * An HTTP server for tests, good and bad: what it does is in the path. It listens on every loopback address and notes
 * which one was used. A thread a connection; in the test's own process.
 */
#ifndef POSTERN_TESTS_HTTP_PEER_H
#define POSTERN_TESTS_HTTP_PEER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define PEER __attribute__((unused)) static

struct http_peer {
	int fd;
	unsigned port;
	SSL_CTX *tls; /* NULL: plain */
	pthread_t thread;
	atomic_int accepted, open; /* connections: all, now */
	atomic_int slow, most;	   /* /slow: now, most at once */
	atomic_int to_one;	   /* connections to 127.0.0.1 */
	pthread_mutex_t lock;
	char request[8192]; /* the last one */
};
struct http_peer_client {
	struct http_peer *p;
	int fd;
	SSL *ssl;
};

PEER int peer_put(struct http_peer_client *c, const void *p, size_t n)
{
	if (c->ssl)
		return SSL_write(c->ssl, p, (int)n) == (int)n ? 0 : -1;
	return send(c->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n ? 0 : -1;
}

PEER int peer_puts(struct http_peer_client *c, const char *s)
{
	return peer_put(c, s, strlen(s));
}

PEER void peer_rest(int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000L};

	nanosleep(&t, NULL);
}

/* The head, and as much of a body as Content-Length says. */
PEER size_t peer_read(struct http_peer_client *c, char *buf, size_t cap)
{
	size_t n = 0, want = 0;

	while (n < cap - 1) {
		ssize_t r =
		    c->ssl ? SSL_read(c->ssl, buf + n, (int)(cap - 1 - n)) : read(c->fd, buf + n, cap - 1 - n);
		const char *end, *length;

		if (r <= 0)
			break;
		n += (size_t)r;
		buf[n] = 0;
		end = strstr(buf, "\r\n\r\n");
		length = strcasestr(buf, "\r\nContent-Length:");
		if (end && !want)
			want = (size_t)(end - buf) + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
		if ((want && n >= want) || buf[0] == 0x16) /* all of it; or TLS, where there is none */
			break;
	}
	buf[n] = 0;
	return n;
}

/* 64 MiB of zeros in some 64 KiB. */
PEER void peer_bomb(struct http_peer_client *c, const char *field)
{
	static char zeros[1 << 16];
	unsigned char out[1 << 16];
	z_stream z = {0};

	peer_puts(c, "HTTP/1.1 200 OK\r\n");
	peer_puts(c, field);
	peer_puts(c, ": gzip\r\n\r\n");
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	for (int i = 0; i < 1024; i++) {
		z.next_in = (unsigned char *)zeros;
		z.avail_in = sizeof zeros;
		do {
			z.next_out = out;
			z.avail_out = sizeof out;
			deflate(&z, i == 1023 ? Z_FINISH : Z_NO_FLUSH);
			if (sizeof out > z.avail_out && peer_put(c, out, sizeof out - z.avail_out) < 0)
				i = 1024;
		} while (z.avail_out == 0 && i < 1024);
	}
	deflateEnd(&z);
}

PEER void peer_do(struct http_peer_client *c, const char *path, const char *body)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: Application/PKIX-Cert; x=y\r\n"
				 "Cache-Control: public, max-age=77\r\nContent-Length: 4\r\n\r\nDER!";
	char line[2300];

	if (strcmp(path, "/ok") == 0) {
		peer_puts(c, ok);
	} else if (strncmp(path, "/status/", 8) == 0) {
		snprintf(line, sizeof line, "HTTP/1.1 %.3s Words\r\nContent-Length: 5\r\n\r\nhello", path + 8);
		peer_puts(c, line);
	} else if (strncmp(path, "/to/", 4) == 0) {
		snprintf(line, sizeof line, "HTTP/1.1 %.3s Go\r\nLocation: %s\r\n\r\n", path + 4, path + 7);
		peer_puts(c, line);
	} else if (strcmp(path, "/loop") == 0) {
		peer_puts(c, "HTTP/1.1 302 Go\r\nLocation: /loop\r\n\r\n");
	} else if (strcmp(path, "/nowhere") == 0) {
		peer_puts(c, "HTTP/1.1 302 Go\r\n\r\n");
	} else if (strcmp(path, "/empty") == 0) {
		peer_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	} else if (strcmp(path, "/echo") == 0) {
		snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
		peer_puts(c, line);
	} else if (strcmp(path, "/endless") == 0) {
		peer_puts(c, "HTTP/1.1 200 OK\r\n\r\n");
		memset(line, 'x', sizeof line);
		while (peer_put(c, line, sizeof line) == 0)
			;
	} else if (strcmp(path, "/long") == 0) {
		peer_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx");
		peer_rest(100);
	} else if (strcmp(path, "/short") == 0) {
		peer_puts(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
	} else if (strcmp(path, "/bomb") == 0) {
		peer_bomb(c, "Content-Encoding");
	} else if (strcmp(path, "/bomb-te") == 0) {
		peer_bomb(c, "Transfer-Encoding");
	} else if (strcmp(path, "/drip") == 0) {
		peer_puts(c, "HTTP/1.1 200 OK\r\n\r\n");
		while (peer_puts(c, "x") == 0)
			peer_rest(50);
	} else if (strcmp(path, "/slow") == 0) {
		int now = atomic_fetch_add(&c->p->slow, 1) + 1, most = atomic_load(&c->p->most);

		while (now > most && !atomic_compare_exchange_weak(&c->p->most, &most, now))
			;
		peer_rest(200);
		atomic_fetch_sub(&c->p->slow, 1);
		peer_puts(c, ok);
	} else if (strcmp(path, "/silent") == 0) {
		(void)!read(c->fd, line, 1); /* until the other side closes */
	} else if (strcmp(path, "/flood") == 0) {
		peer_puts(c, "HTTP/1.1 200 OK\r\n");
		while (peer_puts(c, "X-More: and more, and more, and more, and more, and more\r\n") == 0)
			;
	} else if (strcmp(path, "/interim") == 0) {
		while (peer_puts(c, "HTTP/1.1 102 Processing\r\nX-More: and more, and more\r\n\r\n") == 0)
			;
	} else if (strcmp(path, "/line") == 0) {
		peer_puts(c, "HTTP/1.1 200 OK\r\nX: ");
		memset(line, 'x', sizeof line);
		while (peer_put(c, line, sizeof line) == 0)
			;
	} else if (strcmp(path, "/garbage") == 0) {
		peer_puts(c, "\x30\x82\x01\x01 this is no HTTP\r\n\r\n");
	} else {
		peer_puts(c, "HTTP/1.1 404 Not Found\r\n\r\n");
	}
}

PEER void *peer_client(void *ctx)
{
	struct http_peer_client *c = ctx;
	char buf[8192], path[2100] = "";
	const char *body;

	atomic_fetch_add(&c->p->open, 1);
	if (c->p->tls) {
		c->ssl = SSL_new(c->p->tls);
		SSL_set_fd(c->ssl, c->fd);
	}
	if ((!c->ssl || SSL_accept(c->ssl) == 1) && peer_read(c, buf, sizeof buf) > 0) {
		pthread_mutex_lock(&c->p->lock);
		memcpy(c->p->request, buf, sizeof buf);
		pthread_mutex_unlock(&c->p->lock);
		body = strstr(buf, "\r\n\r\n");
		(void)sscanf(buf, "%*s %2099s", path);
		peer_do(c, path, body ? body + 4 : "");
	}
	atomic_fetch_sub(&c->p->open, 1);
	if (c->ssl) {
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	shutdown(c->fd, SHUT_WR);
	close(c->fd);
	free(c);
	return NULL;
}

PEER void *peer_serve(void *ctx)
{
	struct http_peer *p = ctx;
	int fd;

	while ((fd = accept(p->fd, NULL, NULL)) >= 0) {
		struct http_peer_client *c = calloc(1, sizeof *c);
		struct sockaddr_in in;
		socklen_t n = sizeof in;
		pthread_t t;

		c->p = p;
		c->fd = fd;
		atomic_fetch_add(&p->accepted, 1);
		if (getsockname(fd, (struct sockaddr *)&in, &n) == 0 && in.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
			atomic_fetch_add(&p->to_one, 1);
		ck_assert_int_eq(pthread_create(&t, NULL, peer_client, c), 0);
		pthread_detach(t);
	}
	return NULL;
}

PEER void peer_start(struct http_peer *p, SSL_CTX *tls)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof a;

	memset(p, 0, sizeof *p);
	p->tls = tls;
	pthread_mutex_init(&p->lock, NULL);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(bind(p->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(p->fd, 100) == 0);
	ck_assert_int_eq(getsockname(p->fd, (struct sockaddr *)&a, &len), 0);
	p->port = ntohs(a.sin_port);
	ck_assert_int_eq(pthread_create(&p->thread, NULL, peer_serve, p), 0);
}

PEER void peer_stop(struct http_peer *p)
{
	shutdown(p->fd, SHUT_RDWR);
	pthread_join(p->thread, NULL);
	close(p->fd);
	for (int i = 0; i < 200 && atomic_load(&p->open) > 0; i++)
		peer_rest(20);
}

#endif
