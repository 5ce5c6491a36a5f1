/*
 * gateway/cms with keys that live in the keeper: every signature we write, streamed and detached; every key
 * management we read, also in one message of mixed recipients. Read by ourselves and by libcrypto.
 */
#include "tests/unit/cms_fixture.h"
#include "tests/unit/provider_fixture.h"

#include "gateway/keys/keys_client.h"

static struct buf text;

static void setup(void)
{
	provider_setup();
	text = fx_text(40000);
}

static void teardown(void)
{
	buf_clear(&text);
	provider_teardown();
}

static const struct {
	enum keys_algo algo;
	const char *digest, *says;
	bool pss, ski;
} signs[] = {
    {KEYS_RSA_2048, "SHA256", "rsaEncryption", false, false}, {KEYS_RSA_2048, "SHA384", "rsaEncryption", false, true},
    {KEYS_RSA_2048, "SHA512", "rsaEncryption", false, false}, {KEYS_RSA_2048, "SHA256", "rsassaPss", true, false},
    {KEYS_RSA_2048, "SHA384", "rsassaPss", true, true}, {KEYS_RSA_2048, "SHA512", "rsassaPss", true, false},
    {KEYS_RSA_3072, NULL, "rsassaPss", true, false}, {KEYS_EC_P256, NULL, "ecdsa-with-SHA256", false, false},
    {KEYS_EC_P384, NULL, "ecdsa-with-SHA384", false, false},
    {KEYS_EC_P521, NULL, "ecdsa-with-SHA512", true, false}, /* PSS means nothing there */
};

static int libcrypto_verifies(const struct buf *der, const struct buf *detached)
{
	BIO *in = BIO_new_mem_buf(der->p, (int)der->len), *out = BIO_new(BIO_s_null());
	BIO *side = detached ? BIO_new_mem_buf(detached->p, (int)detached->len) : NULL;
	CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
	int ok;

	ck_assert_ptr_nonnull(cms);
	ok = CMS_verify(cms, NULL, NULL, side, out, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY);

	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	BIO_free(side);
	return ok;
}

START_TEST(test_sign)
{
	struct subject s;
	struct cms_signer how = {
	    .digest = signs[_i].digest, .pss = signs[_i].pss, .ski = signs[_i].ski, .domain = true};

	subject_make(&s, KEYS_USE_SIGN, signs[_i].algo);
	how.cert = s.cert;
	how.key = s.pkey;
	for (int detached = 0; detached < 2; detached++) {
		struct cms_verdict v;
		struct problem pr;
		struct buf der, got;

		if (detached)
			fx_sign_detached(&text, &how, &der);
		else
			fx_sign(&text, &how, s.cert, &der);
		ck_assert_msg(fx_verify(der.p, der.len, detached ? &text : NULL, &got, &v, &pr) == 0, "%s", pr.text);
		ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
		ck_assert_str_eq(v.signers[0].sigalg, signs[_i].says);
		ck_assert_int_eq(libcrypto_verifies(&der, detached ? &text : NULL), 1);
		cms_verdict_clear(&v);
		buf_clear(&got);
		buf_clear(&der);
	}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

/* Gives the keeper a key whose identifier allows RSASSA-PSS only. */
static EVP_PKEY *import_pss(const char *id, enum keys_use use)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	struct keys_client *judge = fixture_client(&fx, KEEPER_FOR_JUDGE);
	EVP_PKEY *pkey = NULL, *pub;
	PKCS8_PRIV_KEY_INFO *info;
	unsigned char *der = NULL;
	struct problem pr = {0};
	int n;

	ck_assert(EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) > 0);
	ck_assert_int_gt(EVP_PKEY_generate(ctx, &pkey), 0);
	info = EVP_PKEY2PKCS8(pkey);
	n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
	ck_assert_msg(keys_import(judge, id, use, der, (size_t)n, &pub, &pr) == 0, "%s", pr.text);
	ck_assert(EVP_PKEY_is_a(pub, "RSA-PSS"));
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	keys_client_free(judge);
	return pub;
}

START_TEST(test_pss_key)
{
	/* it signs PSS, asked or not, and nothing else; a restart of the keeper reads it again */
	struct subject s = {.id = "pss"};
	uint8_t digest[32] = {7};
	struct keeper_request v15 = {.msg = KEEPER_MSG_SIGN,
	    .id = "pss",
	    .sign = {.pad = KEEPER_PAD_PKCS1, .md = KEEPER_MD_SHA256, .digest = {digest, 32}}};
	struct keeper_reply rp;
	struct problem why = {0};

	s.pub = import_pss(s.id, KEYS_USE_SIGN);
	s.cert = fixture_cert(&fx, s.id);
	ck_assert_int_eq(X509_get_signature_nid(s.cert), NID_rsassaPss);
	fixture_down(&fx);
	fixture_up(&fx);
	subject_use(&s, KEEPER_FOR_SEALER);
	for (int i = 0; i < 4; i++) {
		struct cms_signer how = {
		    .cert = s.cert, .key = s.pkey, .pss = i % 2, .digest = i < 2 ? "SHA256" : "SHA512"};
		struct cms_verdict v;
		struct problem pr;
		struct buf der, got;

		fx_sign(&text, &how, NULL, &der);
		ck_assert_msg(fx_verify(der.p, der.len, NULL, &got, &v, &pr) == 0, "%s", pr.text);
		ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
		ck_assert_str_eq(v.signers[0].sigalg, "rsassaPss");
		ck_assert_int_eq(libcrypto_verifies(&der, NULL), 1);
		cms_verdict_clear(&v);
		buf_clear(&got);
		buf_clear(&der);
	}
	/* whatever libcrypto would say, the keeper itself refuses the older padding */
	ck_assert_int_eq(keys_client_call(s.client, &v15, &rp, &why), -1);
	ck_assert_int_eq(why.cls, PROBLEM_PERM);
	ck_assert_ptr_nonnull(strstr(why.text, "cannot make the kind of signature"));
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

static const enum keys_algo decrypts_with[] = {KEYS_RSA_2048, KEYS_EC_P256, KEYS_EC_P384, KEYS_EC_P521};

START_TEST(test_decrypt)
{
	static const enum cms_keymode modes[] = {CMS_KEY_RSA_V15, CMS_KEY_RSA_OAEP_SHA1, CMS_KEY_RSA_OAEP_SHA256};
	static const enum cms_cipher ciphers[] = {
	    CMS_AES_256_CBC, CMS_AES_192_CBC, CMS_AES_128_CBC, CMS_AES_256_GCM, CMS_AES_192_GCM, CMS_AES_128_GCM};
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, decrypts_with[_i]);
	for (size_t m = 0; m < (_i == 0 ? 3 : 1); m++)
		for (size_t c = 0; c < 6; c++) {
			struct fx_id id = {s.cert, s.pkey};
			struct problem pr;
			struct buf der, got;

			fx_encrypt(&text, s.cert, modes[m], ciphers[c], &der);
			ck_assert_msg(fx_decrypt(der.p, der.len, &id, &got, &pr) == 0, "%s", pr.text);
			fx_same(&got, &text);
			buf_clear(&got);
			buf_clear(&der);
		}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

START_TEST(test_mixed)
{
	/* one message for v1.5, OAEP, two curves and a key identifier: each of them opens it */
	static const struct {
		enum keys_algo algo;
		enum cms_keymode mode;
		bool ski;
	} t[] = {{KEYS_RSA_2048, CMS_KEY_RSA_V15, false}, {KEYS_RSA_3072, CMS_KEY_RSA_OAEP_SHA256, true},
	    {KEYS_EC_P256, CMS_KEY_ECDH, true}, {KEYS_EC_P384, CMS_KEY_ECDH, false},
	    {KEYS_EC_P521, CMS_KEY_ECDH, false}};
	enum { N = sizeof(t) / sizeof(t[0]) };
	struct cms_recipient r[N];
	struct subject s[N];
	struct problem pr;
	struct buf der, got;

	for (int i = 0; i < N; i++) {
		subject_make(&s[i], KEYS_USE_DECRYPT, t[i].algo);
		r[i] = (struct cms_recipient){.cert = s[i].cert, .mode = t[i].mode, .ski = t[i].ski};
	}
	fx_encrypt_to(&text, r, N, CMS_AES_256_GCM, &der);
	for (int i = 0; i < N; i++) {
		struct fx_id id = {s[i].cert, s[i].pkey};

		keys_client_expect(s[i].client, 32);
		ck_assert_msg(fx_decrypt(der.p, der.len, &id, &got, &pr) == 0, "%d: %s", i, pr.text);
		fx_same(&got, &text);
		buf_clear(&got);
		ck_assert(!keys_client_failed(s[i].client));
		subject_drop(&s[i]);
	}
	buf_clear(&der);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("all");
	Suite *s = suite_create("cms_keeper");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_sign, 0, (int)(sizeof(signs) / sizeof(signs[0])));
	tcase_add_test(t, test_pss_key);
	tcase_add_loop_test(t, test_decrypt, 0, 4);
	tcase_add_test(t, test_mixed);
	suite_add_tcase(s, t);
	return fixture_run(s,
	    1u << KEYS_RSA_2048 | 1u << KEYS_RSA_3072 | 1u << KEYS_EC_P256 | 1u << KEYS_EC_P384 | 1u << KEYS_EC_P521);
}
