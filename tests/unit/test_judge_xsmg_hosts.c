/* Which of a partner's hosts offered XSMG: across restarts, bounded, and for how long. */
#include "gateway/proc/judge_xsmg_hosts.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

enum { NOW = 1795000000, DAY = 86400 };

static struct judge_fixture j;
static struct problem pr;
static struct partner_statement_settings set;

static void setup(void)
{
	judge_fixture_start(&j);
	set = *partner_statement_settings_default();
}

static void teardown(void)
{
	judge_fixture_end(&j);
}

static void offers(const char *domain, const char *remote, int64_t now)
{
	ck_assert_msg(judge_xsmg_hosts_offers(j.s, &set, domain, remote, now, &pr) == 0, "%s", pr.text);
}

static bool offered(const char *domain, const char *remote, int64_t now)
{
	int rc = judge_xsmg_hosts_offered(j.s, &set, domain, remote, now, &pr);

	ck_assert_msg(rc >= 0, "%s", pr.text);
	return rc == 1;
}

START_TEST(by_name)
{
	ck_assert(!offered("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW));
	offers("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW);
	ck_assert(offered("lab.example", "mx1.lab.example[192.0.2.9]:25", NOW)); /* another address of it */
	ck_assert(!offered("lab.example", "mx2.lab.example[192.0.2.1]:25", NOW));
	ck_assert(!offered("clinic.example", "mx1.lab.example[192.0.2.1]:25", NOW));
	offers("lab.example", "[192.0.2.1]:25", NOW);
	ck_assert(offered("lab.example", "[192.0.2.1]:25", NOW));
	ck_assert(!offered("lab.example", "[192.0.2.2]:25", NOW));
}
END_TEST

START_TEST(after_a_restart)
{
	offers("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW);
	store_close(j.s);
	j.s = store_open(j.dir, &pr);
	ck_assert(j.s != NULL && offered("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW + 60));
}
END_TEST

/* Names that are shown later push none out; what was not seen for long makes room. */
START_TEST(bounded)
{
	char remote[64];

	set.hosts_max = 3;
	for (int i = 1; i <= 5; i++) {
		snprintf(remote, sizeof remote, "mx%d.lab.example[192.0.2.1]:25", i);
		offers("lab.example", remote, NOW);
	}
	ck_assert(offered("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW));
	ck_assert(offered("lab.example", "mx3.lab.example[192.0.2.1]:25", NOW));
	ck_assert(!offered("lab.example", "mx4.lab.example[192.0.2.1]:25", NOW));
	offers("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW + 80 * DAY);
	ck_assert(!offered("lab.example", "mx3.lab.example[192.0.2.1]:25", NOW + 91 * DAY));
	offers("lab.example", "mx4.lab.example[192.0.2.1]:25", NOW + 91 * DAY);
	offers("lab.example", "mx5.lab.example[192.0.2.1]:25", NOW + 91 * DAY);
	offers("lab.example", "mx6.lab.example[192.0.2.1]:25", NOW + 91 * DAY);
	ck_assert(offered("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW + 91 * DAY));
	ck_assert(offered("lab.example", "mx4.lab.example[192.0.2.1]:25", NOW + 91 * DAY));
	ck_assert(offered("lab.example", "mx5.lab.example[192.0.2.1]:25", NOW + 91 * DAY));
	ck_assert(!offered("lab.example", "mx6.lab.example[192.0.2.1]:25", NOW + 91 * DAY));
	/* the clock was set back */
	offers("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW);
	ck_assert(offered("lab.example", "mx1.lab.example[192.0.2.1]:25", NOW));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_hosts");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, by_name);
	tcase_add_test(tc, after_a_restart);
	tcase_add_test(tc, bounded);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
