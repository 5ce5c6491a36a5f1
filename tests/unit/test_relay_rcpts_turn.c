/* Who is asked for next: one client with many questions holds up nobody else. */
#include "gateway/proc/relay_rcpts_turn.h"

#include <check.h>
#include <stdlib.h>

#include "tests/unit/suite.h"

static struct relay_rcpts_turn t;
static struct relay_rcpts_place p[8];

static void in(int i, const char *client)
{
	relay_rcpts_turn_in(&t, &p[i], client, &p[i]);
}

START_TEST(takes_turns)
{
	static const int order[] = {0, 4, 6, 1, 5, 2, 3};

	for (int i = 0; i < 4; i++)
		in(i, "192.0.2.1");
	in(4, "IPv6:2001:db8::1");
	in(5, "IPv6:2001:db8::2"); /* the same network */
	in(6, NULL);
	ck_assert_uint_eq(relay_rcpts_turn_of(&t, "192.0.2.1"), 4);
	ck_assert_uint_eq(relay_rcpts_turn_of(&t, "IPv6:2001:db8::9"), 2);
	ck_assert_uint_eq(relay_rcpts_turn_of(&t, NULL), 0);
	for (size_t i = 0; i < 7; i++) {
		struct relay_rcpts_place *got = relay_rcpts_turn_next(&t, 7);

		ck_assert_msg(got == &p[order[i]], "%zu: %td", i, got - p);
		ck_assert(got->asked && got->question == got);
	}
	ck_assert_ptr_null(relay_rcpts_turn_next(&t, 9));
	ck_assert_uint_eq(relay_rcpts_turn_of(&t, "192.0.2.1"), 4);
	for (int i = 0; i < 7; i++)
		relay_rcpts_turn_out(&t, &p[i]);
	ck_assert(t.nasked == 0 && t.asked == NULL && t.waiting == NULL);
}
END_TEST

START_TEST(a_few_at_once)
{
	for (int i = 0; i < 4; i++)
		in(i, "192.0.2.1");
	ck_assert_ptr_eq(relay_rcpts_turn_next(&t, 2), &p[0]);
	ck_assert_ptr_eq(relay_rcpts_turn_next(&t, 2), &p[1]);
	ck_assert_ptr_null(relay_rcpts_turn_next(&t, 2));
	relay_rcpts_turn_out(&t, &p[2]); /* given up while it waits: makes no room */
	ck_assert_ptr_null(relay_rcpts_turn_next(&t, 2));
	relay_rcpts_turn_out(&t, &p[0]);
	ck_assert_ptr_eq(relay_rcpts_turn_next(&t, 2), &p[3]);
	ck_assert_uint_eq(relay_rcpts_turn_of(&t, "192.0.2.1"), 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_rcpts_turn");
	TCase *c = tcase_create("turn");

	tcase_add_test(c, takes_turns);
	tcase_add_test(c, a_few_at_once);
	suite_add_tcase(s, c);
	return suite_run(s);
}
