#include "admin-ui/page/page_users.h"

#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_form.h"
#include "admin-ui/page/page_json.h"

static const struct page_form_choice roles[] = {{"viewer", "viewer: sees everything but mail and the audit log"},
    {"operator", "operator: looks after mail, too"}, {"trust-officer", "trust officer: decides whom to trust, too"},
    {"admin", "admin: everything"}, {NULL, NULL}};

void page_users_list(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "list.users"), *o;
	size_t n = json_array_size(rows), i;

	(void)rq;
	json_array_foreach(rows, i, o)
	    page_json_set(o, "ntokens", json_integer((json_int_t)json_array_size(page_json_list(o, "tokens"))));
	page_json_set(model, "any", json_boolean(n > 0));
	page_json_set(model, "headline",
	    n == 1 ? json_string("One user may sign in") : page_json_textf("%zu users may sign in", n));
}

void page_users_form(const struct page_request *rq, json_t *model)
{
	page_form_fill(rq, model, "", "name");
	page_form_choices(
	    model, "roles", roles, page_args_field(rq, "role")[0] ? page_args_field(rq, "role") : "viewer");
}

void page_users_one(const struct page_request *rq, json_t *model)
{
	json_t *o, *user = NULL;
	size_t i;

	json_array_foreach(page_json_list(model, "list.users"), i,
	    o) if (strcmp(page_json_str(o, "name"), rq->segments[0]) == 0) user = o;
	page_json_set(model, "name", page_json_text(rq->segments[0]));
	page_json_set(model, "self", json_boolean(rq->user && strcmp(rq->user, rq->segments[0]) == 0));
	if (user)
		page_json_set(model, "user", json_deep_copy(user));
	page_form_fill(rq, model, "", "label days");
	page_form_choices(model, "roles", roles, page_json_str(user, "role"));
}
