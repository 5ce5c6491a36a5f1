/* Models of the pages of imports of many certificates. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_IMPORT_H
#define POSTERN_PAGE_PAGE_IMPORT_H

#include "admin-ui/page/page.h"

void page_import_list(const struct page_request *rq, json_t *model);
void page_import_show(const struct page_request *rq, json_t *model);

#endif
