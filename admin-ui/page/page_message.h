/* Models of the pages about messages. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_MESSAGE_H
#define POSTERN_PAGE_PAGE_MESSAGE_H

#include "admin-ui/page/page.h"

/* The answers' keys: "found" (message.find); "m" (message.show), "queue" (queue.show); "held" (queue.list); "result"
 * (of many). */
page_model page_message_search, page_message_show, page_message_held, page_message_change, page_message_changed;

/* Messages of message.find: what a table needs of each. */
void page_message_rows(json_t *messages);

#endif
