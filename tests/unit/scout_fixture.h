/* One question at a time to a source of the scout, on a loop: what came back, and that it can be told to the judge.
 * For tests only; the caller includes Check before. */
#ifndef POSTERN_TESTS_UNIT_SCOUT_FIXTURE_H
#define POSTERN_TESTS_UNIT_SCOUT_FIXTURE_H

#include <string.h>
#include <unistd.h>

#include "certstore/source.h"
#include "gateway/base/loop.h"

static struct loop *loop;
static struct source_answer got;
static int answers;

/* To be called by the test's own callback. */
static inline void scout_took(void *ctx, const struct source_answer *a)
{
	struct ipc_out o;
	struct ipc_in in = {0};
	struct arena *arena = arena_new(64u << 20);
	static struct source_answer back;
	int fd;

	ck_assert_ptr_eq(ctx, &got);
	got = *a;
	answers++;
	ck_assert_int_eq(source_answer_put(&o, 1, a, &fd), 0);
	ck_assert_int_eq(ipc_out_finish(&o), 0);
	ck_assert_int_eq(ipc_parse(o.b.p, o.b.len, &in), 0);
	if (fd < 0)
		ck_assert_int_eq(source_answer_get(&in, arena, &back), 0);
	else
		close(fd);
	ipc_out_clear(&o);
	arena_free(arena);
}

static inline void scout_wait(int n)
{
	int64_t end = loop_now_ms() + 20000;

	while (answers < n && loop_now_ms() < end)
		loop_once(loop, 100);
	ck_assert_int_eq(answers, n);
}

/* Before a question is put; returns when. */
static inline int64_t scout_begin(void)
{
	memset(&got, 0x55, sizeof got);
	answers = 0;
	return loop_now_ms();
}

/* After it: it is not answered from inside, and then in its time. */
static inline void scout_end(int64_t began, const struct source_ask *a)
{
	ck_assert_int_eq(answers, 0);
	scout_wait(1);
	ck_assert_int_le(loop_now_ms() - began, a->timeout_ms + 3000);
}

#endif
