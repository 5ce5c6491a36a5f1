/* The two lists of section "dns": what is a server, what is a stub; and the table as a whole through the parser. */
#include "gateway/scout/dns_settings.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(servers)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
	    {"192.0.2.53", 0},
	    {"192.0.2.53@53", 0},
	    {"2001:db8::53@5353", 0},
	    {"127.0.0.1@15353", 1},
	    {"127.1.2.3", 1},
	    {"::1", 1},
	    {"::1@53", 1},
	    {"", -1},
	    {"@53", -1},
	    {"ns.example", -1},
	    {"192.0.2.53:53", -1},
	    {"192.0.2.53@", -1},
	    {"192.0.2.53@0", -1},
	    {"192.0.2.53@65536", -1},
	    {"192.0.2.53@-1", -1},
	    {"192.0.2.53@ 53", -1},
	    {"192.0.2.53@5x", -1},
	    {"192.0.2.53@000053", -1},
	    {"192.0.2.1.1", -1},
	    {"0000000000000000000000000000000000000000000000000000000000000000000000", -1},
	};
	struct problem pr = {.cls = PROBLEM_NONE};

	ck_assert_int_eq(dns_settings_server(rows[_i].text, &pr), rows[_i].want);
	ck_assert_int_eq(pr.cls != PROBLEM_NONE, rows[_i].want < 0);
}
END_TEST

START_TEST(stubs)
{
	static const struct {
		const char *text, *zone, *server;
	} rows[] = {
	    {"lab.test=127.0.0.1@15353", "lab.test", "127.0.0.1@15353"},
	    {"LAB.test=::1", "lab.test", "::1"},
	    {"lab.test", NULL, NULL},
	    {"=127.0.0.1", NULL, NULL},
	    {"lab test=127.0.0.1", NULL, NULL},
	    {"lab.test=", NULL, NULL},
	    {"lab.test=ns.test", NULL, NULL},
	};
	char zone[256];
	const char *server;
	struct problem pr;
	int r = dns_settings_stub(rows[_i].text, zone, &server, &pr);

	ck_assert_int_eq(r, rows[_i].zone ? 0 : -1);
	if (r < 0)
		return;
	ck_assert_str_eq(zone, rows[_i].zone);
	ck_assert_str_eq(server, rows[_i].server);
}
END_TEST

static int parse(const char *text, struct settings **s_r, struct problem *pr)
{
	return settings_parse("postern.conf", text, strlen(text), &dns_settings_section, 1, s_r, pr);
}

START_TEST(table)
{
	struct settings *s;
	struct problem pr;
	const struct dns_settings *d;

	ck_assert_msg(parse("", &s, &pr) == 0, "%s", pr.text);
	d = settings_get(s, "dns");
	ck_assert_int_eq(d->timeout, 10000);
	ck_assert_uint_eq(d->forwards.n + d->stubs.n, 0);
	ck_assert_str_eq(d->trust_anchor_file, "");
	ck_assert(!d->loopback_hosts && d->sockets == 256 && d->tcp_connections == 32);
	settings_free(s);
	ck_assert_msg(parse("dns {\n forwards = {\"127.0.0.1@5353\", \"::1\"}\n stubs = {\"a.test=127.0.0.1@1\"}\n "
			    "timeout = 3s\n}\n",
			  &s, &pr) == 0,
	    "%s", pr.text);
	d = settings_get(s, "dns");
	ck_assert_uint_eq(d->forwards.n, 2);
	ck_assert_str_eq(d->stubs.v[0], "a.test=127.0.0.1@1");
	ck_assert_int_eq(d->timeout, 3000);
	settings_free(s);
	ck_assert_int_eq(parse("dns {\n forwards = {\"ns.example\"}\n}\n", &s, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "postern.conf:2"));
	ck_assert_ptr_nonnull(strstr(pr.text, "ns.example"));
	ck_assert_int_eq(parse("dns {\n stubs = {\"a.test\"}\n}\n", &s, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "zone=address"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dns_settings");
	TCase *t = tcase_create("settings");

	tcase_add_loop_test(t, servers, 0, 20);
	tcase_add_loop_test(t, stubs, 0, 7);
	tcase_add_test(t, table);
	suite_add_tcase(s, t);
	return suite_run(s);
}
