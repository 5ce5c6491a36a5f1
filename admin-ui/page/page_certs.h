/* Models of the pages of certificates, trust anchors and bundles. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_CERTS_H
#define POSTERN_PAGE_PAGE_CERTS_H

#include "admin-ui/page/page.h"

void page_certs_list(const struct page_request *rq, json_t *model);
void page_certs_form(const struct page_request *rq, json_t *model);
void page_certs_show(const struct page_request *rq, json_t *model);
void page_certs_preview(const struct page_request *rq, json_t *model);
void page_certs_anchors(const struct page_request *rq, json_t *model);
void page_certs_anchor_form(const struct page_request *rq, json_t *model);
void page_certs_bundles(const struct page_request *rq, json_t *model);
void page_certs_bundle(const struct page_request *rq, json_t *model);
/* The entries of tabs.html, one of them marked. */
void page_certs_tabs(json_t *model, const char *current);
/* Badge, names and kind of one certificate's facts. */
void page_certs_facts(json_t *cert);

#endif
