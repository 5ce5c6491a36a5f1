/*
 * The algorithms that a statement is signed with: AlgorithmIdentifiers (RFC 5754, RFC 4056, RFC 5758) read and
 * written. Judge, tests. Pure.
 */
#ifndef POSTERN_XSMG_STATEMENT_ALG_H
#define POSTERN_XSMG_STATEMENT_ALG_H

#include <openssl/evp.h>

#include "gateway/xsmg/statement_der.h"

enum statement_digest { STATEMENT_SHA256 = 1, STATEMENT_SHA384, STATEMENT_SHA512 };
enum statement_scheme { STATEMENT_RSA_PKCS1 = 1, STATEMENT_RSA_PSS, STATEMENT_ECDSA };

/* What is written. */
enum statement_alg {
	STATEMENT_ALG_RSA_SHA256, /* PKCS#1 v1.5 */
	STATEMENT_ALG_ECDSA_SHA256,
	STATEMENT_ALG_ECDSA_SHA384,
	STATEMENT_ALG_ECDSA_SHA512,
	STATEMENT_ALGS
};

/* Takes a digestAlgorithm: SHA-256, -384, -512, with NULL or without parameters. 0 / -1. */
int statement_alg_read_digest(struct statement_der *d, enum statement_digest *digest_r)
    __attribute__((warn_unused_result));
/* Takes a signatureAlgorithm that goes with the digest. 0 / -1. PSS: the digest also in MGF1, a salt as long. */
int statement_alg_read_scheme(struct statement_der *d, enum statement_digest digest, enum statement_scheme *scheme_r)
    __attribute__((warn_unused_result));
const EVP_MD *statement_alg_md(enum statement_digest digest);
/* The digest's AlgorithmIdentifier, without parameters. */
struct statement_octets statement_alg_digest_der(enum statement_digest digest);

/* Does the signature over the n octets verify with the key, which must be of the scheme's kind? */
bool statement_alg_verify(EVP_PKEY *key, enum statement_digest digest, enum statement_scheme scheme,
    const struct statement_octets *sig, const void *p, size_t n);

/* What a key signs with: RSA with SHA-256, ECDSA with the digest of its curve. 0; -1: it is of another kind. */
int statement_alg_of_key(EVP_PKEY *key, enum statement_alg *alg_r) __attribute__((warn_unused_result));
enum statement_digest statement_alg_digest(enum statement_alg alg);
/* Its signatureAlgorithm. */
struct statement_octets statement_alg_der(enum statement_alg alg);

#endif
