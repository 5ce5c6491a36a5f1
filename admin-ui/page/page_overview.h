/* The model of the first page: is everything all right? Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_OVERVIEW_H
#define POSTERN_PAGE_PAGE_OVERVIEW_H

#include "admin-ui/page/page.h"

/* The answers' keys: "judge" (status), "relay" (status), "counts" (message.counts). */
page_model page_overview;

#endif
