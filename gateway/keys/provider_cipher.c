/*
 * RSA key transport by keys in the keeper: PKCS #1 v1.5 (RFC 8017 7.2) and OAEP (7.1). Sealer. What comes back is a
 * content key of 16, 24 or 32 octets, always: with bad padding it is a pseudo-random one, and nothing here can tell
 * (promise P10). The TLS form of the padding is refused, we offer no TLS key transport. Parameters live in an encrypt
 * context of the default provider over the public key.
 */
#include "gateway/keys/provider_cipher.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/keys/keys_client.h"
#include "gateway/keys/provider.h"

struct cipher {
	struct provider_key *key;
	EVP_PKEY_CTX *enc; /* encrypt context: holds the parameters */
};

static void *cipher_new(void *provctx)
{
	(void)provctx;
	return mem_new(sizeof(struct cipher));
}

static void cipher_free(void *ctx)
{
	struct cipher *c = ctx;

	if (!c)
		return;
	provider_key_unref(c->key);
	EVP_PKEY_CTX_free(c->enc);
	free(c);
}

static void *cipher_dup(void *ctx)
{
	const struct cipher *from = ctx;
	struct cipher *c = cipher_new(NULL);

	if (from->key) {
		provider_key_ref(from->key);
		c->key = from->key;
	}
	if (from->enc)
		c->enc = EVP_PKEY_CTX_dup(from->enc);
	if (!c->enc == !from->enc)
		return c;
	cipher_free(c);
	return NULL;
}

static int set_params(void *ctx, const OSSL_PARAM params[])
{
	struct cipher *c = ctx;

	if (!params || !params[0].key)
		return 1;
	return c->enc && EVP_PKEY_CTX_set_params(c->enc, params) > 0;
}

static int get_params(void *ctx, OSSL_PARAM params[])
{
	struct cipher *c = ctx;

	return c->enc && EVP_PKEY_CTX_get_params(c->enc, params) > 0;
}

static const OSSL_PARAM *settable_params(void *ctx, void *provctx)
{
	struct cipher *c = ctx;

	(void)provctx;
	return c && c->enc ? EVP_PKEY_CTX_settable_params(c->enc) : NULL;
}

static const OSSL_PARAM *gettable_params(void *ctx, void *provctx)
{
	struct cipher *c = ctx;

	(void)provctx;
	return c && c->enc ? EVP_PKEY_CTX_gettable_params(c->enc) : NULL;
}

static int decrypt_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct cipher *c = ctx;
	struct provider_key *key = keydata;

	if (!key || !key->client)
		return provider_error("decryption needs a key of the keeper");
	provider_key_ref(key);
	provider_key_unref(c->key);
	c->key = key;
	EVP_PKEY_CTX_free(c->enc);
	c->enc = EVP_PKEY_CTX_new_from_pkey(NULL, key->pub, NULL);
	if (!c->enc || EVP_PKEY_encrypt_init(c->enc) <= 0)
		return 0;
	return set_params(c, params);
}

static int oaep_parameters(struct cipher *c, struct keeper_decrypt *rq)
{
	const EVP_MD *md = NULL, *mgf = NULL;
	unsigned char *label = NULL;
	int n;

	if (EVP_PKEY_CTX_get_rsa_oaep_md(c->enc, &md) <= 0 || EVP_PKEY_CTX_get_rsa_mgf1_md(c->enc, &mgf) <= 0 ||
	    !md || !mgf)
		return -1;
	n = EVP_PKEY_CTX_get0_rsa_oaep_label(c->enc, &label);
	if (n < 0)
		return -1;
	rq->pad = KEEPER_PAD_OAEP;
	rq->md = provider_md(EVP_MD_get0_name(md));
	rq->mgf_md = provider_md(EVP_MD_get0_name(mgf));
	rq->label = (struct keeper_octets){label, (size_t)n};
	return rq->md && rq->mgf_md ? 0 : -1;
}

static int parameters(struct cipher *c, struct keeper_decrypt *rq)
{
	/* not EVP_PKEY_CTX_get_rsa_padding: libcrypto 3.0 crashes in it when libssl has set the TLS form of the
	 * padding */
	int pad = 0;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &pad), OSSL_PARAM_construct_end()};

	if (EVP_PKEY_CTX_get_params(c->enc, params) <= 0)
		return -1;
	if (pad == RSA_PKCS1_OAEP_PADDING)
		return oaep_parameters(c, rq);
	rq->pad = KEEPER_PAD_PKCS1;
	rq->md = rq->mgf_md = KEEPER_MD_SHA256;
	return pad == RSA_PKCS1_PADDING ? 0 : -1;
}

static int decrypt(
    void *ctx, unsigned char *out, size_t *outlen, size_t outsize, const unsigned char *in, size_t inlen)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_DECRYPT, .decrypt.ciphertext = {in, inlen}};
	struct cipher *c = ctx;
	struct keeper_reply rp;

	if (!c->key || !c->enc)
		return 0;
	if (!out) {
		*outlen = (size_t)EVP_PKEY_get_size(c->key->pub);
		return 1;
	}
	if (outsize < sizeof(rp.cek.key))
		return provider_error("no room for a content key");
	if (parameters(c, &rq.decrypt) < 0)
		return provider_error("the keeper does not decrypt with these parameters (padding, hash)");
	rq.decrypt.want = (uint8_t)keys_client_expected(c->key->client);
	if (provider_ask(c->key, &rq, &rp) < 0)
		return 0;
	memcpy(out, rp.cek.key, sizeof(rp.cek.key));
	*outlen = rp.cek.len;
	keys_client_done(c->key->client, &rp);
	return 1;
}

const OSSL_DISPATCH provider_cipher[] = {
    {OSSL_FUNC_ASYM_CIPHER_NEWCTX, (void (*)(void))cipher_new},
    {OSSL_FUNC_ASYM_CIPHER_FREECTX, (void (*)(void))cipher_free},
    {OSSL_FUNC_ASYM_CIPHER_DUPCTX, (void (*)(void))cipher_dup},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, (void (*)(void))decrypt_init},
    {OSSL_FUNC_ASYM_CIPHER_DECRYPT, (void (*)(void))decrypt},
    {OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, (void (*)(void))set_params},
    {OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, (void (*)(void))settable_params},
    {OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, (void (*)(void))get_params},
    {OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_params},
    {0, NULL},
};
