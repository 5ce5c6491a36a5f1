/*
 * Key agreement by keys in the keeper: ECDH with the X9.63 derivation, as CMS uses it (RFC 5753). Sealer. The keeper
 * gets the peer's point and the shared info and answers the key-encryption key; the shared secret itself stays there,
 * so an agreement without derivation is refused. Parameters live in a derive context of the default provider over the
 * public key, which never derives.
 */
#include "gateway/keys/provider_exchange.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/keys/keys_client.h"
#include "gateway/keys/provider.h"

struct exchange {
	struct provider_key *key;
	EVP_PKEY_CTX *kdf; /* derive context: holds the parameters */
	uint8_t point[KEEPER_POINT_MAX];
	size_t npoint;
};

static void *exchange_new(void *provctx)
{
	(void)provctx;
	return mem_new(sizeof(struct exchange));
}

static void exchange_free(void *ctx)
{
	struct exchange *x = ctx;

	if (!x)
		return;
	provider_key_unref(x->key);
	EVP_PKEY_CTX_free(x->kdf);
	free(x);
}

static void *exchange_dup(void *ctx)
{
	const struct exchange *from = ctx;
	struct exchange *x = exchange_new(NULL);

	*x = *from;
	x->kdf = from->kdf ? EVP_PKEY_CTX_dup(from->kdf) : NULL;
	if (x->key)
		provider_key_ref(x->key);
	if (!x->kdf == !from->kdf)
		return x;
	exchange_free(x);
	return NULL;
}

static int set_params(void *ctx, const OSSL_PARAM params[])
{
	struct exchange *x = ctx;

	if (!params || !params[0].key)
		return 1;
	return x->kdf && EVP_PKEY_CTX_set_params(x->kdf, params) > 0;
}

static int get_params(void *ctx, OSSL_PARAM params[])
{
	struct exchange *x = ctx;

	return x->kdf && EVP_PKEY_CTX_get_params(x->kdf, params) > 0;
}

static const OSSL_PARAM *settable_params(void *ctx, void *provctx)
{
	struct exchange *x = ctx;

	(void)provctx;
	return x && x->kdf ? EVP_PKEY_CTX_settable_params(x->kdf) : NULL;
}

static const OSSL_PARAM *gettable_params(void *ctx, void *provctx)
{
	struct exchange *x = ctx;

	(void)provctx;
	return x && x->kdf ? EVP_PKEY_CTX_gettable_params(x->kdf) : NULL;
}

static int exchange_init(void *ctx, void *keydata, const OSSL_PARAM params[])
{
	struct exchange *x = ctx;
	struct provider_key *key = keydata;

	if (!key || !key->client)
		return provider_error("key agreement needs a key of the keeper");
	provider_key_ref(key);
	provider_key_unref(x->key);
	x->key = key;
	x->npoint = 0;
	EVP_PKEY_CTX_free(x->kdf);
	x->kdf = EVP_PKEY_CTX_new_from_pkey(NULL, key->pub, NULL);
	if (!x->kdf || EVP_PKEY_derive_init(x->kdf) <= 0)
		return 0;
	return set_params(x, params);
}

static int set_peer(void *ctx, void *keydata)
{
	struct exchange *x = ctx;
	const struct provider_key *peer = keydata;

	if (!x->key || !peer || !peer->has_public || EVP_PKEY_parameters_eq(x->key->pub, peer->pub) != 1)
		return provider_error("the originator's key is not on the curve of ours");
	return EVP_PKEY_get_octet_string_param(
	    peer->pub, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, x->point, sizeof(x->point), &x->npoint);
}

static int parameters(struct exchange *x, struct keeper_agree *rq)
{
	char kdf[64] = "", md[64] = "";
	size_t n = 0;
	void *ukm = NULL;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_TYPE, kdf, sizeof(kdf)),
	    OSSL_PARAM_construct_utf8_string(OSSL_EXCHANGE_PARAM_KDF_DIGEST, md, sizeof(md)),
	    OSSL_PARAM_construct_size_t(OSSL_EXCHANGE_PARAM_KDF_OUTLEN, &n),
	    OSSL_PARAM_construct_octet_ptr(OSSL_EXCHANGE_PARAM_KDF_UKM, &ukm, 0),
	    OSSL_PARAM_construct_end(),
	};

	if (EVP_PKEY_CTX_get_params(x->kdf, params) <= 0 || strcmp(kdf, OSSL_KDF_NAME_X963KDF) != 0)
		return -1;
	if (n != 16 && n != 24 && n != 32)
		return -1;
	rq->want = (uint8_t)n;
	rq->md = provider_md(md);
	rq->point = (struct keeper_octets){x->point, x->npoint};
	rq->ukm = (struct keeper_octets){ukm, ukm ? params[3].return_size : 0};
	return rq->md ? 0 : -1;
}

static int derive(void *ctx, unsigned char *out, size_t *outlen, size_t outsize)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_AGREE};
	struct exchange *x = ctx;
	struct keeper_reply rp;
	int ok;

	if (!x->key || !x->kdf || !x->npoint)
		return 0;
	if (parameters(x, &rq.agree) < 0)
		return provider_error("the keeper does not agree with these parameters (only ECDH with X9.63 "
				      "derivation of an AES key)");
	if (!out) {
		*outlen = rq.agree.want;
		return 1;
	}
	if (outsize < rq.agree.want)
		return provider_error("no room for the key-encryption key");
	if (provider_ask(x->key, &rq, &rp) < 0)
		return 0;
	ok = rp.data.n == rq.agree.want;
	if (ok) {
		memcpy(out, rp.data.p, rp.data.n);
		*outlen = rp.data.n;
	}
	keys_client_done(x->key->client, &rp);
	return ok;
}

const OSSL_DISPATCH provider_exchange[] = {
    {OSSL_FUNC_KEYEXCH_NEWCTX, (void (*)(void))exchange_new},
    {OSSL_FUNC_KEYEXCH_FREECTX, (void (*)(void))exchange_free},
    {OSSL_FUNC_KEYEXCH_DUPCTX, (void (*)(void))exchange_dup},
    {OSSL_FUNC_KEYEXCH_INIT, (void (*)(void))exchange_init},
    {OSSL_FUNC_KEYEXCH_SET_PEER, (void (*)(void))set_peer},
    {OSSL_FUNC_KEYEXCH_DERIVE, (void (*)(void))derive},
    {OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, (void (*)(void))set_params},
    {OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, (void (*)(void))settable_params},
    {OSSL_FUNC_KEYEXCH_GET_CTX_PARAMS, (void (*)(void))get_params},
    {OSSL_FUNC_KEYEXCH_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_params},
    {0, NULL},
};
