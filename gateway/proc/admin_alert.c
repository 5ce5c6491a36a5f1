#include "gateway/proc/admin_alert.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/alert_list.h"
#include "gateway/proc/alert_settings.h"

enum { FIRST_MS = 15000, MISSES = 3 /* a restart is none */ };

struct looking {
	struct admin *of;
	const struct alert_settings *set;
	struct loop_timer *timer;
	json_t *judge, *relay;
	char judge_why[640];
	unsigned missing, misses;
};

static void told(void *ctx, const struct admin_reply *r, const char *why)
{
	struct looking *l = ctx;
	char text[640];
	json_t *data = r ? admin_json_data(r->text, text) : NULL;

	if (!data)
		log_warn(NULL, "admin", "alerts-not-told why=\"%s\"", r ? text : why);
	json_decref(data);
	loop_timer_set(l->timer, l->set->interval);
}

static void tell(struct looking *l)
{
	struct timespec t;
	struct alert_source s = {
	    .judge = l->judge, .relay = l->relay, .judge_why = l->judge_why, .queue_age_ms = l->set->queue_age};
	struct admin_request rq = {.who = "admin"};
	json_t *o;

	clock_gettime(CLOCK_REALTIME, &t);
	s.now_ms = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
	o = json_pack("{s:s, s:{s:o}}", "verb", "alert.tell", "args", "alerts", alert_list(&s));
	rq.text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (!rq.text)
		log_fatal("out of memory: JSON");
	json_decref(o);
	admin_peer_ask(&l->of->relay, &rq, ADMIN_STATUS_MS, told, l);
	free(rq.text);
}

/* A part that starts again is away for a moment: that alone is no alert. */
static bool is_well(const json_t *judge)
{
	const char *state = json_string_value(json_object_get(json_object_get(judge, "keeper"), "state"));

	return state && strcmp(state, "ready") == 0;
}

static void one_came(struct looking *l)
{
	if (--l->missing > 0)
		return;
	l->misses = is_well(l->judge) ? 0 : l->misses + 1;
	if (l->relay && (l->misses == 0 || l->misses >= MISSES))
		tell(l);
	else /* no relay: nobody who sends */
		loop_timer_set(l->timer, l->set->interval);
	json_decref(l->judge);
	json_decref(l->relay);
	l->judge = l->relay = NULL;
}

static void from_judge(void *ctx, const struct admin_reply *r, const char *why)
{
	struct looking *l = ctx;

	(void)snprintf(l->judge_why, sizeof l->judge_why, "%s", r ? "" : why);
	l->judge = r ? admin_json_data(r->text, l->judge_why) : NULL;
	one_came(l);
}

static void from_relay(void *ctx, const struct admin_reply *r, const char *why)
{
	struct looking *l = ctx;
	char text[640];

	(void)why;
	l->relay = r ? admin_json_data(r->text, text) : NULL;
	one_came(l);
}

static void look(void *ctx)
{
	static char status[] = "{\"verb\": \"status\"}";
	const struct admin_request rq = {.text = status, .who = "admin"};
	struct looking *l = ctx;

	l->missing = 2;
	admin_peer_ask(&l->of->judge, &rq, ADMIN_STATUS_MS, from_judge, l);
	admin_peer_ask(&l->of->relay, &rq, ADMIN_STATUS_MS, from_relay, l);
}

void admin_alert_start(struct admin *a, const struct alert_settings *set)
{
	struct looking *l;

	if (set->mail.n == 0)
		return;
	l = mem_new(sizeof *l);
	*l = (struct looking){.of = a, .set = set};
	l->timer = loop_timer_new(a->loop, look, l);
	loop_timer_set(l->timer, set->interval < FIRST_MS ? set->interval : FIRST_MS);
}
