/* Statements signed: what comes out is read here and verified by OpenSSL. */
#include "gateway/xsmg/statement_cms_make.h"

#include <check.h>
#include <openssl/cms.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/problem.h"
#include "gateway/xsmg/statement_cms.h"
#include "tests/unit/statement_fixture.h"
#include "tests/unit/suite.h"

static const char text[] = "{\"v\":1}";

static struct statement_sign_by by(const struct testcert *c)
{
	return (struct statement_sign_by){.cert = {c->der, c->n}, .sign = statement_cms_make_pkey, .arg = c->key};
}

/* Every kind of key that may sign. */
static const struct testcert_spec keys[] = {
    {.cn = "RSA", .rsa = 2048},
    {.cn = "RSA 3072", .rsa = 3072},
    {.cn = "P-256"},
    {.cn = "P-384", .curve = "P-384"},
    {.cn = "P-521", .curve = "P-521"},
};

/* OpenSSL: the signatures, and (CMS_CADES) the certificates that are named. */
static void openssl_verifies(const struct buf *der, int nsigners)
{
	const unsigned char *p = der->p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->len);
	BIO *out = BIO_new(BIO_s_mem());
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *all = CMS_get1_certs(cms);
	unsigned char *again = NULL;
	char *got;

	ck_assert(cms && p == der->p + der->len);
	for (int i = 0; i < sk_X509_num(all); i++)
		X509_STORE_add_cert(store, sk_X509_value(all, i));
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), FX_NOW);
	X509_VERIFY_PARAM_set_flags(X509_STORE_get0_param(store), X509_V_FLAG_PARTIAL_CHAIN);
	ck_assert_int_eq(sk_CMS_SignerInfo_num(CMS_get0_SignerInfos(cms)), nsigners);
	ck_assert(CMS_verify(cms, NULL, store, NULL, out, CMS_BINARY | CMS_CADES) == 1);
	ck_assert_int_eq(BIO_get_mem_data(out, &got), (long)sizeof text - 1);
	ck_assert_mem_eq(got, text, sizeof text - 1);
	ck_assert_int_eq(i2d_CMS_ContentInfo(cms, &again), (int)der->len);
	ck_assert_mem_eq(again, der->p, der->len);
	OPENSSL_free(again);
	X509_STORE_free(store);
	sk_X509_pop_free(all, X509_free);
	BIO_free(out);
	CMS_ContentInfo_free(cms);
}

START_TEST(made)
{
	struct testcert a = testcert_make(&keys[_i]), b = fx_gateway("previous");
	struct testcert ca = testcert_ca("CA", NULL);
	struct statement_octets chain = {ca.der, ca.n};
	struct statement_sign_by who[2] = {by(&a), by(&b)};
	struct problem pr = {0};

	who[0].chain = who[1].chain = &chain;
	who[0].nchain = who[1].nchain = 1;
	for (size_t n = 1; n <= 2; n++) {
		struct statement_signed sd;
		struct buf der;

		buf_init(&der, STATEMENT_MAX);
		ck_assert_msg(
		    statement_cms_make(text, sizeof text - 1, who, n, FX_NOW, &der, &pr) == 0, "%s", pr.text);
		ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, &pr), 0);
		ck_assert_uint_eq(sd.nsigners, n);
		ck_assert_uint_eq(sd.ncerts, n + 1);
		for (size_t i = 0; i < n; i++) {
			ck_assert(sd.signers[i].verified);
			ck_assert_int_eq(sd.signers[i].signing_time, FX_NOW);
		}
		openssl_verifies(&der, (int)n);
		buf_clear(&der);
	}
	testcert_free(&a);
	testcert_free(&b);
	testcert_free(&ca);
}
END_TEST

/* RFC 5652 11.3: from 2050 on another form. */
START_TEST(later)
{
	struct testcert a = testcert_make(&(struct testcert_spec){.cn = "a"});
	struct statement_sign_by who = by(&a);
	static const int64_t times[] = {INT64_C(2524607999), INT64_C(2524608000)};

	for (size_t i = 0; i < 2; i++) {
		struct statement_signed sd;
		struct buf der;

		buf_init(&der, STATEMENT_MAX);
		fx_must(statement_cms_make(text, sizeof text - 1, &who, 1, times[i], &der, NULL));
		fx_must(statement_cms_read(der.p, der.len, &sd, NULL));
		ck_assert_int_eq(sd.signers[0].signing_time, times[i]);
		buf_clear(&der);
	}
	testcert_free(&a);
}
END_TEST

static int no_keeper(void *arg, enum statement_alg alg, const uint8_t *attrs, size_t n, uint8_t *sig, size_t *nsig_r,
    struct problem *pr)
{
	(void)arg;
	(void)alg;
	(void)sig;
	(void)nsig_r;
	/* what is signed shows what it is for */
	ck_assert(n > 2 && attrs[0] == STATEMENT_DER_SET);
	return problem_temp(pr, "The keeper is away.");
}

START_TEST(failures)
{
	struct testcert a = fx_gateway("a"), b = fx_gateway("b");
	struct testcert weak = testcert_make(&(struct testcert_spec){.cn = "weak", .rsa = 1024});
	struct testcert ed = testcert_make(&(struct testcert_spec){.cn = "k", .curve = "secp256k1"});
	char *big = malloc(STATEMENT_MAX);
	const struct {
		struct statement_sign_by by;
		const void *content;
		size_t n;
		const char *why;
	} t[] = {
	    {{.cert = {a.der, a.n}, .sign = no_keeper}, text, 7, "The keeper is away."},
	    /* another's key */
	    {{.cert = {a.der, a.n}, .sign = statement_cms_make_pkey, .arg = b.key}, text, 7,
		"its signature is wrong"},
	    {by(&weak), text, 7, "too weak"},
	    {by(&ed), text, 7, "too weak"},
	    {{.cert = {a.der, a.n - 1}, .sign = statement_cms_make_pkey, .arg = a.key}, text, 7, "not a certificate"},
	    {by(&a), big, STATEMENT_MAX - 100, "more than 65536 octets"},
	};

	memset(big, 'x', STATEMENT_MAX);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct problem pr = {0};
		struct buf der;

		buf_init(&der, STATEMENT_MAX);
		ck_assert_int_eq(statement_cms_make(t[i].content, t[i].n, &t[i].by, 1, FX_NOW, &der, &pr), -1);
		ck_assert_msg(strstr(pr.text, t[i].why) != NULL, "%zu: %s", i, pr.text);
		ck_assert_uint_eq(der.len, 0);
		buf_clear(&der);
	}
	free(big);
	testcert_free(&a);
	testcert_free(&b);
	testcert_free(&weak);
	testcert_free(&ed);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("statement_cms_make");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, made, 0, sizeof keys / sizeof *keys);
	tcase_add_test(tc, later);
	tcase_add_test(tc, failures);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
