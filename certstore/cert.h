/*
 * Facts about one certificate. Judge, CLI (preview), tests; pure over DER octets, OpenSSL; no I/O. Cached by the hash
 * of the DER by whoever holds many.
 */
#ifndef POSTERN_CERTSTORE_CERT_H
#define POSTERN_CERTSTORE_CERT_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "certstore/cert_bind.h"
#include "certstore/cert_read.h"
#include "gateway/base/problem.h"

#define CERT_DER_MAX 65536
#define CERT_HASH_TEXT 65

struct cert_facts {
	char subject[512], issuer[512]; /* RFC 4514-like, control octets escaped */
	char serial[130];		/* hex */
	char sha256[CERT_HASH_TEXT];	/* hex of SHA-256 over the DER */
	int64_t not_before, not_after;	/* unix s */
	char key[32];			/* "RSA 2048", "EC P-256" */
	bool may_sign, may_encrypt;	/* key usage and EKU together allow it for mail */
	bool eku_mail; /* EKU emailProtection or anyExtendedKeyUsage (RFC 8550 4.4.4), or no EKU at all */
	bool ca, self_signed;
	bool weak; /* RSA < 2048, MD5/SHA-1 signature */
	char weak_why[128];
	char names[1024]; /* SANs: "dns:a.example mail:b@a.example" */
};
/* Strict DER of exactly one certificate. NULL with pr. X509_free. */
X509 *cert_parse(const void *der, size_t n, struct problem *pr);
void cert_facts(X509 *x, struct cert_facts *f_r);
/* "CN=..., serial 1A2B, valid 2026-01-01 to 2027-01-01" for sentences. */
const char *cert_words(const struct cert_facts *f, char *out, size_t cap);
/* "2026-01-01"; out has 11 octets. */
const char *cert_day(int64_t unix_s, char out[11]);
/* Fingerprint in groups of 4 hex digits for comparing by phone. */
void cert_fingerprint(X509 *x, char out[96]);
/* A subject or issuer as text (RFC 4514-like, control octets escaped). */
void cert_name(const X509_NAME *name, char *out, size_t cap);

#endif
