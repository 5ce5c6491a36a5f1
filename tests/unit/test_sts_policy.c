/* The TXT record and the policy file of MTA-STS, and which hosts a policy lists. */
#include "gateway/scout/sts_policy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *text, *id; /* NULL: refused */
} txts[] = {
    {"v=STSv1; id=20160831085700Z;", "20160831085700Z"},
    {"v=STSv1;id=1", "1"},
    {"v=STSv1 ; id=1 ; ", "1"},
    {"v=STSv1; other=x; id=a1;", "a1"},
    {"v=STSv1; id=12345678901234567890123456789012;", "12345678901234567890123456789012"},
    {"v=STSv1; id=123456789012345678901234567890123;", NULL},
    {"v=STSv1; id=a-b;", NULL},
    {"v=STSv1; id=;", NULL},
    {"v=STSv1; id=1; id=2;", NULL},
    {"v=STSv1;", NULL},
    {"v=STSv1", NULL},
    {"v=STSv2; id=1;", NULL},
    {"id=1; v=STSv1;", NULL},
    {"v=STSv1; what; id=1;", NULL},
    {"v=STSv1;; id=1;", NULL},
    {"", NULL},
    {";", NULL},
};

START_TEST(txt)
{
	char id[STS_POLICY_ID_MAX + 1];
	int r = sts_policy_txt(txts[_i].text, id);

	ck_assert_msg(r == (txts[_i].id ? 0 : -1), "%s", txts[_i].text);
	if (r == 0)
		ck_assert_str_eq(id, txts[_i].id);
}
END_TEST

static const struct {
	const char *text, *why; /* part of the refusal, NULL: good */
	enum scout_sts mode;
	uint32_t age;
	size_t n;
} files[] = {
    {"version: STSv1\r\nmode: enforce\r\nmx: mail.lab.example\r\nmx: *.lab.example\r\nmax_age: 604800\r\n", NULL,
	SCOUT_STS_ENFORCE, 604800, 2},
    {"version: STSv1\nmode: testing\nmx: A.Lab.Example\nmax_age: 1", NULL, SCOUT_STS_TESTING, 1, 1},
    {"version: STSv1\nmode: none\nmax_age: 86400\n", NULL, SCOUT_STS_NONE, 86400, 0},
    {"max_age:9999999999 \nmx:a.b\nmode:enforce\nversion:STSv1\nx-more: yes\n\n", NULL, SCOUT_STS_ENFORCE,
	STS_POLICY_AGE_MAX, 1},
    {"version: STSv1\nmode: enforce\nmode: none\nmx: a.b\nmax_age: 1\nmax_age: 2\n", NULL, SCOUT_STS_ENFORCE, 1, 1},
    {"version: STSv2\nmode: enforce\nmx: a.b\nmax_age: 1\n", "version", 0, 0, 0},
    {"mode: enforce\nmx: a.b\nmax_age: 1\n", "missing", 0, 0, 0},
    {"version: STSv1\nmx: a.b\nmax_age: 1\n", "missing", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: a.b\n", "missing", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmax_age: 1\n", "lists no mx", 0, 0, 0},
    {"version: STSv1\nmode: Enforce\nmx: a.b\nmax_age: 1\n", "mode", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1\n", "mx", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n", "mx", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1\n", "mx", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: *.*.b\nmax_age: 1\n", "mx", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: a.b\nmax_age: -1\n", "max_age", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 12345678901\n", "max_age", 0, 0, 0},
    {"version: STSv1\nmode: enforce\nmx: a.b\nmax_age:\n", "max_age", 0, 0, 0},
    {"<html>\n", "key: value", 0, 0, 0},
    {"version: STSv1\nmode: enf\001orce\n", "control", 0, 0, 0},
    {"", "missing", 0, 0, 0},
};

START_TEST(file)
{
	struct sts_policy *p = calloc(1, sizeof *p), *again = calloc(1, sizeof *p);
	const char *why;
	int r = sts_policy_parse(files[_i].text, strlen(files[_i].text), p, &why);
	struct buf b;

	ck_assert(p && again);
	ck_assert_msg(r == (files[_i].why ? -1 : 0), "%s: %s", files[_i].text, why);
	if (r < 0) {
		ck_assert_msg(strstr(why, files[_i].why), "%s", why);
	} else {
		ck_assert_int_eq(p->mode, files[_i].mode);
		ck_assert_uint_eq(p->max_age, files[_i].age);
		ck_assert_uint_eq(p->nmx, files[_i].n);
		buf_init(&b, 20000);
		ck_assert_int_eq(sts_policy_put(p, &b), 0);
		ck_assert_int_eq(sts_policy_parse(b.p, b.len, again, &why), 0);
		ck_assert(again->mode == p->mode && again->max_age == p->max_age && again->nmx == p->nmx);
		for (size_t i = 0; i < p->nmx; i++)
			ck_assert_str_eq(again->mx[i], p->mx[i]);
		buf_clear(&b);
	}
	free(p);
	free(again);
}
END_TEST

START_TEST(limits)
{
	struct sts_policy *p = calloc(1, sizeof *p);
	const char *why;
	struct buf b;

	buf_init(&b, 100000);
	ck_assert_int_eq(buf_adds(&b, "version: STSv1\nmode: enforce\nmax_age: 1\n"), 0);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(buf_addf(&b, "mx: m%d.lab.example\n", i), 0);
	ck_assert_int_eq(sts_policy_parse(b.p, b.len, p, &why), 0);
	ck_assert_uint_eq(p->nmx, 64);
	ck_assert_int_eq(buf_adds(&b, "mx: one.more.example\n"), 0);
	ck_assert_int_eq(sts_policy_parse(b.p, b.len, p, &why), -1);
	buf_reset(&b);
	ck_assert_int_eq(buf_adds(&b, "version: STSv1\nmode: none\nmax_age: 1\n"), 0);
	while (b.len <= STS_POLICY_OCTETS)
		ck_assert_int_eq(buf_adds(&b, "x-pad: 0123456789\n"), 0);
	ck_assert_int_eq(sts_policy_parse(b.p, b.len, p, &why), -1);
	ck_assert_ptr_nonnull(strstr(why, "64 KiB"));
	buf_clear(&b);
	free(p);
}
END_TEST

START_TEST(match)
{
	static const struct {
		const char *host;
		bool yes;
	} t[] = {{"mail.lab.example", true}, {"mx1.pool.example", true}, {"a.mx1.pool.example", false},
	    {"pool.example", false}, {".pool.example", false}, {"xpool.example", false}, {"lab.example", false},
	    {"mail.lab.example.evil.example", false}, {"", false}};
	static const char text[] =
	    "version: STSv1\nmode: enforce\nmx: mail.lab.example\nmx: *.pool.example\nmax_age: 1\n";
	struct sts_policy *p = calloc(1, sizeof *p);
	const char *why;

	ck_assert_int_eq(sts_policy_parse(text, strlen(text), p, &why), 0);
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		ck_assert_msg(sts_policy_match(p, t[i].host) == t[i].yes, "%s", t[i].host);
	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sts_policy");
	TCase *t = tcase_create("sts_policy");

	tcase_add_loop_test(t, txt, 0, (int)(sizeof txts / sizeof txts[0]));
	tcase_add_loop_test(t, file, 0, (int)(sizeof files / sizeof files[0]));
	tcase_add_test(t, limits);
	tcase_add_test(t, match);
	suite_add_tcase(s, t);
	return suite_run(s);
}
