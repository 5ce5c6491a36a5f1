/* A note on its way to the history's writer: one allocation. relay. */
#ifndef POSTERN_QUEUE_HISTORY_ITEM_H
#define POSTERN_QUEUE_HISTORY_ITEM_H

#include "gateway/queue/history.h"

struct history_item {
	struct history_item *next;
	struct history_item *last; /* of the list that begins with it, until it is put */
	int64_t at;		   /* unix ms */
	enum history_verb verb;
	const char *address; /* of verb */
	size_t octets;
	struct history_note n; /* points behind this struct */
};
struct history_item *history_item_make(
    const struct history_note *n, enum history_verb verb, const char *address, int64_t now_ms);

#endif
