/* Certificates against records that name them (RFC 6698 2.1, RFC 8162). Judge; pure. */
#ifndef POSTERN_CERTSTORE_TRUST_DANE_H
#define POSTERN_CERTSTORE_TRUST_DANE_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "certstore/trust.h"

/* Usages: constraints on an ordinary path (its CA, its leaf); the anchor itself; the certificate itself. */
enum { TRUST_DANE_PKIX_TA, TRUST_DANE_PKIX_EE, TRUST_DANE_TA, TRUST_DANE_EE };
/* Does the record name this certificate (selector 0) or its key (selector 1)? An unknown selector or matching type
 * names nothing. */
bool trust_dane_matches(const struct trust_dane *d, X509 *x);
/* The whole certificate when the record holds one, else NULL. X509_free. */
X509 *trust_dane_cert(const struct trust_dane *d);

#endif
