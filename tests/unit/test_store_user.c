/* Users and tokens: what is written is read; a token counts as the lesser of two roles, and only while it and its
 * user are there. */
#include "certstore/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/testdir.h"

static char dir[64];
static struct store *s;
static struct problem pr;

#define OK(e) ck_assert_msg((e) == 0, "%s", pr.text)

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	testdir_make(dir);
	s = store_open(dir, &pr);
	ck_assert_msg(s != NULL, "%s", pr.text);
}

static void teardown(void)
{
	store_close(s);
	testdir_remove(dir);
}

static void put(const char *name, enum store_user_role role)
{
	struct store_user u = {.role = role, .added = 1000};

	(void)snprintf(u.name, sizeof u.name, "%s", name);
	OK(store_user_put(s, &u, "root", &pr));
}

static int64_t token(const char *user, enum store_user_role role, uint8_t octet)
{
	struct store_user_token t = {.role = role, .added = 1000, .expires = 2000};
	uint8_t hash[STORE_USER_HASH];

	memset(hash, octet, sizeof hash);
	(void)snprintf(t.user, sizeof t.user, "%s", user);
	(void)snprintf(t.label, sizeof t.label, "token %d", octet);
	OK(store_user_token_add(s, &t, hash, "root", &pr));
	ck_assert(t.id > 0);
	return t.id;
}

static enum store_user_role counts_as(uint8_t octet, int64_t now)
{
	struct store_user_token t;
	uint8_t hash[STORE_USER_HASH];

	memset(hash, octet, sizeof hash);
	OK(store_user_token_find(s, hash, now, &t, &pr));
	return t.role;
}

static int64_t audit_rows(void)
{
	struct store_counts n;

	OK(store_count(s, &n, &pr));
	return n.audit;
}

START_TEST(roles)
{
	for (int i = STORE_USER_VIEWER; i <= STORE_USER_ADMIN; i++)
		ck_assert_int_eq(store_user_role_of(store_user_role_word((enum store_user_role)i)), i);
	ck_assert_int_eq(store_user_role_of("nobody"), STORE_USER_NOBODY);
	ck_assert_int_eq(store_user_role_of(""), STORE_USER_NOBODY);
	ck_assert_str_eq(store_user_role_word((enum store_user_role)77), "nobody");
}
END_TEST

START_TEST(users)
{
	struct store_user u, *list;
	size_t n;

	OK(store_user_get(s, "anna", &u, &pr));
	ck_assert_int_eq(u.role, STORE_USER_NOBODY);
	put("berta", STORE_USER_ADMIN);
	put("anna", STORE_USER_VIEWER);
	put("anna", STORE_USER_OPERATOR);
	OK(store_user_get(s, "anna", &u, &pr));
	ck_assert_int_eq(u.role, STORE_USER_OPERATOR);
	ck_assert_int_eq(u.added, 1000);
	OK(store_users(s, &list, &n, &pr));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[0].name, "anna");
	ck_assert_str_eq(list[1].name, "berta");
	free(list);
	ck_assert_int_eq(audit_rows(), 3);
}
END_TEST

START_TEST(tokens)
{
	struct store_user_token *list;
	int64_t id;
	size_t n;

	put("anna", STORE_USER_OPERATOR);
	(void)token("anna", STORE_USER_VIEWER, 1);
	id = token("anna", STORE_USER_ADMIN, 2);
	ck_assert_int_eq(counts_as(1, 1999), STORE_USER_VIEWER);
	ck_assert_int_eq(counts_as(2, 1999), STORE_USER_OPERATOR); /* never more than its user */
	ck_assert_int_eq(counts_as(1, 2000), STORE_USER_NOBODY);
	ck_assert_int_eq(counts_as(3, 1999), STORE_USER_NOBODY);
	put("anna", STORE_USER_VIEWER);
	ck_assert_int_eq(counts_as(2, 1999), STORE_USER_VIEWER); /* at once */
	OK(store_user_tokens(s, &list, &n, &pr));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(list[1].label, "token 2");
	free(list);
	ck_assert_int_eq(store_user_token_remove(s, id, "root", &pr), 1);
	ck_assert_int_eq(store_user_token_remove(s, id, "root", &pr), 0);
	ck_assert_int_eq(counts_as(2, 1999), STORE_USER_NOBODY);
	OK(store_user_remove(s, "anna", "root", &pr));
	ck_assert_int_eq(counts_as(1, 1999), STORE_USER_NOBODY);
	put("anna", STORE_USER_ADMIN); /* a namesake gets none of the old ones */
	ck_assert_int_eq(counts_as(1, 1999), STORE_USER_NOBODY);
	ck_assert_int_eq(audit_rows(), 7);
	OK(store_audit_verify(s, &pr));
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("store_user");
	TCase *t = tcase_create("store_user");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, roles);
	tcase_add_test(t, users);
	tcase_add_test(t, tokens);
	suite_add_tcase(su, t);
	return su;
}

int main(void)
{
	return suite_run(suite());
}
