/* Models of the pages of users. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_USERS_H
#define POSTERN_PAGE_PAGE_USERS_H

#include "admin-ui/page/page.h"

void page_users_list(const struct page_request *rq, json_t *model);
void page_users_form(const struct page_request *rq, json_t *model);
void page_users_one(const struct page_request *rq, json_t *model);

#endif
