#include "admin-ui/page/page_audit.h"

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_json.h"

enum { ROWS = 100 };

void page_audit_list(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "list.rows");
	size_t n = json_array_size(rows);
	bool asked = json_object_get(model, "verify") != NULL, failed = page_json_is(model, "verify.failed");

	if (n == ROWS)
		page_json_set(model, "before", json_integer(page_json_int(json_array_get(rows, n - 1), "id")));
	page_json_set(model, "any", json_boolean(n > 0));
	page_json_set(model, "good", json_boolean(asked && !failed));
	page_json_set(model, "head", page_json_text(page_args_field(rq, "head")));
	page_json_set(model, "headline",
	    json_string(asked && failed ? "The audit log is not whole"
			: asked		? "The audit log is whole"
					: "Audit log: who changed what"));
}
