/* What was said of recipients: how long it counts, and what goes first when there is no more room. */
#include "gateway/proc/relay_rcpts_cache.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct relay_rcpts_settings set = {
    .known_for = 1000, .unknown_for = 100, .stale_for = 5000, .cache_max = 100};

/* Put at 50; looked for at `at`. */
static const struct {
	bool known;
	int64_t at;
	bool found, fresh;
} rows[] = {
    {true, 50, true, true},
    {true, 1049, true, true},
    {true, 1050, true, false},
    {true, 5049, true, false},
    {true, 5050, false, false},
    {false, 50, true, true},
    {false, 149, true, true},
    {false, 150, false, false},
    {false, 1049, false, false},
};

START_TEST(ages)
{
	struct relay_rcpts_cache *c = relay_rcpts_cache_new(&set);
	struct relay_rcpts_cached got = {0};

	relay_rcpts_cache_put(c, "anna@hospital.example", rows[_i].known, "words", 50);
	ck_assert(relay_rcpts_cache_find(c, "anna@hospital.example", rows[_i].at, &got) == rows[_i].found);
	if (rows[_i].found) {
		ck_assert(got.known == rows[_i].known && got.fresh == rows[_i].fresh);
		ck_assert_int_eq(got.age, rows[_i].at - 50);
		ck_assert_str_eq(got.said, "words");
	}
	ck_assert_uint_eq(relay_rcpts_cache_count(c, rows[_i].known), rows[_i].found);
	ck_assert(!relay_rcpts_cache_find(c, "ann@hospital.example", 50, &got));
	relay_rcpts_cache_free(c);
	relay_rcpts_cache_free(NULL);
}
END_TEST

START_TEST(replaced)
{
	struct relay_rcpts_cache *c = relay_rcpts_cache_new(&set);
	struct relay_rcpts_cached got;
	char words[500];

	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	relay_rcpts_cache_put(c, "a@x", false, "no", 0);
	relay_rcpts_cache_put(c, "a@x", true, words, 10);
	ck_assert(relay_rcpts_cache_find(c, "a@x", 10, &got) && got.known && got.age == 0);
	ck_assert(strlen(got.said) > 10 && strlen(got.said) < sizeof(words) - 1);
	ck_assert(relay_rcpts_cache_count(c, false) == 0 && relay_rcpts_cache_count(c, true) == 1);
	relay_rcpts_cache_forget(c, "b@x");
	ck_assert_uint_eq(relay_rcpts_cache_count(c, true), 1);
	relay_rcpts_cache_forget(c, "a@x");
	ck_assert(!relay_rcpts_cache_find(c, "a@x", 10, &got) && relay_rcpts_cache_count(c, true) == 0);
	relay_rcpts_cache_free(c);
}
END_TEST

/* Who asks for any number of made-up addresses pushes out no real one. */
START_TEST(bounded)
{
	struct relay_rcpts_cache *c = relay_rcpts_cache_new(&set);
	struct relay_rcpts_cached got;
	char key[40];

	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "real%d@x", i);
		relay_rcpts_cache_put(c, key, true, "", 0);
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "made-up%d@x", i);
		relay_rcpts_cache_put(c, key, false, "", 0);
		ck_assert(relay_rcpts_cache_find(c, "made-up0@x", 0, &got)); /* used all the time: stays */
	}
	ck_assert(relay_rcpts_cache_count(c, true) == 100 && relay_rcpts_cache_count(c, false) == 100);
	ck_assert(relay_rcpts_cache_find(c, "made-up9999@x", 0, &got));
	ck_assert(relay_rcpts_cache_find(c, "made-up9901@x", 0, &got));
	ck_assert(!relay_rcpts_cache_find(c, "made-up9900@x", 0, &got));
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "real%d@x", i);
		ck_assert(relay_rcpts_cache_find(c, key, 0, &got) && got.known);
	}
	relay_rcpts_cache_free(c);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_rcpts_cache");
	TCase *t = tcase_create("cache");

	tcase_add_loop_test(t, ages, 0, sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(t, replaced);
	tcase_add_test(t, bounded);
	suite_add_tcase(s, t);
	return suite_run(s);
}
