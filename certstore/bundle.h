/*
 * Trust bundles: files of anchors that somebody publishes (DIRECT.md), as PKCS#7 with certificates (.p7b) or signed
 * around one (.p7m). Judge, tests; pure over octets, OpenSSL.
 */
#ifndef POSTERN_CERTSTORE_BUNDLE_H
#define POSTERN_CERTSTORE_BUNDLE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

#define BUNDLE_CERTS_MAX 2000

/* All certificates of it, at most BUNDLE_CERTS_MAX. signer: who must have signed it at `at`, exactly this
 * certificate; NULL: it must not be signed, since nobody would look at the signature. How many (at least 1; X509_free
 * each), or -1 with pr; then nothing is in list. */
int bundle_read(const void *p, size_t n, X509 *signer, int64_t at, X509 **list, size_t max, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
