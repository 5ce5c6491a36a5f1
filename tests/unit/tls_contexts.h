/* A key and a self-signed certificate made at run time, in a server context and a client context that trusts it. For
 * tests only. */
#ifndef POSTERN_TESTS_TLS_CONTEXTS_H
#define POSTERN_TESTS_TLS_CONTEXTS_H

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "gateway/base/log.h"

struct tls_contexts {
	SSL_CTX *server, *client;
};

static inline X509 *tls_contexts_cert(EVP_PKEY *key, const char *host)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	GENERAL_NAMES *alt = GENERAL_NAMES_new();
	GENERAL_NAME *dns = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_set_pubkey(x, key);
	ASN1_STRING_set(text, host, -1);
	GENERAL_NAME_set0_value(dns, GEN_DNS, text);
	sk_GENERAL_NAME_push(alt, dns);
	REQUIRE(X509_add1_ext_i2d(x, NID_subject_alt_name, alt, 0, 0) == 1);
	GENERAL_NAMES_free(alt);
	REQUIRE(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static inline void tls_contexts_init(struct tls_contexts *t, const char *host)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = tls_contexts_cert(key, host);

	t->server = SSL_CTX_new(TLS_server_method());
	REQUIRE(SSL_CTX_use_certificate(t->server, x) == 1 && SSL_CTX_use_PrivateKey(t->server, key) == 1);
	t->client = SSL_CTX_new(TLS_client_method());
	X509_STORE_add_cert(SSL_CTX_get_cert_store(t->client), x);
	X509_free(x);
	EVP_PKEY_free(key);
}

static inline void tls_contexts_clear(struct tls_contexts *t)
{
	SSL_CTX_free(t->server);
	SSL_CTX_free(t->client);
}

#endif
