/* What octets are, remembered. */
#include "certstore/find_memo.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(remembered)
{
	struct find_memo *m = find_memo_new();
	uint8_t key[32];
	char text[20];

	ck_assert(find_memo_get(NULL, "x", 1, key) == FIND_MEMO_UNKNOWN);
	find_memo_put(NULL, key, FIND_MEMO_CA);
	ck_assert(find_memo_get(m, "x", 1, key) == FIND_MEMO_UNKNOWN);
	find_memo_put(m, key, FIND_MEMO_CA);
	ck_assert(
	    find_memo_get(m, "x", 1, key) == FIND_MEMO_CA && find_memo_get(m, "y", 1, key) == FIND_MEMO_UNKNOWN);
	for (int i = 0; i < 100000; i++) { /* others take places, none is taken for another */
		(void)snprintf(text, sizeof text, "%d", i);
		ck_assert(find_memo_get(m, text, strlen(text), key) == FIND_MEMO_UNKNOWN);
		find_memo_put(m, key, FIND_MEMO_JUNK);
	}
	ck_assert(find_memo_get(m, "x", 1, key) != FIND_MEMO_JUNK);
	find_memo_free(m);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("find_memo");
	TCase *t = tcase_create("find_memo");

	tcase_add_test(t, remembered);
	suite_add_tcase(s, t);
	return suite_run(s);
}
