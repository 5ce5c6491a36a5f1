/* The countersignature: the gateway under test signs a mail that names the SHA-256 of a run's manifest.json, so its
 * operator cannot say later that it was another gateway, nor the tester that it found something else. */
#ifndef INTEROP_COUNTERSIGN_H
#define INTEROP_COUNTERSIGN_H

#include <openssl/x509.h>

#include "interop/kit/util.h"

/* What opens a sealed message, and whether it was needed. */
struct opener {
	X509 *cert;
	EVP_PKEY *key; /* NULL: nothing can be opened */
	bool used;
};

/* The mail as a user inside sends it (CRLF): subject and body hold both. */
void countersign_mail(
    const char *from, const char *to, const char *run_id, const char *manifest_sha256, struct buf *out);
/* Whether a message is one that a gateway signed and that names both: S/MIME layers (to 8) are opened and verified;
 * each signature that is met must be by one of the gateway's certificates, and at least one lies around the text. At
 * most 16 MiB; hostile octets. *opened (may be NULL): the message without the sealed layers outside the first
 * signature. *signer (may be NULL): that certificate, free with X509_free. 0 or -1 with why. */
int countersign_read(const void *octets, size_t n, struct opener *o, STACK_OF(X509) * gateway, const char *run_id,
    const char *manifest_sha256, struct buf *opened, X509 **signer, struct buf *why);
/* All certificates of a PEM file, at most 64 of 256 KiB. NULL with why: none. Free with certificates_free. plain: of
 * a directory that a stranger may have filled (file_read_plain). */
STACK_OF(X509) * certificates_read(const char *path, struct buf *why);
STACK_OF(X509) * certificates_read_plain(const char *path, struct buf *why);
void certificates_free(STACK_OF(X509) * certs);
/* Certificate and key of a PEM file, which is plain. 0, or -1 with why. Free with opener_clear. */
int opener_read(const char *path, struct opener *o, struct buf *why);
void opener_clear(struct opener *o);

#endif
