/* The relay's questions: each answered once or forgotten, whatever the judge does or does not do. */
#include "gateway/proc/relay_ask.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certstore/store.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "tests/unit/suite.h"

static struct loop *loop;
static struct relay_ask *ask;
static int judge; /* our end: the test is the judge */
static struct buf store;
static int told; /* calls of on_identities */

struct caller {
	int verdicts, failures, trusts;
	struct caller *cancels;	 /* when told */
	const char *asks_again;	 /* this recipient, when told */
	struct caller *asks_for; /* as this one */
};

static void on_identities(void *ctx)
{
	(void)ctx;
	told++;
}

static void attach(void)
{
	int fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	judge = fds[1];
	relay_ask_channel(ask, fds[0]);
}

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	loop = loop_new();
	ask = relay_ask_new(loop, on_identities, NULL);
	buf_init(&store, IPC_PACKET_MAX);
	told = 0;
	attach();
}

static void teardown(void)
{
	relay_ask_free(ask);
	close(judge);
	buf_clear(&store);
	loop_free(loop);
}

/* The next question, which must be there; its number. */
static uint32_t question(uint16_t type)
{
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv(judge, &store, &in, 0), 1);
	ck_assert_int_eq(in.type, type);
	return in.id;
}

static void no_question(void)
{
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv(judge, &store, &in, 0), -1);
}

static void say(struct ipc_out *o)
{
	ck_assert_int_eq(ipc_send(judge, o, 1000), 0);
	ipc_out_clear(o);
	loop_once(loop, 1000);
}

static void say_verdict(uint32_t id, const char *rule)
{
	struct judge_verdict *v = mem_new(sizeof(*v));
	struct ipc_out o;

	ck_assert_int_eq(mem_copy_str(v->rule, sizeof(v->rule), rule), 0);
	ipc_out_init(&o, JUDGE_VERDICT, id);
	judge_verdict_put(&o, v);
	say(&o);
	free(v);
}

static void say_trust(uint32_t id)
{
	struct judge_trust *t = mem_new(sizeof(*t));
	struct ipc_out o;

	ipc_out_init(&o, JUDGE_TRUST, id);
	judge_trust_put(&o, t);
	say(&o);
	free(t);
}

static void say_identities(uint32_t id, const char *domain, bool more)
{
	struct judge_identity_list *l = mem_new(sizeof(*l));
	struct ipc_out o;

	l->n = 1;
	l->v[0].use = STORE_DECRYPT;
	l->more = more;
	ck_assert_int_eq(mem_copy_str(l->v[0].domain, sizeof(l->v[0].domain), domain), 0);
	ipc_out_init(&o, JUDGE_IDENTITY_LIST, id);
	judge_identity_list_put(&o, l);
	say(&o);
	free(l);
}

static void say_changed(void)
{
	struct ipc_out o;

	ipc_out_init(&o, JUDGE_CHANGED, 0);
	judge_changed_put(&o, JUDGE_NOBODY);
	say(&o);
}

static void on_verdict(void *ctx, struct relay_verdict *v, const struct problem *pr)
{
	struct caller *c = ctx;

	if (v == NULL) {
		ck_assert_int_eq(pr->cls, PROBLEM_TEMP);
		c->failures++;
	} else {
		c->verdicts++;
	}
	if (c->cancels != NULL)
		relay_ask_cancel(ask, c->cancels);
	if (c->asks_again != NULL)
		relay_ask_verdict(ask, "a@hospital.example", c->asks_again, on_verdict, c->asks_for);
}

static void on_trust(void *ctx, const struct judge_trust *t, const struct problem *pr)
{
	struct caller *c = ctx;

	ck_assert(t != NULL || pr->cls == PROBLEM_TEMP);
	if (t == NULL)
		c->failures++;
	else
		c->trusts++;
}

static void ask_verdict(struct caller *c, const char *recipient)
{
	relay_ask_verdict(ask, "a@hospital.example", recipient, on_verdict, c);
}

START_TEST(kept_until_changed)
{
	struct caller c = {0};

	question(JUDGE_IDENTITIES);
	ask_verdict(&c, "b@partner.example");
	say_verdict(question(JUDGE_RESOLVE), "one");
	ck_assert_int_eq(c.verdicts, 1);
	ask_verdict(&c, "b@partner.example");
	ck_assert_int_eq(c.verdicts, 2);
	no_question();
	say_changed();
	question(JUDGE_IDENTITIES);
	ask_verdict(&c, "b@partner.example");
	ck_assert_int_eq(c.verdicts, 2);
	say_verdict(question(JUDGE_RESOLVE), "two");
	ck_assert_int_eq(c.verdicts, 3);
	ck_assert_int_eq(c.failures, 0);
}
END_TEST

/* One caller's end may be that of another, whose question failed with it. */
START_TEST(cancelled_by_another)
{
	struct caller a = {0}, b = {0};

	a.cancels = &b;
	b.cancels = &a;
	ask_verdict(&a, "a@partner.example");
	ask_verdict(&b, "b@partner.example");
	close(judge);
	loop_once(loop, 1000);
	ck_assert_int_eq(a.failures + b.failures, 1);
	attach();
	ck_assert_int_eq(a.failures + b.failures, 1);
}
END_TEST

/* A caller that asks again while it is told: failed at once, not asked of a channel that is closed. */
START_TEST(asks_again_at_the_end)
{
	struct caller a = {0}, b = {0};

	a.asks_again = "c@partner.example";
	a.asks_for = &b;
	ask_verdict(&a, "b@partner.example");
	relay_ask_free(ask);
	ck_assert_int_eq(a.failures, 1);
	ck_assert_int_eq(b.failures, 1);
	ask = relay_ask_new(loop, on_identities, NULL);
}
END_TEST

/* An answer of the wrong kind is none, but the caller hears of it. */
START_TEST(wrong_kind)
{
	struct caller a = {0}, b = {0};
	struct judge_signers *s = mem_new(sizeof(*s));

	question(JUDGE_IDENTITIES);
	ask_verdict(&a, "b@partner.example");
	relay_ask_trust(ask, s, on_trust, &b);
	say_trust(question(JUDGE_RESOLVE));
	ck_assert_int_eq(a.failures, 1);
	say_verdict(question(JUDGE_SIGNERS), "one");
	ck_assert_int_eq(b.failures, 1);
	ck_assert_int_eq(a.verdicts + b.trusts, 0);
	free(s);
}
END_TEST

static void expect_identity(size_t n, const char *domain)
{
	const struct judge_identity *list;
	size_t have;

	ck_assert(relay_ask_identities(ask, &list, &have));
	ck_assert_uint_eq(have, n);
	ck_assert_str_eq(list[0].domain, domain);
}

/* A list that broke off, or that answers an earlier question, is not mixed with the next. */
START_TEST(identities)
{
	const struct judge_identity *list;
	uint32_t first = question(JUDGE_IDENTITIES), second;
	size_t n;

	say_identities(first, "half.example", true);
	ck_assert(!relay_ask_identities(ask, &list, &n));
	say_changed();
	second = question(JUDGE_IDENTITIES);
	ck_assert_uint_ne(first, second);
	say_identities(second, "one.example", true);
	say_identities(first, "rest.example", false);
	ck_assert_int_eq(told, 0);
	say_identities(second, "two.example", false);
	ck_assert_int_eq(told, 1);
	expect_identity(2, "one.example");
	say_changed();
	say_identities(question(JUDGE_IDENTITIES), "three.example", false);
	ck_assert_int_eq(told, 2);
	expect_identity(1, "three.example");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_ask");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, kept_until_changed);
	tcase_add_test(t, cancelled_by_another);
	tcase_add_test(t, asks_again_at_the_end);
	tcase_add_test(t, wrong_kind);
	tcase_add_test(t, identities);
	suite_add_tcase(s, t);
	return suite_run(s);
}
