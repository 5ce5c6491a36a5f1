/* Keys, certificates, CRLs and OCSP answers, made with OpenSSL's plain API. */
#ifndef INTEROP_PKI_H
#define INTEROP_PKI_H

#include <openssl/x509.h>

#include "interop/kit/util.h"

struct cert_spec {
	const char *subject;	 /* "/CN=x" */
	const char *names;	 /* "dns:a,email:b" (subjectAltName), "none" */
	const char *usage, *eku; /* words of CASES.md */
	time_t from, until;
	const char *hash;
	bool ca;
	long pathlen;					  /* -1: none */
	const char *permit, *exclude, *policy, *critical; /* NULL: none */
	const char *crl_url, *ocsp_url, *issuer_url;	  /* NULL: none */
};

/* rsa1024 to ed25519; NULL with why for an unknown word. */
EVP_PKEY *pki_key(const char *kind, struct buf *why);
/* A certificate for the key, by the issuer (NULL: itself). NULL with why. Serial: 16 random octets. */
X509 *pki_cert(const struct cert_spec *spec, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, struct buf *why);
/* revoked: serial numbers as DER INTEGER content in hex, one a line. until: of nextUpdate. */
int pki_crl(X509 *issuer, EVP_PKEY *key, const char *revoked, time_t from, time_t until, struct buf *der);
/* The answer to an OCSP request: for each certificate good, or revoked when its serial stands in revoked. */
int pki_ocsp(
    const void *request, size_t n, X509 *issuer, EVP_PKEY *key, const char *revoked, int valid, struct buf *der);
void pki_serial_hex(X509 *cert, struct buf *out);
void pki_der(X509 *cert, struct buf *out);
int pki_write_cert(const char *path, X509 *cert, struct buf *why);
int pki_write_key(const char *path, EVP_PKEY *key, struct buf *why);
X509 *pki_read_cert(const char *path); /* NULL: not there */
EVP_PKEY *pki_read_key(const char *path);
STACK_OF(X509) * pki_read_certs(const char *path); /* never NULL */

#endif
