/* Patterns of rules: which are allowed, whom they match, which rule is first. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_rule.h"

#include "tests/unit/suite.h"

static const struct {
	const char *text, *want; /* NULL: refused */
} patterns[] = {
    {"*", "*"},
    {"*@lab.example", "*@lab.example"},
    {"*@LAB.Example", "*@lab.example"},
    {"bob@lab.example", "bob@lab.example"},
    {"Bob@LAB.example", "Bob@lab.example"},
    {"@.lab.example", "@.lab.example"},
    {"@.LAB.example", "@.lab.example"},
    {"", NULL},
    {"lab.example", NULL},
    {"@lab.example", NULL},
    {"*@", NULL},
    {"*@*", NULL},
    {"*@*.example", NULL},
    {"*bob@lab.example", NULL},
    {"bob@", NULL},
    {"@.", NULL},
    {"@.a@b.example", NULL},
    {"**", NULL},
};

START_TEST(pattern)
{
	char out[JUDGE_RULE_PATTERN_MAX];
	struct problem pr = {0};
	int rc = judge_rule_pattern(patterns[_i].text, out, &pr);

	ck_assert_msg((rc == 0) == (patterns[_i].want != NULL), "%s", patterns[_i].text);
	if (rc == 0)
		ck_assert_str_eq(out, patterns[_i].want);
	else
		ck_assert_ptr_nonnull(strstr(pr.text, "person@domain"));
}
END_TEST

static struct address parse(const char *t)
{
	struct address a = {.local = ""};

	if (*t)
		ck_assert_int_eq(address_parse(t, strlen(t), &a, NULL), 0);
	return a;
}

static const struct {
	const char *pattern, *address;
	bool match;
} matches[] = {
    {"*", "bob@lab.example", true},
    {"*", "", true},
    {"*@lab.example", "bob@lab.example", true},
    {"*@lab.example", "bob@a.lab.example", false},
    {"*@lab.example", "bob@mylab.example", false},
    {"*@lab.example", "", false},
    {"bob@lab.example", "bob@lab.example", true},
    {"bob@lab.example", "BOB@lab.example", true},
    {"bob@lab.example", "bobby@lab.example", false},
    {"bob@lab.example", "bob@a.lab.example", false},
    {"@.lab.example", "bob@a.lab.example", true},
    {"@.lab.example", "bob@b.a.lab.example", true},
    {"@.lab.example", "bob@lab.example", false},
    {"@.lab.example", "bob@mylab.example", false},
};

START_TEST(match)
{
	struct address a = parse(matches[_i].address);

	ck_assert_msg(judge_rule_matches(matches[_i].pattern, &a) == matches[_i].match, "%s %s", matches[_i].pattern,
	    matches[_i].address);
}
END_TEST

#define RULE(n, s, r)                                                                                                \
	{                                                                                                            \
		.name = (char *)(uintptr_t)(n), .sender = (char *)(uintptr_t)(s),                                    \
		.recipient = (char *)(uintptr_t)(r)                                                                  \
	}

START_TEST(first)
{
	const struct store_rule rules[] = {RULE("a", "alice@hospital.example", "*@lab.example"),
	    RULE("b", "*", "bob@lab.example"), RULE("c", "*@hospital.example", "*")};
	struct address alice = parse("alice@hospital.example"), other = parse("x@hospital.example"),
		       bob = parse("bob@lab.example"), carol = parse("carol@lab.example"),
		       far = parse("a@far.example");

	ck_assert_str_eq(judge_rule_first(rules, 3, &alice, &bob)->name, "a");
	ck_assert_str_eq(judge_rule_first(rules, 3, &other, &bob)->name, "b");
	ck_assert_str_eq(judge_rule_first(rules, 3, &other, &carol)->name, "c");
	ck_assert_ptr_null(judge_rule_first(rules, 3, &far, &carol));
	ck_assert_ptr_null(judge_rule_first(NULL, 0, &alice, &bob));
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_rule");
	TCase *t = tcase_create("judge_rule");

	tcase_add_loop_test(t, pattern, 0, sizeof patterns / sizeof *patterns);
	tcase_add_loop_test(t, match, 0, sizeof matches / sizeof *matches);
	tcase_add_test(t, first);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
