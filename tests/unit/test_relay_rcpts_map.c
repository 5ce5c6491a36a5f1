/* The recipient-map: which entry decides, what is refused with its line, and that 200,000 lines are no matter. */
#include "gateway/proc/relay_rcpts_map.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/loop.h"
#include "tests/unit/suite.h"

static const char text[] = "# our people\n"
			   "anna\n"
			   "Bob@hospital.example\n"
			   "  joe@Other.Example\t\r\n"
			   "\n"
			   "shop-*\n"
			   "!shop-closed\n"
			   "!shop-old-*\n"
			   "shop-old-9\n"
			   "@third.example\n"
			   "! eve@third.example\n"
			   "*@fourth.example\n"
			   "\"quoted local\"\n"
			   "anna+list\n"
			   "!carl\n"
			   "anna"; /* no line end; said twice is no harm */

static const struct {
	const char *local, *base, *domain;
	bool known;
	unsigned line;
} rows[] = {
    {"anna", NULL, "hospital.example", true, 2},
    {"anna", NULL, "other.example", true, 2},
    {"ann", NULL, "hospital.example", false, 0},
    {"anna2", NULL, "hospital.example", false, 0},
    {"bob", NULL, "hospital.example", true, 3},
    {"bob", NULL, "other.example", false, 0},
    {"joe", NULL, "other.example", true, 4},
    {"shop-", NULL, "hospital.example", true, 6},
    {"shop-9", NULL, "hospital.example", true, 6},
    {"shop", NULL, "hospital.example", false, 0},
    {"shop-closed", NULL, "hospital.example", false, 7},
    {"shop-closed+x", "shop-closed", "hospital.example", false, 7},
    {"shop-old-8", NULL, "hospital.example", false, 8},
    {"shop-old-9", NULL, "hospital.example", true, 9},
    {"whoever", NULL, "third.example", true, 10},
    {"eve", NULL, "third.example", false, 11},
    {"carl", NULL, "third.example", false, 15},
    {"carl+x", "carl", "third.example", false, 15},
    {"whoever", NULL, "fourth.example", true, 12},
    {"quoted local", NULL, "hospital.example", true, 13},
    {"anna+tag", "anna", "hospital.example", true, 2},
    {"anna+tag", NULL, "hospital.example", false, 0},
    {"anna+list", "anna", "hospital.example", true, 14},
    {"*", NULL, "hospital.example", false, 0},
    {"", NULL, "hospital.example", false, 0},
};

START_TEST(finding)
{
	struct relay_rcpts_map *m;
	struct problem pr = {0};
	unsigned line;

	ck_assert_msg(relay_rcpts_map_parse("m", text, strlen(text), &m, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(relay_rcpts_map_entries(m), 13);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool known = relay_rcpts_map_find(m, rows[i].local, rows[i].base, rows[i].domain, &line);

		ck_assert_msg(known == rows[i].known && line == rows[i].line, "%s@%s: %d by line %u", rows[i].local,
		    rows[i].domain, known, line);
	}
	relay_rcpts_map_free(m);
	relay_rcpts_map_free(NULL);
}
END_TEST

static const struct {
	const char *text, *says;
} bad[] = {
    {"anna\n!anna\n", "m:2: \"!anna\": line 1 says the opposite"},
    {"anna\n\n! ANNA\n", "m:3: \"! ANNA\": line 1 says the opposite"},
    {"anna bob\n", "m:1: \"anna bob\": it is neither"},
    {"anna@\n", "m:1: \"anna@\": it is neither"},
    {"@\n", "m:1: \"@\": a domain name"},
    {"@-x.example\n", "m:1: \"@-x.example\": a domain name"},
    {"x\n!\n", "m:2: \"!\": it is neither"},
    {"an*na\n*an(\n", "m:2: \"*an(\": it is neither"},
    {"<anna@hospital.example>\n", "it is neither"},
    {"anna # comment\n", "it is neither"},
    {"an\001na\n", "\"an?na\": it is neither"},
};

START_TEST(refused)
{
	struct relay_rcpts_map *m = NULL;
	struct problem pr = {0};

	ck_assert_int_eq(relay_rcpts_map_parse("m", bad[_i].text, strlen(bad[_i].text), &m, &pr), -1);
	ck_assert_msg(strstr(pr.text, bad[_i].says) != NULL, "%s", pr.text);
	ck_assert_ptr_null(m);
}
END_TEST

START_TEST(long_line)
{
	struct relay_rcpts_map *m = NULL;
	struct problem pr = {0};
	char line[2000];

	memset(line, 'a', sizeof(line));
	for (size_t n = 1; n < sizeof(line); n++) {
		int r = relay_rcpts_map_parse("m", line, n, &m, &pr);

		ck_assert_int_eq(r, n <= 64 ? 0 : -1);
		if (r == 0)
			relay_rcpts_map_free(m);
	}
}
END_TEST

START_TEST(empty)
{
	struct relay_rcpts_map *m;
	unsigned line;

	ck_assert_int_eq(relay_rcpts_map_parse("m", "", 0, &m, NULL), 0);
	ck_assert(!relay_rcpts_map_find(m, "anna", NULL, "hospital.example", &line));
	relay_rcpts_map_free(m);
}
END_TEST

/* The bound is generous: with a search of the whole list in place of the hash it would be hours. */
START_TEST(many_lines)
{
	enum { LINES = 200000 };
	char *many = malloc(LINES * 40), *p = many, local[40];
	struct relay_rcpts_map *m;
	unsigned line;
	int64_t began;

	for (unsigned i = 1; i <= LINES; i++)
		p += sprintf(p, "user%u%s\n", i, i % 2 ? "" : "@hospital.example");
	began = loop_now_ms();
	ck_assert_int_eq(relay_rcpts_map_parse("m", many, (size_t)(p - many), &m, NULL), 0);
	ck_assert_uint_eq(relay_rcpts_map_entries(m), LINES);
	for (unsigned i = 1; i <= LINES; i++) {
		snprintf(local, sizeof(local), "user%u", i);
		ck_assert(relay_rcpts_map_find(m, local, NULL, "hospital.example", &line) && line == i);
		snprintf(local, sizeof(local), "nobody%u", i);
		ck_assert(!relay_rcpts_map_find(m, local, NULL, "hospital.example", &line));
	}
	ck_assert_int_lt(loop_now_ms() - began, 50000);
	relay_rcpts_map_free(m);
	free(many);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_rcpts_map");
	TCase *t = tcase_create("map");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, finding);
	tcase_add_loop_test(t, refused, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, long_line);
	tcase_add_test(t, empty);
	tcase_add_test(t, many_lines);
	suite_add_tcase(s, t);
	return suite_run(s);
}
