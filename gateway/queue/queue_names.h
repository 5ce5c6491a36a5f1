/* The words for kinds, states and outcomes, as the CLI and the UI show them. Pure. */
#ifndef POSTERN_QUEUE_QUEUE_NAMES_H
#define POSTERN_QUEUE_QUEUE_NAMES_H

#include "gateway/queue/queue.h"

/* "raw", "queued", "delivered" ...; "" for QUEUE_NONE; "?" for what is not one. */
const char *queue_names_kind(enum queue_kind k);
const char *queue_names_state(enum queue_state s);
const char *queue_names_outcome(enum queue_outcome o);
/* "admin", "trust", "key", "inside", "service". */
const char *queue_names_waits(enum queue_waits w);
/* The state of a word; -1 for none. */
int queue_names_find_state(const char *word);

#endif
