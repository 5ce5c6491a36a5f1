/* One message for the admin. The function is declared in queue.h. relay. */
#ifndef POSTERN_QUEUE_QUEUE_SHOW_H
#define POSTERN_QUEUE_QUEUE_SHOW_H

#include "gateway/queue/queue.h"

#endif
