/* Message numbers: unique, growing, readable, and strict when read back. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/queue/queue_number.h"

#include "tests/unit/suite.h"

#define NOW INT64_C(1800000000000)

START_TEST(test_unique_and_growing)
{
	struct queue_number n;
	int64_t last = 0, number;
	char text[QUEUE_NUMBER_TEXT + 1], before[QUEUE_NUMBER_TEXT + 1] = "";

	queue_number_init(&n, 0);
	for (int i = 0; i < 100000; i++) {
		/* many in a millisecond, and a clock that goes back now and then */
		int64_t at = NOW + i / 100 - (i % 1000 == 7 ? 3600000 : 0);

		number = queue_number_next(&n, at);
		ck_assert_int_gt(number, last);
		queue_number_text(number, text, sizeof text);
		ck_assert_str_gt(text, before);
		memcpy(before, text, sizeof text);
		last = number;
	}
	queue_number_clear(&n);
	queue_number_init(&n, last);
	ck_assert_int_eq(queue_number_next(&n, NOW - 86400000), last + 1);
	queue_number_clear(&n);
}
END_TEST

START_TEST(test_time)
{
	struct queue_number n;

	queue_number_init(&n, 0);

	int64_t number = queue_number_next(&n, NOW);

	ck_assert_int_eq(queue_number_time(number), NOW);
	ck_assert_int_eq(queue_number_from(NOW), number);
	ck_assert_int_lt(queue_number_next(&n, NOW), queue_number_from(NOW + 1));
	ck_assert_int_eq(queue_number_from(0), 0); /* a clock before 2026 */
	ck_assert_int_gt(queue_number_next(&n, 0), number);
	ck_assert_int_eq(queue_number_msg(queue_number_row(number, 0)), number);
	ck_assert_int_eq(queue_number_msg(queue_number_row(number, 65535)), number);
	ck_assert_int_eq(queue_number_row(number + 1, 0), queue_number_row(number, 65535) + 1);
	ck_assert_int_gt(queue_number_row(queue_number_from(INT64_MAX), 65535), 0);
	queue_number_clear(&n);
}
END_TEST

START_TEST(test_text)
{
	static const struct {
		const char *text;
		int64_t number; /* -1: refused */
	} cases[] = {
	    {"0000000000", 0},
	    {"0000000001", 1},
	    {"000000000Z", 31},
	    {"0000000010", 32},
	    {"3ZZZZZZZZZ", (INT64_C(1) << 47) - 1},
	    {"4000000000", -1},
	    {"ZZZZZZZZZZ", -1},
	    {"", -1},
	    {"000000000", -1},
	    {"00000000000", -1},
	    {"00000I0000", -1},
	    {"00000a0000", -1},
	    {"00000/0000", -1},
	    {"../../../x", -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[QUEUE_NUMBER_TEXT + 1];
		int64_t number = -1;

		ck_assert_int_eq(queue_number_parse(cases[i].text, &number), cases[i].number < 0 ? -1 : 0);
		ck_assert_int_eq(number, cases[i].number);
		if (number < 0)
			continue;
		queue_number_text(number, text, sizeof text);
		ck_assert_str_eq(text, cases[i].text);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_number");
	TCase *t = tcase_create("queue_number");

	tcase_add_test(t, test_unique_and_growing);
	tcase_add_test(t, test_time);
	tcase_add_test(t, test_text);
	suite_add_tcase(s, t);
	return suite_run(s);
}
