#include "admin-ui/page/page_render.h"

#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_done.h"
#include "admin-ui/page/page_files.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_time.h"
#include "admin-ui/page/tmpl.h"

/* The menu has those entries for which there is a page and that the role may open. */
static const struct {
	const char *path, *label, *icon;
} entries[] = {
    {"/", "Overview", "M3 11.5 10 4l7 7.5M5 10v6.5h10V10"},
    {"/pending", "Decisions", "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14zM10 6v4.5l3 1.7"},
    {"/partners", "Partners",
	"M7 4a3 3 0 1 0 0 6a3 3 0 1 0 0-6zM2 17c0-3.3 2.2-5 5-5s5 1.7 5 5M13 4.3a3 3 0 0 1 0 5.4M15 12.6c1.9.6 3 2.1 "
	"3 4.4"},
    {"/messages", "Messages",
	"M4 4.5h12a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5H4a1.5 1.5 0 0 1-1.5-1.5V6A1.5 1.5 0 0 1 4 4.5zM3 "
	"6l7 5 7-5"},
    {"/certificates", "Certificates",
	"M9 13.5H4A1.5 1.5 0 0 1 2.5 12V5A1.5 1.5 0 0 1 4 3.5h12A1.5 1.5 0 0 1 17.5 5v7a1.5 1.5 0 0 1-1 1.4M5.5 "
	"7h6M5.5 10h3.5M13 8.5a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 1 0 0-4.4zM11.5 12.7v4.8l1.5-1 1.5 1v-4.8"},
    {"/policy", "Policy", "M10 2.5 16.5 5v5c0 3.8-2.7 6.3-6.5 7.5C6.2 16.3 3.5 13.8 3.5 10V5zM7 10l2.2 2.2L13 8.2"},
    {"/audit", "Audit log", "M5 2.5h7l3 3v12H5zM7.5 8h5M7.5 11h5M7.5 14h3"},
    {"/settings", "Settings",
	"M3 6h8M15 6h2M3 14h2M9 14h8M13 4a2 2 0 1 0 0 4a2 2 0 1 0 0-4zM7 12a2 2 0 1 0 0 4a2 2 0 1 0 0-4z"},
    {"/users", "Users", "M10 3a3.5 3.5 0 1 0 0 7a3.5 3.5 0 1 0 0-7zM3.5 17.5c0-4 2.8-6 6.5-6s6.5 2 6.5 6"},
};

static const char *const roles[] = {"", "viewer", "operator", "trust officer", "admin"};

static json_t *menu(const struct page_request *rq, const char *marked)
{
	char segments[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		const struct page *p = page_find(entries[i].path, segments);
		json_t *o;

		if (!p || rq->role < p->least)
			continue;
		o = json_object();
		page_json_set(o, "path", json_string(entries[i].path + 1)); /* templates write the slash */
		page_json_set(o, "label", json_string(entries[i].label));
		page_json_set(o, "icon", json_string(entries[i].icon));
		page_json_set(o, "current", json_boolean(marked && strcmp(marked, entries[i].path) == 0));
		page_json_add(list, o);
	}
	return list;
}

static void add_person(json_t *model, const struct page_request *rq)
{
	json_t *me = json_object(), *can = json_object();

	if (rq->role > PAGE_ANYBODY && rq->role <= PAGE_ADMIN) {
		page_json_set(me, "name", page_json_text(rq->user ? rq->user : ""));
		page_json_set(me, "role", json_string(roles[rq->role]));
	}
	page_json_set(can, "operator", json_boolean(rq->role >= PAGE_OPERATOR));
	page_json_set(can, "trust", json_boolean(rq->role >= PAGE_TRUST_OFFICER));
	page_json_set(can, "admin", json_boolean(rq->role >= PAGE_ADMIN));
	page_json_set(model, "me", me);
	page_json_set(model, "can", can);
}

/* After the answers, so that none of these names can be an answer's. */
static void add_common(json_t *model, const struct page_request *rq, const char *title, const char *marked)
{
	page_json_set(model, "title", json_string(title));
	page_json_set(model, "now", page_time(rq->now, rq->now));
	page_json_set(model, "csrf", page_json_text(rq->csrf ? rq->csrf : ""));
	page_json_set(model, "q", rq->query ? json_deep_copy(rq->query) : json_object());
	page_json_set(model, "error", page_json_text(rq->error ? rq->error : ""));
	page_json_set(model, "done", json_string(page_done(page_args_field(rq, "done"))));
	page_json_set(model, "segment", page_json_text(rq->segments[0]));
	page_json_set(model, "menu", menu(rq, marked));
	add_person(model, rq);
}

int page_render(
    const struct page *p, const struct page_request *rq, json_t *answers, struct buf *out, struct problem *pr)
{
	page_time_all(answers, rq->now);
	add_common(answers, rq, p->title, p->menu);
	if (p->model)
		p->model(rq, answers);
	return tmpl_render(page_files_template, p->template, answers, out, pr);
}

static const struct {
	unsigned status;
	const char *title;
} failures[] = {
    {400, "This cannot be asked"},
    {401, "Sign in first"},
    {403, "Your role does not allow this"},
    {404, "There is nothing here"},
    {405, "This cannot be done here"},
    {413, "Too much was sent"},
    {429, "Too often"},
    {503, "A part of the gateway does not answer"},
};

int page_render_error(
    const struct page_request *rq, unsigned status, const char *text, struct buf *out, struct problem *pr)
{
	json_t *model = json_object();
	const char *title = "Something went wrong";
	int rc;

	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
		if (failures[i].status == status)
			title = failures[i].title;
	add_common(model, rq, title, NULL);
	page_json_set(model, "text", page_json_text(text));
	page_json_set(model, "status", json_integer(status));
	rc = tmpl_render(page_files_template, "error.html", model, out, pr);
	json_decref(model);
	return rc;
}
