/* The HTTP interface, see the header. Role web, loop thread. */
#include "gateway/proc/web_http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/http_door.h"
#include "gateway/proc/https_tls.h"
#include "gateway/proc/public_gate.h"
#include "gateway/proc/web_api.h"
#include "gateway/proc/web_hash.h"
#include "gateway/proc/web_job.h"
#include "gateway/proc/web_pages.h"

/* CONNECTION_OCTETS: of a request's line and header fields, and what a form is read by. SMALL: a body that anybody
 * may send, to sign in. OPERATORS: with a thousand messages chosen. */
enum { CONNECTION_OCTETS = 32 * 1024, REST_MS = 1000, SMALL = 16 * 1024, OPERATORS = 512 * 1024 };

struct web_http {
	struct web_world world;
	struct loop_io *work;
	struct public_settings limits;
	struct http_door *door;
	bool running; /* within MHD_run, which does not nest */
	bool closing; /* nothing new is begun: what waits for an answer cannot be ended */
	struct web_job *jobs;
};

/* ---- requests ---- */

static void fail(struct web_job *j, unsigned status, const char *text)
{
	if (web_api_is(j->path))
		web_api_fail(j, status, text);
	else
		web_pages_fail(j, status, text);
}

/* Who asks is known, or cannot be. */
static void known(struct web_job *j, const char *code, const char *text)
{
	if (code)
		fail(j, MHD_HTTP_SERVICE_UNAVAILABLE, text);
	else if (web_api_is(j->path))
		web_api_begin(j);
	else
		web_pages_begin(j);
}

/* Octets that a body of one who was found out to be somebody may have: files are for those who may store them. */
static int64_t most_of(const struct web_job *j)
{
	int64_t all = j->w->set->body_octets;

	if (strcmp(j->role, "viewer") == 0)
		return SMALL;
	return strcmp(j->role, "operator") == 0 && all > OPERATORS ? OPERATORS : all;
}

/* RFC 9110 8.6; libmicrohttpd has looked that it is a number. */
static bool says_more(const struct web_job *j, int64_t most)
{
	const char *n = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Content-Length");

	return n && strtoull(n, NULL, 10) > (unsigned long long)most;
}

/* Octets that will come (RFC 9110 8.6; libmicrohttpd has looked that it is a number), the most where it is not said.
 */
static unsigned long long length_of(const struct web_job *j)
{
	const char *n = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Content-Length");

	return n ? strtoull(n, NULL, 10) : (unsigned long long)most_of(j);
}

/* Before a body is read: is it somebody whom we know? */
static void known_before(struct web_job *j, const char *code, const char *text)
{
	if (code) {
		fail(j, MHD_HTTP_SERVICE_UNAVAILABLE, text);
	} else if (!j->role[0]) {
		j->changes = true;
		fail(j, MHD_HTTP_UNAUTHORIZED, "Sign in first: the session is over, or there was none.");
	} else if (says_more(j, most_of(j))) {
		fail(j, MHD_HTTP_CONTENT_TOO_LARGE, "That is more than your role may send.");
	} else if (!web_job_has_room(j, (size_t)length_of(j))) {
		fail(j, MHD_HTTP_SERVICE_UNAVAILABLE, "Others send much at this moment: try again in a minute.");
	} else {
		j->most = most_of(j);
		j->state = WEB_JOB_BODY;
		web_job_go_on(j);
	}
}

static bool is_small(const struct web_job *j)
{
	const char *n = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Content-Length");

	if (!n) /* RFC 9112 6.3: then there is none */
		return !MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Transfer-Encoding");
	return strlen(n) <= 5 && strtol(n, NULL, 10) <= SMALL;
}

/* With the header fields alone. */
static enum MHD_Result begin(struct web_job *j)
{
	j->state = WEB_JOB_BODY;
	if (!j->changes || is_small(j))
		return MHD_YES;
	if (strcmp(j->path, "/login") == 0 || (!j->session[0] && (!j->token[0] || !web_api_is(j->path)))) {
		j->changes = true;
		fail(j, MHD_HTTP_CONTENT_TOO_LARGE, "Sign in first: only then a request may be so large.");
		return web_job_send(j);
	}
	if (says_more(j, j->most)) {
		fail(j, MHD_HTTP_CONTENT_TOO_LARGE,
		    "This is more than a request may bring (body-octets in section web).");
		return web_job_send(j);
	}
	j->state = WEB_JOB_WHO;
	MHD_suspend_connection(j->c);
	web_job_who(j, known_before);
	return MHD_YES;
}

/* With everything. */
static enum MHD_Result complete(struct web_job *j)
{
	if (j->changes && (web_job_taken(j) < 0 || (j->other && !j->api))) {
		fail(
		    j, j->other ? MHD_HTTP_UNSUPPORTED_MEDIA_TYPE : MHD_HTTP_BAD_REQUEST, "The form cannot be read.");
		return web_job_send(j);
	}
	if (!j->changes && j->session[0] && web_job_is_embedded(j)) {
		fail(j, MHD_HTTP_FORBIDDEN, "A page of another site asked for this.");
		return web_job_send(j);
	}
	j->state = WEB_JOB_ASKING;
	MHD_suspend_connection(j->c);
	/* tokens are for programs: pages know sessions alone */
	if (web_api_is(j->path) || strncmp(j->path, "/static/", 8) == 0 || j->role[0] || !j->session[0])
		known(j, NULL, NULL);
	else
		web_job_who(j, known);
	return MHD_YES;
}

static enum MHD_Result serve(void *ctx, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_n, void **state)
{
	struct web_http *h = ctx;
	struct web_job *j = *state;

	(void)version;
	if (h->closing && (!j || j->state != WEB_JOB_DONE))
		return MHD_NO;
	if (!j) {
		j = *state = web_job_new(&h->world, c, url, method);
		j->api = web_api_is(url);
		j->next = h->jobs;
		h->jobs = j;
		return begin(j);
	}
	if (j->state == WEB_JOB_DONE && *upload_n == 0)
		return web_job_send(j);
	if (*upload_n > 0) {
		/* a GET with a body is nobody's honest request; what is too large ends the connection */
		if (!j->changes || j->state != WEB_JOB_BODY || web_job_take(j, upload, *upload_n) < 0)
			return MHD_NO;
		*upload_n = 0;
		return MHD_YES;
	}
	if (j->state == WEB_JOB_BODY && j->taken == 0 && j->changes && !j->told) {
		j->told = true; /* the same call again, after the question who it is: the body follows */
		if (!is_small(j))
			return MHD_YES;
	}
	return j->state == WEB_JOB_BODY ? complete(j) : MHD_YES;
}

static void completed(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why)
{
	struct web_http *h = ctx;
	struct web_job *j = *state, **q = &h->jobs;

	(void)c;
	(void)why;
	if (!j)
		return;
	REQUIRE(j->state != WEB_JOB_ASKING && j->state != WEB_JOB_WHO);
	while (*q != j)
		q = &(*q)->next;
	*q = j->next;
	web_job_free(j);
	*state = NULL;
}

/* ---- the loop ---- */

static void run(struct web_http *h)
{
	MHD_UNSIGNED_LONG_LONG ms = REST_MS;

	if (h->running)
		return;
	h->running = true;
	h->world.again = false;
	(void)MHD_run(h->world.daemon);
	h->running = false;
	if (MHD_get_timeout(h->world.daemon, &ms) != MHD_YES || ms > REST_MS)
		ms = REST_MS;
	if (h->world.again)
		ms = 0;
	loop_timer_set(h->world.timer, (int64_t)ms);
}

static void on_work(void *ctx, int fd, unsigned got)
{
	(void)fd;
	(void)got;
	run(ctx);
}

static void on_timer(void *ctx)
{
	run(ctx);
}

/* As libmicrohttpd does it, but "%00" stays as it is: a path does not end in its middle. */
static size_t unescape(void *ctx, struct MHD_Connection *c, char *s)
{
	char *to = s;

	(void)ctx;
	(void)c;
	for (const char *from = s; *from;) {
		int high = from[0] == '%' ? encode_hex_value(from[1]) : -1;
		int low = high >= 0 ? encode_hex_value(from[2]) : -1;

		if (low >= 0 && high * 16 + low != 0) {
			*to++ = (char)(high * 16 + low);
			from += 3;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return (size_t)(to - s);
}

static struct MHD_Daemon *start(struct web_http *h)
{
	static const struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
	const struct MHD_OptionItem secure[] = {
	    {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)https_tls_retrieve},
	    {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)HTTPS_TLS_PRIORITIES}, {MHD_OPTION_END, 0, NULL}};
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
			 (h->world.tls ? MHD_USE_TLS : 0);

	return MHD_start_daemon(flags, 0, NULL, NULL, serve, h, MHD_OPTION_EXTERNAL_LOGGER, http_door_tell, h->door,
	    MHD_OPTION_ARRAY, h->world.tls ? secure : plain, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
	    MHD_OPTION_NOTIFY_COMPLETED, completed, h, MHD_OPTION_NOTIFY_CONNECTION, http_door_notice, h->door,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)h->limits.connections_max + PUBLIC_GATE_ENDING,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(h->limits.timeout / 1000), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)CONNECTION_OCTETS, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

struct web_http *web_http_new(struct loop *l, int fd, const struct web_settings *set, bool tls,
    struct admin_peer *judge, struct admin_peer *relay, struct problem *pr)
{
	struct web_http *h = mem_new(sizeof *h);
	const union MHD_DaemonInfo *i;

	*h = (struct web_http){.world = {.loop = l, .set = set, .tls = tls, .judge = judge, .relay = relay}};
	/* without TLS every client has the same few addresses of loopback: one limit for all, and beyond it the
	 * oldest gives way */
	h->limits = (struct public_settings){.connections_max = set->connections_max,
	    .connections_per_client = tls ? set->connections_per_client : set->connections_max + 1,
	    .rate = tls ? set->rate : 0,
	    .client_rate = tls ? set->client_rate : 0,
	    .timeout = set->timeout,
	    .lifetime = set->lifetime};
	h->door = http_door_new(l, fd, "web", &h->limits);
	h->world.daemon = start(h);
	i = h->world.daemon ? MHD_get_daemon_info(h->world.daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!i) {
		if (h->world.daemon)
			MHD_stop_daemon(h->world.daemon);
		http_door_free(h->door);
		free(h);
		problem_temp(pr, "libmicrohttpd does not start");
		return NULL;
	}
	h->world.hash = web_hash_new(l);
	h->world.timer = loop_timer_new(l, on_timer, h);
	h->work = loop_io_new(l, i->epoll_fd, on_work, h);
	loop_io_want(h->work, LOOP_READ);
	http_door_open(h->door, h->world.daemon, on_timer, h);
	return h;
}

void web_http_free(struct web_http *h)
{
	if (!h)
		return;
	http_door_close(h->door);
	loop_io_free(h->work);
	for (struct web_job *j = h->jobs; j; j = j->next)
		if (j->state == WEB_JOB_ASKING || j->state == WEB_JOB_WHO)
			web_job_give_up(j);
	h->closing = true;
	(void)MHD_run(h->world.daemon);
	MHD_stop_daemon(h->world.daemon);
	http_door_free(h->door);
	loop_timer_free(h->world.timer);
	free(h);
}
