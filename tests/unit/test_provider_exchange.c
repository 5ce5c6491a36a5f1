/* Key agreement by keys in the keeper through CMS_decrypt, and that no shared secret can be had. */
#include "gateway/keys/provider_exchange.h"

#include <openssl/ec.h>

#include "tests/unit/provider_fixture.h"

/* libcrypto leaves the curve of the originator's key out; others write it (RFC 5753 3.1.1 wants it absent, and allows
 * it). */
static void name_curve(CMS_ContentInfo *cms, int nid)
{
	CMS_RecipientInfo *ri = sk_CMS_RecipientInfo_value(CMS_get0_RecipientInfos(cms), 0);
	X509_ALGOR *alg;
	ASN1_BIT_STRING *pub;

	ck_assert(CMS_RecipientInfo_kari_get0_orig_id(ri, &alg, &pub, NULL, NULL, NULL));
	ck_assert(X509_ALGOR_set0(alg, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT, OBJ_nid2obj(nid)));
}

START_TEST(cms_decrypt_ec)
{
	const EVP_MD *const kdfs[] = {NULL, EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
	static const struct {
		enum keys_algo algo;
		int curve;
	} t[] = {{KEYS_EC_P256, NID_X9_62_prime256v1}, {KEYS_EC_P384, NID_secp384r1}, {KEYS_EC_P521, NID_secp521r1}};
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, t[_i].algo);
	for (size_t i = 0; i < 5; i++) {
		CMS_ContentInfo *cms =
		    encrypt(s.cert, i % 2 ? EVP_aes_128_cbc() : EVP_aes_256_gcm(), DEC_PLAIN, kdfs[i]);

		ck_assert_msg(decrypts(cms, s.pkey, i % 2 ? s.cert : NULL), "kdf %zu", i);
		name_curve(cms, t[_i].curve);
		ck_assert_msg(decrypts(cms, s.pkey, s.cert), "kdf %zu", i);
		name_curve(cms, t[(_i + 1) % 3].curve);
		ck_assert(!decrypts(cms, s.pkey, s.cert));
		CMS_ContentInfo_free(cms);
	}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

/* An agreement without derivation, or of an odd length, never reaches the keeper: it would give the shared secret
 * away. */
START_TEST(no_raw_agreement)
{
	EVP_PKEY *peer = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-384");
	EVP_PKEY_CTX *ctx;
	uint8_t out[64];
	size_t n = sizeof(out);
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, KEYS_EC_P256);
	ctx = EVP_PKEY_CTX_new(s.pkey, NULL);
	ck_assert_int_gt(EVP_PKEY_derive_init(ctx), 0);
	ck_assert_int_le(EVP_PKEY_derive_set_peer(ctx, other), 0);
	ck_assert_int_gt(EVP_PKEY_derive_set_peer(ctx, peer), 0);
	ck_assert_int_le(EVP_PKEY_derive(ctx, out, &n), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_ecdh_kdf_type(ctx, EVP_PKEY_ECDH_KDF_X9_63), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_ecdh_kdf_outlen(ctx, 48), 0);
	ck_assert_int_le(EVP_PKEY_derive(ctx, out, &n), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_ecdh_kdf_outlen(ctx, 32), 0);
	n = sizeof(out);
	ck_assert_int_gt(EVP_PKEY_derive(ctx, out, &n), 0);
	ck_assert_uint_eq(n, 32);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	EVP_PKEY_free(other);
	subject_drop(&s);
}
END_TEST

int main(void)
{
	TCase *t = provider_case();

	tcase_add_loop_test(t, cms_decrypt_ec, 0, 3);
	tcase_add_test(t, no_raw_agreement);
	return provider_run("provider_exchange", t);
}
