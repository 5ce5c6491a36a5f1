/*
 * Decryption (RFC 5652 6.3, RFC 5083 2.3) of what cms_outline found, in constant memory. Sealer and tests; blocks in
 * the reader, the writer and the key (which may live in the keeper).
 */
#ifndef POSTERN_CMS_CMS_DECRYPT_H
#define POSTERN_CMS_CMS_DECRYPT_H

#include <openssl/evp.h>

#include "gateway/base/stream.h"
#include "gateway/cms/cms_outline.h"

/*
 * Decrypts to out with the certificate's key. Everything written to out is private until 0 is returned: on -1 the
 * caller discards it. -1: one class for every bad message, PERM 554 5.6.0; the text tells the reason and is for the
 * log and the postmaster alone, never for the outside (promise P10). TEMP only when the key's own transport failed
 * (the callback says so after a failure; may be NULL), or what reader and writer said when they failed.
 */
int cms_decrypt(struct cms_outline *o, X509 *cert, EVP_PKEY *key, bool (*transport_failed)(void), struct writer *out,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
