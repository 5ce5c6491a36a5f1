/* ipc_chan.c: order, queueing, back-pressure, and freeing at every moment. */
#include "gateway/base/ipc_chan.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/loop.h"
#include "gateway/base/mem.h"
#include "tests/unit/suite.h"

static struct loop *l;
static struct ipc_chan *chan;
static int peer, before;
static struct buf store;
static uint32_t got, closed;
static char why[100];
static enum { ON_MSG_COUNT, ON_MSG_FREE, ON_MSG_PAUSE, ON_MSG_KEEP_FD, ON_MSG_REPLY } on_msg_does;

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -1;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void put(struct ipc_out *o, uint32_t id, size_t n)
{
	static const uint8_t zeroes[80000];

	ipc_out_init(o, 9, id);
	ipc_put_bytes(o, zeroes, n);
}

static void on_msg(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct ipc_out o;
	size_t n;

	ck_assert_ptr_eq(ctx, &got);
	ck_assert_uint_eq(in->id, got);
	got++;
	if (on_msg_does == ON_MSG_KEEP_FD)
		return;
	ipc_get_bytes(in, &n);
	ck_assert_int_eq(ipc_end(in), 0);
	if (on_msg_does == ON_MSG_FREE) {
		ipc_chan_free(c);
		chan = NULL;
		ck_assert_uint_eq(in->type, 9); /* still there */
	} else if (on_msg_does == ON_MSG_PAUSE) {
		ipc_chan_pause(c, true);
	} else if (on_msg_does == ON_MSG_REPLY) {
		put(&o, in->id, n);
		ck_assert_int_eq(ipc_chan_send(c, &o), 0);
	}
}

static void on_close(void *ctx, struct ipc_chan *c, const char *reason)
{
	(void)ctx;
	closed++;
	ck_assert_int_eq(mem_copy_str(why, sizeof why, reason), 0);
	ipc_chan_free(c);
	chan = NULL;
}

static const struct ipc_chan_ops ops = {on_msg, on_close};

static void setup(void)
{
	int pair[2];

	before = open_fds();
	l = loop_new();
	ck_assert_int_eq(ipc_pair(pair), 0);
	peer = pair[1];
	chan = ipc_chan_new(l, pair[0], &ops, &got);
	buf_init(&store, IPC_PACKET_MAX);
}

static void teardown(void)
{
	ipc_chan_free(chan);
	ipc_chan_free(NULL);
	if (peer >= 0)
		close(peer);
	loop_free(l);
	buf_clear(&store);
	ck_assert_int_eq(open_fds(), before);
}

static void from_peer(uint32_t id, size_t n)
{
	struct ipc_out o;

	put(&o, id, n);
	ck_assert_int_eq(ipc_send(peer, &o, 0), 0);
	ipc_out_clear(&o);
}

/* Runs until nothing is ready any more. */
static void settle(void)
{
	for (int i = 0; i < 100; i++)
		loop_once(l, 0);
}

START_TEST(test_receive)
{
	for (uint32_t i = 0; i < 50; i++)
		from_peer(i, i);
	settle();
	ck_assert_uint_eq(got, 50);
	close(peer);
	peer = -1;
	settle();
	ck_assert_uint_eq(closed, 1);
	ck_assert_str_eq(why, "peer closed");
}
END_TEST

/* Far more than the socket takes: all arrives, in order, with every descriptor. */
START_TEST(test_queue)
{
	struct ipc_out o;
	struct ipc_in in;
	uint32_t want = 0;

	for (uint32_t i = 0; i < 200; i++) {
		int fd = open("/dev/null", O_RDONLY);

		put(&o, i, 50000);
		ipc_put_fd(&o, fd);
		ck_assert_int_eq(ipc_chan_send(chan, &o), 0);
		ck_assert_uint_eq(o.b.len, 0);
		close(fd); /* the queue has its own */
	}
	ck_assert_uint_gt(ipc_chan_waiting(chan), 100 * 50000);
	while (want < 200) {
		while (ipc_recv(peer, &store, &in, 0) == 1) {
			size_t n;

			ck_assert_uint_eq(in.id, want++);
			ipc_get_bytes(&in, &n);
			ck_assert_uint_eq(n, 50000);

			int fd = ipc_get_fd(&in);

			ck_assert_int_ge(fd, 0);
			close(fd);
			ck_assert_int_eq(ipc_end(&in), 0);
		}
		loop_once(l, 0);
	}
	ck_assert_uint_eq(ipc_chan_waiting(chan), 0);
}
END_TEST

START_TEST(test_queue_full)
{
	struct ipc_out o;
	int sent = 0;

	for (;; sent++) {
		put(&o, 0, 80000);
		if (ipc_chan_send(chan, &o) < 0)
			break;
		ck_assert_uint_le(ipc_chan_waiting(chan), IPC_CHAN_QUEUE_MAX);
	}
	ck_assert_int_gt(sent, (int)(IPC_CHAN_QUEUE_MAX / 81000));
	ck_assert_uint_eq(closed, 0); /* refused, but not broken */
	settle();
	ck_assert_uint_eq(closed, 0);
}
END_TEST

START_TEST(test_bad_out)
{
	struct ipc_out o;
	struct ipc_in in;

	put(&o, 0, 80000);
	ipc_put_bytes(&o, "x", 80000);
	ck_assert_int_eq(ipc_chan_send(chan, &o), -1);
	put(&o, 4, 0);
	ck_assert_int_eq(ipc_chan_send(chan, &o), 0);
	ck_assert_int_eq(ipc_recv(peer, &store, &in, 0), 1);
	ck_assert_uint_eq(in.id, 4);
}
END_TEST

START_TEST(test_pause)
{
	on_msg_does = ON_MSG_PAUSE;
	from_peer(0, 1);
	from_peer(1, 1);
	settle();
	ck_assert_uint_eq(got, 1);
	on_msg_does = ON_MSG_COUNT;
	close(peer);
	peer = -1;
	settle();
	ck_assert(got == 1 && closed == 0);
	ipc_chan_pause(chan, false);
	settle();
	ck_assert(got == 2 && closed == 1);
}
END_TEST

START_TEST(test_free_inside)
{
	on_msg_does = ON_MSG_FREE;
	from_peer(0, 1);
	from_peer(1, 1);
	settle();
	ck_assert(got == 1 && closed == 0);
	ck_assert_ptr_null(chan);
}
END_TEST

START_TEST(test_malformed)
{
	from_peer(0, 1);
	ck_assert_int_eq(send(peer, "junk", 4, 0), 4);
	from_peer(1, 1);
	settle();
	ck_assert(got == 1 && closed == 1);
	ck_assert_str_eq(why, "malformed packet");
}
END_TEST

/* A child answers and dies; we notice when sending. What it answered arrives, then its end is said once. */
START_TEST(test_send_to_dead)
{
	struct ipc_out o;

	from_peer(0, 1);
	from_peer(1, 1);
	close(peer);
	peer = -1;
	for (int i = 0; i < 3; i++) {
		put(&o, 0, 10);
		ck_assert_int_eq(ipc_chan_send(chan, &o), -1);
	}
	ck_assert(got == 0 && closed == 0); /* nothing is called from inside send */
	settle();
	ck_assert(got == 2 && closed == 1);
	ck_assert_ptr_nonnull(strstr(why, "Broken pipe"));
}
END_TEST

START_TEST(test_queue_to_dead)
{
	struct ipc_out o;

	for (int i = 0; i < 100; i++) {
		put(&o, 0, 50000);
		ck_assert_int_eq(ipc_chan_send(chan, &o), 0);
	}
	close(peer);
	peer = -1;
	settle();
	ck_assert(got == 0 && closed == 1);
}
END_TEST

/* Descriptors the handler does not take are closed for it (teardown counts). */
START_TEST(test_fds_left)
{
	struct ipc_out o;

	on_msg_does = ON_MSG_KEEP_FD;
	put(&o, 0, 1);
	ipc_put_fd(&o, peer);
	ipc_put_fd(&o, peer);
	ck_assert_int_eq(ipc_send(peer, &o, 0), 0);
	ipc_out_clear(&o);
	settle();
	ck_assert_uint_eq(got, 1);
}
END_TEST

START_TEST(test_reply)
{
	struct ipc_in in;

	on_msg_does = ON_MSG_REPLY;
	for (uint32_t i = 0; i < 300; i++) {
		from_peer(i, i * 200);
		while (ipc_recv(peer, &store, &in, 0) != 1)
			loop_once(l, 0);
		ck_assert_uint_eq(in.id, i);
	}
	ck_assert_int_ge(ipc_chan_fd(chan), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipc_chan");
	TCase *t = tcase_create("ipc_chan");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_receive);
	tcase_add_test(t, test_queue);
	tcase_add_test(t, test_queue_full);
	tcase_add_test(t, test_bad_out);
	tcase_add_test(t, test_pause);
	tcase_add_test(t, test_free_inside);
	tcase_add_test(t, test_malformed);
	tcase_add_test(t, test_send_to_dead);
	tcase_add_test(t, test_queue_to_dead);
	tcase_add_test(t, test_fds_left);
	tcase_add_test(t, test_reply);
	suite_add_tcase(s, t);
	return suite_run(s);
}
