/* Models of the pages of policy: rules in sentences, what would happen to a mail. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_POLICY_H
#define POSTERN_PAGE_PAGE_POLICY_H

#include "admin-ui/page/page.h"

void page_policy_list(const struct page_request *rq, json_t *model);
void page_policy_form(const struct page_request *rq, json_t *model);
void page_policy_edit(const struct page_request *rq, json_t *model);
void page_policy_preview(const struct page_request *rq, json_t *model);
void page_policy_remove(const struct page_request *rq, json_t *model);

#endif
