/* How long HTTP answers may be kept. */
#include "gateway/scout/http_fresh.h"

#include <check.h>

#include "tests/unit/suite.h"

#define NOW 1795312800 /* Sun, 22 Nov 2026 02:00:00 GMT */
static const struct {
	struct http_fresh_fields f; /* Cache-Control, Age, Date, Expires */
	uint32_t want;
} rows[] = {
    {{NULL, NULL, NULL, NULL}, 0},
    {{"max-age=60", NULL, NULL, NULL}, 60},
    {{"MAX-AGE=60", NULL, NULL, NULL}, 60},
    {{"public , max-age=60,x", NULL, NULL, NULL}, 60},
    {{"max-age=\"60\"", NULL, NULL, NULL}, 60},
    {{"max-age=60", "20", NULL, NULL}, 40},
    {{"max-age=60", "60", NULL, NULL}, 0},
    {{"max-age=60", "x", NULL, NULL}, 60},
    {{"max-age=0", NULL, NULL, "Sun, 22 Nov 2026 03:00:00 GMT"}, 0},
    {{"max-age=60, max-age=30", NULL, NULL, NULL}, 30},
    {{"max-age=-1", NULL, NULL, NULL}, 0},
    {{"max-age=x", NULL, NULL, NULL}, 0},
    {{"max-age", NULL, NULL, NULL}, 0},
    {{"s-maxage=60", NULL, NULL, NULL}, 0},
    {{"no-store, max-age=60", NULL, NULL, NULL}, 0},
    {{"max-age=60, no-cache", NULL, NULL, NULL}, 0},
    {{"x=\"a, no-store\", max-age=60", NULL, NULL, NULL}, 60},
    {{"x=\"a\\\", no-store\", max-age=60", NULL, NULL, NULL}, 60},
    {{"x=\"open, max-age=60", NULL, NULL, NULL}, 0},
    {{",,,max-age=60", NULL, NULL, NULL}, 60},
    {{"max-age=99999999999999999999999", NULL, NULL, NULL}, 1000000},
    {{"max-age=60", "99999999999999999999999", NULL, NULL}, 0},
    {{"", "", "", "Sun, 22 Nov 2026 02:00:30 GMT"}, 30},
    {{"", "", "Sun, 22 Nov 2026 01:00:00 GMT", "Sun, 22 Nov 2026 01:00:45 GMT"}, 45},
    {{"", "5", "Sun, 22 Nov 2026 01:00:00 GMT", "Sun, 22 Nov 2026 01:00:45 GMT"}, 40},
    {{"", "", "", "Sun, 22 Nov 2026 01:00:30 GMT"}, 0},
    {{"", "", "", "0"}, 0},
    {{"", "", "x", "never"}, 0},
    {{"max-age=60", "", "", "Sun, 22 Nov 2026 01:00:30 GMT"}, 60},
};

START_TEST(one)
{
	ck_assert_uint_eq(http_fresh(&rows[_i].f, NOW, 1000000), rows[_i].want);
	ck_assert_uint_le(http_fresh(&rows[_i].f, NOW, 10), 10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_fresh");
	TCase *t = tcase_create("fields");

	tcase_add_loop_test(t, one, 0, sizeof rows / sizeof rows[0]);
	suite_add_tcase(s, t);
	return suite_run(s);
}
