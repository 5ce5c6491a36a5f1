/* loop.c */
#include "gateway/base/loop.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static struct loop *l;
static char trace[64];
static char a_[] = "a", b_[] = "b", c_[] = "c", t_[] = "t", one[] = "1", two[] = "2";

static void setup(void)
{
	l = loop_new();
	trace[0] = 0;
}

static void teardown(void)
{
	loop_free(l);
}

static void note(const char *s)
{
	ck_assert_uint_lt(strlen(trace) + strlen(s), sizeof trace);
	memcpy(trace + strlen(trace), s, strlen(s) + 1);
}

static void say(void *ctx)
{
	note(ctx);
}

static void stop(void *ctx)
{
	(void)ctx;
	loop_stop(l);
}

START_TEST(test_timers)
{
	struct loop_timer *a = loop_timer_new(l, say, a_), *b = loop_timer_new(l, say, b_),
			  *c = loop_timer_new(l, say, c_), *end = loop_timer_new(l, stop, NULL);
	int64_t began = loop_now_ms();

	loop_timer_set(a, 30);
	loop_timer_set(b, 10);
	loop_timer_set(c, 20);
	loop_timer_set(end, 40);
	loop_timer_off(c);
	loop_timer_off(c);
	loop_run(l);
	ck_assert_str_eq(trace, "ba");
	ck_assert_int_ge(loop_now_ms() - began, 40);
	loop_timer_set(a, 1000000);
	loop_timer_set(a, -5); /* replaces; the past is now */
	loop_once(l, 5000);
	ck_assert_str_eq(trace, "baa");
	loop_timer_free(a);
	loop_timer_free(b);
	loop_timer_free(c);
	loop_timer_free(end);
	loop_timer_free(NULL);
}
END_TEST

static struct loop_timer *self;
static int rings;

static void again(void *ctx)
{
	(void)ctx;
	if (++rings < 3) {
		loop_timer_set(self, 1);
		return;
	}
	loop_timer_free(self);
	loop_stop(l);
}

START_TEST(test_timer_self)
{
	self = loop_timer_new(l, again, NULL);
	loop_timer_set(self, 0);
	loop_run(l);
	ck_assert_int_eq(rings, 3);
}
END_TEST

static int64_t set_at;

static void late(void *ctx)
{
	int64_t until = loop_now_ms() + 60;

	while (loop_now_ms() < until)
		;
	set_at = loop_now_ms();
	loop_timer_set(ctx, 30);
}

/* A timer set behind a slow callback counts from when it was set. */
START_TEST(test_timer_not_early)
{
	struct loop_timer *t = loop_timer_new(l, stop, NULL);

	loop_soon(l, late, t);
	loop_run(l);
	ck_assert_int_ge(loop_now_ms() - set_at, 30);
	loop_timer_free(t);
}
END_TEST

START_TEST(test_once)
{
	struct loop_timer *t = loop_timer_new(l, say, t_);
	int64_t began = loop_now_ms();

	loop_once(l, 0);
	loop_once(l, 20);
	ck_assert_int_ge(loop_now_ms() - began, 20);
	ck_assert_str_eq(trace, "");
	loop_timer_set(t, 10);
	loop_once(l, -1);
	ck_assert_str_eq(trace, "t");
	loop_timer_free(t);
}
END_TEST

static void repost(void *ctx)
{
	note("r");
	loop_soon(l, repost, ctx);
}

/* Not inside the caller, in order; one that posts itself does not keep a round from ending. */
START_TEST(test_soon)
{
	loop_soon(l, say, one);
	loop_soon(l, say, two);
	ck_assert_str_eq(trace, "");
	loop_once(l, -1);
	ck_assert_str_eq(trace, "12");
	loop_soon(l, repost, NULL);
	loop_once(l, -1);
	ck_assert_str_eq(trace, "12r");
	loop_once(l, 0);
	ck_assert_str_eq(trace, "12rr");
	loop_soon(l, stop, NULL);
	loop_run(l);
	/* what is still posted is dropped with the loop */
}
END_TEST

START_TEST(test_stop_first)
{
	loop_stop(l);
	loop_run(l); /* returns at once: a signal during the start is not lost */
	loop_soon(l, stop, NULL);
	loop_run(l);
}
END_TEST

enum { THREADS = 4, POSTS = 2000 };
static int posted;

static void count(void *ctx)
{
	if (++posted == THREADS * POSTS)
		loop_stop(ctx);
}

static void *poster(void *arg)
{
	for (int i = 0; i < POSTS; i++)
		loop_post(arg, count, arg);
	return NULL;
}

START_TEST(test_post)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, poster, l), 0);
	loop_run(l);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	ck_assert_int_eq(posted, THREADS * POSTS);
}
END_TEST

static int waiting[2];

static void *late_poster(void *arg)
{
	char c;

	ck_assert_int_eq(read(waiting[0], &c, 1), 1);
	loop_post(arg, stop, NULL);
	return NULL;
}

static void let_go(void *ctx)
{
	(void)ctx;
	ck_assert_int_eq(write(waiting[1], "x", 1), 1);
}

/* A loop that has nothing to do but wait is woken. */
START_TEST(test_post_wakes)
{
	pthread_t t;

	ck_assert_int_eq(pipe(waiting), 0);
	ck_assert_int_eq(pthread_create(&t, NULL, late_poster, l), 0);
	loop_soon(l, let_go, NULL);
	loop_run(l);
	pthread_join(t, NULL);
	close(waiting[0]);
	close(waiting[1]);
}
END_TEST

static unsigned last;

static void on_io(void *ctx, int fd, unsigned got)
{
	char c;

	(void)ctx;
	last |= got;
	if (got & LOOP_READ)
		ck_assert_int_eq(read(fd, &c, 1), 1);
}

START_TEST(test_io)
{
	int p[2], q[2];

	ck_assert(pipe(p) == 0 && pipe(q) == 0);

	struct loop_io *r = loop_io_new(l, p[0], on_io, NULL), *w = loop_io_new(l, q[1], on_io, NULL);

	ck_assert_int_eq(write(p[1], "xy", 2), 2);
	loop_once(l, 0);
	ck_assert_uint_eq(last, 0); /* nothing is watched yet */
	loop_io_want(r, LOOP_READ);
	loop_once(l, -1);
	ck_assert_uint_eq(last, LOOP_READ);
	loop_io_want(r, 0);
	last = 0;
	loop_once(l, 0);
	ck_assert_uint_eq(last, 0);
	loop_io_want(w, LOOP_READ | LOOP_WRITE);
	loop_io_want(w, LOOP_WRITE);
	loop_once(l, -1);
	ck_assert_uint_eq(last, LOOP_WRITE);
	loop_io_free(w);
	loop_io_want(r, LOOP_READ);
	loop_once(l, -1);
	ck_assert_uint_eq(last, LOOP_READ | LOOP_WRITE);
	loop_io_free(r);
	loop_io_free(NULL);
	for (int i = 0; i < 2; i++) {
		close(p[i]);
		close(q[i]);
	}
}
END_TEST

static struct loop_io *ios[2];

static void free_both(void *ctx, int fd, unsigned got)
{
	(void)ctx, (void)fd, (void)got;
	note("f");
	for (int i = 0; i < 2; i++) {
		loop_io_free(ios[i]);
		ios[i] = NULL;
	}
}

/* Both are ready in the same round; the first frees the second, which then must not be called. */
START_TEST(test_io_free_inside)
{
	int p[2];

	ck_assert_int_eq(pipe(p), 0);
	ios[0] = loop_io_new(l, p[1], free_both, NULL);
	ios[1] = loop_io_new(l, dup(p[1]), free_both, NULL);
	loop_io_want(ios[0], LOOP_WRITE);
	loop_io_want(ios[1], LOOP_WRITE);
	loop_once(l, -1);
	loop_once(l, 0);
	ck_assert_str_eq(trace, "f");
	close(p[0]);
	close(p[1]);
}
END_TEST

static void on_signal(void *ctx, int signo)
{
	note(signo == SIGHUP ? "hup" : "term");
	loop_stop(ctx);
}

START_TEST(test_signal)
{
	loop_on_signal(l, SIGHUP, on_signal, l);
	loop_on_signal(l, SIGTERM, on_signal, l);
	raise(SIGHUP);
	loop_run(l);
	raise(SIGTERM);
	loop_run(l);
	ck_assert_str_eq(trace, "hupterm");
}
END_TEST

START_TEST(test_base)
{
	ck_assert_ptr_nonnull(loop_base(l));
	loop_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *t = tcase_create("loop");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_timers);
	tcase_add_test(t, test_timer_self);
	tcase_add_test(t, test_timer_not_early);
	tcase_add_test(t, test_once);
	tcase_add_test(t, test_soon);
	tcase_add_test(t, test_stop_first);
	tcase_add_test(t, test_post);
	tcase_add_test(t, test_post_wakes);
	tcase_add_test(t, test_io);
	tcase_add_test(t, test_io_free_inside);
	tcase_add_test(t, test_signal);
	tcase_add_test(t, test_base);
	suite_add_tcase(s, t);
	return suite_run(s);
}
