#include "admin-ui/page/page_form.h"

#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/tmpl.h"

enum { NAME_MAX_ = 80 };

static bool is_typed(const struct page_request *rq, const char *name)
{
	return rq->query && json_object_get(rq->query, name);
}

void page_form_fill(const struct page_request *rq, json_t *model, const char *from, const char *names)
{
	const json_t *stored = tmpl_value(model, from);
	json_t *form = json_object();
	char name[NAME_MAX_];

	for (const char *p = names; *p;) {
		size_t n;

		p += strspn(p, " ");
		n = strcspn(p, " ");
		if (n > 0 && n < sizeof name) {
			memcpy(name, p, n);
			name[n] = '\0';
			page_json_set(form, name,
			    page_json_text(
				is_typed(rq, name) ? page_args_field(rq, name) : page_json_str(stored, name)));
		}
		p += n;
	}
	page_json_set(model, "form", form);
}

void page_form_choices(json_t *model, const char *name, const struct page_form_choice *list, const char *chosen)
{
	json_t *a = json_array();

	for (; list->value; list++) {
		json_t *o = json_object();

		page_json_set(o, "value", json_string(list->value));
		page_json_set(o, "label", json_string(list->label));
		page_json_set(o, "chosen", json_boolean(strcmp(list->value, chosen) == 0));
		page_json_add(a, o);
	}
	page_json_set(model, name, a);
}

void page_form_changes(
    const struct page_request *rq, json_t *model, const char *from, const struct page_form_field *fields, size_t n)
{
	const json_t *stored = tmpl_value(model, from);
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++) {
		const char *was = page_json_str(stored, fields[i].name), *will = page_args_field(rq, fields[i].name);
		json_t *o;

		if (!is_typed(rq, fields[i].name) || strcmp(was, will) == 0)
			continue;
		o = json_object();
		page_json_set(o, "label", json_string(fields[i].label));
		page_json_set(o, "was", page_json_text(was));
		page_json_set(o, "will", page_json_text(will));
		page_json_add(a, o);
	}
	page_json_set(model, "changes", a);
}

static void add_typed(json_t *a, const char *name, const json_t *value)
{
	json_t *o = json_object();

	page_json_set(o, "name", page_json_text(name));
	page_json_set(o, "value", page_json_text(json_string_value(value) ? json_string_value(value) : ""));
	page_json_add(a, o);
}

void page_form_typed(const struct page_request *rq, json_t *model)
{
	json_t *a = json_array();
	const char *name;
	json_t *v, *e;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)rq->query, name, v)
	{
		if (strcmp(name, "csrf") == 0 || strcmp(name, "confirm") == 0 || strncmp(name, "try_", 4) == 0)
			continue;
		if (json_is_string(v))
			add_typed(a, name, v);
		json_array_foreach(v, i, e) add_typed(a, name, e);
	}
	page_json_set(model, "typed", a);
}
