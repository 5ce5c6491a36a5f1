/* cms_cert.c and cms_cache.c: words about a certificate, the floor for its key, and one object for the same octets.
 */
#include "tests/unit/cms_fixture.h"

#include <openssl/x509v3.h>

#include "gateway/cms/cms_cache.h"
#include "gateway/cms/cms_cert.h"

START_TEST(test_text)
{
	struct fx_id id = fx_id("rsa");
	char text[CMS_CERT_TEXT], tight[20];

	cms_cert_text(id.cert, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "CN=rsa.hospital.example,O=Test, serial "));
	ck_assert_ptr_nonnull(strstr(text, ", valid 20"));
	cms_cert_text(id.cert, tight, sizeof(tight));
	ck_assert_uint_eq(strlen(tight), sizeof(tight) - 1);
	fx_id_clear(&id);
}
END_TEST

/* A certificate that is nothing but a name and a key. */
static X509 *bare(const char *name, EVP_PKEY *key)
{
	X509 *x = X509_new();

	ck_assert_ptr_nonnull(key);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 0x1234);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const uint8_t *)name, -1, -1, 0);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 1000);
	X509_set_pubkey(x, key);
	EVP_PKEY_free(key);
	return x;
}

START_TEST(test_key)
{
	struct {
		EVP_PKEY *key;
		int r;
		const char *says;
	} t[] = {
	    {EVP_EC_gen("P-256"), 0, ""},
	    {EVP_EC_gen("P-521"), 0, ""},
	    {EVP_EC_gen("P-224"), -1, "224 bits; at least 256"},
	    {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), -1, "neither RSA nor EC"},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		X509 *x = bare("bad\nname", t[i].key);
		struct problem pr = {0};

		ck_assert_int_eq(cms_cert_key_ok(x, &pr), t[i].r);
		ck_assert_ptr_nonnull(strstr(pr.text, t[i].says));
		if (t[i].r == -1) {
			ck_assert_int_eq(pr.cls, PROBLEM_POLICY);
			ck_assert_ptr_nonnull(strstr(pr.text, "serial 1234"));
			ck_assert_ptr_null(strchr(pr.text, '\n'));
		}
		X509_free(x);
	}
}
END_TEST

START_TEST(test_no_key)
{
	X509 *x = X509_new();
	struct problem pr = {0};

	ck_assert_int_eq(cms_cert_key_ok(x, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "(no name)"));
	X509_free(x);
}
END_TEST

START_TEST(test_cache)
{
	struct fx_id id = fx_id("rsa"), other = fx_id("ec");
	uint8_t *der = NULL, *der2 = NULL;
	int n = i2d_X509(id.cert, &der), n2 = i2d_X509(other.cert, &der2);
	X509 *a, *b;

	a = cms_cache_cert(der, (size_t)n);
	ck_assert_int_eq(X509_cmp(a, id.cert), 0);
	b = cms_cache_cert(der, (size_t)n);
	ck_assert_ptr_eq(a, b);
	X509_free(a);
	X509_free(b);
	/* other octets are another certificate; octets too many or too few are none */
	b = cms_cache_cert(der2, (size_t)n2);
	ck_assert_int_eq(X509_cmp(b, other.cert), 0);
	X509_free(b);
	ck_assert_ptr_null(cms_cache_cert(der, (size_t)n - 1));
	der = OPENSSL_realloc(der, (size_t)n + 1);
	der[n] = 0;
	ck_assert_ptr_null(cms_cache_cert(der, (size_t)n + 1));
	ck_assert_ptr_null(cms_cache_cert((const uint8_t *)"", 0));
	OPENSSL_free(der);
	OPENSSL_free(der2);
	fx_id_clear(&id);
	fx_id_clear(&other);
}
END_TEST

START_TEST(test_cache_full)
{
	/* more certificates than places: each is still itself, and those given out live on */
	enum { N = 3 * CMS_CACHE_PLACES };
	static X509 *got[N];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char name[40];

	for (int i = 0; i < N; i++) {
		uint8_t *der = NULL;
		X509 *x;
		int n;

		EVP_PKEY_up_ref(key);
		snprintf(name, sizeof(name), "c%d.hospital.example", i);
		x = bare(name, key);
		ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
		n = i2d_X509(x, &der);
		got[i] = cms_cache_cert(der, (size_t)n);
		ck_assert_int_eq(X509_cmp(got[i], x), 0);
		OPENSSL_free(der);
		X509_free(x);
	}
	for (int i = 0; i < N; i++) {
		char cn[40];

		snprintf(name, sizeof(name), "c%d.hospital.example", i);
		X509_NAME_get_text_by_NID(X509_get_subject_name(got[i]), NID_commonName, cn, sizeof(cn));
		ck_assert_str_eq(cn, name);
		X509_free(got[i]);
	}
	EVP_PKEY_free(key);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_cert");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_text);
	tcase_add_test(t, test_key);
	tcase_add_test(t, test_no_key);
	tcase_add_test(t, test_cache);
	tcase_add_test(t, test_cache_full);
	suite_add_tcase(s, t);
	return suite_run(s);
}
