/* States as badges: a word, and whether it is good. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_STATE_H
#define POSTERN_PAGE_PAGE_STATE_H

#include <jansson.h>

/* {word, class} for a badge (template badge.html): class is "good", "warn", "bad", "info" or "". Words of which
 * nothing is known have no class. */
json_t *page_state(const char *word);
const char *page_state_class(const char *word);

#endif
