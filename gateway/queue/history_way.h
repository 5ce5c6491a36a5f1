/*
 * A message's events as they are stored: one after the other, each a separator and its fields between separators.
 * Control characters of the texts become blanks. relay; pure.
 */
#ifndef POSTERN_QUEUE_HISTORY_WAY_H
#define POSTERN_QUEUE_HISTORY_WAY_H

#include <jansson.h>

#include "gateway/base/buf.h"
#include "gateway/queue/history_item.h"

#define HISTORY_WAY_MAX 65536 /* octets; later events of such a message are only counted in its recipients' rows */

/* Adds the note's event. Past the buffer's maximum: nothing. */
void history_way_add(struct buf *way, const struct history_item *it);
/* [{at, event, message, recipient (row), text, remote, tls, status}], oldest first. What cannot be read is left out.
 */
json_t *history_way_json(const char *way, size_t n);
/* A JSON string; octets that are no UTF-8 become '?'. */
json_t *history_way_text(const char *s);

#endif
