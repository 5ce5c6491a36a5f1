/*
 * Encrypted mail that was accepted as it came is opened here, after its 250: the sealer opens, the judge is asked who
 * signed, and the opened form replaces the raw one in one transaction; or it is held with its reason (promise P10).
 * Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_OPEN_H
#define POSTERN_PROC_RELAY_OPEN_H

#include "gateway/proc/relay.h"

/* A raw message claimed from the queue (copied; content referenced). */
void relay_open_claimed(struct relay *r, const struct queue_job *j, struct spool *content);
/* Raw messages being opened now. */
size_t relay_open_active(const struct relay *r);

#endif
