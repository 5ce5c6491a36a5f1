/* relay_trust.c: what is given, and the many cases in which nothing may be. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/relay_trust.h"

#include "tests/unit/suite.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
enum { NOW = 1000000 };

static struct relay_trust *t;
static struct judge_trust good;
static struct job_request rq;

static void setup(void)
{
	t = relay_trust_new();
	memset(&good, 0, sizeof(good));
	good.n = 1;
	good.v[0].state = JUDGE_TRUST_GOOD;
	memcpy(good.v[0].sha256, HEX, sizeof(HEX));
	strcpy(good.v[0].why, "pinned");
	strcpy(good.v[0].caps, "22");
	memset(&rq, 0, sizeof(rq));
	rq.sender = "a@lab.example";
	strcpy(rq.our_domain, "hospital.example");
}

static void teardown(void)
{
	relay_trust_free(t);
}

static bool given(uint64_t changes, int64_t now)
{
	rq.have_trust = false;
	relay_trust_give(t, &rq, changes, now);
	return rq.have_trust;
}

START_TEST(gives_back)
{
	ck_assert(!given(7, NOW));
	relay_trust_note(t, "hospital.example", "a@lab.example", &good, 7, NOW);
	ck_assert(given(7, NOW + RELAY_TRUST_MS - 1));
	ck_assert_uint_eq(rq.trust.n, 1);
	ck_assert_int_eq(rq.trust.v[0].state, JUDGE_TRUST_GOOD);
	ck_assert_str_eq(rq.trust.v[0].sha256, HEX);
	ck_assert_str_eq(rq.trust.v[0].why, "pinned");
	ck_assert_str_eq(rq.trust.v[0].caps, "22");
	ck_assert_str_eq(rq.trust_from, "a@lab.example");
}
END_TEST

START_TEST(not_later_nor_after_a_change)
{
	relay_trust_note(t, "hospital.example", "a@lab.example", &good, 7, NOW);
	ck_assert(!given(7, NOW + RELAY_TRUST_MS));
	ck_assert(!given(8, NOW));
}
END_TEST

START_TEST(not_for_others)
{
	relay_trust_note(t, "hospital.example", "a@lab.example", &good, 7, NOW);
	rq.sender = "b@lab.example";
	ck_assert(!given(7, NOW));
	rq.sender = "a@lab.example";
	strcpy(rq.our_domain, "clinic.example");
	ck_assert(!given(7, NOW));
}
END_TEST

/* A place is never taken for that of another who has the same number. */
START_TEST(many)
{
	static char sender[20000][32];

	for (int i = 0; i < 20000; i++) {
		snprintf(sender[i], sizeof(sender[i]), "u%d@lab.example", i);
		relay_trust_note(t, "hospital.example", sender[i], &good, 7, NOW);
	}
	for (int i = 0; i < 20000; i++) {
		rq.sender = sender[i];
		if (given(7, NOW))
			ck_assert_str_eq(rq.trust_from, sender[i]);
	}
}
END_TEST

static const enum judge_trust_state others[] = {JUDGE_TRUST_UNTRUSTED, JUDGE_TRUST_UNBOUND, JUDGE_TRUST_TEMP};

START_TEST(only_what_is_good)
{
	good.n = 2;
	good.v[1] = good.v[0];
	good.v[1].state = (uint8_t)others[_i];
	relay_trust_note(t, "hospital.example", "a@lab.example", &good, 7, NOW);
	ck_assert(!given(7, NOW));
	good.n = 0;
	relay_trust_note(t, "hospital.example", "a@lab.example", &good, 7, NOW);
	ck_assert(!given(7, NOW));
	good.n = RELAY_TRUST_SIGNERS + 1;
	for (size_t i = 0; i < good.n; i++)
		good.v[i] = good.v[0];
	relay_trust_note(t, "hospital.example", "a@lab.example", &good, 7, NOW);
	ck_assert(!given(7, NOW));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_trust");
	TCase *c = tcase_create("relay_trust");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, gives_back);
	tcase_add_test(c, not_later_nor_after_a_change);
	tcase_add_test(c, not_for_others);
	tcase_add_test(c, many);
	tcase_add_loop_test(c, only_what_is_good, 0, (int)(sizeof(others) / sizeof(others[0])));
	suite_add_tcase(s, c);
	return suite_run(s);
}
