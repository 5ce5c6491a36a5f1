/* Lists for the admin. The function is declared in queue.h. relay. */
#ifndef POSTERN_QUEUE_QUEUE_LIST_H
#define POSTERN_QUEUE_QUEUE_LIST_H

#include "gateway/queue/queue.h"

#endif
