#include "admin-ui/page/page_compare.h"

#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_json.h"

/* ---- one answer ---- */

static const char *words_of(const char *treatment)
{
	static const char *const words[][2] = {{"seal", "signed and encrypted"}, {"sign", "signed"},
	    {"tls", "sent over verified TLS"}, {"clear", "sent as it is"}, {"refuse", "refused"}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], treatment) == 0)
			return words[i][1];
	return treatment;
}

static json_t *verdict(const json_t *x)
{
	const char *action = page_json_str(x, "decision.action");

	if (page_json_is(x, "failed"))
		return json_string("That cannot be told.");
	if (strcmp(action, "pass") == 0)
		return page_json_textf("It would be %s.", words_of(page_json_str(x, "decision.treatment")));
	if (strcmp(action, "refuse") == 0)
		return json_string("It would be refused.");
	if (action[0])
		return json_string("It would be put off: the sender's server tries again.");
	if (strcmp(page_json_str(x, "direction"), "local") == 0)
		return json_string("It stays inside and goes on as it is.");
	return page_json_textf("It would be opened and weighed for %s.", page_json_str(x, "recipient"));
}

void page_compare_answer(json_t *x)
{
	json_t *lines = json_array(), *line;
	const char *action = page_json_str(x, "decision.action");
	size_t i;

	json_array_foreach(page_json_list(x, "lines"), i, line)
	{
		json_t *o = json_object();

		page_json_set(o, "text", page_json_text(json_string_value(line) ? json_string_value(line) : ""));
		page_json_set(o, "other", json_false());
		page_json_add(lines, o);
	}
	if (!page_json_is(x, "direction")) { /* nothing was asked, or the question was refused */
		json_decref(lines);
		return;
	}
	page_json_set(x, "lines", lines);
	page_json_set(x, "verdict", verdict(x));
	page_json_set(x, "failed", page_json_text(page_json_str(x, "failed")));
	page_json_set(x, "any_steps", json_boolean(json_array_size(page_json_list(x, "steps")) > 0));
	page_json_set(x, "class",
	    json_string(strcmp(action, "refuse") == 0				       ? "bad"
			: strcmp(action, "later") == 0				       ? "warn"
			: strcmp(page_json_str(x, "decision.treatment"), "clear") == 0 ? ""
										       : "good"));
}

/* ---- both ---- */

static bool has_line(const json_t *lines, const char *text)
{
	const json_t *o;
	size_t i;

	json_array_foreach(lines, i, o)
	{
		if (strcmp(page_json_str(o, "text"), text) == 0)
			return true;
	}
	return false;
}

/* What the other side does not say is marked. */
static void mark(json_t *x, const json_t *other)
{
	json_t *o;
	size_t i;

	json_array_foreach(page_json_list(x, "lines"), i, o) page_json_set(
	    o, "other", json_boolean(!has_line(page_json_list(other, "lines"), page_json_str(o, "text"))));
}

static void tell_sides(json_t *compare)
{
	json_t *now = json_object_get(compare, "now"), *then = json_object_get(compare, "then");
	json_t *sides = json_array();

	page_compare_answer(now);
	page_compare_answer(then);
	mark(now, then);
	mark(then, now);
	page_json_set(now, "title", json_string("As it is now"));
	page_json_set(then, "title", json_string("As it would be"));
	page_json_add(sides, json_incref(now));
	page_json_add(sides, json_incref(then));
	page_json_set(compare, "sides", sides);
}

static json_t *suggested(const char *to)
{
	const char *at = strrchr(to, '@');

	if (strncmp(to, "*@", 2) == 0 || strncmp(to, "@.", 2) == 0)
		return page_json_textf("postmaster@%.300s", to + 2);
	if (to[0] == '\0' || to[0] == '*')
		return json_string("");
	return at ? page_json_text(to) : page_json_textf("postmaster@%.300s", to);
}

void page_compare(const struct page_request *rq, json_t *model, const char *to)
{
	json_t *o = json_object(), *compare = json_object_get(model, "compare");
	const char *typed = page_args_field(rq, "try_to");

	page_json_set(o, "from", page_json_text(page_args_field(rq, "try_from")));
	page_json_set(o, "to", typed[0] ? page_json_text(typed) : suggested(to));
	page_json_set(o, "reply", json_boolean(page_args_field(rq, "try_reply")[0] != '\0'));
	page_json_set(o, "path", page_json_text(rq->path[0] == '/' ? rq->path + 1 : rq->path));
	page_json_set(o, "post", json_boolean(rq->query && json_object_get(rq->query, "csrf")));
	page_json_set(model, "try", o);
	if (json_is_object(json_object_get(compare, "now")) && json_is_object(json_object_get(compare, "then")))
		tell_sides(compare);
}
