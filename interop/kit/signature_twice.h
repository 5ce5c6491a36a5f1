/* A SignerInfo with signingTime twice, which OpenSSL does not make (RFC 5652 11.3: there must be one). */
#ifndef INTEROP_SIGNATURE_TWICE_H
#define INTEROP_SIGNATURE_TWICE_H

#include <openssl/evp.h>

#include "interop/kit/util.h"

/* Adds a second one, a day later, to the first signer of a SignedData, and signs the attributes anew, with PKCS #1 or
 * ECDSA. 0 or -1 with why. */
int signature_twice(struct buf *der, EVP_PKEY *key, const char *hash, struct buf *why);

#endif
