/*
 * Verification of SignedData (RFC 5652 5.4, 5.6; RFC 8551 2.4, 2.5) in constant memory. Sealer and tests; blocks in
 * reader and writer. Tells which certificate signed exactly this content; whether that certificate is to be believed
 * is the judge's business.
 */
#ifndef POSTERN_CMS_CMS_VERIFY_H
#define POSTERN_CMS_CMS_VERIFY_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/stream.h"
#include "gateway/cms/cms_outline.h"

/* RFC 5652 5.3 SignerIdentifier: issuer and serial in DER, or ski, the key identifier's octets; NULL what is not
 * said. */
struct cms_signer_id {
	uint8_t *issuer, *serial, *ski;
	size_t nissuer, nserial, nski;
};
struct cms_signer_facts {
	X509 *cert;	      /* a reference of the verdict's own; NULL when the signer's certificate is not inside */
	int64_t signing_time; /* unix s, 0 when absent */
	char digest[32], sigalg[48];
	bool ok;       /* cryptographically valid over exactly this content, attributes as demanded */
	char why[256]; /* reason when not ok */
	bool changed;  /* ... which is that the content's digest is another */
	bool missing;  /* ... which is that the certificate is not at hand: digest and attributes are as demanded */
	bool known;    /* cert did not come with the message: it is one of those known beforehand */
	struct cms_signer_id id; /* when missing */
	/* only meaningful when ok: */
	bool domain;   /* signatureType domainSig */
	uint8_t *caps; /* the SMIMECapabilities attribute value, for cms_caps_read; NULL: none, or more than
			  CMS_CAPS_DER_MAX octets */
	size_t ncaps;
	X509 *enc_cert; /* what the encryption key preference names, when it is among the certificates inside; a
			   reference of the verdict's own, NULL: none */
};
struct cms_verdict {
	struct cms_signer_facts *signers;
	size_t nsigners;
	STACK_OF(X509) * certs; /* all certificates inside, possibly none; NULL after a failure */
};
/*
 * Verifies all SignerInfos over the message's own content (written to out as it goes, also when signers turn out bad;
 * out may be NULL), or over `detached` when given (then an inner eContent is a failure and nothing is written). We
 * check ourselves: signed attributes well-formed (cms_attr.h), or none, of data that cannot be somebody's (RFC
 * 8551 2.5, RFC 5652 5.3); digest, signature algorithm, its parameters and the key fit each other; MD5, SHA-1 and
 * keys below our floor refused; zero SignerInfos = PERM. 0 with the verdict (signers may still be !ok), to be
 * cleared; -1 malformed, or what reader and writer said, with *v_r empty.
 */
int cms_verify(struct cms_outline *o, struct reader *detached, struct writer *out, struct cms_verdict *v_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* The same, where certificates are known beforehand: for a signer whose own did not come with the message those are
 * tried that it names, in order. */
int cms_verify_known(struct cms_outline *o, X509 *const *list, size_t n, struct reader *detached, struct writer *out,
    struct cms_verdict *v_r, struct problem *pr) __attribute__((warn_unused_result));
void cms_verdict_clear(struct cms_verdict *v);

#endif
