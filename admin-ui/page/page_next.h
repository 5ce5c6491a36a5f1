/* What to do next, in the browser: for each kind of thing that waits, the page and the button. (What the judge says
 * in "next" names commands.) Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_NEXT_H
#define POSTERN_PAGE_PAGE_NEXT_H

#include <jansson.h>

/* Rows of `status`: of "statements", "waiting", "partners_noticed", "revoked", "bundles", "rollovers", "expiring".
 * Sets "next" (a sentence), "href" (a path without its first slash) and "tail" (what stands behind it). */
void page_next(const char *list, json_t *row);
void page_next_all(const char *list, json_t *rows);

#endif
