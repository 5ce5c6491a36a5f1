/* Which addresses a stranger may have us connect to. */
#include "gateway/scout/guard.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *addr;
	bool yes;
} rows[] = {
    {"8.8.8.8", true},
    {"193.0.6.139", true},
    {"172.15.255.255", true},
    {"172.32.0.1", true},
    {"100.63.255.255", true},
    {"2001:4860:4860::8888", true},
    {"2a00:1450::1", true},
    {"0.0.0.0", false},
    {"10.1.2.3", false},
    {"100.64.0.1", false},
    {"127.0.0.1", false},
    {"127.255.255.255", false},
    {"169.254.169.254", false},
    {"172.16.0.1", false},
    {"172.31.255.255", false},
    {"192.168.1.1", false},
    {"198.18.0.1", false},
    {"198.19.255.255", false},
    {"224.0.0.1", false},
    {"255.255.255.255", false},
    {"::", false},
    {"::1", false},
    {"fe80::1", false},
    {"fec0::1", false},
    {"fc00::1", false},
    {"fd12::1", false},
    {"ff02::1", false},
    {"::ffff:8.8.8.8", false},
    {"::ffff:127.0.0.1", false},
    {"::7f00:1", false},
    {"64:ff9b::127.0.0.1", false},
    {"64:ff9b::8.8.8.8", true},
    {"64:ff9b:1::1", false},
    {"2002:7f00:1::1", false},
    {"2002:a01:203::1", false},
    {"2001:db8::1", false},
    {"2001::1", false},
};

START_TEST(row)
{
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

	if (inet_pton(AF_INET, rows[_i].addr, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
	} else {
		ck_assert_int_eq(inet_pton(AF_INET6, rows[_i].addr, &in6->sin6_addr), 1);
		in6->sin6_family = AF_INET6;
	}
	ck_assert_msg(guard_public(&ss) == rows[_i].yes, "%s", rows[_i].addr);
}
END_TEST

START_TEST(no_address)
{
	struct sockaddr_storage ss = {.ss_family = AF_UNIX};

	ck_assert(!guard_public(&ss));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("guard");
	TCase *t = tcase_create("guard");

	tcase_add_loop_test(t, row, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(t, no_address);
	suite_add_tcase(s, t);
	return suite_run(s);
}
