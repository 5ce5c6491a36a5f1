/* Section "history" of the configuration. relay. */
#include "gateway/queue/history_settings.h"

#include <stddef.h>

#define AT(field) .offset = offsetof(struct history_settings, field)
#define MIB INT64_C(1048576)

static const struct setting rows[] = {
    {.name = "enabled",
	.type = SETTING_BOOL,
	AT(enabled),
	.dflt = "yes",
	.help = "Whether what becomes of each message is remembered for `postern message`; never its content."},
    {.name = "days",
	.type = SETTING_INT,
	AT(days),
	.dflt = "30",
	.min = 1,
	.max = 3650,
	.help = "For how many days."},
    {.name = "messages-max",
	.type = SETTING_INT,
	AT(messages_max),
	.dflt = "5000000",
	.min = 1000,
	.max = 100000000,
	.help = "How many messages at most; beyond that the oldest are forgotten before their days are over."},
    {.name = "size-max",
	.type = SETTING_SIZE,
	AT(size_max),
	.dflt = "4G",
	.min = 16 * MIB,
	.max = 1024 * 1024 * MIB,
	.help = "How large its file in the queue directory may become; beyond that the oldest messages are "
		"forgotten."},
    {.name = "refusals-per-minute",
	.type = SETTING_INT,
	AT(refusals_per_minute),
	.dflt = "600",
	.min = 0,
	.max = 1000000,
	.help = "How many recipients refused at RCPT are remembered one by one in a minute; further ones are only "
		"counted."},
};

const struct settings_section history_settings_section = {
    .name = "history",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct history_settings),
};
