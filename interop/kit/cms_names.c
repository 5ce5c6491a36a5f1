#include "interop/kit/cms_names.h"

#include <openssl/provider.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *oid;
	const EVP_CIPHER *(*cipher)(void);
	bool aead;
} ciphers[] = {
    {"aes128-cbc", "2.16.840.1.101.3.4.1.2", EVP_aes_128_cbc, false},
    {"aes192-cbc", "2.16.840.1.101.3.4.1.22", EVP_aes_192_cbc, false},
    {"aes256-cbc", "2.16.840.1.101.3.4.1.42", EVP_aes_256_cbc, false},
    {"aes128-gcm", "2.16.840.1.101.3.4.1.6", EVP_aes_128_gcm, true},
    {"aes192-gcm", "2.16.840.1.101.3.4.1.26", EVP_aes_192_gcm, true},
    {"aes256-gcm", "2.16.840.1.101.3.4.1.46", EVP_aes_256_gcm, true},
    {"des3", "1.2.840.113549.3.7", EVP_des_ede3_cbc, false},
    {"rc2", "1.2.840.113549.3.2", EVP_rc2_cbc, false},
};

static const struct {
	const char *name, *oid;
} digests[] = {{"md5", "1.2.840.113549.2.5"}, {"sha1", "1.3.14.3.2.26"}, {"sha224", "2.16.840.1.101.3.4.2.4"},
    {"sha256", "2.16.840.1.101.3.4.2.1"}, {"sha384", "2.16.840.1.101.3.4.2.2"}, {"sha512", "2.16.840.1.101.3.4.2.3"}};

enum { CIPHERS = sizeof(ciphers) / sizeof(*ciphers), DIGESTS = sizeof(digests) / sizeof(*digests) };

const char *cms_names_of_cipher(const char *oid)
{
	for (size_t i = 0; i < CIPHERS; i++)
		if (!strcmp(ciphers[i].oid, oid))
			return ciphers[i].name;
	return oid;
}

bool cms_names_aead(const char *oid)
{
	for (size_t i = 0; i < CIPHERS; i++)
		if (!strcmp(ciphers[i].oid, oid))
			return ciphers[i].aead;
	return false;
}

static OSSL_PROVIDER *standard, *legacy;

static void unload(void)
{
	OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(standard);
}

static void load_legacy(void)
{
	/* the default one is no longer loaded by itself once another is */
	standard = OSSL_PROVIDER_load(NULL, "default");
	legacy = OSSL_PROVIDER_load(NULL, "legacy");
	if (!standard || !legacy)
		die("OpenSSL's legacy provider is not there: RC2 cannot be used");
	atexit(unload);
}

void cms_names_legacy(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_legacy);
}

const EVP_CIPHER *cms_names_cipher(const char *name)
{
	for (size_t i = 0; i < CIPHERS; i++)
		if (!strcmp(ciphers[i].name, name)) {
			if (!strcmp(name, "rc2"))
				cms_names_legacy();
			return ciphers[i].cipher();
		}
	return NULL;
}

const char *cms_names_of_digest(const char *oid)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (!strcmp(digests[i].oid, oid))
			return digests[i].name;
	return oid;
}
