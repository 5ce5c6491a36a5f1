/* Certificates against records that name them. Judge; pure. RFC 6698 2.1, RFC 8162 2. */
#include "certstore/trust_dane.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "certstore/cert.h"

enum { WHOLE = 0, KEY = 1 };	      /* selector */
enum { EXACT = 0, SHA_256, SHA_512 }; /* matching type */

static bool compare(const struct trust_dane *d, const unsigned char *p, size_t n)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned k = 0;

	if (d->matching == EXACT)
		return n == d->n && memcmp(p, d->data, n) == 0;
	if (d->matching != SHA_256 && d->matching != SHA_512)
		return false;
	return EVP_Digest(p, n, md, &k, d->matching == SHA_256 ? EVP_sha256() : EVP_sha512(), NULL) == 1 &&
	       k == d->n && memcmp(md, d->data, k) == 0;
}

bool trust_dane_matches(const struct trust_dane *d, X509 *x)
{
	unsigned char *der = NULL;
	bool same;
	int n = -1;

	if (d->selector == WHOLE)
		n = i2d_X509(x, &der);
	else if (d->selector == KEY)
		n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	same = n > 0 && compare(d, der, (size_t)n);
	OPENSSL_free(der);
	ERR_clear_error();
	return same;
}

X509 *trust_dane_cert(const struct trust_dane *d)
{
	return d->selector == WHOLE && d->matching == EXACT ? cert_parse(d->data, d->n, NULL) : NULL;
}
