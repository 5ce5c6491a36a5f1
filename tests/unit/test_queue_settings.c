/* Section "queue": defaults, a file that sets everything, and values out of range. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/queue/queue_settings.h"
#include "tests/unit/suite.h"

START_TEST(test_defaults)
{
	struct queue_settings s;

	queue_settings_default(&s);
	ck_assert_int_eq(s.retry_min, 300000);
	ck_assert_int_eq(s.retry_max, 4 * 3600000);
	ck_assert_int_eq(s.expire, 5 * 86400000LL);
	ck_assert_int_eq(s.delay_warning, 4 * 3600000);
	ck_assert_int_eq(s.hold_expire, 30 * 86400000LL);
	ck_assert_int_eq(s.memory_max, 256 * 1024);
	ck_assert_int_eq(s.sealed_ids_days, 90);
	ck_assert_int_eq(s.done_keep, 30 * 86400000LL);
	ck_assert_int_eq(s.dsn_match_days, 7);
	ck_assert_int_eq(s.checkpoint, 8 * 1024 * 1024);
	ck_assert_int_eq(s.commit_gap, 2);
	ck_assert_int_eq(s.active_max, 1000);
}
END_TEST

START_TEST(test_file)
{
	static const char text[] = "queue {\n  retry-min = \"1m\"\n  memory-max = \"10M\"\n  active-max = 7\n}\n";
	struct settings *s;
	struct problem pr = {0};

	ck_assert_msg(
	    settings_parse("x.conf", text, strlen(text), &queue_settings_section, 1, &s, &pr) == 0, "%s", pr.text);

	const struct queue_settings *q = settings_get(s, "queue");

	ck_assert_int_eq(q->retry_min, 60000);
	ck_assert_int_eq(q->memory_max, 10 * 1024 * 1024);
	ck_assert_int_eq(q->active_max, 7);
	ck_assert_int_eq(q->retry_max, 4 * 3600000);
	settings_free(s);
}
END_TEST

START_TEST(test_out_of_range)
{
	static const char *const texts[] = {
	    "queue {\n  active-max = 0\n}\n",
	    "queue {\n  memory-max = \"17M\"\n}\n",
	    "queue {\n  commit-gap = \"2s\"\n}\n",
	    "queue {\n  retry = \"2s\"\n}\n",
	};
	struct settings *s;
	struct problem pr = {0};

	ck_assert_int_eq(
	    settings_parse("x.conf", texts[_i], strlen(texts[_i]), &queue_settings_section, 1, &s, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "x.conf:2:"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_settings");
	TCase *t = tcase_create("queue_settings");

	tcase_add_test(t, test_defaults);
	tcase_add_test(t, test_file);
	tcase_add_loop_test(t, test_out_of_range, 0, 4);
	suite_add_tcase(s, t);
	return suite_run(s);
}
