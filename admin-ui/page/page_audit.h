/* Model of the page of the audit log. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_AUDIT_H
#define POSTERN_PAGE_PAGE_AUDIT_H

#include "admin-ui/page/page.h"

void page_audit_list(const struct page_request *rq, json_t *model);

#endif
