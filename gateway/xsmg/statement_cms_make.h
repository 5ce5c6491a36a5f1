/*
 * Makes the SignedData around a statement (RFC 5652 5, DER), with one or two signers whose keys are elsewhere. Judge,
 * tests. Pure but for the caller's signing function.
 */
#ifndef POSTERN_XSMG_STATEMENT_CMS_MAKE_H
#define POSTERN_XSMG_STATEMENT_CMS_MAKE_H

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/xsmg/statement.h"
#include "gateway/xsmg/statement_alg.h"

enum { STATEMENT_SIGNATURE_MAX = 1024 };
/* Who signs: a certificate, its chain (each DER, without itself) and a function that signs. */
struct statement_sign_by {
	struct statement_octets cert;
	const struct statement_octets *chain;
	size_t nchain;
	/* Signs the whole DER of the attributes (SET OF, RFC 5652 5.4), which it hashes itself with the digest of
	 * alg. The signature (for ECDSA its DER) goes to sig, at most STATEMENT_SIGNATURE_MAX. 0; -1 with pr. */
	int (*sign)(void *arg, enum statement_alg alg, const uint8_t *attrs, size_t n, uint8_t *sig, size_t *nsig_r,
	    struct problem *pr);
	void *arg;
};
/* Signs the content by one or two and appends the DER to der. What comes out was read again. -1 with pr: the signing
 * function's problem, or a certificate that cannot sign statements, or more than STATEMENT_MAX octets. Blocks as the
 * function does. */
int statement_cms_make(const void *content, size_t n, const struct statement_sign_by *by, size_t nby, int64_t now,
    struct buf *der, struct problem *pr) __attribute__((warn_unused_result));
/* With an EVP_PKEY as arg: a ready signing function. */
int statement_cms_make_pkey(void *pkey, enum statement_alg alg, const uint8_t *attrs, size_t n, uint8_t *sig,
    size_t *nsig_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
