/* The client's channel against a keeper of the test's own making: silent, late, gone, malformed, answering the wrong
 * question. */
#include "gateway/keys/keys_client.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "tests/unit/suite.h"

static int fds[2]; /* keeper's, client's */
static struct keys_client *client;
static struct problem pr;
static struct buf store;

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	ck_assert_int_eq(ipc_pair(fds), 0);
	client = keys_client_new(fds[1]);
	keys_client_timeout(client, 20000);
	problem_clear(&pr);
	buf_init(&store, IPC_PACKET_MAX);
}

static void teardown(void)
{
	close(fds[0]);
	keys_client_free(client);
	buf_clear(&store);
}

static uint32_t take_request(void)
{
	struct keeper_request rq;
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv(fds[0], &store, &in, 20000), 1);
	ck_assert_int_eq(keeper_proto_get_request(&in, &rq), 0);
	return rq.seq;
}

static void give_status(uint32_t seq, uint32_t nkeys)
{
	struct keeper_reply rp = {.msg = KEEPER_MSG_STATUS, .seq = seq, .ok = true, .status = {KEYS_READY, nkeys}};
	struct ipc_out o;

	ck_assert_int_eq(keeper_proto_put_reply(&o, &rp), 0);
	ck_assert_int_eq(ipc_send(fds[0], &o, 1000), 0);
	ipc_out_clear(&o);
}

static int status(unsigned *n)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_STATUS};
	struct keeper_reply rp;
	int r = keys_client_call(client, &rq, &rp, &pr);

	*n = rp.status.nkeys;
	return r;
}

/* Nobody answers: temporary, and the channel can still be used; the late answers are passed over. */
START_TEST(late)
{
	uint32_t first, second;
	unsigned n;

	keys_client_timeout(client, 1);
	ck_assert_int_eq(status(&n), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	ck_assert(keys_client_failed(client));
	ck_assert_ptr_nonnull(strstr(pr.text, "within 1 ms"));
	ck_assert_int_eq(status(&n), -1);
	first = take_request();
	second = take_request();
	ck_assert_uint_eq(second, first + 1);
	give_status(first, 11);
	give_status(second, 22);
	give_status(second + 1, 33); /* the question comes after its answer, which is all the same to the client */
	keys_client_timeout(client, 20000);
	keys_client_begin(client);
	ck_assert_int_eq(status(&n), 0);
	ck_assert_uint_eq(n, 33);
	ck_assert(!keys_client_failed(client));
	ck_assert_ptr_null(keys_client_problem(client));
}
END_TEST

/* One that hangs takes the whole time once, then little of it, until it answers again. */
START_TEST(hangs)
{
	unsigned n;

	keys_client_timeout(client, 300);
	ck_assert_int_eq(status(&n), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "within 300 ms"));
	ck_assert_int_eq(status(&n), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "within 250 ms"));
	take_request();
	give_status(take_request() + 1, 7);
	ck_assert_int_eq(status(&n), 0);
	ck_assert_int_eq(status(&n), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "within 300 ms"));
}
END_TEST

START_TEST(gone)
{
	unsigned n;

	close(fds[0]);
	for (int i = 0; i < 2; i++) {
		keys_client_begin(client);
		ck_assert(!keys_client_failed(client));
		ck_assert_int_eq(status(&n), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
		ck_assert_int_eq(pr.code, 451);
		ck_assert(keys_client_failed(client));
		ck_assert_str_eq(keys_client_problem(client)->text, pr.text);
	}
	ck_assert_int_eq(ipc_pair(fds), 0);
	keys_client_replace(client, fds[1]);
	keys_client_begin(client);
	give_status(3, 5);
	ck_assert_int_eq(status(&n), 0);
	ck_assert_uint_eq(n, 5);
}
END_TEST

/* An answer to nothing that was asked, another type, or garbage: the channel is given up. */
START_TEST(wrong_answer)
{
	struct ipc_out o;
	struct ipc_in in;
	unsigned n;

	if (_i == 0) {
		give_status(2, 1);
	} else if (_i == 1) {
		struct keeper_reply rp = {
		    .msg = KEEPER_MSG_SIGN, .seq = 1, .ok = true, .data = {(const uint8_t *)"x", 1}};

		ck_assert_int_eq(keeper_proto_put_reply(&o, &rp), 0);
	} else {
		ipc_out_init(&o, KEEPER_MSG_STATUS | KEEPER_MSG_REPLY, 1);
		ipc_put_u8(&o, 7);
	}
	if (_i) {
		ck_assert_int_eq(ipc_send(fds[0], &o, 1000), 0);
		ipc_out_clear(&o);
	}
	ck_assert_int_eq(status(&n), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	ck_assert(keys_client_failed(client));
	take_request();
	ck_assert_int_eq(ipc_recv(fds[0], &store, &in, 0), 0);
	ck_assert_int_eq(status(&n), -1);
}
END_TEST

/* A problem of the data is none of the keeper, all others are. */
START_TEST(whose_fault)
{
	static const enum problem_class classes[] = {PROBLEM_PERM, PROBLEM_TEMP, PROBLEM_POLICY};
	unsigned n;

	for (uint32_t i = 0; i < 3; i++) {
		struct keeper_reply rp = {.msg = KEEPER_MSG_STATUS, .seq = i + 1};
		struct ipc_out o;

		problem_set(&rp.problem, classes[i], 500, "5.0.0", "", "this is why");
		ck_assert_int_eq(keeper_proto_put_reply(&o, &rp), 0);
		ck_assert_int_eq(ipc_send(fds[0], &o, 1000), 0);
		ipc_out_clear(&o);
		keys_client_begin(client);
		ck_assert_int_eq(status(&n), -1);
		ck_assert_str_eq(pr.text, "this is why");
		ck_assert_int_eq(keys_client_failed(client), i > 0);
	}
}
END_TEST

/* Data beyond the limits is never sent. */
START_TEST(not_sent)
{
	static const uint8_t big[KEEPER_CIPHERTEXT_MAX + 1];
	struct keeper_request rq = {.msg = KEEPER_MSG_DECRYPT,
	    .id = "a",
	    .decrypt = {KEEPER_PAD_PKCS1, KEEPER_MD_SHA256, KEEPER_MD_SHA256, 0, {big, 0}, {big, sizeof(big)}}};
	struct keeper_reply rp;
	struct ipc_in in;

	ck_assert_int_eq(keys_client_call(client, &rq, &rp, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert(!keys_client_failed(client));
	ck_assert_int_eq(ipc_recv(fds[0], &store, &in, 0), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keys_client");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, late);
	tcase_add_test(t, hangs);
	tcase_add_test(t, gone);
	tcase_add_loop_test(t, wrong_answer, 0, 3);
	tcase_add_test(t, whose_fault);
	tcase_add_test(t, not_sent);
	suite_add_tcase(s, t);
	return suite_run(s);
}
