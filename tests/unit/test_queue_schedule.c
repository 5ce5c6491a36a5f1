/* The schedule with made-up times. */
#include <check.h>
#include <stdlib.h>

#include "gateway/queue/queue_schedule.h"

#include "tests/unit/suite.h"

enum { MIN = 300000, MAX = 14400000 };

static const struct queue_settings set = {
    .retry_min = MIN, .retry_max = MAX, .expire = 432000000, .delay_warning = 14400000};

START_TEST(test_next)
{
	static const struct {
		int attempts;
		int64_t wait; /* with the whole jitter */
	} cases[] = {{0, MIN}, {1, MIN}, {2, 2 * MIN}, {3, 4 * MIN}, {4, 8 * MIN}, {6, 32 * MIN}, {7, MAX}, {8, MAX},
	    {1000000, MAX}};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int64_t least = cases[i].wait - cases[i].wait / 4;

		ck_assert_int_eq(queue_schedule_next(&set, cases[i].attempts, 1000, 65535), 1000 + cases[i].wait);
		ck_assert_int_eq(
		    queue_schedule_next(&set, cases[i].attempts, 1000, 0), 1000 + (least < MIN ? MIN : least));
		for (unsigned j = 0; j < 65536; j += 911) {
			int64_t wait = queue_schedule_next(&set, cases[i].attempts, 0, (uint16_t)j);

			ck_assert_int_ge(wait, MIN);
			ck_assert_int_le(wait, cases[i].wait);
		}
	}
}
END_TEST

START_TEST(test_odd_settings)
{
	struct queue_settings s = set;

	s.retry_max = 1000; /* below retry-min: it wins */
	ck_assert_int_eq(queue_schedule_next(&s, 5, 0, 65535), 1000);
	s.retry_min = s.retry_max = 604800000;
	ck_assert_int_eq(queue_schedule_next(&s, 2000000000, 0, 65535), 604800000);
}
END_TEST

START_TEST(test_limits)
{
	ck_assert(!queue_schedule_expired(&set, 1000, 1000 + 431999999));
	ck_assert(queue_schedule_expired(&set, 1000, 1000 + 432000000));
	ck_assert(!queue_schedule_delayed(&set, 1000, 1000 + 14399999));
	ck_assert(queue_schedule_delayed(&set, 1000, 1000 + 14400000));

	struct queue_settings never = set;

	never.delay_warning = 0;
	ck_assert(!queue_schedule_delayed(&never, 1000, 1000 + INT64_C(100000000000)));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_schedule");
	TCase *t = tcase_create("queue_schedule");

	tcase_add_test(t, test_next);
	tcase_add_test(t, test_odd_settings);
	tcase_add_test(t, test_limits);
	suite_add_tcase(s, t);
	return suite_run(s);
}
