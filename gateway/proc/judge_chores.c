/* What the judge does unasked. Role judge; a change it makes is found by the version of the store, as any other's. */
#include "gateway/proc/judge_chores.h"

#include <stdlib.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin_retire.h"
#include "gateway/proc/judge_bundle.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_expiry.h"

enum { FIRST_MS = 500, EVERY_MS = 60000, WARN_S = 3600, BUNDLES_MS = 60000 };

struct judge_chores {
	const struct judge_world *w;
	struct store *store;
	struct judge_park *park;
	struct keys_client *const *keys;
	struct loop_timer *timer;
	int64_t warned_at; /* unix s */
	bool fetching;	   /* a question for bundles waits */
};

static void trouble(const struct problem *pr)
{
	log_error(NULL, "judge", "alarm=store why=\"%s\"", pr->text);
}

static void run_bundles(void *question, struct source_run *run)
{
	struct judge_chores *c = *(struct judge_chores **)question;
	struct problem pr = {0};

	judge_cache_begin(c->w->cache, c->store);
	if (judge_bundle_due(c->store, run, judge_cache_believing(c->w->cache)->bundle_drop_max, time(NULL), &pr) < 0)
		trouble(&pr);
}

static void free_bundles(void *question)
{
	struct judge_chores *c = *(struct judge_chores **)question;

	c->fetching = false;
	if (judge_bundle_any_due(c->store, time(NULL))) /* one was asked for meanwhile */
		loop_timer_set(c->timer, FIRST_MS);
	free(question);
}

static void look(void *ctx)
{
	static const struct judge_park_ops ops = {run_bundles, free_bundles};
	struct judge_chores *c = ctx, **question;
	int64_t now = time(NULL);
	struct problem pr = {0};

	loop_timer_set(c->timer, EVERY_MS);
	if (now >= c->warned_at + WARN_S || now < c->warned_at) {
		c->warned_at = now;
		if (judge_expiry_warn(c->w->cache, c->store, now, &pr) < 0)
			trouble(&pr);
	}
	judge_admin_retire_rest(c->store, c->w->cache, *c->keys);
	if (c->fetching || !judge_bundle_any_due(c->store, now))
		return;
	question = mem_new(sizeof *question);
	*question = c;
	c->fetching = true;
	judge_park_ask(c->park, &ops, question, sizeof *question, c, "bundles", BUNDLES_MS);
}

static struct judge_chores *the;

void judge_chores_now(void)
{
	if (the)
		loop_timer_set(the->timer, 0);
}

struct judge_chores *judge_chores_new(struct loop *l, const struct judge_world *w, struct store *s,
    struct judge_park *park, struct keys_client *const *keys)
{
	struct judge_chores *c = mem_new(sizeof *c);

	*c = (struct judge_chores){.w = w, .store = s, .park = park, .keys = keys};
	c->timer = loop_timer_new(l, look, c);
	loop_timer_set(c->timer, FIRST_MS);
	the = c;
	return c;
}
