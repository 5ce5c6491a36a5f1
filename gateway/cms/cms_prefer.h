/*
 * The encryption key preference (RFC 8551 2.5.3): which certificate a signer wants mail encrypted to. Sealer and
 * tests. Pure.
 */
#ifndef POSTERN_CMS_CMS_PREFER_H
#define POSTERN_CMS_CMS_PREFER_H

#include <openssl/cms.h>

/* Adds the attribute that names enc_cert by issuer and serial number. 0, -1 with OpenSSL's error. */
int cms_prefer_add(CMS_SignerInfo *si, X509 *enc_cert) __attribute__((warn_unused_result));
/* The certificate of `certs` that the attribute names (issuer and serial number, or key identifier); it stays theirs.
 * NULL: no attribute, a malformed one, or a certificate that is not there. */
X509 *cms_prefer_find(CMS_SignerInfo *si, STACK_OF(X509) * certs);

#endif
