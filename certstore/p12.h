/* A PKCS#12 file (RFC 7292) opened: its private key and certificates. CLI, and the role opener, which does it for
 * what strangers' browsers send. Pure but for the algorithms of older programs, which p12_prepare loads. */
#ifndef POSTERN_CERTSTORE_P12_H
#define POSTERN_CERTSTORE_P12_H

#include <openssl/x509.h>
#include <stddef.h>

#include "gateway/base/problem.h"

enum { P12_FILE_MAX = 1024 * 1024, P12_PASSWORD_MAX = 1024 };

struct p12 {
	EVP_PKEY *key;
	X509 *cert;
	STACK_OF(X509) * chain; /* may be NULL */
};

/* Loads what older programs encrypt with (RC2, 3DES): before a sandbox, within which p12_open could not. */
void p12_prepare(void);
/* 1 when the file's MAC fits that password, or it has none; 0; -1 with pr: it is no PKCS#12 file. */
int p12_fits(const void *file, size_t n, const char *password, struct problem *pr)
    __attribute__((warn_unused_result));
/* 0, p12_clear in both cases; -1 with pr, a sentence without a subject ("the password is wrong, ..."). Blocks as long
 * as the file's key derivation takes. */
int p12_open(const void *file, size_t n, const char *password, struct p12 *p_r, struct problem *pr)
    __attribute__((warn_unused_result));
void p12_clear(struct p12 *p);
/* The key as PKCS#8 in DER, OPENSSL_clear_free(*n_r); NULL with pr. */
unsigned char *p12_key(const struct p12 *p, size_t *n_r, struct problem *pr);
/* Certificate and chain as PEM, BIO_free; NULL with pr. */
BIO *p12_certs(const struct p12 *p, struct problem *pr);

#endif
