/* How often hints are followed. */
#include "gateway/proc/judge_xsmg_hints.h"

#include <check.h>
#include <stdio.h>

#include "tests/unit/suite.h"

enum { NOW = 1795000000 };
static struct judge_xsmg_hints h;

START_TEST(one_of_a_domain)
{
	ck_assert(judge_xsmg_hints_may(&h, "lab.example", NOW));
	ck_assert(!judge_xsmg_hints_may(&h, "lab.example", NOW));
	ck_assert(judge_xsmg_hints_may(&h, "clinic.example", NOW + 1));
	ck_assert(!judge_xsmg_hints_may(&h, "lab.example", NOW + JUDGE_XSMG_HINT_S - 1));
	ck_assert(judge_xsmg_hints_may(&h, "lab.example", NOW + JUDGE_XSMG_HINT_S));
	ck_assert(!judge_xsmg_hints_may(&h, "lab.example", NOW + JUDGE_XSMG_HINT_S));
	/* the clock was set back */
	ck_assert(judge_xsmg_hints_may(&h, "lab.example", NOW - 5));
}
END_TEST

START_TEST(many)
{
	char name[32];

	for (int i = 0; i <= JUDGE_XSMG_HINTS; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert(judge_xsmg_hints_may(&h, name, NOW + i));
	}
	ck_assert(!judge_xsmg_hints_may(&h, "d1.example", NOW + 300));
	ck_assert(judge_xsmg_hints_may(&h, "d0.example", NOW + 300)); /* the oldest was forgotten */
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_hints");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, one_of_a_domain);
	tcase_add_test(tc, many);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
