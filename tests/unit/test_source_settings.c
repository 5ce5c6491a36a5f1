/* Ports and addresses that strangers may name. */
#include "gateway/scout/source_settings.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"

static char one[] = "80", range[] = "1024-65535", *v_ports[] = {one, range};

START_TEST(ports)
{
	const struct settings_list l = {v_ports, 2}, empty = {NULL, 0};

	ck_assert(source_settings_port(&l, 80) && source_settings_port(&l, 1024) && source_settings_port(&l, 65535));
	ck_assert(!source_settings_port(&l, 79) && !source_settings_port(&l, 81) && !source_settings_port(&l, 1023));
	ck_assert(!source_settings_port(&empty, 80));
}
END_TEST

static const struct {
	const char *addr;
	bool stranger;
} addrs[] = {
    {"198.18.0.1", false},
    {"8.8.8.8", true},
    {"2600::1", true},
    {"127.0.0.1", false},
    {"127.0.0.2", true}, /* allowed */
    {"127.0.0.3", false},
    {"10.1.2.3", true}, /* allowed */
    {"10.2.2.3", false},
    {"::ffff:10.1.2.3", true}, /* the same */
    {"::ffff:10.2.2.3", false},
    {"fd00::1", true}, /* allowed */
    {"fd01::1", false},
    {"fe80::1", false},
    {"::1", false},
};

START_TEST(addresses)
{
	static char a[] = "127.0.0.2", b[] = "10.1.0.0/16", c[] = "fd00::/16", *v[] = {a, b, c};
	struct source_settings set = {.allow_private = {v, 3}};
	struct sockaddr_storage ss = {0};
	struct sockaddr_in *in4 = (struct sockaddr_in *)&ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&ss;

	if (inet_pton(AF_INET, addrs[_i].addr, &in4->sin_addr) == 1)
		ss.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, addrs[_i].addr, &in6->sin6_addr) == 1)
		ss.ss_family = AF_INET6;
	ck_assert(source_settings_addr(&set, SOURCE_BY_ADMIN, &ss));
	ck_assert_msg(
	    source_settings_addr(&set, SOURCE_BY_STRANGER, &ss) == addrs[_i].stranger, "%s", addrs[_i].addr);
}
END_TEST

static const struct {
	const char *text;
	int ok;
} confs[] = {
    {"", 1},
    {"sources {\n allow-private = {\"10.0.0.0/8\"}\n http-ports = {\"80\", \"8000-8999\"}\n}\n", 1},
    {"sources {\n allow-private = {\"10.0.0.0/33\"}\n}\n", 0},
    {"sources {\n http-ports = {\"0\"}\n}\n", 0},
    {"sources {\n http-ports = {\"90-80\"}\n}\n", 0},
    {"sources {\n http-ports = {\"1-65536\"}\n}\n", 0},
    {"sources {\n ldap-ports = {\"x\"}\n}\n", 0},
    {"sources {\n ldap-ports = {\"1-\"}\n}\n", 0},
};

START_TEST(conf)
{
	struct settings *s = NULL;
	struct problem pr = {0};
	int r = settings_parse("f", confs[_i].text, strlen(confs[_i].text), &source_settings_section, 1, &s, &pr);

	ck_assert_msg(r == (confs[_i].ok ? 0 : -1), "%s: %s", confs[_i].text, pr.text);
	if (r == 0) {
		const struct source_settings *set = settings_get(s, "sources");

		ck_assert_int_eq(set->http_redirects, 3);
		ck_assert(source_settings_port(&set->http_ports, 80) && !source_settings_port(&set->http_ports, 25));
		ck_assert(source_settings_port(&set->ldap_ports, 389) && !source_settings_port(&set->ldap_ports, 80));
		settings_free(s);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source_settings");
	TCase *t = tcase_create("settings");

	tcase_add_test(t, ports);
	tcase_add_loop_test(t, addresses, 0, sizeof addrs / sizeof addrs[0]);
	tcase_add_loop_test(t, conf, 0, sizeof confs / sizeof confs[0]);
	suite_add_tcase(s, t);
	return suite_run(s);
}
