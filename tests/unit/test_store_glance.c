/* States of partners at a glance: each follows from what is written, whoever wrote it and in which order; searching,
 * sorting, pages. */
#include "certstore/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/testdir.h"

enum { NOW = 1000000, SOON = NOW + 60 * 86400, STALE = NOW - 1000, FAR = SOON + 1 };

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

static char *text(const char *t)
{
	return (char *)(uintptr_t)t;
}

static void partner(const char *domain, const char *treatment, const char *note, int64_t added)
{
	struct store_partner p = {.domain = text(domain), .treatment = text(treatment), .strength = text("require")};

	p.note = text(note);
	p.added = added;
	OK(store_partner_put(s, &p, "root", &pr));
}

static void cert(const char *owner, char c, int64_t not_after, bool pinned)
{
	uint8_t der[4] = {0x30, 2, 5, (uint8_t)c};
	struct store_cert k = {.owner = text(owner), .der = der, .der_len = sizeof der, .source = text("admin")};

	memset(k.sha256, c, 64);
	k.pinned = pinned;
	k.added = 1;
	k.not_after = not_after;
	OK(store_cert_add(s, &k, "root", &pr));
}

static const char *state(const char *domain)
{
	struct store_glance_query q = {.match = domain, .max = 2, .now = NOW, .soon = SOON, .stale = STALE};
	enum store_glance_state st;
	struct store_glance *l;
	size_t n;

	OK(store_glance(s, &q, &l, &n, &pr));
	ck_assert_uint_eq(n, 1);
	st = l[0].state;
	store_glance_free(l, n);
	return store_glance_word(st);
}

#define IS(domain, word) ck_assert_str_eq(state(domain), word)

START_TEST(certificates)
{
	char sha[65] = {0};

	cert("before.example", 'a', FAR, true); /* stored before it was listed */
	partner("before.example", "seal", "", 1);
	IS("before.example", "trusted");
	partner("lab.example", "seal", "", 1);
	IS("lab.example", "no key");
	partner("free.example", "tls", "", 1);
	IS("free.example", "listed");
	cert("lab.example", 'b', FAR, false);
	IS("lab.example", "untried");
	cert("lab.example", 'c', SOON - 1, true);
	IS("lab.example", "trusted"); /* another lasts longer */
	memset(sha, 'b', 64);
	OK(store_cert_remove(s, "lab.example", sha, "root", &pr));
	IS("lab.example", "expires soon");
	memset(sha, 'c', 64);
	OK(store_cert_remove(s, "lab.example", sha, "root", &pr));
	IS("lab.example", "no key");
	cert("lab.example", 'd', NOW, true);
	IS("lab.example", "expired");
	cert("bob@lab.example", 'e', FAR, true);
	IS("lab.example", "trusted"); /* its people have some */
	partner("bob@lab.example", "seal", "", 1);
	IS("bob@lab.example", "trusted");
}
END_TEST

START_TEST(believed)
{
	struct store_believed_key k = {.owner = "net.example", .use = 2, .local = ""};
	struct store_in_use u = {.owner = text("net.example"), .subject = text(""), .serial = text("")};
	struct store_believed b = {.reason = 1, .at = 1};

	partner("net.example", "seal", "", 1);
	memset(b.sha256, 'a', 64);
	memset(u.sha256, 'a', 64);
	u.not_after = FAR;
	OK(store_in_use_put(s, &u, &pr));
	IS("net.example", "no key"); /* found, and nobody believed it */
	OK(store_believed_put(s, &k, &b, "judge", NULL, NULL, &pr));
	IS("net.example", "trusted");
	memset(b.waiting, 'b', 64);
	OK(store_believed_put(s, &k, &b, "judge", NULL, NULL, &pr));
	IS("net.example", "pending");
	OK(store_believed_drop(s, "net.example", &pr));
	IS("net.example", "no key");
}
END_TEST

static void save(struct store_statement *st)
{
	OK(store_statement_save(s, st, "judge", NULL, NULL, &pr));
	store_statements_free(st, 1);
}

static struct store_statement *again(const char *domain)
{
	struct store_statement *st;

	OK(store_statement_get(s, domain, &st, &pr));
	ck_assert_ptr_nonnull(st);
	return st;
}

static void fill(struct store_statement_body *b)
{
	b->der = calloc(1, 3);
	b->der_len = 3;
	b->content = calloc(1, 3);
	b->content_len = 2;
	b->how = strdup("smtp get");
	b->why = strdup("");
	b->issued = NOW - 10;
	b->expires = FAR;
}

START_TEST(statements)
{
	struct store_statement *st = store_statement_new("gate.example");

	cert("gate.example", 'a', FAR, true);
	partner("gate.example", "seal", "", 1);
	fill(&st->waiting);
	save(st);
	IS("gate.example", "pending");
	st = again("gate.example");
	store_statement_body_clear(&st->waiting);
	fill(&st->trusted);
	st->established = 1;
	save(st);
	IS("gate.example", "trusted");
	st = again("gate.example");
	st->trusted.issued = STALE - 1;
	save(st);
	IS("gate.example", "stale");
	st = again("gate.example");
	st->missed = NOW;
	save(st);
	IS("gate.example", "downgraded");
	st = again("gate.example");
	st->trusted.withdrawn = true;
	save(st);
	IS("gate.example", "withdrawn");
	st = again("gate.example");
	store_statement_body_clear(&st->trusted);
	save(st);
	IS("gate.example", "not trusted any more");
	st = again("gate.example");
	st->frozen = NOW;
	save(st);
	IS("gate.example", "frozen");
	OK(store_statement_remove(s, "gate.example", "root", &pr));
	IS("gate.example", "trusted"); /* by its certificate */
}
END_TEST

/* The names of a page, by blanks. */
static const char *names(struct store_glance_query q)
{
	static char out[200];
	struct store_glance *l;
	size_t n;

	q.now = NOW;
	q.soon = SOON;
	q.stale = STALE;
	q.max = q.max ? q.max : 100;
	OK(store_glance(s, &q, &l, &n, &pr));
	out[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(out);

		(void)snprintf(
		    out + k, sizeof out - k, "%s%.*s", i ? " " : "", (int)strcspn(l[i].p.domain, "."), l[i].p.domain);
	}
	store_glance_free(l, n);
	return out;
}

#define NAMES(want, ...) ck_assert_str_eq(names((struct store_glance_query){__VA_ARGS__}), want)

START_TEST(pages)
{
	struct store_glance_query q = {.match = "", .now = NOW, .soon = SOON, .stale = STALE};
	int64_t counts[STORE_GLANCE_STATES];

	partner("a.example", "seal", "100% ours", 3);
	partner("b.example", "tls", "", 1);
	partner("c.example", "seal", "Under_score", 2);
	cert("c.example", 'c', FAR, true);
	NAMES("a b c", .match = NULL);
	NAMES("c b a", .down = true);
	NAMES("b c", .after = "a.example");
	NAMES("b", .offset = 1, .max = 1);
	NAMES("a c b", .sort = STORE_GLANCE_BY_STATE);
	NAMES("c a b", .sort = STORE_GLANCE_BY_END, .down = true);
	NAMES("b c a", .sort = STORE_GLANCE_BY_ADDED);
	NAMES("b a c", .sort = STORE_GLANCE_BY_TREATMENT, .down = true);
	NAMES("a", .match = "%");
	NAMES("c", .match = "R_S");
	NAMES("", .match = "\\");
	NAMES("b", .match = "B.EX");
	NAMES("c", .state = STORE_GLANCE_TRUSTED);
	NAMES("a", .state = STORE_GLANCE_NO_KEY);
	OK(store_glance_counts(s, &q, counts, &pr));
	ck_assert_int_eq(counts[STORE_GLANCE_ANY], 3);
	ck_assert_int_eq(counts[STORE_GLANCE_LISTED], 1);
	ck_assert_int_eq(counts[STORE_GLANCE_TRUSTED], 1);
	q.match = "ours";
	OK(store_glance_counts(s, &q, counts, &pr));
	ck_assert_int_eq(counts[STORE_GLANCE_ANY], 1);
	ck_assert_int_eq(counts[STORE_GLANCE_NO_KEY], 1);
}
END_TEST

START_TEST(state_words)
{
	for (int i = 1; i < STORE_GLANCE_STATES; i++)
		ck_assert_int_eq((int)store_glance_of(store_glance_word((enum store_glance_state)i)), i);
	ck_assert_int_eq(store_glance_of("nonsense"), STORE_GLANCE_ANY);
	ck_assert_int_eq(store_glance_of(""), STORE_GLANCE_ANY);
	ck_assert_ptr_null(store_glance_word(STORE_GLANCE_STATES));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_glance");
	TCase *tc = tcase_create("glance");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, certificates);
	tcase_add_test(tc, believed);
	tcase_add_test(tc, statements);
	tcase_add_test(tc, pages);
	tcase_add_test(tc, state_words);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
