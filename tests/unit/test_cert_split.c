/* Certificates of a file one after the other: the same as cert_read_any finds, in order; what is damaged is said. */
#include "certstore/cert_split.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <string.h>

#include "certstore/cert_read.h"
#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "tests/unit/suite.h"

enum { N = 5 };
static X509 *certs[N];
static EVP_PKEY *key;
static struct problem pr;

static X509 *make(int i)
{
	X509 *x = X509_new();
	char name[40];

	(void)snprintf(name, sizeof name, "number %d", i);
	ck_assert(X509_set_version(x, 2) && ASN1_INTEGER_set(X509_get_serialNumber(x), i + 1) &&
		  X509_gmtime_adj(X509_getm_notBefore(x), 0) && X509_gmtime_adj(X509_getm_notAfter(x), 86400) &&
		  X509_set_pubkey(x, key) &&
		  X509_NAME_add_entry_by_txt(
		      X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0) &&
		  X509_set_issuer_name(x, X509_get_subject_name(x)) && X509_sign(x, key, EVP_sha256()));
	return x;
}

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	key = EVP_EC_gen("P-256");
	for (int i = 0; i < N; i++)
		certs[i] = make(i);
	pr = (struct problem){0};
}

static void teardown(void)
{
	for (int i = 0; i < N; i++)
		X509_free(certs[i]);
	EVP_PKEY_free(key);
}

static BIO *pem_file(void)
{
	BIO *b = BIO_new(BIO_s_mem());

	ck_assert(BIO_puts(b, "some words before\n") > 0);
	for (int i = 0; i < N; i++)
		ck_assert(PEM_write_bio_X509(b, certs[i]));
	return b;
}

static PKCS7 *bag(void)
{
	PKCS7 *p = PKCS7_new();

	ck_assert(PKCS7_set_type(p, NID_pkcs7_signed) && PKCS7_content_new(p, NID_pkcs7_data));
	for (int i = 0; i < N; i++)
		ck_assert(PKCS7_add_certificate(p, certs[i]));
	return p;
}

/* All of them, each as it was put in; how it ends. */
static int walk(const void *file, size_t n, size_t want)
{
	struct cert_split s;
	const uint8_t *der;
	size_t len, got = 0;
	int rc = cert_split_begin(&s, file, n, &pr);

	while (rc == 0 && (rc = cert_split_next(&s, &der, &len, &pr)) == 1) {
		const unsigned char *p = der;
		X509 *x = d2i_X509(NULL, &p, (long)len);

		ck_assert(x && p == der + len && got < N);
		ck_assert_int_eq(X509_cmp(x, certs[got]), 0);
		X509_free(x);
		got++;
		rc = 0;
	}
	ck_assert_uint_eq(s.n, got);
	ck_assert_uint_eq(got, want);
	cert_split_clear(&s);
	return rc;
}

START_TEST(whole)
{
	BIO *pem = pem_file(), *inner = BIO_new(BIO_s_mem());
	PKCS7 *p7 = bag();
	unsigned char *der = NULL, *one = NULL;
	int n = i2d_PKCS7(p7, &der), k = i2d_X509(certs[0], &one);
	X509 *list[N];
	char *p;
	long len = BIO_get_mem_data(pem, &p);

	ck_assert_int_eq(walk(p, (size_t)len, N), 0);
	ck_assert_int_eq(cert_read_any(p, (size_t)len, list, N, &pr), N);
	cert_list_free(list, N);
	ck_assert_int_eq(walk(der, (size_t)n, N), 0);
	ck_assert_int_eq(walk(one, (size_t)k, 1), 0);
	ck_assert(PEM_write_bio_PKCS7(inner, p7));
	len = BIO_get_mem_data(inner, &p);
	ck_assert_int_eq(walk(p, (size_t)len, N), 0);
	OPENSSL_free(der);
	OPENSSL_free(one);
	PKCS7_free(p7);
	BIO_free(pem);
	BIO_free(inner);
}
END_TEST

START_TEST(damaged)
{
	PKCS7 *p7 = bag(), *none = PKCS7_new();
	unsigned char *der = NULL, *empty = NULL;
	int n = i2d_PKCS7(p7, &der), k;
	BIO *pem = pem_file();
	char *p;
	long len = BIO_get_mem_data(pem, &p);

	for (int i = 0; i < n; i++)
		ck_assert_int_eq(walk(der, (size_t)i, 0), -1);
	ck_assert_int_eq(walk(p, (size_t)len - 40, N - 1), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "damaged or cut off"));
	ck_assert_int_eq(walk("", 0, 0), -1);
	ck_assert_int_eq(walk("\x30\x80\x06\x09", 4, 0), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "indefinite length"));
	ck_assert(PKCS7_set_type(none, NID_pkcs7_signed) && PKCS7_content_new(none, NID_pkcs7_data));
	k = i2d_PKCS7(none, &empty);
	ck_assert_int_eq(walk(empty, (size_t)k, 0), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "no certificate"));
	OPENSSL_free(der);
	OPENSSL_free(empty);
	PKCS7_free(p7);
	PKCS7_free(none);
	BIO_free(pem);
}
END_TEST

START_TEST(private_key)
{
	BIO *pem = pem_file();
	char *p;
	long len;

	ck_assert(PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL));
	len = BIO_get_mem_data(pem, &p);
	ck_assert_int_eq(walk(p, (size_t)len, N), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "private key in this file"));
	BIO_free(pem);
}
END_TEST

START_TEST(pkcs12)
{
	PKCS12 *p12 = PKCS12_create("secret", "a", key, certs[0], NULL, 0, 0, 0, 0, 0);
	unsigned char *der = NULL;
	int n = i2d_PKCS12(p12, &der);

	ck_assert_int_gt(n, 0);
	ck_assert_int_eq(walk(der, (size_t)n, 0), -1);
	ck_assert_msg(strstr(pr.text, "this is a PKCS#12 file") && strstr(pr.text, "Ask for the certificate alone"),
	    "%s", pr.text);
	OPENSSL_free(der);
	PKCS12_free(p12);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cert_split");
	TCase *t = tcase_create("cert_split");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, whole);
	tcase_add_test(t, damaged);
	tcase_add_test(t, private_key);
	tcase_add_test(t, pkcs12);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}
