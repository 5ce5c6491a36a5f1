/*
 * Certificates by the hash of their DER: parsing one costs ten times as much as verifying a signature with it, and
 * correspondents come back. Sealer and tests. A fixed number of places; a new one takes the place of another. Says
 * nothing about trust: it only saves work.
 */
#ifndef POSTERN_CMS_CMS_CACHE_H
#define POSTERN_CMS_CMS_CACHE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CMS_CACHE_PLACES = 256,
	CMS_CACHE_DER_MAX = 8192, /* larger certificates are parsed each time */
};

/* The certificate with these octets, exactly; NULL when they are none. A reference of the caller's: X509_free. It is
 * shared: not to be changed. */
X509 *cms_cache_cert(const uint8_t *der, size_t n);

#endif
