/* smtpd_clients.c: who is one client, sessions, rates that pass, a table that stays small. */
#include "gateway/smtp/smtpd_clients.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

#define MINUTE INT64_C(60000)

static const struct {
	const char *client, *key;
} keys[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"IPv6:2001:db8:1:2:3:4:5:6", "IPv6:2001:db8:1:2::/64"},
    {"IPv6:2001:db8:1:2::", "IPv6:2001:db8:1:2::/64"},
    {"IPv6:::1", "IPv6:::/64"},
    {"IPv6:x", "IPv6:x"},
    {"unix", "unix"},
    {"", ""},
};

START_TEST(names)
{
	char key[SMTPD_CLIENT_KEY];

	ck_assert_str_eq(smtpd_clients_key(keys[_i].client, key), keys[_i].key);
}
END_TEST

START_TEST(sessions)
{
	struct smtpd_clients *t = smtpd_clients_new(10);
	struct smtpd_client *a = smtpd_clients_enter(t, "IPv6:2001:db8::1"), *b = smtpd_clients_enter(t, "192.0.2.1");

	ck_assert_ptr_eq(smtpd_clients_enter(t, "IPv6:2001:db8::2"), a);
	ck_assert_ptr_ne(a, b);
	ck_assert_uint_eq(smtpd_client_sessions(a), 2);
	ck_assert_uint_eq(smtpd_client_sessions(b), 1);
	smtpd_clients_leave(t, a);
	smtpd_clients_leave(t, a);
	smtpd_clients_leave(t, b);
	ck_assert_ptr_eq(smtpd_clients_enter(t, "192.0.2.1"), b);
	smtpd_clients_leave(t, b);
	smtpd_clients_free(t);
	smtpd_clients_free(NULL);
}
END_TEST

START_TEST(rates)
{
	struct smtpd_clients *t = smtpd_clients_new(10);
	struct smtpd_client *c = smtpd_clients_enter(t, "192.0.2.1");

	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 5 * MINUTE), 0);
	for (int i = 0; i < 60; i++)
		smtpd_client_count(c, SMTPD_RATE_ERRORS, 5 * MINUTE + i * 1000);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 6 * MINUTE - 1), 60);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 6 * MINUTE), 60);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 6 * MINUTE + MINUTE / 2), 30);
	smtpd_client_count(c, SMTPD_RATE_ERRORS, 6 * MINUTE + MINUTE / 2);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 6 * MINUTE + MINUTE / 2), 31);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 7 * MINUTE), 1);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 8 * MINUTE), 0);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_SESSIONS, 8 * MINUTE), 0);
	smtpd_client_count(c, SMTPD_RATE_ERRORS, 8 * MINUTE);
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 100 * MINUTE), 0);
	smtpd_clients_leave(t, c);
	smtpd_clients_free(t);
}
END_TEST

/* The one idle the longest is forgotten; one with a session never. */
START_TEST(full)
{
	struct smtpd_clients *t = smtpd_clients_new(3);
	struct smtpd_client *a = smtpd_clients_enter(t, "a"), *b = smtpd_clients_enter(t, "b"),
			    *c = smtpd_clients_enter(t, "c");

	ck_assert_ptr_null(smtpd_clients_enter(t, "d"));
	smtpd_client_count(b, SMTPD_RATE_ERRORS, 0);
	smtpd_client_count(c, SMTPD_RATE_ERRORS, 0);
	smtpd_clients_leave(t, c);
	smtpd_clients_leave(t, b);
	ck_assert_ptr_nonnull(smtpd_clients_enter(t, "d")); /* instead of c */
	ck_assert_uint_eq(smtpd_clients_known(t), 3);
	b = smtpd_clients_enter(t, "b");
	ck_assert_int_eq(smtpd_client_rate(b, SMTPD_RATE_ERRORS, 0), 1);
	ck_assert_ptr_null(smtpd_clients_enter(t, "c"));
	smtpd_clients_leave(t, a);
	c = smtpd_clients_enter(t, "c");
	ck_assert_int_eq(smtpd_client_rate(c, SMTPD_RATE_ERRORS, 0), 0);
	smtpd_clients_free(t);
}
END_TEST

START_TEST(many)
{
	struct smtpd_clients *t = smtpd_clients_new(100);
	char name[20];

	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof name, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);

		struct smtpd_client *c = smtpd_clients_enter(t, name);

		ck_assert_ptr_nonnull(c);
		if (i % 2000)
			smtpd_clients_leave(t, c);
	}
	ck_assert_uint_eq(smtpd_clients_known(t), 100);
	smtpd_clients_free(t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpd_clients");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, names, 0, (int)(sizeof keys / sizeof keys[0]));
	tcase_add_test(t, sessions);
	tcase_add_test(t, rates);
	tcase_add_test(t, full);
	tcase_add_test(t, many);
	suite_add_tcase(s, t);
	return suite_run(s);
}
