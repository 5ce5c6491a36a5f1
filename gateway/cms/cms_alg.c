/* The algorithm tables. Sealer and tests. What is not in them is refused. */
#include "gateway/cms/cms_alg.h"

#include <openssl/objects.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct cms_alg_cipher ciphers[] = {
    {NID_aes_256_cbc, CMS_ALG_CBC, "aes-256-cbc", 32},
    {NID_aes_192_cbc, CMS_ALG_CBC, "aes-192-cbc", 24},
    {NID_aes_128_cbc, CMS_ALG_CBC, "aes-128-cbc", 16},
    {NID_aes_256_gcm, CMS_ALG_GCM, "aes-256-gcm", 32},
    {NID_aes_192_gcm, CMS_ALG_GCM, "aes-192-gcm", 24},
    {NID_aes_128_gcm, CMS_ALG_GCM, "aes-128-gcm", 16},
    {NID_des_ede3_cbc, CMS_ALG_REFUSED, "3DES", 0},
    {NID_des_ede_cbc, CMS_ALG_REFUSED, "2-key 3DES", 0},
    {NID_des_cbc, CMS_ALG_REFUSED, "DES", 0},
    {NID_rc2_cbc, CMS_ALG_REFUSED, "RC2", 0},
    {NID_rc2_40_cbc, CMS_ALG_REFUSED, "RC2", 0},
    {NID_rc2_64_cbc, CMS_ALG_REFUSED, "RC2", 0},
    {NID_rc4, CMS_ALG_REFUSED, "RC4", 0},
};

static const struct cms_alg_digest digests[] = {
    {NID_sha256, "SHA256", "sha-256"},
    {NID_sha384, "SHA384", "sha-384"},
    {NID_sha512, "SHA512", "sha-512"},
};
enum { DIGESTS = sizeof(digests) / sizeof(digests[0]) };
static EVP_MD *fetched[DIGESTS];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

struct sig_alg {
	int sig, digest; /* NID_undef: any of ours */
	const char *key;
};
static const struct sig_alg sigs[] = {
    {NID_rsaEncryption, NID_undef, "RSA"}, /* RFC 8551 2.2 and 3.3 let it stand here */
    {NID_sha256WithRSAEncryption, NID_sha256, "RSA"}, {NID_sha384WithRSAEncryption, NID_sha384, "RSA"},
    {NID_sha512WithRSAEncryption, NID_sha512, "RSA"},
    {NID_rsassaPss, NID_undef, "RSA"}, /* OpenSSL compares the parameters' hash with the digest */
    {NID_rsassaPss, NID_undef, "RSA-PSS"}, {NID_ecdsa_with_SHA256, NID_sha256, "EC"},
    {NID_ecdsa_with_SHA384, NID_sha384, "EC"}, {NID_ecdsa_with_SHA512, NID_sha512, "EC"},
    {NID_ED25519, NID_sha512, "ED25519"}, /* RFC 8419 2.3 */
};

const struct cms_alg_cipher *cms_alg_cipher(int nid)
{
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++)
		if (ciphers[i].nid == nid)
			return &ciphers[i];
	return NULL;
}

const EVP_CIPHER *cms_alg_evp_cipher(enum cms_cipher cipher)
{
	switch (cipher) {
	case CMS_AES_128_CBC:
		return EVP_aes_128_cbc();
	case CMS_AES_256_GCM:
		return EVP_aes_256_gcm();
	case CMS_AES_128_GCM:
		return EVP_aes_128_gcm();
	case CMS_AES_192_CBC:
		return EVP_aes_192_cbc();
	case CMS_AES_192_GCM:
		return EVP_aes_192_gcm();
	case CMS_AES_256_CBC:
		break;
	}
	return EVP_aes_256_cbc();
}

const struct cms_alg_digest *cms_alg_digest(int nid)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (digests[i].nid == nid)
			return &digests[i];
	return NULL;
}

const struct cms_alg_digest *cms_alg_digest_named(const char *name)
{
	for (size_t i = 0; i < DIGESTS; i++)
		if (strcasecmp(digests[i].name, name) == 0 || strcasecmp(digests[i].micalg, name) == 0)
			return &digests[i];
	return NULL;
}

static void fetch_all(void)
{
	for (size_t i = 0; i < DIGESTS; i++)
		fetched[i] = EVP_MD_fetch(NULL, digests[i].name, NULL);
}

const EVP_MD *cms_alg_md(const struct cms_alg_digest *d)
{
	pthread_once(&fetch_once, fetch_all);
	return fetched[d - digests];
}

int cms_alg_sig_fits(int sig, int digest, const EVP_PKEY *key)
{
	for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (sigs[i].sig == sig && (sigs[i].digest == NID_undef || sigs[i].digest == digest) &&
		    EVP_PKEY_is_a(key, sigs[i].key))
			return 1;
	return 0;
}

int cms_alg_keytrans_ok(int nid)
{
	return nid == NID_rsaEncryption || nid == NID_rsaesOaep;
}

int cms_alg_keywrap_ok(int nid, unsigned key)
{
	return (nid == NID_id_aes256_wrap && key <= 32) || (nid == NID_id_aes192_wrap && key <= 24) ||
	       (nid == NID_id_aes128_wrap && key <= 16);
}

void cms_alg_text(const ASN1_OBJECT *obj, char *text, int cap)
{
	const struct cms_alg_cipher *c = cms_alg_cipher(OBJ_obj2nid(obj));

	if (c != NULL)
		snprintf(text, (size_t)cap, "%s", c->name);
	else if (OBJ_obj2txt(text, cap, obj, 0) <= 0)
		snprintf(text, (size_t)cap, "unknown");
}
