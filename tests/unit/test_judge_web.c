/* What the web may ask, on which token's word: every verb of the judge x every role. */
#include "gateway/proc/judge_web.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/page.h"
#include "admin-ui/page/page_admin.h"
#include "gateway/proc/judge_admin_user.h"
#include "gateway/proc/web_route.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static struct judge_fixture fx;
static struct judge_admin ja;
static int64_t now;
static char tokens[STORE_USER_ADMIN + 1][80];

static int64_t the_time(void)
{
	return now;
}

/* The code of the error, "" none. */
static const char *code_of(char *answer, char out[40])
{
	json_t *o = json_loads(answer, 0, NULL);
	const char *code = json_string_value(json_object_get(json_object_get(o, "error"), "code"));

	ck_assert_msg(o != NULL, "%s", answer);
	(void)snprintf(out, 40, "%s", code ? code : "");
	ck_assert(json_is_true(json_object_get(o, "ok")) == (code == NULL));
	json_decref(o);
	free(answer);
	return out;
}

static json_t *local(const char *request)
{
	int fd;
	char *answer = judge_admin(&ja, NULL, request, "uid 0 (root)", &fd);
	json_t *o = json_loads(answer, 0, NULL), *data = json_incref(json_object_get(o, "data"));

	ck_assert_msg(data != NULL, "%s: %s", request, answer);
	json_decref(o);
	free(answer);
	return data;
}

static void setup(void)
{
	judge_fixture_start(&fx);
	now = 1700000000;
	ja = (struct judge_admin){.store = fx.s, .world = &fx.w, .directory = fx.dir, .now = the_time};
	for (int r = STORE_USER_VIEWER; r <= STORE_USER_ADMIN; r++) {
		const char *word = store_user_role_word((enum store_user_role)r);
		char text[300];
		json_t *data;

		(void)snprintf(text, sizeof text,
		    "{\"verb\":\"user.add\",\"args\":{\"name\":\"u%d\",\"role\":\"%s\"}}", r, word);
		json_decref(local(text));
		(void)snprintf(text, sizeof text,
		    "{\"verb\":\"user.token\",\"args\":{\"name\":\"u%d\",\"label\":\"x\",\"role\":\"%s\",\"days\":1}"
		    "}",
		    r, word);
		data = local(text);
		(void)snprintf(tokens[r], sizeof tokens[r], "%s", json_string_value(json_object_get(data, "token")));
		json_decref(data);
	}
}

static void teardown(void)
{
	judge_fixture_end(&fx);
}

static const char *web(const char *verb, const char *token, char out[40])
{
	char text[400];

	if (token)
		(void)snprintf(text, sizeof text, "{\"verb\":\"%s\",\"args\":{},\"token\":\"%s\"}", verb, token);
	else
		(void)snprintf(text, sizeof text, "{\"verb\":\"%s\",\"args\":{}}", verb);
	return code_of(judge_web_answer(&ja, text, "127.0.0.1"), out);
}

static const struct {
	const char *verb;
	int least;	  /* -1: never */
	const char *then; /* without arguments */
} verbs[] = {
    {"web.alive", STORE_USER_NOBODY, ""},
    {"web.permit", STORE_USER_VIEWER, "forbidden"},
    {"status", STORE_USER_VIEWER, ""},
    {"partner.list", STORE_USER_VIEWER, ""},
    {"partner.show", STORE_USER_VIEWER, "usage"},
    {"cert.list", STORE_USER_VIEWER, ""},
    {"statement.pending", STORE_USER_VIEWER, ""},
    {"rule.list", STORE_USER_VIEWER, ""},
    {"anchor.list", STORE_USER_VIEWER, ""},
    {"bundle.list", STORE_USER_VIEWER, ""},
    {"audit.list", STORE_USER_OPERATOR, ""},
    {"domain.add", STORE_USER_ADMIN, "usage"},
    {"domain.tls", STORE_USER_ADMIN, "usage"},
    {"domain.install", STORE_USER_ADMIN, "usage"},
    {"domain.retire", STORE_USER_ADMIN, "usage"},
    {"domain.rollover", STORE_USER_ADMIN, "usage"},
    {"partner.add", STORE_USER_TRUST, "usage"},
    {"partner.set", STORE_USER_TRUST, "usage"},
    {"partner.remove", STORE_USER_TRUST, "usage"},
    {"partner.release", STORE_USER_TRUST, "usage"},
    {"statement.approve", STORE_USER_TRUST, "usage"},
    {"statement.refuse", STORE_USER_TRUST, "usage"},
    {"cert.import", STORE_USER_TRUST, "usage"},
    {"cert.accept", STORE_USER_TRUST, "usage"},
    {"cert.remove", STORE_USER_TRUST, "usage"},
    {"anchor.add", STORE_USER_TRUST, "usage"},
    {"anchor.remove", STORE_USER_TRUST, "usage"},
    {"rule.add", STORE_USER_TRUST, "usage"},
    {"rule.remove", STORE_USER_TRUST, "usage"},
    {"user.add", STORE_USER_ADMIN, "usage"},
    {"user.list", STORE_USER_ADMIN, ""},
    {"user.remove", STORE_USER_ADMIN, "usage"},
    {"user.token", STORE_USER_ADMIN, "usage"},
    {"user.revoke", STORE_USER_ADMIN, "not-found"},
    {"user.password", -1, NULL},
    {"user.totp", -1, NULL},
    {"store.snapshot", -1, NULL},
    {"lookup", STORE_USER_OPERATOR, "usage"},
    {"statement.fetch", STORE_USER_TRUST, "usage"},
    {"statement.set", STORE_USER_TRUST, "usage"},
    {"bundle.refresh", STORE_USER_TRUST, "usage"},
    {"settings.show", STORE_USER_ADMIN, "unavailable"}, /* this judge was told no configuration */
    {"nonsense", -1, NULL},
    {"", -1, NULL},
};

START_TEST(verb_and_role)
{
	int least = verbs[_i].least;
	char code[40];

	for (int r = STORE_USER_NOBODY; r <= STORE_USER_ADMIN; r++) {
		const char *want = least < 0 ? "forbidden" : verbs[_i].then;

		if (least > r)
			want = r == STORE_USER_NOBODY ? "unauthorized" : "forbidden";
		ck_assert_str_eq(web(verbs[_i].verb, r == STORE_USER_NOBODY ? NULL : tokens[r], code), want);
	}
	if (least > STORE_USER_NOBODY) {
		ck_assert_str_eq(web(verbs[_i].verb, "", code), "unauthorized");
		ck_assert_str_eq(web(verbs[_i].verb, "postern_x", code), "unauthorized");
		now += 86400; /* all have run out */
		ck_assert_str_eq(web(verbs[_i].verb, tokens[STORE_USER_ADMIN], code), "unauthorized");
	}
}
END_TEST

static const struct {
	const char *text, *want;
} odd[] = {
    {"", "forbidden"},
    {"[]", "forbidden"},
    {"null", "forbidden"},
    {"{}", "forbidden"},
    {"{\"verb\":7}", "forbidden"},
    {"{\"verb\":\"web.alive\",\"verb\":\"user.list\"}", "forbidden"},
    {"{\"verb\":\"status\",\"token\":7}", "unauthorized"},
    {"{\"verb\":\"status\",\"token\":null}", "unauthorized"},
    {"{\"verb\":\"status\",\"token\":[\"x\"]}", "unauthorized"},
    {"{\"verb\":\"status\\u0000\"}", "forbidden"},
};

START_TEST(odd_requests)
{
	char code[40];

	ck_assert_str_eq(code_of(judge_web_answer(&ja, odd[_i].text, "127.0.0.1"), code), odd[_i].want);
}
END_TEST

/* The command's side: what is refused, and that a token is told once. */
START_TEST(users)
{
	static const char *const bad[] = {
	    "{\"verb\":\"user.add\",\"args\":{\"name\":\"Anna\",\"role\":\"viewer\"}}",
	    "{\"verb\":\"user.add\",\"args\":{\"name\":\"a b\",\"role\":\"viewer\"}}",
	    "{\"verb\":\"user.add\",\"args\":{\"name\":\"\",\"role\":\"viewer\"}}",
	    "{\"verb\":\"user.add\",\"args\":{\"name\":\"anna\",\"role\":\"nobody\"}}",
	    "{\"verb\":\"user.add\",\"args\":{\"name\":\"anna\"}}",
	    "{\"verb\":\"user.token\",\"args\":{\"name\":\"u1\"}}",
	    "{\"verb\":\"user.token\",\"args\":{\"name\":\"none\",\"label\":\"x\"}}",
	    "{\"verb\":\"user.token\",\"args\":{\"name\":\"u1\",\"label\":\"x\",\"role\":\"operator\"}}",
	    "{\"verb\":\"user.token\",\"args\":{\"name\":\"u1\",\"label\":\"x\",\"days\":0}}",
	    "{\"verb\":\"user.remove\",\"args\":{\"name\":\"none\"}}",
	    "{\"verb\":\"user.revoke\",\"args\":{\"id\":77}}",
	    "{\"verb\":\"user.revoke\",\"args\":{}}",
	};
	char code[40];
	json_t *data;
	char *text;
	int fd;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(code_of(judge_admin(&ja, NULL, bad[i], "root", &fd), code)[0] != '\0', "%s", bad[i]);
	data = local("{\"verb\":\"user.list\"}");
	text = json_dumps(data, 0);
	ck_assert_uint_eq(json_array_size(json_object_get(data, "users")), 4);
	for (int r = STORE_USER_VIEWER; r <= STORE_USER_ADMIN; r++)
		ck_assert_ptr_null(strstr(text, tokens[r]));
	free(text);
	json_decref(data);
	json_decref(local("{\"verb\":\"user.remove\",\"args\":{\"name\":\"u4\"}}"));
	ck_assert_str_eq(web("status", tokens[STORE_USER_ADMIN], code), "unauthorized");
	json_decref(local("{\"verb\":\"user.revoke\",\"args\":{\"id\":1}}"));
	ck_assert_str_eq(web("status", tokens[STORE_USER_VIEWER], code), "unauthorized");
	ck_assert_str_eq(web("status", tokens[STORE_USER_OPERATOR], code), "");
}
END_TEST

/* ---- pages and paths against the table ---- */

static void check_verb(
    const char *where, const struct page_question *q, enum page_role least, unsigned *judge, unsigned *relay)
{
	enum page_role asked_for = q->may == PAGE_OPERATORS && least < PAGE_OPERATOR ? PAGE_OPERATOR : least;
	int needs = judge_web_least(q->verb, q->whom == PAGE_RELAY);

	ck_assert_msg(needs >= 0, "%s asks %s, which does not exist for the web", where, q->verb);
	ck_assert_msg((int)asked_for >= needs, "%s may be opened by role %d, and %s needs %d", where, (int)least,
	    q->verb, needs);
	++*(q->whom == PAGE_RELAY ? relay : judge);
}

static void check_page(const struct page *p, unsigned *judge, unsigned *relay)
{
	const char *name = p->path ? p->path : p->template;

	for (const struct page_question *q = p->questions; q && q->verb; q++)
		check_verb(name, q, p->least, judge, relay);
}

START_TEST(pages)
{
	const struct page_action *a;
	const struct page *p;
	unsigned judge = 0, relay = 0;

	ck_assert_int_eq(PAGE_ADMIN, STORE_USER_ADMIN);
	ck_assert_int_eq(PAGE_VIEWER, STORE_USER_VIEWER);
	for (size_t i = 0; (p = page_at(i)); i++)
		check_page(p, &judge, &relay);
	for (size_t i = 0; (a = page_action_at(i)); i++) {
		check_verb(a->path, &a->does, a->least, &judge, &relay);
		for (int k = 0; k < 2; k++) {
			p = k ? a->result : a->preview;
			if (!p)
				continue;
			ck_assert_msg(p->least <= a->least, "%s: who may do it may not see %s", a->path, p->template);
			check_page(p, &judge, &relay);
		}
	}
	/* what page_admin has is among them */
	for (size_t i = 0; (p = page_admin_at(i)); i++)
		check_page(p, &judge, &relay);
	for (size_t i = 0; (a = page_admin_action_at(i)); i++)
		check_verb(a->path, &a->does, a->least, &judge, &relay);
	ck_assert_uint_gt(judge, 40);
	ck_assert_uint_gt(relay, 10);
	ck_assert_int_eq(judge_web_least("user.password", false), -1);
	ck_assert_int_eq(judge_web_least("queue.list", false), -1);
	ck_assert_int_eq(judge_web_least("user.list", true), -1);
}
END_TEST

START_TEST(routes)
{
	const struct web_route *r;

	for (size_t i = 0; (r = web_route_at(i)); i++)
		if (r->kind == WEB_JUDGE || r->kind == WEB_RELAY)
			ck_assert_msg(judge_web_least(r->verb, r->kind == WEB_RELAY) > STORE_USER_NOBODY,
			    "%s asks %s, which does not exist for the web", r->path, r->verb);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("judge_web");
	TCase *t = tcase_create("judge_web");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, verb_and_role, 0, sizeof verbs / sizeof *verbs);
	tcase_add_loop_test(t, odd_requests, 0, sizeof odd / sizeof *odd);
	tcase_add_test(t, users);
	tcase_add_test(t, pages);
	tcase_add_test(t, routes);
	suite_add_tcase(su, t);
	return su;
}

int main(void)
{
	return suite_run(suite());
}
