/*
 * Alerts become mail to the admin: from the relay's own queue to the inside server, never the way of mail for others.
 * What was told is remembered in the file alerts.json of the queue directory, written before the mail is queued: a
 * crash between the two loses a mail and doubles none. Loop thread; writes that small file.
 */
#ifndef POSTERN_PROC_RELAY_ALERT_H
#define POSTERN_PROC_RELAY_ALERT_H

#include <jansson.h>

#include "gateway/proc/relay.h"

/* Where the file lies (copied). */
void relay_alert_init(const char *dir);
/* alerts: alert_list.h. How many of them are told by a mail that is queued now, -1 with pr. */
long relay_alert_tell(struct relay *r, const json_t *alerts, struct problem *pr) __attribute__((warn_unused_result));

#endif
