#include "admin-ui/page/page_import.h"

#include <string.h>

#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_state.h"

enum { REFRESH_S = 2 };

static long long number(const json_t *o, const char *name)
{
	return (long long)page_json_int(o, name);
}

/* How it stands, in a sentence; whether it runs. */
static bool describe(json_t *o)
{
	const char *state = page_json_str(o, "state");
	bool reading = strcmp(state, "reading") == 0, storing = strcmp(state, "storing") == 0,
	     ready = strcmp(state, "ready") == 0;

	if (!json_is_object(o))
		return false;
	page_json_set(o, "badge", page_state(state));
	page_json_set(o, "runs", json_boolean(reading || storing));
	page_json_set(o, "ready", json_boolean(ready));
	page_json_set(o, "open", json_boolean(ready || reading || storing));
	page_json_set(o, "said",
	    reading ? page_json_textf("%lld of %lld octets are looked at", number(o, "done"), number(o, "of"))
		    : page_json_textf("%lld of %lld are stored", number(o, "done"), number(o, "of")));
	page_json_set(o, "sentence",
	    page_json_textf("%lld certificate%s%s: %lld new, %lld warned of, %lld known already, %lld refused, %lld "
			    "stored.",
		number(o, "certificates"), number(o, "certificates") == 1 ? "" : "s", reading ? " so far" : "",
		number(o, "counts.new"), number(o, "counts.warned"), number(o, "counts.known"),
		number(o, "counts.refused"), number(o, "counts.stored")));
	page_json_set(o, "force",
	    number(o, "counts.warned") == 1
		? json_string("Take also the one that is warned of")
		: page_json_textf("Take also the %lld that are warned of", number(o, "counts.warned")));
	page_json_set(o, "will",
	    number(o, "counts.new") == 1
		? json_string("1 will be stored, for the partner that it names. Nothing is stored yet.")
		: page_json_textf("%lld will be stored, each for the partner that it names. Nothing is stored yet.",
		      number(o, "counts.new")));
	if (strcmp(state, "failed") == 0 && number(o, "counts.stored") == 0)
		page_json_set(o, "advice",
		    json_string("Nothing of it is stored: mend the file, or ask for it anew, and import it again."));
	return reading || storing;
}

void page_import_list(const struct page_request *rq, json_t *model)
{
	json_t *list = page_json_list(model, "list.imports"), *o;
	bool runs = false;
	size_t i;

	(void)rq;
	json_array_foreach(list, i, o) runs = describe(o) || runs;
	page_json_set(model, "any", json_boolean(json_array_size(list) > 0));
	page_json_set(model, "headline", json_string("Imports of many certificates"));
	if (runs)
		page_json_set(model, "refresh", json_integer(REFRESH_S));
}

static void add_tabs(json_t *model, const char *id, const char *only)
{
	static const char *const words[][2] = {{"", "All"}, {"new", "New"}, {"warned", "Warned of"},
	    {"known", "Known"}, {"refused", "Refused"}, {"stored", "Stored"}};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		json_t *o = json_object();

		page_json_set(o, "id", page_json_text(id));
		page_json_set(o, "word", json_string(words[i][0]));
		page_json_set(o, "label", json_string(words[i][1]));
		page_json_set(o, "current", json_boolean(strcmp(only, words[i][0]) == 0));
		page_json_add(list, o);
	}
	page_json_set(model, "tabs", list);
}

void page_import_show(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "show.rows"), *o;
	const char *only = page_json_str(rq->query, "only"), *id = rq->segments[0];
	size_t i;

	json_array_foreach(rows, i, o) page_json_set(o, "badge", page_state(page_json_str(o, "state")));
	if (describe(json_object_get(json_object_get(model, "show"), "import")))
		page_json_set(model, "refresh", json_integer(REFRESH_S));
	page_json_set(model, "any", json_boolean(json_array_size(rows) > 0));
	add_tabs(model, id, only);
	if (!page_json_is(model, "show.more"))
		return;
	o = json_object();
	page_json_set(o, "id", page_json_text(id));
	page_json_set(o, "word", page_json_text(only));
	page_json_set(o, "next", json_integer(number(model, "show.next")));
	page_json_set(model, "after", o);
}
