/* Who counts as inside: an address let in by mistake may send mail as us. */
#include "gateway/base/network.h"

#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"

static const struct {
	const char *net, *addr;
	bool within;
} rows[] = {
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "192.0.1.255", false},
    {"192.0.2.77/24", "192.0.2.1", true}, /* host bits in the network mean nothing */
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.0/32", "192.0.2.0", true},
    {"192.0.2.0/32", "192.0.2.1", false},
    {"192.0.2.128/25", "192.0.2.128", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"10.0.0.0/9", "10.127.255.255", true},
    {"10.0.0.0/9", "10.128.0.0", false},
    {"192.0.2.8/31", "192.0.2.9", true},
    {"192.0.2.8/31", "192.0.2.10", false},
    {"0.0.0.0/0", "203.0.113.9", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "192.0.2.1", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"2001:db8::1", "2001:db8::1", true},
    {"2001:db8::1", "2001:db8::2", false},
    {"2001:db8::1/128", "2001:0db8:0:0::0001", true},
    /* a listener for both kinds shows IPv4 clients as mapped addresses */
    {"192.0.2.0/24", "::ffff:192.0.2.9", true},
    {"192.0.2.0/24", "::ffff:192.0.3.9", false},
    {"192.0.2.9", "::ffff:192.0.2.9", true},
    {"::ffff:192.0.2.9", "192.0.2.9", true},
    {"::/96", "::ffff:192.0.2.9", false},
    {"192.0.2.0/24", "::192.0.2.9", false}, /* "compatible" is not mapped */
    /* what cannot be read lets nobody in */
    {"192.0.2.0/33", "192.0.2.0", false},
    {"2001:db8::/129", "2001:db8::", false},
    {"192.0.2.0/", "192.0.2.0", false},
    {"192.0.2.0/x", "192.0.2.0", false},
    {"192.0.2.0/-1", "192.0.2.0", false},
    {"192.0.2.0/+24", "192.0.2.0", false},
    {"192.0.2.0/ 24", "192.0.2.0", false},
    {"192.0.2.0/24x", "192.0.2.0", false},
    {"192.0.2.0/24/8", "192.0.2.0", false},
    {"192.0.2.0/4294967296", "192.0.2.0", false}, /* not 0, which would be everybody */
    {"192.0.2.0/18446744073709551616", "192.0.2.0", false},
    {"192.0.2/24", "192.0.2.0", false},
    {"192.0.2.0.0/24", "192.0.2.0", false},
    {"/0", "192.0.2.0", false},
    {"", "192.0.2.0", false},
    {"", "", false},
    {"0.0.0.0/0", "", false},
    {"0.0.0.0/0", "unknown", false},
    {"0.0.0.0/0", "192.0.2.1.", false},
    {"0.0.0.0/0", "192.0.2.1 ", false},
    {"0.0.0.0/0", "1111111111111111111111111111111111111111111111111111111111111111111111111", false},
    {"::/0", "fe80::1%lo", false},
    {"1111111111111111111111111111111111111111111111111111111111111111111111111/1", "192.0.2.0", false},
};

START_TEST(one)
{
	char *list[] = {(char *)(uintptr_t)rows[_i].net};

	ck_assert_msg(
	    network_contains(list, 1, rows[_i].addr) == rows[_i].within, "%s in %s", rows[_i].addr, rows[_i].net);
}
END_TEST

START_TEST(lists)
{
	char *list[] = {
	    (char *)(uintptr_t) "bad/8", (char *)(uintptr_t) "192.0.2.0/24", (char *)(uintptr_t) "2001:db8::/32"};

	ck_assert(network_contains(list, 3, "192.0.2.1"));
	ck_assert(network_contains(list, 3, "2001:db8::1"));
	ck_assert(!network_contains(list, 3, "198.51.100.1"));
	ck_assert(!network_contains(list, 2, "2001:db8::1"));
	ck_assert(!network_contains(list, 0, "192.0.2.1"));
	ck_assert(!network_contains(NULL, 0, "192.0.2.1"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("network");
	TCase *t = tcase_create("network");

	tcase_add_loop_test(t, one, 0, (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(t, lists);
	suite_add_tcase(s, t);
	return suite_run(s);
}
