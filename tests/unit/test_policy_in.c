/* Incoming mail: the whole table, and what no configuration may soften. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/policy/policy_in.h"

#include "tests/unit/suite.h"

static const struct policy_in_rules usual = {POLICY_DELIVER, POLICY_MARK, POLICY_MARK, POLICY_HOLD,
    POLICY_CHOICE_MARK, POLICY_CHOICE_REFUSE, POLICY_CHOICE_MARK};

struct in_case {
	bool encrypted, opened, whole;
	enum policy_sig sig;
	enum policy_in_action action; /* under the usual rules */
	const char *result, *verdict;
};

static const struct in_case cases[] = {
    {false, false, false, POLICY_SIG_NONE, POLICY_DELIVER, "none", "clear"},
    {false, true, false, POLICY_SIG_NONE, POLICY_DELIVER, "none", "clear"},
    {false, true, true, POLICY_SIG_GOOD, POLICY_DELIVER, "pass", "signed"},
    {false, true, false, POLICY_SIG_GOOD, POLICY_MARK, "neutral", "partly-signed"},
    {false, true, true, POLICY_SIG_BAD, POLICY_MARK, "fail", "broken"},
    {false, true, true, POLICY_SIG_UNTRUSTED, POLICY_MARK, "policy", "untrusted"},
    {false, true, true, POLICY_SIG_UNBOUND, POLICY_MARK, "policy", "unbound"},
    {false, true, true, POLICY_SIG_TEMP, POLICY_MARK, "temperror", "temporary"},
    {true, true, true, POLICY_SIG_GOOD, POLICY_DELIVER, "pass", "sealed"},
    {true, true, false, POLICY_SIG_GOOD, POLICY_HOLD, "neutral", "partly-signed"},
    {true, true, false, POLICY_SIG_NONE, POLICY_HOLD, "none", "encrypted"},
    {true, true, true, POLICY_SIG_BAD, POLICY_HOLD, "fail", "broken"},
    {true, true, true, POLICY_SIG_UNTRUSTED, POLICY_HOLD, "policy", "untrusted"},
    {true, true, true, POLICY_SIG_UNBOUND, POLICY_HOLD, "policy", "unbound"},
    {true, true, true, POLICY_SIG_TEMP, POLICY_HOLD, "temperror", "temporary"},
    {false, true, true, POLICY_SIG_EXPIRED, POLICY_MARK, "policy", "expired"},
    {true, true, true, POLICY_SIG_EXPIRED, POLICY_HOLD, "policy", "expired"},
    {false, true, true, POLICY_SIG_REVOKED, POLICY_MARK, "policy", "revoked"},
    {true, true, true, POLICY_SIG_REVOKED, POLICY_HOLD, "policy", "revoked"},
    {false, true, false, POLICY_SIG_PARTLY, POLICY_MARK, "neutral", "partly-signed"},
    {true, true, false, POLICY_SIG_PARTLY, POLICY_HOLD, "neutral", "partly-signed"},
    {true, true, true, POLICY_SIG_OUTSIDE, POLICY_HOLD, "policy", "encrypted"},
    {false, true, true, POLICY_SIG_OUTSIDE, POLICY_MARK, "fail", "broken"}, /* there is no such thing */
    {true, false, false, POLICY_SIG_NONE, POLICY_HOLD, "permerror", "broken"},
    {true, false, true, POLICY_SIG_GOOD, POLICY_HOLD, "permerror", "broken"},
};

START_TEST(table)
{
	const struct in_case *k = &cases[_i];
	struct policy_in f = {.encrypted = k->encrypted, .opened = k->opened, .sig = k->sig, .whole = k->whole};
	struct policy_in_decision d;

	policy_inbound(&usual, &f, &d);
	ck_assert_int_eq(d.action, k->action);
	ck_assert_str_eq(d.result, k->result);
	ck_assert_str_eq(d.verdict, k->verdict);
	ck_assert(d.why[0]);
}
END_TEST

/* Every rule set against every fact. */
START_TEST(never)
{
	for (unsigned i = 0; i < 81; i++)
		for (unsigned bits = 0; bits < 16; bits++)
			for (int sig = POLICY_SIG_NONE; sig < POLICY_SIG_COUNT; sig++) {
				struct policy_in_rules r = {(enum policy_in_action)(i % 3),
				    (enum policy_in_action)(i / 3 % 3), (enum policy_in_action)(i / 9 % 3),
				    (enum policy_in_action)(i / 27), POLICY_CHOICE_MARK, POLICY_CHOICE_REFUSE,
				    POLICY_CHOICE_MARK};
				struct policy_in f = {.encrypted = bits & 1,
				    .opened = bits & 2,
				    .whole = bits & 4,
				    .recipients_signed = true,
				    .recipient_bound = bits & 8,
				    .sig = (enum policy_sig)sig};
				struct policy_in_decision d;
				bool pass;

				if (!f.opened)
					memcpy(f.open_why, "wrong key", 10);
				policy_inbound(&r, &f, &d);
				pass = strcmp(d.result, "pass") == 0;
				ck_assert(pass == (f.opened && sig == POLICY_SIG_GOOD && f.whole));
				if (!f.opened) {
					ck_assert_int_eq(d.action, POLICY_HOLD);
					ck_assert_ptr_nonnull(strstr(d.why, "wrong key"));
				}
				if (f.opened && f.encrypted && !pass)
					ck_assert_int_ge(d.action, r.sealed_unsigned);
				if (f.opened && sig == POLICY_SIG_TEMP)
					ck_assert_int_ge(d.action, POLICY_MARK);
				if (pass)
					ck_assert(
					    (strstr(d.why, "not every recipient") == NULL) == f.recipient_bound);
			}
}
END_TEST

/* Delivery reports: one about mail of ours is not held for want of a signature, but for nothing else it gets through;
 * one about nothing is what the setting says, never less than the table. */
START_TEST(reports)
{
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int rule = POLICY_CHOICE_DELIVER; rule <= POLICY_CHOICE_REFUSE; rule++)
			for (int least = POLICY_DELIVER; least <= POLICY_HOLD; least++) {
				const struct in_case *k = &cases[i];
				enum policy_in_action act = (enum policy_in_action)least;
				struct policy_in_rules r = {act, act, act, act, (enum policy_in_choice)rule,
				    POLICY_CHOICE_REFUSE, POLICY_CHOICE_MARK};
				struct policy_in f = {
				    .encrypted = k->encrypted, .opened = k->opened, .sig = k->sig, .whole = k->whole};
				struct policy_in_decision plain, matched, unmatched;
				bool clear = !k->encrypted && k->sig == POLICY_SIG_NONE;

				policy_inbound(&r, &f, &plain);
				f.dsn = POLICY_DSN_MATCHED;
				policy_inbound(&r, &f, &matched);
				f.dsn = POLICY_DSN_UNMATCHED;
				policy_inbound(&r, &f, &unmatched);
				ck_assert_str_eq(matched.verdict, plain.verdict);
				ck_assert_str_eq(matched.result, plain.result);
				ck_assert_str_eq(unmatched.verdict, plain.verdict);
				ck_assert(!plain.refuse && !plain.header_only && !matched.refuse);
				if (clear && plain.action == POLICY_HOLD)
					ck_assert(matched.action == POLICY_MARK && matched.header_only);
				else
					ck_assert(matched.action == plain.action && !matched.header_only);
				ck_assert(unmatched.refuse == (rule == POLICY_CHOICE_REFUSE));
				ck_assert_int_ge(unmatched.action, plain.action);
				ck_assert_int_ge(unmatched.action, rule < POLICY_CHOICE_HOLD ? rule : POLICY_HOLD);
				ck_assert_ptr_nonnull(strstr(unmatched.why, "delivery report about nothing"));
			}
}
END_TEST

/* An encrypted part beside others: never less than the setting, whatever the rest is worth; refused only there. */
START_TEST(encrypted_part)
{
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int rule = POLICY_CHOICE_DELIVER; rule <= POLICY_CHOICE_REFUSE; rule++) {
			const struct in_case *k = &cases[i];
			struct policy_in_rules r = usual;
			struct policy_in f = {
			    .encrypted = k->encrypted, .opened = k->opened, .sig = k->sig, .whole = k->whole};
			struct policy_in_decision d;

			r.part = (enum policy_in_choice)rule;
			policy_inbound(&r, &f, &d);
			ck_assert(d.action == k->action && !d.refuse_part);
			memcpy(f.part_why, "part 2 is encrypted", 20);
			policy_inbound(&r, &f, &d);
			ck_assert_int_ge(d.action, k->action);
			ck_assert_int_ge(d.action, rule < POLICY_CHOICE_HOLD ? rule : POLICY_HOLD);
			ck_assert(d.refuse_part == (rule == POLICY_CHOICE_REFUSE) && !d.refuse);
			ck_assert_str_eq(d.verdict, k->verdict);
			ck_assert_ptr_nonnull(strstr(d.why, "part 2 is encrypted"));
		}
}
END_TEST

/* What its domain promised of all its mail and is not so: fail, and never less than the setting; a test is only said;
 * a report about mail of ours is not lost for it. */
START_TEST(broken_promise)
{
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		for (unsigned bits = 0; bits < 8; bits++)
			for (int rule = POLICY_CHOICE_DELIVER; rule <= POLICY_CHOICE_REFUSE; rule++) {
				const struct in_case *k = &cases[i];
				struct policy_in_rules r = usual;
				struct policy_in f = {.encrypted = k->encrypted,
				    .opened = k->opened,
				    .sig = k->sig,
				    .whole = k->whole,
				    .promised_signed = bits & 1,
				    .promised_encrypted = bits & 2,
				    .promise_test = bits & 4};
				bool closed = k->encrypted && !k->opened;
				bool kept = k->sig == POLICY_SIG_TEMP || k->sig == POLICY_SIG_EXPIRED ||
					    (k->sig == POLICY_SIG_GOOD && k->whole);
				bool unsigned_ = !closed && (bits & 1) && !kept,
				     clear = !closed && (bits & 2) && !k->encrypted;
				struct policy_in_decision d, m;

				r.promise = (enum policy_in_choice)rule;
				policy_inbound(&r, &f, &d);
				ck_assert(d.broken_signed == unsigned_ && d.broken_encrypted == clear);
				ck_assert((strstr(d.why, "its domain promises") != NULL) == (unsigned_ || clear));
				if (!(unsigned_ || clear) || f.promise_test) {
					ck_assert(d.action == k->action && !d.refuse_promise);
					ck_assert_str_eq(d.verdict, k->verdict);
					continue;
				}
				ck_assert_str_eq(d.verdict, "broken-promise");
				ck_assert_str_eq(d.result, "fail");
				ck_assert_int_ge(d.action, k->action);
				ck_assert_int_ge(d.action, rule < POLICY_CHOICE_HOLD ? rule : POLICY_HOLD);
				ck_assert(d.refuse_promise == (rule == POLICY_CHOICE_REFUSE));
				f.dsn = POLICY_DSN_MATCHED;
				policy_inbound(&r, &f, &m);
				ck_assert(!m.refuse_promise && (m.action <= POLICY_MARK || k->action == POLICY_HOLD));
			}
}
END_TEST

START_TEST(words)
{
	enum policy_in_action a;

	for (int i = POLICY_DELIVER; i <= POLICY_HOLD; i++)
		ck_assert(
		    policy_in_action_parse(policy_in_action_word((enum policy_in_action)i), &a) == 0 && (int)a == i);
	ck_assert_int_eq(policy_in_action_parse("drop", &a), -1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("policy_in");
	TCase *t = tcase_create("policy_in");

	tcase_add_loop_test(t, table, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, never);
	tcase_add_test(t, reports);
	tcase_add_test(t, encrypted_part);
	tcase_add_test(t, broken_promise);
	tcase_add_test(t, words);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
