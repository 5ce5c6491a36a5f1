/*
 * Signed attributes beyond those OpenSSL makes by itself: written by cms_sign, read and checked by cms_verify. Sealer
 * and tests. Pure. RFC 5652 11, RFC 8551 2.5, RFC 3183 2.1, RFC 5035 5.4.
 */
#ifndef POSTERN_CMS_CMS_ATTR_H
#define POSTERN_CMS_CMS_ATTR_H

#include <openssl/cms.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CMS_ATTR_MAX = 64 }; /* attributes of one signer; more are refused */

/* SMIMECapabilities; the encryption key preference when enc_cert is given; signatureType domainSig when asked. 0, -1
 * with OpenSSL's error. */
int cms_attr_add(CMS_SignerInfo *si, X509 *enc_cert, bool domain);

struct cms_attr_facts {
	const ASN1_OCTET_STRING *digest; /* messageDigest; belongs to the SignerInfo */
	int64_t signing_time;		 /* unix s, 0 when absent */
	bool domain;			 /* signatureType says domainSig */
	const ASN1_STRING *caps;	 /* SMIMECapabilities, the octets of the value; NULL when absent */
};
/*
 * RFC 5652 5.3 and 11: attributes are there; none twice; contentType is that of the content; one messageDigest; a
 * signingTime, when present, is a time; signingCertificate and signingCertificateV2, when present, name this
 * certificate. 0, or -1 with the reason in `why`.
 */
int cms_attr_check(CMS_SignerInfo *si, const ASN1_OBJECT *content_type, X509 *cert, struct cms_attr_facts *facts_r,
    char *why, size_t cap);

#endif
