/* While the queue cannot be opened: whoever comes is told so, and is not left to wait for a greeting. relay. */
#ifndef POSTERN_PROC_RELAY_CLOSED_H
#define POSTERN_PROC_RELAY_CLOSED_H

#include <stddef.h>

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"

struct relay_closed_listeners {
	const int *fds;
	size_t n;
};
/* 421 to all clients of these listeners for a while; then the process ends, and the next one tries anew. */
void relay_closed(struct loop *l, const char *hostname, const struct relay_closed_listeners *at,
    const struct problem *why) __attribute__((noreturn));

#endif
