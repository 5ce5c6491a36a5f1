/* Models of the pages of our own domains: keys, requests, rollover, records. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_DOMAINS_H
#define POSTERN_PAGE_PAGE_DOMAINS_H

#include "admin-ui/page/page.h"

void page_domains_list(const struct page_request *rq, json_t *model);
void page_domains_one(const struct page_request *rq, json_t *model);
void page_domains_made(const struct page_request *rq, json_t *model);
void page_domains_opened(const struct page_request *rq, json_t *model);
void page_domains_retire(const struct page_request *rq, json_t *model);

#endif
