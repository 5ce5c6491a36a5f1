/* Signatures by Ed25519 (RFC 8419), which OpenSSL 3.0 does not make in CMS: a stand-in signs, and its signature is
 * replaced. */
#ifndef INTEROP_SIGNATURE_EDWARDS_H
#define INTEROP_SIGNATURE_EDWARDS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "interop/kit/util.h"

/* A key on P-256 and a certificate that has it, and else the names and the number of cert. NULL: out of memory. Both
 * are the caller's. */
X509 *signature_stand_in(X509 *cert, EVP_PKEY **key_out);
/* The first SignerInfo of this SignedData, with signed attributes, is signed anew by key. 0 or -1 with why. */
int signature_edwards(struct buf *der, EVP_PKEY *key, struct buf *why);

#endif
