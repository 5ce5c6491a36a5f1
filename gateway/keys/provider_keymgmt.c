/*
 * Key objects of the provider: RSA and EC. Relay, sealer, judge. A key object is a name in the keeper plus the public
 * key as the default provider has it, which answers every question about sizes, groups and numbers.
 *
 * CMS key agreement (RFC 5753) with absent originator parameters copies our key's domain parameters into a new key,
 * sets the encoded point in it and hands it back as peer: hence dup, set_params and match, and key objects without a
 * name in the keeper. There is no validate function: the keeper checks the point itself, and a missing one counts as
 * valid.
 */
#include "gateway/keys/provider_keymgmt.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>

#include "gateway/keys/keys_client.h"
#include "gateway/keys/provider.h"

static void *key_new(void *provctx)
{
	(void)provctx;
	return provider_key_new();
}

static void key_free(void *keydata)
{
	provider_key_unref(keydata);
}

static int key_has(const void *keydata, int selection)
{
	const struct provider_key *key = keydata;

	if (!key)
		return 0;
	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && !key->client)
		return 0;
	if ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) && !key->has_public)
		return 0;
	if ((selection & OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS) && !key->pub)
		return 0;
	return 1;
}

static int key_match(const void *keydata1, const void *keydata2, int selection)
{
	const struct provider_key *a = keydata1, *b = keydata2;

	if (!a->pub || !b->pub)
		return 0;
	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR)
		return a->has_public && b->has_public && EVP_PKEY_eq(a->pub, b->pub) == 1;
	return EVP_PKEY_parameters_eq(a->pub, b->pub) == 1;
}

/* What provider_pkey made: a name in the keeper with its public key. */
static int take_key(struct provider_key *key, const OSSL_PARAM *p)
{
	struct provider_key *from;

	if (p->data_type != OSSL_PARAM_OCTET_STRING || p->data_size != sizeof(from) || !p->data)
		return 0;
	memcpy(&from, p->data, sizeof(from));
	if (!EVP_PKEY_up_ref(from->pub))
		return 0;
	key->pub = from->pub;
	key->has_public = true;
	key->client = from->client;
	keys_client_ref(key->client);
	memcpy(key->id, from->id, sizeof(key->id));
	return 1;
}

/* The public key of someone else, from libcrypto: the peer of an agreement, or a certificate's key to be compared
 * with ours. */
static int take_public(struct provider_key *key, const char *type, int selection, const OSSL_PARAM params[])
{
	bool public = selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	int ok = ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
		 EVP_PKEY_fromdata(ctx, &key->pub, public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEY_PARAMETERS,
		     (OSSL_PARAM *)params) > 0;

	EVP_PKEY_CTX_free(ctx);
	key->has_public = ok && public;
	return ok;
}

static int import(void *keydata, const char *type, int selection, const OSSL_PARAM params[])
{
	struct provider_key *key = keydata;
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, PROVIDER_PARAM_KEY);

	if (key->pub)
		return 0;
	return p ? take_key(key, p) : take_public(key, type, selection, params);
}

static int rsa_import(void *keydata, int selection, const OSSL_PARAM params[])
{
	return import(keydata, "RSA", selection, params);
}

static int rsa_pss_import(void *keydata, int selection, const OSSL_PARAM params[])
{
	return import(keydata, "RSA-PSS", selection, params);
}

static int ec_import(void *keydata, int selection, const OSSL_PARAM params[])
{
	return import(keydata, "EC", selection, params);
}

/* The private part is not here to be exported; refusing it is also what makes libcrypto use this provider (see
 * provider.h). */
static int key_export(void *keydata, int selection, OSSL_CALLBACK *cb, void *cbarg)
{
	const struct provider_key *key = keydata;
	OSSL_PARAM *params = NULL;
	int ok;

	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || !key->pub)
		return 0;
	if (!EVP_PKEY_todata(key->pub, key->has_public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEY_PARAMETERS, &params))
		return 0;
	ok = cb(params, cbarg);
	OSSL_PARAM_free(params);
	return ok;
}

static const OSSL_PARAM rsa_public[] = {
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
    OSSL_PARAM_END,
};

static const OSSL_PARAM ec_public[] = {
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
    OSSL_PARAM_END,
};

static const OSSL_PARAM *rsa_types(int selection)
{
	return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : rsa_public;
}

static const OSSL_PARAM *ec_types(int selection)
{
	return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : ec_public;
}

static int key_get_params(void *keydata, OSSL_PARAM params[])
{
	const struct provider_key *key = keydata;

	return key->pub ? EVP_PKEY_get_params(key->pub, params) : 0;
}

#define GETTABLE_COMMON                                                                                              \
	OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL), OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),             \
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),                                                          \
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0)

static const OSSL_PARAM *rsa_gettable(void *provctx)
{
	static const OSSL_PARAM params[] = {GETTABLE_COMMON, OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
	    OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0), OSSL_PARAM_END};

	(void)provctx;
	return params;
}

static const OSSL_PARAM *ec_gettable(void *provctx)
{
	static const OSSL_PARAM params[] = {GETTABLE_COMMON,
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0), OSSL_PARAM_END};

	(void)provctx;
	return params;
}

/* Only into a peer key under construction: the public half of a key in the keeper never changes, and its object is
 * shared. */
static int ec_set_params(void *keydata, const OSSL_PARAM params[])
{
	struct provider_key *key = keydata;

	if (!params || !params[0].key)
		return 1;
	if (key->client || !key->pub || !EVP_PKEY_set_params(key->pub, (OSSL_PARAM *)params))
		return 0;
	if (OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY))
		key->has_public = true;
	return 1;
}

static const OSSL_PARAM *ec_settable(void *provctx)
{
	static const OSSL_PARAM params[] = {
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0), OSSL_PARAM_END};

	(void)provctx;
	return params;
}

/* A copy with another selection gets an own public object, because ec_set_params may write into it. */
static void *key_dup(const void *keydata, int selection)
{
	const struct provider_key *from = keydata;
	struct provider_key *key = provider_key_new();
	int ok;

	if (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) {
		ok = from->pub && EVP_PKEY_up_ref(from->pub);
		key->pub = ok ? from->pub : NULL;
		key->has_public = ok && from->has_public;
		if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) && from->client) {
			key->client = from->client;
			keys_client_ref(key->client);
			memcpy(key->id, from->id, sizeof(key->id));
		}
	} else {
		key->pub = EVP_PKEY_new();
		ok = key->pub && from->pub && EVP_PKEY_copy_parameters(key->pub, from->pub);
	}
	if (ok)
		return key;
	provider_key_unref(key);
	return NULL;
}

static const char *ec_operation(int operation)
{
	return operation == OSSL_OP_KEYEXCH ? "ECDH" : operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

static const char *rsa_operation(int operation)
{
	(void)operation;
	return "RSA";
}

#define COMMON_FUNCTIONS                                                                                             \
	{OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))key_new}, {OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))key_free},        \
	    {OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))key_has}, {OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))key_match},  \
	    {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))key_export},                                                  \
	    {OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))key_get_params},                                          \
	{                                                                                                            \
		OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))key_dup                                                       \
	}

const OSSL_DISPATCH provider_keymgmt_rsa[] = {
    COMMON_FUNCTIONS,
    {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))rsa_import},
    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))rsa_types},
    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))rsa_types},
    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))rsa_gettable},
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))rsa_operation},
    {0, NULL},
};

/* A key whose identifier allows RSASSA-PSS only (RFC 4055 1.2). */
const OSSL_DISPATCH provider_keymgmt_rsa_pss[] = {
    COMMON_FUNCTIONS,
    {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))rsa_pss_import},
    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))rsa_types},
    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))rsa_types},
    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))rsa_gettable},
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))rsa_operation},
    {0, NULL},
};

const OSSL_DISPATCH provider_keymgmt_ec[] = {
    COMMON_FUNCTIONS,
    {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))ec_import},
    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))ec_types},
    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))ec_types},
    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))ec_gettable},
    {OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))ec_set_params},
    {OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))ec_settable},
    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))ec_operation},
    {0, NULL},
};
