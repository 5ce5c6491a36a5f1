/* parent <-> child: what is put in comes out; what is cut, added or out of range is refused, and no descriptor stays
 * open by it. */
#include "gateway/proc/control_proto.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static const uint8_t octets[] = "a file\0with a NUL";

static struct control_start start_in = {
    .role = ROLE_SEALER, .index = 3, .uid = 70001, .gid = 70002, .file = "/etc/postern/postern.conf"};
static struct control_peer peer_in = {.role = ROLE_ADMIN, .index = UINT32_MAX};
static struct control_file file_in = {.name = "lab.example-decrypt-1.key", .p = octets, .n = sizeof(octets)};
static struct control_state state_in = {.state = 2, .keys = 70000};
static struct control_ack ack_in = {.ok = true, .text = "no room"};

enum kind { START, PEER, FILE_, STATE, ACK, KINDS };

static bool has_fd(enum kind k)
{
	return k == START || k == PEER;
}

static void put(enum kind k, struct ipc_out *o, int fd)
{
	ipc_out_init(o, CONTROL_START, 1);
	start_in.fd = peer_in.fd = fd;
	switch (k) {
	case START:
		control_start_put(o, &start_in);
		break;
	case PEER:
		control_peer_put(o, &peer_in);
		break;
	case FILE_:
		control_file_put(o, &file_in);
		break;
	case STATE:
		control_state_put(o, &state_in);
		break;
	default:
		control_ack_put(o, &ack_in);
	}
	ck_assert(!o->bad);
}

static struct control_start start;
static struct control_peer peer;
static struct control_file file;
static struct control_state state;
static struct control_ack ack;

static int get(enum kind k, struct ipc_in *in)
{
	switch (k) {
	case START:
		return control_start_get(in, &start);
	case PEER:
		return control_peer_get(in, &peer);
	case FILE_:
		return control_file_get(in, &file);
	case STATE:
		return control_state_get(in, &state);
	default:
		return control_ack_get(in, &ack);
	}
}

static int null_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* n octets of p with nfds descriptors, as if received; afterwards none of them may be open unless it was handed over.
 */
static int decode(enum kind k, const uint8_t *p, size_t n, int nfds)
{
	struct ipc_in in = {.p = p, .n = n};
	int fds[3], rc;

	for (in.nfds = 0; in.nfds < nfds; in.nfds++)
		in.fds[in.nfds] = fds[in.nfds] = null_fd();
	rc = get(k, &in);
	for (int i = 0; i < nfds; i++) {
		ck_assert_int_eq(fcntl(fds[i], F_GETFD) >= 0, rc == 0);
		if (rc == 0)
			close(fds[i]);
	}
	return rc;
}

START_TEST(round_trip)
{
	struct ipc_out o;
	int fd = null_fd();

	for (int k = 0; k < KINDS; k++) {
		struct ipc_in in = {0};

		put((enum kind)k, &o, fd);
		in.p = o.b.p + IPC_HEADER;
		in.n = o.b.len - IPC_HEADER;
		in.nfds = o.nfds;
		ck_assert_int_eq(o.nfds, has_fd((enum kind)k));
		in.fds[0] = fd;
		ck_assert_int_eq(get((enum kind)k, &in), 0);
		if (k == FILE_) {
			ck_assert_str_eq(file.name, file_in.name);
			ck_assert_uint_eq(file.n, sizeof(octets));
			ck_assert_mem_eq(file.p, octets, sizeof(octets));
		}
		ipc_out_clear(&o);
	}
	ck_assert(start.role == ROLE_SEALER && start.index == 3 && start.uid == 70001 && start.gid == 70002 &&
		  start.fd == fd);
	ck_assert_str_eq(start.file, start_in.file);
	ck_assert(peer.role == ROLE_ADMIN && peer.index == UINT32_MAX && peer.fd == fd);
	ck_assert(state.state == 2 && state.keys == 70000);
	ck_assert(ack.ok);
	ck_assert_str_eq(ack.text, "no room");
	close(fd);
}
END_TEST

START_TEST(cut_and_added)
{
	enum kind k = (enum kind)_i;
	struct ipc_out o;
	uint8_t *p;
	size_t n;
	int fd = null_fd(), fds = has_fd(k);

	put(k, &o, fd);
	n = o.b.len - IPC_HEADER;
	p = calloc(1, n + 1);
	memcpy(p, o.b.p + IPC_HEADER, n);
	ck_assert_int_eq(decode(k, p, n, fds), 0);
	ck_assert_int_eq(decode(k, p, n + 1, fds), -1);
	ck_assert_int_eq(decode(k, p, n, fds + 1), -1);
	if (fds > 0)
		ck_assert_int_eq(decode(k, p, n, 0), -1);
	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *q = malloc(cut ? cut : 1);

		memcpy(q, p, cut);
		ck_assert_int_eq(decode(k, q, cut, fds), -1);
		free(q);
	}
	free(p);
	ipc_out_clear(&o);
	close(fd);
}
END_TEST

START_TEST(roles)
{
	struct ipc_out o;
	int fd = null_fd();

	for (unsigned role = 0; role < 256; role++)
		for (int k = START; k <= PEER; k++) {
			put((enum kind)k, &o, fd);
			o.b.p[IPC_HEADER] = (uint8_t)role;
			ck_assert_int_eq(decode((enum kind)k, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER, 1),
			    role < ROLE_COUNT ? 0 : -1);
			ipc_out_clear(&o);
		}
	close(fd);
}
END_TEST

START_TEST(words)
{
	static const char *const want[ROLE_COUNT] = {
	    "parent", "keeper", "judge", "scout", "sealer", "relay", "admin", "public", "web", "opener"};

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		ck_assert_str_eq(control_role_word((enum control_role)r), want[r]);
	ck_assert_str_eq(control_role_word(ROLE_COUNT), "unknown");
}
END_TEST

/* A file of the most octets goes, one more does not. */
START_TEST(file_limit)
{
	static uint8_t big[CONTROL_FILE_MAX + 1];
	struct control_file m = {.name = "k", .p = big};
	struct ipc_out o;

	for (int more = 0; more < 2; more++) {
		m.n = CONTROL_FILE_MAX + (size_t)more;
		ipc_out_init(&o, CONTROL_KEYFILE, 1);
		control_file_put(&o, &m);
		ck_assert(!o.bad);
		ck_assert_int_eq(decode(FILE_, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER, 0), more ? -1 : 0);
		ipc_out_clear(&o);
	}
}
END_TEST

/* Names that are longer than their place, or two names to two readers. */
static const struct {
	const char *p;
	size_t n;
	int want;
} names[] = {{"", 0, 0}, {"k", 1, 0}, {"k\0l", 3, -1}, {"\0", 1, -1}};

START_TEST(odd_names)
{
	struct ipc_out o;

	ipc_out_init(&o, CONTROL_KEYFILE, 1);
	ipc_put_bytes(&o, names[_i].p, names[_i].n);
	ipc_put_bytes(&o, octets, 3);
	ck_assert_int_eq(decode(FILE_, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER, 0), names[_i].want);
	ipc_out_clear(&o);
}
END_TEST

START_TEST(long_names)
{
	char name[160];
	struct ipc_out o;

	memset(name, 'x', sizeof(name));
	for (size_t n = 126; n < 130; n++) {
		ipc_out_init(&o, CONTROL_KEYFILE, 1);
		ipc_put_bytes(&o, name, n);
		ipc_put_bytes(&o, octets, 3);
		ck_assert_int_eq(
		    decode(FILE_, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER, 0), n < sizeof(file.name) ? 0 : -1);
		ipc_out_clear(&o);
	}
}
END_TEST

/* "Durable" is one octet value alone: anything else is "no". */
START_TEST(acknowledged)
{
	struct ipc_out o;

	for (unsigned v = 0; v < 256; v++) {
		put(ACK, &o, -1);
		o.b.p[IPC_HEADER] = (uint8_t)v;
		if (decode(ACK, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER, 0) == 0)
			ck_assert_int_eq(ack.ok, v == 1);
		else
			ck_assert_uint_gt(v, 1);
		ipc_out_clear(&o);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("control_proto");
	TCase *t = tcase_create("control_proto");

	tcase_add_test(t, round_trip);
	tcase_add_loop_test(t, cut_and_added, 0, KINDS);
	tcase_add_test(t, roles);
	tcase_add_test(t, words);
	tcase_add_test(t, file_limit);
	tcase_add_loop_test(t, odd_names, 0, (int)(sizeof(names) / sizeof(names[0])));
	tcase_add_test(t, long_names);
	tcase_add_test(t, acknowledged);
	suite_add_tcase(s, t);
	return suite_run(s);
}
