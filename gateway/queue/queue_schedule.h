/* When a recipient is tried again and when it is given up. Pure. relay. */
#ifndef POSTERN_QUEUE_QUEUE_SCHEDULE_H
#define POSTERN_QUEUE_QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/queue/queue.h"
#include "gateway/queue/queue_settings.h"

/* After `attempts` tries (the one that just failed included), in unix ms: retry-min doubled with each try up to
 * retry-max, spread by jitter 0..65535 over the upper quarter, never less than retry-min nor more than retry-max (RFC
 * 5321 4.5.4.1). */
int64_t queue_schedule_next(const struct queue_settings *set, int attempts, int64_t now_ms, uint16_t jitter);
/* When what is held is judged again by the clock: held-retry, doubled with each time up to a day (or held-retry, if
 * that is longer). 0: never; the admin's, and the inside server after held-retries times. */
int64_t queue_schedule_held(const struct queue_settings *set, enum queue_waits waits, int tries, int64_t now_ms);
/* Tried long enough (`expire`). */
bool queue_schedule_expired(const struct queue_settings *set, int64_t arrived_ms, int64_t now_ms);
/* A delay notice is due (`delay-warning`); whether one went out already is with the recipient. */
bool queue_schedule_delayed(const struct queue_settings *set, int64_t arrived_ms, int64_t now_ms);

#endif
