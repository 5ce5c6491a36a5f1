/* Section "queue" of the configuration. relay. The defaults stand once, in the table; queue_settings_default reads
 * them from there. */
#include "gateway/queue/queue_settings.h"

#include <stddef.h>

#include "gateway/base/log.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)

#define DURATION(n, field, d, lo, hi, text)                                                                          \
	{                                                                                                            \
		.name = n, .type = SETTING_DURATION, .offset = offsetof(struct queue_settings, field), .dflt = d,    \
		.min = lo, .max = hi, .help = text                                                                   \
	}
#define SIZE(n, field, d, lo, hi, text)                                                                              \
	{                                                                                                            \
		.name = n, .type = SETTING_SIZE, .offset = offsetof(struct queue_settings, field), .dflt = d,        \
		.min = lo, .max = hi, .help = text                                                                   \
	}
#define NUMBER(n, field, d, lo, hi, text)                                                                            \
	{                                                                                                            \
		.name = n, .type = SETTING_INT, .offset = offsetof(struct queue_settings, field), .dflt = d,         \
		.min = lo, .max = hi, .help = text                                                                   \
	}

static const struct setting rows[] = {
    DURATION("retry-min", retry_min, "5m", SECOND, DAY,
	"How long a recipient waits after its first failed attempt; the wait doubles with each further one."),
    DURATION("retry-max", retry_max, "4h", SECOND, 7 * DAY, "The longest wait between two attempts."),
    DURATION("expire", expire, "5d", MINUTE, 60 * DAY,
	"How long delivery is tried; then the sender inside is told that it failed (RFC 5321 4.5.4.1: at least 4 to "
	"5 days)."),
    DURATION("delay-warning", delay_warning, "4h", 0, 60 * DAY,
	"After how long a sender inside is told once that the message still waits; 0 for never."),
    DURATION("hold-expire", hold_expire, "30d", HOUR, 365 * DAY,
	"How long held mail waits for its certificate or for the admin before it is given up."),
    NUMBER("held-max", held_max, "100000", 0, 100000000,
	"How many held recipients the queue may have before incoming mail that would have to be held, and encrypted "
	"mail, "
	"which may have to be, gets 452; 0 for no bound."),
    NUMBER("held-share", held_share, "10", 1, 100,
	"How many percent of held-max one outside client (an IPv6 one: its /64), or one sender's domain, may have; "
	"beyond that its mail that may have to be held gets 452, and everybody else's is taken; 100 for no such "
	"bound."),
    DURATION("held-retry", held_retry, "6h", 0, 30 * DAY,
	"How long held mail that waits for trust, a key, the inside server or this machine waits until it is judged "
	"or "
	"tried again by itself; the wait doubles each time up to a day. A change of trust or keys does not wait for "
	"it. 0 "
	"for never."),
    NUMBER("held-retries", held_retries, "20", 0, 1000,
	"How often the inside server is tried again by itself with what it refused after it was accepted; 0 for "
	"never."),
    SIZE("memory-max", memory_max, "256k", 0, 16 * MIB,
	"Sealed content up to this size stays in memory and goes into the queue database; larger content goes into a "
	"file in the spool directory."),
    NUMBER("sealed-ids-days", sealed_ids_days, "90", 1, 3650,
	"For how many days the Message-IDs of sealed mail are remembered, so that replies to it are sealed too."),
    DURATION("done-keep", done_keep, "30d", 0, 3650 * DAY,
	"How long the outcome of finished recipients stays in the queue's record; the content is removed at once."),
    NUMBER("dsn-match-days", dsn_match_days, "7", 0, 365,
	"For how many days after its end an outgoing message is known to the reports (DSNs) that come back about it; "
	"its record is kept at least as long, whatever done-keep says. 0: reports are matched to nothing."),
    SIZE("checkpoint", checkpoint, "8M", 256 * KIB, 1024 * MIB,
	"The write-ahead log is carried into the queue database when it is larger than this."),
    DURATION("commit-gap", commit_gap, "2ms", 0, SECOND,
	"How long after the last commit a message waits at most for others that are on their way, so that one sync "
	"serves many; a lone message waits for nothing."),
    NUMBER("active-max", active_max, "1000", 1, 100000, "The most recipients in delivery at one time."),
};

const struct settings_section queue_settings_section = {
    .name = "queue",
    .rows = rows,
    .nrows = sizeof rows / sizeof rows[0],
    .size = sizeof(struct queue_settings),
};

void queue_settings_default(struct queue_settings *set_r)
{
	struct settings *s;
	struct problem pr;

	if (settings_parse("(defaults)", "", 0, &queue_settings_section, 1, &s, &pr))
		log_panic("the defaults of section queue are wrong: %s", pr.text);
	*set_r = *(const struct queue_settings *)settings_get(s, "queue");
	settings_free(s);
}
