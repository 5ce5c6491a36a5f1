/*
 * Sign, decrypt, agree with a private key. Role keeper, any of its threads: every operation has a libcrypto context
 * of its own and only refers to the key. RFC 8017 (RSA), RFC 6979 is not used (random nonces), SEC 1 3.6.1 and RFC
 * 5753 (ECDH with X9.63 derivation).
 */
#include "gateway/keys/keeper_ops.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keeper_statement.h"
#include "gateway/keys/keeper_unpad.h"

enum { RSA_OCTETS_MAX = 512 };

const EVP_MD *keeper_ops_md(enum keeper_md md)
{
	switch (md) {
	case KEEPER_MD_SHA1:
		return EVP_sha1();
	case KEEPER_MD_SHA224:
		return EVP_sha224();
	case KEEPER_MD_SHA256:
		return EVP_sha256();
	case KEEPER_MD_SHA384:
		return EVP_sha384();
	case KEEPER_MD_SHA512:
		return EVP_sha512();
	}
	log_panic("hash %d", md);
}

static int our_fault(const struct keeper_key *key, const char *what, struct problem *pr)
{
	ERR_clear_error();
	return problem_temp(pr, "libcrypto failed to %s with key %s in the keeper; try later", what, key->id);
}

/* ---- sign ---- */

static int sign_refuse(const struct keeper_key *key, const struct keeper_sign *rq, struct problem *pr)
{
	bool ec = EVP_PKEY_is_a(key->pkey, "EC"), pss = EVP_PKEY_is_a(key->pkey, "RSA-PSS");

	if (rq->md < KEEPER_MD_SHA256)
		return problem_perm(pr,
		    "The keeper does not sign %s hashes; SHA-256, SHA-384 and SHA-512 are possible",
		    EVP_MD_get0_name(keeper_ops_md(rq->md)));
	if (rq->digest.n != (size_t)EVP_MD_get_size(keeper_ops_md(rq->md)))
		return problem_perm(
		    pr, "A digest of %zu octets is no %s", rq->digest.n, EVP_MD_get0_name(keeper_ops_md(rq->md)));
	if (ec != (rq->pad == KEEPER_PAD_ECDSA) || (pss && rq->pad != KEEPER_PAD_PSS))
		return problem_perm(pr, "Key %s is %s; it cannot make the kind of signature asked for", key->id,
		    keys_algo_word(key->algo));
	return 0;
}

static int sign_parameters(EVP_PKEY_CTX *ctx, const struct keeper_sign *rq)
{
	if (EVP_PKEY_sign_init(ctx) <= 0 || EVP_PKEY_CTX_set_signature_md(ctx, keeper_ops_md(rq->md)) <= 0)
		return -1;
	if (rq->pad == KEEPER_PAD_ECDSA)
		return 0;
	if (rq->pad == KEEPER_PAD_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 ? 0 : -1;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, rq->salt) > 0
		   ? 0
		   : -1;
}

int keeper_ops_sign(
    const struct keeper_key *key, const struct keeper_sign *rq, struct buf *data_r, struct problem *pr)
{
	EVP_PKEY_CTX *ctx;
	size_t n = RSA_OCTETS_MAX;
	uint8_t *out = buf_room(data_r, n);
	int r = -1;

	if (sign_refuse(key, rq, pr) < 0)
		return -1;
	/* RFC 8017 9.1.1 step 3: emLen >= hLen + sLen + 2 */
	if (rq->pad == KEEPER_PAD_PSS && rq->digest.n + rq->salt + 2 > (size_t)EVP_PKEY_get_size(key->pkey))
		return problem_perm(pr, "A salt of %u octets is too long for key %s", rq->salt, key->id);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (out && ctx && sign_parameters(ctx, rq) == 0 &&
	    EVP_PKEY_sign(ctx, out, &n, rq->digest.p, rq->digest.n) > 0) {
		buf_added(data_r, n);
		r = 0;
	}
	EVP_PKEY_CTX_free(ctx);
	return r == 0 ? 0 : our_fault(key, "sign", pr);
}

int keeper_ops_statement(
    const struct keeper_key *key, const struct keeper_attrs *rq, struct buf *data_r, struct problem *pr)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	struct keeper_sign sign = {.md = rq->md};

	if (rq->md < KEEPER_MD_SHA256)
		return problem_perm(pr, "A statement is signed with SHA-256, SHA-384 or SHA-512");
	n = (unsigned)EVP_MD_get_size(keeper_ops_md(rq->md));
	if (keeper_statement_check(rq->der.p, rq->der.n, n, pr) < 0)
		return -1;
	if (EVP_Digest(rq->der.p, rq->der.n, digest, &n, keeper_ops_md(rq->md), NULL) != 1)
		return our_fault(key, "hash", pr);
	sign.digest = (struct keeper_octets){digest, n};
	sign.salt = rq->pss ? (uint16_t)n : 0;
	sign.pad = EVP_PKEY_is_a(key->pkey, "EC") ? KEEPER_PAD_ECDSA : rq->pss ? KEEPER_PAD_PSS : KEEPER_PAD_PKCS1;
	return keeper_ops_sign(key, &sign, data_r, pr);
}

/* ---- decrypt ---- */

/* A ciphertext as a number has one form here: as many octets as the modulus. 0, or -1 when it cannot be one (too
 * long). */
static int normal_form(const struct keeper_octets *c, uint8_t *out, size_t k)
{
	const uint8_t *p = c->p;
	size_t n = c->n;

	for (; n > k && *p == 0; p++)
		n--;
	if (n > k)
		return -1;
	memset(out, 0, k - n);
	if (n)
		memcpy(out + k - n, p, n);
	return 0;
}

/* The key that takes the place of a bad one: it depends on the private key and the ciphertext only. */
static int fallback_key(const struct keeper_key *key, const uint8_t *c, size_t k, enum keeper_pad pad, uint8_t *out)
{
	uint8_t in[1 + RSA_OCTETS_MAX];
	unsigned n = 0;

	in[0] = (uint8_t)pad;
	memcpy(in + 1, c, k);
	return HMAC(EVP_sha256(), key->reject, KEEPER_REJECT_KEY, in, 1 + k, out, &n) && n == KEEPER_KEY_MAX ? 0 : -1;
}

static int set_oaep(EVP_PKEY_CTX *ctx, const struct keeper_decrypt *rq)
{
	unsigned char *label;

	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, keeper_ops_md(rq->md)) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, keeper_ops_md(rq->mgf_md)) <= 0)
		return -1;
	if (rq->label.n == 0)
		return 0;
	label = OPENSSL_memdup(rq->label.p, rq->label.n);
	if (label && EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, label, (int)rq->label.n) > 0)
		return 0;
	OPENSSL_free(label);
	return -1;
}

/*
 * One RSA operation into em (RSA_OCTETS_MAX octets). v1.5: the bare block, whose padding is ours to take off, because
 * libcrypto 3.0 answers an error for a bad one. OAEP: libcrypto takes it off in constant time. *ok_r: 1 or 0, not to
 * be branched on. -1: not even begun.
 */
static int rsa_private(const struct keeper_key *key, const struct keeper_decrypt *rq, const uint8_t *c, size_t k,
    uint8_t *em, size_t *n_r, unsigned *ok_r)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	int r = ctx && EVP_PKEY_decrypt_init(ctx) > 0 ? 0 : -1;

	if (r == 0 && rq->pad == KEEPER_PAD_OAEP)
		r = set_oaep(ctx, rq);
	else if (r == 0)
		r = EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) > 0 ? 0 : -1;
	*n_r = RSA_OCTETS_MAX;
	if (r == 0)
		*ok_r = (unsigned)EVP_PKEY_decrypt(ctx, em, n_r, c, k);
	EVP_PKEY_CTX_free(ctx);
	return r;
}

/* Whether the ciphertext is below the modulus (RFC 8017 5.1.2): both are public. */
static int below_modulus(const struct keeper_key *key, const uint8_t *c, size_t k)
{
	uint8_t modulus[RSA_OCTETS_MAX];
	BIGNUM *n = NULL;
	int r = 0;

	if (EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_RSA_N, &n) && BN_bn2binpad(n, modulus, (int)k) == (int)k)
		r = memcmp(c, modulus, k) < 0;
	BN_free(n);
	return r;
}

int keeper_ops_decrypt(
    const struct keeper_key *key, const struct keeper_decrypt *rq, struct keeper_cek *cek_r, struct problem *pr)
{
	uint8_t c[RSA_OCTETS_MAX] = {0}, em[RSA_OCTETS_MAX] = {0}, fallback[KEEPER_KEY_MAX];
	size_t k = (size_t)EVP_PKEY_get_size(key->pkey), n = 0;
	unsigned ok = 0;
	int r;

	if (!key->reject)
		return problem_perm(
		    pr, "Key %s is %s; it cannot decrypt RSA key transport", key->id, keys_algo_word(key->algo));
	REQUIRE(k >= 256 && k <= RSA_OCTETS_MAX);
	/* a number that cannot be a ciphertext of this key is treated as zero, which has bad padding like any other
	 */
	if (normal_form(&rq->ciphertext, c, k) < 0 || !below_modulus(key, c, k))
		memset(c, 0, sizeof(c));
	if (fallback_key(key, c, k, rq->pad, fallback) < 0 || rsa_private(key, rq, c, k, em, &n, &ok) < 0) {
		r = our_fault(key, "decrypt", pr);
	} else if (rq->pad == KEEPER_PAD_OAEP) {
		keeper_unpad_oaep(ok, em, n, fallback, rq->want, cek_r);
		r = 0;
	} else if (ok != 1 || n != k) { /* the bare operation knows no bad data */
		r = our_fault(key, "decrypt", pr);
	} else {
		keeper_unpad_v15(em, k, fallback, rq->want, cek_r);
		r = 0;
	}
	ERR_clear_error();
	mem_wipe(em, sizeof(em));
	mem_wipe(fallback, sizeof(fallback));
	return r;
}

/* ---- agree ---- */

/* The originator's point as a key on the curve of ours; libcrypto refuses a point that is not on it. NULL: not a
 * point of this curve. */
static EVP_PKEY *peer_key(const struct keeper_key *key, const struct keeper_octets *point)
{
	const char *group = key->algo == KEYS_EC_P256 ? "P-256" : key->algo == KEYS_EC_P384 ? "P-384" : "P-521";
	size_t field = ((size_t)EVP_PKEY_get_bits(key->pkey) + 7) / 8;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)group, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point->p, point->n),
	    OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *peer = NULL;
	EVP_PKEY_CTX *ctx;

	/* SEC 1 2.3.4: uncompressed or compressed; the one octet 00 is infinity, which would give everybody the same
	 * secret */
	if (!(point->n == 1 + 2 * field && point->p[0] == 4) &&
	    !(point->n == 1 + field && (point->p[0] == 2 || point->p[0] == 3)))
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &peer, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		peer = NULL;
	EVP_PKEY_CTX_free(ctx);
	return peer;
}

static int agree_parameters(EVP_PKEY_CTX *ctx, EVP_PKEY *peer, const struct keeper_agree *rq)
{
	unsigned char *ukm = NULL;

	/* the curves have cofactor 1: a point on the curve is a point of the group, no further check is needed */
	if (EVP_PKEY_derive_init(ctx) <= 0 || EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) <= 0 ||
	    EVP_PKEY_CTX_set_ecdh_kdf_type(ctx, EVP_PKEY_ECDH_KDF_X9_63) <= 0 ||
	    EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, keeper_ops_md(rq->md)) <= 0 ||
	    EVP_PKEY_CTX_set_ecdh_kdf_outlen(ctx, rq->want) <= 0)
		return -1;
	if (rq->ukm.n == 0)
		return 0;
	ukm = OPENSSL_memdup(rq->ukm.p, rq->ukm.n);
	if (ukm && EVP_PKEY_CTX_set0_ecdh_kdf_ukm(ctx, ukm, (int)rq->ukm.n) > 0)
		return 0;
	OPENSSL_free(ukm);
	return -1;
}

int keeper_ops_agree(
    const struct keeper_key *key, const struct keeper_agree *rq, struct buf *data_r, struct problem *pr)
{
	size_t n = rq->want;
	uint8_t *out = buf_room(data_r, n);
	EVP_PKEY *peer;
	EVP_PKEY_CTX *ctx;
	int r = -1;

	if (!EVP_PKEY_is_a(key->pkey, "EC"))
		return problem_perm(pr, "Key %s is %s; it cannot agree on a key", key->id, keys_algo_word(key->algo));
	peer = peer_key(key, &rq->point);
	if (!peer) {
		ERR_clear_error();
		return problem_perm(pr, "The originator's key is not a point on the curve of key %s (%s)", key->id,
		    keys_algo_word(key->algo));
	}
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (out && ctx && agree_parameters(ctx, peer, rq) == 0 && EVP_PKEY_derive(ctx, out, &n) > 0 &&
	    n == rq->want) {
		buf_added(data_r, n);
		r = 0;
	}
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return r == 0 ? 0 : our_fault(key, "agree on a key", pr);
}
