/* One SignerInfo of a statement (RFC 5652 5.3): its structure, its attributes, and whether it verifies. Part of
 * statement_cms.h. Judge, tests. Pure. */
#ifndef POSTERN_XSMG_STATEMENT_SIGNER_H
#define POSTERN_XSMG_STATEMENT_SIGNER_H

#include <openssl/x509.h>

#include "gateway/xsmg/statement_cms.h"
#include "gateway/xsmg/statement_der.h"

/* NULL, and *s_r says whether it verifies over sd's content with one of sd's certificates; else what is wrong with
 * the structure, as a clause. */
const char *statement_signer_read(
    const struct statement_der_item *it, const struct statement_signed *sd, struct statement_signer *s_r);

/* The attribute types' OBJECT IDENTIFIERs with headers, in the order contentType, signingTime, messageDigest,
 * signingCertificateV2. */
enum statement_attr {
	STATEMENT_ATTR_TYPE,
	STATEMENT_ATTR_TIME,
	STATEMENT_ATTR_DIGEST,
	STATEMENT_ATTR_CERT,
	STATEMENT_ATTRS
};
struct statement_octets statement_signer_attr(enum statement_attr attr);
/* The OBJECT IDENTIFIER id-smg-statement with its header. */
struct statement_octets statement_signer_type(void);
/* SHA-256 of the SubjectPublicKeyInfo; zeroes when it cannot be written. */
void statement_signer_spki(X509 *x, uint8_t md_r[32]);

#endif
