/* The public listener's HTTP, see the header. Role public, the thread of libmicrohttpd. */
#include "gateway/proc/public_http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/http_door.h"
#include "gateway/proc/public_gate.h"
#include "gateway/proc/https_tls.h"
#include "gateway/xsmg/statement.h"

/* CONNECTION_OCTETS: of a request's line and header fields.
 */
enum { CONNECTION_OCTETS = 16 * 1024, VALUE_MAX = 400, ANSWER_MAX = 512 * 1024 };

struct public_http {
	struct MHD_Daemon *daemon;
	struct http_door *door;
	const struct public_settings *set;
	struct public_shelf *shelf;
};

/* What is answered; body is copied. */
struct answer {
	unsigned status;
	const char *type;
	const void *body;
	size_t n;
	const char *etag; /* NULL none */
	int64_t max_age;  /* s; below 0: not to be kept */
};

static enum MHD_Result put(struct MHD_Response *r, const char *name, const char *value)
{
	return MHD_add_response_header(r, name, value);
}

static enum MHD_Result answer(struct MHD_Connection *c, const struct answer *a)
{
	struct MHD_Response *r =
	    MHD_create_response_from_buffer(a->n, (void *)(uintptr_t)(a->n ? a->body : ""), MHD_RESPMEM_MUST_COPY);
	char age[48];
	enum MHD_Result rc;

	if (!r)
		return MHD_NO;
	(void)snprintf(age, sizeof age, a->max_age < 0 ? "no-store" : "public, max-age=%lld", (long long)a->max_age);
	if (put(r, "Cache-Control", age) == MHD_NO || put(r, "X-Content-Type-Options", "nosniff") == MHD_NO ||
	    (a->type && put(r, "Content-Type", a->type) == MHD_NO) ||
	    (a->etag && put(r, "ETag", a->etag) == MHD_NO) ||
	    (a->status == MHD_HTTP_METHOD_NOT_ALLOWED && put(r, "Allow", "GET, HEAD") == MHD_NO))
		rc = MHD_NO;
	else
		rc = MHD_queue_response(c, a->status, r);
	MHD_destroy_response(r);
	return rc;
}

static enum MHD_Result plain(struct MHD_Connection *c, unsigned status, const char *text)
{
	struct answer a = {
	    .status = status, .type = "text/plain; charset=us-ascii", .body = text, .n = strlen(text), .max_age = -1};

	return answer(c, &a);
}

/* RFC 9110 13.1.2: one of the list, weak or not, or "*". */
static bool has_already(struct MHD_Connection *c, const char *etag)
{
	const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "If-None-Match");

	return v && (strstr(v, etag) != NULL || strcmp(v, "*") == 0);
}

static enum MHD_Result statement(struct public_http *h, struct MHD_Connection *c, const char *domain)
{
	struct answer a = {.status = MHD_HTTP_OK, .type = "application/cms"};
	int64_t now = time(NULL), expires;
	char id[64], etag[70];
	struct buf der;
	enum MHD_Result rc;

	buf_init(&der, STATEMENT_MAX);
	if (!public_shelf_statement(h->shelf, domain, now, id, &expires, &der)) {
		buf_clear(&der);
		return plain(c, MHD_HTTP_NOT_FOUND, "no statement of such a domain here\n");
	}
	(void)snprintf(etag, sizeof etag, "\"%s\"", id);
	a.etag = etag;
	a.max_age = h->set->max_age / 1000 < expires - now ? h->set->max_age / 1000 : expires - now;
	a.body = der.p;
	a.n = der.len;
	if (has_already(c, etag)) {
		a.status = MHD_HTTP_NOT_MODIFIED;
		a.type = NULL;
		a.n = 0;
	}
	rc = answer(c, &a);
	buf_clear(&der);
	return rc;
}

/* ---- certificates ---- */

static int add_part(struct buf *b, const char *boundary, const struct buf *der)
{
	if (buf_addf(b, "--%s\r\nContent-Type: application/pkix-cert\r\nContent-Transfer-Encoding: binary\r\n\r\n",
		boundary) < 0 ||
	    buf_add(b, der->p, der->len) < 0)
		return -1;
	return buf_adds(b, "\r\n");
}

/* A boundary that is in none of the parts: the digits of a certificate's place in memory would do, a fixed text with
 * a number until it fits does as well. */
static void choose_boundary(const struct public_found *f, char out[32])
{
	for (unsigned n = 0;; n++) {
		bool found = false;

		(void)snprintf(out, 32, "certificate-%08x", n);
		for (size_t i = 0; i < f->n; i++)
			found = found || memmem(f->der[i].p, f->der[i].len, out, strlen(out)) != NULL;
		if (!found)
			return;
	}
}

/* RFC 4387 2.2: several as multipart/mixed. */
static enum MHD_Result several(struct public_http *h, struct MHD_Connection *c, const struct public_found *f)
{
	struct answer a = {.status = MHD_HTTP_OK, .max_age = h->set->max_age / 1000};
	char boundary[32], type[80];
	struct buf b;
	enum MHD_Result rc = MHD_NO;
	int ok = 0;

	choose_boundary(f, boundary);
	(void)snprintf(type, sizeof type, "multipart/mixed; boundary=%s", boundary);
	buf_init(&b, ANSWER_MAX);
	for (size_t i = 0; ok == 0 && i < f->n; i++)
		ok = add_part(&b, boundary, &f->der[i]);
	if (ok == 0 && buf_addf(&b, "--%s--\r\n", boundary) == 0) {
		a.type = type;
		a.body = b.p;
		a.n = b.len;
		rc = answer(c, &a);
	}
	buf_clear(&b);
	return rc;
}

static enum MHD_Result search(struct public_http *h, struct MHD_Connection *c)
{
	static const struct {
		const char *name;
		enum public_by by;
	} attributes[] = {{"email", PUBLIC_BY_EMAIL}, {"uri", PUBLIC_BY_URI}, {"certHash", PUBLIC_BY_CERTHASH}};
	struct answer one = {
	    .status = MHD_HTTP_OK, .type = "application/pkix-cert", .max_age = h->set->max_age / 1000};
	struct public_found f = {.n = 0};
	const char *value = NULL;
	enum MHD_Result rc;

	for (size_t i = 0; !value && i < sizeof attributes / sizeof *attributes; i++) {
		value = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, attributes[i].name);
		if (value && strlen(value) <= VALUE_MAX)
			public_shelf_find(h->shelf, attributes[i].by, value, &f);
	}
	if (!value)
		return plain(c, MHD_HTTP_BAD_REQUEST, "ask for ?email=, ?uri= or ?certHash= (RFC 4387)\n");
	if (f.n == 0)
		return plain(c, MHD_HTTP_NOT_FOUND, "no such certificate here\n");
	one.body = f.der[0].p;
	one.n = f.der[0].len;
	rc = f.n == 1 ? answer(c, &one) : several(h, c, &f);
	public_found_clear(&f);
	return rc;
}

/* ---- requests ---- */

static enum MHD_Result serve(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_n, void **state)
{
	static const char well_known[] = "/.well-known/smg/";
	static int seen;

	(void)version;
	(void)upload;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return plain(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	if (!*state) { /* first with the header fields alone */
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_n > 0) /* a GET with a body is nobody's honest request */
		return MHD_NO;
	if (strncmp(url, well_known, sizeof well_known - 1) == 0)
		return statement(ctx, c, url + sizeof well_known - 1);
	/* RFC 4387 3.3: the second where our host is called "certificates" */
	if (strcmp(url, "/certificates/search.cgi") == 0 || strcmp(url, "/search.cgi") == 0)
		return search(ctx, c);
	return plain(c, MHD_HTTP_NOT_FOUND, "nothing here\n");
}

static struct MHD_Daemon *start(struct public_http *h)
{
	static const unsigned flags = MHD_USE_TLS | MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC |
				      MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;

	return MHD_start_daemon(flags, 0, NULL, NULL, serve, h, MHD_OPTION_EXTERNAL_LOGGER, http_door_tell, h->door,
	    MHD_OPTION_HTTPS_CERT_CALLBACK, https_tls_retrieve, MHD_OPTION_HTTPS_PRIORITIES, HTTPS_TLS_PRIORITIES,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)h->set->connections_max + PUBLIC_GATE_ENDING,
	    MHD_OPTION_NOTIFY_CONNECTION, http_door_notice, h->door, MHD_OPTION_CONNECTION_TIMEOUT,
	    (unsigned)(h->set->timeout / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_OCTETS,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

struct public_http *public_http_new(
    struct loop *l, int fd, const struct public_settings *set, struct public_shelf *shelf, struct problem *pr)
{
	struct public_http *h = mem_new(sizeof *h);

	*h = (struct public_http){.set = set, .shelf = shelf, .door = http_door_new(l, fd, "public", set)};
	h->daemon = start(h);
	if (!h->daemon) {
		http_door_free(h->door);
		free(h);
		problem_temp(pr, "libmicrohttpd does not start");
		return NULL;
	}
	http_door_open(h->door, h->daemon, NULL, NULL);
	return h;
}

void public_http_free(struct public_http *h)
{
	if (!h)
		return;
	http_door_close(h->door);
	MHD_stop_daemon(h->daemon);
	http_door_free(h->door);
	free(h);
}
