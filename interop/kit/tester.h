/* The tester's key: who runs the kit signs what the run found. DIR/tester.pem (self-signed, handed to whom it may
 * concern once) and DIR/tester.key (0600). */
#ifndef INTEROP_TESTER_H
#define INTEROP_TESTER_H

#include <openssl/x509.h>

#include "interop/kit/kit.h"

/* Makes both if they are not there: P-256, valid ten years, CN the tester of kit.conf. 0 or -1 with why. */
int tester_make(const struct kit *k, struct buf *why);
/* CMS SignedData (DER), detached, over the octets: one SignerInfo, ECDSA with SHA-256, the certificate in it. */
int tester_sign(const struct kit *k, const void *octets, size_t n, struct buf *out, struct buf *why);
/* Whether der is such a signature over the octets, octet for octet of the shape that tester_sign gives, by the
 * certificate in it, which signs itself (expected: and is this one; NULL: any). *signer: that certificate, free with
 * X509_free; may be NULL. 0 or -1 with why. */
int tester_verify(
    const void *der, size_t der_n, const void *octets, size_t n, X509 *expected, X509 **signer, struct buf *why);
/* The first certificate of a file (PEM or DER, at most 64 KiB). NULL with why. plain: of a directory that a stranger
 * may have filled (file_read_plain). */
X509 *certificate_read(const char *path, struct buf *why);
X509 *certificate_read_plain(const char *path, struct buf *why);
/* The SHA-256 of its DER, hexadecimal with colons, and its subject as visible text. */
void certificate_name(X509 *cert, struct buf *out);
void certificate_sha256(X509 *cert, char hex[65]);

#endif
