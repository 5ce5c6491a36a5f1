/* Section "queue" of the configuration: times, sizes and limits of the queue. relay. */
#ifndef POSTERN_QUEUE_QUEUE_SETTINGS_H
#define POSTERN_QUEUE_QUEUE_SETTINGS_H

#include <stdint.h>

#include "gateway/base/settings.h"

/* Durations in ms, sizes in octets. */
struct queue_settings {
	int64_t retry_min;
	int64_t retry_max;
	int64_t expire;
	int64_t delay_warning; /* 0: none */
	int64_t hold_expire;
	int64_t held_max;   /* recipients; 0: no bound */
	int64_t held_share; /* percent of held_max */
	int64_t held_retry; /* 0: never */
	int64_t held_retries;
	int64_t memory_max;
	int64_t sealed_ids_days; /* days */
	int64_t done_keep;
	int64_t dsn_match_days; /* days; 0: reports from outside are matched to nothing */
	int64_t checkpoint;
	int64_t commit_gap;
	int64_t active_max; /* recipients */
};

extern const struct settings_section queue_settings_section;

/* The defaults of the table, for tests and tools without a configuration file. */
void queue_settings_default(struct queue_settings *set_r);

#endif
