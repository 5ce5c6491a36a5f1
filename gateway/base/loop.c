/*
 * The event loop on libevent. relay, judge, scout, admin, parent; one loop belongs to one thread, only loop_post may
 * be called from others.
 *
 * libevent's cached time is off: a timer set after a callback that took long would fire early by that much.
 */
#include "gateway/base/loop.h"

#include <event2/event.h>
#include <event2/thread.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

struct post {
	struct post *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct on_signal {
	struct on_signal *next;
	struct event *ev;
	void (*fn)(void *ctx, int signo);
	void *ctx;
};

struct loop {
	struct event_base *base;
	struct event *wake;	/* runs the posts */
	struct event *patience; /* ends loop_once */
	pthread_mutex_t lock;	/* of posts and end */
	struct post *posts, **end;
	struct on_signal *signals;
	bool stopped;
};

struct loop_io {
	struct event *ev[2]; /* reading and writing apart: wanting one more is one epoll_ctl, not three */
	unsigned want;
	void (*fn)(void *ctx, int fd, unsigned got);
	void *ctx;
};

struct loop_timer {
	struct event *ev;
	void (*fn)(void *ctx);
	void *ctx;
};

static void must(int ok, const char *what)
{
	if (!ok)
		log_fatal("event loop: %s failed", what);
}

static struct timeval in_ms(int64_t ms)
{
	if (ms < 0)
		ms = 0;
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

/* What is posted while these run waits for the next round: a post that posts itself starves nobody. */
static void run_posts(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd, (void)what;
	pthread_mutex_lock(&l->lock);

	struct post *p = l->posts;

	l->posts = NULL;
	l->end = &l->posts;
	pthread_mutex_unlock(&l->lock);
	while (p) {
		struct post done = *p;

		free(p);
		p = done.next;
		done.fn(done.ctx);
	}
}

static void no_more_patience(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

static void use_threads(void)
{
	must(evthread_use_pthreads() == 0, "threads");
}

static struct event_base *new_base(void)
{
	struct event_config *cfg = event_config_new();

	must(cfg != NULL, "configuration");
	must(event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV) == 0 &&
		 event_config_set_flag(cfg, EVENT_BASE_FLAG_NO_CACHE_TIME) == 0 &&
		 event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER) == 0,
	    "flags");

	struct event_base *base = event_base_new_with_config(cfg);

	event_config_free(cfg);
	must(base != NULL, "base");
	return base;
}

struct loop *loop_new(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct loop *l = mem_new(sizeof *l);

	pthread_once(&once, use_threads);
	l->base = new_base();
	l->wake = event_new(l->base, -1, 0, run_posts, l);
	l->patience = event_new(l->base, -1, 0, no_more_patience, l);
	must(l->wake && l->patience, "event");
	pthread_mutex_init(&l->lock, NULL);
	l->end = &l->posts;
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	for (struct on_signal *s = l->signals, *next; s; s = next) {
		next = s->next;
		event_free(s->ev);
		free(s);
	}
	event_free(l->wake);
	event_free(l->patience);
	event_base_free(l->base);
	for (struct post *p = l->posts, *next; p; p = next) {
		next = p->next;
		free(p);
	}
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void loop_run(struct loop *l)
{
	while (!l->stopped)
		must(event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) >= 0, "waiting");
	l->stopped = false;
}

void loop_once(struct loop *l, int64_t wait_ms)
{
	struct timeval tv = in_ms(wait_ms);
	int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;

	if (wait_ms == 0)
		flags |= EVLOOP_NONBLOCK;
	if (wait_ms > 0)
		must(event_add(l->patience, &tv) == 0, "timer");
	must(event_base_loop(l->base, flags) >= 0, "waiting");
	event_del(l->patience);
}

void loop_stop(struct loop *l)
{
	l->stopped = true;
	event_base_loopbreak(l->base);
}

struct event_base *loop_base(struct loop *l)
{
	return l->base;
}

int64_t loop_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void io_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;

	io->fn(io->ctx, fd, what & EV_READ ? LOOP_READ : LOOP_WRITE);
}

struct loop_io *loop_io_new(struct loop *l, int fd, void (*fn)(void *ctx, int fd, unsigned got), void *ctx)
{
	struct loop_io *io = mem_new(sizeof *io);

	io->fn = fn;
	io->ctx = ctx;
	io->ev[0] = event_new(l->base, fd, EV_READ | EV_PERSIST, io_ready, io);
	io->ev[1] = event_new(l->base, fd, EV_WRITE | EV_PERSIST, io_ready, io);
	must(io->ev[0] && io->ev[1], "event");
	return io;
}

void loop_io_want(struct loop_io *io, unsigned events)
{
	static const unsigned bits[2] = {LOOP_READ, LOOP_WRITE};

	for (int i = 0; i < 2; i++) {
		if ((io->want ^ events) & bits[i])
			must((events & bits[i] ? event_add(io->ev[i], NULL) : event_del(io->ev[i])) == 0, "watching");
	}
	io->want = events;
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	event_free(io->ev[0]);
	event_free(io->ev[1]);
	free(io);
}

static void timer_rings(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *t = arg;

	(void)fd, (void)what;
	t->fn(t->ctx);
}

struct loop_timer *loop_timer_new(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct loop_timer *t = mem_new(sizeof *t);

	t->fn = fn;
	t->ctx = ctx;
	t->ev = event_new(l->base, -1, 0, timer_rings, t);
	must(t->ev != NULL, "event");
	return t;
}

void loop_timer_set(struct loop_timer *t, int64_t ms)
{
	struct timeval tv = in_ms(ms);

	must(event_add(t->ev, &tv) == 0, "timer");
}

void loop_timer_off(struct loop_timer *t)
{
	event_del(t->ev);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	event_free(t->ev);
	free(t);
}

/* A timer of nothing rather than event_active: then loop_once ends after one round even when a post posts itself. */
void loop_post(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	struct post *p = mem_new(sizeof *p);
	struct timeval at_once = {0};

	p->fn = fn;
	p->ctx = ctx;
	pthread_mutex_lock(&l->lock);

	bool first = l->posts == NULL;

	*l->end = p;
	l->end = &p->next;
	pthread_mutex_unlock(&l->lock);
	if (first)
		must(event_add(l->wake, &at_once) == 0, "waking");
}

void loop_soon(struct loop *l, void (*fn)(void *ctx), void *ctx)
{
	loop_post(l, fn, ctx);
}

static void signal_came(evutil_socket_t signo, short what, void *arg)
{
	struct on_signal *s = arg;

	(void)what;
	s->fn(s->ctx, (int)signo);
}

void loop_on_signal(struct loop *l, int signo, void (*fn)(void *ctx, int signo), void *ctx)
{
	struct on_signal *s = mem_new(sizeof *s);

	s->fn = fn;
	s->ctx = ctx;
	s->ev = evsignal_new(l->base, signo, signal_came, s);
	must(s->ev && event_add(s->ev, NULL) == 0, "signal");
	s->next = l->signals;
	l->signals = s;
}
