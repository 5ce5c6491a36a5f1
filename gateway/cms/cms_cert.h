/*
 * What cms says and demands of a certificate: words that let a postmaster find it, and a key that is strong enough.
 * Sealer and tests. Pure. No opinion on trust, time or purpose.
 */
#ifndef POSTERN_CMS_CMS_CERT_H
#define POSTERN_CMS_CMS_CERT_H

#include <openssl/x509.h>
#include <stddef.h>

#include "gateway/base/problem.h"

enum { CMS_CERT_TEXT = 320 };
/* "CN=..., serial 0A1B, valid 2026-01-01 to 2027-01-01". Cut, never overflowing. */
void cms_cert_text(X509 *cert, char *text, size_t cap);

/* 0 when the public key is RSA of at least 2048 bits or EC of at least 256; -1 with a POLICY problem that names the
 * certificate. */
int cms_cert_key_ok(X509 *cert, struct problem *pr) __attribute__((warn_unused_result));
/* The same for a key that signs: also one that is restricted to RSA-PSS (RFC 4055 1.2). */
int cms_cert_sign_key_ok(X509 *cert, struct problem *pr) __attribute__((warn_unused_result));

/* The reason of OpenSSL's last error; empties its queue. Valid until the next call in this thread. */
const char *cms_cert_openssl_error(void);

#endif
