/* The model of /settings. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_SETTINGS_H
#define POSTERN_PAGE_PAGE_SETTINGS_H

#include "admin-ui/page/page.h"

page_model page_settings_show;

#endif
