/* The wall clock: times in the database must mean the same after a restart, so it cannot be the monotonic one. relay.
 */
#include "gateway/queue/queue_clock.h"

#include <time.h>

static int64_t wall(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void queue_clock_init(struct queue_clock *c)
{
	*c = (struct queue_clock){.now_ms = wall};
}

int64_t queue_clock_ms(const struct queue_clock *c)
{
	return c->now_ms(c->ctx);
}
