/* Models of the pages of decisions: what waits, and one partner's statement. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_PENDING_H
#define POSTERN_PAGE_PAGE_PENDING_H

#include "admin-ui/page/page.h"

void page_pending_list(const struct page_request *rq, json_t *model);
void page_pending_one(const struct page_request *rq, json_t *model);

#endif
