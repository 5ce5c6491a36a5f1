/*
 * The keeper as its clients see it: EVP_PKEYs whose private operations are IPC calls, wrapping of data keys, key
 * generation, certification. relay (TLS, wrap), sealer (mail sign, decrypt), judge (generate, certify, import).
 * Blocks up to `timeout_ms` per call (default 5 s). A client belongs to one thread.
 */
#ifndef POSTERN_KEYS_KEYS_H
#define POSTERN_KEYS_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

#define KEYS_ID_MAX 63	    /* [a-z0-9.-]: "hospital.example-sign-20261122-1a2b" */
#define KEYS_ID_NAME 40	    /* octets of the domain or host in it */
#define KEYS_WRAPPED_MAX 96 /* octets of a wrapped data key */
#define KEYS_DATA_KEY 32

enum keys_use { KEYS_USE_SIGN = 1, KEYS_USE_DECRYPT = 2, KEYS_USE_TLS = 3, KEYS_USE_STATEMENT = 4 };
enum keys_algo { KEYS_RSA_2048, KEYS_RSA_3072, KEYS_RSA_4096, KEYS_EC_P256, KEYS_EC_P384, KEYS_EC_P521 };
const char *keys_use_word(enum keys_use u);
const char *keys_algo_word(enum keys_algo a);
int keys_algo_parse(const char *word, enum keys_algo *a_r); /* "rsa-2048" ... "ec-p256" */

/* "<host>-tls-20261122-1a2b": what the key of a host is called; of a longer name its first 40 octets count. */
bool keys_tls_of(const char *id, const char *host);

struct keys_client;
/* fd: the role's socketpair end to the keeper (blocking use; owned by the client). Creates the provider in its own
 * OSSL_LIB_CTX. */
struct keys_client *keys_client_new(int fd);
void keys_client_free(struct keys_client *k);
/* The parent brought a new keeper: closes the old channel. EVP_PKEYs made before go on working. */
void keys_client_replace(struct keys_client *k, int fd);
/* Milliseconds a call may take; past it the call is a transport failure, and calls get 250 ms until one is answered
 * again. */
void keys_client_timeout(struct keys_client *k, int ms);
/* True when any call since the last keys_client_begin failed because the keeper could not be reached (not because of
 * the data). */
void keys_client_begin(struct keys_client *k);
bool keys_client_failed(const struct keys_client *k);
/* What the last failed call since keys_client_begin said (for the log and the sentence of the temporary answer); NULL
 * when none failed. */
const struct problem *keys_client_problem(const struct keys_client *k);
/* RSA key transport: how many octets the content key must have (16, 24, 32; 0: not known), from the content
 * encryption algorithm outside. A key of any other length is then replaced inside the keeper by a pseudo-random one,
 * exactly as one with bad padding. Stays until changed or keys_client_begin. */
void keys_client_expect(struct keys_client *k, unsigned octets);

/* A private key that lives in the keeper under id, with the public part of `pub`. EVP_PKEY_free it. NULL with pr. */
EVP_PKEY *keys_pkey(struct keys_client *k, const char *id, EVP_PKEY *pub, struct problem *pr);

/* The queue's data keys: 32 octets <-> opaque wrapped octets (AES-256-GCM under the key-encryption key, aad bound).
 * Relay only. */
int keys_wrap(struct keys_client *k, const uint8_t key[KEYS_DATA_KEY], struct buf *wrapped_r, struct problem *pr)
    __attribute__((warn_unused_result));
int keys_unwrap(struct keys_client *k, const void *wrapped, size_t n, uint8_t key_r[KEYS_DATA_KEY],
    struct problem *pr) __attribute__((warn_unused_result));

/* Judge only. Each returns when the sealed key is durably in the key directory. */
int keys_generate(struct keys_client *k, const char *id, enum keys_use use, enum keys_algo algo, EVP_PKEY **pub_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* pkcs8: a PKCS#8 PrivateKeyInfo DER, wiped by the caller. */
int keys_import(struct keys_client *k, const char *id, enum keys_use use, const void *pkcs8, size_t n,
    EVP_PKEY **pub_r, struct problem *pr) __attribute__((warn_unused_result));
/* What the keeper signs for itself: a CSR (PKCS#10) or a self-signed certificate for the key; the keeper builds it,
 * so that no client can have a free certificate or message signed. */
enum keys_cert_kind { KEYS_CERT_CSR, KEYS_CERT_SELF };
struct keys_cert_request {
	enum keys_cert_kind kind;
	const char *common_name, *organisation; /* organisation may be NULL */
	const char *dns_name;			/* dNSName SAN or NULL */
	const char *rfc822_name;		/* rfc822Name SAN or NULL */
	int days;				/* self-signed life */
};
int keys_certify(struct keys_client *k, const char *id, const struct keys_cert_request *rq, struct buf *der_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* Judge only, with a key for statements only: a signature over the signed attributes of a statement of XSMG. attrs:
 * their whole DER, SET OF (tag 0x31), as RFC 5652 5.4 has it signed. The keeper hashes it itself, and refuses
 * whatever is not exactly contentType id-smg-statement, messageDigest, signingTime, signingCertificateV2: the key can
 * sign nothing else. md: NID_sha256, NID_sha384 or NID_sha512, the hash of the SignerInfo. pss: RSASSA-PSS, salt as
 * long as the hash, instead of PKCS #1 v1.5 (not looked at for an EC key). sig_r gets the octets of the SignerInfo's
 * signature. */
int keys_sign_statement(struct keys_client *k, const char *id, int md, bool pss, const void *attrs, size_t n,
    struct buf *sig_r, struct problem *pr) __attribute__((warn_unused_result));
/* Judge only. The keeper has neither the key nor its file when it returns 0; so it has of one that it never had. */
int keys_forget(struct keys_client *k, const char *id, struct problem *pr) __attribute__((warn_unused_result));
/* Alive, sealed (still waits for its passphrase) or unreachable; how many keys. */
enum keys_state { KEYS_READY, KEYS_SEALED, KEYS_UNREACHABLE };
enum keys_state keys_status(struct keys_client *k, unsigned *nkeys_r);

#endif
