/*
 * libcrypto's CMS and libssl with keys that are in the keeper: every algorithm, from several clients at once, through a restart, and with a keeper that
 * is gone.
 */
#include "gateway/keys/provider.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>

#include "gateway/base/log.h"
#include "tests/unit/keeper_fixture.h"

static const enum keys_algo algos[] = {KEYS_RSA_2048, KEYS_RSA_3072, KEYS_EC_P256, KEYS_EC_P384};
#define NALGOS ((int)(sizeof(algos) / sizeof(algos[0])))

static struct fixture fx;

/* A key, its certificate and its EVP_PKEY through one client. */
struct subject {
	struct keys_client *client;
	char id[40];
	EVP_PKEY *pub, *pkey;
	X509 *cert;
};

static void subject_use(struct subject *s, enum keeper_client who)
{
	struct problem pr = {0};

	s->client = fixture_client(&fx, who);
	s->pkey = keys_pkey(s->client, s->id, X509_get0_pubkey(s->cert), &pr);
	ck_assert_msg(s->pkey != NULL, "%s", pr.text);
}

static void subject_make(struct subject *s, enum keys_use use, enum keys_algo algo)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->id, sizeof(s->id), "hospital.example-%s-%s", keys_use_word(use), keys_algo_word(algo));
	s->pub = fixture_key(&fx, s->id, use, algo);
	s->cert = fixture_cert(&fx, s->id);
	subject_use(s, use == KEYS_USE_TLS ? KEEPER_FOR_RELAY : KEEPER_FOR_SEALER);
}

static void subject_drop(struct subject *s)
{
	keys_client_free(s->client); /* before its key, which must not mind */
	EVP_PKEY_free(s->pkey);
	EVP_PKEY_free(s->pub);
	X509_free(s->cert);
}

static void setup(void)
{
	log_init("test", LOG_LEVEL_ERROR);
	fixture_start(&fx);
}

static void teardown(void)
{
	fixture_end(&fx);
}

/* ---- CMS signatures ---- */

static BIO *content(size_t n)
{
	BIO *b = BIO_new(BIO_s_mem());

	for (size_t i = 0; i < n; i += 16)
		ck_assert_int_eq(BIO_write(b, "0123456789abcde\n", 16), 16);
	return b;
}

enum sign_how { SIGN_PLAIN, SIGN_PSS, SIGN_STREAM, SIGN_NOATTR, SIGN_HOWS };

static CMS_ContentInfo *sign_prepare(const struct subject *s, enum sign_how how, unsigned flags)
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
static BIO *sign_message(const struct subject *s, enum sign_how how)
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

static int verifies(BIO *der, X509 *cert)
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

START_TEST(cms_sign)
{
	struct subject s;

	subject_make(&s, KEYS_USE_SIGN, algos[_i]);
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

	subject_make(&s, KEYS_USE_SIGN, algos[_i]);
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
		ck_assert_int_gt(
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(check, salts[i] == RSA_PSS_SALTLEN_AUTO ? RSA_PSS_SALTLEN_MAX : salts[i]), 0);
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
		ck_assert_int_eq(EVP_DigestVerify(check, sig[i], n[i], (const unsigned char *)"abcdef", i ? 6 : 3), 1);
		EVP_MD_CTX_reset(check);
	}
	EVP_MD_CTX_free(ctx);
	EVP_MD_CTX_free(check);
	subject_drop(&s);
}
END_TEST

/* ---- CMS decryption ---- */

enum { DEC_PLAIN, DEC_OAEP_SHA1, DEC_OAEP_SHA256, DEC_OAEP_LABEL };

static void oaep(EVP_PKEY_CTX *ctx, int how)
{
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 0);
	if (how == DEC_OAEP_SHA1)
		return;
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha1()), 0);
	if (how == DEC_OAEP_LABEL)
		ck_assert_int_gt(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_strdup("tell"), 4), 0);
}

/* The message encrypted with cipher for cert; md of the key agreement's derivation NULL: libcrypto's default (SHA-1). */
static CMS_ContentInfo *encrypt(X509 *cert, const EVP_CIPHER *cipher, int how, const EVP_MD *kdf)
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

static int decrypts(CMS_ContentInfo *cms, EVP_PKEY *pkey, X509 *cert)
{
	BIO *out = BIO_new(BIO_s_mem());
	int ok = CMS_decrypt(cms, pkey, cert, NULL, out, CMS_BINARY);

	ok = ok && BIO_pending(out) == 5008;
	BIO_free(out);
	return ok;
}

START_TEST(cms_decrypt_rsa)
{
	const EVP_CIPHER *const ciphers[] = {EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc(), EVP_aes_256_gcm()};
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, KEYS_RSA_2048);
	for (int how = DEC_PLAIN; how <= DEC_OAEP_LABEL; how++)
		for (size_t i = 0; i < 4; i++) {
			CMS_ContentInfo *cms = encrypt(s.cert, ciphers[i], how, NULL);

			ck_assert_msg(decrypts(cms, s.pkey, i % 2 ? s.cert : NULL), "how %d cipher %zu", how, i);
			keys_client_expect(s.client, (unsigned)EVP_CIPHER_get_key_length(ciphers[i]));
			ck_assert_msg(decrypts(cms, s.pkey, s.cert), "how %d cipher %zu", how, i);
			/* a key of another length than the one expected is none */
			keys_client_expect(s.client, i == 0 ? 32 : 16);
			ck_assert(!decrypts(cms, s.pkey, s.cert));
			keys_client_begin(s.client);
			CMS_ContentInfo_free(cms);
		}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

START_TEST(cms_decrypt_ec)
{
	const EVP_MD *const kdfs[] = {NULL, EVP_sha224(), EVP_sha256(), EVP_sha384(), EVP_sha512()};
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, _i ? KEYS_EC_P384 : KEYS_EC_P256);
	for (size_t i = 0; i < 5; i++) {
		CMS_ContentInfo *cms = encrypt(s.cert, i % 2 ? EVP_aes_128_cbc() : EVP_aes_256_gcm(), DEC_PLAIN, kdfs[i]);

		ck_assert_msg(decrypts(cms, s.pkey, i % 2 ? s.cert : NULL), "kdf %zu", i);
		CMS_ContentInfo_free(cms);
	}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

/* An agreement without derivation, or of an odd length, never reaches the keeper: it would give the shared secret away. */
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

/* Nothing private can be taken out of such a key. */
START_TEST(no_export)
{
	struct subject s;
	OSSL_PARAM *params = NULL;
	PKCS8_PRIV_KEY_INFO *p8;
	BIO *out = BIO_new(BIO_s_mem());

	subject_make(&s, KEYS_USE_SIGN, algos[_i]);
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

/* ---- bad padding ---- */

/* v1.5 padding of a key into em[0..256), made bad as asked. */
static void pad_v15(uint8_t *em, const uint8_t *key, size_t n)
{
	memset(em, 0xa5, 256);
	em[0] = 0;
	em[1] = 2;
	em[255 - n] = 0;
	memcpy(em + 256 - n, key, n);
}

static void raw_encrypt(EVP_PKEY *pub, const uint8_t *em, uint8_t *c)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	size_t n = 256;

	ck_assert_int_gt(EVP_PKEY_encrypt_init(ctx), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 0);
	ck_assert_int_gt(EVP_PKEY_encrypt(ctx, c, &n, em, 256), 0);
	EVP_PKEY_CTX_free(ctx);
}

static size_t transport(const struct subject *s, int pad, const uint8_t *c, size_t n, uint8_t out[256])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->pkey, NULL);
	size_t len = 256;

	memset(out, 0, 256);
	ck_assert_int_gt(EVP_PKEY_decrypt_init(ctx), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, pad), 0);
	ck_assert_int_gt(EVP_PKEY_decrypt(ctx, out, &len, c, n), 0);
	EVP_PKEY_CTX_free(ctx);
	return len;
}

/* Whatever is wrong with the ciphertext: a key of 32 octets, the same for the same ciphertext, another for another. */
START_TEST(implicit_rejection)
{
	static const uint8_t key[32] = "0123456789abcdef0123456789abcde";
	uint8_t em[256], c[256], a[256], b[256], last[32] = {0};
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, KEYS_RSA_2048);
	pad_v15(em, key, 32);
	raw_encrypt(s.pub, em, c);
	ck_assert_uint_eq(transport(&s, RSA_PKCS1_PADDING, c, 256, a), 32);
	ck_assert_mem_eq(a, key, 32);
	for (int i = 0; i < 8; i++) {
		int pad = i == 6 ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;

		pad_v15(em, key, i == 4 ? 20 : 32);
		em[1] = i == 0 ? 1 : 2;
		em[2 + (i == 1 ? 3 : 0)] = i == 1 ? 0 : 0xa5;  /* padding too short */
		em[223] = i == 2 ? 7 : em[223];		       /* a key that is too long */
		memset(em + 2, 1, i == 3 ? 254 : 0);	       /* no end of padding */
		raw_encrypt(s.pub, em, c);
		if (i == 5)
			memset(c, 0xff, 256); /* not below the modulus */
		ck_assert_uint_eq(transport(&s, pad, c, i == 7 ? 100 : 256, a), 32);
		ck_assert_uint_eq(transport(&s, pad, c, i == 7 ? 100 : 256, b), 32);
		ck_assert_mem_eq(a, b, 32);
		ck_assert_mem_ne(a, key, 32);
		ck_assert_mem_ne(a, last, 32);
		memcpy(last, a, 32);
		keys_client_expect(s.client, 16);
		ck_assert_uint_eq(transport(&s, pad, c, i == 7 ? 100 : 256, b), 16);
		ck_assert_mem_eq(a, b, 16);
		keys_client_expect(s.client, 0);
	}
	ck_assert(!keys_client_failed(s.client));
	/* a restarted keeper gives the same key for the same ciphertext */
	transport(&s, RSA_PKCS1_PADDING, c, 100, b);
	fixture_down(&fx);
	fixture_up(&fx);
	keys_client_replace(s.client, fixture_fd(&fx, KEEPER_FOR_SEALER));
	transport(&s, RSA_PKCS1_PADDING, c, 100, a);
	ck_assert_mem_eq(a, b, 32);
	subject_drop(&s);
}
END_TEST

/* An encryptedKey of any length is answered or refused here; it never costs the sealer its channel. */
START_TEST(overlong_ciphertext)
{
	uint8_t big[4096], out[256];
	struct subject s;
	EVP_PKEY_CTX *ctx;
	size_t len = 256;

	memset(big, 1, sizeof(big));
	subject_make(&s, KEYS_USE_DECRYPT, KEYS_RSA_2048);
	ck_assert_uint_eq(transport(&s, RSA_PKCS1_PADDING, big, 1000, out), 32);
	ctx = EVP_PKEY_CTX_new(s.pkey, NULL);
	ck_assert_int_gt(EVP_PKEY_decrypt_init(ctx), 0);
	ck_assert_int_le(EVP_PKEY_decrypt(ctx, out, &len, big, sizeof(big)), 0);
	EVP_PKEY_CTX_free(ctx);
	ck_assert(!keys_client_failed(s.client));
	ck_assert_uint_eq(transport(&s, RSA_PKCS1_PADDING, big, 256, out), 32);
	subject_drop(&s);
}
END_TEST

/* ---- TLS ---- */

static int handshake(SSL *server, SSL *client)
{
	int a = 0, b = 0;

	for (int i = 0; i < 20 && (a != 1 || b != 1); i++) {
		b = SSL_do_handshake(client);
		a = SSL_do_handshake(server);
		if (a != 1 && SSL_get_error(server, a) != SSL_ERROR_WANT_READ)
			return 0;
		if (b != 1 && SSL_get_error(client, b) != SSL_ERROR_WANT_READ)
			return 0;
	}
	return a == 1 && b == 1;
}

static int tls(const struct subject *s, int version, const char *ciphers, const char *sigalgs)
{
	SSL_CTX *sctx = SSL_CTX_new(TLS_server_method()), *cctx = SSL_CTX_new(TLS_client_method());
	SSL *server, *client;
	BIO *up, *down;
	int ok;

	ck_assert_int_eq(SSL_CTX_use_certificate(sctx, s->cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(sctx, s->pkey), 1);
	ck_assert_int_eq(SSL_CTX_check_private_key(sctx), 1);
	SSL_CTX_set_min_proto_version(cctx, version);
	SSL_CTX_set_max_proto_version(cctx, version);
	if (ciphers)
		ck_assert_int_eq(SSL_CTX_set_cipher_list(cctx, ciphers), 1);
	if (sigalgs)
		ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(cctx, sigalgs), 1);
	server = SSL_new(sctx);
	client = SSL_new(cctx);
	ck_assert_int_eq(BIO_new_bio_pair(&up, 0, &down, 0), 1);
	SSL_set_bio(server, up, up);
	SSL_set_bio(client, down, down);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	ok = handshake(server, client);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(sctx);
	SSL_CTX_free(cctx);
	ERR_clear_error();
	return ok;
}

START_TEST(tls_server)
{
	struct subject s;

	subject_make(&s, KEYS_USE_TLS, algos[_i]);
	ck_assert(tls(&s, TLS1_3_VERSION, NULL, NULL));
	ck_assert(tls(&s, TLS1_2_VERSION, NULL, NULL));
	if (EVP_PKEY_is_a(s.pkey, "RSA")) {
		ck_assert(tls(&s, TLS1_2_VERSION, NULL, "RSA+SHA256"));
		ck_assert(tls(&s, TLS1_2_VERSION, NULL, "rsa_pss_rsae_sha512"));
		ck_assert(tls(&s, TLS1_3_VERSION, NULL, "rsa_pss_rsae_sha384"));
		/* key transport needs decryption, which no client of a TLS key gets */
		ck_assert(!tls(&s, TLS1_2_VERSION, "AES128-GCM-SHA256:AES256-GCM-SHA384", NULL));
	}
	subject_drop(&s);
}
END_TEST

START_TEST(tls_wrong_key)
{
	struct subject s;

	/* the relay with a key for mail: the handshake fails, and the client knows that it was the keeper */
	subject_make(&s, KEYS_USE_SIGN, KEYS_EC_P256);
	keys_client_free(s.client);
	EVP_PKEY_free(s.pkey);
	subject_use(&s, KEEPER_FOR_RELAY);
	ck_assert(!tls(&s, TLS1_3_VERSION, NULL, NULL));
	ck_assert(keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

/* ---- many at once, restart, death ---- */

struct crowd {
	struct subject *sign, *decrypt;
	int ok;
};

static void *crowd_thread(void *arg)
{
	struct crowd *c = arg;
	struct subject sign = *c->sign, decrypt = *c->decrypt;

	subject_use(&sign, KEEPER_FOR_SEALER);
	subject_use(&decrypt, KEEPER_FOR_SEALER);
	c->ok = 1;
	for (int i = 0; i < 12 && c->ok; i++) {
		BIO *der = sign_message(&sign, i % 2 ? SIGN_PLAIN : SIGN_STREAM);
		CMS_ContentInfo *cms = encrypt(decrypt.cert, EVP_aes_256_cbc(), DEC_PLAIN, NULL);

		c->ok = der && verifies(der, sign.cert) == 1 && decrypts(cms, decrypt.pkey, decrypt.cert);
		BIO_free(der);
		CMS_ContentInfo_free(cms);
	}
	EVP_PKEY_free(sign.pkey);
	EVP_PKEY_free(decrypt.pkey);
	keys_client_free(sign.client);
	keys_client_free(decrypt.client);
	return NULL;
}

START_TEST(many_clients)
{
	struct subject sign, decrypt;
	struct crowd crowd[6];
	pthread_t threads[6];

	subject_make(&sign, KEYS_USE_SIGN, _i ? KEYS_EC_P384 : KEYS_RSA_2048);
	subject_make(&decrypt, KEYS_USE_DECRYPT, _i ? KEYS_EC_P256 : KEYS_RSA_2048);
	for (int i = 0; i < 6; i++) {
		crowd[i] = (struct crowd){&sign, &decrypt, 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, crowd_thread, &crowd[i]), 0);
	}
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_msg(crowd[i].ok, "thread %d", i);
	}
	subject_drop(&sign);
	subject_drop(&decrypt);
}
END_TEST

START_TEST(restart)
{
	struct subject sign, decrypt;
	CMS_ContentInfo *cms;
	BIO *der;

	subject_make(&sign, KEYS_USE_SIGN, algos[_i]);
	subject_make(&decrypt, KEYS_USE_DECRYPT, algos[_i]);
	cms = encrypt(decrypt.cert, EVP_aes_256_cbc(), DEC_PLAIN, NULL);

	fixture_down(&fx);
	ck_assert_ptr_null(sign_message(&sign, SIGN_PLAIN));
	ck_assert(keys_client_failed(sign.client));
	ck_assert_ptr_nonnull(keys_client_problem(sign.client));
	ck_assert_int_eq(keys_client_problem(sign.client)->cls, PROBLEM_TEMP);
	/* libcrypto says the message is bad, or nothing at all; the client knows better */
	ck_assert(!decrypts(cms, decrypt.pkey, decrypt.cert));
	ck_assert(keys_client_failed(decrypt.client));

	fixture_up(&fx);
	keys_client_replace(sign.client, fixture_fd(&fx, KEEPER_FOR_SEALER));
	keys_client_replace(decrypt.client, fixture_fd(&fx, KEEPER_FOR_SEALER));
	keys_client_begin(sign.client);
	keys_client_begin(decrypt.client);
	der = sign_message(&sign, SIGN_STREAM);
	ck_assert_ptr_nonnull(der);
	ck_assert_int_eq(verifies(der, sign.cert), 1);
	ck_assert(decrypts(cms, decrypt.pkey, decrypt.cert));
	ck_assert(!keys_client_failed(sign.client) && !keys_client_failed(decrypt.client));
	BIO_free(der);
	CMS_ContentInfo_free(cms);
	subject_drop(&sign);
	subject_drop(&decrypt);
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
	Suite *s = suite_create("provider");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, cms_sign, 0, NALGOS);
	tcase_add_loop_test(t, x509_sign, 0, NALGOS);
	tcase_add_test(t, pss_salt);
	tcase_add_test(t, sign_refused);
	tcase_add_test(t, digest_sign_goes_on);
	tcase_add_test(t, cms_decrypt_rsa);
	tcase_add_loop_test(t, cms_decrypt_ec, 0, 2);
	tcase_add_test(t, no_raw_agreement);
	tcase_add_loop_test(t, no_export, 0, NALGOS);
	tcase_add_test(t, implicit_rejection);
	tcase_add_test(t, overlong_ciphertext);
	tcase_add_loop_test(t, tls_server, 0, NALGOS);
	tcase_add_test(t, tls_wrong_key);
	tcase_add_loop_test(t, many_clients, 0, 2);
	tcase_add_loop_test(t, restart, 0, NALGOS);
	tcase_add_test(t, orphan);
	suite_add_tcase(s, t);
	return fixture_run(s, 1u << KEYS_RSA_2048 | 1u << KEYS_RSA_3072 | 1u << KEYS_EC_P256 | 1u << KEYS_EC_P384);
}
