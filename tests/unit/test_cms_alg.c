/* cms_alg.c: what the tables let through, and that nothing weak is among it. */
#include "tests/unit/cms_fixture.h"

#include <openssl/objects.h>

START_TEST(test_ciphers)
{
	static const int refused[] = {
	    NID_rc2_cbc, NID_rc2_40_cbc, NID_rc2_64_cbc, NID_des_cbc, NID_des_ede_cbc, NID_des_ede3_cbc, NID_rc4};
	static const int unknown[] = {NID_undef, NID_aes_256_ecb, NID_aes_256_cfb128, NID_aes_256_ccm,
	    NID_camellia_256_cbc, NID_chacha20_poly1305, NID_sha256};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ck_assert_int_eq(cms_alg_cipher(refused[i])->mode, CMS_ALG_REFUSED);
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		ck_assert_ptr_null(cms_alg_cipher(unknown[i]));
	ck_assert_int_eq(cms_alg_cipher(NID_aes_192_gcm)->mode, CMS_ALG_GCM);
	ck_assert_uint_eq(cms_alg_cipher(NID_aes_192_gcm)->key, 24);
	/* what we write is what we read, under the same name and with the same key */
	for (enum cms_cipher c = CMS_AES_256_CBC; c <= CMS_AES_128_GCM; c++) {
		const EVP_CIPHER *evp = cms_alg_evp_cipher(c);
		const struct cms_alg_cipher *alg = cms_alg_cipher(EVP_CIPHER_get_nid(evp));

		ck_assert_ptr_nonnull(alg);
		ck_assert_uint_eq(alg->key, (unsigned)EVP_CIPHER_get_key_length(evp));
		ck_assert_int_eq(strcasecmp(alg->name, OBJ_nid2ln(EVP_CIPHER_get_nid(evp))), 0);
	}
}
END_TEST

START_TEST(test_digests)
{
	static const int refused[] = {NID_undef, NID_md5, NID_sha1, NID_sha224, NID_ripemd160, NID_md4};
	static const struct {
		int nid;
		const char *name, *micalg;
		int size;
	} good[] = {{NID_sha256, "SHA256", "sha-256", 32}, {NID_sha384, "sha384", "SHA-384", 48},
	    {NID_sha512, "Sha512", "sha-512", 64}};

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		ck_assert_ptr_null(cms_alg_digest(refused[i]));
	for (size_t i = 0; i < 3; i++) {
		const struct cms_alg_digest *d = cms_alg_digest(good[i].nid);

		ck_assert_ptr_eq(cms_alg_digest_named(good[i].name), d);
		ck_assert_ptr_eq(cms_alg_digest_named(good[i].micalg), d);
		ck_assert_int_eq(EVP_MD_get_size(cms_alg_md(d)), good[i].size);
		ck_assert_ptr_eq(cms_alg_md(d), cms_alg_md(d));
	}
	ck_assert_ptr_null(cms_alg_digest_named("SHA1"));
	ck_assert_ptr_null(cms_alg_digest_named("MD5"));
	ck_assert_ptr_null(cms_alg_digest_named(""));
}
END_TEST

START_TEST(test_signatures)
{
	struct fx_id rsa = fx_id("rsa"), ec = fx_id("ec");
	const struct {
		int sig, digest;
		EVP_PKEY *key;
		int fits;
	} t[] = {
	    {NID_rsaEncryption, NID_sha256, rsa.key, 1},
	    {NID_rsaEncryption, NID_sha512, rsa.key, 1},
	    {NID_sha256WithRSAEncryption, NID_sha256, rsa.key, 1},
	    {NID_rsassaPss, NID_sha384, rsa.key, 1},
	    {NID_ecdsa_with_SHA384, NID_sha384, ec.key, 1},
	    {NID_sha256WithRSAEncryption, NID_sha512, rsa.key, 0},
	    {NID_sha1WithRSAEncryption, NID_sha256, rsa.key, 0},
	    {NID_md5WithRSAEncryption, NID_sha256, rsa.key, 0},
	    {NID_ecdsa_with_SHA1, NID_sha256, ec.key, 0},
	    {NID_ecdsa_with_SHA256, NID_sha384, ec.key, 0},
	    {NID_ecdsa_with_SHA256, NID_sha256, rsa.key, 0},
	    {NID_rsaEncryption, NID_sha256, ec.key, 0},
	    {NID_dsa_with_SHA256, NID_sha256, rsa.key, 0},
	    {NID_undef, NID_sha256, rsa.key, 0},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		ck_assert_msg(cms_alg_sig_fits(t[i].sig, t[i].digest, t[i].key) == t[i].fits, "case %zu", i);
	fx_id_clear(&rsa);
	fx_id_clear(&ec);
}
END_TEST

START_TEST(test_keys)
{
	ck_assert_int_eq(cms_alg_keytrans_ok(NID_rsaEncryption), 1);
	ck_assert_int_eq(cms_alg_keytrans_ok(NID_rsaesOaep), 1);
	ck_assert_int_eq(cms_alg_keytrans_ok(NID_rsassaPss), 0);
	ck_assert_int_eq(cms_alg_keytrans_ok(NID_undef), 0);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_aes128_wrap, 16), 1);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_aes128_wrap, 24), 0);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_aes192_wrap, 24), 1);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_aes192_wrap, 32), 0);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_aes256_wrap, 16), 1);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_aes256_wrap, 32), 1);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_smime_alg_CMS3DESwrap, 16), 0);
	ck_assert_int_eq(cms_alg_keywrap_ok(NID_id_smime_alg_CMSRC2wrap, 16), 0);
}
END_TEST

START_TEST(test_text)
{
	char text[40];
	ASN1_OBJECT *own = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);

	cms_alg_text(OBJ_nid2obj(NID_des_ede3_cbc), text, sizeof(text));
	ck_assert_str_eq(text, "3DES");
	cms_alg_text(OBJ_nid2obj(NID_sha1), text, sizeof(text));
	ck_assert_str_eq(text, "sha1");
	cms_alg_text(own, text, sizeof(text));
	ck_assert_str_eq(text, "1.3.6.1.4.1.99999.1");
	cms_alg_text(own, text, 8);
	ck_assert_str_eq(text, "1.3.6.1");
	ASN1_OBJECT_free(own);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_alg");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_ciphers);
	tcase_add_test(t, test_digests);
	tcase_add_test(t, test_signatures);
	tcase_add_test(t, test_keys);
	tcase_add_test(t, test_text);
	suite_add_tcase(s, t);
	return suite_run(s);
}
