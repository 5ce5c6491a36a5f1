#include "admin-ui/page/page_settings.h"

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_json.h"

/* An empty text is said in words: a blank cell would look like a fault. */
static void words(json_t *row)
{
	const char *title = page_json_str(row, "title"), *section = page_json_str(row, "section");
	bool no_default = json_is_null(json_object_get(row, "default"));

	page_json_set(row, "place",
	    title[0]	 ? page_json_textf("%s \"%s\"", section, title)
	    : section[0] ? page_json_text(section)
			 : json_string("top level"));
	page_json_set(row, "empty", json_boolean(page_json_str(row, "value")[0] == '\0'));
	page_json_set(row, "must", json_boolean(no_default));
	page_json_set(row, "default_empty", json_boolean(!no_default && page_json_str(row, "default")[0] == '\0'));
}

void page_settings_show(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "list.settings"), *row;
	size_t i, changed = 0, n = json_array_size(rows);

	json_array_foreach(rows, i, row)
	{
		words(row);
		changed += page_json_is(row, "changed");
	}
	page_json_set(model, "any", json_boolean(n > 0));
	page_json_set(model, "match", page_json_text(page_args_field(rq, "match")));
	page_json_set(model, "only", json_boolean(page_args_field(rq, "changed")[0] == '1'));
	page_json_set(model, "counted",
	    page_json_textf("%zu setting%s shown, %zu of them set to something else than the default.", n,
		n == 1 ? "" : "s", changed));
}
