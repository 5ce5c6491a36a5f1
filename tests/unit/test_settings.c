/* settings.c: a whole file; every wrong thing with its line. */
#include "gateway/base/settings.h"

#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

struct top {
	char *name;
	int64_t size;
	struct settings_list networks;
};

struct queue {
	int64_t retry;
	bool sync;
};

struct domain {
	char *key;
	int strength;
	struct settings_list aliases;
};

static const char *const strengths[] = {"never", "prefer", "require", NULL};

static const struct setting top_rows[] = {
    {.name = "name", .type = SETTING_STR, .offset = offsetof(struct top, name)},
    {.name = "max-size",
	.type = SETTING_SIZE,
	.offset = offsetof(struct top, size),
	.dflt = "50M",
	.min = 1,
	.max = 1 << 30},
    {.name = "networks",
	.type = SETTING_LIST,
	.offset = offsetof(struct top, networks),
	.dflt = "127.0.0.1, ::1",
	.max = 20},
};
static const struct setting queue_rows[] = {
    {.name = "retry", .type = SETTING_DURATION, .offset = offsetof(struct queue, retry), .dflt = "5m"},
    {.name = "sync", .type = SETTING_BOOL, .offset = offsetof(struct queue, sync), .dflt = "yes"},
};
static const struct setting domain_rows[] = {
    {.name = "key", .type = SETTING_STR, .offset = offsetof(struct domain, key)},
    {.name = "strength",
	.type = SETTING_ENUM,
	.offset = offsetof(struct domain, strength),
	.dflt = "prefer",
	.words = strengths},
    {.name = "aliases", .type = SETTING_LIST, .offset = offsetof(struct domain, aliases), .dflt = ""},
};

#define ROWS(r) .rows = r, .nrows = sizeof r / sizeof *r
static const struct settings_section sections[] = {
    {.name = "", ROWS(top_rows), .size = sizeof(struct top)},
    {.name = "queue", ROWS(queue_rows), .size = sizeof(struct queue)},
    {.name = "domain", ROWS(domain_rows), .size = sizeof(struct domain), .titled = true},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static struct settings *s;
static struct problem pr;

static int parse(const char *text)
{
	return settings_parse("p.conf", text, strlen(text), sections, SECTIONS, &s, &pr);
}

START_TEST(test_full)
{
	const char *title;

	ck_assert_msg(
	    parse("# a gateway\nname = \"mx 1\"\nmax-size=1M\nnetworks = {10.0.0.0/8, ::1}\nnetworks += {192.0.2.1}\n"
		  "queue {\n  retry = 90s // often\n}\n"
		  "domain a.example { key = k1 strength = require }\n"
		  "domain 'b.example' {\n key = 'k 2'\n aliases = x.example\n}\n") == 0,
	    "%s", pr.text);

	const struct top *t = settings_get(s, "");
	const struct queue *q = settings_get(s, "queue");

	ck_assert_str_eq(t->name, "mx 1");
	ck_assert_int_eq(t->size, 1 << 20);
	ck_assert_uint_eq(t->networks.n, 3);
	ck_assert_str_eq(t->networks.v[0], "10.0.0.0/8");
	ck_assert_str_eq(t->networks.v[2], "192.0.2.1");
	ck_assert_int_eq(q->retry, 90000);
	ck_assert(q->sync);
	ck_assert_uint_eq(settings_count(s, "queue"), 1);
	ck_assert_uint_eq(settings_count(s, "domain"), 2);

	const struct domain *d = settings_at(s, "domain", 0, &title);

	ck_assert_str_eq(title, "a.example");
	ck_assert_str_eq(d->key, "k1");
	ck_assert_int_eq(d->strength, 2);
	ck_assert_uint_eq(d->aliases.n, 0);
	d = settings_at(s, "domain", 1, &title);
	ck_assert_str_eq(title, "b.example");
	ck_assert_str_eq(d->key, "k 2");
	ck_assert_int_eq(d->strength, 1);
	ck_assert_uint_eq(d->aliases.n, 1);
	settings_free(s);
}
END_TEST

START_TEST(test_defaults)
{
	ck_assert_int_eq(parse("name = x networks = {}"), 0);

	const struct top *t = settings_get(s, "");
	const struct queue *q = settings_get(s, "queue");

	ck_assert_int_eq(t->size, 50 << 20);
	ck_assert_uint_eq(t->networks.n, 0); /* empty as written, not the default */
	ck_assert_int_eq(q->retry, 300000);
	ck_assert_uint_eq(settings_count(s, "queue"), 0);
	ck_assert_uint_eq(settings_count(s, "domain"), 0);
	settings_free(s);
	ck_assert_int_eq(parse("name = x"), 0);
	t = settings_get(s, "");
	ck_assert_uint_eq(t->networks.n, 2);
	settings_free(s);
	settings_free(NULL);
}
END_TEST

static const struct {
	const char *text, *says;
} bad[] = {
    {"", "p.conf:1: setting \"name\" is missing at the top level: allowed is a text"},
    {"name = x\n# c\n/* c\n */ nam = y",
	"p.conf:4: setting \"nam\" is not known at the top level: allowed is name, max-size, "
	"networks, section queue, section domain"},
    {"name = x\nqueue {\n\n retri = 5m }",
	"p.conf:4: setting \"retri\" is not known in section \"queue\": allowed is retry, sync"},
    {"name = x\nmail { }", "p.conf:2: setting \"mail\" is not known at the top level"},
    {"include(\"/etc/passwd\")", "p.conf:1: setting \"include\" is not known"},
    {"name = x\nmax-size = 5 # 2\nqueue {}\nmax-size = 6", "p.conf:4: setting \"max-size\" is given twice"},
    {"name = x\nnetworks = {a}\nnetworks = {b}", "p.conf:3: setting \"networks\" is given twice"},
    {"name = x\nnetworks = a\nnetworks = b", "p.conf:3: setting \"networks\" is given twice"},
    {"name = x\nnetworks = {a}\nnetworks = {}", "setting \"networks\" is given twice"},
    {"name = x\nqueue {\nretry = 1s\n}\n\nqueue {\n}", "p.conf:7: section \"queue\" is given twice: allowed is once"},
    {"name = x\ndomain a { key = 1 }\ndomain a { key = 2 }", "p.conf:3: the section \"a\" is given twice"},
    {"name = x\ndomain a { }", "p.conf:2: setting \"key\" is missing in section \"domain\""},
    {"name = x\ndomain { key = 1 }", "p.conf:2: missing title for section 'domain': allowed is"},
    {"name = x\nqueue \"t\" { }", "p.conf:2: "},
    {"name = x\n\nmax-size = 2G",
	"p.conf:3: setting \"max-size\" is \"2G\": allowed is a size in octets, or with k, M or G from 1 to "
	"1G"},
    {"name = x\nqueue {\nretry = 5\n}",
	"p.conf:3: setting \"retry\" is \"5\": allowed is a time with its unit ms, s, m, h or d"},
    {"name = x\nnetworks = {a,\n b,\n 012345678901234567890\n}",
	"p.conf:4: setting \"networks\" is \"012345678901234567890\""},
    {"name = x\nmax-size = {1}", "p.conf:2: unexpected token '{': allowed is name = value"},
    {"name = x\nmax-size += 1", "p.conf:2: attempt to append to non-list option 'max-size': allowed is"},
    {"name x", "p.conf:1: missing equal sign after option 'name'"},
    {"name = ", "p.conf:1: premature end of file"},
    {"name = x\nqueue {\n retry = 5s\n\n", "p.conf:2: a brace that opens here is not closed"},
    {"name = x }", "p.conf:1: unexpected closing brace"},
    {"name = x\n\"\" = y", "p.conf:2: "},
    {"name = x\nqueue { }\n\"queue|retry\" = 1s", "p.conf:3: setting \"retry\" is not known at the top level"},
    {"name = x\ndomain a { key = 1 }\n\"domain=a|key\" = 2", "p.conf:3: "},
    {"name = x\n\"queue|\" = 2", "p.conf:2: "},
    {"name = \"x", "p.conf:1: a quote is not closed"},
    {"name = ${X}", "p.conf:1: environment variables"},
};

/* After each refusal a good file is read: nothing of the bad one stays behind in the scanner. */
START_TEST(test_bad)
{
	s = (struct settings *)&pr;
	ck_assert_int_eq(parse(bad[_i].text), -1);
	ck_assert_ptr_null(s);
	ck_assert_msg(strncmp(pr.text, "p.conf:", 7) == 0, "%s", pr.text);
	ck_assert_msg(strstr(pr.text, bad[_i].says) != NULL, "got: %s", pr.text);
	ck_assert_msg(strstr(pr.text, ": allowed ") != NULL, "got: %s", pr.text);
	ck_assert_int_eq(parse("name = x\nqueue { retry = 7s }"), 0);
	ck_assert_int_eq(((const struct queue *)settings_get(s, "queue"))->retry, 7000);
	settings_free(s);
}
END_TEST

START_TEST(test_unknown_section)
{
	ck_assert_int_eq(parse("name = x"), 0);
	settings_get(s, "nothing"); /* a bug of the caller: aborts */
}
END_TEST

START_TEST(test_no_top)
{
	const char text[] = "queue { sync = off }";

	ck_assert_int_eq(settings_parse("q", text, strlen(text), sections + 1, 1, &s, &pr), 0);
	ck_assert(!((const struct queue *)settings_get(s, "queue"))->sync);
	settings_free(s);
	ck_assert_int_eq(settings_parse("q", "x = 1", 5, sections + 1, 1, &s, &pr), -1);
	ck_assert_str_eq(pr.text, "q:1: setting \"x\" is not known at the top level: allowed is section queue");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *t = tcase_create("settings");

	tcase_add_test(t, test_full);
	tcase_add_test(t, test_defaults);
	tcase_add_loop_test(t, test_bad, 0, sizeof bad / sizeof *bad);
	tcase_add_test_raise_signal(t, test_unknown_section, 6);
	tcase_add_test(t, test_no_top);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}
