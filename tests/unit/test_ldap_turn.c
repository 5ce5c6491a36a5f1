/* Whose turn it is among directories that strangers name. */
#include "ldap/ldap_turn.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct ldap_cert_ask ask(const char *uri, const char *addr, const char *more)
{
	struct ldap_cert_ask a = {.nservers = 1};
	const char *all[] = {addr, more};

	snprintf(a.servers[0].uri, sizeof a.servers[0].uri, "%s", uri);
	for (size_t i = 0; i < 2 && all[i]; i++) {
		struct sockaddr_storage *ss = &a.servers[0].addrs[a.servers[0].naddrs++];

		if (inet_pton(AF_INET, all[i], &((struct sockaddr_in *)ss)->sin_addr) == 1) {
			ss->ss_family = AF_INET;
			((struct sockaddr_in *)ss)->sin_port = htons(389);
		} else {
			ck_assert_int_eq(inet_pton(AF_INET6, all[i], &((struct sockaddr_in6 *)ss)->sin6_addr), 1);
			ss->ss_family = AF_INET6;
			((struct sockaddr_in6 *)ss)->sin6_port = htons(389);
		}
	}
	return a;
}

static const struct {
	const char *uri[2], *addr[2], *more[2];
	bool same;
} cases[] = {
    {{"ldap://a.one.example", "ldap://b.two.example"}, {"192.0.2.1", "198.51.100.1"}, {NULL, NULL}, false},
    {{"ldap://a.one.example", "ldap://b.two.example"}, {"192.0.2.1", "192.0.2.1"}, {NULL, NULL}, true},
    {{"ldap://a.one.example", "ldap://b.two.example"}, {"192.0.2.1", "192.0.2.200"}, {NULL, NULL}, true},
    {{"ldap://a.one.example", "ldaps://x.y.ONE.example:1636"}, {"192.0.2.1", "198.51.100.1"}, {NULL, NULL}, true},
    {{"ldap://a.example", "ldap://b.example"}, {"192.0.2.1", "198.51.100.1"}, {NULL, "192.0.2.9"}, true},
    {{"ldap://a.example", "ldap://b.example"}, {"192.0.2.1", "198.51.100.1"}, {"203.0.113.4", "203.0.113.5"}, true},
    {{"ldap://a.example", "ldap://b.example"}, {"2001:db8:1::1", "2001:db8:1:ffff::2"}, {NULL, NULL}, true},
    {{"ldap://a.example", "ldap://b.example"}, {"2001:db8:1::1", "2001:db8:2::1"}, {NULL, NULL}, false},
    {{"ldap://192.0.2.1", "ldap://198.51.2.1"}, {"192.0.2.1", "198.51.2.1"}, {NULL, NULL}, false},
    {{"ldap://a.example", "ldap://b.example"}, {"127.0.0.1", "127.0.0.2"}, {NULL, NULL}, false},
    {{"ldap://a.example", "ldap://b.example"}, {"127.0.0.1", "127.0.0.1"}, {NULL, NULL}, true},
};

START_TEST(same)
{
	struct ldap_cert_ask a[2];

	for (int i = 0; i < 2; i++)
		a[i] = ask(cases[_i].uri[i], cases[_i].addr[i], cases[_i].more[i]);
	ck_assert(ldap_turn_same(&a[0], &a[1]) == cases[_i].same);
	ck_assert(ldap_turn_same(&a[1], &a[0]) == cases[_i].same);
}
END_TEST

START_TEST(known)
{
	static struct ldap_turn t;
	struct ldap_cert_ask a = ask("ldap://a.example", "192.0.2.1", NULL);
	struct ldap_cert_ask b = ask("ldap://b.example", "192.0.2.2", "192.0.2.1");

	memset(&t, 0, sizeof t);
	ck_assert(!ldap_turn_is_known(&t, &a));
	for (int i = 0; i < 3; i++)
		ldap_turn_answered(&t, &a.servers[0].addrs[0]);
	ck_assert(ldap_turn_is_known(&t, &a) && !ldap_turn_is_known(&t, &b));
	ldap_turn_failed(&t, &b.servers[0].addrs[0]);
	ck_assert(ldap_turn_is_known(&t, &a));
	ldap_turn_failed(&t, &a.servers[0].addrs[0]);
	ck_assert(!ldap_turn_is_known(&t, &a));
	for (unsigned i = 0; i < LDAP_TURN_MAX + 2; i++) { /* the oldest are forgotten */
		((struct sockaddr_in *)&a.servers[0].addrs[0])->sin_addr.s_addr = htonl(i << 8 | 1);
		ldap_turn_answered(&t, &a.servers[0].addrs[0]);
		ck_assert(ldap_turn_is_known(&t, &a));
	}
	((struct sockaddr_in *)&a.servers[0].addrs[0])->sin_addr.s_addr = htonl(1);
	ck_assert(!ldap_turn_is_known(&t, &a));
	ck_assert_int_eq(ldap_turn_share(1), 1);
	ck_assert_int_eq(ldap_turn_share(8), 6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ldap_turn");
	TCase *t = tcase_create("ldap_turn");

	tcase_add_loop_test(t, same, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, known);
	suite_add_tcase(s, t);
	return suite_run(s);
}
