/*
 * Signing (RFC 5652 section 5, RFC 8551, RFC 3183, RFC 5035). Sealer and tests; blocks in the reader, the writer and
 * the key (which may live in the keeper). The content goes through once, 16 KiB at a time. It must be canonical
 * already (CRLF): nothing is converted here.
 */
#ifndef POSTERN_CMS_CMS_SIGN_H
#define POSTERN_CMS_CMS_SIGN_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "gateway/base/stream.h"

struct cms_signer {
	X509 *cert;
	EVP_PKEY *key;
	STACK_OF(X509) * chain; /* intermediates to include, or NULL */
	const char *digest;	/* "SHA256", "SHA384", "SHA512"; NULL = SHA256 (SHA384 for P-384, SHA512 for P-521) */
	bool domain;		/* RFC 3183 signatureType domainSig attribute */
	bool pss;		/* RSASSA-PSS (RFC 4056), salt as long as the digest; nothing for an EC key */
	bool ski; /* the signer is named by subjectKeyIdentifier, when its certificate has one (RFC 5652 5.3) */
};
/*
 * SignedData around the entity, BER octets of indefinite length to out. Attributes: contentType, messageDigest,
 * signingTime, signingCertificateV2, SMIMECapabilities, encryption key preference when enc_cert is given (which is
 * then included too). 0, or -1: POLICY for a key that is too weak or of the wrong kind, TEMP when the key did not
 * sign, or what reader or writer said.
 */
int cms_sign(struct reader *in, const struct cms_signer *s, X509 *enc_cert, struct writer *out, struct problem *pr)
    __attribute__((warn_unused_result));
/* The same without the content, in DER (for multipart/signed). Gives the micalg word in *micalg_r ("sha-256"), which
 * is static. */
int cms_sign_detached(struct reader *in, const struct cms_signer *s, X509 *enc_cert, struct writer *out,
    const char **micalg_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
