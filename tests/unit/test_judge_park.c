/* Questions that wait: parked, woken, ended in time, bounded, dropped; with a book whose scout is the test. */
#include "gateway/proc/judge_park.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/mem.h"
#include "tests/unit/park_fixture.h"
#include "tests/unit/suite.h"

static struct park_fixture p;
static uint32_t ids[4096];
static size_t nids;

static int scout(void *ctx, uint32_t id, const struct source_ask *a)
{
	(void)ctx;
	(void)a;
	ids[nids++] = id;
	return 0;
}

static void setup(void)
{
	nids = 0;
	park_fixture_start(&p, scout);
}

static void teardown(void)
{
	park_fixture_end(&p);
}

/* A question that needs the given names, one after the other, each only when the one before is known. */
struct asked {
	const char *names[4];
	unsigned runs, freed;
	long costs_us;	/* of the processor, each run */
	char said[400]; /* "" no answer yet */
};
static unsigned answers;

static void burn(long us)
{
	struct timespec from, to;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	do
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	while ((to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000 < us);
}

static void run(void *question, struct source_run *r)
{
	struct asked *q = question;
	struct source_ask a = {
	    .kind = SOURCE_DNS, .chosen = SOURCE_BY_ADMIN, .type = 37, .max = 65536, .timeout_ms = 5000};
	char said[400] = "";

	q->runs++;
	burn(q->costs_us);
	ck_assert_str_eq(q->said, "");
	for (size_t i = 0; i < 4 && q->names[i]; i++) {
		const struct source_answer *w;

		snprintf(a.name, sizeof a.name, "%s", q->names[i]);
		w = source_get(r, "dns", &a);
		if (!w)
			return;
		snprintf(said + strlen(said), sizeof said - strlen(said), "%s;", w->why);
	}
	snprintf(q->said, sizeof q->said, "%s", said);
	answers++;
}

static void free_asked(void *question)
{
	struct asked *q = question;

	q->freed++;
}

static const struct judge_park_ops ops = {run, free_asked};
static const char me, other;

static void ask(struct asked *q, const char *whom, int64_t timeout)
{
	judge_park_ask(p.park, &ops, q, 100, &me, whom, timeout);
}

static void answer(size_t i, const char *what)
{
	struct source_answer r;

	source_answer_set(&r, SOURCE_NONE, "%s", what);
	source_book_answer(p.book, ids[i], &r);
}

static void turn_until(const unsigned *n, unsigned want)
{
	int64_t end = loop_now_ms() + 20000;

	while (*n < want && loop_now_ms() < end)
		loop_once(p.loop, 100);
	ck_assert_uint_eq(*n, want);
}

START_TEST(at_once)
{
	struct asked q = {0};

	ask(&q, "lab.example", 1000);
	ck_assert(q.runs == 1 && q.freed == 1 && judge_park_waiting(p.park) == 0);
}
END_TEST

START_TEST(step_by_step)
{
	struct asked q = {.names = {"a.example", "b.example"}};

	ask(&q, "lab.example", 60000);
	ck_assert(q.runs == 1 && q.freed == 0 && judge_park_waiting(p.park) == 1);
	answer(0, "no a");
	ck_assert_uint_eq(q.runs, 1); /* not from inside the book */
	turn_until(&q.runs, 2);
	ck_assert(q.freed == 0 && nids == 2);
	answer(1, "no b");
	turn_until(&q.freed, 1);
	ck_assert_str_eq(q.said, "no a;no b;");
	ck_assert(q.runs == 3 && judge_park_waiting(p.park) == 0);
}
END_TEST

/* A question that costs much is not run for each answer: several come while it rests, and others are not kept
 * waiting. */
START_TEST(costly)
{
	struct asked q = {.names = {"a.example", "b.example"}, .costs_us = 30000};
	struct asked quick = {.names = {"c.example"}};
	int64_t began;

	ask(&q, "lab.example", 60000);
	ask(&quick, "other.example", 60000);
	began = loop_now_ms();
	answer(0, "no a");
	answer(1, "no c");
	turn_until(&quick.freed, 1);
	ck_assert_uint_eq(q.runs, 1);
	turn_until(&q.runs, 2);
	ck_assert_int_ge(loop_now_ms() - began, 500); /* 20 times 30 ms, about */
	answer(2, "no b");
	turn_until(&q.freed, 1);
	ck_assert_str_eq(q.said, "no a;no b;");
	/* its time is up while it rests */
	q = (struct asked){.names = {"d.example", "e.example"}, .costs_us = 60000};
	ask(&q, "lab.example", 300);
	answer(3, "no d");
	turn_until(&q.freed, 1);
	ck_assert_uint_eq(q.runs, 2);
	ck_assert_msg(strstr(q.said, "no d;no answer in time") != NULL, "%s", q.said);
	/* and it is dropped then */
	q = (struct asked){.names = {"f.example", "g.example"}, .costs_us = 30000};
	ask(&q, "lab.example", 60000);
	answer(4, "no f");
	judge_park_drop(p.park, &me);
	ck_assert_uint_eq(q.freed, 1);
}
END_TEST

START_TEST(in_time)
{
	struct asked q = {.names = {"a.example", "b.example"}};
	int64_t began = loop_now_ms();

	ask(&q, "lab.example", 50);
	answer(0, "no a");
	turn_until(&q.freed, 1);
	ck_assert_str_eq(q.said, "no a;no answer in time;");
	ck_assert_int_ge(loop_now_ms() - began, 50);
	/* the answer that comes later is for the next one */
	answer(1, "no b");
	q = (struct asked){.names = {"a.example", "b.example"}};
	ask(&q, "lab.example", 50);
	ck_assert_str_eq(q.said, "no a;no b;");
}
END_TEST

/* Ten for one whom of forty places; the others answered at once. */
START_TEST(bounded)
{
	static struct asked q[100];
	unsigned late = 0;

	memset(q, 0, sizeof q);
	answers = 0;
	for (int i = 0; i < 20; i++) {
		q[i].names[0] = "a.example";
		ask(&q[i], "Lab.example", 60000);
	}
	ck_assert_uint_eq(judge_park_waiting(p.park), 10);
	for (int i = 20; i < 100; i++) {
		char whom[32];

		snprintf(whom, sizeof whom, "d%d.example", i);
		q[i].names[0] = "a.example";
		ask(&q[i], whom, 60000);
	}
	ck_assert_uint_eq(judge_park_waiting(p.park), 40);
	for (int i = 0; i < 100; i++)
		late += strcmp(q[i].said, "no answer in time;") == 0;
	ck_assert_uint_eq(late, 60);
	ck_assert_uint_eq(nids, 1);
	answer(0, "no");
	turn_until(&answers, 100);
	ck_assert_uint_eq(judge_park_waiting(p.park), 0);
}
END_TEST

START_TEST(octets_bounded)
{
	struct asked a = {.names = {"a.example"}}, b = {.names = {"a.example"}};

	judge_park_ask(p.park, &ops, &a, 600000, &me, "x", 60000);
	judge_park_ask(p.park, &ops, &b, 600000, &me, "y", 60000);
	ck_assert(a.freed == 0 && b.freed == 1);
	judge_park_drop(p.park, &me);
	ck_assert(a.freed == 1);
	b.freed = 0;
	b.said[0] = '\0';
	judge_park_ask(p.park, &ops, &b, 600000, &me, "y", 60000);
	ck_assert(b.freed == 0);
	judge_park_drop(p.park, &me);
}
END_TEST

START_TEST(dropped)
{
	struct asked q[3] = {{.names = {"a.example"}}, {.names = {"a.example"}}, {.names = {"b.example"}}};

	ask(&q[0], "x", 60000);
	judge_park_ask(p.park, &ops, &q[1], 100, &other, "x", 60000);
	ask(&q[2], "x", 60000);
	answer(0, "no"); /* two are awake, one of them goes */
	judge_park_drop(p.park, &me);
	ck_assert(q[0].freed == 1 && q[1].freed == 0 && q[2].freed == 1);
	turn_until(&q[1].freed, 1);
	ck_assert_str_eq(q[1].said, "no;");
	ck_assert(q[0].runs == 1 && q[2].runs == 1);
	answer(1, "nobody waits");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_park");
	TCase *c = tcase_create("park");

	tcase_set_timeout(c, 60);

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, at_once);
	tcase_add_test(c, step_by_step);
	tcase_add_test(c, costly);
	tcase_add_test(c, in_time);
	tcase_add_test(c, bounded);
	tcase_add_test(c, octets_bounded);
	tcase_add_test(c, dropped);
	suite_add_tcase(s, c);
	return suite_run(s);
}
