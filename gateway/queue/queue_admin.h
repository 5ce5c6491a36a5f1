/* The admin's hand on the queue. The function is declared in queue.h. relay. */
#ifndef POSTERN_QUEUE_QUEUE_ADMIN_H
#define POSTERN_QUEUE_QUEUE_ADMIN_H

#include "gateway/queue/queue.h"

#endif
