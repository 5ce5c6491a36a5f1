/* The keeper as a process: sealed and unsealed, key files, channels that come, go and misbehave, stopping. */
#include "gateway/keys/keeper.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "gateway/base/log.h"
#include "gateway/keys/keys_client.h"
#include "tests/unit/keeper_fixture.h"

static struct fixture fx;
static struct problem pr;

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	fixture_start(&fx);
	problem_clear(&pr);
}

static void teardown(void)
{
	fixture_end(&fx);
}

START_TEST(sealed)
{
	uint8_t key[KEYS_DATA_KEY] = {0};
	struct keeper *k = keeper_new(fixture_persist, &fx);
	struct keys_client *relay, *judge;
	struct buf wrapped;
	pthread_t thread;
	EVP_PKEY *pub;
	unsigned n = 9;
	int fds[2];

	buf_init(&wrapped, KEYS_WRAPPED_MAX);
	ck_assert_int_eq(pthread_create(&thread, NULL, fixture_thread, k), 0);
	ck_assert_int_eq(ipc_pair(fds), 0);
	keeper_attach(k, fds[0], KEEPER_FOR_RELAY);
	relay = keys_client_new(fds[1]);
	ck_assert_int_eq(ipc_pair(fds), 0);
	keeper_attach(k, fds[0], KEEPER_FOR_JUDGE);
	judge = keys_client_new(fds[1]);

	ck_assert_int_eq(keys_status(relay, &n), KEYS_SEALED);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(keys_wrap(relay, key, &wrapped, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	ck_assert_ptr_nonnull(strstr(pr.text, "sealed"));
	ck_assert(keys_client_failed(relay));
	ck_assert_int_eq(keys_generate(judge, "a", KEYS_USE_SIGN, KEYS_EC_P256, &pub, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	ck_assert_int_eq(keeper_load(k, "a.key", "x", 1, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);

	/* a wrong passphrase leaves it sealed, the right one opens it while it serves, once */
	ck_assert_int_eq(keeper_unseal(k, "wrong", 5, fx.master.p, fx.master.len, &pr), -1);
	ck_assert_int_eq(keys_status(relay, &n), KEYS_SEALED);
	ck_assert_int_eq(
	    keeper_unseal(k, FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), fx.master.p, fx.master.len, &pr), 0);
	ck_assert_int_eq(keys_status(relay, &n), KEYS_READY);
	keys_client_begin(relay);
	ck_assert_int_eq(keys_wrap(relay, key, &wrapped, &pr), 0);
	ck_assert_int_eq(
	    keeper_unseal(k, FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), fx.master.p, fx.master.len, &pr), -1);
	ck_assert(!keys_client_failed(relay));

	keeper_stop(k);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	keeper_free(k);
	ck_assert_int_eq(keys_status(relay, &n), KEYS_UNREACHABLE);
	keys_client_free(relay);
	keys_client_free(judge);
	buf_clear(&wrapped);
}
END_TEST

/* A damaged file is named and does not keep the others out; one key cannot be loaded twice. */
START_TEST(load)
{
	static const char *const ids[] = {"a", "c", "b"};
	struct keys_client *judge;
	unsigned n;

	for (int i = 0; i < 3; i++)
		EVP_PKEY_free(fixture_key(&fx, ids[i], KEYS_USE_SIGN, KEYS_EC_P256));
	fixture_down(&fx);
	fx.k = keeper_new(fixture_persist, &fx);
	ck_assert_int_eq(
	    keeper_unseal(fx.k, FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), fx.master.p, fx.master.len, &pr), 0);
	fx.files[1].content.p[60] ^= 1;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(
		    keeper_load(fx.k, fx.files[i].name, fx.files[i].content.p, fx.files[i].content.len, &pr),
		    i == 1 ? -1 : 0);
	ck_assert_ptr_nonnull(strstr(pr.text, "c.key"));
	ck_assert_int_eq(
	    keeper_load(fx.k, fx.files[0].name, fx.files[0].content.p, fx.files[0].content.len, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "already"));
	ck_assert_int_eq(keeper_load(fx.k, "x.key", fx.files[1].content.p, 0, &pr), -1);
	ck_assert_int_eq(pthread_create(&fx.thread, NULL, fixture_thread, fx.k), 0);
	judge = fixture_client(&fx, KEEPER_FOR_JUDGE);
	ck_assert_int_eq(keys_status(judge, &n), KEYS_READY);
	ck_assert_uint_eq(n, 2);
	keys_client_free(judge);
}
END_TEST

/* Unsealed it serves at once, while the keys are still being read: one that is forgotten then stays so. */
START_TEST(forgotten_while_loading)
{
	struct buf content[2];
	struct keys_client *judge;
	EVP_PKEY *pub;
	unsigned n;

	for (int i = 0; i < 2; i++) {
		EVP_PKEY_free(fixture_key(&fx, i ? "stays" : "gone", KEYS_USE_SIGN, KEYS_EC_P256));
		buf_init(&content[i], KEEPER_FILES_KEY_MAX);
		ck_assert_int_eq(buf_add(&content[i], fx.files[i].content.p, fx.files[i].content.len), 0);
	}
	fixture_down(&fx);
	fx.k = keeper_new(fixture_persist, &fx);
	ck_assert_int_eq(pthread_create(&fx.thread, NULL, fixture_thread, fx.k), 0);
	ck_assert_int_eq(
	    keeper_unseal(fx.k, FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), fx.master.p, fx.master.len, &pr), 0);
	judge = fixture_client(&fx, KEEPER_FOR_JUDGE);
	ck_assert_msg(keys_forget(judge, "gone", &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(keeper_load(fx.k, "gone.key", content[0].p, content[0].len, &pr), -1);
	ck_assert_msg(strstr(pr.text, "was forgotten while it was being read") != NULL, "%s", pr.text);
	ck_assert_msg(keeper_load(fx.k, "stays.key", content[1].p, content[1].len, &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(keys_status(judge, &n), KEYS_READY);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(fx.nfiles, 1);
	/* a new one of that name is another key */
	ck_assert_msg(keys_generate(judge, "gone", KEYS_USE_SIGN, KEYS_EC_P256, &pub, &pr) == 0, "%s", pr.text);
	EVP_PKEY_free(pub);
	keys_client_free(judge);
	for (int i = 0; i < 2; i++)
		buf_clear(&content[i]);
}
END_TEST

static int closed(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t c;

	/* waits for the event, and only a keeper that does not do its work reaches the limit */
	return poll(&p, 1, 20000) == 1 && recv(fd, &c, 1, 0) == 0;
}

static void send_raw(int fd, const struct ipc_out *o, size_t n, int with_fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} c = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {o->b.p, n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	memcpy(CMSG_DATA(&c.head), &fd, sizeof(fd));
	if (with_fd) {
		m.msg_control = &c;
		m.msg_controllen = sizeof(c.space);
	}
	ck_assert_int_eq(sendmsg(fd, &m, 0), (ssize_t)n);
}

/* Malformed packets close the channel of their sender and no other. */
START_TEST(malformed)
{
	struct keys_client *good = fixture_client(&fx, KEEPER_FOR_SEALER);
	int fd = fixture_fd(&fx, KEEPER_FOR_SEALER);
	struct ipc_out o;
	unsigned n;

	ipc_out_init(&o, _i == 1 ? KEEPER_MSG_END : KEEPER_MSG_STATUS, 1);
	if (_i == 2)
		ipc_put_u8(&o, 1); /* left over */
	o.b.p[11] = (uint8_t)(o.b.len - IPC_HEADER);
	if (_i == 3)
		o.b.p[11] = 7; /* length does not fit */
	if (_i == 4)
		o.b.p[1] = 9; /* version */
	send_raw(fd, &o, _i == 0 ? 5 : o.b.len, _i == 5);
	ck_assert_msg(closed(fd), "case %d", _i);
	ipc_out_clear(&o);
	close(fd);
	ck_assert_int_eq(keys_status(good, &n), KEYS_READY);
	keys_client_free(good);
}
END_TEST

/* One that asks and asks and takes no answer loses its channel, the others are served meanwhile. */
START_TEST(never_takes_answers)
{
	struct keys_client *good = fixture_client(&fx, KEEPER_FOR_SEALER);
	int fd = fixture_fd(&fx, KEEPER_FOR_SEALER), err = 0;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct ipc_out o;
	unsigned n;

	ipc_out_init(&o, KEEPER_MSG_STATUS, 1);
	while (!err) {
		if (send(fd, o.b.p, o.b.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			err = errno;
		else if (poll(&p, 1, 20000) != 1)
			break;
		if (p.revents & POLLHUP)
			err = EPIPE;
	}
	ck_assert(err == EPIPE || err == ECONNRESET);
	ck_assert_int_eq(keys_status(good, &n), KEYS_READY);
	ipc_out_clear(&o);
	close(fd);
	keys_client_free(good);
}
END_TEST

/* Channels attached before the threads start, many, going away unasked. */
START_TEST(come_and_go)
{
	struct keys_client *c[50];
	unsigned n;

	fixture_down(&fx);
	fx.k = keeper_new(fixture_persist, &fx);
	ck_assert_int_eq(
	    keeper_unseal(fx.k, FIXTURE_PASSPHRASE, strlen(FIXTURE_PASSPHRASE), fx.master.p, fx.master.len, &pr), 0);
	for (int i = 0; i < 50; i++)
		c[i] = fixture_client(&fx, KEEPER_FOR_SEALER);
	ck_assert_int_eq(pthread_create(&fx.thread, NULL, fixture_thread, fx.k), 0);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(keys_status(c[i], &n), KEYS_READY);
	for (int i = 0; i < 50; i += 2)
		keys_client_free(c[i]);
	for (int i = 1; i < 50; i += 2) {
		ck_assert_int_eq(keys_status(c[i], &n), KEYS_READY);
		keys_client_free(c[i]);
	}
}
END_TEST

/* ---- one key, many threads ---- */

struct signer {
	struct keys_client *client;
	EVP_PKEY *pub;
	const char *id;
	int bad;
};

static void *sign_many(void *arg)
{
	struct signer *s = arg;
	EVP_PKEY *pkey = keys_pkey(s->client, s->id, s->pub, NULL);

	for (int i = 0; i < 40; i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *check = EVP_MD_CTX_new();
		uint8_t sig[512];
		size_t n = sizeof(sig);

		if (!EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) ||
		    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)&i, sizeof(i)) != 1 ||
		    !EVP_DigestVerifyInit(check, NULL, EVP_sha256(), NULL, s->pub) ||
		    EVP_DigestVerify(check, sig, n, (const unsigned char *)&i, sizeof(i)) != 1)
			s->bad++;
		EVP_MD_CTX_free(ctx);
		EVP_MD_CTX_free(check);
	}
	EVP_PKEY_free(pkey);
	return NULL;
}

START_TEST(one_key_many_threads)
{
	EVP_PKEY *pub = fixture_key(&fx, "k", KEYS_USE_SIGN, _i ? KEYS_EC_P256 : KEYS_RSA_2048);
	struct signer s[6];
	pthread_t threads[6];

	for (int i = 0; i < 6; i++) {
		s[i] = (struct signer){fixture_client(&fx, KEEPER_FOR_SEALER), pub, "k", 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_many, &s[i]), 0);
	}
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_int_eq(s[i].bad, 0);
		keys_client_free(s[i].client);
	}
	EVP_PKEY_free(pub);
}
END_TEST

/* Keys that are made while others sign; two judges that want the same name: one gets it. */
static void *make_one(void *arg)
{
	struct keys_client *judge = arg;
	struct problem why = {0};
	EVP_PKEY *pub;
	int r = keys_generate(judge, "same", KEYS_USE_SIGN, KEYS_EC_P256, &pub, &why);

	EVP_PKEY_free(pub);
	return r == 0 ? judge : NULL;
}

START_TEST(same_name_at_once)
{
	struct keys_client *judges[4];
	pthread_t threads[4];
	int made = 0;

	for (int i = 0; i < 4; i++)
		judges[i] = fixture_client(&fx, KEEPER_FOR_JUDGE);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, make_one, judges[i]), 0);
	for (int i = 0; i < 4; i++) {
		void *got;

		ck_assert_int_eq(pthread_join(threads[i], &got), 0);
		made += got != NULL;
		keys_client_free(judges[i]);
	}
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(fx.nfiles, 1);
}
END_TEST

START_TEST(stop_and_run_again)
{
	struct keys_client *c = fixture_client(&fx, KEEPER_FOR_SEALER);
	unsigned n;

	for (int i = 0; i < 3; i++) {
		keeper_stop(fx.k);
		keeper_stop(fx.k);
		ck_assert_int_eq(pthread_join(fx.thread, NULL), 0);
		ck_assert_int_eq(pthread_create(&fx.thread, NULL, fixture_thread, fx.k), 0);
		ck_assert_int_eq(keys_status(c, &n), KEYS_READY);
	}
	keys_client_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_test(t, sealed);
	tcase_add_test(t, load);
	tcase_add_test(t, forgotten_while_loading);
	tcase_add_loop_test(t, malformed, 0, 6);
	tcase_add_test(t, never_takes_answers);
	tcase_add_test(t, come_and_go);
	tcase_add_loop_test(t, one_key_many_threads, 0, 2);
	tcase_add_test(t, same_name_at_once);
	tcase_add_test(t, stop_and_run_again);
	suite_add_tcase(s, t);
	return fixture_run(s, 1u << KEYS_RSA_2048 | 1u << KEYS_EC_P256);
}
