/*
 * A scripted SMTP server for tests of the client: a thread on a loopback port of the kernel's choice, blocking
 * sockets, one script per accepted connection. A script is a list of steps:
 *   "> text"   sends text and CRLF            ">>text"  sends the octets as they are     "0"  sends a NUL octet
 *   "< word"   reads a line; it must begin with word                                     "."  reads content to CRLF .
 * CRLF "b"        reads one BDAT and its octets "t"        TLS handshake (as server)      "T"       the same, and it
 * must fail "m" the same, no matter, but no line comes through it "x"        closes "r" closes with RST "w"  waits
 * until the client closes "s N"      sends N octets of 'a' without a line end
 *   "*"        answers well until the client says QUIT or closes (a plain good server; mails are counted)
 */
#ifndef POSTERN_TESTS_SMTP_PEER_H
#define POSTERN_TESTS_SMTP_PEER_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PEER __attribute__((unused)) static
enum { PEER_CONNS = 64, PEER_WAIT_MS = 15000, PEER_CONTENT = 4 * 1024 * 1024 };

struct peer;
struct peer_conn {
	struct peer *peer;
	const char *const *script;
	int fd;
	SSL *ssl;
	char buf[8192];
	size_t have;
	pthread_t thread;
	bool started;
};
struct peer {
	int listener;
	struct sockaddr_storage addr;
	SSL_CTX *tls;
	const char *const *scripts[PEER_CONNS]; /* of the n-th connection; the last one set serves all further ones */
	size_t nscripts;
	bool parallel;	  /* a thread for each connection */
	const char *ehlo; /* lines behind the first for "*" */
	pthread_t thread;
	struct peer_conn conns[PEER_CONNS];
	atomic_int accepted, mails, open, most_open, resumed;
	atomic_bool stop;
	pthread_mutex_t lock;
	char error[256]; /* first mismatch */
	char *content;	 /* of all mails, as it came */
	size_t content_len;
};

PEER void peer_error(struct peer *p, const char *what, const char *got)
{
	pthread_mutex_lock(&p->lock);
	if (!p->error[0])
		snprintf(p->error, sizeof p->error, "wanted \"%.80s\", got \"%.80s\"", what, got);
	pthread_mutex_unlock(&p->lock);
}

PEER int peer_wait(struct peer *p, int fd)
{
	for (int i = 0; i < PEER_WAIT_MS / 50; i++) {
		struct pollfd f = {.fd = fd, .events = POLLIN};

		if (atomic_load(&p->stop))
			return -1;
		if (poll(&f, 1, 50) > 0)
			return 0;
	}
	return -1;
}

PEER int peer_read(struct peer_conn *c)
{
	size_t room = sizeof c->buf - c->have;
	ssize_t n;

	if (room == 0)
		return -1;
	if ((!c->ssl || SSL_pending(c->ssl) == 0) && peer_wait(c->peer, c->fd) < 0)
		return -1;
	n = c->ssl ? SSL_read(c->ssl, c->buf + c->have, (int)room) : recv(c->fd, c->buf + c->have, room, 0);
	if (n <= 0)
		return -1;
	c->have += (size_t)n;
	return 0;
}

PEER int peer_write(struct peer_conn *c, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t r = c->ssl ? SSL_write(c->ssl, at, (int)n) : send(c->fd, at, n, MSG_NOSIGNAL);

		if (r <= 0)
			return -1;
		at += r;
		n -= (size_t)r;
	}
	return 0;
}

/* One line without CRLF; -1 at the end. */
PEER int peer_line(struct peer_conn *c, char *out, size_t cap)
{
	for (;;) {
		char *nl = memmem(c->buf, c->have, "\r\n", 2);

		if (nl) {
			size_t n = (size_t)(nl - c->buf);

			snprintf(out, cap, "%.*s", (int)n, c->buf);
			c->have -= n + 2;
			memmove(c->buf, nl + 2, c->have);
			return 0;
		}
		if (peer_read(c) < 0)
			return -1;
	}
}

PEER void peer_keep(struct peer *p, const char *line)
{
	size_t n = strlen(line);

	pthread_mutex_lock(&p->lock);
	if (p->content_len + n + 2 < PEER_CONTENT) {
		memcpy(p->content + p->content_len, line, n);
		memcpy(p->content + p->content_len + n, "\r\n", 2);
		p->content_len += n + 2;
		p->content[p->content_len] = 0;
	}
	pthread_mutex_unlock(&p->lock);
}

PEER int peer_content(struct peer_conn *c)
{
	char line[4096];

	while (peer_line(c, line, sizeof line) == 0) {
		if (strcmp(line, ".") == 0)
			return 0;
		peer_keep(c->peer, line);
	}
	return -1;
}

/* One BDAT command with its octets, which are kept: 1 it was the last, 0 it was not, -1 the end. */
PEER int peer_bdat(struct peer_conn *c)
{
	struct peer *p = c->peer;
	char line[1024] = "(end)";
	size_t n;

	if (peer_line(c, line, sizeof line) < 0 || strncmp(line, "BDAT ", 5) != 0) {
		peer_error(p, "BDAT", line);
		return -1;
	}
	n = strtoul(line + 5, NULL, 10);
	while (n > 0) {
		size_t part = n < c->have ? n : c->have;

		if (part == 0 && peer_read(c) < 0)
			return -1;
		pthread_mutex_lock(&p->lock);
		if (p->content_len + part < PEER_CONTENT) {
			memcpy(p->content + p->content_len, c->buf, part);
			p->content_len += part;
			p->content[p->content_len] = 0;
		}
		pthread_mutex_unlock(&p->lock);
		c->have -= part;
		memmove(c->buf, c->buf + part, c->have);
		n -= part;
	}
	return strstr(line, " LAST") != NULL;
}

PEER int peer_say(struct peer_conn *c, const char *text)
{
	char line[1024];
	int n = snprintf(line, sizeof line, "%s\r\n", text);

	return peer_write(c, line, (size_t)n);
}

PEER int peer_tls(struct peer_conn *c)
{
	c->ssl = SSL_new(c->peer->tls);
	SSL_set_fd(c->ssl, c->fd);
	if (SSL_accept(c->ssl) != 1)
		return -1;
	atomic_fetch_add(&c->peer->resumed, SSL_session_reused(c->ssl));
	return 0;
}

PEER int peer_good_ehlo(struct peer_conn *c)
{
	const char *ehlo = c->peer->ehlo ? c->peer->ehlo : "250 PIPELINING";

	return peer_say(c, "250-peer.test") < 0 ? -1 : peer_say(c, ehlo);
}

PEER void peer_good(struct peer_conn *c)
{
	char line[1024];

	while (peer_line(c, line, sizeof line) == 0) {
		int r = 0;

		if (strncmp(line, "EHLO", 4) == 0) {
			r = peer_good_ehlo(c);
		} else if (strncmp(line, "STARTTLS", 8) == 0) {
			r = peer_say(c, "220 go ahead") < 0 ? -1 : peer_tls(c);
		} else if (strncmp(line, "DATA", 4) == 0) {
			r = peer_say(c, "354 go") < 0 || peer_content(c) < 0 ? -1 : 0;
			atomic_fetch_add(&c->peer->mails, r == 0);
			if (r == 0)
				r = peer_say(c, "250 2.0.0 taken");
		} else if (strncmp(line, "QUIT", 4) == 0) {
			(void)peer_say(c, "221 bye");
			return;
		} else {
			r = peer_say(c, "250 ok");
		}
		if (r < 0)
			return;
	}
}

PEER void peer_flood(struct peer_conn *c, long n)
{
	char as[1024];

	memset(as, 'a', sizeof as);
	for (; n > 0; n -= (long)sizeof as) {
		if (peer_write(c, as, n < (long)sizeof as ? (size_t)n : sizeof as) < 0)
			return;
	}
}

/* 0 to go on, -1 the connection is over. */
PEER int peer_step(struct peer_conn *c, const char *s)
{
	char line[1024] = "(end)";
	struct linger hard = {.l_onoff = 1};

	switch (s[0]) {
	case '>':
		return s[1] == '>' ? peer_write(c, s + 2, strlen(s + 2)) : peer_say(c, s + 2);
	case '<':
		if (peer_line(c, line, sizeof line) == 0 && strncmp(line, s + 2, strlen(s + 2)) == 0)
			return 0;
		peer_error(c->peer, s, line);
		return -1;
	case '.':
		return peer_content(c);
	case 'b':
		return peer_bdat(c) < 0 ? -1 : 0;
	case '0':
		return peer_write(c, "", 1);
	case 's':
		peer_flood(c, strtol(s + 2, NULL, 10));
		return 0;
	case 't':
		if (peer_tls(c) == 0)
			return 0;
		peer_error(c->peer, s, "no handshake");
		return -1;
	case 'T':
		if (peer_tls(c) == 0)
			peer_error(c->peer, s, "a handshake");
		return -1;
	case 'm':
		/* whether it stands here or not is not ours to say: nothing may come through it */
		if (peer_tls(c) == 0 && peer_line(c, line, sizeof line) == 0)
			peer_error(c->peer, s, line);
		return -1;
	case 'w':
		while (peer_read(c) == 0)
			c->have = 0;
		return -1;
	case 'r':
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
		return -1;
	case '*':
		peer_good(c);
		return -1;
	default:
		return -1;
	}
}

PEER void *peer_serve(void *arg)
{
	struct peer_conn *c = arg;
	int now = atomic_fetch_add(&c->peer->open, 1) + 1, most = atomic_load(&c->peer->most_open);

	while (now > most && !atomic_compare_exchange_weak(&c->peer->most_open, &most, now))
		;
	for (size_t i = 0; c->script[i] && peer_step(c, c->script[i]) == 0; i++)
		;
	atomic_fetch_sub(&c->peer->open, 1);
	if (c->ssl)
		SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	return NULL;
}

PEER void *peer_run(void *arg)
{
	struct peer *p = arg;

	while (!atomic_load(&p->stop)) {
		struct pollfd f = {.fd = p->listener, .events = POLLIN};

		if (poll(&f, 1, 20) <= 0)
			continue;

		int fd = accept(p->listener, NULL, NULL), n = atomic_load(&p->accepted);

		if (fd < 0 || n >= PEER_CONNS) {
			if (fd >= 0)
				close(fd);
			continue;
		}

		struct peer_conn *c = &p->conns[n];

		c->peer = p;
		c->fd = fd;
		c->script = p->scripts[(size_t)n < p->nscripts ? (size_t)n : p->nscripts - 1];
		atomic_store(&p->accepted, n + 1);
		if (p->parallel) {
			c->started = pthread_create(&c->thread, NULL, peer_serve, c) == 0;
		} else {
			peer_serve(c);
		}
	}
	return NULL;
}

/* A listening socket on 127.0.0.1 (or, with nobody listening, only a port that refuses). */
PEER int peer_socket(struct sockaddr_storage *ss)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof *ss;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	memset(ss, 0, sizeof *ss);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)ss, &n), 0);
	return fd;
}

PEER struct peer *peer_new(void)
{
	struct peer *p = calloc(1, sizeof *p);

	ck_assert_ptr_nonnull(p);
	p->content = calloc(1, PEER_CONTENT);
	ck_assert_ptr_nonnull(p->content);
	pthread_mutex_init(&p->lock, NULL);
	p->listener = peer_socket(&p->addr);
	ck_assert_int_eq(listen(p->listener, 64), 0);
	return p;
}

PEER void peer_start(struct peer *p)
{
	ck_assert_int_eq(pthread_create(&p->thread, NULL, peer_run, p), 0);
}

/* Ends it; the test fails when a script was not followed. */
PEER void peer_end(struct peer *p)
{
	atomic_store(&p->stop, true);
	pthread_join(p->thread, NULL);
	for (size_t i = 0; i < PEER_CONNS; i++) {
		if (p->conns[i].started)
			pthread_join(p->conns[i].thread, NULL);
	}
	close(p->listener);
	SSL_CTX_free(p->tls);
	ck_assert_msg(!p->error[0], "the client did not follow the script: %s", p->error);
	pthread_mutex_destroy(&p->lock);
	free(p->content);
	free(p);
}

/* A key and a self-signed certificate for name; days: valid from an hour ago (or, negative, until then). */
PEER X509 *peer_cert(const char *name, int days, EVP_PKEY **key_r)
{
	X509 *x = X509_new();
	char san[300];
	X509_EXTENSION *e;

	*key_r = EVP_EC_gen("P-256");
	ck_assert(x && *key_r);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 0x1234);
	X509_gmtime_adj(X509_getm_notBefore(x), days < 0 ? days * 86400L : -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), days < 0 ? -3600 : days * 86400L);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, *key_r);
	snprintf(san, sizeof san, "DNS:%s", name);
	e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
	ck_assert_ptr_nonnull(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
	ck_assert_int_gt(X509_sign(x, *key_r, EVP_sha256()), 0);
	return x;
}

/* The server's context with a certificate for name, and a client context that trusts it and verifies (verify) or not.
 */
PEER SSL_CTX *peer_tls_setup(struct peer *p, const char *name, int days, bool verify)
{
	EVP_PKEY *key;
	X509 *x = peer_cert(name, days, &key);
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	p->tls = SSL_CTX_new(TLS_server_method());
	ck_assert(p->tls && client);
	ck_assert_int_eq(SSL_CTX_use_certificate(p->tls, x), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(p->tls, key), 1);
	SSL_CTX_set_session_id_context(p->tls, (const unsigned char *)"peer", 4);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(client), x);
	SSL_CTX_set_verify(client, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
	return client;
}

#endif
