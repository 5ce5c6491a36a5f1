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
	bool warned;
	struct envelope_rcpt env;
};
struct relay_deliver_msg {
	const char *id, *sender, *nexthop, *facts;
	enum queue_kind kind;
	struct envelope env;
	int64_t arrived; /* unix ms */
	bool probe;	 /* the next hop was down when last tried */
	bool stranger;	 /* nothing was taken there since the start */
	bool held;	 /* as queue_job says */
	int tries;
	struct spool *content;
};
void relay_deliver_begin(
    struct relay_deliver *d, const struct relay_deliver_msg *m, const struct relay_deliver_rcpt *v, size_t n);
/* Something became due: claim soon. */
void relay_deliver_kick(struct relay_deliver *d);
/* The admin wants it tried now: what the pool knows of the next hop's failures is forgotten. */
void relay_deliver_wake(struct relay_deliver *d, const char *nexthop);
/* Messages under way. */
size_t relay_deliver_active(const struct relay_deliver *d);

#endif
