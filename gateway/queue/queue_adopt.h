/*
 * Takes over the queue of a dead node: `postern queue adopt`. Neither gateway may run. Message by message into this
 * queue, in transactions of at most 64 messages; what was taken is remembered there under the other queue's name, so
 * that a run that ended in the middle is gone on with and nothing is taken twice, also when the other directory was
 * copied meanwhile. Blocks.
 */
#ifndef POSTERN_QUEUE_QUEUE_ADOPT_H
#define POSTERN_QUEUE_QUEUE_ADOPT_H

#include <stdint.h>

#include "gateway/base/problem.h"

struct queue_adopted {
	int64_t messages;   /* taken over now */
	int64_t before;	    /* had been taken over by an earlier run */
	int64_t recipients; /* of those taken over now that wait or are held */
	int64_t sealed_ids;
};
/* 0, or -1 with pr; n_r says how far it came in both cases. */
int queue_adopt(const char *dir, const char *from, struct queue_adopted *n_r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
