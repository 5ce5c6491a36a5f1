#include "gateway/proc/relay_again.h"

#include <string.h>

#include "gateway/proc/conf.h"

enum { ROUNDS_MAX = 5 };

static void next(struct relay_tx *t);

/* Another change in the meantime makes the first answers old again. */
static void round_over(struct relay_tx *t)
{
	struct problem pr;

	if (t->asked == relay_ask_changes(t->r->ask)) {
		t->again_done(t, NULL);
	} else if (++t->again_rounds == ROUNDS_MAX) {
		problem_temp(&pr, "rules or certificates change faster than they can be asked for; try again");
		t->again_done(t, &pr);
	} else {
		relay_again(t, t->again_done);
	}
}

/* The recipient's verdict is known; nothing of t is touched once again_done was called, because that may free it. */
static void take(struct relay_tx *t, struct relay_verdict *v, const struct problem *pr)
{
	struct problem full;

	if (v == NULL) {
		t->again_done(t, pr);
	} else if (relay_tx_asks_tls(v) && !t->rcpts[t->again].tls_asked) {
		problem_set(&full, PROBLEM_TEMP, 451, "4.7.1", "",
		    "the rules for <%s> changed while the message came, and now ask for verified TLS; try again",
		    t->rcpts[t->again].address);
		t->again_done(t, &full);
	} else if (relay_tx_verdict(t, t->again, v, &full) != 0) {
		t->again_done(t, &full);
	} else {
		t->again++;
		next(t);
	}
}

static void on_verdict(void *ctx, struct relay_verdict *v, const struct problem *pr)
{
	take(ctx, v, pr);
}

/* Answers that are known come from inside, so that this goes at most JOB_RCPTS_MAX deep. */
static void next(struct relay_tx *t)
{
	const char *at;

	if (t->again == t->nrcpts) {
		round_over(t);
		return;
	}
	at = strrchr(t->rcpts[t->again].address, '@');
	if (at != NULL && conf_domain_find(t->r->conf, at + 1) != NULL) {
		struct relay_verdict *v = relay_verdict_local();

		take(t, v, NULL);
		relay_verdict_free(v);
		return;
	}
	relay_ask_verdict(t->r->ask, t->identity_text, t->rcpts[t->again].address, on_verdict, t);
}

void relay_again(struct relay_tx *t, void (*done)(struct relay_tx *t, const struct problem *pr))
{
	if (t->asked == relay_ask_changes(t->r->ask)) {
		done(t, NULL);
		return;
	}
	t->asked = relay_ask_changes(t->r->ask);
	relay_tx_forget_verdicts(t);
	t->again = 0;
	t->again_done = done;
	next(t);
}
