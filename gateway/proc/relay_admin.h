/* The admin's verbs on the queue, answered by the relay: queue.list, queue.show, queue.hold, queue.release,
 * queue.retry, queue.delete, recipient.check, message.find, message.show, message.counts, status. Loop thread. */
#ifndef POSTERN_PROC_RELAY_ADMIN_H
#define POSTERN_PROC_RELAY_ADMIN_H

#include <jansson.h>

#include "gateway/proc/relay.h"

/* The admin process, which asks for root; the web process, whose users the judge has been asked about before. */
enum relay_asker { RELAY_ADMIN, RELAY_WEB, RELAY_ASKERS };

/* The channel to one of them (owned); replaces an older one. */
void relay_admin_channel(struct relay *r, enum relay_asker who, int fd);
void relay_admin_free(struct relay *r);

#endif
