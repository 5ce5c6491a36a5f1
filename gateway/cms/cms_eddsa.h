/*
 * Ed25519 in SignedData (RFC 8419; RFC 8551 2.2 wants it read), which OpenSSL 3.0 does not verify there. Sealer and
 * tests. Pure.
 */
#ifndef POSTERN_CMS_CMS_EDDSA_H
#define POSTERN_CMS_CMS_EDDSA_H

#include <openssl/cms.h>
#include <stdbool.h>

/* The signature algorithm of this SignerInfo is Ed25519. */
bool cms_eddsa_is(CMS_SignerInfo *si);
/* The signature over the signed attributes, which must be there (RFC 8419 3.1: their DER, as one text; without them
 * it would be the whole content, which does not fit into memory), by this key. */
bool cms_eddsa_fits(CMS_SignerInfo *si, EVP_PKEY *key);

#endif
