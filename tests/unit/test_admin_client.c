/* The admin role's parts together (admin_client.c, admin_route.c, admin_peer.c, admin_parent.c, admin_status.c,
 * admin_backup.c): a socket, clients, and a judge, a relay and a parent played here. */
#include "gateway/proc/admin_client.h"

#include <check.h>
#include <fcntl.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/admin.h"
#include "gateway/proc/admin_json.h"
#include "tests/unit/suite.h"

static struct admin a;
static struct child child;
static int judge, relay, parent; /* our ends */
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_len;
static struct buf store;

static void attach_judge(void)
{
	int pair[2];

	ck_assert_int_eq(ipc_pair(pair), 0);
	admin_peer_attach(&a.judge, pair[0]);
	judge = pair[1];
}

static void setup(void)
{
	int pair[2], n;

	log_init("test", LOG_LEVEL_ERROR);
	admin_json_init();
	memset(&a, 0, sizeof a);
	a.loop = loop_new();
	ck_assert_int_eq(ipc_pair(pair), 0);
	child.control = pair[0];
	parent = pair[1];
	admin_parent_init(&a.parent, a.loop, &child);
	admin_peer_init(&a.judge, a.loop, "judge");
	admin_peer_init(&a.relay, a.loop, "relay");
	attach_judge();
	ck_assert_int_eq(ipc_pair(pair), 0);
	admin_peer_attach(&a.relay, pair[0]);
	relay = pair[1];
	a.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	n = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "postern-test-%ld", (long)getpid());
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	ck_assert_int_eq(bind(a.listener, (struct sockaddr *)&address, address_len), 0);
	ck_assert_int_eq(listen(a.listener, 128), 0);
	admin_client_accept(&a);
	buf_init(&store, IPC_PACKET_MAX);
}

static void teardown(void)
{
	admin_client_close_all(&a);
	buf_clear(&store);
}

static void settle(void)
{
	for (int i = 0; i < 100; i++)
		loop_once(a.loop, 0);
}

static int client(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, address_len), 0);
	return fd;
}

static void send_request(int fd, uint32_t id, const char *text)
{
	struct admin_request rq = {.who = "somebody else", .text = (char *)(uintptr_t)text};
	struct ipc_out o;
	int made;

	ipc_out_init(&o, ADMIN_PROTO_REQUEST, id);
	ck_assert_int_eq(admin_request_put(&o, &rq, &made), 0);
	ck_assert_int_eq(ipc_send(fd, &o, 0), 0);
	ipc_out_clear(&o);
	if (made >= 0)
		close(made);
	settle();
}

/* What a peer was asked; its id. */
static uint32_t asked(int peer, const char *text)
{
	struct admin_request rq;
	struct ipc_in in;
	char who[64];

	ck_assert_int_eq(ipc_recv(peer, &store, &in, 0), 1);
	ck_assert_uint_eq(in.type, ADMIN_PROTO_REQUEST);
	uint32_t id = in.id;
	ck_assert_int_eq(admin_request_get(&in, &rq), 0);
	(void)snprintf(who, sizeof who, "uid %u", (unsigned)getuid());
	ck_assert_str_eq(rq.who, who);
	ck_assert_str_eq(rq.text, text);
	free(rq.text);
	return id;
}

static void not_asked(int peer)
{
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv_now(peer, &store, &in), -1);
}

static void answer(int peer, uint32_t id, const char *text, int fd)
{
	struct admin_reply r = {.text = (char *)(uintptr_t)text, .nfds = fd >= 0, .fds = {fd}};
	struct ipc_out o;
	int made;

	ipc_out_init(&o, ADMIN_PROTO_REPLY, id);
	ck_assert_int_eq(admin_reply_put(&o, &r, &made), 0);
	ck_assert_int_eq(ipc_send(peer, &o, 0), 0);
	ipc_out_clear(&o);
	if (made >= 0)
		close(made);
	settle();
}

/* The next reply to a client; the caller frees and closes. */
static void heard(int fd, uint32_t id, struct admin_reply *r)
{
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv(fd, &store, &in, 0), 1);
	ck_assert_uint_eq(in.type, ADMIN_PROTO_REPLY);
	ck_assert_uint_eq(in.id, id);
	ck_assert_int_eq(admin_reply_get(&in, r), 0);
}

static void heard_text(int fd, uint32_t id, const char *part)
{
	struct admin_reply r;

	heard(fd, id, &r);
	ck_assert_msg(strstr(r.text, part) != NULL, "%s", r.text);
	ck_assert_int_eq(r.nfds, 0);
	free(r.text);
}

static void closed(int fd)
{
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv_now(fd, &store, &in), 0);
	close(fd);
}

/* ---- routing ---- */

static const struct {
	const char *text;
	int to_relay;
} routes[] = {
    {"{\"verb\":\"queue.list\",\"args\":{}}", 1},
    {"{\"verb\":\"queue.\"}", 1},
    {"{\"verb\":\"queue\"}", 0},
    {"{\"verb\":\"partner.list\"}", 0},
    {"{\"verb\":\"statusx\"}", 0},
    {"{\"verb\":\"backup.other\"}", 0},
    {"{\"verb\":\"store.snapshot\"}", 0},
};

START_TEST(test_routes)
{
	int fd = client(), peer = routes[_i].to_relay ? relay : judge;

	send_request(fd, 77, routes[_i].text);
	not_asked(routes[_i].to_relay ? judge : relay);
	answer(peer, asked(peer, routes[_i].text), "{\"ok\":true,\"data\":{\"n\":1}}", -1);
	heard_text(fd, 77, "{\"ok\":true,\"data\":{\"n\":1}}");
	close(fd);
}
END_TEST

/* Long texts both ways, a file with the reply. */
START_TEST(test_long)
{
	size_t n = 300 * 1024;
	char *text = mem_new(n + 64), got[8] = "";
	struct admin_reply r;
	int fd = client(), file = file_memfd("f", "octets", 6),
	    len = snprintf(text, 64, "{\"verb\":\"cert.preview\",\"args\":{\"content\":\"");

	memset(text + len, 'A', n);
	memcpy(text + (size_t)len + n, "\"}}", 4);
	send_request(fd, 1, text);
	answer(judge, asked(judge, text), text, file);
	heard(fd, 1, &r);
	ck_assert_str_eq(r.text, text);
	ck_assert_int_eq(r.nfds, 1);
	ck_assert_int_eq(pread(r.fds[0], got, sizeof got, 0), 6);
	ck_assert_str_eq(got, "octets");
	free(r.text);
	free(text);
	close(r.fds[0]);
	close(file);
	close(fd);
}
END_TEST

/* One request at a time: the second goes on when the first is answered. */
START_TEST(test_one_at_a_time)
{
	int fd = client();

	send_request(fd, 1, "{\"verb\":\"rule.list\"}");
	send_request(fd, 2, "{\"verb\":\"queue.list\"}");
	uint32_t id = asked(judge, "{\"verb\":\"rule.list\"}");
	not_asked(relay);
	answer(judge, id, "{\"ok\":true,\"data\":1}", -1);
	heard_text(fd, 1, "true");
	answer(relay, asked(relay, "{\"verb\":\"queue.list\"}"), "{\"ok\":true,\"data\":2}", -1);
	heard_text(fd, 2, "true");
	close(fd);
}
END_TEST

/* ---- malformed ---- */

static const char *const bad_json[] = {"", "{", "[]", "{}", "{\"verb\":1}", "{\"verb\":\"a\",\"verb\":\"b\"}"};

START_TEST(test_bad_json)
{
	int fd = client();

	send_request(fd, 3, bad_json[_i]);
	heard_text(fd, 3, "\"usage\"");
	not_asked(judge);
	send_request(fd, 4, "{\"verb\":\"explain\"}"); /* it may go on */
	(void)asked(judge, "{\"verb\":\"explain\"}");
	close(fd);
}
END_TEST

static void send_raw(int fd, uint16_t type, int where, int with)
{
	struct ipc_out o;

	ipc_out_init(&o, type, 8);
	ipc_put_str(&o, "");
	ipc_put_u8(&o, (uint8_t)where);
	if (with >= 0)
		ipc_put_fd(&o, with);
	ck_assert_int_eq(ipc_send(fd, &o, 0), 0);
	ipc_out_clear(&o);
	settle();
}

/* A request nobody can read, or one whose text could change or never come: an error, and the end of that client
 * alone. */
START_TEST(test_bad_packet)
{
	int fd = client(), other = client(), pipes[2],
	    file = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(write(file, "{\"verb\":\"status\"}", 17), 17);
	if (_i == 0)
		ck_assert_int_eq(send(fd, "garbage", 7, 0), 7);
	else
		send_raw(fd, _i == 1 ? 299 : ADMIN_PROTO_REQUEST, 1, _i == 2 ? -1 : _i == 3 ? pipes[0] : file);
	settle();
	heard_text(fd, _i == 0 ? 0 : 8, "cannot be read");
	closed(fd);
	send_request(other, 1, "{\"verb\":\"explain\"}");
	(void)asked(judge, "{\"verb\":\"explain\"}");
	close(other);
	close(file);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

/* ---- peers that go ---- */

START_TEST(test_judge_goes)
{
	int fd = client();

	send_request(fd, 1, "{\"verb\":\"explain\"}");
	(void)asked(judge, "{\"verb\":\"explain\"}");
	close(judge);
	settle();
	heard_text(fd, 1, "stopped before it answered");
	send_request(fd, 2, "{\"verb\":\"explain\"}");
	heard_text(fd, 2, "\"unavailable\"");
	attach_judge();
	send_request(fd, 3, "{\"verb\":\"explain\"}");
	answer(judge, asked(judge, "{\"verb\":\"explain\"}"), "{\"ok\":true,\"data\":{}}", -1);
	heard_text(fd, 3, "true");
	close(fd);
}
END_TEST

/* A new channel before the old one's end was seen. */
START_TEST(test_judge_replaced)
{
	int fd = client(), old = judge;

	send_request(fd, 1, "{\"verb\":\"explain\"}");
	(void)asked(judge, "{\"verb\":\"explain\"}");
	attach_judge();
	settle();
	heard_text(fd, 1, "stopped before it answered");
	closed(old);
	send_request(fd, 2, "{\"verb\":\"explain\"}");
	(void)asked(judge, "{\"verb\":\"explain\"}");
	close(fd);
}
END_TEST

/* A client that does not wait: the answer is dropped, its descriptor with it. */
START_TEST(test_client_goes)
{
	int fd = client(), file = file_memfd("f", "x", 1);
	uint32_t id;

	send_request(fd, 1, "{\"verb\":\"store.snapshot\"}");
	id = asked(judge, "{\"verb\":\"store.snapshot\"}");
	close(fd);
	settle();
	answer(judge, id, "{\"ok\":true,\"data\":{}}", file);
	answer(judge, id, "{\"ok\":true,\"data\":{}}", file); /* an answer to nothing is nothing */
	close(file);
	settle();
	ck_assert_uint_eq(a.nclients, 0);
}
END_TEST

START_TEST(test_too_many)
{
	int fds[ADMIN_CLIENTS_MAX], one_more;

	for (int i = 0; i < ADMIN_CLIENTS_MAX; i++)
		fds[i] = client();
	settle();
	ck_assert_uint_eq(a.nclients, ADMIN_CLIENTS_MAX);
	one_more = client();
	settle();
	heard_text(one_more, 0, "too many clients");
	closed(one_more);
	close(fds[0]);
	settle();
	one_more = client();
	settle();
	ck_assert_uint_eq(a.nclients, ADMIN_CLIENTS_MAX);
	for (int i = 1; i < ADMIN_CLIENTS_MAX; i++)
		close(fds[i]);
	close(one_more);
}
END_TEST

/* ---- status and backup ---- */

static uint32_t parent_asked(uint16_t type)
{
	struct ipc_in in;

	ck_assert_int_eq(ipc_recv(parent, &store, &in, 0), 1);
	ck_assert_uint_eq(in.type, type);
	return in.id;
}

/* As the control channel would bring it. */
static void parent_says(uint16_t type, uint32_t id, const char *name, const void *p, size_t n)
{
	struct control_file f = {.p = p, .n = n};
	struct ipc_out o;

	ck_assert_int_eq(mem_copy_str(f.name, sizeof f.name, name), 0);
	ipc_out_init(&o, type, id);
	control_file_put(&o, &f);

	struct ipc_in in = {.type = type, .id = id, .p = o.b.p + IPC_HEADER, .n = o.b.len - IPC_HEADER};

	ck_assert_int_eq(admin_parent_message(&a.parent, &in), 0);
	ipc_out_clear(&o);
	settle();
}

static json_t *data_of(int fd, uint32_t id, int *file_r)
{
	struct admin_reply r;
	char why[640];
	json_t *data;

	heard(fd, id, &r);
	data = admin_json_data(r.text, why);
	ck_assert_msg(data != NULL, "%s", why);
	ck_assert_int_eq(r.nfds, file_r != NULL);
	if (file_r != NULL)
		*file_r = r.fds[0];
	free(r.text);
	return data;
}

static bool mentions(const json_t *texts, const char *part)
{
	const json_t *v;
	size_t i;

	json_array_foreach(texts, i, v) if (strstr(json_string_value(v), part)) return true;
	return false;
}

static const char status[] = "{\"verb\":\"status\"}";

START_TEST(test_status)
{
	int fd = client();
	json_t *data;

	a.parent.keeper.state = KEYS_SEALED;
	send_request(fd, 5, status);
	answer(judge, asked(judge, status), "{\"ok\":true,\"data\":{\"j\":1}}", -1);
	if (_i == 0)
		answer(relay, asked(relay, status), "{\"ok\":true,\"data\":{\"r\":2}}", -1);
	else if (_i == 1)
		answer(relay, asked(relay, status), "{\"ok\":false,\"error\":{\"code\":\"x\",\"text\":\"no queue\"}}",
		    -1);
	else
		close(relay);
	parent_says(CONTROL_STATUS_REPLY, parent_asked(CONTROL_STATUS), "status", "{\"passphrase\":\"/p\"}", 19);
	settle();
	data = data_of(fd, 5, NULL);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(data, "judge"), "j")), 1);
	ck_assert_int_eq(json_is_null(json_object_get(data, "relay")), _i > 0);
	ck_assert_uint_eq(json_array_size(json_object_get(data, "trouble")), _i > 0 ? 2 : 1);
	ck_assert(mentions(json_object_get(data, "trouble"), "/p")); /* where the passphrase is waited for */
	json_decref(data);
	close(fd);
}
END_TEST

static const char snapshot[] = "{\"verb\":\"store.snapshot\",\"args\":{}}";

START_TEST(test_backup)
{
	int fd = client(), file = file_memfd("db", "database", 8), got;
	json_t *data, *keys;
	uint32_t id;

	a.parent.keeper.keys = 1;
	send_request(fd, 6, "{\"verb\":\"backup.take\"}");
	id = parent_asked(CONTROL_KEYFILES);
	parent_says(CONTROL_KEYFILES_REPLY, id, "master", "\0\1\2", 3);
	parent_says(CONTROL_KEYFILES_REPLY, id, "a.key", "key", 3);
	not_asked(judge);
	parent_says(CONTROL_KEYFILES_REPLY, id, "", "", 0);
	answer(judge, asked(judge, snapshot), "{\"ok\":true,\"data\":{\"octets\":8}}", file);
	data = data_of(fd, 6, &got);
	keys = json_object_get(data, "keys");
	ck_assert_uint_eq(json_array_size(keys), 2);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(keys, 0), "name")), "master");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(keys, 0), "content")), "AAEC");
	json_decref(data);
	close(got);
	close(file);
	close(fd);
}
END_TEST

/* A key file that the parent could not read: no backup. */
START_TEST(test_backup_incomplete)
{
	int fd = client();
	uint32_t id;

	a.parent.keeper.keys = 2;
	send_request(fd, 6, "{\"verb\":\"backup.take\"}");
	id = parent_asked(CONTROL_KEYFILES);
	if (_i == 0)
		parent_says(CONTROL_KEYFILES_REPLY, id, "master", "m", 1);
	parent_says(CONTROL_KEYFILES_REPLY, id, "a.key", "key", 3);
	if (_i == 1)
		parent_says(CONTROL_KEYFILES_REPLY, id, "b.key", "key", 3);
	parent_says(CONTROL_KEYFILES_REPLY, id, "", "", 0);
	heard_text(fd, 6, "all key files");
	not_asked(judge);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("admin_client");
	TCase *t = tcase_create("admin_client");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_routes, 0, sizeof routes / sizeof *routes);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_one_at_a_time);
	tcase_add_loop_test(t, test_bad_json, 0, sizeof bad_json / sizeof *bad_json);
	tcase_add_loop_test(t, test_bad_packet, 0, 5);
	tcase_add_test(t, test_judge_goes);
	tcase_add_test(t, test_judge_replaced);
	tcase_add_test(t, test_client_goes);
	tcase_add_test(t, test_too_many);
	tcase_add_loop_test(t, test_status, 0, 3);
	tcase_add_test(t, test_backup);
	tcase_add_loop_test(t, test_backup_incomplete, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
