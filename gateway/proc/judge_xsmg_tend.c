/* When our own statements and keys are looked at. Role judge. */
#include "gateway/proc/judge_xsmg_tend.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_xsmg_rollover.h"

enum { FIRST_MS = 300, LOOK_MS = 1000, MOST_MS = 60000 };

struct judge_xsmg_tend {
	struct loop_timer *timer;
	struct judge_xsmg_own *own;
	struct store *s;
	void (*told)(bool keys_changed);
	uint64_t version;      /* of the store when it was looked at */
	int64_t looked, every; /* ms */
	char why[500];	       /* what was logged last */
};

static int rollovers(struct judge_xsmg_tend *t, int64_t now)
{
	struct judge_xsmg_rollover r = judge_xsmg_own_rollover(t->own, "judge", now);
	struct problem pr = {0};
	int rc = judge_xsmg_rollover_tick(&r, &pr);

	if (rc < 0 && strcmp(t->why, pr.text) != 0)
		log_error(NULL, "judge", "alarm=rollover why=\"%s\"", pr.text);
	(void)snprintf(t->why, sizeof t->why, "%s", rc < 0 ? pr.text : "");
	return rc < 0 ? 0 : rc;
}

static void look(void *ctx)
{
	struct judge_xsmg_tend *t = ctx;
	int64_t ms = loop_now_ms(), now = time(NULL);
	int steps, made;

	loop_timer_set(t->timer, LOOK_MS);
	if (store_version(t->s) == t->version && ms < t->looked + t->every)
		return;
	t->looked = ms;
	steps = rollovers(t, now);
	made = judge_xsmg_own_tick(t->own, now);
	/* a step may have another behind it, and what is not made for want of the keeper is tried again soon */
	t->version = steps > 0 || judge_xsmg_own_waits(t->own) ? 0 : store_version(t->s);
	if (steps + made > 0)
		t->told(steps > 0);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct judge_xsmg_tend *judge_xsmg_tend_new(struct loop *l, struct judge_xsmg_own *own, struct store *s,
    const struct statement_settings *set, void (*told)(bool keys_changed))
{
	struct judge_xsmg_tend *t = mem_new(sizeof *t);
	int64_t every =
	    least(least(set->remake, set->lifetime), least(set->lead, least(set->early, set->overlap))) / 4;

	*t = (struct judge_xsmg_tend){.own = own, .s = s, .told = told};
	t->every = least(every, MOST_MS);
	t->timer = loop_timer_new(l, look, t);
	loop_timer_set(t->timer, FIRST_MS);
	return t;
}
