/*
 * The admin's hand on messages: queue.hold, release, retry, delete, of one message or of many. Role relay, loop
 * thread; the queue's writer does it, and nothing here waits for it.
 */
#ifndef POSTERN_PROC_RELAY_CHANGE_H
#define POSTERN_PROC_RELAY_CHANGE_H

#include <jansson.h>
#include <stdbool.h>

#include "gateway/proc/relay.h"

enum { RELAY_CHANGE_MAX = 1000 /* messages in one request */ };

bool relay_change_is(const char *verb);
/* data is taken over; NULL: code and a sentence instead. */
typedef void relay_change_done(void *ctx, json_t *data, const char *code, const char *text);
/*
 * args: id (with address, reason), answered by "changed", the number of its recipients; or ids, a list of at most
 * RELAY_CHANGE_MAX, each done for itself whatever became of the others: "messages" that were changed, "changed" of
 * their recipients, "failed": [{id, why}]. done: once, later or at once.
 */
void relay_change_begin(
    struct relay *r, const char *verb, const json_t *args, const char *who, relay_change_done *done, void *ctx);

#endif
