/* cli_message.c: the times that --since and --until take. */
#include "admin-ui/cli_message.h"

#include <check.h>

#include "tests/unit/suite.h"

#define NOW INT64_C(1795392000)

static const struct {
	const char *text;
	int64_t want; /* -1: refused */
} times[] = {
    {"90m", NOW - 5400},
    {"2h", NOW - 7200},
    {"3d", NOW - 259200},
    {"1w", NOW - 604800},
    {"30s", NOW - 30},
    {"0h", NOW},
    {"2026-11-22", 1795305600},
    {"2026-11-22 14:05", 1795356300},
    {"2026-11-22T14:05", 1795356300},
    {"2026-11-22 14:05:09", 1795356309},
    {"2026-11-22T14:05:09Z", 1795356309},
    {"", -1},
    {"2", -1},
    {"h", -1},
    {"-2h", -1},
    {"2hh", -1},
    {"2x", -1},
    {"99999999999999999999d", -1},
    {"2026-13-01", -1},
    {"2026-11-22x", -1},
    {"yesterday", -1},
};

START_TEST(test_time)
{
	int64_t t = 0;
	int err = cli_message_time(times[_i].text, NOW, &t);

	if (times[_i].want < 0)
		ck_assert_msg(err == -1, "\"%s\" is taken as %lld", times[_i].text, (long long)t);
	else
		ck_assert_msg(err == 0 && t == times[_i].want, "\"%s\": %d %lld", times[_i].text, err, (long long)t);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cli_message");
	TCase *t = tcase_create("times");

	tcase_add_loop_test(t, test_time, 0, sizeof times / sizeof times[0]);
	suite_add_tcase(s, t);
	return suite_run(s);
}
