/* Claims: what is due becomes active, in memory; nothing is written. The functions are declared in queue.h. relay. */
#ifndef POSTERN_QUEUE_QUEUE_CLAIM_H
#define POSTERN_QUEUE_QUEUE_CLAIM_H

#include "gateway/queue/queue.h"

#endif
