/* The table of section "recipients". Role relay and whoever reads the configuration. Pure. */
#include "gateway/proc/relay_rcpts_settings.h"

#define S 1000LL
#define HOUR (3600 * S)
#define DAY (24 * HOUR)

#define MS(field, text, min_, max_, words_)                                                                          \
	.type = SETTING_DURATION, .offset = offsetof(struct relay_rcpts_settings, field), .dflt = text, .min = min_, \
	.max = max_, .help = words_
#define NUMBER(field, text, min_, max_, words_)                                                                      \
	.type = SETTING_INT, .offset = offsetof(struct relay_rcpts_settings, field), .dflt = text, .min = min_,      \
	.max = max_, .help = words_

static const struct setting rows[] = {
    {.name = "known-for",
	MS(known_for, "24h", 0, 30 * DAY, "How long \"this recipient exists\" is believed without asking again.")},
    {.name = "unknown-for",
	MS(unknown_for, "1h", 0, 30 * DAY,
	    "How long \"there is no such recipient\" is believed; a new mailbox gets its first mail after this at "
	    "the latest.")},
    {.name = "stale-for",
	MS(stale_for, "7d", 0, 365 * DAY,
	    "How old \"this recipient exists\" may be while its source cannot be asked; an old \"no such recipient\" "
	    "is never used.")},
    {.name = "cache-max",
	NUMBER(cache_max, "100000", 100, 10000000,
	    "Answers that are remembered, of either kind; those not used for longest go first.")},
    {.name = "waiting-max",
	NUMBER(waiting_max, "2000", 1, 1000000,
	    "Different addresses that clients wait for at once; further ones are told to try again (451 4.3.2).")},
    {.name = "waiting-per-client",
	NUMBER(waiting_per_client, "50", 1, 1000000,
	    "Of them, those of one client outside (IPv6: network of 64 bits); further ones are told to try again "
	    "(451 "
	    "4.7.1).")},
    {.name = "timeout",
	MS(timeout, "20s", 100, 240 * S,
	    "How long a client waits at RCPT for the answer; the question goes on and its answer is remembered.")},
    {.name = "probe-connections",
	NUMBER(connections, "4", 1, 100, "Call-ahead: connections to the inside server of one domain.")},
    {.name = "probe-idle",
	MS(idle_time, "10s", 0, HOUR, "Call-ahead: how long a connection is kept for the next question.")},
    {.name = "probe-backoff",
	MS(backoff_max, "15s", 1, HOUR,
	    "Call-ahead: the longest time an inside server that is away is not asked again.")},
    {.name = "map-max",
	.type = SETTING_SIZE,
	.offset = offsetof(struct relay_rcpts_settings, map_max),
	.dflt = "64M",
	.min = 1024,
	.max = 1024 * 1024 * 1024,
	.help = "Octets of one recipient-map file; a larger one is refused when it is read."},
};

const struct settings_section relay_rcpts_settings_section = {
    .name = "recipients",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct relay_rcpts_settings),
};
