/* Reading certificates out of files of every kind, and what is refused of them. */
#include <check.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/cert_read.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"

enum { MAX = 8 };

static struct testcert a, b;

static void setup(void)
{
	a = testcert_make(&(struct testcert_spec){.cn = "a"});
	b = testcert_make(&(struct testcert_spec){.cn = "b"});
}

static void teardown(void)
{
	testcert_free(&a);
	testcert_free(&b);
}

static const void *octets(BIO *o, size_t *n_r)
{
	char *p;

	*n_r = (size_t)BIO_get_mem_data(o, &p);
	return p;
}

static CMS_ContentInfo *bag(int n)
{
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL);

	ck_assert_ptr_nonnull(c);
	if (n > 0)
		ck_assert_int_eq(CMS_add1_cert(c, a.x), 1);
	if (n > 1)
		ck_assert_int_eq(CMS_add1_cert(c, b.x), 1);
	return c;
}

static void expect(const void *p, size_t n, int want, X509 *first, X509 *second)
{
	X509 *list[MAX] = {NULL};
	struct problem pr = {0};
	int got = cert_read_any(p, n, list, MAX, &pr);

	ck_assert_msg(got == want, "%d instead of %d: %s", got, want, pr.text);
	ck_assert(pr.cls == PROBLEM_NONE);
	ck_assert_int_eq(X509_cmp(list[0], first), 0);
	if (want > 1)
		ck_assert_int_eq(X509_cmp(list[1], second), 0);
	cert_list_free(list, (size_t)got);
}

static void expect_bad(const void *p, size_t n, size_t max, const char *words)
{
	X509 *list[MAX];
	struct problem pr = {0};

	ck_assert_int_eq(cert_read_any(p, n, list, max, &pr), -1);
	ck_assert_msg(strstr(pr.text, words) != NULL, "\"%s\" has no \"%s\"", pr.text, words);
}

START_TEST(good_forms)
{
	BIO *o = BIO_new(BIO_s_mem());
	CMS_ContentInfo *c = bag(2);
	unsigned char *der = NULL;
	const void *p;
	size_t n;
	int len;

	expect(a.der, a.n, 1, a.x, NULL);
	BIO_puts(o, "subject: somebody\n\n");
	PEM_write_bio_X509(o, b.x);
	BIO_puts(o, "text between\n");
	PEM_write_bio_X509(o, a.x);
	p = octets(o, &n);
	expect(p, n, 2, b.x, a.x);
	len = i2d_CMS_ContentInfo(c, &der);
	ck_assert_int_gt(len, 0);
	CMS_ContentInfo_free(c);
	/* Whatever order the set has: both are there. */
	{
		X509 *list[MAX];
		struct problem pr = {0};

		ck_assert_int_eq(cert_read_any(der, (size_t)len, list, MAX, &pr), 2);
		ck_assert((X509_cmp(list[0], a.x) == 0) != (X509_cmp(list[1], a.x) == 0));
		cert_list_free(list, 2);
	}
	BIO_reset(o);
	PEM_write_bio(o, "PKCS7", "", der, len);
	PEM_write_bio_X509(o, a.x);
	p = octets(o, &n);
	{
		X509 *list[MAX];

		ck_assert_int_eq(cert_read_any(p, n, list, MAX, NULL), 3);
		cert_list_free(list, 3);
	}
	OPENSSL_free(der);
	BIO_free(o);
}
END_TEST

START_TEST(bad_forms)
{
	BIO *o = BIO_new(BIO_s_mem());
	CMS_ContentInfo *c = bag(0);
	PKCS12 *p12 = PKCS12_create("secret", "a", a.key, a.x, NULL, 0, 0, 0, 0, 0);
	unsigned char *der = NULL, *bad = malloc(a.n);
	const void *p;
	size_t n;
	int len;

	expect_bad("", 0, MAX, "empty");
	expect_bad("hello", 5, MAX, "not a certificate");
	expect_bad(a.der, a.n - 1, MAX, "not a certificate");
	PEM_write_bio_X509(o, a.x);
	PEM_write_bio_PrivateKey(o, a.key, NULL, NULL, 0, NULL, NULL);
	p = octets(o, &n);
	expect_bad(p, n, MAX, "private key");
	BIO_reset(o);
	PEM_write_bio_X509(o, a.x);
	PEM_write_bio_X509(o, b.x);
	p = octets(o, &n);
	expect_bad(p, n, 1, "more than 1");
	expect_bad(p, n - 60, MAX, "damaged");
	memcpy(bad, a.der, a.n);
	bad[4] ^= 0xff; /* the tag of the TBSCertificate */
	BIO_reset(o);
	PEM_write_bio_X509(o, b.x);
	PEM_write_bio(o, "CERTIFICATE", "", bad, (long)a.n);
	p = octets(o, &n);
	expect_bad(p, n, MAX, "certificate 2 of the file");
	BIO_reset(o);
	BIO_puts(o, "x\n-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n");
	p = octets(o, &n);
	expect_bad(p, n, MAX, "no certificate in this PEM");
	len = i2d_CMS_ContentInfo(c, &der);
	expect_bad(der, (size_t)len, MAX, "no certificate in this PKCS#7");
	OPENSSL_free(der);
	der = NULL;
	len = i2d_PKCS12(p12, &der);
	expect_bad(der, (size_t)len, MAX, "this is a PKCS#12 file (.p12, .pfx)");
	expect_bad(der, (size_t)len, MAX, "never wanted here; the file was not opened");
	expect_bad(der, (size_t)len, MAX, "Ask for the certificate alone");
	expect_bad(der, (size_t)len, MAX, "postern domain add --pkcs12\"");
	OPENSSL_free(der);
	PKCS12_free(p12);
	CMS_ContentInfo_free(c);
	BIO_free(o);
	free(bad);
}
END_TEST

START_TEST(chains)
{
	size_t n = a.n + b.n;
	uint8_t *p = malloc(n);
	X509 *list[MAX];
	struct problem pr = {0};

	memcpy(p, a.der, a.n);
	memcpy(p + a.n, b.der, b.n);
	ck_assert_int_eq(cert_read_chain(p, n, list, MAX, &pr), 2);
	ck_assert_int_eq(X509_cmp(list[0], a.x), 0);
	ck_assert_int_eq(X509_cmp(list[1], b.x), 0);
	cert_list_free(list, 2);
	ck_assert_int_eq(cert_read_chain(p, 0, list, MAX, &pr), 0);
	for (size_t k = 1; k < n; k++) {
		int got = cert_read_chain(p, k, list, MAX, &pr);

		ck_assert_int_eq(got, k == a.n ? 1 : -1);
		if (got > 0)
			cert_list_free(list, 1);
	}
	ck_assert_int_eq(cert_read_chain(p, n, list, 1, &pr), -1);
	free(p);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cert_read");
	TCase *t = tcase_create("cert_read");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, good_forms);
	tcase_add_test(t, bad_forms);
	tcase_add_test(t, chains);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
