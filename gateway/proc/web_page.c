/*
 * Pages, see the header. A page is asked for with GET: its questions, then its HTML. A form is sent with POST: where
 * it has a preview and is not confirmed, that is shown; else it is done, once or for each of those chosen, and the
 * browser is sent to where its row says. What fails is told, exact, on the page that has the form, with what was
 * typed.
 */
#include "gateway/proc/web_page.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_render.h"
#include "admin-ui/page/tmpl_text.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/problem.h"
#include "gateway/proc/admin_json.h"

enum { WHERE_MAX = 4 * PAGE_SEGMENT_MAX + 200, EACH_MAX = 1000 };

struct web_page {
	struct web_page_asked asked;
	const struct web_page_door *door;
	void *ctx;
	enum { PAGE, DOING, DONE } state;
	const struct page *page;
	const struct page_action *action;
	struct page_request rq;
	unsigned status; /* of the page */
	size_t i;	 /* the question that is asked; of DOING: the value of each */
	json_t *answers;
	json_t *form; /* DOING for each: the form with one value */
	size_t failed;
	char error[PROBLEM_TEXT_MAX + 80];
};

/* ---- ends ---- */

static void end_html(struct web_page *w, unsigned status, const struct buf *html)
{
	w->state = DONE;
	w->door->finish(w->ctx, status, html);
}

static void end_redirect(struct web_page *w, const char *where)
{
	w->state = DONE;
	w->door->redirect(w->ctx, where);
}

/* To the page for signing in, and from there back to the page that was asked for. */
static void end_sign_in(struct web_page *w)
{
	struct buf where;

	buf_init(&where, WHERE_MAX);
	if (w->asked.post || strcmp(w->asked.path, "/") == 0 || buf_adds(&where, "/login?next=") < 0 ||
	    tmpl_text_url(w->asked.path, strlen(w->asked.path), &where) < 0)
		end_redirect(w, "/login");
	else
		end_redirect(w, buf_str(&where));
	buf_clear(&where);
}

static void end_error(struct web_page *w, unsigned status, const char *text)
{
	struct problem pr = {0};
	struct buf html;

	buf_init(&html, PAGE_OCTETS_MAX);
	if (page_render_error(&w->rq, status, text, &html, &pr) < 0) {
		log_error(NULL, "web", "alarm=page why=\"%.300s\"", pr.text);
		buf_reset(&html);
	}
	end_html(w, status, &html);
	buf_clear(&html);
}

static void end_page(struct web_page *w)
{
	struct problem pr = {0};
	struct buf html;

	buf_init(&html, PAGE_OCTETS_MAX);
	if (page_render(w->page, &w->rq, w->answers, &html, &pr) == 0) {
		end_html(w, w->status, &html);
	} else {
		log_error(NULL, "web", "alarm=page path=%.200s why=\"%.300s\"", w->rq.path, pr.text);
		end_error(w, 500, pr.text);
	}
	buf_clear(&html);
}

static unsigned status_of(const struct web_page *w, const char *code)
{
	static const struct {
		const char *code;
		unsigned status;
	} known[] = {{"usage", 400}, {"not-found", 404}, {"unknown", 404}, {"unauthorized", 401}, {"forbidden", 403},
	    {"busy", 429}, {"conflict", 409}, {"unavailable", 503}};

	for (size_t i = 0; code && i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].code, code) == 0)
			return known[i].status;
	/* of what it refuses a page only asked to see it */
	return w->state == PAGE && !w->action && w->rq.segments[0][0] ? 404 : 400;
}

/* ---- a page ---- */

static const struct page_question *question(const struct web_page *w)
{
	const struct page_question *q = w->page->questions;

	return q && q[w->i].verb ? &q[w->i] : NULL;
}

/* The next question, or the page. Answers may come within the door's ask: they ask the one after it. */
static void next(struct web_page *w)
{
	const struct page_question *q;
	struct problem pr = {0};
	json_t *args;

	while ((q = question(w)) && !page_args_asked(q, &w->rq))
		w->i++;
	if (!q) {
		end_page(w);
		return;
	}
	args = page_args(q, &w->rq, &pr);
	if (args)
		w->door->ask(w->ctx, q->whom, q->verb, args);
	else
		web_page_said(w, NULL, "usage", pr.text);
}

static void show(struct web_page *w, const struct page *p, unsigned status)
{
	w->state = PAGE;
	w->page = p;
	w->status = status;
	w->i = 0;
	next(w);
}

/* ---- a form ---- */

/* Its page again, with what was wrong. */
static void again(struct web_page *w, unsigned status, const char *text)
{
	char none[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	const struct page *p = page_find(w->action->form, none);

	REQUIRE(p);
	(void)snprintf(w->error, sizeof w->error, "%s", text);
	w->rq.error = w->error;
	w->rq.query = w->asked.form;
	show(w, p, status);
}

/* What may fail says so in the page; so does everything where a form is shown again, whose error counts more. */
static void page_said(struct web_page *w, json_t *data, const char *code, const char *text)
{
	const struct page_question *q = question(w);

	if (data) {
		admin_json_set(w->answers, q->key, json_deep_copy(data));
	} else if (q->may != PAGE_MUST || w->rq.error) {
		json_t *o = json_object();

		admin_json_set(o, "failed", admin_json_text(text));
		admin_json_set(w->answers, q->key, o);
	} else if (w->action && w->page == w->action->preview) {
		again(w, status_of(w, code), text);
		return;
	} else {
		end_error(w, status_of(w, code), text);
		return;
	}
	w->i++;
	next(w);
}

/* The values of the field that is done one by one. */
static size_t chosen(const struct web_page *w)
{
	const json_t *v = w->action->each ? json_object_get(w->asked.form, w->action->each) : NULL;

	return json_is_array(v) ? json_array_size(v) : json_is_string(v) ? 1 : 0;
}

static json_t *one_of(const struct web_page *w, size_t i)
{
	/* shallow: the form may hold files */
	json_t *v = json_object_get(w->asked.form, w->action->each),
	       *o = json_copy((json_t *)(uintptr_t)w->asked.form);

	if (json_is_array(v))
		v = json_array_get(v, i);
	if (!o || json_object_set(o, w->action->each, v) != 0)
		log_fatal("out of memory: JSON");
	return o;
}

static void done(struct web_page *w, json_t *data)
{
	struct buf where;

	if (w->action->result) {
		admin_json_set(w->answers, "result", json_deep_copy(data));
		w->rq.query = w->asked.form;
		show(w, w->action->result, 200);
		return;
	}
	w->rq.query = w->asked.form;
	buf_init(&where, WHERE_MAX);
	if (page_args_then(w->action, &w->rq, &where) == 0)
		end_redirect(w, buf_str(&where));
	else
		end_redirect(w, "/");
	buf_clear(&where);
}

static void act(struct web_page *w)
{
	struct problem pr = {0};
	json_t *args;

	if (w->action->each) {
		json_decref(w->form);
		w->form = one_of(w, w->i);
		w->rq.query = w->form;
	}
	args = page_args(&w->action->does, &w->rq, &pr);
	if (args)
		w->door->ask(w->ctx, w->action->does.whom, w->action->does.verb, args);
	else
		again(w, 400, pr.text);
}

/* Of several, each is tried; what went wrong with the first that did is told. */
static void each_said(struct web_page *w, const json_t *data, const char *text)
{
	char said[PROBLEM_TEXT_MAX + 80];
	size_t n = chosen(w);

	if (!data && w->failed++ == 0)
		(void)snprintf(w->error, sizeof w->error, "%s", text);
	if (++w->i < n) {
		act(w);
		return;
	}
	if (!w->failed) {
		done(w, NULL);
		return;
	}
	(void)snprintf(said, sizeof said, "%zu of %zu could not be done: %.600s", w->failed, n, w->error);
	again(w, 400, said);
}

static void action_said(struct web_page *w, json_t *data, const char *code, const char *text)
{
	if (w->action->each)
		each_said(w, data, text);
	else if (data)
		done(w, data);
	else
		again(w, status_of(w, code), text);
}

static bool is_confirmed(const struct web_page *w)
{
	return json_object_get(w->asked.form, "confirm") != NULL;
}

/* A form that another site made does not have the token of this session. */
static bool is_ours(const struct web_page *w)
{
	const char *sent = json_string_value(json_object_get(w->asked.form, "csrf"));
	size_t n = w->asked.csrf ? strlen(w->asked.csrf) : 0;

	return n > 0 && sent && strlen(sent) == n && CRYPTO_memcmp(sent, w->asked.csrf, n) == 0;
}

static void begin_action(struct web_page *w)
{
	w->rq.query = w->asked.form;
	if (!is_ours(w)) {
		end_error(w, 403,
		    "The form is of another session, or of another site: open the page again and send it anew.");
		return;
	}
	if (w->action->each && (chosen(w) == 0 || chosen(w) > EACH_MAX)) {
		again(w, 400, chosen(w) ? "At most 1000 can be chosen at a time." : "Nothing is chosen.");
		return;
	}
	if (w->action->preview && !is_confirmed(w)) {
		show(w, w->action->preview, 200);
		return;
	}
	w->state = DOING;
	act(w);
}

/* ---- the whole ---- */

static void look_up(struct web_page *w)
{
	if (w->asked.post)
		w->action = page_action_find(w->asked.path, w->rq.segments);
	else
		w->page = page_find(w->asked.path, w->rq.segments);
}

static enum page_role least(const struct web_page *w)
{
	return w->action ? w->action->least : w->page->least;
}

void web_page_begin(struct web_page *w)
{
	look_up(w);
	if (!w->page && !w->action)
		end_error(w, 404, "There is no such page.");
	else if (w->asked.role < least(w) && w->asked.role == PAGE_ANYBODY)
		end_sign_in(w);
	else if (w->asked.role < least(w))
		end_error(w, 403, "Your role does not suffice for this.");
	else if (w->action)
		begin_action(w);
	else
		show(w, w->page, 200);
}

void web_page_said(struct web_page *w, json_t *data, const char *code, const char *text)
{
	if (!data && code && strcmp(code, "unauthorized") == 0) /* the session ended meanwhile */
		end_sign_in(w);
	else if (w->state == DOING)
		action_said(w, data, code, text);
	else if (w->state == PAGE)
		page_said(w, data, code, text);
}

struct web_page *web_page_new(const struct web_page_asked *a, const struct web_page_door *door, void *ctx)
{
	struct web_page *w = mem_new(sizeof *w);

	*w = (struct web_page){.asked = *a, .door = door, .ctx = ctx, .answers = json_object()};
	w->rq = (struct page_request){
	    .path = a->path, .query = a->query, .user = a->user, .role = a->role, .csrf = a->csrf, .now = a->now};
	return w;
}

void web_page_free(struct web_page *w)
{
	if (!w)
		return;
	json_decref(w->answers);
	json_decref(w->form);
	free(w);
}
