/* Which networks are regulars of the public listener. */
#include "gateway/proc/public_regulars.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct public_regulars *r;

static void setup(void)
{
	r = public_regulars_new();
}

static void teardown(void)
{
	public_regulars_free(r);
}

static struct sockaddr_storage of(const char *address)
{
	struct sockaddr_storage ss = {.ss_family = strchr(address, ':') ? AF_INET6 : AF_INET};
	void *to = ss.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&ss)->sin_addr
					   : (void *)&((struct sockaddr_in6 *)&ss)->sin6_addr;

	ck_assert_int_eq(inet_pton(ss.ss_family, address, to), 1);
	return ss;
}

static void seen(const char *address, int64_t s)
{
	struct sockaddr_storage ss = of(address);

	public_regulars_seen(r, (struct sockaddr *)&ss, s * 1000);
}

static bool is(const char *address, int64_t s)
{
	struct sockaddr_storage ss = of(address);

	return public_regulars_is(r, (struct sockaddr *)&ss, s * 1000);
}

enum { HOUR = PUBLIC_REGULAR_AFTER_S, KEEP = PUBLIC_REGULAR_KEEP_S };

START_TEST(one)
{
	static const char *const v[][3] = {{"192.0.2.1", "192.0.2.200", "192.0.3.1"},
	    {"2001:db8:1:2::1", "2001:db8:1:ffff::9", "2001:db8:2:2::1"},
	    {"::ffff:192.0.2.1", "192.0.2.7", "192.0.1.1"}};
	const char *a = v[_i][0], *same = v[_i][1], *other = v[_i][2];

	ck_assert(!is(a, 1));
	seen(a, 1);
	ck_assert(!is(a, HOUR));
	ck_assert(is(a, HOUR + 1) && is(same, HOUR + 1) && !is(other, HOUR + 1));
	seen(same, HOUR + 1);
	ck_assert(is(a, HOUR + KEEP));
	ck_assert(!is(a, HOUR + 1 + KEEP));
	seen(a, HOUR + 1 + KEEP); /* it begins anew */
	ck_assert(!is(a, HOUR + 2 + KEEP) && is(a, 2 * HOUR + 1 + KEEP));
}
END_TEST

/* Strangers push out strangers, and no regular. */
START_TEST(many)
{
	char address[32];

	seen("192.0.2.1", 1);
	for (int i = 0; i < 4 * PUBLIC_REGULARS; i++) {
		(void)snprintf(address, sizeof address, "10.%d.%d.1", i >> 8, i & 255);
		seen(address, HOUR + 10);
	}
	ck_assert(is("192.0.2.1", HOUR + 11));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("public_regulars");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, one, 0, 3);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	return suite_run(s);
}
