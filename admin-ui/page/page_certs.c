#include "admin-ui/page/page_certs.h"

#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_form.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_state.h"

enum { SOON_DAYS = 60, HOUR = 3600, REFRESH_S = 2 };

void page_certs_facts(json_t *cert)
{
	const char *state = page_json_str(cert, "state");
	bool soon = strcmp(state, "valid") == 0 && page_json_int(cert, "days_left") < SOON_DAYS;

	if (!json_is_object(cert))
		return;
	page_json_set(cert, "badge", page_state(soon ? "expires soon" : state));
	page_json_set(cert, "does",
	    json_string(page_json_is(cert, "ca") ? "certification authority"
			: !page_json_is(cert, "may_sign")
			    ? page_json_is(cert, "may_encrypt") ? "encrypts" : "neither signs nor encrypts"
			: !page_json_is(cert, "may_encrypt") ? "signs"
							     : "signs and encrypts"));
	if (page_json_is(cert, "direction"))
		page_json_set(cert, "counts",
		    json_string(strcmp(page_json_str(cert, "direction"), "out") == 0  ? "to whom we encrypt"
				: strcmp(page_json_str(cert, "direction"), "in") == 0 ? "whose signatures we believe"
										      : "both ways"));
	page_json_set(cert, "anybody", json_boolean(strcmp(page_json_str(cert, "scope"), "*") == 0));
}

void page_certs_tabs(json_t *model, const char *current)
{
	static const char *const tabs[][2] = {{"certificates", "Certificates of partners"},
	    {"anchors", "Trust anchors"}, {"bundles", "Trust bundles"}, {"domains", "Our domains"}};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof tabs / sizeof *tabs; i++) {
		json_t *o = json_object();

		page_json_set(o, "path", json_string(tabs[i][0]));
		page_json_set(o, "label", json_string(tabs[i][1]));
		page_json_set(o, "current", json_boolean(strcmp(current, tabs[i][0]) == 0));
		page_json_add(list, o);
	}
	page_json_set(model, "tabs", list);
}

static size_t all_facts(json_t *model, const char *name)
{
	json_t *rows = page_json_list(model, name), *o;
	size_t i;

	json_array_foreach(rows, i, o) page_certs_facts(o);
	return json_array_size(rows);
}

/* "3 things", "1 thing" */
static json_t *counted(size_t n, const char *one, const char *many)
{
	return page_json_textf("%zu %s", n, n == 1 ? one : many);
}

void page_certs_list(const struct page_request *rq, json_t *model)
{
	size_t n = all_facts(model, "list.certificates");
	const char *owner = page_args_field(rq, "owner");

	page_certs_tabs(model, "certificates");
	page_json_set(model, "any", json_boolean(n > 0));
	if (page_json_is(model, "list.more"))
		page_json_set(model, "next", json_integer(page_json_int(model, "list.next")));
	if (owner[0])
		page_json_set(model, "headline",
		    page_json_textf("%zu certificate%s stored for %s", n, n == 1 ? " is" : "s are", owner));
	else
		page_json_set(model, "headline", json_string("Certificates of partners"));
}

static const struct page_form_choice directions[] = {
    {"both", "both ways"}, {"out", "to whom we encrypt"}, {"in", "whose signatures we believe"}, {NULL, NULL}};

void page_certs_form(const struct page_request *rq, json_t *model)
{
	bool first = !rq->error || !rq->error[0];

	page_form_fill(rq, model, "", "owner content-text");
	page_json_set(model, "pinned", json_boolean(first || page_args_field(rq, "pinned")[0] != '\0'));
}

void page_certs_anchor_form(const struct page_request *rq, json_t *model)
{
	page_form_fill(rq, model, "", "scope local url every content-text signer-text");
	page_form_choices(model, "directions", directions,
	    page_args_field(rq, "direction")[0] ? page_args_field(rq, "direction") : "both");
}

void page_certs_show(const struct page_request *rq, json_t *model)
{
	json_t *first;

	all_facts(model, "show.certificates");
	first = json_array_get(page_json_list(model, "show.certificates"), 0);
	page_json_set(model, "cert", first ? json_deep_copy(first) : json_object());
	page_form_typed(rq, model);
}

/* Which of those in the file can be taken. */
static void grade(json_t *cert)
{
	const char *g = page_json_str(cert, "grade");

	page_json_set(cert, "takes", json_boolean(strcmp(g, "never") != 0));
	page_json_set(cert, "good", json_boolean(strcmp(g, "good") == 0));
	page_json_set(cert, "needs_force", json_boolean(strcmp(g, "force") == 0));
}

void page_certs_preview(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "preview.certificates"), *o, *typed, *kept = json_array();
	size_t n = all_facts(model, "preview.certificates"), i;
	bool force = false;

	json_array_foreach(rows, i, o)
	{
		grade(o);
		force = force || page_json_is(o, "needs_force");
	}
	page_json_set(model, "any_force", json_boolean(force));
	page_json_set(model, "headline", counted(n, "certificate is in the file", "certificates are in the file"));
	page_form_typed(rq, model);
	typed = page_json_list(model, "typed"); /* but what is chosen on this page */
	json_array_foreach(typed, i,
	    o) if (strcmp(page_json_str(o, "name"), "sha256") != 0 && strcmp(page_json_str(o, "name"), "force") != 0)
	    page_json_add(kept, json_incref(o));
	page_json_set(model, "typed", kept);
	page_json_set(model, "owner", page_json_text(page_args_field(rq, "owner")));
	page_json_set(model, "scope", page_json_text(page_args_field(rq, "scope")));
	page_json_set(model, "anybody", json_boolean(strcmp(page_args_field(rq, "scope"), "*") == 0));
}

void page_certs_anchors(const struct page_request *rq, json_t *model)
{
	size_t n = all_facts(model, "list.anchors");

	(void)rq;
	page_certs_tabs(model, "anchors");
	page_json_set(model, "any", json_boolean(n > 0));
	page_json_set(model, "headline",
	    n == 0 ? json_string("No trust anchor is set")
		   : counted(n, "trust anchor says who is believed", "trust anchors say who is believed"));
}

static void bundle(json_t *b)
{
	const char *trouble = page_json_str(b, "trouble");

	if (!json_is_object(b))
		return;
	page_certs_facts(b);
	page_json_set(b, "badge",
	    json_pack("{s:s, s:s}", "word",
		page_json_is(b, "fetching") ? "being fetched"
		: trouble[0]		    ? "in trouble"
		: page_json_is(b, "taken")  ? "up to date"
					    : "not fetched yet",
		"class",
		page_json_is(b, "fetching") ? "info"
		: trouble[0]		    ? "bad"
		: page_json_is(b, "taken")  ? "good"
					    : "info"));
	page_json_set(b, "every",
	    page_json_textf("every %lld hours", (long long)((page_json_int(b, "every_s") + HOUR - 1) / HOUR)));
	page_certs_facts(json_object_get(b, "signer"));
}

void page_certs_bundles(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "list.bundles"), *o;
	size_t i, bad = 0, fresh = 0;

	(void)rq;
	page_certs_tabs(model, "bundles");
	page_json_set(model, "any", json_boolean(json_array_size(rows) > 0));
	json_array_foreach(rows, i, o)
	{
		bundle(o);
		bad += page_json_is(o, "trouble");
		fresh += !page_json_is(o, "taken");
	}
	page_json_set(model, "headline",
	    json_array_size(rows) == 0 ? json_string("No trust bundle is fetched")
	    : bad > 0	? page_json_textf("%zu of %zu trust bundles in trouble", bad, json_array_size(rows))
	    : fresh > 0 ? json_string("Not all trust bundles have been fetched yet")
			: json_string("All trust bundles are as they should be"));
}

void page_certs_bundle(const struct page_request *rq, json_t *model)
{
	json_t *show = json_object_get(model, "show");

	(void)rq;
	bundle(json_object_get(show, "bundle"));
	if (page_json_is(json_object_get(show, "bundle"), "fetching"))
		page_json_set(model, "refresh", json_integer(REFRESH_S));
	all_facts(model, "show.anchors");
}
