#include "gateway/proc/relay_held.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_claimed.h"
#include "gateway/proc/relay_deliver.h"

enum {
	AT_ONCE = 8,   /* judged again at one time: what comes in has most of the sealers and of the disk */
	FULL_MS = 500, /* all places taken: the end of one kicks */
	IDLE_MS = 5000,
	REST_MS = 10000, /* the keeper does not answer */
	SOON_MS = 5,
};

struct relay_held {
	struct relay *r;
	struct loop_timer *timer;
	size_t under_way;
	bool resting; /* for the rest of this round */
};

static void run_jobs(struct relay_held *h, struct queue_job **jobs, size_t n)
{
	h->resting = false;
	for (size_t i = 0; i < n; i++) {
		if (h->resting)
			queue_give_back(h->r->queue, jobs[i], 0);
		else
			relay_claimed_begin(h->r, jobs[i]);
		queue_job_free(jobs[i]);
	}
}

void relay_held_rest(struct relay_held *h)
{
	h->resting = true;
	queue_held_mended(h->r->queue);
	queue_held_changed(h->r->queue, NULL); /* those given back would be passed over by what was under way */
}

static int64_t wait_for(const struct relay_held *h, int64_t due)
{
	int64_t wait = due == INT64_MAX ? IDLE_MS : due - queue_now(h->r->queue);

	if (h->under_way >= AT_ONCE)
		return FULL_MS;
	return wait < SOON_MS ? SOON_MS : wait > IDLE_MS ? IDLE_MS : wait;
}

static bool may_judge(const struct relay_held *h)
{
	const struct judge_identity *ids;
	size_t n;

	return !h->r->stopping && h->r->keeper == KEYS_READY && relay_ask_identities(h->r->ask, &ids, &n) &&
	       h->under_way < AT_ONCE && relay_deliver_room(h->r->deliver);
}

static void on_timer(void *ctx)
{
	struct relay_held *h = ctx;
	struct queue_job *jobs[AT_ONCE];
	int64_t due;
	size_t n;

	if (!may_judge(h)) {
		loop_timer_set(h->timer, FULL_MS);
		return;
	}
	n = queue_claim_again(h->r->queue, AT_ONCE - h->under_way, jobs, &due);
	run_jobs(h, jobs, n);
	if (h->resting)
		loop_timer_set(h->timer, REST_MS);
	else /* a walk that stands still at one in delivery goes on when that has ended */
		loop_timer_set(h->timer, n == 0 && due <= queue_now(h->r->queue) ? FULL_MS : wait_for(h, due));
}

void relay_held_kick(struct relay_held *h)
{
	loop_timer_set(h->timer, SOON_MS);
}

void relay_held_changed(struct relay_held *h, const char *domain)
{
	queue_held_changed(h->r->queue, domain);
	relay_held_kick(h);
}

void relay_held_mended(struct relay_held *h)
{
	queue_held_mended(h->r->queue);
	relay_held_changed(h, NULL); /* what was to be judged while it was away */
}

void relay_held_begin(struct relay_held *h)
{
	h->under_way++;
}

void relay_held_end(struct relay_held *h)
{
	REQUIRE(h->under_way > 0);
	if (h->under_way-- == AT_ONCE)
		relay_held_kick(h);
}

struct queue_hold relay_held_same(const struct relay *r, int tries)
{
	return (struct queue_hold){
	    .waits = QUEUE_WAITS_SAME, .again_at = queue_next_try(r->queue, tries + 1, queue_now(r->queue))};
}

/* ---- what changes between the judgement and its commit ---- */

struct watch {
	uint64_t asked;
	const char *domain;
};

static void committed(void *ctx, struct relay_settle *s, const int64_t *rows, size_t n)
{
	const struct watch *w = ctx;
	struct relay *r = relay_settle_relay(s);

	(void)rows;
	(void)n;
	if (w->asked != relay_ask_trust_changes(r->ask))
		relay_held_changed(r->held, w->domain);
}

void relay_held_watch(struct relay_settle *s, uint64_t asked, const char *domain)
{
	struct arena *a = relay_settle_arena(s);
	struct watch *w = arena_alloc(a, sizeof(*w));

	REQUIRE(w != NULL);
	w->asked = asked;
	w->domain = arena_str(a, domain);
	REQUIRE(w->domain != NULL);
	relay_settle_after(s, committed, w);
}

struct relay_held *relay_held_new(struct relay *r)
{
	struct relay_held *h = mem_new(sizeof(*h));

	h->r = r;
	h->timer = loop_timer_new(r->loop, on_timer, h);
	queue_held_mended(r->queue);
	relay_held_changed(h, NULL); /* what changed while nobody listened */
	return h;
}

void relay_held_free(struct relay_held *h)
{
	if (h == NULL)
		return;
	loop_timer_free(h->timer);
	free(h);
}
