/* Models of the pages about partners. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_PARTNER_H
#define POSTERN_PAGE_PAGE_PARTNER_H

#include "admin-ui/page/page.h"

/* The answers' keys: "list" (partner.list); "p" (partner.show), "to" and "from" (message.find); "result" (lookup);
 * "history" (audit.list). */
page_model page_partner_list, page_partner_show, page_partner_history, page_partner_edit, page_partner_change,
    page_partner_remove, page_partner_lookup;

#endif
