/* Promise P10's counter, at times that the test makes: five an hour may fail, then no more is opened. */
#include "gateway/proc/relay_failures.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { MAX = 5, MINUTE = 60 * 1000, HOUR = 60 * MINUTE };
#define NOW INT64_C(1795312800000)

static struct relay_failures *f;

static void setup(void)
{
	f = relay_failures_new(MAX);
}

static void teardown(void)
{
	relay_failures_free(f);
}

/* key < 0: none was known */
static struct relay_facts facts(const char *client, int key)
{
	struct relay_facts m;

	memset(&m, 0, sizeof(m));
	(void)snprintf(m.client, sizeof(m.client), "%s", client);
	m.have_key_hash = key >= 0;
	if (key >= 0) {
		memset(m.key_hash, 0x77, sizeof(m.key_hash));
		m.key_hash[0] = (uint8_t)(key >> 16);
		m.key_hash[1] = (uint8_t)(key >> 8);
		m.key_hash[31] = (uint8_t)key;
	}
	return m;
}

START_TEST(by_client)
{
	struct relay_facts m, other = facts("192.0.2.2", 1000), none = facts("192.0.2.1", -1);

	for (int i = 0; i < MAX; i++) {
		m = facts("192.0.2.1", i); /* another key each time */
		ck_assert(!relay_failures_over(f, &m, NOW + i));
		relay_failures_count(f, &m, NOW + i);
	}
	m = facts("192.0.2.1", 77);
	ck_assert(relay_failures_over(f, &m, NOW + 10));
	ck_assert(relay_failures_over(f, &none, NOW + 10));
	ck_assert(!relay_failures_over(f, &other, NOW + 10));
}
END_TEST

START_TEST(by_key)
{
	struct relay_facts m;
	char client[32];

	for (int i = 0; i < MAX; i++) {
		(void)snprintf(client, sizeof(client), "192.0.2.%d", i); /* another client each time */
		m = facts(client, 42);
		ck_assert(!relay_failures_over(f, &m, NOW + i));
		relay_failures_count(f, &m, NOW + i);
	}
	m = facts("198.51.100.1", 42);
	ck_assert(relay_failures_over(f, &m, NOW + 10));
	m = facts("198.51.100.1", 43);
	ck_assert(!relay_failures_over(f, &m, NOW + 10));
	m = facts("198.51.100.1", -1);
	ck_assert(!relay_failures_over(f, &m, NOW + 10));
}
END_TEST

START_TEST(an_hour)
{
	struct relay_facts m = facts("192.0.2.1", 1);

	for (int i = 0; i < MAX; i++)
		relay_failures_count(f, &m, NOW + i * MINUTE);
	ck_assert(relay_failures_over(f, &m, NOW + 5 * MINUTE));
	ck_assert(relay_failures_over(f, &m, NOW + HOUR - 1));
	ck_assert(!relay_failures_over(f, &m, NOW + HOUR));
	relay_failures_count(f, &m, NOW + HOUR); /* counted anew */
	ck_assert(!relay_failures_over(f, &m, NOW + HOUR));
	for (int i = 1; i < MAX; i++)
		relay_failures_count(f, &m, NOW + HOUR + i);
	ck_assert(relay_failures_over(f, &m, NOW + HOUR + 10));
	ck_assert(relay_failures_over(f, &m, NOW + 2 * HOUR - 1));
	ck_assert(!relay_failures_over(f, &m, NOW + 2 * HOUR));
}
END_TEST

/* A flood of others takes neither memory nor, at this size, the place of one who is over the limit. */
START_TEST(flood)
{
	struct relay_facts m = facts("192.0.2.1", -1), o;
	char client[32];

	for (int i = 0; i < MAX; i++)
		relay_failures_count(f, &m, NOW + 1000);
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(client, sizeof(client), "10.0.%d.%d", i / 250, i % 250);
		o = facts(client, -1);
		relay_failures_count(f, &o, NOW + 1001);
	}
	ck_assert(relay_failures_over(f, &m, NOW + 2000));
	for (int i = 0; i < 200000; i++) {
		(void)snprintf(client, sizeof(client), "10.%d.%d.%d", i / 62500, i / 250 % 250, i % 250);
		o = facts(client, i);
		relay_failures_count(f, &o, NOW + 2000 + i);
		ck_assert_msg(
		    !relay_failures_over(f, &o, NOW + 2000 + i), "%d", i); /* nobody pays for his neighbours */
	}
}
END_TEST

START_TEST(other_limits)
{
	struct relay_facts m = facts("192.0.2.1", 1);
	struct relay_failures *one = relay_failures_new(1);

	ck_assert(!relay_failures_over(one, &m, NOW));
	relay_failures_count(one, &m, NOW);
	ck_assert(relay_failures_over(one, &m, NOW));
	relay_failures_free(one);
	relay_failures_free(NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_failures");
	TCase *t = tcase_create("relay_failures");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, by_client);
	tcase_add_test(t, by_key);
	tcase_add_test(t, an_hour);
	tcase_add_test(t, flood);
	tcase_add_test(t, other_limits);
	suite_add_tcase(s, t);
	return suite_run(s);
}
