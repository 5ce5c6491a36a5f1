/* A CA and a certificate of it, made once, for the fuzz targets of what is said about them: nobody who fuzzes has the
 * CA's key, so nothing he says may count. Header only. */
#ifndef POSTERN_TESTS_FUZZ_REVOKE_H
#define POSTERN_TESTS_FUZZ_REVOKE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "gateway/base/log.h"

static X509 *fuzz_ca, *fuzz_leaf;

static X509 *fuzz_make(const char *cn, X509 *issuer, EVP_PKEY *key, EVP_PKEY *signer)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	REQUIRE(
	    x && X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 4711 : 1) == 1);
	ASN1_TIME_set(X509_getm_notBefore(x), time(NULL) - 3600);
	ASN1_TIME_set(X509_getm_notAfter(x), time(NULL) + 86400 * 365);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : name);
	X509_set_pubkey(x, key);
	if (!issuer) {
		BASIC_CONSTRAINTS *bc = BASIC_CONSTRAINTS_new();

		bc->ca = 0xff;
		REQUIRE(X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1, 0) == 1);
		BASIC_CONSTRAINTS_free(bc);
	}
	REQUIRE(X509_sign(x, signer, EVP_sha256()) > 0);
	return x;
}

static void fuzz_start(void)
{
	EVP_PKEY *k;

	if (fuzz_ca)
		return;
	k = EVP_EC_gen("P-256");
	fuzz_ca = fuzz_make("ca", NULL, k, k);
	fuzz_leaf = fuzz_make("leaf", fuzz_ca, k, k);
	EVP_PKEY_free(k);
}

#endif
