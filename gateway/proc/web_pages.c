/* What browsers ask, see the header. Role web, loop thread. */
#include "gateway/proc/web_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin-ui/page/page_files.h"
#include "admin-ui/page/page_render.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/web_hash.h"
#include "gateway/proc/web_page.h"

#define HTML "text/html; charset=utf-8"
enum { PASSWORD_MAX = 1000 };

static enum page_role role_of(const struct web_job *j)
{
	static const char *const words[] = {"", "viewer", "operator", "trust-officer", "admin"};

	for (int i = PAGE_VIEWER; i <= PAGE_ADMIN; i++)
		if (strcmp(words[i], j->role) == 0)
			return (enum page_role)i;
	return PAGE_ANYBODY;
}

static void finish_html(struct web_job *j, unsigned status, const struct buf *html)
{
	j->page = true;
	web_job_finish(j, status, HTML, html->p, html->len);
}

static struct page_request request_of(const struct web_job *j)
{
	return (struct page_request){.path = j->path,
	    .query = j->form ? j->form : j->query,
	    .user = j->user,
	    .role = role_of(j),
	    .csrf = j->csrf,
	    .now = (int64_t)time(NULL)};
}

void web_pages_fail(struct web_job *j, unsigned status, const char *text)
{
	struct page_request rq = request_of(j);
	struct problem pr = {0};
	struct buf html;

	buf_init(&html, PAGE_OCTETS_MAX);
	if (page_render_error(&rq, status, text, &html, &pr) < 0)
		log_error(NULL, "web", "alarm=page why=\"%.300s\"", pr.text);
	finish_html(j, status, &html);
	buf_clear(&html);
}

/* ---- signing in ---- */

struct sign_in {
	struct web_job *j; /* NULL: the request is gone */
	char user[64], code[20];
	char *password;
};

static void sign_in_free(void *own)
{
	struct sign_in *s = own;

	if (s->password)
		mem_free_secret(s->password, strlen(s->password));
	s->password = NULL;
	free(s);
}

/* The page with the form again. */
static void sign_in_page(struct web_job *j, unsigned status, const char *error)
{
	char none[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	const struct page *p = page_find("/login", none);
	struct page_request rq = request_of(j);
	struct problem pr = {0};
	json_t *answers = json_object();
	struct buf html;

	REQUIRE(p);
	rq.path = "/login";
	rq.error = error;
	buf_init(&html, PAGE_OCTETS_MAX);
	if (page_render(p, &rq, answers, &html, &pr) < 0)
		log_error(NULL, "web", "alarm=page path=/login why=\"%.300s\"", pr.text);
	finish_html(j, status, &html);
	buf_clear(&html);
	json_decref(answers);
}

/* A path of this site, and nothing else. Browsers take tabs and line ends out of what they are sent to, and read "\"
 * as "/": "/", a tab, "/evil.example" would be another site. */
static const char *then_of(const struct web_job *j)
{
	const char *then = json_string_value(json_object_get(j->form, "next"));

	if (!then || then[0] != '/' || then[1] == '/' || strlen(then) >= sizeof j->location)
		return "/";
	for (const unsigned char *p = (const unsigned char *)then; *p; p++)
		if (*p < 0x20 || *p == 0x7f || *p == '\\')
			return "/";
	return then;
}

static unsigned status_of(const char *code)
{
	return strcmp(code, "unavailable") == 0 ? MHD_HTTP_SERVICE_UNAVAILABLE
	       : strcmp(code, "throttled") == 0 ? MHD_HTTP_TOO_MANY_REQUESTS
						: MHD_HTTP_FORBIDDEN;
}

static void signed_in(struct web_job *j, json_t *data, const char *code, const char *text)
{
	const char *session = json_string_value(json_object_get(data, "session"));

	if (data && session) {
		web_job_cookie(j, session);
		web_job_redirect(j, then_of(j));
		return;
	}
	sign_in_page(j, status_of(data ? "unavailable" : code), text ? text : "no session was made");
}

static void hashed(void *ctx, const uint8_t *key)
{
	struct sign_in *s = ctx;
	struct web_job *j = s->j;
	char b64[64];
	json_t *args;

	if (j->state == WEB_JOB_DONE) /* everything ends: the request was answered */
		return;
	if (!key) {
		sign_in_page(
		    j, MHD_HTTP_SERVICE_UNAVAILABLE, "there is not enough memory to look at a password: try again");
		return;
	}
	args = json_object();
	(void)encode_b64(key, WEB_HASH_KEY, b64);
	admin_json_set(args, "user", admin_json_text(s->user));
	admin_json_set(args, "key", admin_json_text(b64));
	admin_json_set(args, "code", admin_json_text(s->code));
	mem_wipe(b64, sizeof b64);
	web_job_ask(j, WEB_ASK_JUDGE, "sign-in", args, signed_in);
}

static void salted(struct web_job *j, json_t *data, const char *code, const char *text)
{
	struct sign_in *s = j->own;
	const char *b64 = json_string_value(json_object_get(data, "salt"));
	json_int_t memory = json_integer_value(json_object_get(data, "memory")),
		   passes = json_integer_value(json_object_get(data, "passes"));
	uint8_t salt[WEB_HASH_SALT];

	if (!data)
		sign_in_page(j, status_of(code), text);
	else if (!b64 || encode_unb64(b64, strlen(b64), salt, sizeof salt) != WEB_HASH_SALT || memory < 8 ||
		 memory > 1 << 20 || passes < 1 || passes > 20)
		sign_in_page(j, MHD_HTTP_SERVICE_UNAVAILABLE, "the judge's answer cannot be used");
	else if (web_hash_ask(j->w->hash, s->password, salt, (uint32_t)memory, (uint32_t)passes, hashed, s) < 0)
		sign_in_page(
		    j, MHD_HTTP_SERVICE_UNAVAILABLE, "many sign in at this moment: try again in a few seconds");
}

static const char *field(const struct web_job *j, const char *name, size_t max)
{
	const char *v = json_string_value(json_object_get(j->form, name));

	return v && strlen(v) <= max ? v : "";
}

/* Telephones show codes with a gap. */
static void digits(const char *v, char out[20])
{
	size_t n = 0;

	for (; *v && n < 19; v++)
		if (*v != ' ')
			out[n++] = *v;
	out[n] = '\0';
}

static void sign_in(struct web_job *j)
{
	struct sign_in *s;
	json_t *args;

	if (!j->form || !field(j, "user", 60)[0] || !field(j, "password", PASSWORD_MAX)[0]) {
		sign_in_page(j, MHD_HTTP_BAD_REQUEST, "name and password are needed");
		return;
	}
	s = mem_new(sizeof *s);
	*s = (struct sign_in){.j = j, .password = mem_str(field(j, "password", PASSWORD_MAX))};
	(void)snprintf(s->user, sizeof s->user, "%s", field(j, "user", 60));
	digits(field(j, "code", 16), s->code);
	j->own = s;
	j->own_free = sign_in_free;
	(void)json_object_del(j->form, "password");
	args = json_object();
	admin_json_set(args, "user", admin_json_text(s->user));
	web_job_ask(j, WEB_ASK_JUDGE, "sign-in.salt", args, salted);
}

static void signed_out(struct web_job *j, json_t *data, const char *code, const char *text)
{
	(void)code;
	if (!data) {
		web_pages_fail(j, MHD_HTTP_SERVICE_UNAVAILABLE, text);
		return;
	}
	web_job_cookie(j, "");
	web_job_redirect(j, "/login");
}

static void sign_out(struct web_job *j)
{
	if (!web_job_is_ours(j, field(j, "csrf", WEB_JOB_CSRF)) && j->session[0])
		web_pages_fail(j, MHD_HTTP_FORBIDDEN, "the form is not of this session");
	else
		web_job_ask(j, WEB_ASK_JUDGE, "sign-out", json_object(), signed_out);
}

/* ---- pages ---- */

struct shown {
	struct web_page *page;
	struct web_page_asked asked;
};

static void shown_free(void *own)
{
	struct shown *s = own;

	web_page_free(s->page);
	free(s);
}

static void page_said(struct web_job *j, json_t *data, const char *code, const char *text)
{
	struct shown *s = j->own;

	web_page_said(s->page, data, code, text);
}

static void door_ask(void *ctx, enum page_whom whom, const char *verb, json_t *args)
{
	web_job_ask(ctx, whom == PAGE_RELAY ? WEB_ASK_RELAY : WEB_ASK_JUDGE, verb, args, page_said);
}

static void door_finish(void *ctx, unsigned status, const struct buf *html)
{
	finish_html(ctx, status, html);
}

static void door_redirect(void *ctx, const char *where)
{
	web_job_redirect(ctx, where);
}

static void show(struct web_job *j)
{
	static const struct web_page_door door = {door_ask, door_finish, door_redirect};
	struct shown *s = mem_new(sizeof *s);

	*s = (struct shown){.asked = {.post = j->changes,
				.path = j->path,
				.query = j->query,
				.form = j->form,
				.user = j->user,
				.role = role_of(j),
				.csrf = j->csrf,
				.now = (int64_t)time(NULL)}};
	s->page = web_page_new(&s->asked, &door, j);
	j->own = s;
	j->own_free = shown_free;
	web_page_begin(s->page);
}

static void serve_static(struct web_job *j)
{
	const struct page_file *f = page_files_static(j->path + strlen("/static/"));
	const char *have = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "If-None-Match");

	if (!f || j->changes) {
		web_pages_fail(j, MHD_HTTP_NOT_FOUND, "There is no such file.");
		return;
	}
	(void)snprintf(j->etag, sizeof j->etag, "%s", f->etag);
	if (have && strcmp(have, f->etag) == 0)
		web_job_finish(j, MHD_HTTP_NOT_MODIFIED, f->type, "", 0);
	else
		web_job_finish(j, MHD_HTTP_OK, f->type, f->text, f->n);
}

void web_pages_begin(struct web_job *j)
{
	if (strncmp(j->path, "/static/", 8) == 0)
		serve_static(j);
	else if (j->changes && strcmp(j->method, "POST") != 0)
		web_pages_fail(j, MHD_HTTP_METHOD_NOT_ALLOWED, "Forms are sent with POST.");
	else if (j->changes && web_job_is_foreign(j))
		web_pages_fail(j, MHD_HTTP_FORBIDDEN, "The form was sent by another site.");
	else if (j->changes && strcmp(j->path, "/login") == 0)
		sign_in(j);
	else if (j->changes && strcmp(j->path, "/logout") == 0)
		sign_out(j);
	else if (j->changes && j->role[0] && !web_job_is_ours(j, field(j, "csrf", WEB_JOB_CSRF)))
		web_pages_fail(j, MHD_HTTP_FORBIDDEN,
		    "The form is of another session, or of another site: open the page again and send it anew.");
	else
		show(j);
}
