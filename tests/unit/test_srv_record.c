/* SRV records: reading, and the two orders within a priority. */
#include "certstore/srv_record.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(reads)
{
	static const struct {
		const char *rd;
		size_t n;
		int rc;
		const char *host;
	} t[] = {
	    {"\0\5\0\7\1\x85\4ldap\3lab\7example\0", 24, 0, "ldap.lab.example"},
	    {"\0\5\0\7\1\x85\4LDAP\3lab\7Example\0", 24, 0, "ldap.lab.example"},
	    {"\0\5\0\7\0\0\0", 7, 0, ""},
	    {"\0\5\0\7\0\0\4ldap\3lab\7example\0", 24, -1, NULL},
	    {"\0\5\0\7\1\x85", 6, -1, NULL},
	    {"\0\5\0\7\1\x85\4ldap\3lab\7example", 23, -1, NULL},
	    {"\0\5\0\7\1\x85\4ldap\3lab\7example\0x", 25, -1, NULL},
	    {"\0\5\0\7\1\x85\4ld.p\3lab\7example\0", 24, -1, NULL},
	    {"\0\5\0\7\1\x85\4ld p\3lab\7example\0", 24, -1, NULL},
	    {"\0\5\0\7\1\x85\xc0\x0c", 8, -1, NULL},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct srv_record r;
		const char *why;

		ck_assert_msg(srv_record_read((const uint8_t *)t[i].rd, t[i].n, &r, &why) == t[i].rc, "row %zu", i);
		ck_assert((t[i].rc == 0) == (why[0] == '\0'));
		if (t[i].rc == 0)
			ck_assert_str_eq(r.host, t[i].host);
	}
}
END_TEST

static struct srv_record server(unsigned priority, unsigned weight, const char *host)
{
	struct srv_record r = {.priority = (uint16_t)priority, .weight = (uint16_t)weight, .port = 389};

	(void)snprintf(r.host, sizeof r.host, "%s", host);
	return r;
}

static const char *order_of(const struct srv_record *v, size_t n)
{
	static char out[64];

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		(void)snprintf(out + strlen(out), sizeof out - strlen(out), "%s", v[i].host);
	return out;
}

START_TEST(weight_first)
{
	struct srv_record v[] = {
	    server(1, 0, "d"), server(0, 10, "b"), server(0, 60, "a"), server(0, 0, "c"), server(1, 5, "e")};

	srv_record_sort(v, 5, SRV_WEIGHT_FIRST, 1);
	ck_assert_str_eq(order_of(v, 5), "abced");
	srv_record_sort(v, 0, SRV_WEIGHT_FIRST, 1);
}
END_TEST

/* By weight at random: priorities are kept, the share of a server is about its weight, the same seed has the same
 * order. */
START_TEST(drawn)
{
	unsigned first_a = 0, first_c = 0;
	char once[16], again[16];

	for (uint64_t seed = 0; seed < 2000; seed++) {
		struct srv_record v[] = {
		    server(7, 1, "z"), server(0, 25, "b"), server(0, 75, "a"), server(0, 0, "c")};

		srv_record_sort(v, 4, SRV_RFC2782, seed);
		(void)snprintf(once, sizeof once, "%s", order_of(v, 4));
		ck_assert(once[3] == 'z' && strchr(once, 'a') && strchr(once, 'b') && strchr(once, 'c'));
		first_a += once[0] == 'a';
		first_c += once[0] == 'c';
		srv_record_sort(v, 4, SRV_RFC2782, seed);
		(void)snprintf(again, sizeof again, "%s", order_of(v, 4));
		ck_assert_str_eq(once, again);
	}
	ck_assert_msg(first_a > 1350 && first_a < 1620, "%u", first_a);
	ck_assert_msg(first_c < 60, "%u", first_c);
}
END_TEST

START_TEST(all_of_weight_0)
{
	struct srv_record v[] = {server(0, 0, "a"), server(0, 0, "b"), server(0, 0, "c")};

	srv_record_sort(v, 3, SRV_RFC2782, 5);
	ck_assert(strlen(order_of(v, 3)) == 3 && strchr(order_of(v, 3), 'a') && strchr(order_of(v, 3), 'c'));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("srv_record");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, reads);
	tcase_add_test(tc, weight_first);
	tcase_add_test(tc, drawn);
	tcase_add_test(tc, all_of_weight_0);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
