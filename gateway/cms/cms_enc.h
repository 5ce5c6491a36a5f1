/*
 * Encryption as a writer (RFC 5652 section 6, RFC 5083, RFC 5753, RFC 3560): what is written to it comes out as
 * EnvelopedData, or AuthEnvelopedData for GCM, on another writer. Sealer and tests; blocks in that writer only.
 * Constant memory. No private key is involved.
 */
#ifndef POSTERN_CMS_CMS_ENC_H
#define POSTERN_CMS_CMS_ENC_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "gateway/base/stream.h"
#include "gateway/cms/cms_alg.h"

enum cms_keymode {
	CMS_KEY_RSA_V15,
	CMS_KEY_RSA_OAEP_SHA256,
	CMS_KEY_ECDH,
	CMS_KEY_RSA_OAEP_SHA1
}; /* for an EC certificate always ECDH, whatever is asked */
struct cms_recipient {
	X509 *cert;
	enum cms_keymode mode;
	bool ski; /* named by subjectKeyIdentifier, when the certificate has one (RFC 5652 6.2) */
};
/* new -> write... -> end (which completes and frees); free alone abandons: the output is worthless then. */
struct cms_enc;
/* NULL with pr: POLICY for a certificate whose key is too weak or of a wrong kind, TEMP when OpenSSL fails. n >= 1.
 */
struct cms_enc *cms_enc_new(
    const struct cms_recipient *rcpt, size_t n, enum cms_cipher cipher, struct writer *out, struct problem *pr);
struct writer *cms_enc_writer(struct cms_enc *e);
int cms_enc_end(struct cms_enc *e, struct problem *pr) __attribute__((warn_unused_result));
void cms_enc_free(struct cms_enc *e);

#endif
