#include "interop/kit/smtp_client.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "interop/kit/kit.h"

#define REPLY_MAX (256 * 1024)

struct smtp {
	int fd;
	bool closed; /* by the gateway: seen when something was read or written */
	SSL *tls;
	SSL_CTX *context;
	int64_t limit_ms;
	struct buf *transcript;
	char in[8192];
	size_t at, n;
};

static int wait_for(struct smtp *s, short what)
{
	struct pollfd p = {.fd = s->fd, .events = what};
	int rc;

	do
		rc = poll(&p, 1, (int)s->limit_ms);
	while (rc < 0 && errno == EINTR);
	return rc > 0 ? 0 : -1;
}

static int fill(struct smtp *s)
{
	ssize_t n;

	if (!(s->tls && SSL_pending(s->tls) > 0) && wait_for(s, POLLIN) < 0)
		return -1;
	errno = 0;
	n = s->tls ? SSL_read(s->tls, s->in, sizeof(s->in)) : recv(s->fd, s->in, sizeof(s->in), 0);
	if (n <= 0) {
		s->closed = errno != EAGAIN && errno != EINTR; /* EAGAIN: SO_RCVTIMEO, within a record of TLS */
		return -1;
	}
	s->at = 0;
	s->n = (size_t)n;
	return 0;
}

int smtp_raw(struct smtp *s, const void *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		size_t part = n - done > 65536 ? 65536 : n - done;
		ssize_t w;

		if (!s->tls && wait_for(s, POLLOUT) < 0)
			return -1;
		w = s->tls ? SSL_write(s->tls, (const char *)p + done, (int)part)
			   : send(s->fd, (const char *)p + done, part, MSG_NOSIGNAL);
		if (w <= 0) {
			s->closed = errno == EPIPE || errno == ECONNRESET;
			return -1;
		}
		done += (size_t)w;
	}
	return 0;
}

/* One line into r->text; -1: closed, too slow or too long. */
static int read_line(struct smtp *s, struct reply *r)
{
	for (;;) {
		const char *end;
		size_t n;

		if (s->at == s->n && fill(s) < 0)
			return -1;
		end = memchr(s->in + s->at, '\n', s->n - s->at);
		n = end ? (size_t)(end - s->in) + 1 - s->at : s->n - s->at;
		if (r->text.n + n > REPLY_MAX)
			return -1;
		buf_add(&r->text, s->in + s->at, n);
		s->at += n;
		if (end)
			return 0;
	}
}

int smtp_reply(struct smtp *s, struct reply *r)
{
	int64_t until = ticks_us() + s->limit_ms * 2000;
	size_t from;

	r->code = 0;
	r->closed = false;
	buf_clear(&r->text);
	do {
		from = r->text.n;
		if (read_line(s, r) < 0 || ticks_us() > until) {
			r->closed = s->closed;
			if (s->transcript)
				buf_adds(s->transcript, s->closed ? "S: (closed)\n" : "S: (no reply)\n");
			return 0;
		}
		if (s->transcript)
			buf_addf(s->transcript, "S: %.*s", (int)(r->text.n - from), r->text.p + from);
		if (r->text.n - from < 4 || memcmp(r->text.p, r->text.p + from, 3) != 0)
			return 0; /* RFC 5321 4.2.1: all lines have the same code */
	} while (r->text.p[from + 3] == '-');
	for (int i = 0; i < 3; i++) {
		char c = r->text.p[from + (size_t)i];

		if (c < '0' || c > '9')
			return r->code = 0;
		r->code = r->code * 10 + (c - '0');
	}
	if (r->code < 200 || r->code > 599) /* 4.2 */
		r->code = 0;
	return r->code;
}

/* What TLS reads and writes blocks no longer than that, and neither does connect. */
static void limit(int fd, int64_t ms)
{
	struct timeval t = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) < 0)
		die("a socket cannot be set up");
}

static int dial(const char *address, int64_t limit_ms, struct buf *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
	char *host, *port;
	int fd = -1, rc;

	if (kit_address(address, &host, &port) < 0)
		return fail(why, "%s is not host:port", address);
	rc = getaddrinfo(host, port, &hints, &found);
	free(host);
	free(port);
	if (rc != 0)
		return fail(why, "%s: %s", address, gai_strerror(rc));
	for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0)
			limit(fd, limit_ms);
		if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
			rc = errno;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(found);
	return fd < 0 ? fail(why, "no connection to %s: %s", address, strerror(rc)) : fd;
}

struct smtp *smtp_open(
    const char *address, int64_t limit_ms, struct buf *transcript, struct reply *r, struct buf *why)
{
	struct smtp *s;
	int fd = dial(address, limit_ms, why);

	if (fd < 0)
		return NULL;
	s = need(sizeof(*s));
	s->fd = fd;
	s->limit_ms = limit_ms;
	s->transcript = transcript;
	if (transcript)
		buf_addf(transcript, "-- connected to %s\n", address);
	smtp_reply(s, r);
	return s;
}

void smtp_close(struct smtp *s)
{
	if (!s)
		return;
	if (s->tls)
		SSL_free(s->tls);
	SSL_CTX_free(s->context);
	close(s->fd);
	free(s);
}

int smtp_command(struct smtp *s, struct reply *r, const char *format, ...)
{
	struct buf line = {0};
	va_list ap;
	char *text;
	int rc;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		die("out of memory");
	va_end(ap);
	buf_addf(&line, "%s\r\n", text);
	if (s->transcript)
		buf_addf(s->transcript, "C: %s\n", text);
	free(text);
	rc = smtp_raw(s, line.p, line.n);
	buf_free(&line);
	if (rc < 0) {
		r->code = 0;
		r->closed = s->closed;
		buf_clear(&r->text);
		return 0;
	}
	return smtp_reply(s, r);
}

int smtp_handshake(struct smtp *s, const char *name, struct buf *why)
{
	s->at = s->n = 0;
	s->context = SSL_CTX_new(TLS_client_method());
	s->tls = s->context ? SSL_new(s->context) : NULL;
	if (!s->tls || SSL_set_fd(s->tls, s->fd) != 1)
		die("TLS does not work");
	if (name)
		SSL_set_tlsext_host_name(s->tls, name);
	if (SSL_connect(s->tls) != 1)
		return fail(why, "the TLS handshake failed");
	if (s->transcript)
		buf_addf(s->transcript, "-- %s %s\n", SSL_get_version(s->tls), SSL_get_cipher_name(s->tls));
	return 0;
}

int smtp_starttls(struct smtp *s, const char *name, struct buf *why)
{
	struct reply r = {0};
	int code = s->tls ? 0 : smtp_command(s, &r, "STARTTLS");

	buf_free(&r.text);
	return code == 220 ? smtp_handshake(s, name, why) : fail(why, "STARTTLS was answered %d", code);
}

int smtp_content(struct smtp *s, const void *p, size_t n, struct reply *r)
{
	if (smtp_raw(s, p, n) == 0)
		return smtp_reply(s, r);
	buf_clear(&r->text);
	r->closed = s->closed;
	return r->code = 0;
}

void smtp_nothing_sent(struct reply *r)
{
	if (r->code / 100 == 4 || r->code / 100 == 5)
		return;
	r->closed = r->code == 0 && r->closed;
	r->code = 0;
}

/* The lines of a message with a dot before each that begins with one, and the dot at the end. */
static void stuff(const char *p, size_t n, struct buf *out)
{
	bool begin = true;

	for (size_t i = 0; i < n; i++) {
		if (begin && p[i] == '.')
			buf_adds(out, ".");
		buf_add(out, p + i, 1);
		begin = p[i] == '\n' && i > 0 && p[i - 1] == '\r';
	}
	buf_adds(out, begin ? ".\r\n" : "\r\n.\r\n");
}

/* One message and what became of each of its recipients. */
struct sending {
	struct smtp *s;
	const char *from;
	char **to;
	int *codes; /* one a recipient: of RCPT, or where that was taken, of the message */
	const void *data;
	size_t len;
	bool eight;
	struct reply refusal; /* the first one; code 0: none */
	int64_t *answer_us;
};

/* MAIL and RCPT for those of which[]; those who are told "too many recipients" (452 4.5.3, RFC 5321 4.5.3.1.10) stand
 * in later[] and come again in a transaction of their own. How many were taken. */
static size_t offer(struct sending *m, const size_t *which, size_t n, size_t *later, size_t *n_later, struct reply *r)
{
	size_t taken = 0;

	if (smtp_command(m->s, r, "MAIL FROM:<%s>%s", m->from, m->eight ? " BODY=8BITMIME" : "") / 100 != 2)
		return 0;
	for (size_t i = 0; i < n && (i == 0 || r->code > 0); i++) {
		m->codes[which[i]] = smtp_command(m->s, r, "RCPT TO:<%s>", m->to[which[i]]);
		if (r->code / 100 == 2) {
			taken++;
		} else if (taken > 0 && r->code == 452 && octets_find(r->text.p, r->text.n, "4.5.3")) {
			later[(*n_later)++] = which[i];
		} else if (m->refusal.code == 0) {
			m->refusal.code = r->code;
			buf_add(&m->refusal.text, r->text.p, r->text.n);
		}
	}
	return taken;
}

static bool has_eighth_bit(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] & 0x80)
			return true;
	return false;
}

static int greet(struct smtp *s, const char *helo, bool tls, struct reply *r, struct buf *why)
{
	if (smtp_command(s, r, "EHLO %s", helo) / 100 != 2)
		return r->code;
	if (tls && (smtp_starttls(s, NULL, why) < 0 || smtp_command(s, r, "EHLO %s", helo) / 100 != 2))
		return r->code == 250 ? 0 : r->code;
	return 250;
}

static void send_content(struct sending *m, struct reply *r)
{
	struct buf stuffed = {0};
	int64_t began;

	stuff(m->data, m->len, &stuffed);
	began = ticks_us();
	if (m->s->transcript)
		buf_addf(m->s->transcript, "-- %zu octets and the final dot\n", m->len);
	smtp_content(m->s, stuffed.p, stuffed.n, r);
	if (m->answer_us)
		*m->answer_us = ticks_us() - began;
	buf_free(&stuffed);
}

/* One transaction, and further ones for those who have to come later. */
static void transaction(struct sending *m, const size_t *which, size_t n, struct reply *r)
{
	size_t *later = need(n * sizeof(*later)), n_later = 0, taken = offer(m, which, n, later, &n_later, r);

	if (taken > 0 && smtp_command(m->s, r, "DATA") == 354)
		send_content(m, r);
	else if (taken > 0)
		smtp_nothing_sent(r);
	for (size_t i = 0; i < n; i++)
		if (taken == 0 ? m->codes[which[i]] == 0 : m->codes[which[i]] / 100 == 2)
			m->codes[which[i]] = r->code;
	if (n_later > 0 && n_later < n && r->code / 100 == 2)
		transaction(m, later, n_later, r);
	free(later);
}

static void send_all(struct sending *m, size_t n, struct reply *r)
{
	size_t *which = need(n * sizeof(*which));

	for (size_t i = 0; i < n; i++)
		which[i] = i;
	transaction(m, which, n, r);
	if (m->refusal.code > 0 &&
	    (r->code / 100 == 2 ||
		m->codes[0] ==
		    m->refusal.code)) { /* a refusal of one is the result, though the others get the message */
		r->code = m->refusal.code;
		buf_clear(&r->text);
		buf_add(&r->text, m->refusal.text.p, m->refusal.text.n);
	}
	free(which);
}

int smtp_send(const char *address, const char *helo, bool tls, const char *from, char **to, size_t n,
    const void *data, size_t len, struct buf *transcript, struct reply *r, int *codes, int64_t *answer_us,
    struct buf *why)
{
	struct sending m = {
	    .from = from, .to = to, .codes = need(n * sizeof(int)), .data = data, .len = len, .answer_us = answer_us};
	struct reply bye = {0};

	m.s = smtp_open(address, 120000, transcript, r, why);
	if (!m.s) {
		free(m.codes);
		return -1;
	}
	if (r->code / 100 == 2)
		r->code = greet(m.s, helo, tls, r, why);
	if (r->code / 100 == 2) {
		m.eight = octets_find(r->text.p, r->text.n, "8BITMIME") && has_eighth_bit(data, len);
		send_all(&m, n, r);
	}
	for (size_t i = 0; codes && i < n; i++)
		codes[i] = m.codes[i] ? m.codes[i] : r->code;
	if (r->code > 0)
		smtp_command(m.s, &bye, "QUIT");
	buf_free(&bye.text);
	buf_free(&m.refusal.text);
	free(m.codes);
	smtp_close(m.s);
	return r->code;
}
