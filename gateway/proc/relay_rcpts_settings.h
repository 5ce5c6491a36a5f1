/* Settings of section "recipients": how long answers on recipients of our domains are believed, and what bounds the
 * asking. Role relay, parent. */
#ifndef POSTERN_PROC_RELAY_RCPTS_SETTINGS_H
#define POSTERN_PROC_RELAY_RCPTS_SETTINGS_H

#include "gateway/base/settings.h"

struct relay_rcpts_settings {
	int64_t known_for, unknown_for, stale_for; /* ms */
	int64_t cache_max;			   /* answers of each kind */
	int64_t waiting_max, waiting_per_client;
	int64_t timeout; /* ms, for a client at RCPT */
	int64_t connections, idle_time, backoff_max;
	int64_t map_max; /* octets of one recipient-map */
};
extern const struct settings_section relay_rcpts_settings_section;

#endif
