/*
 * Waiting for the network. Role judge.
 *
 * One answer may wake thousands of questions: they are run a few at a time, so that others get their turn. Runs do
 * not overlap: a question is run from the loop, or from inside judge_park_ask, never from inside the book.
 */
#include "gateway/proc/judge_park.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/source_site.h"
#include "certstore/trace.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { TURN = 32, SHARE = 4, FULL_LOG_MS = 60000, CHEAP_US = 20000, REST = 20, REST_MS = 1000 };

struct parked {
	struct parked *next, **prev; /* of all */
	struct parked *next_awake;
	struct judge_park *of;
	const struct judge_park_ops *ops;
	void *question;
	size_t octets;
	const void *owner;
	uint64_t whom;
	struct source_wait *wait;	    /* NULL: awake */
	struct loop_timer *deadline, *rest; /* rest: NULL until it proves costly */
	int64_t spent_us;		    /* of the processor */
	int64_t began;			    /* unix s, of its first run; 0 none yet */
	bool awake, over;
	bool dropped; /* while it is run */
};
struct judge_park {
	struct loop *loop;
	struct source_book *book;
	const struct find_settings *set;
	struct parked *all, *running;
	struct parked *awake, **awake_end;
	struct loop_timer *turn;
	size_t n, octets;
	int64_t told_full;
};

static void parked_free(struct parked *q)
{
	struct judge_park *p = q->of;

	if (q->prev != NULL) {
		*q->prev = q->next;
		if (q->next != NULL)
			q->next->prev = q->prev;
		p->n--;
		p->octets -= q->octets;
	}
	source_book_forget(q->wait);
	loop_timer_free(q->deadline);
	loop_timer_free(q->rest);
	q->ops->free(q->question);
	free(q);
}

static void wake(struct parked *q)
{
	struct judge_park *p = q->of;

	if (q->awake)
		return;
	q->awake = true;
	q->next_awake = NULL;
	*p->awake_end = q;
	p->awake_end = &q->next_awake;
	loop_timer_set(p->turn, 0);
}

static void rested(void *ctx)
{
	wake(ctx);
}

/* A question is run again for each answer that comes, and a stranger chooses how many come, and when. What is cheap
 * is run at once; what has used much of the processor rests for REST times as long, at most REST_MS. */
static void came(void *ctx)
{
	struct parked *q = ctx;

	q->wait = NULL;
	if (q->spent_us < CHEAP_US) {
		wake(q);
		return;
	}
	if (q->rest == NULL)
		q->rest = loop_timer_new(q->of->loop, rested, q);
	loop_timer_set(q->rest, q->spent_us * REST / 1000 < REST_MS ? q->spent_us * REST / 1000 : REST_MS);
}

static void too_late(void *ctx)
{
	struct parked *q = ctx;

	q->over = true;
	wake(q);
}

static int64_t processor_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Is it answered? Else it waits for what it lacks. */
static bool run(struct parked *q)
{
	struct trace t = {0};
	struct source_run *r;
	bool done;

	source_book_forget(q->wait);
	q->wait = NULL;
	r = source_book_begin(q->of->book, q->over, &t);
	r->waited = q->began != 0;
	if (q->began == 0)
		q->began = r->began;
	r->began = q->began;
	q->of->running = q;
	q->spent_us -= processor_us();
	q->ops->run(q->question, r);
	q->spent_us += processor_us();
	q->of->running = NULL;
	done = r->pending == 0 || q->dropped;
	REQUIRE(done || !q->over);
	if (!done)
		q->wait = source_book_wait(r, came, q);
	source_book_end(r);
	trace_clear(&t);
	return done;
}

static void turn(void *ctx)
{
	struct judge_park *p = ctx;

	for (int i = 0; i < TURN && p->awake != NULL; i++) {
		struct parked *q = p->awake;

		p->awake = q->next_awake;
		if (p->awake == NULL)
			p->awake_end = &p->awake;
		q->awake = false;
		if (run(q))
			parked_free(q);
	}
	if (p->awake != NULL)
		loop_timer_set(p->turn, 0);
}

static bool has_room(struct judge_park *p, const struct parked *q)
{
	size_t same = 0;

	if (p->n >= (size_t)p->set->waiting_max || q->octets > (size_t)p->set->waiting_octets - p->octets)
		return false;
	for (const struct parked *o = p->all; o != NULL; o = o->next)
		same += o->whom == q->whom;
	return same < (size_t)p->set->waiting_max / SHARE;
}

static void tell_full(struct judge_park *p, const char *whom)
{
	if (p->told_full != 0 && loop_now_ms() - p->told_full < FULL_LOG_MS)
		return;
	p->told_full = loop_now_ms();
	log_warn(NULL, "judge",
	    "full waiting=%zu octets=%zu of=\"%s\" why=\"too many questions wait for answers of the network "
	    "(settings "
	    "find: waiting-max, waiting-octets)\"",
	    p->n, p->octets, whom);
}

static void put(struct judge_park *p, struct parked *q, int64_t timeout_ms)
{
	q->next = p->all;
	q->prev = &p->all;
	if (q->next != NULL)
		q->next->prev = &q->next;
	p->all = q;
	p->n++;
	p->octets += q->octets;
	q->deadline = loop_timer_new(p->loop, too_late, q);
	loop_timer_set(q->deadline, timeout_ms);
}

void judge_park_ask(struct judge_park *p, const struct judge_park_ops *ops, void *question, size_t octets,
    const void *owner, const char *whom, int64_t timeout_ms)
{
	struct parked *q = mem_new(sizeof(*q));
	bool done;

	q->of = p;
	q->ops = ops;
	q->question = question;
	q->octets = octets + sizeof(*q);
	q->owner = owner;
	q->whom = source_site_hash(whom);
	done = run(q);
	if (!done && !has_room(p, q)) {
		tell_full(p, whom);
		q->over = true;
		done = run(q);
	}
	if (done)
		parked_free(q);
	else
		put(p, q, timeout_ms);
}

void judge_park_drop(struct judge_park *p, const void *owner)
{
	struct parked **a = &p->awake;

	if (p->running != NULL && p->running->owner == owner)
		p->running->dropped = true;
	while (*a != NULL) {
		if ((*a)->owner == owner && *a != p->running)
			*a = (*a)->next_awake;
		else
			a = &(*a)->next_awake;
	}
	p->awake_end = a;
	for (struct parked *q = p->all, *next; q != NULL; q = next) {
		next = q->next;
		if (q->owner == owner && q != p->running)
			parked_free(q);
	}
}

size_t judge_park_waiting(const struct judge_park *p)
{
	return p->n;
}

struct judge_park *judge_park_new(struct loop *l, struct source_book *b, const struct find_settings *set)
{
	struct judge_park *p = mem_new(sizeof(*p));

	p->loop = l;
	p->book = b;
	p->set = set;
	p->awake_end = &p->awake;
	p->turn = loop_timer_new(l, turn, p);
	return p;
}

void judge_park_free(struct judge_park *p)
{
	if (p == NULL)
		return;
	while (p->all != NULL)
		parked_free(p->all); /* NOLINT(clang-analyzer-unix.Malloc) */
	loop_timer_free(p->turn);
	free(p);
}
