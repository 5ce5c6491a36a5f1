/*
 * What becomes of a claimed message: its content is read back and it is delivered or opened; one that cannot be read
 * is put off or held, one that was held for too long ends. Loop thread; blocks on the disk, and on the keeper for a
 * data key of another time.
 */
#ifndef POSTERN_PROC_RELAY_CLAIMED_H
#define POSTERN_PROC_RELAY_CLAIMED_H

#include "gateway/proc/relay.h"

/* Begins with it: delivery, or opening. The job stays the caller's. */
void relay_claimed_begin(struct relay *r, const struct queue_job *j);
/* The keeper does not answer: nothing is written, and all of the next hop is claimed again soon. */
void relay_claimed_put_back(struct relay *r, const struct queue_job *j, const struct problem *pr);
/* Ends some of those that were held longer than hold-expire. */
void relay_claimed_stale(struct relay *r);

#endif
