/* Forms: what stands in their fields, and what would change. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_FORM_H
#define POSTERN_PAGE_PAGE_FORM_H

#include "admin-ui/page/page.h"

/* "form" in the model: for each name (between blanks) what was typed, else the text of the model's member from.NAME.
 */
void page_form_fill(const struct page_request *rq, json_t *model, const char *from, const char *names);

/* A choice of words with what they mean; the list ends with NULL. */
struct page_form_choice {
	const char *value, *label;
};
/* An array of {value, label, chosen} under this name in the model. */
void page_form_choices(json_t *model, const char *name, const struct page_form_choice *list, const char *chosen);

/* A field of a form that changes something, by its name in the form and in what is stored. */
struct page_form_field {
	const char *name, *label;
};
/* An array of {label, was, will} under "changes" in the model: the fields typed that differ from from.NAME. Those not
 * typed stay. */
void page_form_changes(
    const struct page_request *rq, json_t *model, const char *from, const struct page_form_field *fields, size_t n);
/* An array of {name, value} under "typed": all fields but csrf, confirm and try_..., to be sent again from a preview.
 */
void page_form_typed(const struct page_request *rq, json_t *model);

#endif
