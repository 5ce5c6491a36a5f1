/*
 * Signatures by keys in the keeper: RSA PKCS #1 v1.5 and PSS (RFC 8017 8.2, 8.1), ECDSA. Relay (TLS), sealer (mail).
 * Content is hashed here; the keeper gets a digest with the name of its hash. A signature without a named hash, and
 * one over SHA-1, is refused by the keeper. Parameters live in a verify context of the default provider over the
 * public key.
 */
#include "gateway/keys/provider_sign.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/keys/keys_client.h"
#include "gateway/keys/provider.h"

struct sign {
	struct provider_key *key;
	EVP_PKEY_CTX *check; /* verify context: holds the parameters */
	EVP_MD_CTX *md;	     /* of digest_sign; NULL otherwise */
};

static void *sign_new(void *provctx, const char *propq)
{
	(void)provctx;
	(void)propq;
	return mem_new(sizeof(struct sign));
}

static void sign_free(void *ctx)
{
	struct sign *s = ctx;

	if (!s)
		return;
	provider_key_unref(s->key);
	EVP_PKEY_CTX_free(s->check);
	EVP_MD_CTX_free(s->md);
	free(s);
}

/* EVP_DigestSignFinal works on a copy, so that more can be hashed afterwards: without this function nothing can be
 * signed. */
static void *sign_dup(void *ctx)
{
	const struct sign *from = ctx;
	struct sign *s = sign_new(NULL, NULL);

	if (from->key) {
		provider_key_ref(from->key);
		s->key = from->key;
	}
	if (from->check)
		s->check = EVP_PKEY_CTX_dup(from->check);
	if (from->md) {
		s->md = EVP_MD_CTX_new();
		if (s->md && !EVP_MD_CTX_copy_ex(s->md, from->md)) {
			EVP_MD_CTX_free(s->md);
			s->md = NULL;
		}
	}
	if (!s->check == !from->check && !s->md == !from->md)
		return s;
	sign_free(s);
	return NULL;
}

static int set_params(void *ctx, const OSSL_PARAM params[])
{
	struct sign *s = ctx;

	if (!params || !params[0].key)
		return 1;
	return s->check && EVP_PKEY_CTX_set_params(s->check, params) > 0;
}

static int get_params(void *ctx, OSSL_PARAM params[])
{
	struct sign *s = ctx;

	return s->check && EVP_PKEY_CTX_get_params(s->check, params) > 0;
}

static const OSSL_PARAM *settable_params(void *ctx, void *provctx)
{
	struct sign *s = ctx;

	(void)provctx;
	return s && s->check ? EVP_PKEY_CTX_settable_params(s->check) : NULL;
}

static const OSSL_PARAM *gettable_params(void *ctx, void *provctx)
{
	struct sign *s = ctx;

	(void)provctx;
	return s && s->check ? EVP_PKEY_CTX_gettable_params(s->check) : NULL;
}

/* keydata NULL: once more with the key there is. */
static int sign_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct sign *s = ctx;

	if (keydata) {
		provider_key_ref(keydata);
		provider_key_unref(s->key);
		s->key = keydata;
	}
	if (!s->key || !s->key->client)
		return provider_error("signing needs a key of the keeper");
	EVP_PKEY_CTX_free(s->check);
	s->check = EVP_PKEY_CTX_new_from_pkey(NULL, s->key->pub, NULL);
	if (!s->check || EVP_PKEY_verify_init(s->check) <= 0)
		return 0;
	return set_params(s, params);
}

static int digest_init(void *ctx, const char *mdname, void *keydata, const OSSL_PARAM params[])
{
	OSSL_PARAM named[] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
	struct sign *s = ctx;
	EVP_MD *md;
	int ok;

	if (!mdname)
		return provider_error("a key of the keeper signs with a named hash only");
	if (!sign_init(s, keydata, NULL))
		return 0;
	named[0] = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)mdname, 0);
	if (!set_params(s, named) || !set_params(s, params))
		return 0;
	if (!s->md)
		s->md = EVP_MD_CTX_new();
	md = EVP_MD_fetch(NULL, mdname, NULL);
	ok = s->md && md && EVP_DigestInit_ex2(s->md, md, NULL);
	EVP_MD_free(md);
	return ok;
}

static int digest_update(void *ctx, const unsigned char *data, size_t n)
{
	struct sign *s = ctx;

	return s->md && EVP_DigestUpdate(s->md, data, n);
}

/* The number of octets of salt that the parameters stand for (RFC 8017 9.1). 0 / -1. */
static int salt_octets(struct sign *s, size_t digest, uint16_t *salt_r)
{
	int salt;

	if (EVP_PKEY_CTX_get_rsa_pss_saltlen(s->check, &salt) <= 0)
		return -1;
	if (salt == RSA_PSS_SALTLEN_DIGEST)
		salt = (int)digest;
	else if (salt == RSA_PSS_SALTLEN_MAX || salt == RSA_PSS_SALTLEN_AUTO)
		salt =
		    (EVP_PKEY_get_bits(s->key->pub) + 6) / 8 - (int)digest - 2; /* emLen = ceil((modBits - 1) / 8) */
	if (salt < 0 || salt > UINT16_MAX)
		return -1;
	*salt_r = (uint16_t)salt;
	return 0;
}

static int rsa_padding(struct sign *s, struct keeper_sign *rq)
{
	const EVP_MD *mgf = NULL;
	int pad;

	if (EVP_PKEY_CTX_get_rsa_padding(s->check, &pad) <= 0)
		return -1;
	if (pad == RSA_PKCS1_PADDING) {
		rq->pad = KEEPER_PAD_PKCS1;
		return 0;
	}
	/* MGF1 with another hash than the message's: allowed on paper, written by nobody */
	if (pad != RSA_PKCS1_PSS_PADDING || EVP_PKEY_CTX_get_rsa_mgf1_md(s->check, &mgf) <= 0 || !mgf ||
	    provider_md(EVP_MD_get0_name(mgf)) != rq->md)
		return -1;
	rq->pad = KEEPER_PAD_PSS;
	return salt_octets(s, rq->digest.n, &rq->salt);
}

static int parameters(struct sign *s, struct keeper_sign *rq)
{
	char name[64] = "";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name, sizeof(name)),
	    OSSL_PARAM_construct_end()};

	if (EVP_PKEY_CTX_get_params(s->check, params) <= 0)
		return -1;
	rq->md = provider_md(name);
	if (!rq->md)
		return -1;
	if (!EVP_PKEY_is_a(s->key->pub, "EC"))
		return rsa_padding(s, rq);
	rq->pad = KEEPER_PAD_ECDSA;
	return 0;
}

static int sign(
    void *ctx, unsigned char *sig, size_t *siglen, size_t sigsize, const unsigned char *tbs, size_t tbslen)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_SIGN, .sign.digest = {tbs, tbslen}};
	struct sign *s = ctx;
	struct keeper_reply rp;
	int ok;

	if (!s->key || !s->check)
		return 0;
	if (!sig) {
		*siglen = (size_t)EVP_PKEY_get_size(s->key->pub);
		return 1;
	}
	if (parameters(s, &rq.sign) < 0)
		return provider_error("the keeper does not sign with these parameters (hash, padding, salt)");
	if (provider_ask(s->key, &rq, &rp) < 0)
		return 0;
	ok = rp.data.n <= sigsize;
	if (ok) {
		memcpy(sig, rp.data.p, rp.data.n);
		*siglen = rp.data.n;
	}
	keys_client_done(s->key->client, &rp);
	return ok;
}

static int digest_final(void *ctx, unsigned char *sig, size_t *siglen, size_t sigsize)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct sign *s = ctx;
	unsigned n = 0;

	/* the length alone is asked: the hash goes on, and the keeper is not bothered */
	if (!sig)
		return sign(s, NULL, siglen, 0, NULL, 0);
	if (!s->md || !EVP_DigestFinal_ex(s->md, digest, &n))
		return 0;
	return sign(s, sig, siglen, sigsize, digest, n);
}

const OSSL_DISPATCH provider_sign[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))sign_new},
    {OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))sign_free},
    {OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))sign_dup},
    {OSSL_FUNC_SIGNATURE_SIGN_INIT, (void (*)(void))sign_init},
    {OSSL_FUNC_SIGNATURE_SIGN, (void (*)(void))sign},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))digest_init},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, (void (*)(void))digest_update},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, (void (*)(void))digest_final},
    {OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))set_params},
    {OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))settable_params},
    {OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, (void (*)(void))get_params},
    {OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_params},
    {0, NULL},
};
