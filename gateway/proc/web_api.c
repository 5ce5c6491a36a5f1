/* The API, see the header. Role web, loop thread. */
#include "gateway/proc/web_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/web_metrics.h"
#include "gateway/proc/web_openapi.h"
#include "gateway/proc/web_route.h"

/* A request under way. */
struct api {
	const struct web_route *route;
	json_t *args, *judge; /* judge: what the judge said, for what needs both */
};

static void api_free(void *own)
{
	struct api *a = own;

	json_decref(a->args);
	json_decref(a->judge);
	free(a);
}

bool web_api_is(const char *path)
{
	static const char *const begins[] = {"/api/", "/metrics", "/healthz", "/readyz"};

	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (strncmp(path, begins[i], strlen(begins[i])) == 0)
			return true;
	return false;
}

/* ---- answers ---- */

/* Takes o. */
static void answer(struct web_job *j, unsigned status, const char *type, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	if (!text)
		log_fatal("out of memory: JSON");
	web_job_finish(j, status, type, text, strlen(text));
	free(text);
	json_decref(o);
}

/* RFC 9457 3: "about:blank", so that the title is the status code's. */
void web_api_fail(struct web_job *j, unsigned status, const char *text)
{
	json_t *o = json_object();

	admin_json_set(o, "type", admin_json_text("about:blank"));
	admin_json_set(o, "title", admin_json_text(MHD_get_reason_phrase_for(status)));
	admin_json_set(o, "status", json_integer(status));
	admin_json_set(o, "detail", admin_json_text(text));
	answer(j, status, "application/problem+json", o);
}

static void fail_as(struct web_job *j, const struct api *a, const char *code, const char *text)
{
	static const struct {
		const char *code;
		unsigned status;
	} known[] = {
	    {"usage", MHD_HTTP_BAD_REQUEST},
	    {"not-found", MHD_HTTP_NOT_FOUND},
	    {"unknown", MHD_HTTP_NOT_FOUND},
	    {"changed", MHD_HTTP_PRECONDITION_FAILED},
	    {"exists", MHD_HTTP_CONFLICT},
	    {"unauthorized", MHD_HTTP_UNAUTHORIZED},
	    {"forbidden", MHD_HTTP_FORBIDDEN},
	    {"throttled", MHD_HTTP_TOO_MANY_REQUESTS},
	    {"unavailable", MHD_HTTP_SERVICE_UNAVAILABLE},
	};
	/* "refused": of what only looks, it was asked for something that is not there */
	unsigned status = j->changes	      ? MHD_HTTP_CONFLICT
			  : a->route->segment ? MHD_HTTP_NOT_FOUND
					      : MHD_HTTP_BAD_REQUEST;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].code, code) == 0)
			status = known[i].status;
	web_api_fail(j, status, text);
}

static void answer_metrics(struct web_job *j, const struct api *a, const json_t *relay)
{
	struct timespec now;
	struct buf b;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	buf_init(&b, WEB_METRICS_MAX);
	web_metrics(a->judge, relay, (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, &b);
	web_job_finish(j, MHD_HTTP_OK, WEB_METRICS_TYPE, b.p, b.len);
	buf_clear(&b);
}

static void answer_status(struct web_job *j, const struct api *a, json_t *relay)
{
	json_t *o = json_object();

	admin_json_set(o, "judge", json_incref(a->judge));
	admin_json_set(o, "relay", relay ? json_incref(relay) : json_null());
	answer(j, MHD_HTTP_OK, "application/json", o);
}

static void answer_word(struct web_job *j, const char *word)
{
	web_job_finish(j, MHD_HTTP_OK, "text/plain", word, strlen(word));
}

/* ---- asking ---- */

/* Anybody may ask whether it is ready, as often as he likes: judge and relay are asked once a second at most. */
enum { READY_MS = 1000 };
static int64_t ready_until;

static void relay_said(struct web_job *j, json_t *data, const char *code, const char *text)
{
	struct api *a = j->own;

	if (data && a->route->kind == WEB_READY) {
		ready_until = loop_now_ms() + READY_MS;
		answer_word(j, "ready\n");
	} else if (a->route->kind == WEB_METRICS)
		answer_metrics(j, a, data);
	else if (a->route->kind == WEB_STATUS)
		answer_status(j, a, data);
	else if (data)
		answer(j, MHD_HTTP_OK, "application/json", json_incref(data));
	else
		fail_as(j, a, code, text);
}

/* What If-Match is compared with. */
static void tell_etag(struct web_job *j, const json_t *data)
{
	const char *r = json_string_value(json_object_get(data, "revision"));

	if (r)
		(void)snprintf(j->etag, sizeof j->etag, "\"%.32s\"", r);
}

static void judge_said(struct web_job *j, json_t *data, const char *code, const char *text)
{
	struct api *a = j->own;

	if (!data) {
		fail_as(j, a, code, text);
	} else if (a->route->kind == WEB_JUDGE) {
		tell_etag(j, data);
		/* it waits for a second person */
		answer(j, json_object_get(data, "proposal") ? MHD_HTTP_ACCEPTED : MHD_HTTP_OK, "application/json",
		    json_incref(data));
	} else {
		a->judge = json_incref(data);
		web_job_ask(j, WEB_ASK_RELAY, "status", json_object(), relay_said);
	}
}

/* Every argument once, as the table has it. 0 / -1 with why. */
static int arguments(struct web_job *j, struct api *a, char why[200])
{
	const char *name;
	json_t *v;

	json_object_foreach(j->query, name, v)
	{
		/* what came twice is an array: none of the table's */
		if (web_route_arg(a->route, name, json_string_value(v), a->args, why) < 0)
			return -1;
	}
	return 0;
}

/* RFC 9110 13.1.1: one strong tag, or "*" for whatever there is. */
static int read_match(const struct web_job *j, struct api *a, char why[200])
{
	const char *v = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "If-Match");
	size_t n = v ? strlen(v) : 0;
	char tag[41];

	if (!v || strcmp(v, "*") == 0)
		return 0;
	if (!a->route->guarded || n < 3 || n > 40 || v[0] != '"' || v[n - 1] != '"' || memchr(v + 1, '"', n - 2)) {
		(void)snprintf(why, 200,
		    a->route->guarded ? "If-Match holds one ETag in quotes"
				      : "If-Match does not count for this path");
		return -1;
	}
	(void)snprintf(tag, sizeof(tag), "%.*s", (int)(n - 2), v + 1);
	admin_json_set(a->args, "if_match", admin_json_text(tag));
	return 0;
}

/* 0; else the status, with why. */
static unsigned read_body(struct web_job *j, struct api *a, char why[200])
{
	json_error_t error;
	json_t *o;
	int rc;

	if (read_match(j, a, why) < 0)
		return MHD_HTTP_BAD_REQUEST;
	if (j->taken == 0) {
		o = json_object();
	} else if (j->other) {
		(void)snprintf(why, 200, "a body is application/json");
		return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
	} else {
		o = json_loadb((const char *)j->body.p, j->body.len, JSON_REJECT_DUPLICATES, &error);
	}
	if (!json_is_object(o)) {
		(void)snprintf(why, 200, "the body is no JSON object%s%.100s", o ? "" : ": ", o ? "" : error.text);
		json_decref(o);
		return MHD_HTTP_BAD_REQUEST;
	}
	rc = web_route_body(a->route, o, a->args, why);
	json_decref(o);
	return rc < 0 ? MHD_HTTP_BAD_REQUEST : 0;
}

static void no_route(struct web_job *j)
{
	if (!j->allow[0])
		web_api_fail(j, MHD_HTTP_NOT_FOUND, "there is no such path");
	else
		web_api_fail(j, MHD_HTTP_METHOD_NOT_ALLOWED, "this path has other methods: see Allow");
}

static void ask(struct web_job *j, struct api *a)
{
	if (a->route->kind == WEB_OPENAPI)
		answer(j, MHD_HTTP_OK, "application/json", web_openapi());
	else if (a->route->kind == WEB_ALIVE)
		answer_word(j, "ok\n");
	else if (a->route->kind == WEB_READY && loop_now_ms() < ready_until)
		answer_word(j, "ready\n");
	else if (a->route->kind == WEB_READY) /* the judge first, then the relay */
		web_job_ask(j, WEB_ASK_RELAY, "alive", json_object(), relay_said);
	else if (a->route->kind == WEB_RELAY)
		web_job_ask(j, WEB_ASK_RELAY, a->route->verb, json_incref(a->args), relay_said);
	else
		web_job_ask(j, WEB_ASK_JUDGE, a->route->verb, json_incref(a->args), judge_said);
}

void web_api_begin(struct web_job *j)
{
	struct api *a = mem_new(sizeof *a);
	char why[200] = "";
	unsigned status;

	*a = (struct api){.route = NULL};
	a->route = web_route_find(j->path, j->method, &a->args, j->allow);
	j->own = a;
	j->own_free = api_free;
	if (!a->route) {
		no_route(j);
		return;
	}
	if (arguments(j, a, why) < 0) {
		web_api_fail(j, MHD_HTTP_BAD_REQUEST, why);
		return;
	}
	if (j->changes) {
		if (!j->token[0] && j->session[0] &&
		    !web_job_is_ours(j, MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "X-CSRF-Token"))) {
			web_api_fail(j, MHD_HTTP_FORBIDDEN, "with a session, X-CSRF-Token is needed");
			return;
		}
		status = read_body(j, a, why);
		if (status != 0) {
			web_api_fail(j, status, why);
			return;
		}
	}
	ask(j, a);
}
