/* Signatures by keys in the keeper through libcrypto: CMS and X.509, RSA, PSS, ECDSA, streamed and not; what is
 * refused. */
#include "gateway/keys/provider_sign.h"

#include "tests/unit/provider_fixture.h"

START_TEST(cms_sign)
{
	struct subject s;

	subject_make(&s, KEYS_USE_SIGN, provider_algos[_i]);
	for (int how = 0; how < SIGN_HOWS; how++) {
		BIO *der;

		if (how == SIGN_PSS && !EVP_PKEY_is_a(s.pkey, "RSA"))
			continue;
		der = sign_message(&s, (enum sign_how)how);
		ck_assert_msg(der != NULL, "%s how %d", s.id, how);
		ck_assert_msg(verifies(der, s.cert) == 1, "%s how %d", s.id, how);
		BIO_free(der);
	}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

START_TEST(x509_sign)
{
	struct subject s;
	X509 *x;

	subject_make(&s, KEYS_USE_SIGN, provider_algos[_i]);
	x = X509_dup(s.cert);
	ck_assert(X509_set_version(x, X509_VERSION_3));
	ck_assert_int_gt(X509_sign(x, s.pkey, EVP_sha384()), 0);
	ck_assert_int_eq(X509_verify(x, s.pub), 1);
	X509_free(x);
	ck_assert_int_eq(X509_check_private_key(s.cert, s.pkey), 1);
	subject_drop(&s);
}
END_TEST

START_TEST(pss_salt)
{
	static const int salts[] = {RSA_PSS_SALTLEN_DIGEST, RSA_PSS_SALTLEN_MAX, RSA_PSS_SALTLEN_AUTO, 0, 20};
	uint8_t digest[48] = {7}, sig[512];
	struct subject s;

	subject_make(&s, KEYS_USE_SIGN, KEYS_RSA_2048);
	for (size_t i = 0; i < sizeof(salts) / sizeof(salts[0]); i++) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s.pkey, NULL), *check = EVP_PKEY_CTX_new(s.pub, NULL);
		size_t n = sizeof(sig);

		ck_assert_int_gt(EVP_PKEY_sign_init(ctx), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha384()), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salts[i]), 0);
		ck_assert_int_gt(EVP_PKEY_sign(ctx, sig, &n, digest, sizeof(digest)), 0);
		ck_assert_int_gt(EVP_PKEY_verify_init(check), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(check, RSA_PKCS1_PSS_PADDING), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(check, EVP_sha384()), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(
				     check, salts[i] == RSA_PSS_SALTLEN_AUTO ? RSA_PSS_SALTLEN_MAX : salts[i]),
		    0);
		ck_assert_int_eq(EVP_PKEY_verify(check, sig, n, digest, sizeof(digest)), 1);
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_CTX_free(check);
	}
	subject_drop(&s);
}
END_TEST

/* SHA-1, no hash at all, and the wrong length are refused without harm to the channel. */
START_TEST(sign_refused)
{
	uint8_t digest[32] = {7}, sig[512];
	struct subject s;

	subject_make(&s, KEYS_USE_SIGN, KEYS_RSA_2048);
	for (int i = 0; i < 4; i++) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s.pkey, NULL);
		size_t n = sizeof(sig);
		int want = i == 3;

		ck_assert_int_gt(EVP_PKEY_sign_init(ctx), 0);
		if (i != 1)
			ck_assert_int_gt(EVP_PKEY_CTX_set_signature_md(ctx, i == 0 ? EVP_sha1() : EVP_sha256()), 0);
		ck_assert_int_eq(EVP_PKEY_sign(ctx, sig, &n, digest, i == 0 ? 20 : i == 2 ? 31 : 32) > 0, want);
		EVP_PKEY_CTX_free(ctx);
	}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

/* Continued hashing after a signature works on copies (dupctx), and asking for the length signs nothing. */
START_TEST(digest_sign_goes_on)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *check = EVP_MD_CTX_new();
	uint8_t sig[2][512];
	size_t n[2] = {512, 512}, len = 0;
	struct subject s;

	subject_make(&s, KEYS_USE_SIGN, KEYS_EC_P256);
	ck_assert(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, s.pkey));
	ck_assert(EVP_DigestSignUpdate(ctx, "abc", 3));
	fixture_down(&fx); /* nobody there: asking the length must still work */
	ck_assert(EVP_DigestSignFinal(ctx, NULL, &len));
	ck_assert_uint_ge(len, 70);
	ck_assert(!EVP_DigestSignFinal(ctx, sig[0], &n[0]));
	ck_assert(keys_client_failed(s.client));
	fixture_up(&fx);
	keys_client_replace(s.client, fixture_fd(&fx, KEEPER_FOR_SEALER));
	n[0] = 512;
	ck_assert(EVP_DigestSignFinal(ctx, sig[0], &n[0]));
	ck_assert(EVP_DigestSignUpdate(ctx, "def", 3));
	ck_assert(EVP_DigestSignFinal(ctx, sig[1], &n[1]));
	for (int i = 0; i < 2; i++) {
		ck_assert(EVP_DigestVerifyInit(check, NULL, EVP_sha256(), NULL, s.pub));
		ck_assert_int_eq(
		    EVP_DigestVerify(check, sig[i], n[i], (const unsigned char *)"abcdef", i ? 6 : 3), 1);
		EVP_MD_CTX_reset(check);
	}
	EVP_MD_CTX_free(ctx);
	EVP_MD_CTX_free(check);
	subject_drop(&s);
}
END_TEST

int main(void)
{
	TCase *t = provider_case();

	tcase_add_loop_test(t, cms_sign, 0, NALGOS);
	tcase_add_loop_test(t, x509_sign, 0, NALGOS);
	tcase_add_test(t, pss_salt);
	tcase_add_test(t, sign_refused);
	tcase_add_test(t, digest_sign_goes_on);
	return provider_run("provider_sign", t);
}
