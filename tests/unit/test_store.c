/* The store: what is written is read, changes and audit rows go together, tampering shows, old and foreign files are
 * refused. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "certstore/store.h"
#include "gateway/base/log.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"
#include "tests/unit/testdir.h"

static char dir[64], path[128];
static struct store *s;
static struct problem pr;

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	testdir_make(dir);
	(void)snprintf(path, sizeof path, "%s/store.db", dir);
	s = store_open(dir, &pr);
	ck_assert_msg(s != NULL, "%s", pr.text);
}

static void teardown(void)
{
	store_close(s);
	s = NULL;
	testdir_remove(dir);
}

static void reopen(void)
{
	store_close(s);
	s = store_open(dir, &pr);
	ck_assert_msg(s != NULL, "%s", pr.text);
}

#define OK(e) ck_assert_msg((e) == 0, "%s", pr.text)

static void sql(const char *text)
{
	sqlite3 *db;
	char *err = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 2000);
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &err) == SQLITE_OK, "%s: %s", text, err ? err : "");
	sqlite3_close(db);
}

static int64_t audit_rows(void)
{
	struct store_counts n;

	OK(store_count(s, &n, &pr));
	return n.audit;
}

static void put_partner(const char *domain, const char *treatment, const char *strength)
{
	struct store_partner p = {.domain = (char *)(uintptr_t)domain,
	    .treatment = (char *)(uintptr_t)treatment,
	    .strength = (char *)(uintptr_t)strength,
	    .note = (char *)(uintptr_t) "a note",
	    .added = 1000};

	OK(store_partner_put(s, &p, "root", &pr));
}

START_TEST(partners)
{
	struct store_partner *p, *list;
	size_t n;

	OK(store_partner_get(s, "lab.example", &p, &pr));
	ck_assert_ptr_null(p);
	put_partner("lab.example", "seal", "require");
	put_partner("b.example", "sign", "prefer");
	put_partner("bob@lab.example", "seal", "never");
	reopen();
	OK(store_partner_get(s, "lab.example", &p, &pr));
	ck_assert_ptr_nonnull(p);
	ck_assert_str_eq(p->domain, "lab.example");
	ck_assert_str_eq(p->treatment, "seal");
	ck_assert_str_eq(p->strength, "require");
	ck_assert_str_eq(p->note, "a note");
	ck_assert(p->added == 1000 && p->seen_protected == 0);
	store_partners_free(p, 1);
	OK(store_partners(s, "", 10, &list, &n, &pr));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(list[0].domain, "b.example");
	store_partners_free(list, n);
	OK(store_partners(s, "b.example", 1, &list, &n, &pr));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].domain, "bob@lab.example");
	store_partners_free(list, n);
	put_partner("lab.example", "sign", "prefer"); /* changes */
	OK(store_partner_get(s, "lab.example", &p, &pr));
	ck_assert_str_eq(p->treatment, "sign");
	store_partners_free(p, 1);
	ck_assert_int_eq(audit_rows(), 4);
}
END_TEST

START_TEST(seen_protected)
{
	struct store_partner *p;

	ck_assert_int_eq(store_was_protected(s, "lab.example"), 0);
	OK(store_seen_protected(s, "lab.example", 5000, &pr));
	OK(store_seen_protected(s, "lab.example", 6000, &pr));
	ck_assert_int_eq(store_was_protected(s, "lab.example"), 5000);
	put_partner("lab.example", "seal", "require");
	OK(store_partner_get(s, "lab.example", &p, &pr));
	ck_assert_int_eq(p->seen_protected, 5000);
	store_partners_free(p, 1);
	/* Removing the entry does not end the protection; the release does. */
	OK(store_partner_remove(s, "lab.example", "root", &pr));
	ck_assert_int_eq(store_was_protected(s, "lab.example"), 5000);
	OK(store_release(s, "lab.example", "root", &pr));
	ck_assert_int_eq(store_was_protected(s, "lab.example"), 0);
	ck_assert_int_eq(store_release(s, "lab.example", "root", &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "never seen protected"));
}
END_TEST

static void add_cert(const char *owner, const struct testcert *c, bool pinned)
{
	struct store_cert sc = {.owner = (char *)(uintptr_t)owner,
	    .der = c->der,
	    .der_len = c->n,
	    .source = (char *)(uintptr_t) "pinned",
	    .pinned = pinned,
	    .added = 7,
	    .not_after = TESTCERT_UNTIL};

	memcpy(sc.sha256, c->sha256, sizeof sc.sha256);
	OK(store_cert_add(s, &sc, "root", &pr));
}

START_TEST(certs)
{
	struct testcert a = testcert_make(&(struct testcert_spec){.cn = "a"}),
			b = testcert_make(&(struct testcert_spec){.cn = "b"});
	struct store_cert *list;
	size_t n;

	add_cert("lab.example", &a, true);
	add_cert("lab.example", &b, false);
	add_cert("bob@lab.example", &a, true);
	add_cert("lab.example", &b, true); /* again: pinned now */
	reopen();
	OK(store_certs(s, "lab.example", &list, &n, &pr));
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(list[0].der_len, a.n);
	ck_assert_int_eq(memcmp(list[0].der, a.der, a.n), 0);
	ck_assert_str_eq(list[1].sha256, b.sha256);
	ck_assert(list[1].pinned && list[1].added == 7 && list[1].not_after == TESTCERT_UNTIL);
	store_certs_free(list, n);
	OK(store_certs(s, NULL, &list, &n, &pr));
	ck_assert_uint_eq(n, 3);
	store_certs_free(list, n);
	OK(store_certs_expiring(s, TESTCERT_UNTIL, 10, &list, &n, &pr));
	ck_assert_uint_eq(n, 0);
	store_certs_free(list, n);
	OK(store_certs_expiring(s, TESTCERT_UNTIL + 1, 2, &list, &n, &pr));
	ck_assert_uint_eq(n, 2);
	store_certs_free(list, n);
	OK(store_cert_remove(s, "lab.example", a.sha256, "root", &pr));
	ck_assert_int_eq(store_cert_remove(s, "lab.example", a.sha256, "root", &pr), -1);
	OK(store_certs(s, "lab.example", &list, &n, &pr));
	ck_assert_uint_eq(n, 1);
	store_certs_free(list, n);
	/* With the partner go its certificates and anchors, not others'. */
	put_partner("lab.example", "seal", "require");
	OK(store_partner_remove(s, "lab.example", "root", &pr));
	OK(store_certs(s, NULL, &list, &n, &pr));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].owner, "bob@lab.example");
	store_certs_free(list, n);
	testcert_free(&a);
	testcert_free(&b);
}
END_TEST

START_TEST(anchors)
{
	struct testcert a = testcert_ca("a", NULL);
	struct store_anchor an = {.scope = (char *)(uintptr_t) "lab.example",
				.dir = STORE_IN,
				.der = a.der,
				.der_len = a.n,
				.added = 3},
			    *list;
	enum store_direction d;
	size_t n;

	memcpy(an.sha256, a.sha256, sizeof an.sha256);
	OK(store_anchor_add(s, &an, "root", &pr));
	an.scope = (char *)(uintptr_t) "*";
	an.dir = STORE_OUT;
	OK(store_anchor_add(s, &an, "root", &pr));
	an.dir = STORE_BOTH;
	OK(store_anchor_add(s, &an, "root", &pr)); /* changes the direction */
	OK(store_anchors(s, "lab.example", &list, &n, &pr));
	ck_assert_uint_eq(n, 2);
	ck_assert(list[0].dir == STORE_IN && strcmp(list[0].scope, "lab.example") == 0);
	ck_assert(list[1].dir == STORE_BOTH && strcmp(list[1].scope, "*") == 0);
	ck_assert_uint_eq(list[1].der_len, a.n);
	store_anchors_free(list, n);
	OK(store_anchors(s, "other.example", &list, &n, &pr));
	ck_assert_uint_eq(n, 1);
	store_anchors_free(list, n);
	OK(store_anchor_remove(s, "*", "", a.sha256, "root", &pr));
	ck_assert_int_eq(store_anchor_remove(s, "*", "", a.sha256, "root", &pr), -1);
	OK(store_anchors(s, NULL, &list, &n, &pr));
	ck_assert_uint_eq(n, 1);
	store_anchors_free(list, n);
	ck_assert(store_direction_parse("out", &d) == 0 && d == STORE_OUT);
	ck_assert_int_eq(store_direction_parse("up", &d), -1);
	testcert_free(&a);
}
END_TEST

static void add_rule(const char *name, int64_t position)
{
	struct store_rule r = {.position = position,
	    .name = (char *)(uintptr_t)name,
	    .sender = (char *)(uintptr_t) "*",
	    .recipient = (char *)(uintptr_t) "*@lab.example",
	    .treatment = (char *)(uintptr_t) "seal",
	    .strength = (char *)(uintptr_t) "require",
	    .exempt = position == 3 ? (char *)(uintptr_t) "calendar" : NULL};

	OK(store_rule_add(s, &r, "root", &pr));
}

START_TEST(rules)
{
	static const char *const want[] = {"zero", "one", "half", "two"};
	struct store_rule *list, again = {.name = (char *)(uintptr_t) "one"};
	size_t n;

	add_rule("one", 0);
	add_rule("two", 0);
	add_rule("zero", 1);
	add_rule("half", 3);
	OK(store_rules(s, &list, &n, &pr));
	ck_assert_uint_eq(n, 4);
	for (size_t i = 0; i < n; i++) {
		ck_assert_str_eq(list[i].name, want[i]);
		ck_assert_int_eq(list[i].position, (int64_t)i + 1);
		ck_assert_str_eq(list[i].exempt, i == 2 ? "calendar" : "");
	}
	again.sender = again.recipient = again.treatment = again.strength = list[0].sender;
	ck_assert_int_eq(store_rule_add(s, &again, "root", &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "\"one\" already"));
	OK(store_rule_remove(s, list[1].id, "root", &pr));
	ck_assert_int_eq(store_rule_remove(s, list[1].id, "root", &pr), -1);
	store_rules_free(list, n);
	OK(store_rules(s, &list, &n, &pr));
	ck_assert_uint_eq(n, 3);
	store_rules_free(list, n);
}
END_TEST

START_TEST(identities)
{
	struct testcert a = testcert_make(&(struct testcert_spec){.cn = "hospital.example"});
	struct store_identity i = {.domain = (char *)(uintptr_t) "hospital.example",
				  .use = STORE_SIGN,
				  .key_id = (char *)(uintptr_t) "k1",
				  .spki = (uint8_t *)(uintptr_t) "spki",
				  .spki_len = 4,
				  .active = true,
				  .added = 9},
			      *list;
	size_t n;

	OK(store_identity_add(s, &i, "root", &pr));
	ck_assert_int_eq(store_identity_add(s, &i, "root", &pr), -1); /* the same key twice */
	i.key_id = (char *)(uintptr_t) "k2";
	i.use = STORE_DECRYPT;
	OK(store_identity_add(s, &i, "root", &pr));
	OK(store_identity_cert(s, "k1", a.der, a.n, "chain", 5, "root", &pr));
	ck_assert_int_eq(store_identity_cert(s, "k9", a.der, a.n, NULL, 0, "root", &pr), -1);
	reopen();
	OK(store_identities(s, "hospital.example", &list, &n, &pr));
	ck_assert_uint_eq(n, 2);
	ck_assert(list[0].use == STORE_SIGN && list[0].active && list[0].added == 9);
	ck_assert_uint_eq(list[0].cert_len, a.n);
	ck_assert(list[0].chain_len == 5 && memcmp(list[0].chain, "chain", 5) == 0);
	ck_assert(list[0].spki_len == 4 && memcmp(list[0].spki, "spki", 4) == 0);
	ck_assert(list[1].cert == NULL && list[1].chain == NULL);
	store_identities_free(list, n);
	OK(store_identities(s, "other.example", &list, &n, &pr));
	ck_assert_uint_eq(n, 0);
	store_identities_free(list, n);
	testcert_free(&a);
}
END_TEST

/* What concerns a partner, by an index: never by a walk through a log of a million rows. */
START_TEST(audit_of)
{
	static const struct {
		const char *of;
		int64_t before;
		size_t max, n;
		const char *first;
	} asked[] = {{"lab.example", 0, 10, 4, "anchor.add"}, {"lab.example", 0, 2, 2, "anchor.add"},
	    {"bob@lab.example", 0, 10, 2, "cert.remove"}, {"ab.example", 0, 10, 0, NULL}, {"", 0, 10, 0, NULL},
	    {"eve@lab.example", 0, 10, 0, NULL}};
	static const char *const rows[][2] = {{"partner.add", "lab.example"}, {"cert.add", "bob@lab.example"},
	    {"rule.add", "lab.example"}, {"user.add", "lab.example"}, {"store.snapshot", ""},
	    {"cert.remove", "bob@lab.example"}, {"partner.add", "b.example"}, {"anchor.add", "lab.example"}};
	struct store_audit *list;
	size_t n;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		OK(store_audit_add(s, "root", rows[i][0], rows[i][1], "", &pr));
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		OK(store_audit_of(s, asked[i].of, asked[i].before, asked[i].max, &list, &n, &pr));
		ck_assert_msg(n == asked[i].n, "%s: %zu", asked[i].of, n);
		if (n > 0)
			ck_assert_str_eq(list[0].what, asked[i].first);
		for (size_t k = 1; k < n; k++)
			ck_assert_int_lt(list[k].id, list[k - 1].id);
		store_audit_free(list, n);
	}
	OK(store_audit_of(s, "lab.example", 8, 10, &list, &n, &pr));
	ck_assert(n == 3 && strcmp(list[0].what, "cert.remove") == 0);
	store_audit_free(list, n);
}
END_TEST

/* A partner's history and a stranger's in a log of 1,000,000 rows, 200,000 of them the partner's. */
START_TEST(audit_of_many)
{
	struct store_audit *list;
	struct timespec a, b;
	size_t n;

	store_close(s);
	sql("WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < 1000000) INSERT INTO audit "
	    "SELECT i, i, 'w',"
	    " CASE i % 5 WHEN 0 THEN 'cert.add' WHEN 1 THEN 'user.signin' ELSE 'partner.change' END, CASE i % 5 WHEN "
	    "0 THEN"
	    " 'p' || (i % 7) || '@big.example' WHEN 1 THEN 'anna' ELSE 'd' || i || '.example' END, '', 'h' FROM k");
	s = store_open(dir, &pr);
	ck_assert_ptr_nonnull(s);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (int i = 0; i < 20; i++) {
		OK(store_audit_of(
		    s, i % 2 ? "big.example" : "p3@big.example", i < 10 ? 0 : 500000, 100, &list, &n, &pr));
		ck_assert_uint_eq(n, 100);
		store_audit_free(list, n);
		OK(store_audit_of(s, i % 2 ? "nobody.example" : "x@nobody.example", 0, 100, &list, &n, &pr));
		ck_assert_uint_eq(n, 0);
		store_audit_free(list, n);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	/* a walk through all of it takes 20 times 50 ms and more */
	ck_assert_int_lt((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000, 300);
}
END_TEST

START_TEST(audit)
{
	struct store_audit *list;
	char hash[65], first[65];
	int64_t id;
	size_t n;

	OK(store_audit_verify(s, &pr));
	OK(store_audit_head(s, &id, hash, &pr));
	ck_assert_int_eq(id, 0);
	for (int i = 0; i < 5; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "p%d.example", i);
		put_partner(name, "seal", "require");
	}
	OK(store_audit_add(s, "root", "store.snapshot", "", "", &pr));
	OK(store_audit_verify(s, &pr));
	OK(store_audit_head(s, &id, hash, &pr));
	ck_assert_int_eq(id, 6);
	OK(store_audit_list(s, 0, 2, &list, &n, &pr));
	ck_assert_uint_eq(n, 2);
	ck_assert(list[0].id == 6 && list[1].id == 5);
	ck_assert_str_eq(list[0].hash, hash);
	ck_assert_str_eq(list[1].who, "root");
	ck_assert_str_eq(list[1].what, "partner.add");
	ck_assert_str_eq(list[1].subject, "p4.example");
	ck_assert_ptr_nonnull(strstr(list[1].detail, "treatment seal, strength require"));
	store_audit_free(list, n);
	OK(store_audit_list(s, 5, 10, &list, &n, &pr));
	ck_assert(n == 4 && list[0].id == 4);
	memcpy(first, list[3].hash, 65);
	ck_assert_str_ne(first, hash);
	store_audit_free(list, n);
}
END_TEST

/* Each way to rewrite history, past the triggers. */
static const struct {
	const char *sql, *words;
} forgeries[] = {
    {"UPDATE audit SET who = 'mallory' WHERE id = 2", "audit row 2"},
    {"UPDATE audit SET detail = detail || ' ' WHERE id = 3", "audit row 3"},
    {"UPDATE audit SET at = at + 1 WHERE id = 1", "audit row 1"},
    {"UPDATE audit SET hash = 'x' || substr(hash, 2) WHERE id = 3", "audit row 3"},
    {"DELETE FROM audit WHERE id = 2", "audit row 2 is missing"},
    {"DELETE FROM audit WHERE id = 1", "audit row 1 is missing"},
    {"UPDATE audit SET subject = 'p1.exampletreatment', detail = substr(detail, 10) WHERE id = 2", "audit row 2"},
    {"UPDATE audit SET id = id + 1 WHERE id = 4", "audit row 4 is missing"},
};

START_TEST(forged)
{
	for (int i = 0; i < 4; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "p%d.example", i);
		put_partner(name, "seal", "require");
	}
	sql("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;");
	sql(forgeries[_i].sql);
	ck_assert_int_eq(store_audit_verify(s, &pr), -1);
	ck_assert_msg(strstr(pr.text, forgeries[_i].words) != NULL, "%s", pr.text);
}
END_TEST

START_TEST(append_only)
{
	sqlite3 *db;
	char *err = NULL;

	put_partner("lab.example", "seal", "require");
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_ne(sqlite3_exec(db, "DELETE FROM audit", NULL, NULL, &err), SQLITE_OK);
	ck_assert_ptr_nonnull(strstr(err, "append-only"));
	sqlite3_free(err);
	ck_assert_int_ne(sqlite3_exec(db, "UPDATE audit SET who = ''", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}
END_TEST

/* The change and its row go together, or neither does. */
START_TEST(one_transaction)
{
	struct store_partner *p;

	put_partner("a.example", "seal", "require");
	sql("CREATE TRIGGER no_more BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END");
	{
		struct store_partner q = {.domain = (char *)(uintptr_t) "b.example",
		    .treatment = (char *)(uintptr_t) "seal",
		    .strength = (char *)(uintptr_t) "require"};

		ck_assert_int_eq(store_partner_put(s, &q, "root", &pr), -1);
	}
	OK(store_partner_get(s, "b.example", &p, &pr));
	ck_assert_ptr_null(p);
	sql("DROP TRIGGER no_more");
	put_partner("c.example", "seal", "require"); /* the store goes on working */
	OK(store_audit_verify(s, &pr));
	ck_assert_int_eq(audit_rows(), 2);
}
END_TEST

START_TEST(grouped)
{
	struct store_partner *p;

	OK(store_begin(s, &pr));
	put_partner("a.example", "seal", "require");
	ck_assert_int_eq(store_partner_remove(s, "nobody.example", "root", &pr), -1);
	ck_assert_int_eq(store_end(s, 0, &pr), -1); /* an inner part failed: all is undone */
	OK(store_partner_get(s, "a.example", &p, &pr));
	ck_assert_ptr_null(p);
	ck_assert_int_eq(audit_rows(), 0);
	OK(store_begin(s, &pr));
	put_partner("a.example", "seal", "require");
	put_partner("b.example", "seal", "require");
	OK(store_end(s, 0, &pr));
	ck_assert_int_eq(audit_rows(), 2);
	OK(store_audit_verify(s, &pr));
}
END_TEST

static struct store_caps said(const char *owner, const char *hash, const char *caps, int64_t at)
{
	struct store_caps c = {.owner = (char *)(uintptr_t)owner,
	    .signer = (char *)(uintptr_t) "CN=lab",
	    .caps = (uint8_t *)(uintptr_t)caps,
	    .ncaps = strlen(caps),
	    .signing_time = at,
	    .seen = at + 5};

	(void)snprintf(c.sha256, sizeof c.sha256, "%s", hash);
	return c;
}

static void caps_are(const char *owner, size_t want, const char *caps, int64_t at)
{
	struct store_caps *list;
	size_t n;

	OK(store_caps(s, owner, &list, &n, &pr));
	ck_assert_uint_eq(n, want);
	if (n > 0) {
		ck_assert_uint_eq(list[0].ncaps, strlen(caps));
		ck_assert_mem_eq(list[0].caps, caps, list[0].ncaps);
		ck_assert_int_eq(list[0].signing_time, at);
		ck_assert_int_eq(list[0].seen, at + 5);
		ck_assert_str_eq(list[0].signer, "CN=lab");
	}
	store_caps_free(list, n);
}

/* What is older never takes the place of what is newer; what is said again moves the time alone. */
START_TEST(capabilities)
{
	struct store_caps a = said("lab.example", "aa", "one", 100), b = said("lab.example", "bb", "two", 90);
	uint64_t v;

	OK(store_caps_put(s, &a, "first", &pr));
	OK(store_caps_put(s, &b, NULL, &pr));
	ck_assert_int_eq(audit_rows(), 1);
	caps_are("lab.example", 2, "one", 100);
	a = said("lab.example", "aa", "old", 100);
	OK(store_caps_put(s, &a, NULL, &pr));
	caps_are("lab.example", 2, "one", 100);
	v = store_version(s);
	a = said("lab.example", "aa", "one", 200);
	OK(store_caps_again(s, &a, &pr));
	ck_assert(store_version(s) == v);
	caps_are("lab.example", 2, "one", 200);
	a = said("lab.example", "aa", "one", 150);
	OK(store_caps_again(s, &a, &pr));
	reopen();
	caps_are("lab.example", 2, "one", 200);
	a = said("bob@lab.example", "aa", "three", 1);
	OK(store_caps_put(s, &a, NULL, &pr));
	a = said("bob@other.example", "aa", "three", 1);
	OK(store_caps_put(s, &a, NULL, &pr));
	OK(store_begin(s, &pr));
	OK(store_caps_drop(s, "lab.example", "aa", &pr));
	OK(store_end(s, 0, &pr));
	caps_are("lab.example", 1, "two", 90);
	OK(store_caps_drop_domain(s, "lab.example", &pr));
	caps_are("lab.example", 0, "", 0);
	caps_are("bob@lab.example", 0, "", 0);
	caps_are("bob@other.example", 1, "three", 1);
	OK(store_caps_drop_domain(s, "*", &pr));
	caps_are("bob@other.example", 0, "", 0);
}
END_TEST

static void harvested_are(const char *owner, const char *want)
{
	struct store_cert *list;
	char got[64] = "";
	size_t n;

	OK(store_certs(s, owner, &list, &n, &pr));
	for (size_t i = 0; i < n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.2s%s", i ? " " : "", list[i].sha256,
		    list[i].pinned ? "!" : "");
	store_certs_free(list, n);
	ck_assert_str_eq(got, want);
}

/* Four of an owner, the oldest goes; what the admin put there is neither changed nor counted. */
START_TEST(harvest)
{
	char owner[] = "lab.example", der[] = "der", pinned[] = "pinned";
	struct store_cert c = {.owner = owner, .der = (uint8_t *)der, .der_len = 3, .source = pinned, .pinned = true};
	int64_t n, rows = audit_rows();

	memset(c.sha256, 'p', 64);
	OK(store_cert_add(s, &c, "root", &pr));
	ck_assert_int_eq(store_cert_harvest(s, &c, 2, "x", &pr), 0);
	for (char ch = 'a'; ch <= 'c'; ch++) {
		memset(c.sha256, ch, 64);
		ck_assert_int_eq(store_cert_harvest(s, &c, 2, "x", &pr), 1);
		ck_assert_int_eq(store_cert_harvest(s, &c, 2, "x", &pr), 0);
	}
	harvested_are("lab.example", "pp! bb cc");
	ck_assert_int_eq(audit_rows(), rows + 4);
	OK(store_cert_harvested(s, &n, &pr));
	ck_assert_int_eq(n, 1);
	OK(store_audit_verify(s, &pr));
}
END_TEST

/* Nor partners' states. */
#define WITHOUT_13                                                                                                   \
	"DROP TRIGGER glance_partner; DROP TRIGGER glance_partner_name; DROP TRIGGER glance_cert_add; DROP TRIGGER " \
	"glance_cert_set; DROP TRIGGER glance_cert_gone; DROP TRIGGER glance_in_use_add; DROP TRIGGER "              \
	"glance_in_use_gone; DROP TRIGGER glance_believed_add; DROP TRIGGER glance_believed_set; DROP TRIGGER "      \
	"glance_believed_gone; DROP TRIGGER glance_given_add; DROP TRIGGER glance_given_gone; DROP TRIGGER "         \
	"glance_statement_add; DROP TRIGGER glance_statement_set; DROP TRIGGER glance_statement_gone; DROP TRIGGER " \
	"glance_body_add; DROP TRIGGER glance_body_set; DROP TRIGGER glance_body_gone; DROP INDEX cert_domain; "     \
	"ALTER TABLE partner DROP COLUMN known_until; ALTER TABLE partner DROP COLUMN proven_until; ALTER TABLE "    \
	"partner DROP COLUMN waits; ALTER TABLE partner DROP COLUMN said; ALTER TABLE partner DROP COLUMN missed; "  \
	"ALTER TABLE partner DROP COLUMN issued; ALTER TABLE partner DROP COLUMN expires;"
#define WITHOUT_17 "DROP INDEX audit_domain; DROP INDEX audit_person;"
#define WITHOUT_12 "DROP TABLE proposal; DROP TABLE user_password; DROP TABLE user_totp; DROP TABLE session; "
#define WITHOUT_9                                                                                                    \
	WITHOUT_17                                                                                                   \
	WITHOUT_12                                                                                                   \
	WITHOUT_13                                                                                                   \
	"ALTER TABLE identity DROP COLUMN retired; ALTER TABLE bundle DROP COLUMN since; DROP TABLE in_use; ALTER "  \
	"TABLE revoked DROP COLUMN owner;"

/* Nor statements. */
#define WITHOUT_7                                                                                                    \
	"DROP TABLE statement; DROP TABLE statement_body; DROP TABLE statement_key; DROP TABLE statement_cert;"      \
	"DROP TABLE statement_host; DROP TABLE user_token; DROP TABLE user; DROP TABLE statement_key_cert;"          \
	"DROP TABLE statement_held; DROP TABLE own_statement; DROP TABLE own_statement_id; DROP TABLE rollover;"     \
	"ALTER TABLE identity DROP COLUMN from_at; ALTER TABLE identity DROP COLUMN until_at;"

/* A store of the first schema goes on with all it had. */
START_TEST(from_schema_1)
{
	struct store_partner *p;
	struct store_caps c = said("lab.example", "aa", "one", 100);

	struct store_anchor *kept;
	size_t n;

	put_partner("lab.example", "sign", "prefer");
	OK(store_seen_protected(s, "lab.example", 5000, &pr));
	store_close(s);
	sql(WITHOUT_9 WITHOUT_7
	    "DROP TABLE anchor; CREATE TABLE anchor (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, dir INTEGER NOT "
	    "NULL,"
	    " der BLOB NOT NULL, sha256 TEXT NOT NULL, added INTEGER NOT NULL, UNIQUE (scope, sha256)) STRICT;"
	    "INSERT INTO anchor VALUES (7, '*', 1, x'3000', 'aa', 99);"
	    "DROP TABLE bundle; DROP TABLE revoked; DROP TABLE warned; DROP TABLE believed;"
	    "ALTER TABLE partner DROP COLUMN family;"
	    "DROP TABLE capabilities; ALTER TABLE partner DROP COLUMN format;"
	    "ALTER TABLE partner DROP COLUMN find;"
	    "ALTER TABLE rule DROP COLUMN exempt; PRAGMA user_version = 1");
	s = store_open(dir, &pr);
	ck_assert_msg(s != NULL, "%s", pr.text);
	OK(store_partner_get(s, "lab.example", &p, &pr));
	ck_assert_str_eq(p->treatment, "sign");
	ck_assert_str_eq(p->note, "a note");
	ck_assert_str_eq(p->format, "");
	ck_assert_str_eq(p->group, "");
	OK(store_anchors(s, NULL, &kept, &n, &pr));
	ck_assert(n == 1 && kept[0].id == 7 && kept[0].dir == STORE_OUT && kept[0].added == 99);
	ck_assert(kept[0].bundle == 0 && kept[0].local[0] == 0 && strcmp(kept[0].sha256, "aa") == 0);
	store_anchors_free(kept, n);
	ck_assert(p->added == 1000 && p->seen_protected == 5000);
	free(p->format);
	p->format = strdup("triple=yes");
	ck_assert_str_eq(p->find, "");
	free(p->find);
	p->find = strdup("order=direct");
	OK(store_partner_put(s, p, "root", &pr));
	store_partners_free(p, 1);
	OK(store_partner_get(s, "lab.example", &p, &pr));
	ck_assert_str_eq(p->format, "triple=yes");
	ck_assert_str_eq(p->find, "order=direct");
	store_partners_free(p, 1);
	OK(store_caps_put(s, &c, NULL, &pr));
	caps_are("lab.example", 1, "one", 100);
	OK(store_audit_verify(s, &pr));
}
END_TEST

/* A store of the fifth schema: who was believed is known for all domains of ours. */
START_TEST(from_schema_5)
{
	const struct store_believed_key any = {"lab.example", 1, ""}, one = {"lab.example", 1, "clinic.example"};
	struct store_believed b;

	store_close(s);
	sql(WITHOUT_9 WITHOUT_7
	    "DROP TABLE believed; CREATE TABLE believed (owner TEXT NOT NULL, use INTEGER NOT NULL, sha256 TEXT NOT "
	    "NULL, reason INTEGER NOT NULL, at INTEGER NOT NULL, waiting TEXT NOT NULL, waiting_reason INTEGER NOT "
	    "NULL, waiting_at INTEGER NOT NULL, PRIMARY KEY (owner, use)) STRICT, WITHOUT ROWID;"
	    "INSERT INTO believed VALUES ('lab.example', 1, 'aa', 4, 99, 'bb', 2, 100); PRAGMA user_version = 5");
	s = store_open(dir, &pr);
	ck_assert_msg(s != NULL, "%s", pr.text);
	OK(store_believed(s, &one, &b, &pr));
	ck_assert_str_eq(b.sha256, "aa");
	ck_assert_str_eq(b.waiting, "bb");
	ck_assert(b.reason == 4 && b.at == 99 && b.waiting_reason == 2 && b.waiting_at == 100);
	strcpy(b.sha256, "cc");
	OK(store_believed_put(s, &one, &b, "judge", NULL, NULL, &pr));
	OK(store_believed(s, &one, &b, &pr));
	ck_assert_str_eq(b.sha256, "cc");
	OK(store_believed(s, &any, &b, &pr));
	ck_assert_str_eq(b.sha256, "aa");
}
END_TEST

static bool is_believed(const char *owner)
{
	const struct store_believed_key k = {owner, 1, ""};
	struct store_believed b;

	OK(store_believed(s, &k, &b, &pr));
	return b.sha256[0] != 0;
}

static int64_t used_at = 1000, used_since = 1000;

static bool is_in_use(const char *owner, const char *sha256)
{
	struct store_in_use *l;
	bool yes = false;
	size_t n;

	OK(store_in_use_expiring(s, used_since, 0, 100000, 100, &l, &n, &pr));
	for (size_t i = 0; i < n; i++)
		yes = yes || (strcmp(l[i].owner, owner) == 0 && strcmp(l[i].sha256, sha256) == 0);
	store_in_use_free(l, n);
	return yes;
}

static void use(const char *owner, const char *sha256, int64_t until)
{
	const struct store_believed_key k = {owner, 1, ""};
	struct store_believed b = {.reason = 4, .at = 1};
	struct store_in_use u = {.owner = (char *)(uintptr_t)owner,
	    .subject = (char *)(uintptr_t) "CN=x",
	    .serial = (char *)(uintptr_t) "1",
	    .not_after = until,
	    .used = used_at};

	(void)snprintf(u.sha256, sizeof u.sha256, "%s", sha256);
	(void)snprintf(b.sha256, sizeof b.sha256, "%s", sha256);
	OK(store_in_use_put(s, &u, &pr));
	OK(store_believed_put(s, &k, &b, "judge", NULL, NULL, &pr));
}

/* Of the network's certificates those are known that are used: not those that ran out, that others took the place of,
 * or of a partner who was removed. */
START_TEST(in_use)
{
	put_partner("lab.example", "seal", "require");
	put_partner("bob@lab.example", "seal", "require");
	use("lab.example", "aa", 5000);
	use("ann@lab.example", "bb", 5000);
	use("bob@lab.example", "cc", 5000);
	use("other.example", "dd", 5000);
	use("other.example", "ee", 6000); /* takes the place of dd */
	use("old.example", "ff", 100);
	OK(store_in_use_drop(s, 1000, &pr));
	ck_assert(is_in_use("other.example", "ee") && is_in_use("ann@lab.example", "bb"));
	use("other.example", "dd", 7000); /* and back: what was forgotten is noted anew */
	ck_assert(is_in_use("other.example", "dd") && !is_in_use("old.example", "ff"));
	/* what was not used for long is in use no more; used again it is, to a day */
	used_since = 100000;
	ck_assert(!is_in_use("other.example", "dd"));
	used_at = used_since;
	use("other.example", "dd", 7000);
	ck_assert(is_in_use("other.example", "dd") && !is_in_use("ann@lab.example", "bb"));
	used_at = used_since + 86399;
	use("other.example", "dd", 7000);
	used_since++;
	ck_assert(!is_in_use("other.example", "dd"));
	used_at++;
	use("other.example", "dd", 7000);
	ck_assert(is_in_use("other.example", "dd"));
	used_since = used_at = 1000;
	OK(store_partner_remove(s, "lab.example", "root", &pr));
	/* found again later it is another use */
	for (int i = 0; i < 3; i++) {
		const struct store_believed_key k = {i == 0   ? "lab.example"
						     : i == 1 ? "ann@lab.example"
							      : "bob@lab.example",
		    1, ""};
		struct store_believed b = {.reason = 4, .at = 1};

		(void)snprintf(b.sha256, sizeof b.sha256, "%s", i == 0 ? "aa" : i == 1 ? "bb" : "cc");
		OK(store_believed_put(s, &k, &b, "judge", NULL, NULL, &pr));
		ck_assert_msg(is_in_use(k.owner, b.sha256) == (i == 2), "%s", k.owner);
	}
}
END_TEST

/* A domain that is removed takes along what was learned of its people; but who is listed for himself stays known. */
START_TEST(remove_with_people)
{
	static const char *const owners[] = {"lab.example", "ann@lab.example", "bob@lab.example",
	    "\"x@y\"@lab.example", "carol@sublab.example", "sub.lab.example"};
	const struct store_believed b = {.sha256 = "aa", .reason = 4, .at = 1};

	put_partner("lab.example", "seal", "require");
	put_partner("bob@lab.example", "seal", "require");
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
		const struct store_believed_key k = {owners[i], 1, ""};
		struct store_caps c = said(owners[i], "aa", "one", 100);

		OK(store_believed_put(s, &k, &b, "judge", NULL, NULL, &pr));
		OK(store_caps_put(s, &c, NULL, &pr));
	}
	OK(store_partner_remove(s, "lab.example", "root", &pr));
	for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
		struct store_caps *l;
		size_t n;

		OK(store_caps(s, owners[i], &l, &n, &pr));
		ck_assert_msg(n == (i < 4 ? 0 : 1), "%s: %zu", owners[i], n);
		store_caps_free(l, n);
		ck_assert_msg(is_believed(owners[i]) == (i == 2 || i > 3), "%s", owners[i]);
	}
}
END_TEST

START_TEST(versions)
{
	uint64_t v = store_version(s);

	ck_assert(store_version(s) == v);
	put_partner("a.example", "seal", "require");
	ck_assert(store_version(s) != v);
	v = store_version(s);
	sql("UPDATE partner SET note = 'by another process'");
	ck_assert(store_version(s) != v);
	v = store_version(s);
	OK(store_seen_protected(s, "a.example", 1, &pr));
	ck_assert(store_version(s) != v);
	v = store_version(s);
	OK(store_seen_protected(s, "a.example", 2, &pr));
	ck_assert(store_version(s) == v);
}
END_TEST

START_TEST(snapshot)
{
	char copy_dir[80], copy[128];
	struct store *t;
	struct store_partner *p;
	struct stat st;

	(void)snprintf(copy_dir, sizeof copy_dir, "%s/copy", dir);
	ck_assert_int_eq(mkdir(copy_dir, 0700), 0);
	(void)snprintf(copy, sizeof copy, "%s/store.db", copy_dir);
	put_partner("a.example", "seal", "require");
	OK(store_snapshot(s, copy, &pr));
	ck_assert_int_eq(store_snapshot(s, copy, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "exists already"));
	ck_assert(stat(copy, &st) == 0 && (st.st_mode & 0777) == 0600);
	put_partner("b.example", "seal", "require");
	t = store_open(copy_dir, &pr);
	ck_assert_msg(t != NULL, "%s", pr.text);
	OK(store_partner_get(t, "a.example", &p, &pr));
	ck_assert_ptr_nonnull(p);
	store_partners_free(p, 1);
	OK(store_partner_get(t, "b.example", &p, &pr));
	ck_assert_ptr_null(p);
	OK(store_audit_verify(t, &pr));
	store_close(t);
}
END_TEST

START_TEST(refused_files)
{
	struct store *t;
	int fd;

	store_close(s);
	s = NULL;
	sql("PRAGMA user_version = 99");
	ck_assert_ptr_null(store_open(dir, &pr));
	ck_assert_msg(strstr(pr.text, "schema 99") != NULL, "%s", pr.text);
	sql("PRAGMA user_version = 1; PRAGMA application_id = 77");
	ck_assert_ptr_null(store_open(dir, &pr));
	ck_assert_msg(strstr(pr.text, "another program") != NULL, "%s", pr.text);
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(write(fd, "not a database, not at all", 26), 26);
	close(fd);
	ck_assert_ptr_null(store_open(dir, &pr));
	ck_assert_msg(strstr(pr.text, "damaged") != NULL, "%s", pr.text);
	unlink(path);
	t = store_open("/nonexistent/place", &pr);
	ck_assert_ptr_null(t);
	ck_assert_ptr_nonnull(strstr(pr.text, "/nonexistent/place"));
}
END_TEST

START_TEST(private_files)
{
	struct stat st;
	char wal[140];

	put_partner("a.example", "seal", "require");
	(void)snprintf(wal, sizeof wal, "%s-wal", path);
	ck_assert(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
	ck_assert(stat(wal, &st) == 0 && (st.st_mode & 0777) == 0600);
}
END_TEST

/* Killed at any moment: what was told to be done is there, the chain is whole, nothing is half. */
START_TEST(killed)
{
	int fds[2], n = 0;
	struct store_counts counts;
	pid_t pid;
	char c;

	store_close(s);
	s = NULL;
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		s = store_open(dir, &pr);
		for (int i = 0; s; i++) {
			char name[32];

			(void)snprintf(name, sizeof name, "p%d.example", i);
			put_partner(name, "seal", "require");
			if (write(fds[1], "x", 1) != 1)
				break;
		}
		_exit(1);
	}
	close(fds[1]);
	while (n < 20 + 7 * _i && read(fds[0], &c, 1) == 1)
		n++;
	kill(pid, SIGKILL);
	while (read(fds[0], &c, 1) == 1)
		n++;
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	s = store_open(dir, &pr);
	ck_assert_msg(s != NULL, "%s", pr.text);
	OK(store_audit_verify(s, &pr));
	OK(store_count(s, &counts, &pr));
	ck_assert_int_ge(counts.partners, n);
	ck_assert_int_eq(counts.partners, counts.audit);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("store");
	TCase *t = tcase_create("store");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, partners);
	tcase_add_test(t, seen_protected);
	tcase_add_test(t, certs);
	tcase_add_test(t, anchors);
	tcase_add_test(t, rules);
	tcase_add_test(t, identities);
	tcase_add_test(t, audit);
	tcase_add_test(t, audit_of);
	tcase_add_test(t, audit_of_many);
	tcase_add_loop_test(t, forged, 0, sizeof forgeries / sizeof *forgeries);
	tcase_add_test(t, append_only);
	tcase_add_test(t, one_transaction);
	tcase_add_test(t, grouped);
	tcase_add_test(t, capabilities);
	tcase_add_test(t, harvest);
	tcase_add_test(t, from_schema_1);
	tcase_add_test(t, from_schema_5);
	tcase_add_test(t, remove_with_people);
	tcase_add_test(t, in_use);
	tcase_add_test(t, versions);
	tcase_add_test(t, snapshot);
	tcase_add_test(t, refused_files);
	tcase_add_test(t, private_files);
	tcase_add_loop_test(t, killed, 0, 5);
	suite_add_tcase(su, t);
	return su;
}

int main(void)
{
	return suite_run(suite());
}
