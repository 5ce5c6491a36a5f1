/* Trust bundles: what is taken, what is refused, what stays. */
#include <check.h>
#include <openssl/cms.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/bundle.h"
#include "gateway/proc/judge_bundle.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"
#include "tests/unit/testrevoke.h"

#define URL "https://trust.example/bundle"

static struct judge_fixture fx;
static struct testcert a, b, c, publisher, stranger;
static struct testrevoke_net net;
static struct problem pr;

static void setup(void)
{
	judge_fixture_start(&fx);
	a = testcert_ca("a", NULL);
	b = testcert_ca("b", NULL);
	c = testcert_ca("c", NULL);
	publisher = testcert_make(&(struct testcert_spec){.cn = "publisher"});
	stranger = testcert_make(&(struct testcert_spec){.cn = "publisher"});
}

static void teardown(void)
{
	testcert_free(&a);
	testcert_free(&b);
	testcert_free(&c);
	testcert_free(&publisher);
	testcert_free(&stranger);
	testrevoke_clear(&net);
	judge_fixture_end(&fx);
}

static uint8_t *der_of(CMS_ContentInfo *cms, size_t *n_r)
{
	uint8_t *der = NULL;
	int n = i2d_CMS_ContentInfo(cms, &der);

	ck_assert_int_gt(n, 0);
	*n_r = (size_t)n;
	CMS_ContentInfo_free(cms);
	return der;
}

static uint8_t *p7b(const struct testcert *const *v, size_t n, size_t *len_r)
{
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_DETACHED);

	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(CMS_add1_cert(cms, v[i]->x), 1);
	return der_of(cms, len_r);
}

static uint8_t *p7m(
    const struct testcert *const *v, size_t n, const struct testcert *by, const char *digest, size_t *len_r)
{
	size_t inner;
	uint8_t *content = p7b(v, n, &inner);
	BIO *in = BIO_new_mem_buf(content, (int)inner);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, CMS_PARTIAL | CMS_BINARY);

	ck_assert(CMS_add1_signer(cms, by->x, by->key, EVP_get_digestbyname(digest), CMS_BINARY) != NULL);
	ck_assert_int_eq(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	BIO_free(in);
	OPENSSL_free(content);
	return der_of(cms, len_r);
}

#define ALL(...)                                                                                                     \
	(const struct testcert *const[]){__VA_ARGS__},                                                               \
	    sizeof((const struct testcert *const[]){__VA_ARGS__}) / sizeof(void *)

static void serve(uint8_t *der, size_t n)
{
	testrevoke_put(&net, URL, der, n)->status = SOURCE_FOUND;
}

static void serve_plain(const struct testcert *const *v, size_t count)
{
	size_t n;
	uint8_t *der = p7b(v, count, &n);

	serve(der, n);
}

static void serve_signed(const struct testcert *const *v, size_t count, const struct testcert *by, const char *digest)
{
	size_t n;
	uint8_t *der = p7m(v, count, by, digest, &n);

	serve(der, n);
}

static void add(const struct testcert *signer)
{
	struct store_bundle s = {.url = FIXTURE_STR(URL),
	    .scope = FIXTURE_STR("@labs"),
	    .local = FIXTURE_STR(""),
	    .dir = STORE_BOTH,
	    .signer = signer ? signer->der : NULL,
	    .signer_len = signer ? signer->n : 0,
	    .every = 86400,
	    .added = TESTCERT_NOW};

	ck_assert_msg(store_bundle_put(fx.s, &s, "root", &pr) == 0, "%s", pr.text);
}

static struct store_bundle *list;
static size_t nlist;

/* One try; the row as it is afterwards. */
static struct store_bundle *refresh(bool force)
{
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);

	store_bundles_free(list, nlist);
	ck_assert_int_eq(store_bundles(fx.s, &list, &nlist, &pr), 0);
	ck_assert_uint_eq(nlist, 1);
	ck_assert_msg(
	    judge_bundle_refresh(fx.s, &run, &list[0], 50, force, TESTCERT_NOW, "root", &pr) == 0, "%s", pr.text);
	store_bundles_free(list, nlist);
	ck_assert_int_eq(store_bundles(fx.s, &list, &nlist, &pr), 0);
	return &list[0];
}

static void end(void)
{
	store_bundles_free(list, nlist);
	list = NULL;
	nlist = 0;
	ck_assert_int_eq(store_audit_verify(fx.s, &pr), 0);
}

static bool has(const struct testcert *t)
{
	struct store_anchor *all;
	bool yes = false;
	size_t n;

	ck_assert_int_eq(store_anchors(fx.s, NULL, &all, &n, &pr), 0);
	for (size_t i = 0; i < n; i++)
		yes = yes ||
		      (strcmp(all[i].sha256, t->sha256) == 0 && strcmp(all[i].scope, "@labs") == 0 && all[i].bundle);
	store_anchors_free(all, n);
	return yes;
}

static int64_t audit_rows(void)
{
	struct store_counts k;

	ck_assert_int_eq(store_count(fx.s, &k, &pr), 0);
	return k.audit;
}

START_TEST(follows)
{
	struct store_bundle *r;
	int64_t rows;

	add(NULL);
	serve_plain(ALL(&a, &b));
	r = refresh(false);
	ck_assert_str_eq(r->trouble, "");
	ck_assert_msg(strstr(r->difference, "2 came, 0 went, 0 stayed: + CN=") != NULL, "%s", r->difference);
	ck_assert(has(&a) && has(&b) && r->taken == TESTCERT_NOW);
	rows = audit_rows();
	r = refresh(false);
	ck_assert_int_eq(audit_rows(), rows); /* nothing changed, nothing to tell */
	ck_assert_msg(strstr(r->difference, "2 came") != NULL, "%s", r->difference);
	serve_plain(ALL(&b, &c));
	r = refresh(false);
	ck_assert_msg(strstr(r->difference, "1 came, 1 went, 1 stayed") != NULL, "%s", r->difference);
	ck_assert_msg(strstr(r->difference, "- CN=a") != NULL, "%s", r->difference);
	ck_assert(!has(&a) && has(&b) && has(&c));
	ck_assert_int_eq(store_bundle_remove(fx.s, URL, "root", &pr), 0);
	ck_assert(!has(&b) && !has(&c));
	end();
}
END_TEST

START_TEST(drops)
{
	struct store_bundle *r;

	add(NULL);
	serve_plain(ALL(&a, &b, &c));
	refresh(false);
	serve_plain(ALL(&c));
	r = refresh(false);
	ck_assert_msg(strstr(r->trouble, "2 of 3 anchors would go") != NULL, "%s", r->trouble);
	ck_assert(has(&a) && has(&b) && has(&c));
	r = refresh(true);
	ck_assert_str_eq(r->trouble, "");
	ck_assert(!has(&a) && !has(&b) && has(&c));
	end();
}
END_TEST

enum how { PLAIN, SIGNED, BY_STRANGER, SHA_1, CHANGED, JUNK, EMPTY, GONE };
static const struct {
	bool signer;
	enum how how;
	const char *trouble; /* "": taken */
} editions[] = {
    {false, PLAIN, ""},
    {true, SIGNED, ""},
    {true, PLAIN, "it is not signed"},
    {true, BY_STRANGER, "signed by somebody else"},
    {true, SHA_1, "SHA-256 or better"},
    {true, CHANGED, "refused"},
    {true, JUNK, "not signed"},
    {false, SIGNED, "set one (--signer)"},
    {false, JUNK, "refused"},
    {false, EMPTY, "refused"},
    {false, GONE, "not fetched"},
    {true, GONE, "not fetched"},
};

START_TEST(keeps_the_old)
{
	struct store_bundle *r;
	int64_t rows;
	size_t n;

	add(editions[_i].signer ? &publisher : NULL);
	if (editions[_i].signer)
		serve_signed(ALL(&a), &publisher, "SHA256");
	else
		serve_plain(ALL(&a));
	ck_assert_str_eq(refresh(false)->trouble, "");
	ck_assert(has(&a));
	switch (editions[_i].how) {
	case PLAIN:
		serve_plain(ALL(&a, &b));
		break;
	case SIGNED:
		serve_signed(ALL(&a, &b), &publisher, "SHA256");
		break;
	case BY_STRANGER:
		serve_signed(ALL(&a, &b), &stranger, "SHA256");
		break;
	case SHA_1:
		serve_signed(ALL(&a, &b), &publisher, "SHA1");
		break;
	case CHANGED: {
		uint8_t *der = p7m(ALL(&a, &b), &publisher, "SHA256", &n);

		der[n / 2] ^= 1;
		serve(der, n);
		break;
	}
	case JUNK:
		serve(OPENSSL_memdup("<html>not found</html>", 22), 22);
		break;
	case EMPTY:
		serve_plain(NULL, 0);
		break;
	case GONE:
		net.v[0].status = SOURCE_NONE;
		break;
	}
	r = refresh(false);
	ck_assert(has(&a));
	ck_assert(has(&b) == (editions[_i].trouble[0] == 0));
	ck_assert_msg(strstr(r->trouble, editions[_i].trouble) && !!r->trouble[0] == !!editions[_i].trouble[0], "%s",
	    r->trouble);
	rows = audit_rows();
	refresh(false);
	ck_assert_int_eq(audit_rows(), rows); /* the same trouble is told once */
	end();
}
END_TEST

START_TEST(schedule)
{
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);

	add(NULL);
	serve_plain(ALL(&a));
	net.v[0].slow = true;
	ck_assert(judge_bundle_any_due(fx.s, TESTCERT_NOW));
	ck_assert_int_eq(judge_bundle_due(fx.s, &run, 50, TESTCERT_NOW, &pr), 0);
	ck_assert(run.pending == 1 && !has(&a));
	net.v[0].slow = false;
	run = testrevoke_run(&net, TESTCERT_NOW);
	ck_assert_int_eq(judge_bundle_due(fx.s, &run, 50, TESTCERT_NOW, &pr), 1);
	ck_assert(has(&a));
	ck_assert(!judge_bundle_any_due(fx.s, TESTCERT_NOW + 86399));
	ck_assert(judge_bundle_any_due(fx.s, TESTCERT_NOW + 86400));
	net.v[0].status = SOURCE_TEMP;
	ck_assert_int_eq(judge_bundle_due(fx.s, &run, 50, TESTCERT_NOW + 86400, &pr), 1);
	ck_assert(has(&a));
	ck_assert(!judge_bundle_any_due(fx.s, TESTCERT_NOW + 86400 + JUDGE_BUNDLE_RETRY_S - 1));
	ck_assert(judge_bundle_any_due(fx.s, TESTCERT_NOW + 86400 + JUDGE_BUNDLE_RETRY_S));
	end();
}
END_TEST

/* Asked for by somebody who does not wait: before its time, with force when that was said, and it shows meanwhile. */
START_TEST(asked)
{
	struct source_run run = testrevoke_run(&net, TESTCERT_NOW);
	int64_t id;

	add(NULL);
	serve_plain(ALL(&a, &b, &c));
	id = refresh(false)->id;
	serve_plain(ALL(&a));
	ck_assert(!judge_bundle_any_due(fx.s, TESTCERT_NOW + 1) && judge_bundle_fetching(id) == 0);
	ck_assert_int_eq(judge_bundle_ask(id, true, TESTCERT_NOW + 1, "anna"), 0);
	ck_assert(judge_bundle_any_due(fx.s, TESTCERT_NOW + 1));
	ck_assert_int_eq(judge_bundle_fetching(id), TESTCERT_NOW + 1);
	ck_assert_int_eq(judge_bundle_due(fx.s, &run, 50, TESTCERT_NOW + 2, &pr), 1);
	ck_assert(judge_bundle_fetching(id) == 0 && !judge_bundle_any_due(fx.s, TESTCERT_NOW + 2));
	ck_assert(has(&a) && !has(&b) && !has(&c));
	/* of those that are gone nothing stays for ever */
	for (int64_t i = 0; i < JUDGE_BUNDLE_ASKED; i++)
		ck_assert_int_eq(judge_bundle_ask(1000 + i, false, TESTCERT_NOW, "anna"), 0);
	ck_assert_int_eq(judge_bundle_ask(id, false, TESTCERT_NOW, "anna"), -1);
	ck_assert_int_eq(judge_bundle_ask(1000, false, TESTCERT_NOW, "anna"), 0);
	ck_assert_int_eq(judge_bundle_ask(id, false, TESTCERT_NOW + 600, "anna"), 0);
	end();
}
END_TEST

START_TEST(other_anchors_stay)
{
	struct store_bundle s = {
	    .url = FIXTURE_STR(URL), .scope = FIXTURE_STR("*"), .local = FIXTURE_STR(""), .every = 86400};

	judge_fixture_anchor(&fx, "@labs", STORE_IN, &a); /* the admin's own */
	add(NULL);
	serve_plain(ALL(&a, &b));
	refresh(false);
	ck_assert_int_eq(store_bundle_put(fx.s, &s, "root", &pr), -1);
	ck_assert_msg(strstr(pr.text, "is there already") != NULL, "%s", pr.text);
	ck_assert_int_eq(store_anchor_remove(fx.s, "@labs", "", b.sha256, "root", &pr), -1);
	ck_assert_int_eq(store_bundle_remove(fx.s, URL, "root", &pr), 0);
	ck_assert_int_eq(store_anchor_remove(fx.s, "@labs", "", a.sha256, "root", &pr), 0);
	end();
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_bundle");
	TCase *t = tcase_create("judge_bundle");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, follows);
	tcase_add_test(t, drops);
	tcase_add_loop_test(t, keeps_the_old, 0, (int)(sizeof editions / sizeof *editions));
	tcase_add_test(t, schedule);
	tcase_add_test(t, asked);
	tcase_add_test(t, other_anchors_stay);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
