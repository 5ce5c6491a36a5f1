/* web_page.c: what is asked of whom, when a form does something, and what the browser gets, with a scripted judge. */
#include "gateway/proc/web_page.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { ASKED_MAX = 20 };

/* What comes back: by verb; "!" in front: an error with this code. */
struct reply {
	const char *verb, *text;
};

static struct {
	struct web_page *w;
	const struct reply *replies;
	char asked[ASKED_MAX][400];
	size_t n;
	unsigned status;
	char *html, *where;
} t;

static void ask(void *ctx, enum page_whom whom, const char *verb, json_t *args)
{
	char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
	const char *reply = "{}";

	(void)ctx;
	ck_assert_uint_lt(t.n, ASKED_MAX);
	(void)snprintf(t.asked[t.n++], 400, "%s %s %s", whom == PAGE_JUDGE ? "judge" : "relay", verb, text);
	free(text);
	json_decref(args);
	for (const struct reply *r = t.replies; r && r->verb; r++)
		if (strcmp(r->verb, verb) == 0)
			reply = r->text;
	if (reply[0] == '!') {
		web_page_said(t.w, NULL, reply + 1, "the exact <sentence>");
	} else {
		json_t *data = json_loads(reply, 0, NULL);

		ck_assert_ptr_nonnull(data);
		web_page_said(t.w, data, NULL, NULL);
		json_decref(data);
	}
}

static void finish(void *ctx, unsigned status, const struct buf *html)
{
	(void)ctx;
	ck_assert_msg(!t.html && !t.where, "answered twice");
	t.status = status;
	t.html = strdup(buf_str(html));
}

static void redirect(void *ctx, const char *where)
{
	(void)ctx;
	ck_assert_msg(!t.html && !t.where, "answered twice");
	t.status = 303;
	t.where = strdup(where);
}

static const struct web_page_door door = {ask, finish, redirect};

/* form: NULL for GET. */
static void run(const char *path, enum page_role role, json_t *form, const struct reply *replies)
{
	json_t *query = json_object();
	struct web_page_asked a = {.post = form != NULL,
	    .path = path,
	    .query = query,
	    .form = form,
	    .user = "anna",
	    .role = role,
	    .csrf = "right",
	    .now = 1795000000};

	free(t.html);
	free(t.where);
	memset(&t, 0, sizeof t);
	t.replies = replies;
	t.w = web_page_new(&a, &door, NULL);
	web_page_begin(t.w);
	ck_assert_msg(t.html || t.where, "not answered");
	web_page_free(t.w);
	json_decref(query);
	json_decref(form);
}

#define HAS(text) ck_assert_msg(t.html &&strstr(t.html, text) != NULL, "no \"%s\"", text)

START_TEST(test_page)
{
	static const struct reply replies[] = {
	    {"partner.show", "{\"listed\": true, \"partner\": {\"treatment\": \"seal\", \"strength\": \"require\"}}"},
	    {"message.find", "!forbidden"},
	    {NULL, NULL},
	};

	run("/partners/a.test", PAGE_VIEWER, NULL, replies);
	ck_assert_uint_eq(t.status, 200);
	ck_assert_uint_eq(t.n, 1); /* messages are for operators */
	run("/partners/a.test", PAGE_OPERATOR, NULL, replies);
	ck_assert_uint_eq(t.status, 200);
	ck_assert_uint_eq(t.n, 4);
	ck_assert_str_eq(t.asked[0], "judge partner.show {\"domain\":\"a.test\"}");
	ck_assert_str_eq(t.asked[1], "relay message.find {\"limit\":50,\"to\":\"a.test\"}");
	ck_assert_str_eq(t.asked[3], "judge audit.list {\"max\":10,\"of\":\"a.test\"}");
	HAS("always signed and encrypted");
	HAS("the exact &lt;sentence&gt;"); /* what may fail does not end the page */
}
END_TEST

static const struct {
	const char *path;
	enum page_role role;
	bool post;
	const char *reply;
	unsigned status;
	const char *part;
} ends[] = {
    {"/nothing", PAGE_ADMIN, false, NULL, 404, "no such page"},
    {"/partners", PAGE_ANYBODY, false, NULL, 303, "/login?next=%2Fpartners"},
    {"/", PAGE_ANYBODY, false, NULL, 303, "/login"},
    {"/partners/a.test/edit", PAGE_OPERATOR, false, NULL, 403, "role does not suffice"},
    {"/messages/X", PAGE_VIEWER, false, NULL, 403, "role does not suffice"},
    {"/partners/a.test", PAGE_ADMIN, false, "!not-found", 404, "the exact &lt;sentence&gt;"},
    {"/partners/a.test", PAGE_ADMIN, false, "!usage", 400, "the exact &lt;sentence&gt;"},
    {"/partners/a.test", PAGE_ADMIN, false, "!unavailable", 503, "does not answer"},
    {"/partners/a.test", PAGE_ADMIN, false, "!unauthorized", 303, "/login?next=%2Fpartners%2Fa.test"},
    {"/partners/a.test", PAGE_ADMIN, false, "!refused", 404, "the exact &lt;sentence&gt;"},
    {"/partners", PAGE_ADMIN, true, NULL, 404, "no such page"}, /* a page is no form */
    {"/partners/a.test/remove", PAGE_OPERATOR, true, NULL, 403, "role does not suffice"},
};

START_TEST(test_ends)
{
	const struct reply replies[] = {
	    {"partner.show", ends[_i].reply ? ends[_i].reply : "{}"}, {"message.show", "{}"}, {NULL, NULL}};

	run(ends[_i].path, ends[_i].role, ends[_i].post ? json_pack("{s:s}", "csrf", "right") : NULL, replies);
	ck_assert_uint_eq(t.status, ends[_i].status);
	if (t.where)
		ck_assert_str_eq(t.where, ends[_i].part);
	else
		HAS(ends[_i].part);
}
END_TEST

/* Nothing is done for a form without the session's token. */
START_TEST(test_csrf)
{
	static const char *const wrong[] = {"", "wrong", "righ", "rightx"};

	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		run("/partners/a.test/remove", PAGE_ADMIN, json_pack("{s:s}", "csrf", wrong[i]), NULL);
		ck_assert_uint_eq(t.status, 403);
		ck_assert_uint_eq(t.n, 0);
	}
	run("/partners/a.test/remove", PAGE_ADMIN, json_object(), NULL);
	ck_assert_uint_eq(t.status, 403);
	ck_assert_uint_eq(t.n, 0);
}
END_TEST

START_TEST(test_action)
{
	run("/partners/a.test/remove", PAGE_TRUST_OFFICER, json_pack("{s:s}", "csrf", "right"), NULL);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_str_eq(t.asked[0], "judge partner.remove {\"domain\":\"a.test\"}");
	ck_assert_str_eq(t.where, "/partners?done=partner-removed");
	/* a decision is about the key that was shown, also when none was */
	run("/pending/a.test/approve", PAGE_TRUST_OFFICER,
	    json_pack("{s:s, s:s, s:s}", "csrf", "right", "seen", "ab12", "pin", "1"), NULL);
	ck_assert_str_eq(t.asked[0],
	    "judge statement.approve {\"domain\":\"a.test\",\"follow\":false,\"pin\":true,\"seen\":\"ab12\"}");
	run("/pending/a.test/refuse", PAGE_TRUST_OFFICER, json_pack("{s:s}", "csrf", "right"), NULL);
	ck_assert_str_eq(t.asked[0], "judge statement.refuse {\"domain\":\"a.test\",\"seen\":\"\"}");
}
END_TEST

static json_t *entry(const char *confirm)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "csrf", "right", "domain", "m\u00fcller/x", "treatment",
	    "tls", "strength", "prefer", "note", "<n>");

	if (confirm)
		json_object_set_new(o, "confirm", json_string(confirm));
	return o;
}

/* First what will change is shown, then it is done; an error comes back with what was typed. */
START_TEST(test_preview)
{
	static const struct reply listed[] = {
	    {"partner.show", "{\"listed\": true, \"partner\": {\"treatment\": \"seal\", \"strength\": \"require\"}}"},
	    {NULL, NULL},
	};
	static const struct reply refuses[] = {{"partner.add", "!refused"}, {NULL, NULL}};
	static const struct reply unknown[] = {{"partner.show", "!usage"}, {NULL, NULL}};

	run("/partners/add", PAGE_ADMIN, entry(NULL), listed);
	ck_assert_uint_eq(t.status, 200);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_ptr_nonnull(strstr(t.asked[0], "partner.show"));
	HAS("<del>seal</del>");
	HAS("was encrypted until now");
	HAS("name=\"note\" value=\"&lt;n&gt;\"");
	run("/partners/add", PAGE_ADMIN, entry("1"), NULL);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_str_eq(t.asked[0],
	    "judge partner.add "
	    "{\"domain\":\"m\u00fcller/x\",\"find\":\"\",\"format\":\"\",\"group\":\"\",\"note\":\"<n>\","
	    "\"strength\":\"prefer\",\"treatment\":\"tls\"}");
	ck_assert_str_eq(t.where, "/partners/m%C3%BCller%2Fx?done=partner-added");
	run("/partners/add", PAGE_ADMIN, entry("1"), refuses);
	ck_assert_uint_eq(t.status, 400);
	HAS("role=\"alert\">the exact &lt;sentence&gt;");
	HAS("value=\"&lt;n&gt;\"");
	HAS("value=\"tls\" selected");
	run("/partners/add", PAGE_ADMIN, entry(NULL), unknown);
	ck_assert_uint_eq(t.status, 400);
	HAS("role=\"alert\">the exact &lt;sentence&gt;");
	HAS("value=\"&lt;n&gt;\"");
}
END_TEST

START_TEST(test_many)
{
	static const struct reply refuses[] = {
	    {"queue.delete", "!refused"}, {"queue.list", "{\"messages\": []}"}, {NULL, NULL}};
	static const struct reply partly[] = {
	    {"queue.delete",
		"{\"messages\": 1, \"changed\": 3, \"failed\": [{\"id\": \"B\", \"why\": \"no message <B>\"}]}"},
	    {NULL, NULL}};
	json_t *many = json_array();

	run("/messages/held/delete", PAGE_OPERATOR, json_pack("{s:s}", "csrf", "right"), NULL);
	ck_assert_uint_eq(t.status, 400);
	HAS("Nothing is chosen.");
	run("/messages/held/delete", PAGE_OPERATOR, json_pack("{s:s, s:[s, s]}", "csrf", "right", "id", "A", "B"),
	    NULL);
	ck_assert_uint_eq(t.n, 0);
	HAS("2 messages are chosen");
	HAS("name=\"id\" value=\"B\"");
	run("/messages/held/delete", PAGE_OPERATOR,
	    json_pack("{s:s, s:s, s:s, s:[s, s]}", "csrf", "right", "confirm", "1", "reason", "r", "id", "A", "B"),
	    partly);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_str_eq(t.asked[0], "relay queue.delete {\"ids\":[\"A\",\"B\"],\"reason\":\"r\"}");
	ck_assert_uint_eq(t.status, 200);
	HAS("<h1>1 message is deleted</h1>");
	HAS("for 3 recipients");
	HAS("1 could not be deleted:");
	HAS("no message &lt;B&gt;");
	run("/messages/held/delete", PAGE_OPERATOR,
	    json_pack("{s:s, s:s, s:[s, s]}", "csrf", "right", "confirm", "1", "id", "A", "B"), refuses);
	ck_assert_uint_eq(t.status, 400);
	HAS("role=\"alert\">the exact &lt;sentence&gt;");
	for (int i = 0; i < 1001; i++)
		json_array_append_new(many, json_string("A"));
	run("/messages/held/retry", PAGE_OPERATOR, json_pack("{s:s, s:o}", "csrf", "right", "id", many), refuses);
	ck_assert_uint_eq(t.status, 400);
	HAS("At most 1000");
}
END_TEST

/* Beside what is about to change: what it would do to one mail. The edit that is asked about is the one that is
 * confirmed. */
START_TEST(test_compare)
{
	static const struct reply replies[] = {{"rule.list", "{\"rules\": []}"},
	    {"explain",
		"{\"same\": false, \"now\": {\"direction\": \"outbound\", \"lines\": [\"one\", \"old <line>\"],"
		"\"decision\": {\"action\": \"pass\", \"treatment\": \"clear\", \"why\": \"w\"}},"
		"\"then\": {\"direction\": \"outbound\", \"lines\": [\"one\", \"new line\"], \"decision\":"
		"{\"action\": \"refuse\", \"treatment\": \"\", \"why\": \"w\", \"reply\": \"550 no\"}}}"},
	    {NULL, NULL}};

	run("/policy/add", PAGE_TRUST_OFFICER,
	    json_pack(
		"{s:s, s:s, s:s, s:s}", "csrf", "right", "name", "x", "recipient", "*@a.test", "treatment", "refuse"),
	    replies);
	ck_assert_uint_eq(t.n, 1); /* nothing was asked about a mail */
	HAS("name=\"try_to\" value=\"postmaster@a.test\"");
	run("/policy/add", PAGE_TRUST_OFFICER,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "csrf", "right", "name", "x", "recipient", "*@a.test", "position",
		"2", "try_to", "b@a.test"),
	    replies);
	ck_assert_uint_eq(t.n, 2);
	ck_assert_str_eq(t.asked[1],
	    "judge explain {\"recipient\":\"b@a.test\",\"reply_to_sealed\":false,\"with_rule\":{\"name\":\"x\","
	    "\"position\":2,\"recipient\":\"*@a.test\"}}");
	HAS("As it is now: It would be sent as it is.");
	HAS("As it would be: It would be refused.");
	HAS("<li><mark>old &lt;line&gt;</mark></li>");
	HAS("<li><mark>new line</mark></li>");
	HAS("<li>one</li>");
	HAS("<input type=\"hidden\" name=\"position\" value=\"2\">");
	ck_assert_ptr_null(strstr(t.html, "type=\"hidden\" name=\"try_to\""));
}
END_TEST

START_TEST(test_result)
{
	static const struct reply replies[] = {
	    {"lookup", "{\"source\": \"dns\", \"state\": \"none\", \"why\": \"nothing there\", \"steps\": []}"},
	    {NULL, NULL}};

	run("/partners/a.test/try", PAGE_OPERATOR, json_pack("{s:s, s:s}", "csrf", "right", "source", "dns"),
	    replies);
	ck_assert_uint_eq(t.status, 200);
	ck_assert_str_eq(t.asked[0], "judge lookup {\"address\":\"a.test\",\"source\":\"dns\"}");
	HAS("nothing there");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("web_page");
	TCase *c = tcase_create("all");

	tcase_add_test(c, test_page);
	tcase_add_loop_test(c, test_ends, 0, sizeof ends / sizeof *ends);
	tcase_add_test(c, test_csrf);
	tcase_add_test(c, test_action);
	tcase_add_test(c, test_preview);
	tcase_add_test(c, test_many);
	tcase_add_test(c, test_compare);
	tcase_add_test(c, test_result);
	suite_add_tcase(s, c);
	return suite_run(s);
}
