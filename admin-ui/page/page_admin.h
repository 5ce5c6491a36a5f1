/* The rows of the tables of page.h for decisions, certificates, anchors, bundles, own domains, policy, audit log,
 * settings, users and signing in. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_ADMIN_H
#define POSTERN_PAGE_PAGE_ADMIN_H

#include "admin-ui/page/page.h"

/* NULL beyond the last. */
const struct page *page_admin_at(size_t i);
const struct page_action *page_admin_action_at(size_t i);

#endif
