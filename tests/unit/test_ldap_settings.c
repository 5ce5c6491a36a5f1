/* The URIs of directory servers. */
#include "ldap/ldap_settings.h"

#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *uri;
	int ok;
	bool tls;
	const char *host;
	unsigned port;
} rows[] = {
    {"ldap://dc1.hospital.example", 1, false, "dc1.hospital.example", 389},
    {"LDAPS://dc1.hospital.example", 1, true, "dc1.hospital.example", 636},
    {"ldaps://192.0.2.1:1636", 1, true, "192.0.2.1", 1636},
    {"ldap://[2001:db8::1]:3389", 1, false, "2001:db8::1", 3389},
    {"ldap://[2001:db8::1]", 1, false, "2001:db8::1", 389},
    {"", 0, false, "", 0},
    {"dc1.hospital.example", 0, false, "", 0},
    {"http://x", 0, false, "", 0},
    {"ldap://", 0, false, "", 0},
    {"ldap://:389", 0, false, "", 0},
    {"ldap://x:", 0, false, "", 0},
    {"ldap://x:0", 0, false, "", 0},
    {"ldap://x:65536", 0, false, "", 0},
    {"ldap://x:389/", 0, false, "", 0},
    {"ldap://x/dc=x", 0, false, "", 0},
    {"ldap://x y", 0, false, "", 0},
    {"ldap://[::1", 0, false, "", 0},
    {"ldap://[x]", 0, false, "", 0},
    {"ldap://[]", 0, false, "", 0},
    {"ldapi:///run/slapd.sock", 0, false, "", 0},
};

START_TEST(servers)
{
	struct ldap_settings_server s = {0};
	struct problem pr = {0};

	ck_assert_int_eq(ldap_settings_server(rows[_i].uri, &s, &pr), rows[_i].ok ? 0 : -1);
	if (!rows[_i].ok) {
		ck_assert_ptr_nonnull(strstr(pr.text, "is not an LDAP server"));
		return;
	}
	ck_assert(s.tls == rows[_i].tls && s.port == rows[_i].port);
	ck_assert_str_eq(s.host, rows[_i].host);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("ldap_settings");
	TCase *t = tcase_create("settings");

	tcase_add_loop_test(t, servers, 0, sizeof(rows) / sizeof(rows[0]));
	suite_add_tcase(s, t);
	return suite_run(s);
}
