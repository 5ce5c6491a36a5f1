/* The relay's sealers: what one finished before it died counts, and only what it died over is blamed on it. */
#include "gateway/proc/relay_jobs.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "tests/unit/suite.h"

static struct loop *loop;
static struct relay_jobs *jobs;
static struct spool *content;
static struct buf store;
static const uint8_t key[SPOOL_KEY] = "a key for the tests of the jobs";

struct ran {
	int times, crashes;
	uint8_t status;
};

static void ran(void *ctx, const struct job_result *res, struct spool *const *outs, bool crashed)
{
	struct ran *r = ctx;

	(void)outs;
	r->times++;
	r->crashes += crashed;
	r->status = res->status;
}

static int attach(void)
{
	int fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	relay_jobs_channel(jobs, 0, fds[0]);
	return fds[1];
}

static void run(struct ran *r)
{
	static struct job_rcpt rcpt = {.address = "a@hospital.example"};
	static struct job_request rq;

	rq = (struct job_request){.kind = JOB_OPEN,
	    .id = "x",
	    .sender = "",
	    .trace = "",
	    .hostname = "h.example",
	    .authserv_id = "h.example",
	    .rcpts = &rcpt,
	    .nrcpts = 1};
	relay_jobs_run(jobs, &rq, content, RELAY_JOB_LATER, ran, r);
	loop_once(loop, 0);
}

/* The sealer's side: reads one request; its number. */
static uint32_t request(int sealer)
{
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv(sealer, &store, &in, 1000), 1);
	ck_assert_uint_eq(in.type, JOB_REQUEST);
	ipc_close_fds(&in);
	return in.id;
}

static void result(int sealer, uint32_t id)
{
	struct job_result res = {.status = JOB_HOLD, .why = "because", .waits = QUEUE_WAITS_TRUST};
	struct ipc_out o;

	ipc_out_init(&o, JOB_RESULT, id);
	job_result_put(&o, &res);
	ck_assert_int_eq(ipc_send(sealer, &o, 1000), 0);
	ipc_out_clear(&o);
}

static void setup(void)
{
	struct problem pr;

	log_init("test", LOG_LEVEL_ERROR);
	loop = loop_new();
	jobs = relay_jobs_new(loop, 1, -1);
	content = spool_new(key, 4096, -1, -1, 4096);
	ck_assert_int_eq(spool_add(content, "words\r\n", 7, &pr), 0);
	ck_assert_int_eq(spool_finish(content, &pr), 0);
	buf_init(&store, IPC_PACKET_MAX);
}

static void teardown(void)
{
	relay_jobs_free(jobs);
	spool_free(content);
	buf_clear(&store);
	loop_free(loop);
}

/* The first job was finished, over the second the sealer died; the channel of its successor comes before the loop has
 * read anything. */
START_TEST(test_replaced)
{
	struct ran first = {0}, second = {0}, third = {0};
	int sealer = attach();

	run(&first);
	run(&second);
	run(&third); /* two ahead: this one was not sent */
	result(sealer, request(sealer));
	(void)request(sealer);
	close(sealer);
	sealer = attach();
	ck_assert(first.times == 1 && first.crashes == 0 && first.status == JOB_HOLD);
	ck_assert(second.times == 1 && second.crashes == 1 && second.status == JOB_LATER);
	loop_once(loop, 0);
	result(sealer, request(sealer));
	while (third.times == 0)
		loop_once(loop, 1000);
	ck_assert(third.crashes == 0 && third.status == JOB_HOLD);
	close(sealer);
}
END_TEST

/* The relay notices the death when it hands over another job. */
START_TEST(test_dead_when_given)
{
	struct ran first = {0}, second = {0};
	int sealer = attach();

	run(&first);
	result(sealer, request(sealer));
	close(sealer);
	{
		static struct job_rcpt rcpt = {.address = "a@hospital.example"};
		static struct job_request rq;

		rq = (struct job_request){.kind = JOB_OPEN,
		    .id = "y",
		    .sender = "",
		    .trace = "",
		    .hostname = "h",
		    .authserv_id = "h",
		    .rcpts = &rcpt,
		    .nrcpts = 1};
		relay_jobs_run(jobs, &rq, content, RELAY_JOB_LATER, ran, &second);
	}
	while (first.times == 0)
		loop_once(loop, 1000);
	ck_assert(first.crashes == 0 && first.status == JOB_HOLD);
	for (int i = 0; i < 5; i++)
		loop_once(loop, 0);
	ck_assert_int_eq(second.times, 0);
	sealer = attach();
	result(sealer, request(sealer));
	while (second.times == 0)
		loop_once(loop, 1000);
	ck_assert_int_eq(second.crashes, 0);
	close(sealer);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_jobs");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_replaced);
	tcase_add_test(t, test_dead_when_given);
	suite_add_tcase(s, t);
	return suite_run(s);
}
