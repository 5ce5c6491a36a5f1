/* Alarms about partners. */
#include "gateway/proc/judge_xsmg_alarm.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

enum { NOW = 1795000000 };

START_TEST(once_a_day_each_kind)
{
	ck_assert(judge_xsmg_alarm_due("lab.example", JUDGE_XSMG_ALARM_STATEMENT, NOW));
	ck_assert(!judge_xsmg_alarm_due("lab.example", JUDGE_XSMG_ALARM_STATEMENT, NOW + JUDGE_XSMG_ALARM_S - 1));
	/* a false one hides no real one */
	ck_assert(judge_xsmg_alarm_due("lab.example", JUDGE_XSMG_ALARM_DOWNGRADE, NOW));
	ck_assert(judge_xsmg_alarm_due("lab.example", JUDGE_XSMG_ALARM_PROMISE, NOW));
	ck_assert(judge_xsmg_alarm_due("clinic.example", JUDGE_XSMG_ALARM_STATEMENT, NOW));
	ck_assert(judge_xsmg_alarm_due("lab.example", JUDGE_XSMG_ALARM_STATEMENT, NOW + JUDGE_XSMG_ALARM_S));
	/* the clock was set back */
	ck_assert(judge_xsmg_alarm_due("lab.example", JUDGE_XSMG_ALARM_STATEMENT, NOW - 5));
}
END_TEST

START_TEST(shown)
{
	struct judge_xsmg_alarmed a;
	size_t i = 0;

	judge_xsmg_alarm_note("lab.example", JUDGE_XSMG_ALARM_PROMISE, "not signed", NOW);
	judge_xsmg_alarm_note("lab.example", JUDGE_XSMG_ALARM_PROMISE, "not encrypted", NOW + 10);
	judge_xsmg_alarm_note("clinic.example", JUDGE_XSMG_ALARM_DOWNGRADE, "gone", NOW);
	judge_xsmg_alarm_over("clinic.example", JUDGE_XSMG_ALARM_DOWNGRADE);
	judge_xsmg_alarm_over("other.example", JUDGE_XSMG_ALARM_DOWNGRADE);
	ck_assert(judge_xsmg_alarm_each(&i, NOW + 20, &a));
	ck_assert_str_eq(a.domain, "lab.example");
	ck_assert_str_eq(a.words, "not encrypted");
	ck_assert(a.kind == JUDGE_XSMG_ALARM_PROMISE && a.count == 2 && a.first == NOW && a.last == NOW + 10);
	ck_assert(!judge_xsmg_alarm_each(&i, NOW + 20, &a));
	i = 0;
	ck_assert(!judge_xsmg_alarm_each(&i, NOW + 10 + JUDGE_XSMG_ALARM_SHOWN_S, &a));
}
END_TEST

START_TEST(many)
{
	char name[32];

	for (int i = 0; i <= JUDGE_XSMG_ALARM_PLACES; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert(judge_xsmg_alarm_due(name, JUDGE_XSMG_ALARM_WAITS, NOW + i));
	}
	ck_assert(!judge_xsmg_alarm_due("d1.example", JUDGE_XSMG_ALARM_WAITS, NOW + 600));
	ck_assert(judge_xsmg_alarm_due("d0.example", JUDGE_XSMG_ALARM_WAITS, NOW + 600));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_alarm");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, once_a_day_each_kind);
	tcase_add_test(tc, shown);
	tcase_add_test(tc, many);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
