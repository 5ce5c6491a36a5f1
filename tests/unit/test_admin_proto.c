/* admin_proto.c: short and long texts, files beside them, and packets that are not what they should be. */
#include "certstore/admin_proto.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/mem.h"
#include "tests/unit/suite.h"

static int pair[2], before;
static struct buf store;

static int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -1;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void setup(void)
{
	before = open_fds();
	ck_assert_int_eq(ipc_pair(pair), 0);
	buf_init(&store, IPC_PACKET_MAX);
}

/* Nothing stays open, whatever came. */
static void teardown(void)
{
	buf_clear(&store);
	close(pair[0]);
	close(pair[1]);
	ck_assert_int_eq(open_fds(), before);
}

static char *text_of(size_t n)
{
	char *s = mem_new(n + 1);

	memset(s, 'x', n);
	return s;
}

/* Through the sockets, as between processes. */
static void deliver(struct ipc_out *o, struct ipc_in *in_r)
{
	ck_assert_int_eq(ipc_send(pair[0], o, 1000), 0);
	ipc_out_clear(o);
	ck_assert_int_eq(ipc_recv(pair[1], &store, in_r, 1000), 1);
}

static const size_t lengths[] = {0, 1, 48 * 1024, 48 * 1024 + 1, 1024 * 1024, ADMIN_PROTO_TEXT_MAX};

START_TEST(test_request)
{
	size_t n = lengths[_i];
	struct admin_request rq = {.who = "uid 1000", .text = text_of(n)}, got;
	struct ipc_out o;
	struct ipc_in in;
	int made;

	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 5);
	ck_assert_int_eq(admin_request_put(&o, &rq, &made), 0);
	ck_assert_int_eq(made >= 0, n > 48 * 1024);
	deliver(&o, &in);
	if (made >= 0)
		close(made);
	ck_assert_uint_eq(in.type, ADMIN_PROTO_REQUEST);
	ck_assert_uint_eq(in.id, 5);
	ck_assert_int_eq(admin_request_get(&in, &got), 0);
	ck_assert_str_eq(got.who, rq.who);
	ck_assert_uint_eq(strlen(got.text), n);
	ck_assert_int_eq(memcmp(got.text, rq.text, n), 0);
	free(rq.text);
	free(got.text);
}
END_TEST

START_TEST(test_too_long)
{
	struct admin_request rq = {.text = text_of(ADMIN_PROTO_TEXT_MAX + 1)};
	struct ipc_out o;
	int made = 7;

	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 5);
	ck_assert_int_eq(admin_request_put(&o, &rq, &made), -1);
	ck_assert_int_eq(made, -1);
	ipc_out_clear(&o);
	free(rq.text);
}
END_TEST

/* A memory file larger than any request may be. */
START_TEST(test_descriptor_too_long)
{
	char *text = text_of(ADMIN_PROTO_TEXT_MAX + 1);
	struct admin_request got;
	struct ipc_out o;
	struct ipc_in in;
	int fd = file_memfd("test", text, ADMIN_PROTO_TEXT_MAX + 1);

	ck_assert_int_ge(fd, 0);
	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 1);
	ipc_put_str(&o, "");
	ipc_put_u8(&o, 1);
	ipc_put_fd(&o, fd);
	deliver(&o, &in);
	close(fd);
	ck_assert_int_eq(admin_request_get(&in, &got), -1);
	ck_assert_ptr_null(got.text);
	free(text);
}
END_TEST

static void read_back(int fd, const char *want)
{
	char got[32] = "";

	ck_assert_int_eq(pread(fd, got, sizeof got - 1, 0), (ssize_t)strlen(want));
	ck_assert_str_eq(got, want);
	close(fd);
}

/* Files keep their order, also beside a text that is a file itself. */
START_TEST(test_reply_files)
{
	struct admin_reply r = {.text = text_of(_i ? 100000 : 10), .nfds = 2}, got;
	struct ipc_out o;
	struct ipc_in in;
	int made;

	r.fds[0] = file_memfd("a", "first", 5);
	r.fds[1] = file_memfd("b", "second", 6);
	ipc_out_init(&o, ADMIN_PROTO_REPLY, 9);
	ck_assert_int_eq(admin_reply_put(&o, &r, &made), 0);
	deliver(&o, &in);
	if (made >= 0)
		close(made);
	close(r.fds[0]);
	close(r.fds[1]);
	ck_assert_int_eq(admin_reply_get(&in, &got), 0);
	ck_assert_str_eq(got.text, r.text);
	ck_assert_int_eq(got.nfds, 2);
	read_back(got.fds[0], "first");
	read_back(got.fds[1], "second");
	free(got.text);
	free(r.text);
}
END_TEST

/* ---- malformed ---- */

enum wrong {
	NOTHING,
	NO_TEXT,
	WHERE_2,
	SHORT_TEXT,
	NO_DESCRIPTOR,
	MORE_OCTETS,
	MORE_DESCRIPTORS,
	LONG_WHO,
	NUL_IN_WHO,
	NWRONG
};

static void put_wrong(struct ipc_out *o, enum wrong w, int fd)
{
	char who[200] = "";

	if (w == NOTHING)
		return;
	memset(who, 'w', w == LONG_WHO ? 128 : 3);
	ipc_put_bytes(o, w == NUL_IN_WHO ? "a\0b" : who, w == LONG_WHO ? 128 : 3);
	if (w == NO_TEXT)
		return;
	ipc_put_u8(o, w == WHERE_2 ? 2 : w == NO_DESCRIPTOR);
	if (w == SHORT_TEXT)
		ipc_put_u32(o, 1000);
	else if (w != NO_DESCRIPTOR)
		ipc_put_str(o, "{}");
	if (w == MORE_OCTETS)
		ipc_put_u8(o, 0);
	if (w == MORE_DESCRIPTORS)
		ipc_put_fd(o, fd);
}

START_TEST(test_bad_request)
{
	struct admin_request got = {.text = (char[]){"not touched"}};
	struct ipc_out o;
	struct ipc_in in;
	int fd = file_memfd("x", "x", 1);

	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 1);
	put_wrong(&o, (enum wrong)_i, fd);
	deliver(&o, &in);
	close(fd);
	ck_assert_int_eq(admin_request_get(&in, &got), -1);
	ck_assert_ptr_null(got.text);
}
END_TEST

static const struct {
	unsigned said, sent;
} counts[] = {{1, 0}, {0, 1}, {2, 1}, {ADMIN_PROTO_FILES_MAX + 1, ADMIN_PROTO_FILES_MAX + 1}, {255, 2}};

/* The number of files said and that of those that came differ, or are too many: none stays open. */
START_TEST(test_bad_reply)
{
	struct admin_reply got;
	struct ipc_out o;
	struct ipc_in in;
	int fd = file_memfd("x", "x", 1);

	ipc_out_init(&o, ADMIN_PROTO_REPLY, 1);
	ipc_put_u8(&o, 0);
	ipc_put_str(&o, "{}");
	ipc_put_u8(&o, (uint8_t)counts[_i].said);
	for (unsigned i = 0; i < counts[_i].sent; i++)
		ipc_put_fd(&o, fd);
	deliver(&o, &in);
	close(fd);
	ck_assert_int_eq(admin_reply_get(&in, &got), -1);
	ck_assert_ptr_null(got.text);
	ck_assert_int_eq(got.nfds, 0);
}
END_TEST

/* Every packet that was cut short is refused. */
START_TEST(test_cut)
{
	struct admin_request rq = {.who = "uid 0", .text = (char[]){"{\"verb\":\"status\"}"}}, got;
	struct ipc_out o;
	int made;

	ipc_out_init(&o, ADMIN_PROTO_REQUEST, 1);
	ck_assert_int_eq(admin_request_put(&o, &rq, &made), 0);
	for (size_t n = 0; n < o.b.len - IPC_HEADER; n++) {
		struct ipc_in in = {.type = ADMIN_PROTO_REQUEST, .p = o.b.p + IPC_HEADER, .n = n};

		ck_assert_int_eq(admin_request_get(&in, &got), -1);
		ck_assert_ptr_null(got.text);
	}
	ipc_out_clear(&o);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("admin_proto");
	TCase *t = tcase_create("admin_proto");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_request, 0, sizeof lengths / sizeof *lengths);
	tcase_add_test(t, test_too_long);
	tcase_add_test(t, test_descriptor_too_long);
	tcase_add_loop_test(t, test_reply_files, 0, 2);
	tcase_add_loop_test(t, test_bad_request, 0, NWRONG);
	tcase_add_loop_test(t, test_bad_reply, 0, sizeof counts / sizeof *counts);
	tcase_add_test(t, test_cut);
	suite_add_tcase(s, t);
	return suite_run(s);
}
