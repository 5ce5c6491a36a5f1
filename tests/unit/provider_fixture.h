/*
 * A keeper, and subjects (key, certificate, EVP_PKEY through a client) for the tests of the provider, with
 * libcrypto's CMS on top. Each test file uses some of it.
 */
#ifndef POSTERN_TESTS_UNIT_PROVIDER_FIXTURE_H
#define POSTERN_TESTS_UNIT_PROVIDER_FIXTURE_H

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "gateway/base/log.h"
#include "tests/unit/keeper_fixture.h"

static const enum keys_algo provider_algos[] = {
    KEYS_RSA_2048, KEYS_RSA_3072, KEYS_EC_P256, KEYS_EC_P384, KEYS_EC_P521};
#define NALGOS ((int)(sizeof(provider_algos) / sizeof(provider_algos[0])))

static struct fixture fx;

/* A key, its certificate and its EVP_PKEY through one client. */
struct subject {
	struct keys_client *client;
	char id[40];
	EVP_PKEY *pub, *pkey;
	X509 *cert;
};

static inline void subject_use(struct subject *s, enum keeper_client who)
{
	struct problem pr = {0};

	s->client = fixture_client(&fx, who);
	s->pkey = keys_pkey(s->client, s->id, X509_get0_pubkey(s->cert), &pr);
	ck_assert_msg(s->pkey != NULL, "%s", pr.text);
}

static inline void subject_make(struct subject *s, enum keys_use use, enum keys_algo algo)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->id, sizeof(s->id), "hospital.example-%s-%s", keys_use_word(use), keys_algo_word(algo));
	s->pub = fixture_key(&fx, s->id, use, algo);
	s->cert = fixture_cert(&fx, s->id);
	subject_use(s, use == KEYS_USE_TLS ? KEEPER_FOR_RELAY : KEEPER_FOR_SEALER);
}

static inline void subject_drop(struct subject *s)
{
	keys_client_free(s->client); /* before its key, which must not mind */
	EVP_PKEY_free(s->pkey);
	EVP_PKEY_free(s->pub);
	X509_free(s->cert);
}

static inline void provider_setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	fixture_start(&fx);
}

static inline void provider_teardown(void)
{
	fixture_end(&fx);
}

static inline BIO *content(size_t n)
{
	BIO *b = BIO_new(BIO_s_mem());

	for (size_t i = 0; i < n; i += 16)
		ck_assert_int_eq(BIO_write(b, "0123456789abcde\n", 16), 16);
	return b;
}

enum sign_how { SIGN_PLAIN, SIGN_PSS, SIGN_STREAM, SIGN_NOATTR, SIGN_HOWS };

static inline CMS_ContentInfo *sign_prepare(const struct subject *s, enum sign_how how, unsigned flags)
{
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags | CMS_PARTIAL);
	CMS_SignerInfo *si;
	unsigned more = how == SIGN_PSS ? CMS_KEY_PARAM : how == SIGN_NOATTR ? CMS_NOATTR : 0;

	ck_assert_ptr_nonnull(cms);
	si = CMS_add1_signer(cms, s->cert, s->pkey, EVP_sha256(), flags | more);
	ck_assert_ptr_nonnull(si);
	if (how == SIGN_PSS) {
		EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);

		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST), 0);
	}
	return cms;
}

/* DER of a signed message, or -1 in *n when signing failed. */
static inline BIO *sign_message(const struct subject *s, enum sign_how how)
{
	unsigned flags = CMS_BINARY | (how == SIGN_STREAM ? CMS_STREAM : 0);
	CMS_ContentInfo *cms = sign_prepare(s, how, flags);
	BIO *in = content(5000), *out = BIO_new(BIO_s_mem());
	int ok;

	if (how == SIGN_STREAM)
		ok = i2d_CMS_bio_stream(out, cms, in, (int)flags);
	else
		ok = CMS_final(cms, in, NULL, flags) && i2d_CMS_bio(out, cms);
	BIO_free(in);
	CMS_ContentInfo_free(cms);
	if (ok)
		return out;
	BIO_free(out);
	return NULL;
}

static inline int verifies(BIO *der, X509 *cert)
{
	CMS_ContentInfo *cms = d2i_CMS_bio(der, NULL);
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *out = BIO_new(BIO_s_mem());
	int ok;

	ck_assert_ptr_nonnull(cms);
	sk_X509_push(certs, cert);
	ok = CMS_verify(cms, certs, NULL, NULL, out, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY);
	ck_assert_int_eq(BIO_pending(out), 5008);
	sk_X509_free(certs);
	BIO_free(out);
	CMS_ContentInfo_free(cms);
	return ok;
}

/* DEC_OAEP_SHA256, _LABEL: MGF1 with SHA-1; the two longer ones: with the same hash */
enum { DEC_PLAIN, DEC_OAEP_SHA1, DEC_OAEP_SHA256, DEC_OAEP_LABEL, DEC_OAEP_SHA384, DEC_OAEP_SHA512, DEC_HOWS };

static inline void oaep(EVP_PKEY_CTX *ctx, int how)
{
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 0);
	if (how == DEC_OAEP_SHA1)
		return;
	if (how >= DEC_OAEP_SHA384) {
		const EVP_MD *md = how == DEC_OAEP_SHA384 ? EVP_sha384() : EVP_sha512();

		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 0);
		ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md), 0);
		return;
	}
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha1()), 0);
	if (how == DEC_OAEP_LABEL)
		ck_assert_int_gt(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_strdup("tell"), 4), 0);
}

/* The message encrypted with cipher for cert; md of the key agreement's derivation NULL: libcrypto's default (SHA-1).
 */
static inline CMS_ContentInfo *encrypt(X509 *cert, const EVP_CIPHER *cipher, int how, const EVP_MD *kdf)
{
	BIO *in = content(5000);
	CMS_ContentInfo *cms = CMS_encrypt(NULL, NULL, cipher, CMS_PARTIAL | CMS_BINARY);
	CMS_RecipientInfo *ri = CMS_add1_recipient_cert(cms, cert, CMS_KEY_PARAM);

	ck_assert_ptr_nonnull(ri);
	if (how != DEC_PLAIN)
		oaep(CMS_RecipientInfo_get0_pkey_ctx(ri), how);
	if (kdf)
		ck_assert_int_gt(EVP_PKEY_CTX_set_ecdh_kdf_md(CMS_RecipientInfo_get0_pkey_ctx(ri), kdf), 0);
	ck_assert(CMS_final(cms, in, NULL, CMS_BINARY));
	BIO_free(in);
	return cms;
}

static inline int decrypts(CMS_ContentInfo *cms, EVP_PKEY *pkey, X509 *cert)
{
	BIO *out = BIO_new(BIO_s_mem());
	int ok = CMS_decrypt(cms, pkey, cert, NULL, out, CMS_BINARY);

	ok = ok && BIO_pending(out) == 5008;
	BIO_free(out);
	return ok;
}

/* One test case with the keeper around each test. */
static inline TCase *provider_case(void)
{
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, provider_setup, provider_teardown);
	tcase_set_timeout(t, 300);
	return t;
}

static inline int provider_run(const char *name, TCase *t)
{
	Suite *s = suite_create(name);

	suite_add_tcase(s, t);
	return fixture_run(s,
	    1u << KEYS_RSA_2048 | 1u << KEYS_RSA_3072 | 1u << KEYS_EC_P256 | 1u << KEYS_EC_P384 | 1u << KEYS_EC_P521);
}

#endif
