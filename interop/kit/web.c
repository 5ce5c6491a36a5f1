#include "interop/kit/web.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "interop/kit/door.h"

#define HEAD_MAX 16384
#define BODY_MAX 65536
#define LIMIT_MS 20000

struct page {
	struct page *next;
	char *path, *type;
	struct buf octets;
};

struct web {
	const struct kit *kit;
	struct world *world;
	SSL_CTX *tls;
	struct door *plain, *secure;
	pthread_mutex_t lock;
	struct page *pages;
};

struct talk {
	struct web *web;
	int fd;
	SSL *ssl;
	struct buf in;
};

static struct page *find(struct web *w, const char *path)
{
	struct page *p = w->pages;

	while (p && strcmp(p->path, path) != 0)
		p = p->next;
	return p;
}

void web_put(struct web *w, const char *path, const char *type, const struct buf *octets)
{
	struct page *p;

	pthread_mutex_lock(&w->lock);
	p = find(w, path);
	if (!p) {
		p = need(sizeof(*p));
		p->path = text_copy(path);
		p->next = w->pages;
		w->pages = p;
	}
	free(p->type);
	p->type = text_copy(type);
	buf_clear(&p->octets);
	if (octets)
		buf_add(&p->octets, octets->p, octets->n);
	pthread_mutex_unlock(&w->lock);
}

static ssize_t receive(struct talk *t, char *p, size_t n)
{
	struct pollfd f = {.fd = t->fd, .events = POLLIN};

	if (!(t->ssl && SSL_pending(t->ssl) > 0) && poll(&f, 1, LIMIT_MS) <= 0)
		return -1;
	return t->ssl ? SSL_read(t->ssl, p, (int)n) : recv(t->fd, p, n, 0);
}

static void send_all(struct talk *t, const char *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = t->ssl ? SSL_write(t->ssl, p + done, (int)(n - done))
				   : send(t->fd, p + done, n - done, MSG_NOSIGNAL);

		if (w <= 0)
			return;
		done += (size_t)w;
	}
}

static void answer(struct talk *t, int status, const char *type, const struct buf *body)
{
	struct buf out = {0};
	size_t n = body ? body->n : 0;

	buf_addf(&out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
	    status, status == 200 ? "OK" : "Not Found", type, n);
	if (n > 0)
		buf_add(&out, body->p, n);
	send_all(t, out.p, out.n);
	buf_free(&out);
}

/* "/crl/AUTHORITY/KIND.crl": -1: not such a path */
static int crl(struct talk *t, const char *path, struct buf *out)
{
	const char *slash = strncmp(path, "/crl/", 5) ? NULL : strchr(path + 5, '/'),
		   *dot = slash ? strrchr(slash, '.') : NULL;
	char *authority, *kind;
	int rc;

	if (!dot)
		return -1;
	authority = text_cut(path + 5, (size_t)(slash - path - 5));
	kind = text_cut(slash + 1, (size_t)(dot - slash - 1));
	rc = world_crl(t->web->world, authority, kind, out);
	free(authority);
	free(kind);
	return rc;
}

/* The page of a path; one with a query is found with it first, and then without. */
static bool page(struct talk *t, const char *path, struct buf *out, char **type)
{
	struct page *p;
	bool there;

	pthread_mutex_lock(&t->web->lock);
	p = find(t->web, path);
	there = p && p->octets.n > 0;
	if (there) {
		buf_add(out, p->octets.p, p->octets.n);
		*type = text_copy(p->type);
	}
	pthread_mutex_unlock(&t->web->lock);
	return there;
}

/* %40 and the like in a query */
static void decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		char hex[3] = {0}, *end;

		if (*s == '%' && s[1] && s[2]) {
			memcpy(hex, s + 1, 2);
			*to = (char)strtol(hex, &end, 16);
			if (!*end && *to) {
				to++;
				s += 2;
				continue;
			}
		}
		*to++ = *s;
	}
	*to = 0;
}

/* "/ocsp/AUTHORITY/KIND". In a GET the request follows behind a slash, as base64 (RFC 6960 A.1). */
static void ocsp(struct talk *t, const char *path, const char *body, size_t n)
{
	const char *slash = strncmp(path, "/ocsp/", 6) ? NULL : strchr(path + 6, '/');
	char *authority = slash ? text_cut(path + 6, (size_t)(slash - path - 6)) : NULL;
	char *kind = slash ? text_cut(slash + 1, strcspn(slash + 1, "/")) : NULL;
	struct buf out = {0};

	if (authority && world_ocsp(t->web->world, authority, body, n, kind, &out) == 0)
		answer(t, 200, "application/ocsp-response", &out);
	else
		answer(t, 404, "text/plain", NULL);
	free(kind);
	free(authority);
	buf_free(&out);
}

static void get_ocsp(struct talk *t, const char *path)
{
	const char *slash = strchr(path + 6, '/'), *request = slash ? strchr(slash + 1, '/') : NULL;
	struct buf der = {0};

	if (request && base64_read(request + 1, strlen(request + 1), &der) == 0 && der.n > 0)
		ocsp(t, path, der.p, der.n);
	else
		answer(t, 404, "text/plain", NULL);
	buf_free(&der);
}

static void get(struct talk *t, char *path)
{
	struct buf out = {0};
	char *type = NULL;

	decode(path);
	if (page(t, path, &out, &type))
		answer(t, 200, type, &out);
	else if (crl(t, path, &out) == 0)
		answer(t, 200, "application/pkix-crl", &out);
	else if (!strncmp(path, "/ocsp/", 6))
		get_ocsp(t, path);
	else
		answer(t, 404, "text/plain", NULL);
	free(type);
	buf_free(&out);
}

static size_t length_of(const char *head, const char *end)
{
	for (const char *p = head; p && p < end; p = memchr(p, '\n', (size_t)(end - p)), p += p != NULL)
		if (!strncasecmp(p, "Content-Length:", 15))
			return (size_t)strtoul(p + 15, NULL, 10);
	return 0;
}

/* One request; the connection is closed after its answer. */
static void one_request(struct talk *t)
{
	char part[8192], *path;
	const char *end = NULL;
	size_t body = 0, length = 0;
	ssize_t n;

	while (!end && t->in.n < HEAD_MAX && (n = receive(t, part, sizeof(part))) > 0) {
		buf_add(&t->in, part, (size_t)n);
		end = octets_find(t->in.p, t->in.n, "\r\n\r\n");
	}
	if (!end)
		return;
	body = (size_t)(end - t->in.p) + 4;
	length = length_of(t->in.p, end);
	while (length <= BODY_MAX && t->in.n - body < length && (n = receive(t, part, sizeof(part))) > 0)
		buf_add(&t->in, part, (size_t)n);
	if (length > BODY_MAX || t->in.n - body < length)
		return;
	path = strchr(t->in.p, ' ');
	if (!path || !strpbrk(path + 1, " \r"))
		return;
	path = text_cut(path + 1, strcspn(path + 1, " \r"));
	if (!strncmp(t->in.p, "GET ", 4))
		get(t, path);
	else if (!strncmp(t->in.p, "POST ", 5))
		ocsp(t, path, t->in.p + body, length);
	free(path);
}

static void visit(void *arg, int fd, bool tls)
{
	struct talk t = {.web = arg, .fd = fd};

	if (tls) {
		t.ssl = SSL_new(t.web->tls);
		if (!t.ssl || SSL_set_fd(t.ssl, fd) != 1 || SSL_accept(t.ssl) != 1)
			goto out;
	}
	one_request(&t);
	if (t.ssl)
		SSL_shutdown(t.ssl);
out:
	SSL_free(t.ssl);
	buf_free(&t.in);
	close(fd);
}

static void visit_plain(void *arg, int fd)
{
	visit(arg, fd, false);
}

static void visit_secure(void *arg, int fd)
{
	visit(arg, fd, true);
}

/* "path TAB type TAB file" a line, files below DIR/world */
static int read_index(struct web *w, struct buf *why)
{
	char *path = text_make("%s/world/http.index", w->kit->dir);
	struct buf text = {0}, octets = {0};
	int rc = file_there(path) ? file_read(path, &text, why) : 0;

	for (char *p = text.p, *next; rc == 0 && p && *p; p = next) {
		char *type = strchr(p, '\t'), *file = type ? strchr(type + 1, '\t') : NULL, *end = strchr(p, '\n'),
		     *full;

		next = end ? end + 1 : p + strlen(p);
		if (!file || !end || file > end) {
			rc = fail(why, "%s: a line is not path, type and file", path);
			break;
		}
		*type = *file = *end = 0;
		full = text_make("%s/world/%s", w->kit->dir, file + 1);
		buf_clear(&octets);
		rc = file_read(full, &octets, why);
		if (rc == 0)
			web_put(w, p, type + 1, &octets);
		free(full);
	}
	buf_free(&text);
	buf_free(&octets);
	free(path);
	return rc;
}

struct web *web_open(const struct kit *k, struct world *world, struct buf *why)
{
	struct web *w = need(sizeof(*w));

	w->kit = k;
	w->world = world;
	pthread_mutex_init(&w->lock, NULL);
	w->tls = door_tls(world);
	if (read_index(w, why) < 0 || (*k->http && !(w->plain = door_open(k->http, visit_plain, w, why))) ||
	    (*k->https && w->tls && !(w->secure = door_open(k->https, visit_secure, w, why)))) {
		web_close(w);
		return NULL;
	}
	return w;
}

void web_close(struct web *w)
{
	if (!w || door_close(w->plain) < 0 || door_close(w->secure) < 0)
		return; /* a visitor stays: what it uses stays, the program ends soon */
	while (w->pages) {
		struct page *next = w->pages->next;

		free(w->pages->path);
		free(w->pages->type);
		buf_free(&w->pages->octets);
		free(w->pages);
		w->pages = next;
	}
	SSL_CTX_free(w->tls);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
