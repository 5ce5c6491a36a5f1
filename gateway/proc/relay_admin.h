/* The admin's verbs on the queue, answered by the relay: queue.list, queue.show, queue.hold, queue.release,
 * queue.retry, queue.delete, recipient.check, status. Loop thread. */
#ifndef POSTERN_PROC_RELAY_ADMIN_H
#define POSTERN_PROC_RELAY_ADMIN_H

#include "gateway/proc/relay.h"

/* The channel to the admin process (owned); replaces an older one. */
void relay_admin_channel(struct relay *r, int fd);
void relay_admin_free(struct relay *r);

#endif
