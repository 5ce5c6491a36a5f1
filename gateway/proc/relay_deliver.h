/*
 * Delivery: what is due is claimed from the queue (or comes straight from a commit), sent to its next hop, and
 * settled: delivered, later, held, or bounced with a notice to an inside sender. What an inside server refuses after
 * we accepted it is held, never bounced outside. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_DELIVER_H
#define POSTERN_PROC_RELAY_DELIVER_H

#include "gateway/proc/relay.h"

struct relay_deliver *relay_deliver_new(struct relay *r);
/* Deliveries under way are forgotten: their recipients become queued at the next start. */
void relay_deliver_free(struct relay_deliver *d);
/* May one more message be delivered straight from its commit? */
bool relay_deliver_room(const struct relay_deliver *d);
/* Delivers to the recipients of one committed message that have this next hop (rows are ACTIVE). Everything is
 * copied, content referenced. */
struct relay_deliver_rcpt {
	int64_t row;
	const char *address, *treatment;
	int attempts;
};
void relay_deliver_begin(struct relay_deliver *d, const char *id, enum queue_kind kind, const char *sender,
    const char *nexthop, const char *facts, int64_t arrived, struct spool *content,
    const struct relay_deliver_rcpt *v, size_t n);
/* Something became due: claim soon. */
void relay_deliver_kick(struct relay_deliver *d);
/* Messages under way. */
size_t relay_deliver_active(const struct relay_deliver *d);

#endif
