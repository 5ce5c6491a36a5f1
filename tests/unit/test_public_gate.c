/* Who may connect to the public listener: rates, places, who gives way, how long one lasts. */
#include "gateway/proc/public_gate.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "tests/unit/suite.h"

enum { CLIENTS = 40 };

static struct public_settings set;
static struct public_gate *g;
static int fds[CLIENTS][2];
static int64_t now;

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	set = (struct public_settings){
	    .connections_max = 8, .connections_per_client = 3, .rate = 20, .client_rate = 4, .lifetime = 30000};
	now = 1000000;
	for (int i = 0; i < CLIENTS; i++)
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds[i]), 0);
	g = public_gate_new(&set);
}

static void teardown(void)
{
	public_gate_free(g);
	for (int i = 0; i < CLIENTS; i++)
		(void)!(close(fds[i][0]) + close(fds[i][1]));
}

static bool from(int i, const char *address)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	struct sockaddr_in *four = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ss;
	bool may;

	if (strchr(address, ':')) {
		six->sin6_family = AF_INET6;
		ck_assert_int_eq(inet_pton(AF_INET6, address, &six->sin6_addr), 1);
	} else {
		four->sin_family = AF_INET;
		ck_assert_int_eq(inet_pton(AF_INET, address, &four->sin_addr), 1);
	}
	may = public_gate_enter(g, fds[i][0], (struct sockaddr *)&ss, now);
	if (may)
		public_gate_started(g, fds[i][0]);
	return may;
}

/* Its other side sees an end. */
static bool ended(int i)
{
	struct pollfd p = {.fd = fds[i][1], .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

START_TEST(one_client)
{
	static const char *const one[] = {"192.0.2.1", "2001:db8:1:2::1", "::ffff:192.0.2.1"};
	static const char *const same[] = {"192.0.2.1", "2001:db8:1:2:ffff::9", "192.0.2.1"};
	static const char *const other[] = {"192.0.2.2", "2001:db8:1:3::1", "192.0.2.3"};

	ck_assert(from(0, one[_i]) && from(1, one[_i]) && from(2, same[_i]));
	ck_assert(!from(3, same[_i]));
	ck_assert(from(4, other[_i]));
	ck_assert_uint_eq(public_gate_refused(g), 1);
	public_gate_left(g, fds[0][0]);
	ck_assert(from(3, same[_i]));
	/* a fifth within the second is one too many though there is a place */
	public_gate_left(g, fds[1][0]);
	ck_assert(!from(5, one[_i]));
	now += 1000;
	ck_assert(from(5, one[_i]));
	ck_assert(!ended(3) && !ended(4));
}
END_TEST

/* All places taken: whoever has the most loses his oldest; an equal one loses it by age. */
START_TEST(gives_way)
{
	char address[32];

	for (int i = 0; i < 3; i++)
		ck_assert(from(i, "192.0.2.1"));
	now += 1;
	for (int i = 3; i < 8; i++) {
		(void)snprintf(address, sizeof address, "192.0.2.%d", i);
		ck_assert(from(i, address));
		now++;
	}
	ck_assert(from(8, "198.51.100.1"));
	ck_assert(ended(0) && !ended(1));
	public_gate_left(g, fds[0][0]); /* late: its place is another's already */
	ck_assert(from(9, "198.51.100.2"));
	ck_assert(ended(1) && !ended(2));
	ck_assert(from(10, "198.51.100.3")); /* each has one by now */
	ck_assert(ended(2) && !ended(3));
	for (int i = 3; i < 8; i++)
		ck_assert(!ended(i));
	/* who has as many as anybody does not push out who has fewer */
	now += 1000;
	ck_assert(from(11, "198.51.100.3"));
	ck_assert(ended(3));
	ck_assert(from(12, "198.51.100.3"));
	ck_assert(ended(10) || ended(4));
}
END_TEST

START_TEST(of_all)
{
	char address[32];

	set.client_rate = 0;
	for (int i = 0; i < 20; i++) {
		(void)snprintf(address, sizeof address, "192.0.2.%d", i);
		ck_assert(from(i, address));
	}
	ck_assert(!from(20, "198.51.100.1"));
	now += 1000;
	ck_assert(from(20, "198.51.100.1"));
	set.rate = 0;
	for (int i = 21; i < CLIENTS; i++) {
		(void)snprintf(address, sizeof address, "192.0.2.%d", i + 100);
		ck_assert(from(i, address));
	}
}
END_TEST

/* Strangers from many networks leave the known their share of the rate. */
START_TEST(rate_of_known)
{
	char *nets[] = {(char *)"203.0.113.0/24", (char *)"2001:db8:7::/48"};
	char address[32];

	set.client_rate = 0;
	set.connections_max = 40;
	set.known_share = 50;
	set.known_networks = (struct settings_list){nets, 2};
	for (int i = 0; i < 15; i++) {
		(void)snprintf(address, sizeof address, "192.0.%d.1", i);
		ck_assert(from(i, address) == (i < 10));
	}
	for (int i = 0; i < 10; i++) {
		(void)snprintf(address, sizeof address, i % 2 ? "203.0.113.%d" : "2001:db8:7:%d::1", i);
		ck_assert(from(20 + i, address));
	}
	ck_assert(!from(30, "203.0.113.200"));
	now += 1000;
	/* who came in calm times is known an hour later; whoever came in the flood is not */
	ck_assert(from(31, "198.51.100.1"));
	now += 3600 * 1000LL;
	for (int i = 0; i < CLIENTS; i++)
		public_gate_left(g, fds[i][0]);
	for (int i = 0; i < 10; i++) {
		(void)snprintf(address, sizeof address, "192.1.%d.1", i);
		ck_assert(from(i, address));
	}
	ck_assert(!from(11, "192.0.9.1"));
	ck_assert(from(12, "198.51.100.77"));
}
END_TEST

/* ... and of the places: a stranger gives way to them, and takes one of theirs only while they have more. */
START_TEST(places_of_known)
{
	char *nets[] = {(char *)"203.0.113.0/24"};
	char address[32];

	set.known_share = 50;
	set.known_networks = (struct settings_list){nets, 1};
	set.rate = set.client_rate = 0;
	for (int i = 0; i < 8; i++, now++) {
		(void)snprintf(address, sizeof address, "192.0.%d.1", i);
		ck_assert(from(i, address));
	}
	for (int i = 8; i < 12; i++, now++)
		ck_assert(from(i, i < 10 ? "203.0.113.1" : "203.0.113.2"));
	for (int i = 0; i < 12; i++)
		ck_assert_int_eq(ended(i), i < 4);
	ck_assert(from(12, "198.51.100.1")); /* the place of a stranger, though others have more */
	ck_assert(ended(4) && !ended(8));
	ck_assert(from(13, "203.0.113.3"));
	ck_assert(ended(5) && !ended(8));
	ck_assert(from(14, "198.51.100.2")); /* they have five of eight by now */
	ck_assert(ended(8) && !ended(6));
}
END_TEST

START_TEST(too_long)
{
	ck_assert(from(0, "192.0.2.1"));
	now += 29999;
	public_gate_look(g, now);
	ck_assert(!ended(0));
	now += 1;
	public_gate_look(g, now);
	ck_assert(ended(0));
	public_gate_look(g, now);
	ck_assert_uint_eq(public_gate_refused(g), 1);
	/* it counts no more, whenever it is closed */
	for (int i = 1; i < 4; i++)
		ck_assert(from(i, "192.0.2.1"));
	public_gate_left(g, fds[0][0]);
	ck_assert(!from(4, "192.0.2.1"));
}
END_TEST

/* One gives way that is not served yet: it ends when it would be. */
START_TEST(not_started_yet)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	for (int i = 0; i < 9; i++) {
		a.sin_addr.s_addr = htonl((uint32_t)i);
		ck_assert(public_gate_enter(g, fds[i][0], (struct sockaddr *)&a, now++));
	}
	for (int i = 0; i < 9; i++)
		public_gate_started(g, fds[i][0]);
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(ended(i), i == 0);
}
END_TEST

/* One that nobody ever served: its number may be anything by then. */
START_TEST(never_started)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	ck_assert(public_gate_enter(g, fds[0][0], (struct sockaddr *)&a, now));
	now += 6000;
	public_gate_look(g, now);
	ck_assert(!ended(0));
	for (int i = 0; i < 3; i++)
		ck_assert(public_gate_enter(g, fds[i][0], (struct sockaddr *)&a, now));
	ck_assert(public_gate_enter(g, fds[0][0], (struct sockaddr *)&a, now)); /* the number came again */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("public_gate");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one_client, 0, 3);
	tcase_add_test(t, gives_way);
	tcase_add_test(t, of_all);
	tcase_add_test(t, rate_of_known);
	tcase_add_test(t, places_of_known);
	tcase_add_test(t, too_long);
	tcase_add_test(t, not_started_yet);
	tcase_add_test(t, never_started);
	suite_add_tcase(s, t);
	return suite_run(s);
}
