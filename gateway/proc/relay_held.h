/*
 * Held mail that goes on by itself: when what it waits for may have come (trust, a key of ours), or when its time has
 * come (held-retry), it is claimed from the queue a few at a time and judged anew: opened again, or tried again at
 * the inside server. It stays held in the database until that is settled. Nothing that waits for the admin comes
 * here. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_HELD_H
#define POSTERN_PROC_RELAY_HELD_H

#include "gateway/proc/relay.h"
#include "gateway/proc/relay_settle.h"

struct relay_held *relay_held_new(struct relay *r);
void relay_held_free(struct relay_held *h);
/* Trust or keys changed for this domain; NULL: for anybody. */
void relay_held_changed(struct relay_held *h, const char *domain);
/* The keeper is ready: who waits for a process of ours, or could not be judged without one, is looked at again. */
void relay_held_mended(struct relay_held *h);
/* Something may be due: look soon. */
void relay_held_kick(struct relay_held *h);
/* The keeper does not answer: no more are begun for some seconds. */
void relay_held_rest(struct relay_held *h);
/* A job with `held` set is under way; it came to its end. */
void relay_held_begin(struct relay_held *h);
void relay_held_end(struct relay_held *h);
/* It could not be judged just now: what it waits for stays, and the schedule of undelivered mail says when to try. */
struct queue_hold relay_held_same(const struct relay *r, int tries);
/* With s, something is held by what was known when relay_ask_trust_changes said `asked`: has that changed until the
 * commit is made, it is judged again at once. For settlements without another relay_settle_after. */
void relay_held_watch(struct relay_settle *s, uint64_t asked, const char *domain);

#endif
