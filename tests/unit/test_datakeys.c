/* Data keys under group keys (datakeys.h), against a real keeper behind its socket. */
#include "gateway/keys/datakeys.h"

#include <openssl/err.h>
#include <unistd.h>

#include "gateway/base/ipc.h"
#include "gateway/base/log.h"
#include "gateway/keys/keys_client.h"
#include "tests/unit/keeper_fixture.h"

static struct fixture fx;
static struct keys_client *relay;
static struct datakeys *dk;
static struct problem pr;
static uint8_t key[KEYS_DATA_KEY], back[KEYS_DATA_KEY];

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	fixture_start(&fx);
	relay = fixture_client(&fx, KEEPER_FOR_RELAY);
	dk = datakeys_new(relay);
	problem_clear(&pr);
	memset(key, 'k', sizeof(key));
	memset(back, 0, sizeof(back));
}

static void teardown(void)
{
	datakeys_free(dk);
	keys_client_free(relay);
	fixture_end(&fx);
}

static void wrap(struct buf *w)
{
	buf_init(w, DATAKEYS_WRAPPED_MAX);
	ck_assert_msg(datakeys_wrap(dk, key, w, &pr) == 0, "%s", pr.text);
	ck_assert_ptr_null(memmem(w->p, w->len, key, 8));
}

static void expect_back(const struct buf *w)
{
	memset(back, 0, sizeof(back));
	ck_assert_msg(datakeys_unwrap(dk, w->p, w->len, back, &pr) == 0, "%s", pr.text);
	ck_assert_mem_eq(back, key, sizeof(key));
}

START_TEST(there_and_back)
{
	struct buf a, b;

	wrap(&a);
	key[0] = 'x';
	wrap(&b);
	expect_back(&b);
	key[0] = 'k';
	expect_back(&a);
	/* another process knows no group key and asks the keeper */
	datakeys_free(dk);
	dk = datakeys_new(relay);
	expect_back(&a);
	/* its own group key is another one */
	buf_clear(&b);
	wrap(&b);
	ck_assert_mem_ne(a.p + 1, b.p + 1, a.p[0]);
	buf_clear(&a);
	buf_clear(&b);
}
END_TEST

START_TEST(without_the_keeper)
{
	struct buf a, old;

	wrap(&old);
	datakeys_free(dk);
	dk = datakeys_new(relay);
	wrap(&a);
	fixture_down(&fx);
	/* a known group key needs no keeper; an unknown one does, and that is temporary */
	expect_back(&a);
	buf_clear(&a);
	wrap(&a);
	ck_assert_int_eq(datakeys_unwrap(dk, old.p, old.len, back, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	fixture_up(&fx);
	keys_client_replace(relay, fixture_fd(&fx, KEEPER_FOR_RELAY));
	expect_back(&old);
	buf_clear(&a);
	buf_clear(&old);
}
END_TEST

/* More group keys than are remembered: the oldest is asked for again. */
START_TEST(many_groups)
{
	struct buf w[DATAKEYS_KNOWN + 2];

	for (size_t i = 0; i < DATAKEYS_KNOWN + 2; i++) {
		datakeys_free(dk);
		dk = datakeys_new(relay);
		wrap(&w[i]);
	}
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < DATAKEYS_KNOWN + 2; i++)
			expect_back(&w[i]);
	for (size_t i = 0; i < DATAKEYS_KNOWN + 2; i++)
		buf_clear(&w[i]);
}
END_TEST

/* However many older ones were needed, the present group key stays at hand. */
START_TEST(present_group)
{
	struct datakeys *other;
	struct buf a, w[DATAKEYS_KNOWN];

	wrap(&a);
	for (size_t i = 0; i < DATAKEYS_KNOWN; i++) {
		other = datakeys_new(relay);
		buf_init(&w[i], DATAKEYS_WRAPPED_MAX);
		ck_assert_int_eq(datakeys_wrap(other, key, &w[i], &pr), 0);
		datakeys_free(other);
		expect_back(&w[i]);
	}
	fixture_down(&fx);
	expect_back(&a);
	for (size_t i = 0; i < DATAKEYS_KNOWN; i++) {
		expect_back(&w[i]);
		buf_clear(&w[i]);
	}
	buf_clear(&a);
}
END_TEST

static time_t clock_now = 1000;

static time_t test_clock(void)
{
	return clock_now;
}

/* No group key stays in memory for longer than it is kept, used or not; what was wrapped under it is unwrapped by the
 * keeper again. */
START_TEST(old_groups)
{
	struct datakeys *other = datakeys_new(relay);
	struct buf a, b;

	datakeys_set_clock(dk, test_clock);
	wrap(&a);
	buf_init(&b, DATAKEYS_WRAPPED_MAX);
	ck_assert_int_eq(datakeys_wrap(other, key, &b, &pr), 0);
	datakeys_free(other);
	clock_now += DATAKEYS_KEEP_SECONDS - 1;
	expect_back(&b);
	ck_assert_uint_eq(datakeys_forget_old(dk), 2);
	clock_now += 1;
	ck_assert_uint_eq(datakeys_forget_old(dk), 1); /* its own; the other one is of a second ago */
	fixture_down(&fx);
	ck_assert_int_eq(datakeys_unwrap(dk, a.p, a.len, back, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	expect_back(&b);
	clock_now += DATAKEYS_KEEP_SECONDS;
	ck_assert_uint_eq(datakeys_forget_old(dk), 0);
	fixture_up(&fx);
	keys_client_replace(relay, fixture_fd(&fx, KEEPER_FOR_RELAY));
	expect_back(&a);
	expect_back(&b);
	buf_clear(&a);
	wrap(&a);
	expect_back(&a);
	ck_assert_uint_eq(datakeys_forget_old(dk), 3);
	buf_clear(&a);
	buf_clear(&b);
}
END_TEST

/* A keeper that hangs costs the relay one wait, not one for each message. */
START_TEST(hung_keeper)
{
	struct keys_client *k;
	struct datakeys *d;
	struct buf w, old, request;
	struct ipc_in in;
	int fds[2], questions = 0;

	wrap(&old);
	ck_assert_int_eq(ipc_pair(fds), 0);
	k = keys_client_new(fds[0]);
	keys_client_timeout(k, 1100);
	d = datakeys_new(k);
	buf_init(&w, DATAKEYS_WRAPPED_MAX);
	for (int i = 0; i < 3; i++) {
		problem_clear(&pr);
		ck_assert_int_eq(datakeys_wrap(d, key, &w, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
		ck_assert(strstr(pr.text, "did not answer") != NULL);
		ck_assert_int_eq(datakeys_unwrap(d, old.p, old.len, back, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	}
	buf_init(&request, IPC_PACKET_MAX);
	while (ipc_recv(fds[1], &request, &in, 0) == 1)
		questions++;
	ck_assert_int_eq(questions, 1);
	buf_clear(&request);
	buf_clear(&w);
	buf_clear(&old);
	datakeys_free(d);
	keys_client_free(k);
	close(fds[1]);
}
END_TEST

/* Every octet changed, every length: never a key, never a crash. */
START_TEST(damaged)
{
	struct buf a, small;

	wrap(&a);
	for (size_t i = 0; i < a.len; i++) {
		a.p[i] ^= 0x10;
		ck_assert_int_eq(datakeys_unwrap(dk, a.p, a.len, back, &pr), -1);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		a.p[i] ^= 0x10;
	}
	for (size_t n = 0; n < a.len; n++)
		ck_assert_int_eq(datakeys_unwrap(dk, a.p, n, back, &pr), -1);
	ck_assert_uint_eq(ERR_peek_error(), 0);
	expect_back(&a);
	ck_assert(!keys_client_failed(relay));
	buf_init(&small, 40);
	ck_assert_int_eq(datakeys_wrap(dk, key, &small, &pr), -1);
	buf_clear(&small);
	buf_clear(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("datakeys");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, there_and_back);
	tcase_add_test(t, without_the_keeper);
	tcase_add_test(t, many_groups);
	tcase_add_test(t, present_group);
	tcase_add_test(t, old_groups);
	tcase_add_test(t, hung_keeper);
	tcase_add_test(t, damaged);
	suite_add_tcase(s, t);
	return fixture_run(s, 0);
}
