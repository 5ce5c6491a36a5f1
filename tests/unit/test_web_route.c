/* Which path is which question; what is no path and no parameter. */
#include "gateway/proc/web_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/web_answers.h"
#include "tests/unit/suite.h"

static const struct {
	const char *path, *verb, *segment; /* verb NULL: no such path, or none is asked */
	int there;
} paths[] = {
    {"/healthz", NULL, NULL, 1},
    {"/metrics", "status", NULL, 1},
    {"/api/v1/partners", "partner.list", NULL, 1},
    {"/api/v1/partners/lab.example", "partner.show", "lab.example", 1},
    {"/api/v1/partners/bob@lab.example", "partner.show", "bob@lab.example", 1},
    {"/api/v1/partners/..", "partner.show", "..", 1}, /* a name like any other: no file is behind it */
    {"/api/v1/partners/", NULL, NULL, 0},
    {"/api/v1/partners/a/b", NULL, NULL, 0},
    {"/api/v1/partners/../audit", NULL, NULL, 0},
    {"/api/v1/audit/", NULL, NULL, 0},
    {"/api/v1/queue/0KX3M9QZ41", "queue.show", "0KX3M9QZ41", 1},
    {"/api/v1", NULL, NULL, 0},
    {"/healthzz", NULL, NULL, 0},
    {"//healthz", NULL, NULL, 0},
    {"healthz", NULL, NULL, 0},
    {"", NULL, NULL, 0},
    {"/../../etc/passwd", NULL, NULL, 0},
};

START_TEST(found)
{
	char allow[WEB_ROUTE_ALLOW];
	json_t *args;
	const struct web_route *r = web_route_find(paths[_i].path, "GET", &args, allow);

	ck_assert_msg((r != NULL) == (paths[_i].there != 0), "%s", paths[_i].path);
	ck_assert((args != NULL) == (r != NULL));
	if (r)
		ck_assert_pstr_eq(r->verb, paths[_i].verb);
	if (paths[_i].segment)
		ck_assert_str_eq(json_string_value(json_object_get(args, r->segment)), paths[_i].segment);
	json_decref(args);
}
END_TEST

START_TEST(long_segment)
{
	char path[WEB_ROUTE_VALUE_MAX + 40] = "/api/v1/partners/";
	size_t n = strlen(path);
	char allow[WEB_ROUTE_ALLOW];
	json_t *args;

	memset(path + n, 'a', WEB_ROUTE_VALUE_MAX);
	path[n + WEB_ROUTE_VALUE_MAX] = '\0';
	ck_assert_ptr_nonnull(web_route_find(path, "GET", &args, allow));
	json_decref(args);
	path[n + WEB_ROUTE_VALUE_MAX] = 'a';
	path[n + WEB_ROUTE_VALUE_MAX + 1] = '\0';
	ck_assert_ptr_null(web_route_find(path, "GET", &args, allow));
}
END_TEST

static const struct {
	const char *path, *name, *value, *why; /* NULL: taken */
} args_of[] = {
    {"/api/v1/partners", "after", "lab.example", NULL},
    {"/api/v1/partners", "after", "", NULL},
    {"/api/v1/partners", "max", "20", NULL},
    {"/api/v1/partners", "max", "0", NULL}, /* the judge says what it thinks of it */
    {"/api/v1/partners", "max", "-1", "whole number"},
    {"/api/v1/partners", "max", " 1", "whole number"},
    {"/api/v1/partners", "max", "1x", "whole number"},
    {"/api/v1/partners", "max", "", "whole number"},
    {"/api/v1/partners", "max", "99999999999999999999", "whole number"},
    {"/api/v1/partners", "max", NULL, "given once"},
    {"/api/v1/partners", "ma", "1", "no parameter"},
    {"/api/v1/partners", "max#", "1", "no parameter"},
    {"/api/v1/partners", "", "1", "no parameter"},
    {"/api/v1/partners", "after max#", "1", "no parameter"},
    {"/api/v1/partners", "before", "1", "no parameter"},
    {"/api/v1/partners/lab.example", "domain", "x", "no parameter"},
    {"/api/v1/audit", "before", "7", NULL},
    {"/api/v1/partners", "counts", "true", NULL},
    {"/api/v1/partners", "counts", "yes", "true or false"},
    {"/healthz", "x", "1", "no parameter"},
};

static const struct {
	const char *method, *path, *verb, *allow; /* verb NULL: none */
} methods[] = {
    {"HEAD", "/api/v1/partners", "partner.list", NULL},
    {"POST", "/api/v1/partners", "partner.add", NULL},
    {"DELETE", "/api/v1/partners", NULL, "GET, HEAD, POST"},
    {"PATCH", "/api/v1/partners/a", "partner.set", NULL},
    {"DELETE", "/api/v1/partners/a", "partner.remove", NULL},
    {"PUT", "/api/v1/partners/a", NULL, "GET, HEAD, PATCH, DELETE"},
    {"post", "/api/v1/partners", NULL, "GET, HEAD, POST"},
    {"POST", "/api/v1/partners/a/release", "partner.release", NULL},
    {"GET", "/api/v1/partners/a/release", NULL, "POST"},
    {"POST", "/api/v1/partners//release", NULL, ""},
    {"POST", "/api/v1/partners/a/b/release", NULL, ""},
    {"POST", "/api/v1/partners/a/release/", NULL, ""},
    {"POST", "/api/v1/certificates/preview", "cert.preview", NULL},
    {"DELETE", "/api/v1/certificates/0123abcd", "cert.remove", NULL},
    {"POST", "/api/v1/queue/X/retry", "queue.retry", NULL},
    {"POST", "/healthz", NULL, "GET, HEAD"},
    {"POST", "/nowhere", NULL, ""},
};

START_TEST(by_method)
{
	char allow[WEB_ROUTE_ALLOW];
	json_t *args;
	const struct web_route *r = web_route_find(methods[_i].path, methods[_i].method, &args, allow);

	ck_assert_pstr_eq(r ? r->verb : NULL, methods[_i].verb);
	if (!r)
		ck_assert_str_eq(allow, methods[_i].allow);
	json_decref(args);
}
END_TEST

static const struct {
	const char *method, *path, *sent, *why; /* NULL: taken */
} bodies[] = {
    {"POST", "/api/v1/partners", "{\"domain\":\"a.example\"}", NULL},
    {"POST", "/api/v1/partners", "{}", "\"domain\" is needed"},
    {"POST", "/api/v1/partners", "{\"domain\":1}", "is a text"},
    {"POST", "/api/v1/partners", "{\"domain\":null}", "is a text"},
    {"POST", "/api/v1/partners", "{\"domain\":\"a\",\"verb\":\"b\"}", "no field"},
    {"POST", "/api/v1/partners", "{\"*domain\":\"a\"}", "no field"},
    {"PATCH", "/api/v1/partners/a", "{\"domain\":\"b.example\"}", "no field"},
    {"PATCH", "/api/v1/partners/a", "{\"if_match\":\"b\"}", "no field"},
    {"POST", "/api/v1/users/u/tokens", "{\"label\":\"x\",\"days\":\"7\"}", "whole number"},
    {"POST", "/api/v1/users/u/tokens", "{\"label\":\"x\",\"days\":7}", NULL},
    {"POST", "/api/v1/certificates", "{\"owner\":\"a\",\"content\":\"\",\"force\":1}", "true or false"},
    {"POST", "/api/v1/partners/a/release", "{\"x\":1}", "no field"},
    {"POST", "/api/v1/partners/a/release", "{}", NULL},
};

START_TEST(body)
{
	char allow[WEB_ROUTE_ALLOW], why[200] = "";
	json_t *args, *sent = json_loads(bodies[_i].sent, 0, NULL);
	const struct web_route *r = web_route_find(bodies[_i].path, bodies[_i].method, &args, allow);

	ck_assert_int_eq(web_route_body(r, sent, args, why), bodies[_i].why ? -1 : 0);
	if (bodies[_i].why)
		ck_assert_msg(strstr(why, bodies[_i].why) != NULL, "%s", why);
	json_decref(sent);
	json_decref(args);
}
END_TEST

START_TEST(arguments)
{
	char allow[WEB_ROUTE_ALLOW];
	json_t *args;
	const struct web_route *r = web_route_find(args_of[_i].path, "GET", &args, allow);
	char why[200] = "";
	int rc = web_route_arg(r, args_of[_i].name, args_of[_i].value, args, why);

	ck_assert_int_eq(rc, args_of[_i].why ? -1 : 0);
	if (args_of[_i].why) {
		ck_assert_ptr_nonnull(strstr(why, args_of[_i].why));
	} else {
		ck_assert_ptr_nonnull(json_object_get(args, args_of[_i].name));
		ck_assert_int_eq(web_route_arg(r, args_of[_i].name, args_of[_i].value, args, why), -1);
		ck_assert_ptr_nonnull(strstr(why, "given once"));
	}
	json_decref(args);
}
END_TEST

/* The relay is asked nothing but status on nobody's word. */
START_TEST(table)
{
	const struct web_route *r;
	size_t i;

	for (i = 0; (r = web_route_at(i)) != NULL; i++) {
		ck_assert((r->segment != NULL) == (strstr(r->path, "{}") != NULL));
		ck_assert((r->least != NULL) == (r->kind == WEB_RELAY));
		if (r->kind == WEB_JUDGE || r->kind == WEB_RELAY)
			ck_assert_ptr_nonnull(r->verb);
	}
	ck_assert_uint_gt(i, 10);
}
END_TEST

/* Each answer in JSON has its schema, and no schema leads nowhere. */
START_TEST(described)
{
	json_t *all = web_answers(), *schema;
	const struct web_route *r;
	const char *name;

	for (size_t i = 0; (r = web_route_at(i)); i++)
		if (r->kind == WEB_JUDGE || r->kind == WEB_RELAY || r->kind == WEB_STATUS)
			ck_assert_msg(web_answers_have(r->verb), "%s", r->verb);
	ck_assert(web_answers_have(WEB_ANSWERS_PROPOSED) && !web_answers_have("none"));
	json_object_foreach(all, name, schema)
	{
		static const char ref[] = "#/components/schemas/";
		char *text = json_dumps(schema, JSON_COMPACT);

		for (const char *p = text; (p = strstr(p, ref));) {
			char to[100];

			p += sizeof ref - 1;
			(void)snprintf(to, sizeof to, "%.*s", (int)strcspn(p, "\""), p);
			ck_assert_msg(web_answers_have(to), "%s: %s", name, to);
		}
		free(text);
	}
	json_decref(all);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("web_route");
	TCase *t = tcase_create("web_route");

	tcase_add_loop_test(t, found, 0, sizeof paths / sizeof *paths);
	tcase_add_test(t, long_segment);
	tcase_add_test(t, described);
	tcase_add_loop_test(t, arguments, 0, sizeof args_of / sizeof *args_of);
	tcase_add_loop_test(t, by_method, 0, sizeof methods / sizeof *methods);
	tcase_add_loop_test(t, body, 0, sizeof bodies / sizeof *bodies);
	tcase_add_test(t, table);
	suite_add_tcase(su, t);
	return su;
}

int main(void)
{
	return suite_run(suite());
}
