/* ipc.c: fields, header, descriptors, and what a hostile or dying peer can send. */
#include "gateway/base/ipc.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static int pair[2];
static struct buf store;
static struct ipc_in in;

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -1; /* the directory's own */

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void setup(void)
{
	ck_assert_int_eq(ipc_pair(pair), 0);
	buf_init(&store, IPC_PACKET_MAX);
}

static void teardown(void)
{
	close(pair[0]);
	close(pair[1]);
	buf_clear(&store);
}

static int same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

START_TEST(test_fields)
{
	struct ipc_out o;
	char text[10], one[1];
	size_t n;

	ipc_out_init(&o, 513, 0xdeadbeef);
	ipc_put_u8(&o, 200);
	ipc_put_u16(&o, 0x1234);
	ipc_put_u32(&o, 0x89abcdef);
	ipc_put_u64(&o, UINT64_C(0x1122334455667788));
	ipc_put_bytes(&o, "a\0b", 3);
	ipc_put_str(&o, "123456789");
	ipc_put_str(&o, NULL);
	ipc_put_bytes(&o, NULL, 0);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), 0);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), 1);
	ck_assert_mem_eq(store.p, "\0\1\2\1\xde\xad\xbe\xef\0\0\0\x2b\xc8\x12\x34\x89\xab\xcd\xef\x11", 20);
	ck_assert_uint_eq(in.type, 513);
	ck_assert_uint_eq(in.id, 0xdeadbeef);
	ck_assert_uint_eq(ipc_get_u8(&in), 200);
	ck_assert_uint_eq(ipc_get_u16(&in), 0x1234);
	ck_assert_uint_eq(ipc_get_u32(&in), 0x89abcdef);
	ck_assert_uint_eq(ipc_get_u64(&in), UINT64_C(0x1122334455667788));
	ck_assert_mem_eq(ipc_get_bytes(&in, &n), "a\0b", 3);
	ck_assert_uint_eq(n, 3);
	ipc_get_str(&in, text, sizeof text);
	ck_assert_str_eq(text, "123456789");
	ipc_get_str(&in, one, sizeof one);
	ck_assert_str_eq(one, "");
	ck_assert_ptr_nonnull(ipc_get_bytes(&in, &n));
	ck_assert_uint_eq(n, 0);
	ck_assert(!in.bad);
	ck_assert_int_eq(ipc_end(&in), 0);
	ipc_out_clear(&o);
}
END_TEST

/* Whatever comes short by one octet is bad, reads as zero, and stays bad. */
START_TEST(test_short)
{
	static const uint8_t p[8] = {0, 0, 0, 1, 'x', 0, 0, 9};
	static const size_t widths[] = {1, 2, 4, 8};
	char text[4];
	size_t n;

	for (size_t i = 0; i < 4; i++) {
		in = (struct ipc_in){.p = p + 3, .n = widths[i] - 1};

		uint64_t v = i == 0   ? ipc_get_u8(&in)
			     : i == 1 ? ipc_get_u16(&in)
			     : i == 2 ? ipc_get_u32(&in)
				      : ipc_get_u64(&in);

		ck_assert(in.bad && v == 0);
		in.n = 5;
		ck_assert_uint_eq(ipc_get_u8(&in), 0);
		ck_assert_int_eq(ipc_end(&in), -1);
	}
	in = (struct ipc_in){.p = p, .n = 4};
	ipc_get_bytes(&in, &n);
	ck_assert(in.bad && n == 0);
	in = (struct ipc_in){.p = (const uint8_t *)"\xff\xff\xff\xff", .n = 4};
	ipc_get_bytes(&in, &n);
	ck_assert(in.bad && n == 0);
	in = (struct ipc_in){.p = (const uint8_t *)"\0\0\0\4abcd", .n = 8};
	ipc_get_str(&in, text, sizeof text);
	ck_assert(in.bad && text[0] == 0);
	in = (struct ipc_in){.p = (const uint8_t *)"\0\0\0\2a\0", .n = 6};
	ipc_get_str(&in, text, sizeof text);
	ck_assert(in.bad && text[0] == 0);
	in = (struct ipc_in){.p = p, .n = 5};
	ipc_get_str(&in, text, sizeof text);
	ck_assert(!in.bad);
	ck_assert_str_eq(text, "x");
	ck_assert_int_eq(ipc_end(&in), 0);
	in = (struct ipc_in){.p = p, .n = 6};
	ipc_get_str(&in, text, sizeof text);
	ck_assert_int_eq(ipc_end(&in), -1); /* one octet left over */
}
END_TEST

START_TEST(test_parse)
{
	uint8_t p[14] = {0, 1, 0, 7, 0, 0, 0, 9, 0, 0, 0, 2, 'a', 'b'};

	ck_assert_int_eq(ipc_parse(p, 14, &in), 0);
	ck_assert(in.type == 7 && in.id == 9 && in.n == 2 && in.p == p + 12);
	ck_assert_int_eq(ipc_parse(p, 13, &in), -1);
	ck_assert_int_eq(ipc_parse(p, 11, &in), -1);
	ck_assert_int_eq(ipc_parse(p, 0, &in), -1);
	p[11] = 1;
	ck_assert_int_eq(ipc_parse(p, 14, &in), -1);
	p[11] = 2;
	p[1] = 2;
	ck_assert_int_eq(ipc_parse(p, 14, &in), -1);
}
END_TEST

/* One full packet must pass even with the buffers an ordinary user gets; one octet more is refused here. */
START_TEST(test_full)
{
	struct ipc_out o;
	size_t n, most = IPC_PACKET_MAX - IPC_HEADER - 4;
	uint8_t *p = calloc(1, most + 1);

	int small = 106496; /* the kernel doubles it: half of what the default net.core.wmem_max gives */

	ck_assert_int_eq(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
	p[most - 1] = 77;
	ipc_out_init(&o, 1, 1);
	ipc_put_bytes(&o, p, most);
	ck_assert(!o.bad);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), 0);
	ipc_out_clear(&o);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), 1);
	ck_assert_mem_eq(ipc_get_bytes(&in, &n), p, most);
	ck_assert_uint_eq(n, most);
	ck_assert_int_eq(ipc_end(&in), 0);
	ipc_out_init(&o, 1, 1);
	ipc_put_bytes(&o, p, most + 1);
	ck_assert(o.bad);
	ipc_put_u8(&o, 1);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ipc_out_clear(&o);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), -1); /* cleared: there is no message */
	ipc_put_bytes(&o, p, SIZE_MAX);
	free(p);
}
END_TEST

START_TEST(test_fds)
{
	struct ipc_out o;
	int before = open_fds(), fds[2], got[2];

	fds[0] = open("/dev/null", O_RDONLY);
	fds[1] = open("/dev/zero", O_RDONLY);
	ipc_out_init(&o, 1, 1);
	ipc_put_fd(&o, fds[0]);
	ipc_put_fd(&o, fds[1]);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), 0);
	ipc_out_clear(&o);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), 1);
	got[0] = ipc_get_fd(&in);
	got[1] = ipc_get_fd(&in);
	ck_assert(same_file(got[0], fds[0]) && same_file(got[1], fds[1]));
	ck_assert_int_eq(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(ipc_end(&in), 0);
	ck_assert_int_eq(ipc_get_fd(&in), -1);
	ck_assert(in.bad);
	for (int i = 0; i < 2; i++) {
		close(got[i]);
		close(fds[i]);
	}
	ck_assert_int_eq(open_fds(), before);
	ipc_out_init(&o, 1, 1);
	for (int i = 0; i <= IPC_FDS_MAX; i++) {
		ck_assert(!o.bad);
		ipc_put_fd(&o, 0);
	}
	ck_assert(o.bad);
	ipc_out_clear(&o);
	ipc_out_init(&o, 1, 1);
	ipc_put_fd(&o, -1);
	ck_assert(o.bad);
	ipc_out_clear(&o);
}
END_TEST

START_TEST(test_fds_left)
{
	struct ipc_out o;
	int before = open_fds();

	ipc_out_init(&o, 1, 1);
	for (int i = 0; i < IPC_FDS_MAX; i++)
		ipc_put_fd(&o, pair[0]);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), 0);
	ipc_out_clear(&o);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), 1);
	ck_assert_int_eq(open_fds(), before + IPC_FDS_MAX);
	ck_assert_int_eq(ipc_end(&in), -1);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

/* A packet as a hostile peer would build it. */
static void raw(const void *p, size_t n, int nfds)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(64 * sizeof(int))];
	} c;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	memset(&c, 0, sizeof c);
	if (nfds) {
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c.head.cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		c.head.cmsg_level = SOL_SOCKET;
		c.head.cmsg_type = SCM_RIGHTS;
		for (int i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&c.head) + (size_t)i * sizeof(int), &pair[1], sizeof(int));
	}
	ck_assert_int_eq(sendmsg(pair[0], &m, 0), (long)n);
}

#define GOOD "\0\1\0\1\0\0\0\0\0\0\0\0"

START_TEST(test_malformed)
{
	static const struct {
		const char *p;
		size_t n;
		int nfds;
	} cases[] = {
	    {"x", 1, 0},
	    {"x", 1, 3},
	    {GOOD "x", 13, 0},
	    {GOOD "x", 13, IPC_FDS_MAX},
	    {GOOD, 11, 1},
	    {"\0\2\0\1\0\0\0\0\0\0\0\0", 12, 2},
	    {"\0\1\0\1\0\0\0\0\xff\xff\xff\xff", 12, 2},
	    {GOOD, 12, IPC_FDS_MAX + 1},
	    {GOOD, 12, IPC_FDS_MAX + 2},
	    {GOOD, 12, 64},
	    {"", 0, 1},
	};
	int before = open_fds();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		raw(cases[i].p, cases[i].n, cases[i].nfds);
		errno = 0;
		ck_assert_msg(ipc_recv(pair[1], &store, &in, 0) == -1, "case %zu was taken", i);
		ck_assert_int_eq(errno, EBADMSG);
		ck_assert_int_eq(in.nfds, 0);
		ck_assert_int_eq(open_fds(), before);
	}
	raw(GOOD, 12, IPC_FDS_MAX);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), 1);
	ck_assert_int_eq(in.nfds, IPC_FDS_MAX);
	ipc_close_fds(&in);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(test_oversized)
{
	size_t n = IPC_PACKET_MAX + 1;
	uint8_t *p = calloc(1, n);

	memcpy(p, "\0\1\0\1\0\0\0\0\0\1\x7f\xf5", 12); /* its own length is right */
	raw(p, n, 1);
	errno = 0;
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), -1);
	ck_assert_int_eq(errno, EBADMSG);
	free(p);
}
END_TEST

START_TEST(test_closed)
{
	struct ipc_out o;

	ipc_out_init(&o, 1, 1);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), 0);
	ck_assert_int_eq(shutdown(pair[0], SHUT_WR), 0);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, -1), 1);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, -1), 0);
	close(pair[1]);
	ck_assert_int_eq(ipc_send(pair[0], &o, -1), -1); /* and no SIGPIPE */
	ck_assert_int_eq(errno, EPIPE);
	ipc_out_clear(&o);
	pair[1] = dup(pair[0]);
}
END_TEST

/* The peer answered, did not read our last packet, and died: its answer still arrives. */
START_TEST(test_closed_unread)
{
	struct ipc_out o;

	ipc_out_init(&o, 5, 1);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), 0);
	ck_assert_int_eq(ipc_send(pair[1], &o, 0), 0);
	close(pair[1]);
	ck_assert_int_eq(ipc_recv(pair[0], &store, &in, 0), 1);
	ck_assert_uint_eq(in.type, 5);
	ck_assert_int_eq(ipc_recv(pair[0], &store, &in, 0), 0);
	ipc_out_clear(&o);
	pair[1] = dup(pair[0]);
}
END_TEST

START_TEST(test_timeout)
{
	struct ipc_out o;
	uint8_t big[60000] = {0};
	int sent = 0;

	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 20), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ipc_out_init(&o, 1, 1);
	ipc_put_bytes(&o, big, sizeof big);
	while (ipc_send(pair[0], &o, 0) == 0)
		ck_assert_int_lt(sent++, 1000);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(ipc_send(pair[0], &o, 20), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	while (sent-- > 0)
		ck_assert_int_eq(ipc_recv(pair[1], &store, &in, 0), 1);
	ck_assert_int_eq(ipc_send(pair[0], &o, 0), 0);
	ipc_out_clear(&o);
}
END_TEST

static void *echo(void *arg)
{
	struct buf mine;
	struct ipc_in got;
	struct ipc_out o;
	size_t n;

	buf_init(&mine, IPC_PACKET_MAX);
	while (ipc_recv(pair[1], &mine, &got, -1) == 1) {
		const uint8_t *p = ipc_get_bytes(&got, &n);

		ipc_out_init(&o, got.type, got.id);
		ipc_put_bytes(&o, p, n);
		ck_assert_int_eq(ipc_send(pair[1], &o, -1), 0);
		ipc_out_clear(&o);
	}
	buf_clear(&mine);
	return arg;
}

/* Both directions wait for each other; sizes from nothing to a full packet. */
START_TEST(test_blocking)
{
	struct ipc_out o;
	uint8_t big[90000];
	pthread_t t;
	size_t n;

	memset(big, 'x', sizeof big);
	ck_assert_int_eq(pthread_create(&t, NULL, echo, NULL), 0);
	for (uint32_t i = 0; i < 500; i++) {
		ipc_out_init(&o, 3, i);
		ipc_put_bytes(&o, big, i * 180);
		ck_assert_int_eq(ipc_send(pair[0], &o, -1), 0);
		ipc_out_clear(&o);
		ck_assert_int_eq(ipc_recv(pair[0], &store, &in, -1), 1);
		ck_assert_uint_eq(in.id, i);
		ck_assert_mem_eq(ipc_get_bytes(&in, &n), big, i * 180);
		ck_assert_uint_eq(n, i * 180);
		ck_assert_int_eq(ipc_end(&in), 0);
	}
	shutdown(pair[0], SHUT_WR);
	pthread_join(t, NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ipc");
	TCase *t = tcase_create("ipc");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_fields);
	tcase_add_test(t, test_short);
	tcase_add_test(t, test_parse);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_fds);
	tcase_add_test(t, test_fds_left);
	tcase_add_test(t, test_malformed);
	tcase_add_test(t, test_oversized);
	tcase_add_test(t, test_closed);
	tcase_add_test(t, test_closed_unread);
	tcase_add_test(t, test_timeout);
	tcase_add_test(t, test_blocking);
	suite_add_tcase(s, t);
	return suite_run(s);
}
