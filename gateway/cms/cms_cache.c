/* The cache of parsed certificates. Sealer and tests. */
#include "gateway/cms/cms_cache.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <pthread.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/cms_alg.h"

struct place {
	uint8_t hash[32];
	X509 *cert;
};
static struct place places[CMS_CACHE_PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static X509 *parse(const uint8_t *der, size_t n)
{
	const unsigned char *p = der;
	X509 *cert = d2i_X509(NULL, &p, (long)n);

	if (cert != NULL && p != der + n) {
		X509_free(cert);
		cert = NULL;
	}
	ERR_clear_error();
	return cert;
}

X509 *cms_cache_cert(const uint8_t *der, size_t n)
{
	uint8_t hash[32];
	struct place *at;
	X509 *cert;

	if (n > CMS_CACHE_DER_MAX)
		return parse(der, n);
	/* SHA-256: nobody makes two certificates for one place that are taken for each other */
	if (EVP_Digest(der, n, hash, NULL, cms_alg_md(cms_alg_digest(NID_sha256)), NULL) != 1)
		log_fatal("cms: SHA-256 failed");
	at = &places[hash[0] % CMS_CACHE_PLACES];
	pthread_mutex_lock(&lock);
	if (at->cert == NULL || memcmp(at->hash, hash, sizeof(hash)) != 0) {
		cert = parse(der, n);
		if (cert != NULL) {
			X509_free(at->cert);
			at->cert = cert;
			memcpy(at->hash, hash, sizeof(hash));
		}
	} else {
		cert = at->cert;
	}
	if (cert != NULL && !X509_up_ref(cert))
		cert = NULL;
	pthread_mutex_unlock(&lock);
	return cert;
}
