/* Changes that wait for a second person: what is written is read, in order, bounded, and gone when it ran out. */
#include "certstore/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store_proposal.h"
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

static int propose(const char *subject, int64_t at, int64_t expires, int64_t *id_r)
{
	struct store_proposal p = {.verb = "anchor.add", .who = "anna (session) from 192.0.2.7", .at = at};
	static char args[] = "{\"scope\":\"*\"}";
	int rc;

	p.expires = expires;
	p.args = args;
	(void)snprintf(p.subject, sizeof p.subject, "%s", subject);
	(void)snprintf(p.what, sizeof p.what, "Add trust anchors for %s", subject);
	rc = store_proposal_add(s, &p, &pr);
	*id_r = p.id;
	return rc;
}

START_TEST(kept)
{
	struct store_proposal *p, *list;
	int64_t one, two, n;
	size_t count;

	OK(propose("lab.example", 100, 200, &one));
	OK(propose("*", 110, 300, &two));
	ck_assert(two > one);
	OK(store_proposals(s, &list, &count, &pr));
	ck_assert_uint_eq(count, 2);
	ck_assert_int_eq(list[0].id, one);
	ck_assert_str_eq(list[1].what, "Add trust anchors for *");
	store_proposals_free(list, count);
	OK(store_proposals_count(s, 250, &n, &pr));
	ck_assert_int_eq(n, 1);
	OK(store_proposal_get(s, one, &p, &pr));
	ck_assert_ptr_nonnull(p);
	ck_assert_str_eq(p->subject, "lab.example");
	ck_assert_str_eq(p->who, "anna (session) from 192.0.2.7");
	ck_assert_str_eq(p->args, "{\"scope\":\"*\"}");
	ck_assert(p->at == 100 && p->expires == 200);
	OK(store_proposal_end(s, p, "bert", "proposal.drop", "no", &pr));
	store_proposals_free(p, 1);
	OK(store_proposal_get(s, one, &p, &pr));
	ck_assert_ptr_null(p);
	OK(store_audit_verify(s, &pr));
}
END_TEST

START_TEST(bounded)
{
	int64_t id, n;

	for (int i = 0; i < STORE_PROPOSAL_MAX; i++)
		OK(propose("lab.example", 100, 200, &id));
	ck_assert_int_eq(propose("lab.example", 150, 250, &id), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "200 changes wait"));
	/* those that ran out make room, and their numbers never come again */
	OK(propose("lab.example", 200, 300, &n));
	ck_assert(n > id);
	OK(store_proposals_count(s, 200, &n, &pr));
	ck_assert_int_eq(n, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_proposal");
	TCase *t = tcase_create("store_proposal");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, kept);
	tcase_add_test(t, bounded);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}
