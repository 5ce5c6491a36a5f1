/* The pages: their tables fit together, their templates are safe as they stand, and no value breaks out of its place.
 */
#include "admin-ui/page/page_render.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/page_files.h"
#include "admin-ui/page/page_json.h"
#include "tests/unit/suite.h"

#define NOW 1795000000

static struct page_request request(const char *path, enum page_role role)
{
	struct page_request rq = {.path = path, .user = "anna", .role = role, .csrf = "c5rf", .now = NOW};

	return rq;
}

static char *render(const struct page *p, const struct page_request *rq, json_t *answers)
{
	struct problem pr = {0};
	struct buf out;
	char *text;

	buf_init(&out, PAGE_OCTETS_MAX);
	ck_assert_msg(page_render(p, rq, answers, &out, &pr) == 0, "%s: %s", p->template, pr.text);
	text = strdup(buf_str(&out));
	ck_assert_uint_eq(strlen(text), out.len);
	buf_clear(&out);
	return text;
}

/* ---- the tables ---- */

START_TEST(test_tables)
{
	char segments[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	const struct page *p;
	const struct page_action *a;
	size_t n;

	for (size_t i = 0; (p = page_at(i)); i++) {
		ck_assert_msg(
		    page_files_template(p->template, &n) != NULL, "%s: no template %s", p->path, p->template);
		ck_assert_msg(page_find(p->path, segments) != NULL, "%s", p->path);
	}
	for (size_t i = 0; (a = page_action_at(i)); i++) {
		ck_assert_msg(page_find(a->form, segments) != NULL, "%s: the form %s is no page", a->path, a->form);
		ck_assert_msg(a->result || a->then, "%s leads nowhere", a->path);
	}
	ck_assert_ptr_null(page_find("/partners/", segments));
	ck_assert_ptr_null(page_find("/nothing", segments));
}
END_TEST

/* ---- templates: rules of CSP and escaping ---- */

static void lint(const char *name, const char *text)
{
	static const char *const never[] = {"<script>", " style=", " onclick", " onload", " onchange", " onsubmit",
	    "javascript:", "=\"http:", "=\"https:", "=\"//", "href=\"{{", "src=\"{{", "action=\"{{", "<!--",
	    "autofocus"};

	for (size_t i = 0; i < sizeof never / sizeof *never; i++)
		ck_assert_msg(!strcasestr(text, never[i]), "%s has %s", name, never[i]);
	for (const char *p = text; (p = strstr(p, "={{")); p++) { /* an attribute without quotes */
		const char *b = p;

		while (b > text && !strchr(" \n\"", *b))
			b--;
		ck_assert_msg(*b == '"', "%s: %.20s", name, b);
	}
	/* each form that changes something carries the token */
	for (const char *p = text; (p = strstr(p, "method=\"post\"")); p++) {
		const char *token = strstr(p, "name=\"csrf\" value=\"{{csrf}}\""), *end = strstr(p, "</form>");

		ck_assert_msg(token && end && token < end, "%s: a form without the csrf field", name);
	}
}

START_TEST(test_templates)
{
	const char *name;
	size_t n;

	for (size_t i = 0; (name = page_files_template_at(i)); i++) {
		const char *p = page_files_template(name, &n);
		char *text = strndup(p, n);

		lint(name, text);
		free(text);
	}
}
END_TEST

/* ---- hostile values ---- */

static char *long_text(void)
{
	char *s = malloc(65537);

	memset(s, 'W', 65536);
	s[65536] = '\0';
	return s;
}

/* The answers with every text replaced. */
static void poison(json_t *v, const char *with)
{
	const char *key;
	json_t *e;
	void *next;
	size_t i;

	json_object_foreach_safe(v, next, key, e)
	{
		if (json_is_string(e))
			json_object_set_new(v, key, json_string(with));
		else
			poison(e, with);
	}
	json_array_foreach(v, i, e)
	{
		if (json_is_string(e))
			json_array_set_new(v, i, json_string(with));
		else
			poison(e, with);
	}
}

static const char *const hostile[] = {
    "\"><script>alert(1)</script>", "' onmouseover='alert(1)", "x\r\nSet-Cookie: a=b\r\n\r\n<h1>",
    "a\u202egpj.exe\u2066", "{{#partners}}{{/x}}{{>head.html}}", "javascript:alert(1)",
    "../../../etc/passwd%00&amp;<", NULL, /* 64 KiB */
};

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	return n;
}

static json_t *load(const char *name)
{
	char path[200];
	json_t *o;

	(void)snprintf(path, sizeof path, "tests/data/page/%s.json", name);
	o = json_load_file(path, 0, NULL);
	ck_assert_msg(o != NULL, "%s", path);
	return o;
}

/* A page by its path, or one to which an action leads: BEFORE it is done, or AFTER. */
enum { BEFORE = 1, AFTER };

static const struct page *page_of(const char *path, char segments[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1], int action)
{
	const struct page_action *a = action ? page_action_find(path, segments) : NULL;

	return !a ? page_find(path, segments) : action == BEFORE ? a->preview : a->result;
}

/* Each page with answers that fill every part of it. */
static const struct {
	const char *path, *answers;
	int action;
	const char *part; /* something that only such an answer brings forth */
} full[] = {
    {"/", "overview", 0, "cannot be signed"},
    {"/", "overview", 0, "press Approve or Refuse on the page of the decision"},
    {"/", "overview", 0, "sealer 1"},
    {"/", "overview_calm", 0, "Everything is all right."},
    {"/partners", "partners", 0, "expires soon"},
    {"/partners/add", "lookup", 0, "Show what changes"},
    {"/partners/clinic.example", "partner", 0, "Its statement"},
    {"/partners/clinic.example/edit", "partner", 0, "by phone: +49"},
    {"/partners/clinic.example/remove", "partner", 0, "Remove clinic.example from the list?"},
    {"/partners/clinic.example/release", "partner", 0, "Release it"},
    {"/partners/clinic.example/try", "lookup", 0, "Look it up"},
    {"/partners/add", "partner", BEFORE, "is listed already"},
    {"/partners/clinic.example/edit", "partner", BEFORE, "was encrypted until now"},
    {"/partners/clinic.example/try", "lookup", AFTER, "_smimecert"},
    {"/messages", "messages", 0, "Older ones"},
    {"/messages/held", "held", 0, "Release those chosen"},
    {"/messages/A1B2C3D4E5", "message", 0, "greylisted"},
    {"/messages/A1B2C3D4E5/delete", "message", 0, "for good"},
    {"/messages/held/release", "held", BEFORE, "2 messages are chosen"},
    {"/messages/held/release", "messages_changed", AFTER, "998 messages are released"},
    {"/messages/held/retry", "messages_changed", AFTER, "2 could not be tried now:"},
    {"/login", "lookup", 0, "one-time-code"},
    {"/pending", "pending", 0, "2 decisions wait"},
    {"/pending/newcomer.example", "pending_one", 0, "Compare this fingerprint"},
    {"/pending/newcomer.example", "pending_one", 0,
	"name=\"seen\" value=\"8fde9df0ed2f6bd519eb103b8a35caf3669ceda170594fb6e4b3a7a668824a01\""},
    {"/certificates", "certificates", 0, "expires soon"},
    {"/certificates/import", "lookup", 0, "Show what is in it"},
    {"/certificates/import", "preview", BEFORE, "2 certificates are in the file"},
    {"/anchors", "anchors", 0, "1 trust anchor says who is believed"},
    {"/anchors/add", "lookup", 0, "both ways"},
    {"/anchors/add", "preview", BEFORE, "it would vouch for itself alone"},
    {"/bundles", "lookup", 0, "No bundle is fetched."},
    {"/domains", "domains", 0, "All our domains can sign"},
    {"/domains/hospital.example", "domain", 0, "signs statements"},
    {"/policy", "policy", 0, "to *@lab.example must be signed and encrypted."},
    {"/policy/add", "policy", BEFORE,
	"<ins>Mail from anybody to anybody is sent over verified TLS where it can be.</ins>"},
    {"/policy/edit", "policy", 0, "There is no such rule."},
    {"/policy/edit", "policy", BEFORE, "Change it"},
    {"/policy/add", "policy_compare", BEFORE, "As it would be: It would be refused."},
    {"/policy/remove", "policy_compare", BEFORE, "<mark>asked for by rule"},
    {"/policy/remove", "policy", BEFORE, "Remove it"},
    {"/audit", "audit", 0, "The audit log is whole"},
    {"/users", "users", 0, "4 users may sign in"},
    {"/users/u-viewer", "users", 0, "u-viewer is viewer"},
    {"/users/u-viewer/remove", "users", BEFORE, "Remove the user u-viewer?"},
};

static json_t *form(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[s, s], s:s}", "domain", "clinic.example", "treatment", "tls",
	    "strength", "prefer", "note", "new", "id", "A1B2C3D4E0", "A1B2C3D4E1", "csrf", "c5rf");
}

/* with NULL: as it is. */
static char *full_page(int i, const char *with)
{
	char segments[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	struct page_request rq = request(full[i].path, PAGE_ADMIN);
	const struct page *p = page_of(full[i].path, segments, full[i].action);
	json_t *answers = load(full[i].answers), *typed = form();
	char *text;

	ck_assert_msg(p != NULL, "%s", full[i].path);
	memcpy(rq.segments, segments, sizeof segments);
	if (with) {
		poison(answers, with);
		poison(typed, with);
		rq.error = with;
		(void)snprintf(rq.segments[0], sizeof rq.segments[0], "%s", with);
	}
	if (with || full[i].action)
		rq.query = typed;
	text = render(p, &rq, answers);
	json_decref(answers);
	json_decref(typed);
	return text;
}

START_TEST(test_full)
{
	char *text = full_page(_i, NULL);

	ck_assert_msg(strstr(text, full[_i].part) != NULL, "%s lacks \"%s\"", full[_i].path, full[_i].part);
	ck_assert_uint_eq(count(text, "<h1"), 1);
	ck_assert_ptr_null(strstr(text, "{{"));
	free(text);
}
END_TEST

/* Every text of the answers and of the form, the segment and the error. */
static void one_page(int i, const char *with)
{
	char *text = full_page(i, with);

	ck_assert_uint_eq(count(text, "<script"), 1); /* ours */
	ck_assert_ptr_null(strstr(text, "' onmouseover"));
	ck_assert_ptr_null(strstr(text, "\r"));
	ck_assert_ptr_null(strstr(text, "\u202e"));
	ck_assert_ptr_null(strstr(text, "href=\"javascript"));
	ck_assert_ptr_null(strstr(text, "action=\"javascript"));
	ck_assert_ptr_null(strstr(text, "href=\"/partners/../"));
	ck_assert_ptr_null(strstr(text, "href=\"/messages/../"));
	ck_assert_ptr_null(strstr(text, "href=\"/certificates/../"));
	ck_assert_ptr_null(strstr(text, "action=\"/users/../"));
	ck_assert_uint_eq(count(text, "<main "), 1);
	ck_assert_uint_eq(count(text, "<h1"), 1);
	ck_assert_uint_eq(count(text, "</html>"), 1);
	free(text);
}

START_TEST(test_hostile)
{
	char *big = long_text();

	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
		one_page(_i, hostile[i] ? hostile[i] : big);
	free(big);
}
END_TEST

/* What judge or relay may leave out does no harm. */
START_TEST(test_empty)
{
	const struct page *p;

	for (size_t i = 0; (p = page_at(i)); i++) {
		struct page_request rq = request(p->path, PAGE_VIEWER);
		json_t *answers = json_object();
		char *text = render(p, &rq, answers);

		ck_assert_uint_eq(count(text, "<h1"), 1);
		free(text);
		json_decref(answers);
	}
}
END_TEST

/* ---- partners ---- */

START_TEST(test_partners)
{
	char segments[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	struct page_request rq = request("/partners", PAGE_VIEWER);
	json_t *answers =
	    json_loads("{\"list\": {\"partners\": [{\"domain\": \"m\u00fcller@a.test\", \"treatment\": \"seal\","
		       " \"seen_protected\": null}], \"more\": true}}",
		0, NULL);
	char *text = render(page_find("/partners", segments), &rq, answers);

	ck_assert_ptr_nonnull(strstr(text, "/partners/m%C3%BCller%40a.test"));
	ck_assert_ptr_nonnull(strstr(text, "never"));
	ck_assert_ptr_nonnull(strstr(text, "aria-current=\"page\""));
	ck_assert_ptr_null(strstr(text, "Add a partner"));
	free(text);
	json_decref(answers);
}
END_TEST

START_TEST(test_error)
{
	struct page_request rq = request("/x", PAGE_ANYBODY);
	struct problem pr = {0};
	struct buf out;

	rq.user = "";
	buf_init(&out, PAGE_OCTETS_MAX);
	ck_assert_int_eq(page_render_error(&rq, 404, "there is no <page> here", &out, &pr), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "no &lt;page&gt; here"));
	ck_assert_ptr_null(strstr(buf_str(&out), "Sign out"));
	buf_clear(&out);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("page_render");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_tables);
	tcase_add_test(t, test_templates);
	tcase_add_loop_test(t, test_full, 0, sizeof full / sizeof *full);
	tcase_add_loop_test(t, test_hostile, 0, sizeof full / sizeof *full);
	tcase_add_test(t, test_empty);
	tcase_add_test(t, test_partners);
	tcase_add_test(t, test_error);
	suite_add_tcase(s, t);
	return suite_run(s);
}
