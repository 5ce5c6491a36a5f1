/* conn.c: both ends of a socket pair on one loop, plain and TLS. Every wait is for an event; the limit of rounds only
 * ends a test that failed. */
#include "gateway/smtp/conn.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "tests/unit/suite.h"
#include "tests/unit/tls_contexts.h"

enum { IN_MAX = 64 * 1024, BIG = 2 * 1024 * 1024 };

enum trick { TRICK_NONE, TRICK_FREE_IN_INPUT, TRICK_FREE_IN_TLS, TRICK_LINGER_IN_INPUT, TRICK_KEEP_INPUT };

/* One end: what it was told, and what it does when told. */
struct end {
	struct conn *c;
	struct buf got;
	size_t take; /* at most so many octets a call, then conn_again; 0 = all */
	size_t to_send, sent;
	enum trick trick;
	int inputs, drained, closed, tls_told;
	char why[300], tls_why[300];
};

static struct loop *loop;
static struct tls_contexts tls;
static struct end a, b;

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static void on_input(void *ctx, struct conn *c)
{
	struct end *e = ctx;
	struct buf *in = conn_in(c);
	size_t n = in->len;

	e->inputs++;
	if (e->trick == TRICK_KEEP_INPUT)
		return;
	if (e->take && n > e->take) {
		n = e->take;
		conn_again(c);
	}
	ck_assert_int_eq(buf_add(&e->got, in->p, n), 0);
	buf_drop(in, n);
	if (e->trick == TRICK_FREE_IN_INPUT) {
		conn_free(c);
		e->c = NULL;
	}
	if (e->trick == TRICK_LINGER_IN_INPUT) {
		ck_assert_int_eq(conn_write(c, "bye", 3), 0);
		conn_linger(c, 10000);
		e->c = NULL;
	}
}

static void send_more(struct end *e)
{
	uint8_t some[9000];

	while (e->sent < e->to_send) {
		size_t n = e->to_send - e->sent < sizeof some ? e->to_send - e->sent : sizeof some;

		for (size_t i = 0; i < n; i++)
			some[i] = pattern(e->sent + i);

		int r = conn_write(e->c, some, n);

		ck_assert_int_ge(r, 0);
		e->sent += n;
		if (r == 1)
			return;
	}
}

static void on_drained(void *ctx, struct conn *c)
{
	struct end *e = ctx;

	(void)c;
	e->drained++;
	send_more(e);
}

static void on_tls(void *ctx, struct conn *c, const char *why)
{
	struct end *e = ctx;

	e->tls_told++;
	snprintf(e->tls_why, sizeof e->tls_why, "%s", why ? why : "");
	if (e->trick == TRICK_FREE_IN_TLS) {
		conn_free(c);
		e->c = NULL;
	}
}

static void on_closed(void *ctx, struct conn *c, const char *why)
{
	struct end *e = ctx;

	e->closed++;
	snprintf(e->why, sizeof e->why, "%s", why);
	conn_free(c);
	e->c = NULL;
}

static const struct conn_ops ops = {
    .on_input = on_input, .on_drained = on_drained, .on_tls = on_tls, .on_closed = on_closed};

static void end_init(struct end *e, int fd, bool connected, size_t in_max)
{
	*e = (struct end){0};
	buf_init(&e->got, 64u * 1024 * 1024);
	if (fd >= 0)
		e->c = conn_new(loop, fd, connected, in_max, &ops, e);
}

static void end_clear(struct end *e)
{
	conn_free(e->c);
	buf_clear(&e->got);
}

static void pair(int type, int fd[2])
{
	ck_assert_int_eq(socketpair(AF_UNIX, type, 0, fd), 0);
}

/* Both ends as conns, the first with a buffer of its own size. */
static void start_with(size_t in_max)
{
	int fd[2];

	loop = loop_new();
	pair(SOCK_STREAM, fd);
	end_init(&a, fd[0], true, in_max);
	end_init(&b, fd[1], true, IN_MAX);
}

static void start(void)
{
	start_with(IN_MAX);
}

/* One end as conn, the other a bare descriptor. */
static int start_half(int type, size_t in_max)
{
	int fd[2];

	loop = loop_new();
	pair(type, fd);
	end_init(&a, fd[0], true, in_max);
	end_init(&b, -1, true, 0);
	return fd[1];
}

#define UNTIL(cond)                                                                                                  \
	do {                                                                                                         \
		for (int64_t t0 = loop_now_ms(); !(cond) && loop_now_ms() - t0 < 20000;)                             \
			loop_once(loop, 50);                                                                         \
		ck_assert_msg(cond, "never: %s", #cond);                                                             \
	} while (0)

static void finish(void)
{
	end_clear(&a);
	end_clear(&b);
	UNTIL(conn_lingering() == 0);
	loop_free(loop);
}

static void settle_down(void)
{
	for (int i = 0; i < 5; i++)
		loop_once(loop, 0);
}

static void both_tls(void)
{
	conn_start_tls(a.c, tls.server, true, NULL);
	conn_start_tls(b.c, tls.client, false, "mx.example.org");
	UNTIL(a.tls_told && b.tls_told);
	ck_assert_str_eq(a.tls_why, "");
	ck_assert_str_eq(b.tls_why, "");
}

static void check_pattern(const struct buf *got, size_t n)
{
	ck_assert_uint_eq(got->len, n);
	for (size_t i = 0; i < n; i++) {
		if (got->p[i] != pattern(i))
			ck_abort_msg("octet %zu differs", i);
	}
}

START_TEST(plain_both_ways)
{
	start();
	ck_assert_int_eq(conn_write(a.c, "hello", 5), 0);
	ck_assert_int_eq(conn_write(b.c, "you", 3), 0);
	UNTIL(a.got.len == 3 && b.got.len == 5);
	ck_assert_mem_eq(b.got.p, "hello", 5);
	ck_assert_mem_eq(a.got.p, "you", 3);
	ck_assert_str_eq(conn_peer(a.c), "unix");
	ck_assert(!conn_is_tls(a.c));
	conn_free(a.c);
	a.c = NULL;
	UNTIL(b.closed);
	ck_assert_str_eq(b.why, "peer closed the connection");
	finish();
}
END_TEST

/* _i: bit 0 TLS, bit 1 a reader that takes little at a time, bit 2 both directions at once. */
START_TEST(large)
{
	start();
	if (_i & 1)
		both_tls();
	if (_i & 2)
		b.take = 1500;
	a.to_send = BIG;
	send_more(&a);
	if (_i & 4) {
		b.to_send = BIG;
		send_more(&b);
	}
	UNTIL(b.got.len == BIG && a.got.len == b.to_send);
	check_pattern(&b.got, BIG);
	check_pattern(&a.got, b.to_send);
	ck_assert_int_gt(a.drained, 10);
	finish();
}
END_TEST

START_TEST(tls_words)
{
	char words[100];

	start();
	ck_assert_str_eq(conn_tls_words(a.c, words, sizeof words), "");
	both_tls();
	ck_assert(conn_is_tls(a.c) && conn_is_tls(b.c));
	ck_assert_str_eq(conn_tls_words(a.c, words, sizeof words), "TLSv1.3 cipher TLS_AES_256_GCM_SHA384");
	ck_assert_str_eq(SSL_get_servername(conn_ssl(a.c), TLSEXT_NAMETYPE_host_name), "mx.example.org");
	/* A farewell in good order: close_notify arrives as an end, not as an error. */
	ck_assert_int_eq(conn_write(a.c, "x", 1), 0);
	conn_linger(a.c, 10000);
	a.c = NULL;
	UNTIL(b.closed);
	ck_assert_str_eq(b.why, "peer closed the connection");
	ck_assert_uint_eq(b.got.len, 1);
	finish();
}
END_TEST

/* What OpenSSL has already taken from the descriptor is read without another event there: records are larger than the
 * buffer. */
START_TEST(tls_more_than_the_buffer)
{
	start_with(1000);
	both_tls();
	b.to_send = 40000;
	send_more(&b);
	UNTIL(a.got.len == 40000);
	check_pattern(&a.got, 40000);
	finish();
}
END_TEST

static const struct {
	const char *name;
	int mode;
	const char *want; /* part of the failure, NULL = works */
} names[] = {
    {"mx.example.org", SSL_VERIFY_PEER, NULL},
    {"other.example.org", SSL_VERIFY_PEER, "hostname mismatch"},
    {"192.0.2.1", SSL_VERIFY_PEER, "IP address mismatch"},
    {"other.example.org", SSL_VERIFY_NONE, NULL},
    {NULL, SSL_VERIFY_NONE, NULL},
};

START_TEST(tls_verify)
{
	start();
	SSL_CTX_set_verify(tls.client, names[_i].mode, NULL);
	conn_start_tls(a.c, tls.server, true, NULL);
	conn_start_tls(b.c, tls.client, false, names[_i].name);
	UNTIL(a.tls_told && b.tls_told);
	if (names[_i].want)
		ck_assert_msg(strstr(b.tls_why, names[_i].want) != NULL, "%s", b.tls_why);
	else
		ck_assert_str_eq(b.tls_why, "");
	if (names[_i].want)
		ck_assert_str_ne(a.tls_why, "");
	ck_assert_int_eq(b.closed, 0);
	finish();
}
END_TEST

/* RFC 3207 4.2: what lies in the buffer when TLS starts is not heard under TLS; what is queued for output still goes
 * out in the clear. */
START_TEST(tls_forgets_input)
{
	char line[8] = "";

	start();
	a.trick = TRICK_KEEP_INPUT;
	ck_assert_int_eq(conn_write(b.c, "MAIL FROM:<evil>", 16), 0);
	UNTIL(a.inputs == 1);
	ck_assert_uint_eq(conn_in(a.c)->len, 16);
	ck_assert_int_eq(conn_write(a.c, "220 go\n", 7), 0);
	conn_start_tls(a.c, tls.server, true, NULL);
	UNTIL(b.got.len == 7);
	memcpy(line, b.got.p, 7);
	ck_assert_str_eq(line, "220 go\n");
	conn_start_tls(b.c, tls.client, false, NULL);
	UNTIL(a.tls_told && b.tls_told);
	ck_assert_str_eq(a.tls_why, "");
	ck_assert_uint_eq(conn_in(a.c)->len, 0);
	a.trick = TRICK_NONE;
	ck_assert_int_eq(conn_write(b.c, "good", 4), 0);
	UNTIL(a.got.len == 4);
	ck_assert_mem_eq(a.got.p, "good", 4);
	finish();
}
END_TEST

START_TEST(tls_garbage)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);

	conn_start_tls(a.c, tls.server, true, NULL);
	ck_assert_int_eq(write(fd, "MAIL FROM:<x@y>\r\n", 17), 17);
	UNTIL(a.tls_told);
	ck_assert_msg(strncmp(a.tls_why, "TLS handshake: ", 15) == 0, "%s", a.tls_why);
	ck_assert_int_eq(conn_write(a.c, "x", 1), -1);
	ck_assert_int_eq(a.closed, 0);
	close(fd);
	finish();
}
END_TEST

START_TEST(tls_peer_leaves)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);

	conn_start_tls(a.c, tls.server, true, NULL);
	settle_down();
	close(fd);
	UNTIL(a.tls_told);
	ck_assert_str_eq(a.tls_why, "peer closed the connection during the TLS handshake");
	finish();
}
END_TEST

START_TEST(tls_timeout)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);

	conn_timeout(a.c, 20);
	conn_start_tls(a.c, tls.server, true, NULL);
	UNTIL(a.closed);
	ck_assert_str_eq(a.why, "timeout");
	ck_assert_int_eq(a.tls_told, 0);
	close(fd);
	finish();
}
END_TEST

/* The peer cuts the line without close_notify. */
START_TEST(tls_truncated)
{
	start();
	both_tls();
	ck_assert_int_eq(shutdown(conn_fd(b.c), SHUT_WR), 0);
	UNTIL(a.closed);
	ck_assert_str_eq(a.why, "peer closed the connection without TLS close_notify");
	finish();
}
END_TEST

START_TEST(timeout_is_not_moved_by_traffic)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);
	int64_t t0 = loop_now_ms();

	conn_timeout(a.c, 60);
	while (!a.closed && loop_now_ms() - t0 < 20000) {
		ck_assert_int_eq(send(fd, "x", 1, MSG_NOSIGNAL), 1);
		loop_once(loop, 1);
	}
	ck_assert_str_eq(a.why, "timeout");
	ck_assert_int_ge(loop_now_ms() - t0, 59);
	ck_assert_int_gt(a.inputs, 1);
	close(fd);
	finish();
}
END_TEST

START_TEST(timeout_off)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);

	conn_timeout(a.c, 1);
	conn_timeout(a.c, 0);
	b.c = NULL;
	for (int64_t t0 = loop_now_ms(); loop_now_ms() - t0 < 10;)
		loop_once(loop, 1);
	ck_assert_int_eq(a.closed, 0);
	close(fd);
	finish();
}
END_TEST

START_TEST(octets_before_the_end)
{
	int fd = start_half(SOCK_STREAM, 10);

	a.take = 3;
	ck_assert_int_eq(write(fd, "0123456789abcdefghijklmnopqrstuvwxyz", 36), 36);
	close(fd);
	UNTIL(a.closed);
	ck_assert_uint_eq(a.got.len, 36);
	ck_assert_mem_eq(a.got.p, "0123456789abcdefghijklmnopqrstuvwxyz", 36);
	finish();
}
END_TEST

START_TEST(full_input_stops_reading)
{
	int fd = start_half(SOCK_STREAM, 100);
	char some[300];

	memset(some, 'x', sizeof some);
	a.trick = TRICK_KEEP_INPUT;
	ck_assert_int_eq(write(fd, some, sizeof some), sizeof some);
	UNTIL(conn_in(a.c)->len == 100);

	int before = a.inputs;

	settle_down();
	ck_assert_uint_eq(conn_in(a.c)->len, 100);
	ck_assert_int_eq(a.inputs, before);
	ck_assert(!conn_gone(a.c));
	a.trick = TRICK_NONE;
	conn_again(a.c);
	UNTIL(a.got.len == 300);
	close(fd);
	UNTIL(a.closed);
	finish();
}
END_TEST

START_TEST(pause_and_gone)
{
	start();
	if (_i)
		both_tls();
	conn_pause(a.c, true);
	settle_down();
	ck_assert(!conn_gone(a.c));
	ck_assert_int_eq(conn_write(b.c, "late", 4), 0);
	conn_linger(b.c, 5000);
	b.c = NULL;
	UNTIL(conn_gone(a.c));
	ck_assert_int_eq(a.closed, 0);
	ck_assert_uint_eq(a.got.len, 0);
	conn_pause(a.c, false);
	UNTIL(a.closed);
	ck_assert_uint_eq(a.got.len, 4);
	finish();
}
END_TEST

/* Not a linger that loses the last words: the peer has sent things nobody read, and reads late. */
START_TEST(linger_sends_all)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);
	char out[2000];
	size_t got = 0;
	ssize_t n;

	a.trick = TRICK_KEEP_INPUT;
	memset(out, 'o', sizeof out);
	for (int i = 0; i < 400; i++)
		ck_assert_int_ge(conn_write(a.c, out, sizeof out), 0);
	ck_assert_int_eq(write(fd, "NOOP\r\n", 6), 6);
	conn_linger(a.c, 20000);
	a.c = NULL;
	for (int64_t t0 = loop_now_ms(); loop_now_ms() - t0 < 20000;) {
		loop_once(loop, 0);
		n = recv(fd, out, sizeof out, MSG_DONTWAIT);
		if (n == 0)
			break;
		ck_assert(n > 0 || errno == EAGAIN);
		got += n > 0 ? (size_t)n : 0;
	}
	ck_assert_uint_eq(got, 800000);
	ck_assert_int_eq(a.closed, 0);
	close(fd);
	settle_down();
	finish();
}
END_TEST

/* A peer that neither reads nor goes is left after the time given. */
START_TEST(linger_ends)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);
	char some[1000];
	int64_t t0 = loop_now_ms();

	memset(some, 'x', sizeof some);
	for (int i = 0; i < 800; i++)
		ck_assert_int_ge(conn_write(a.c, some, sizeof some), 0);
	conn_linger(a.c, 30);
	a.c = NULL;
	/* EPIPE is how a bare socket learns that the other end is closed for good. */
	while (send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 && loop_now_ms() - t0 < 20000)
		loop_once(loop, 5);
	ck_assert_int_eq(errno, EPIPE);
	close(fd);
	finish();
}
END_TEST

/* A peer that sends without end while we say goodbye is cut off. */
START_TEST(linger_does_not_listen_for_ever)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);
	static char some[65536];
	ssize_t n = 0;
	size_t all = 0;

	conn_linger(a.c, 20000);
	a.c = NULL;
	for (int64_t t0 = loop_now_ms(); loop_now_ms() - t0 < 20000;) {
		n = send(fd, some, sizeof some, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EPIPE)
			break;
		all += n > 0 ? (size_t)n : 0;
		loop_once(loop, 0);
	}
	ck_assert_int_lt(n, 0);
	ck_assert_uint_lt(all, 4u * 1024 * 1024);
	close(fd);
	finish();
}
END_TEST

/* Peers that are said goodbye to and do not go hold no more descriptors than the limit; each is told all the same. */
START_TEST(linger_has_a_limit)
{
	enum { PEERS = CONN_LINGERING_MAX + 50 };
	static int fds[PEERS];
	struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
	char got[8];

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
	for (int i = 0; i < PEERS; i++) {
		if (i == 0) {
			fds[i] = start_half(SOCK_STREAM, IN_MAX);
		} else {
			int fd[2];

			pair(SOCK_STREAM, fd);
			end_init(&a, fd[0], true, IN_MAX);
			fds[i] = fd[1];
		}
		ck_assert_int_eq(write(fds[i], "EHLO x\r\n", 8), 8);
		ck_assert_int_eq(conn_write(a.c, "421 \r\n", 6), 0);
		conn_linger(a.c, 20000);
		a.c = NULL;
	}
	ck_assert_uint_eq(conn_lingering(), CONN_LINGERING_MAX);
	for (int i = 0; i < 100; i++)
		loop_once(loop, 0);
	for (int i = 0; i < PEERS; i++) {
		ck_assert_int_eq(recv(fds[i], got, sizeof got, 0), 6);
		close(fds[i]);
	}
	settle_down();
	finish();
}
END_TEST

START_TEST(free_inside)
{
	start();
	a.trick = _i == 0 ? TRICK_FREE_IN_INPUT : _i == 1 ? TRICK_LINGER_IN_INPUT : TRICK_FREE_IN_TLS;
	if (_i < 2) {
		ck_assert_int_eq(conn_write(b.c, "x", 1), 0);
	} else {
		conn_start_tls(a.c, tls.server, true, NULL);
		conn_start_tls(b.c, tls.client, false, NULL);
	}
	UNTIL(b.closed);
	ck_assert_ptr_null(a.c);
	if (_i == 1)
		ck_assert_mem_eq(b.got.p, "bye", 3);
	settle_down();
	finish();
}
END_TEST

/* Seqpacket shows each write(2) of ours as one packet. Returns the sizes of the packets that three writes in two
 * rounds became, and how long it took. */
static int64_t three_writes(int fd, bool cork, ssize_t size_r[3])
{
	char got[100];
	int64_t began = loop_now_ms();

	conn_cork(a.c, cork);
	ck_assert_int_eq(conn_write(a.c, "250 one\r\n", 9), 0);
	loop_once(loop, 0);
	ck_assert_int_eq(conn_write(a.c, "250 two\r\n", 9), 0);
	ck_assert_int_eq(conn_write(a.c, "250 three\r\n", 11), 0);
	loop_once(loop, 0);
	conn_cork(a.c, false);

	int64_t took = loop_now_ms() - began;

	UNTIL(conn_waiting(a.c) == 0);
	for (int i = 0; i < 3; i++)
		size_r[i] = recv(fd, got, sizeof got, MSG_DONTWAIT);
	return took;
}

START_TEST(cork_joins)
{
	int fd = start_half(SOCK_SEQPACKET, IN_MAX);
	ssize_t size[3];
	int64_t took = 0;

	/* A cork gives way after a moment: a machine that was slower than that shows nothing, and is asked again. */
	for (int i = 0; i < 100; i++) {
		took = three_writes(fd, _i == 0, size);
		if (_i == 1 || took < 5)
			break;
	}
	if (_i == 0 && took < 5)
		ck_assert_int_eq(size[0], 29);
	if (_i == 1) {
		ck_assert_int_eq(size[0], 9);
		ck_assert_int_eq(size[1], 20);
	}
	close(fd);
	finish();
}
END_TEST

/* A forgotten cork delays, it does not hold for ever. */
START_TEST(cork_gives_way)
{
	start();
	conn_cork(a.c, true);
	ck_assert_int_eq(conn_write(a.c, "x", 1), 0);
	UNTIL(b.got.len == 1);
	finish();
}
END_TEST

START_TEST(too_much_output)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);
	static char some[300 * 1024];

	ck_assert_int_eq(conn_write(a.c, some, sizeof some), 1);
	ck_assert_int_eq(conn_write(a.c, some, sizeof some), 1);
	ck_assert_int_eq(conn_write(a.c, some, sizeof some), 1);
	ck_assert_int_eq(conn_write(a.c, some, sizeof some), -1);
	ck_assert_int_eq(conn_write(a.c, "x", 1), -1);
	UNTIL(a.closed);
	ck_assert_msg(strstr(a.why, "output waiting") != NULL, "%s", a.why);
	close(fd);
	finish();
}
END_TEST

START_TEST(flush_now)
{
	int fd = start_half(SOCK_STREAM, IN_MAX);
	char got[10];

	ck_assert_int_eq(conn_write(a.c, "x", 1), 0);
	ck_assert_uint_eq(conn_waiting(a.c), 1);
	conn_flush(a.c);
	ck_assert_uint_eq(conn_waiting(a.c), 0);
	ck_assert_int_eq(recv(fd, got, sizeof got, MSG_DONTWAIT), 1);
	close(fd);
	/* A write to a peer that is gone fails from the loop, not in our face, and no SIGPIPE. */
	(void)conn_write(a.c, "y", 1);
	conn_flush(a.c);
	ck_assert_int_eq(a.closed, 0);
	UNTIL(a.closed);
	finish();
}
END_TEST

static int tcp_listener(struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof *sin;

	*sin = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	ck_assert_int_eq(bind(fd, (struct sockaddr *)sin, sizeof *sin), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)sin, &n), 0);
	return fd;
}

/* _i = 1: nobody listens there. */
START_TEST(connecting)
{
	struct sockaddr_in sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), ear;

	loop = loop_new();
	ear = tcp_listener(&sin);
	if (_i == 1)
		close(ear);
	ck_assert(connect(fd, (struct sockaddr *)&sin, sizeof sin) == 0 || errno == EINPROGRESS);
	end_init(&a, fd, false, IN_MAX);
	end_init(&b, -1, true, 0);
	UNTIL(a.drained || a.closed);
	if (_i == 1) {
		ck_assert_int_eq(a.drained, 0);
		ck_assert_str_eq(a.why, "connect: Connection refused");
	} else {
		ck_assert_str_eq(conn_peer(a.c), "127.0.0.1");
		ck_assert_int_eq(conn_write(a.c, "hi", 2), 0);
		end_init(&b, accept(ear, NULL, NULL), true, IN_MAX);
		UNTIL(b.got.len == 2);
		ck_assert_str_eq(conn_peer(b.c), "127.0.0.1");
		close(ear);
	}
	finish();
}
END_TEST

static void set_up(void)
{
	tls_contexts_init(&tls, "mx.example.org");
}

static void tear_down(void)
{
	tls_contexts_clear(&tls);
}

int main(void)
{
	Suite *s = suite_create("conn");
	TCase *t = tcase_create("conn");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, plain_both_ways);
	tcase_add_loop_test(t, large, 0, 8);
	tcase_add_test(t, tls_words);
	tcase_add_test(t, tls_more_than_the_buffer);
	tcase_add_loop_test(t, tls_verify, 0, (int)(sizeof names / sizeof names[0]));
	tcase_add_test(t, tls_forgets_input);
	tcase_add_test(t, tls_garbage);
	tcase_add_test(t, tls_peer_leaves);
	tcase_add_test(t, tls_timeout);
	tcase_add_test(t, tls_truncated);
	tcase_add_test(t, timeout_is_not_moved_by_traffic);
	tcase_add_test(t, timeout_off);
	tcase_add_test(t, octets_before_the_end);
	tcase_add_test(t, full_input_stops_reading);
	tcase_add_loop_test(t, pause_and_gone, 0, 2);
	tcase_add_test(t, linger_sends_all);
	tcase_add_test(t, linger_ends);
	tcase_add_test(t, linger_has_a_limit);
	tcase_add_test(t, linger_does_not_listen_for_ever);
	tcase_add_loop_test(t, free_inside, 0, 3);
	tcase_add_loop_test(t, cork_joins, 0, 2);
	tcase_add_test(t, cork_gives_way);
	tcase_add_test(t, too_much_output);
	tcase_add_test(t, flush_now);
	tcase_add_loop_test(t, connecting, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
