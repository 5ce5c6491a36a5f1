/*
 * The schedule: exponential back-off with jitter (RFC 5321 4.5.4.1). Pure; relay. The jitter keeps mail that failed
 * together, when a partner's host went away, from coming back together.
 */
#include "gateway/queue/queue_schedule.h"

#define DAY_MS INT64_C(86400000)

int64_t queue_schedule_next(const struct queue_settings *set, int attempts, int64_t now_ms, uint16_t jitter)
{
	int64_t least = set->retry_min < set->retry_max ? set->retry_min : set->retry_max;
	int64_t wait = least;

	for (int i = 1; i < attempts && wait < set->retry_max; i++)
		wait = wait > set->retry_max / 2 ? set->retry_max : wait * 2;

	int64_t spread = wait / 4;

	wait = wait - spread + spread * jitter / UINT16_MAX;
	return now_ms + (wait < least ? least : wait);
}

int64_t queue_schedule_held(const struct queue_settings *set, enum queue_waits waits, int tries, int64_t now_ms)
{
	int64_t wait = set->held_retry, most = wait > DAY_MS ? wait : DAY_MS;

	if (wait == 0 || waits == QUEUE_WAITS_ADMIN || (waits == QUEUE_WAITS_INSIDE && tries >= set->held_retries))
		return 0;
	for (int i = 0; i < tries && wait < most; i++)
		wait = wait > most / 2 ? most : wait * 2;
	return now_ms + wait;
}

bool queue_schedule_expired(const struct queue_settings *set, int64_t arrived_ms, int64_t now_ms)
{
	return now_ms - arrived_ms >= set->expire;
}

bool queue_schedule_delayed(const struct queue_settings *set, int64_t arrived_ms, int64_t now_ms)
{
	return set->delay_warning > 0 && now_ms - arrived_ms >= set->delay_warning;
}
