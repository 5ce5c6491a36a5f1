#include "admin-ui/page/page_message.h"

#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_form.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_state.h"
#include "admin-ui/page/tmpl.h"
#include "admin-ui/page/tmpl_text.h"

enum { SHOWN = 3, URL_MAX = 4000, HELD = 100 /* on a page, unless more are asked for */ };

static const struct page_form_choice outcomes[] = {
    {"", "any outcome"},
    {"delivered", "delivered"},
    {"queued", "queued"},
    {"deferred", "deferred"},
    {"held", "held"},
    {"refused", "refused"},
    {"bounced", "bounced"},
    {"expired", "expired"},
    {"deleted", "deleted"},
    {"sealed", "sealed"},
    {"signed", "signed"},
    {"tls", "by TLS alone"},
    {"clear", "in the clear"},
    {"opened", "opened"},
    {NULL, NULL},
};
static const struct page_form_choice directions[] = {
    {"", "in and out"}, {"in", "in"}, {"out", "out"}, {"notice", "notices"}, {NULL, NULL}};

static void set_size(json_t *m)
{
	int64_t n = page_json_int(m, "size");

	if (n >= 10 << 20)
		page_json_set(m, "octets", page_json_textf("%lld MiB", (long long)(n >> 20)));
	else if (n >= 10 << 10)
		page_json_set(m, "octets", page_json_textf("%lld KiB", (long long)(n >> 10)));
	else if (n > 0)
		page_json_set(m, "octets", page_json_textf("%lld octets", (long long)n));
}

/* ---- tables ---- */

static void one_row(json_t *m)
{
	json_t *rcpts = page_json_list(m, "recipients"), *shown = json_array(), *r;
	int64_t all = page_json_int(m, "recipients_total");
	size_t i;

	if (all == 0)
		all = (int64_t)json_array_size(rcpts);
	json_array_foreach(rcpts, i, r)
	{
		if (!json_is_object(r))
			continue;
		page_json_set(
		    r, "badge", page_state(page_json_str(r, page_json_is(r, "outcome") ? "outcome" : "state")));
		if (json_array_size(shown) < SHOWN)
			page_json_add(shown, json_incref(r));
	}
	page_json_set(m, "shown", shown);
	if (all > SHOWN)
		page_json_set(m, "others", json_integer(all - SHOWN));
	set_size(m);
}

void page_message_rows(json_t *messages)
{
	json_t *m;
	size_t i;

	json_array_foreach(messages, i, m) if (json_is_object(m)) one_row(m);
}

/* The query again, with another cursor. */
static json_t *next_link(const struct page_request *rq, const char *cursor)
{
	static const char *const names[] = {
	    "id", "from", "to", "message_id", "outcome", "direction", "since", "until", "search"};
	struct buf b;
	json_t *v;
	int rc = 0;

	buf_init(&b, URL_MAX);
	rc = buf_adds(&b, "cursor=") || tmpl_text_url(cursor, strlen(cursor), &b);
	for (size_t i = 0; rc == 0 && i < sizeof names / sizeof *names; i++) {
		const char *s = page_args_field(rq, names[i]);

		if (s[0])
			rc = buf_addf(&b, "&%s=", names[i]) || tmpl_text_url(s, strlen(s), &b);
	}
	v = page_json_text(rc == 0 ? buf_str(&b) : "");
	buf_clear(&b);
	return v;
}

void page_message_search(const struct page_request *rq, json_t *model)
{
	json_t *list = page_json_list(model, "found.messages");

	page_form_fill(rq, model, "", "id from to message_id outcome direction since until");
	page_form_choices(model, "outcomes", outcomes, page_json_str(model, "form.outcome"));
	page_form_choices(model, "directions", directions, page_json_str(model, "form.direction"));
	page_message_rows(list);
	page_json_set(model, "messages_any", json_boolean(json_array_size(list) > 0));
	page_json_set(model, "messages", list ? json_incref(list) : json_array());
	if (page_json_is(model, "found.cursor"))
		page_json_set(model, "next", next_link(rq, page_json_str(model, "found.cursor")));
}

/* ---- one message ---- */

/* What happened to the message itself names no other. */
static void tell_event(json_t *e, const char *id)
{
	const char *c = page_state_class(page_json_str(e, "event"));

	page_json_set(e, "class", json_string(strcmp(c, "info") == 0 ? "" : c));
	if (strcmp(page_json_str(e, "message"), id) == 0)
		(void)json_object_del(e, "message");
}

static const char *lead_of(const json_t *m)
{
	const char *direction = page_json_str(m, "direction");

	return strcmp(direction, "out") == 0  ? "It went from inside to outside."
	       : strcmp(direction, "in") == 0 ? "It came from outside."
	       : strcmp(direction, "notice") == 0
		   ? "The gateway wrote it: a notice about another message."
		   : "It came before the history began; what is known of it since then:";
}

void page_message_show(const struct page_request *rq, json_t *model)
{
	json_t *m = json_object_get(model, "m"), *e, *r;
	bool held = false;
	size_t i;

	page_json_set(model, "title", page_json_textf("Message %.40s", rq->segments[0]));
	if (json_is_object(m))
		one_row(m);
	page_json_set(model, "lead", json_string(lead_of(m)));
	json_array_foreach(page_json_list(model, "m.events"), i, e) if (json_is_object(e))
	    tell_event(e, page_json_str(model, "m.id"));
	json_array_foreach(page_json_list(model, "queue.recipients"), i, r) held |=
	    strcmp(page_json_str(r, "state"), "held") == 0;
	page_json_set(model, "held", json_boolean(held));
	page_json_set(model, "waits",
	    json_boolean(
		page_json_is(model, "queue.state") && strcmp(page_json_str(model, "queue.state"), "done") != 0));
}

/* ---- held ones ---- */

void page_message_held(const struct page_request *rq, json_t *model)
{
	json_t *list = page_json_list(model, "held.messages"), *last;
	size_t most = strcmp(page_args_field(rq, "max"), "1000") == 0 ? PAGE_MANY_MAX : HELD;

	page_message_rows(list);
	page_json_set(model, "has_rows", json_boolean(json_array_size(list) > 0));
	last = json_array_get(list, json_array_size(list) ? json_array_size(list) - 1 : 0);
	page_json_set(model, "many", json_boolean(most > HELD));
	if (json_array_size(list) >= most)
		page_json_set(model, "before", json_integer(page_json_int(last, "arrived.unix") * 1000));
}

/* What is asked before it is done. */
void page_message_change(const struct page_request *rq, json_t *model)
{
	static const struct {
		const char *end, *title, *what, *button;
	} verbs[] = {
	    {"/release", "Release it?", "It goes on as it is: its recipients get it without what it waited for.",
		"Release"},
	    {"/delete", "Delete it?", "It is removed for good. Its recipients never get it, and nobody is told.",
		"Delete"},
	    {"/retry", "Try it now?", "It is tried now, and not when its turn comes.", "Try now"},
	    {"/hold", "Hold it?", "It stays here until it is released or deleted.", "Hold"},
	};

	page_form_typed(rq, model);
	if (rq->query && json_array_size(json_object_get(rq->query, "id")) > 1)
		page_json_set(
		    model, "chosen", json_integer((json_int_t)json_array_size(json_object_get(rq->query, "id"))));
	page_json_set(model, "path", page_json_text(rq->path[0] == '/' ? rq->path + 1 : rq->path));
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		size_t n = strlen(rq->path), k = strlen(verbs[i].end);

		if (n < k || strcmp(rq->path + n - k, verbs[i].end) != 0)
			continue;
		page_json_set(model, "title", json_string(verbs[i].title));
		page_json_set(model, "what", json_string(verbs[i].what));
		page_json_set(model, "button", json_string(verbs[i].button));
		page_json_set(model, "danger", json_boolean(strcmp(verbs[i].end, "/delete") == 0));
	}
}

/* What became of many. */
void page_message_changed(const struct page_request *rq, json_t *model)
{
	static const char *const words[][2] = {
	    {"/release", "released"}, {"/retry", "tried now"}, {"/delete", "deleted"}};
	int64_t n = page_json_int(model, "result.messages"), rcpts = page_json_int(model, "result.changed");
	size_t failed = json_array_size(page_json_list(model, "result.failed")), len = strlen(rq->path);
	const char *word = "changed";

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (len > strlen(words[i][0]) && strcmp(rq->path + len - strlen(words[i][0]), words[i][0]) == 0)
			word = words[i][1];
	page_json_set(model, "title",
	    page_json_textf("%lld message%s %s %s", (long long)n, n == 1 ? "" : "s", n == 1 ? "is" : "are", word));
	page_json_set(model, "recipients",
	    page_json_textf("They were for %lld recipient%s.", (long long)rcpts, rcpts == 1 ? "" : "s"));
	page_json_set(model, "some", json_boolean(n > 0));
	if (failed)
		page_json_set(model, "failed_sentence", page_json_textf("%zu could not be %s:", failed, word));
}
