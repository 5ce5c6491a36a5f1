/*
 * Private keys in memory. Role keeper. A sorted array under a read-write lock; a key in use is held by a reference,
 * never by the lock, so that a slow RSA operation blocks nobody. libcrypto keeps the private numbers in its secure
 * arena (keeper.c makes it) and wipes them on free.
 */
#include "gateway/keys/keeper_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

struct keeper_keys {
	pthread_rwlock_t lock;
	struct keeper_key **keys; /* sorted by id */
	size_t n, cap;
};

static int ec_algo(EVP_PKEY *pkey, enum keys_algo *algo_r)
{
	char group[64];

	if (!EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL))
		return -1;
	if (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0)
		*algo_r = KEYS_EC_P256;
	else if (strcmp(group, "secp384r1") == 0 || strcmp(group, "P-384") == 0)
		*algo_r = KEYS_EC_P384;
	else if (strcmp(group, "secp521r1") == 0 || strcmp(group, "P-521") == 0)
		*algo_r = KEYS_EC_P521;
	else
		return -1;
	return 0;
}

int keeper_keys_algo(EVP_PKEY *pkey, const char *id, enum keys_algo *algo_r, struct problem *pr)
{
	int bits = EVP_PKEY_get_bits(pkey);

	if (EVP_PKEY_is_a(pkey, "EC") && ec_algo(pkey, algo_r) == 0)
		return 0;
	if ((EVP_PKEY_is_a(pkey, "RSA") || EVP_PKEY_is_a(pkey, "RSA-PSS")) &&
	    (bits == 2048 || bits == 3072 || bits == 4096)) {
		*algo_r = bits == 2048 ? KEYS_RSA_2048 : bits == 3072 ? KEYS_RSA_3072 : KEYS_RSA_4096;
		return 0;
	}
	return problem_perm(pr,
	    "Private key %s is %s with %d bits; the keeper takes RSA with 2048, 3072 or 4096 bits and EC on P-256, "
	    "P-384 or P-521",
	    id, EVP_PKEY_get0_type_name(pkey), bits);
}

/* The secret of implicit rejection: SHA-256 of the private exponent, in as many octets as the modulus. */
static uint8_t *reject_key(EVP_PKEY *pkey)
{
	uint8_t d[512], *key = OPENSSL_secure_zalloc(KEEPER_REJECT_KEY);
	int n = EVP_PKEY_get_size(pkey);
	BIGNUM *bn = NULL;
	bool ok;

	REQUIRE(n > 0 && n <= (int)sizeof(d));
	ok = key && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_D, &bn) && BN_bn2binpad(bn, d, n) == n &&
	     EVP_Digest(d, (size_t)n, key, NULL, EVP_sha256(), NULL);
	mem_wipe(d, sizeof(d));
	BN_clear_free(bn);
	if (ok)
		return key;
	OPENSSL_secure_clear_free(key, KEEPER_REJECT_KEY);
	return NULL;
}

/* A signature over nothing in particular, with defaults of the algorithm, that is checked and thrown away. */
static bool works(EVP_PKEY *pkey)
{
	static const uint8_t digest[32] = {1};
	EVP_PKEY_CTX *sign = EVP_PKEY_CTX_new(pkey, NULL), *check = EVP_PKEY_CTX_new(pkey, NULL);
	uint8_t sig[512];
	size_t n = sizeof(sig);
	bool ok = sign && check && EVP_PKEY_sign_init(sign) > 0 &&
		  EVP_PKEY_CTX_set_signature_md(sign, EVP_sha256()) > 0 &&
		  EVP_PKEY_sign(sign, sig, &n, digest, sizeof(digest)) > 0 && EVP_PKEY_verify_init(check) > 0 &&
		  EVP_PKEY_CTX_set_signature_md(check, EVP_sha256()) > 0 &&
		  EVP_PKEY_verify(check, sig, n, digest, sizeof(digest)) == 1;

	EVP_PKEY_CTX_free(sign);
	EVP_PKEY_CTX_free(check);
	return ok;
}

struct keeper_key *keeper_keys_new(const char *id, enum keys_use use, EVP_PKEY *pkey, struct problem *pr)
{
	struct keeper_key *key = mem_new(sizeof(*key));

	key->refs = 1;
	key->use = use;
	key->pkey = pkey;
	REQUIRE(mem_copy_str(key->id, sizeof(key->id), id) == 0);
	if (keeper_keys_algo(pkey, id, &key->algo, pr) < 0)
		goto fail;
	if (EVP_PKEY_is_a(pkey, "RSA") && !(key->reject = reject_key(pkey))) {
		problem_temp(pr, "Private key %s cannot be prepared: the keeper is out of memory for keys", id);
		goto fail;
	}
	if (!works(pkey)) {
		problem_perm(pr, "Private key %s does not work: a trial signature does not fit its public key", id);
		goto fail;
	}
	return key;
fail:
	ERR_clear_error();
	keeper_keys_unref(key);
	return NULL;
}

void keeper_keys_unref(struct keeper_key *key)
{
	if (!key || --key->refs > 0)
		return;
	EVP_PKEY_free(key->pkey);
	OPENSSL_secure_clear_free(key->reject, KEEPER_REJECT_KEY);
	mem_free_secret(key, sizeof(*key));
}

struct keeper_keys *keeper_keys_set_new(void)
{
	struct keeper_keys *set = mem_new(sizeof(*set));

	REQUIRE(pthread_rwlock_init(&set->lock, NULL) == 0);
	return set;
}

void keeper_keys_set_free(struct keeper_keys *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		keeper_keys_unref(set->keys[i]);
	pthread_rwlock_destroy(&set->lock);
	free(set->keys);
	free(set);
}

/* Where id is (true), or where it would have to be put. */
static bool place(const struct keeper_keys *set, const char *id, size_t *at_r)
{
	size_t from = 0, to = set->n;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = strcmp(id, set->keys[mid]->id);

		if (c == 0) {
			*at_r = mid;
			return true;
		}
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	*at_r = from;
	return false;
}

struct keeper_key *keeper_keys_find(struct keeper_keys *set, const char *id)
{
	struct keeper_key *key = NULL;
	size_t at;

	pthread_rwlock_rdlock(&set->lock);
	if (place(set, id, &at)) {
		key = set->keys[at];
		key->refs++;
	}
	pthread_rwlock_unlock(&set->lock);
	return key;
}

int keeper_keys_add(struct keeper_keys *set, struct keeper_key *key)
{
	int ret = -1;
	size_t at;

	pthread_rwlock_wrlock(&set->lock);
	if (!place(set, key->id, &at)) {
		if (set->n == set->cap) {
			set->cap = set->cap ? set->cap * 2 : 16;
			set->keys = mem_resize(set->keys, set->cap * sizeof(*set->keys));
		}
		memmove(set->keys + at + 1, set->keys + at, (set->n - at) * sizeof(*set->keys));
		set->keys[at] = key;
		set->n++;
		ret = 0;
	}
	pthread_rwlock_unlock(&set->lock);
	return ret;
}

int keeper_keys_remove(struct keeper_keys *set, const char *id)
{
	struct keeper_key *key = NULL;
	size_t at;

	pthread_rwlock_wrlock(&set->lock);
	if (place(set, id, &at)) {
		key = set->keys[at];
		set->n--;
		memmove(set->keys + at, set->keys + at + 1, (set->n - at) * sizeof(*set->keys));
	}
	pthread_rwlock_unlock(&set->lock);
	keeper_keys_unref(key);
	return key != NULL;
}

unsigned keeper_keys_count(struct keeper_keys *set)
{
	unsigned n;

	pthread_rwlock_rdlock(&set->lock);
	n = (unsigned)set->n;
	pthread_rwlock_unlock(&set->lock);
	return n;
}
