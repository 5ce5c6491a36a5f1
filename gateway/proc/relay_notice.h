/*
 * Delivery status notifications to inside senders (RFC 3464): failed recipients are collected, then one notice for
 * all of them is put into the same transaction. Headers only, never content. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_NOTICE_H
#define POSTERN_PROC_RELAY_NOTICE_H

#include "gateway/proc/relay_settle.h"

/* Remembers one failed recipient in s. */
void relay_notice_add(
    struct relay_settle *s, const char *address, const char *status, const char *why, const char *remote);
/* Makes the notice for those remembered; nothing when there are none, or when the sender is null or not of our
 * domains. -1: it could not be made now (keeper away, disk): then the recipients must not be settled as failed yet.
 */
int relay_notice_make(struct relay_settle *s, const char *sender, int64_t arrived_ms, struct spool *content)
    __attribute__((warn_unused_result));

#endif
