/* Is a queue directory whole? For `postern queue check`: reads beside a running gateway or without one, writes
 * nothing, needs no key. */
#ifndef POSTERN_QUEUE_QUEUE_CHECK_H
#define POSTERN_QUEUE_QUEUE_CHECK_H

#include <jansson.h>

#include "gateway/base/problem.h"

/* {directory, good, messages, queued, held, done (recipients), octets, findings: [sentence ...]}; the caller decrefs.
 * At most 100 findings. NULL with pr: it cannot be read at all. Blocks for as long as reading the whole database
 * takes. */
json_t *queue_check(const char *dir, struct problem *pr);

#endif
