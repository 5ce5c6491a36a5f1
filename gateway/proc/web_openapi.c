#include "gateway/proc/web_openapi.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/web_answers.h"
#include "gateway/proc/web_metrics.h"
#include "gateway/proc/web_route.h"

static json_t *pack(json_t *o)
{
	if (!o)
		log_fatal("out of memory: JSON");
	return o;
}

/* fn for each word of a list as struct web_route has them. */
static void each(const char *list, json_t *to, json_t *(*fn)(const char *word, size_t n))
{
	while (*list == ' ') {
		size_t n = strcspn(++list, " ");

		admin_json_add(to, fn(list, n));
		list += n;
	}
}

static json_t *name_of(const char *word, size_t n)
{
	return json_stringn(word, n);
}

/* Of a word as struct web_route has it: without '*', '#', '?', '+' and '{'. */
static const char *bare(const char *word, size_t *n)
{
	const char *p = word + (word[0] == '*');

	*n -= (size_t)(p - word);
	*n -= *n > 0 && strchr("#?+{", p[*n - 1]) != NULL;
	return p;
}

static json_t *type_of(const char *word, size_t n)
{
	char last = n > 0 ? word[n - 1] : '\0';

	if (last == '+')
		return pack(json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string"));
	return pack(json_pack("{s:s}", "type",
	    last == '#'	  ? "integer"
	    : last == '?' ? "boolean"
	    : last == '{' ? "object"
			  : "string"));
}

static json_t *parameter(const char *word, size_t n)
{
	json_t *type = type_of(word, n);
	const char *name = bare(word, &n);

	return pack(json_pack("{s:s%, s:s, s:o}", "name", name, n, "in", "query", "schema", type));
}

/* The object that is sent; nothing else may stand in it. */
static json_t *body_of(const struct web_route *r)
{
	json_t *fields = pack(json_object()), *needed = pack(json_array());

	for (const char *p = r->body; *p == ' ';) {
		size_t n = strcspn(++p, " "), len = n;
		const char *name = bare(p, &len);
		char text[60];

		(void)snprintf(text, sizeof text, "%.*s", (int)len, name);
		admin_json_set(fields, text, type_of(p, n));
		if (p[0] == '*')
			admin_json_add(needed, json_string(text));
		p += n;
	}
	return pack(json_pack("{s:b, s:{s:{s:{s:s, s:o, s:o, s:b}}}}", "required", json_array_size(needed) > 0,
	    "content", "application/json", "schema", "type", "object", "properties", fields, "required", needed,
	    "additionalProperties", 0));
}

static json_t *parameters_of(const struct web_route *r)
{
	json_t *a = pack(json_array());

	if (r->segment)
		admin_json_add(a, json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", r->segment, "in", "path", "required",
				      1, "schema", "type", "string"));
	each(r->args, a, parameter);
	if (r->guarded)
		admin_json_add(a, json_pack("{s:s, s:s, s:s, s:{s:s}}", "name", "If-Match", "in", "header",
				      "description", "The ETag of what was looked at: 412 when it was changed since.",
				      "schema", "type", "string"));
	return a;
}

/* By its schema. */
static json_t *answer_of(const char *name)
{
	char ref[100];

	(void)snprintf(ref, sizeof ref, "#/components/schemas/%s", name);
	return pack(json_pack("{s:{s:{s:s}}}", "application/json", "schema", "$ref", ref));
}

static json_t *content_of(const struct web_route *r)
{
	const char *type = r->kind == WEB_METRICS ? WEB_METRICS_TYPE : "text/plain";
	json_t *required;

	if (r->has[0] == '\0' && r->kind != WEB_JUDGE && r->kind != WEB_RELAY)
		return pack(json_pack("{s:{s:{s:s}}}", type, "schema", "type", "string"));
	if (r->verb && web_answers_have(r->verb))
		return answer_of(r->verb);
	required = pack(json_array());
	each(r->has, required, name_of);
	return pack(
	    json_pack("{s:{s:{s:s, s:o}}}", "application/json", "schema", "type", "object", "required", required));
}

static bool is_free(const struct web_route *r)
{
	return r->kind == WEB_ALIVE || r->kind == WEB_READY || r->kind == WEB_OPENAPI;
}

/* What may be refused, and when. All have the body of RFC 9457. */
static const struct refusal {
	const char *status, *name, *description;
	enum { EACH, WITH_ROLE, WITH_PLACE, CHANGES, WITH_BODY, GUARDED } when;
} refusals[] = {
    {"400", "BadRequest", "An argument is missing, unknown or malformed: detail says which.", WITH_ROLE},
    {"401", "Unauthorized", "No token and no session, or one that is unknown or has run out.", WITH_ROLE},
    {"403", "Forbidden", "The role may not, or the request came from another site.", WITH_ROLE},
    {"404", "NotFound", "There is none of that name.", WITH_PLACE},
    {"409", "Conflict", "It is there already, or does not go together with what is there.", CHANGES},
    {"412", "PreconditionFailed", "It was changed since it was looked at (If-Match).", GUARDED},
    {"413", "ContentTooLarge", "The body is larger than section web allows.", WITH_BODY},
    {"415", "UnsupportedMediaType", "The body is not application/json.", WITH_BODY},
    {"429", "TooManyRequests", "The client asks too often (client-rate): again after a while.", EACH},
    {"503", "ServiceUnavailable", "Judge or relay cannot answer now: again after a while.", EACH},
};

static bool may_come(const struct web_route *r, const struct refusal *f)
{
	bool changes = r->method != NULL;

	switch (f->when) {
	case EACH:
		break;
	case WITH_ROLE:
		return !is_free(r);
	case WITH_PLACE:
		return r->segment || changes || (r->verb && *r->args);
	case CHANGES:
		return changes;
	case WITH_BODY:
		return r->body != NULL;
	case GUARDED:
		return r->guarded;
	}
	return true;
}

static void add_refusals(const struct web_route *r, json_t *responses)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		char ref[60];

		(void)snprintf(ref, sizeof ref, "#/components/responses/%s", refusals[i].name);
		if (may_come(r, &refusals[i]))
			admin_json_set(responses, refusals[i].status, json_pack("{s:s}", "$ref", ref));
	}
}

static json_t *operation(const struct web_route *r)
{
	json_t *o = pack(json_pack("{s:s, s:o, s:{s:{s:s, s:o}, s:{s:s}}}", "summary", r->help, "parameters",
	    parameters_of(r), "responses", "200", "description", r->help, "content", content_of(r), "default", "$ref",
	    "#/components/responses/Problem"));

	add_refusals(r, json_object_get(o, "responses"));
	if (r->body)
		admin_json_set(o, "requestBody", body_of(r));
	if (r->kind == WEB_JUDGE && r->method)
		admin_json_set(json_object_get(o, "responses"), "202",
		    json_pack("{s:s, s:o}", "description", "It waits for a second person (two-person).", "content",
			answer_of(WEB_ANSWERS_PROPOSED)));
	if (!is_free(r))
		admin_json_set(o, "security", json_pack("[{s:[]}, {s:[]}]", "token", "session"));
	return o;
}

/* "{}" by the name of its parameter. */
static void path_of(const struct web_route *r, char out[200])
{
	size_t n = strcspn(r->path, "{");

	(void)snprintf(out, 200, "%.*s%s%s%s%s", (int)n, r->path, r->segment ? "{" : "", r->segment ? r->segment : "",
	    r->segment ? "}" : "", r->segment ? r->path + n + 2 : "");
}

static json_t *refusal_of(const char *description)
{
	json_t *problem = pack(json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}, s:[s,s,s,s]}", "type",
	    "object", "properties", "type", "type", "string", "title", "type", "string", "status", "type", "integer",
	    "detail", "type", "string", "required", "type", "title", "status", "detail"));

	return pack(json_pack("{s:s, s:{s:{s:o}}}", "description", description, "content", "application/problem+json",
	    "schema", problem));
}

static json_t *components(void)
{
	json_t *responses = pack(json_object());

	admin_json_set(responses, "Problem", refusal_of("Another error (RFC 9457)."));
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		admin_json_set(responses, refusals[i].name, refusal_of(refusals[i].description));
	return pack(json_pack("{s:o, s:{s:{s:s, s:s}, s:{s:s, s:s, s:s}}, s:o}", "schemas", web_answers(),
	    "securitySchemes", "token", "type", "http", "scheme", "bearer", "session", "type", "apiKey", "in",
	    "cookie", "name", "__Host-postern", "responses", responses));
}

json_t *web_openapi(void)
{
	json_t *paths = pack(json_object());
	const struct web_route *r;

	for (size_t i = 0; (r = web_route_at(i)) != NULL; i++) {
		const char *m = r->method ? r->method : "GET";
		char path[200], method[10] = "";
		json_t *at;

		for (size_t k = 0; m[k] && k + 1 < sizeof method; k++)
			method[k] = (char)(m[k] | 0x20);
		path_of(r, path);
		at = json_object_get(paths, path);
		if (!at) {
			at = pack(json_object());
			admin_json_set(paths, path, at);
		}
		admin_json_set(at, method, operation(r));
	}
	return pack(json_pack("{s:s, s:{s:s, s:s}, s:o, s:o}", "openapi", "3.1.0", "info", "title", "Postern",
	    "version", "1", "paths", paths, "components", components()));
}
