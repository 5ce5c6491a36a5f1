/* The wall clock the queue goes by, which tests replace. relay. */
#ifndef POSTERN_QUEUE_QUEUE_CLOCK_H
#define POSTERN_QUEUE_QUEUE_CLOCK_H

#include <stdint.h>

struct queue_clock {
	int64_t (*now_ms)(void *ctx); /* unix ms */
	void *ctx;
};

/* The machine's. */
void queue_clock_init(struct queue_clock *c);
int64_t queue_clock_ms(const struct queue_clock *c);

#endif
