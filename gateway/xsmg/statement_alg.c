/*
 * Algorithm identifiers of statements. Judge, tests; pure. RFC 5754 2 (SHA-2; parameters absent, NULL is
 * accepted), 3.2 (RSA), RFC 5758 3.2 (ECDSA; no parameters), RFC 4055 3.1 and RFC 4056 (PSS).
 */
#include "gateway/xsmg/statement_alg.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "gateway/base/log.h"

#define NIST_HASH "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02"
#define PKCS1 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"
#define ECDSA "\x06\x08\x2a\x86\x48\xce\x3d\x04\x03"
#define NOTHING "\x05\x00"
#define OCTETS(s)                                                                                                    \
	{                                                                                                            \
		(const uint8_t *)(s), sizeof(s) - 1                                                                  \
	}

static const struct hash {
	struct statement_octets oid, der;
	uint8_t size;
	struct statement_octets rsa, ecdsa; /* OIDs of signatures with it */
} hashes[] = {
    [STATEMENT_SHA256] = {OCTETS(NIST_HASH "\x01"), OCTETS("\x30\x0b" NIST_HASH "\x01"), 32, OCTETS(PKCS1 "\x0b"),
	OCTETS(ECDSA "\x02")},
    [STATEMENT_SHA384] = {OCTETS(NIST_HASH "\x02"), OCTETS("\x30\x0b" NIST_HASH "\x02"), 48, OCTETS(PKCS1 "\x0c"),
	OCTETS(ECDSA "\x03")},
    [STATEMENT_SHA512] = {OCTETS(NIST_HASH "\x03"), OCTETS("\x30\x0b" NIST_HASH "\x03"), 64, OCTETS(PKCS1 "\x0d"),
	OCTETS(ECDSA "\x04")},
};
static const struct statement_octets rsa_plain = OCTETS(PKCS1 "\x01"), pss = OCTETS(PKCS1 "\x0a"),
				     mgf1 = OCTETS(PKCS1 "\x08"), null = OCTETS(NOTHING);

static const struct alg {
	enum statement_digest digest;
	struct statement_octets der;
} algs[STATEMENT_ALGS] = {
    [STATEMENT_ALG_RSA_SHA256] = {STATEMENT_SHA256, OCTETS("\x30\x0d" PKCS1 "\x0b" NOTHING)},
    [STATEMENT_ALG_ECDSA_SHA256] = {STATEMENT_SHA256, OCTETS("\x30\x0a" ECDSA "\x02")},
    [STATEMENT_ALG_ECDSA_SHA384] = {STATEMENT_SHA384, OCTETS("\x30\x0a" ECDSA "\x03")},
    [STATEMENT_ALG_ECDSA_SHA512] = {STATEMENT_SHA512, OCTETS("\x30\x0a" ECDSA "\x04")},
};

static bool is(const struct statement_der_item *it, const struct statement_octets *o)
{
	return statement_der_is(it, o->p, o->n);
}

/* AlgorithmIdentifier: its OID, and what follows. */
static int read_alg(struct statement_der *d, uint8_t tag, struct statement_der_item *oid, struct statement_der *rest)
{
	struct statement_der_item it;

	if (statement_der_take(d, tag, &it) < 0)
		return -1;
	statement_der_enter(rest, &it);
	return statement_der_take(rest, STATEMENT_DER_OID, oid);
}

/* Nothing, or NULL. */
static bool is_bare(struct statement_der *rest)
{
	return statement_der_end(rest) || (statement_der_exact(rest, null.p, null.n) == 0 && statement_der_end(rest));
}

int statement_alg_read_digest(struct statement_der *d, enum statement_digest *digest_r)
{
	struct statement_der_item oid;
	struct statement_der rest;

	if (read_alg(d, STATEMENT_DER_SEQ, &oid, &rest) < 0 || !is_bare(&rest))
		return -1;
	for (enum statement_digest h = STATEMENT_SHA256; h <= STATEMENT_SHA512; h++)
		if (is(&oid, &hashes[h].oid)) {
			*digest_r = h;
			return 0;
		}
	return -1;
}

/* An explicitly tagged digestAlgorithm, which must be this one. */
static int same_hash(struct statement_der *d, uint8_t tag, enum statement_digest digest)
{
	enum statement_digest got;
	struct statement_der_item it;
	struct statement_der in;

	if (statement_der_take(d, tag, &it) < 0)
		return -1;
	statement_der_enter(&in, &it);
	return statement_alg_read_digest(&in, &got) == 0 && got == digest && statement_der_end(&in) ? 0 : -1;
}

/* [1] { id-mgf1, the hash }. */
static int same_mgf(struct statement_der *d, enum statement_digest digest)
{
	struct statement_der_item it, oid;
	struct statement_der in, rest;
	enum statement_digest got;

	if (statement_der_take(d, STATEMENT_DER_1, &it) < 0)
		return -1;
	statement_der_enter(&in, &it);
	if (read_alg(&in, STATEMENT_DER_SEQ, &oid, &rest) < 0 || !is(&oid, &mgf1) || !statement_der_end(&in))
		return -1;
	return statement_alg_read_digest(&rest, &got) == 0 && got == digest && statement_der_end(&rest) ? 0 : -1;
}

/* RSASSA-PSS-params; the trailer field has its default, so DER leaves it out. */
static int read_pss(struct statement_der *rest, enum statement_digest digest)
{
	const uint8_t salt[] = {STATEMENT_DER_INTEGER, 1, hashes[digest].size};
	struct statement_der_item it, two;
	struct statement_der in;

	if (statement_der_take(rest, STATEMENT_DER_SEQ, &it) < 0 || !statement_der_end(rest))
		return -1;
	statement_der_enter(&in, &it);
	if (same_hash(&in, STATEMENT_DER_0, digest) < 0 || same_mgf(&in, digest) < 0 ||
	    statement_der_take(&in, STATEMENT_DER_2, &two) < 0 || !statement_der_end(&in))
		return -1;
	return two.n == sizeof salt && memcmp(two.p, salt, sizeof salt) == 0 ? 0 : -1;
}

int statement_alg_read_scheme(struct statement_der *d, enum statement_digest digest, enum statement_scheme *scheme_r)
{
	struct statement_der_item oid;
	struct statement_der rest;

	if (read_alg(d, STATEMENT_DER_SEQ, &oid, &rest) < 0)
		return -1;
	if (is(&oid, &pss)) {
		*scheme_r = STATEMENT_RSA_PSS;
		return read_pss(&rest, digest);
	}
	if (is(&oid, &hashes[digest].ecdsa)) {
		*scheme_r = STATEMENT_ECDSA;
		return statement_der_end(&rest) ? 0 : -1;
	}
	*scheme_r = STATEMENT_RSA_PKCS1;
	/* RFC 5754 3.2: NULL must be there; rsaEncryption as RFC 3370 3.2 has it */
	if (!is(&oid, &hashes[digest].rsa) && !is(&oid, &rsa_plain))
		return -1;
	return !statement_der_end(&rest) && is_bare(&rest) ? 0 : -1;
}

const EVP_MD *statement_alg_md(enum statement_digest digest)
{
	switch (digest) {
	case STATEMENT_SHA256:
		return EVP_sha256();
	case STATEMENT_SHA384:
		return EVP_sha384();
	case STATEMENT_SHA512:
		return EVP_sha512();
	}
	log_panic("no digest %d", (int)digest);
}

struct statement_octets statement_alg_digest_der(enum statement_digest digest)
{
	return hashes[digest].der;
}

static bool fits(EVP_PKEY *key, enum statement_scheme scheme)
{
	switch (scheme) {
	case STATEMENT_RSA_PKCS1:
		return EVP_PKEY_is_a(key, "RSA");
	case STATEMENT_RSA_PSS:
		return EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
	case STATEMENT_ECDSA:
		return EVP_PKEY_is_a(key, "EC");
	}
	return false;
}

static bool set_pss(EVP_PKEY_CTX *ctx, const EVP_MD *md)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

bool statement_alg_verify(EVP_PKEY *key, enum statement_digest digest, enum statement_scheme scheme,
    const struct statement_octets *sig, const void *p, size_t n)
{
	const EVP_MD *md = statement_alg_md(digest);
	EVP_PKEY_CTX *ctx = NULL; /* belongs to c */
	EVP_MD_CTX *c;
	bool good;

	if (!fits(key, scheme))
		return false;
	c = EVP_MD_CTX_new();
	if (!c)
		log_fatal("xsmg: no memory for a digest");
	good = EVP_DigestVerifyInit(c, &ctx, md, NULL, key) == 1 &&
	       (scheme != STATEMENT_RSA_PSS || set_pss(ctx, md)) && EVP_DigestVerify(c, sig->p, sig->n, p, n) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return good;
}

int statement_alg_of_key(EVP_PKEY *key, enum statement_alg *alg_r)
{
	int bits = EVP_PKEY_get_bits(key);

	*alg_r = STATEMENT_ALG_RSA_SHA256;
	if (EVP_PKEY_is_a(key, "RSA"))
		return 0;
	*alg_r = bits <= 256   ? STATEMENT_ALG_ECDSA_SHA256
		 : bits <= 384 ? STATEMENT_ALG_ECDSA_SHA384
			       : STATEMENT_ALG_ECDSA_SHA512;
	return EVP_PKEY_is_a(key, "EC") ? 0 : -1;
}

enum statement_digest statement_alg_digest(enum statement_alg alg)
{
	REQUIRE(alg < STATEMENT_ALGS);
	return algs[alg].digest;
}

struct statement_octets statement_alg_der(enum statement_alg alg)
{
	REQUIRE(alg < STATEMENT_ALGS);
	return algs[alg].der;
}
