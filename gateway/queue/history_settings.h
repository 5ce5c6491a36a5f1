/* Section "history" of the configuration: how long it is kept what became of each message. relay. */
#ifndef POSTERN_QUEUE_HISTORY_SETTINGS_H
#define POSTERN_QUEUE_HISTORY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/settings.h"

struct history_settings {
	bool enabled;
	int64_t days;
	int64_t messages_max;
	int64_t size_max;	     /* octets */
	int64_t refusals_per_minute; /* at RCPT */
};

extern const struct settings_section history_settings_section;

#endif
