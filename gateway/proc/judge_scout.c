/* Asking the scout. Role judge. */
#include "gateway/proc/judge_scout.h"

#include <time.h>

#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { TICK_MS = 500, ANSWER_MEMORY = SOURCE_OCTETS_MAX + 64 * 1024 };

struct judge_scout {
	struct loop *loop;
	struct ipc_chan *chan; /* NULL: away */
	struct source_book *book;
	struct judge_park *park;
	struct loop_timer *tick;
};

static int send_question(void *ctx, uint32_t id, const struct source_ask *a)
{
	struct judge_scout *s = ctx;
	struct ipc_out o;

	if (s->chan == NULL)
		return -1;
	source_ask_put(&o, id, a);
	return ipc_chan_send(s->chan, &o);
}

static int64_t now_ms(void *ctx)
{
	(void)ctx;
	return loop_now_ms();
}

static int64_t now_s(void *ctx)
{
	(void)ctx;
	return (int64_t)time(NULL);
}

static void from_scout(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct judge_scout *s = ctx;
	struct arena *a = arena_new(ANSWER_MEMORY);
	uint32_t id = in->id;
	struct source_answer r;

	(void)c;
	if (source_answer_get(in, a, &r) != 0)
		log_fatal("the scout sent an answer that cannot be read");
	source_book_answer(s->book, id, &r);
	arena_free(a);
}

static void gone(void *ctx, struct ipc_chan *c, const char *why)
{
	struct judge_scout *s = ctx;

	log_warn(NULL, "judge", "scout-away why=\"%s\"", why);
	ipc_chan_free(c);
	s->chan = NULL;
	source_book_away(s->book);
}

void judge_scout_channel(struct judge_scout *s, int fd)
{
	static const struct ipc_chan_ops ops = {from_scout, gone};

	if (s->chan != NULL) {
		ipc_chan_free(s->chan);
		s->chan = NULL;
		source_book_away(s->book);
	}
	s->chan = ipc_chan_new(s->loop, fd, &ops, s);
	source_book_back(s->book);
}

static void on_tick(void *ctx)
{
	struct judge_scout *s = ctx;

	source_book_tick(s->book);
	loop_timer_set(s->tick, TICK_MS);
}

struct judge_park *judge_scout_park(struct judge_scout *s)
{
	return s->park;
}

struct source_book_counts judge_scout_counts(const struct judge_scout *s)
{
	return source_book_counts(s->book);
}

size_t judge_scout_waiting(const struct judge_scout *s)
{
	return judge_park_waiting(s->park);
}

struct judge_scout *judge_scout_new(struct loop *l, const struct find_settings *set)
{
	static const struct source_book_ops ops = {send_question, now_ms, now_s};
	struct judge_scout *s = mem_new(sizeof(*s));

	s->loop = l;
	s->book = source_book_new(set, &ops, s);
	s->park = judge_park_new(l, s->book, set);
	s->tick = loop_timer_new(l, on_tick, s);
	loop_timer_set(s->tick, TICK_MS);
	return s;
}
