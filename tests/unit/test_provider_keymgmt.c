/* Key objects: nothing private in them, and they may outlive their client. */
#include "gateway/keys/provider_keymgmt.h"

#include "tests/unit/provider_fixture.h"

/* Nothing private can be taken out of such a key. */
START_TEST(no_export)
{
	struct subject s;
	OSSL_PARAM *params = NULL;
	PKCS8_PRIV_KEY_INFO *p8;
	BIO *out = BIO_new(BIO_s_mem());

	subject_make(&s, KEYS_USE_SIGN, provider_algos[_i]);
	ck_assert_int_eq(EVP_PKEY_todata(s.pkey, EVP_PKEY_KEYPAIR, &params), 0);
	p8 = EVP_PKEY2PKCS8(s.pkey);
	ck_assert_ptr_null(p8);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(out, s.pkey, NULL, NULL, 0, NULL, NULL), 0);
	ck_assert_int_eq(EVP_PKEY_todata(s.pkey, EVP_PKEY_PUBLIC_KEY, &params), 1);
	OSSL_PARAM_free(params);
	BIO_free(out);
	subject_drop(&s);
}
END_TEST

/* A key outlives its client: it fails as if the keeper were gone. */
START_TEST(orphan)
{
	uint8_t digest[32] = {7}, sig[512];
	size_t n = sizeof(sig);
	struct subject s;
	EVP_PKEY_CTX *ctx;

	subject_make(&s, KEYS_USE_SIGN, KEYS_EC_P256);
	keys_client_free(s.client);
	s.client = NULL;
	ctx = EVP_PKEY_CTX_new(s.pkey, NULL);
	ck_assert_int_gt(EVP_PKEY_sign_init(ctx), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()), 0);
	ck_assert_int_le(EVP_PKEY_sign(ctx, sig, &n, digest, sizeof(digest)), 0);
	EVP_PKEY_CTX_free(ctx);
	subject_drop(&s);
}
END_TEST

int main(void)
{
	TCase *t = provider_case();

	tcase_add_loop_test(t, no_export, 0, NALGOS);
	tcase_add_test(t, orphan);
	return provider_run("provider_keymgmt", t);
}
