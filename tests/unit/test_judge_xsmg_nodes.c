/*
 * Two nodes on one store decide about one partner at the same time: what an admin said on one of them, or what was
 * found there, is never overwritten by what the other one had read before.
 */
#include "gateway/proc/judge_xsmg.h"

#include <check.h>

#include "tests/unit/judge_xsmg_fixture.h"
#include "tests/unit/suite.h"

/* The other node, in its own process. */

static struct store_statement *read_in(struct store *s)
{
	struct store_statement *st;

	if (store_statement_get(s, "lab.example", &st, &pr) < 0 || !st)
		_exit(2);
	return st;
}

static void compromised(struct store *s)
{
	if (judge_xsmg_keep_bad_key(s, read_in(s), key_hex(KEY_A), "a test", DAYS(1), "root", &pr) < 0)
		_exit(3);
}

static void pins(struct store *s)
{
	struct store_statement *st = read_in(s);

	memcpy(st->pin, key_hex(KEY_C), sizeof st->pin);
	if (store_statement_save(s, st, "root", "statement.set", "a test", &pr) < 0)
		_exit(3);
}

static void refuses_b(struct store *s)
{
	struct store_statement *st = read_in(s);
	struct store_statement_key k = {.refused = DAYS(1)};

	memcpy(k.key, key_hex(KEY_B), sizeof k.key);
	if (store_begin(s, &pr) < 0 || store_statement_key_put(s, "lab.example", &k, &pr) < 0 ||
	    store_statement_save(s, st, "root", "statement.refuse", "a test", &pr) < 0 || store_end(s, 0, &pr) < 0)
		_exit(3);
}

static void releases(struct store *s)
{
	if (store_statement_remove(s, "lab.example", "root", &pr) < 0)
		_exit(3);
}

/* A newer one of the key that the admin marks meanwhile. */
START_TEST(marked_meanwhile)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	meanwhile = compromised;
	ACTION(come(SAID(1, .by = KEY_A, .mail = NEXT_MAIL)), XSMG_DO_REFUSE);
	ck_assert_ptr_null(meanwhile);
	ck_assert_int_eq(seals_to(1), -1);
	ck_assert_uint_eq(audited("statement.trust"), 1);
	ck_assert_uint_eq(audited("statement.bad-key"), 1);
}
END_TEST

START_TEST(pinned_meanwhile)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	meanwhile = pins;
	ACTION(come(SAID(1, .by = KEY_A, .mail = NEXT_MAIL)), XSMG_DO_PENDING);
	ck_assert_str_eq(owner()->statement->pin, key_hex(KEY_C));
	ck_assert_int_eq(seals_to(1), MAIL);
}
END_TEST

START_TEST(refused_meanwhile)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	meanwhile = refuses_b;
	ACTION(come(SAID(1, .by = KEY_B, .mail = NEXT_MAIL)), XSMG_DO_REFUSE);
	ck_assert_int_eq(seals_to(1), MAIL);
	ck_assert_str_eq(owner()->statement->trusted.key, key_hex(KEY_A));
}
END_TEST

/* What only waits does not bring an older state back either, and what was released is met anew. */
START_TEST(pending_meanwhile)
{
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	meanwhile = compromised;
	ACTION(come(SAID(1, .by = THIEF, .get = true, .where = "mx")), XSMG_DO_PENDING);
	ck_assert_int_eq(seals_to(1), -1);
	ck_assert_ptr_null(owner()->statement->trusted.der);
	meanwhile = releases;
	ACTION(come(SAID(2, .by = KEY_B)), XSMG_DO_TRUST);
	ck_assert_uint_eq(audited("statement.remove"), 1);
	ck_assert_int_eq(seals_to(2), MAIL);
}
END_TEST

/* Each writes what he heard himself, and nothing else. */
START_TEST(notes)
{
	struct store_statement *mine, *theirs;
	struct store *other = store_open(j.dir, &pr);

	ck_assert_ptr_nonnull(other);
	ACTION(come(SAID(0, .by = KEY_A)), XSMG_DO_TRUST);
	ck_assert(store_statement_get(j.s, "lab.example", &mine, &pr) == 0);
	ck_assert(store_statement_get(other, "lab.example", &theirs, &pr) == 0);
	theirs->offered = 7;
	theirs->offered_since = 5;
	memcpy(theirs->pin, key_hex(KEY_C), sizeof theirs->pin);
	ck_assert(store_statement_save(other, theirs, "root", "statement.set", "a test", &pr) == 0);
	mine->probed = 9;
	ck_assert(store_statement_note(j.s, mine, &pr) == 0);
	ck_assert(owner()->statement->offered == 7 && owner()->statement->offered_since == 5);
	ck_assert_int_eq(owner()->statement->probed, 9);
	ck_assert_str_eq(owner()->statement->pin, key_hex(KEY_C));
	/* a decision over what is not so any more is none */
	ck_assert(store_statement_save(j.s, mine, "root", "statement.set", "late", &pr) < 0 && mine->stale);
	ck_assert_uint_eq(audited("statement.set"), 1);
	/* and a note does not bring back what was released */
	ck_assert(store_statement_remove(other, "lab.example", "root", &pr) == 0);
	mine->probed = 10;
	ck_assert(store_statement_note(j.s, mine, &pr) == 0);
	ck_assert_ptr_null(owner()->statement);
	store_statements_free(mine, 1);
	store_statements_free(theirs, 1);
	/* both hear of it first */
	mine = store_statement_new("lab.example");
	theirs = store_statement_new("lab.example");
	mine->offered = 11;
	theirs->missed = 12;
	ck_assert(store_statement_note(j.s, mine, &pr) == 0 && store_statement_note(other, theirs, &pr) == 0);
	ck_assert(owner()->statement->offered == 11 && owner()->statement->missed == 12);
	store_statements_free(mine, 1);
	store_statements_free(theirs, 1);
	store_close(other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_nodes");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, marked_meanwhile);
	tcase_add_test(tc, pinned_meanwhile);
	tcase_add_test(tc, refused_meanwhile);
	tcase_add_test(tc, pending_meanwhile);
	tcase_add_test(tc, notes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
