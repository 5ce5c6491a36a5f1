/*
 * The provider itself: its library context, its table of algorithms, and making a key. Relay, sealer, judge. The
 * functions of the tables are in provider_keymgmt.c, provider_sign.c, provider_cipher.c, provider_exchange.c.
 */
#include "gateway/keys/provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keys_client.h"
#include "gateway/keys/provider_cipher.h"
#include "gateway/keys/provider_exchange.h"
#include "gateway/keys/provider_keymgmt.h"
#include "gateway/keys/provider_sign.h"

#define PROVIDER_NAME "postern"

/*
 * One for the process and never freed: an EVP_PKEY keeps pointers into the context in which it was made, also while
 * it is being freed, so no key could safely be the one that takes the context with it.
 */
static OSSL_LIB_CTX *context;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;

static const OSSL_ALGORITHM keymgmt_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=" PROVIDER_NAME, provider_keymgmt_rsa,
	"RSA key in the keeper"},
    {"RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", "provider=" PROVIDER_NAME, provider_keymgmt_rsa_pss,
	"RSA key in the keeper that signs RSASSA-PSS only"},
    {"EC:id-ecPublicKey:1.2.840.10045.2.1", "provider=" PROVIDER_NAME, provider_keymgmt_ec, "EC key in the keeper"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signature_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=" PROVIDER_NAME, provider_sign,
	"RSA signature by the keeper"},
    {"ECDSA", "provider=" PROVIDER_NAME, provider_sign, "ECDSA signature by the keeper"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM cipher_algorithms[] = {
    {"RSA:rsaEncryption:1.2.840.113549.1.1.1", "provider=" PROVIDER_NAME, provider_cipher,
	"RSA decryption by the keeper"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM exchange_algorithms[] = {
    {"ECDH", "provider=" PROVIDER_NAME, provider_exchange, "ECDH by the keeper"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
	(void)provctx;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return keymgmt_algorithms;
	case OSSL_OP_SIGNATURE:
		return signature_algorithms;
	case OSSL_OP_ASYM_CIPHER:
		return cipher_algorithms;
	case OSSL_OP_KEYEXCH:
		return exchange_algorithms;
	default:
		return NULL;
	}
}

static const OSSL_DISPATCH provider_functions[] = {
    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
    {0, NULL},
};

static int provider_init(
    const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out, void **provctx)
{
	(void)in;
	*out = provider_functions;
	*provctx = (void *)handle; /* unused, but must not be NULL */
	return 1;
}

static void make_context(void)
{
	context = OSSL_LIB_CTX_new();
	if (!context || !OSSL_PROVIDER_add_builtin(context, PROVIDER_NAME, provider_init) ||
	    !OSSL_PROVIDER_load(context, PROVIDER_NAME))
		log_fatal("libcrypto does not take the provider for keys in the keeper");
}

struct provider_key *provider_key_new(void)
{
	struct provider_key *key = mem_new(sizeof(*key));

	key->refs = 1;
	return key;
}

void provider_key_ref(struct provider_key *key)
{
	key->refs++;
}

void provider_key_unref(struct provider_key *key)
{
	if (!key || --key->refs > 0)
		return;
	EVP_PKEY_free(key->pub);
	keys_client_unref(key->client);
	free(key);
}

/* The import function takes what it needs from key; nothing is kept of the parameter. */
static EVP_PKEY *key_from(struct provider_key *key, const char *type)
{
	OSSL_PARAM params[] = {OSSL_PARAM_octet_string(PROVIDER_PARAM_KEY, &key, sizeof(key)), OSSL_PARAM_END};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(context, type, NULL);
	EVP_PKEY *pkey = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) <= 0)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

EVP_PKEY *provider_pkey(struct keys_client *k, const char *id, EVP_PKEY *pub, struct problem *pr)
{
	const char *type = EVP_PKEY_is_a(pub, "RSA")	   ? "RSA"
			   : EVP_PKEY_is_a(pub, "RSA-PSS") ? "RSA-PSS"
			   : EVP_PKEY_is_a(pub, "EC")	   ? "EC"
							   : NULL;
	struct provider_key *key;
	EVP_PKEY *pkey = NULL;

	pthread_once(&context_once, make_context);
	if (!type) {
		problem_perm(pr, "The public key that belongs to key %s is neither RSA nor EC", id);
		return NULL;
	}
	key = provider_key_new();
	REQUIRE(mem_copy_str(key->id, sizeof(key->id), id) == 0);
	key->client = k;
	keys_client_ref(k);
	if (EVP_PKEY_up_ref(pub)) {
		key->pub = pub;
		key->has_public = true;
		pkey = key_from(key, type);
	}
	provider_key_unref(key);
	if (!pkey) {
		ERR_clear_error();
		problem_temp(pr, "libcrypto could not make an object for key %s", id);
	}
	return pkey;
}

int provider_error(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "%s", text);
	return 0;
}

uint8_t provider_md(const char *name)
{
	const EVP_MD *md = EVP_get_digestbyname(name);

	switch (md ? EVP_MD_get_type(md) : NID_undef) {
	case NID_sha1:
		return KEEPER_MD_SHA1;
	case NID_sha224:
		return KEEPER_MD_SHA224;
	case NID_sha256:
		return KEEPER_MD_SHA256;
	case NID_sha384:
		return KEEPER_MD_SHA384;
	case NID_sha512:
		return KEEPER_MD_SHA512;
	default:
		return 0;
	}
}

int provider_ask(const struct provider_key *key, struct keeper_request *rq, struct keeper_reply *rp_r)
{
	struct problem pr = {0};

	if (!key->client) {
		provider_error("a public key was asked for a private operation");
		return -1;
	}
	REQUIRE(mem_copy_str(rq->id, sizeof(rq->id), key->id) == 0);
	if (keys_client_call(key->client, rq, rp_r, &pr) == 0)
		return 0;
	provider_error("%s", pr.text);
	return -1;
}
