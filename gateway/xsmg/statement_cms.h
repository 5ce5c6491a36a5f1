/*
 * The SignedData around a statement (RFC 5652 5, DER), read with one meaning or not at all. Judge, tests, fuzz. Pure.
 * Says who signed; whether that one may is statement_check.c.
 *
 * Read: DER throughout without octets behind it, at most STATEMENT_MAX; SignedData version 3 with id-smg-statement
 * and the content inside; certificates, no crls; one or two SignerInfos of different certificates with exactly
 * contentType, messageDigest, signingTime and signingCertificateV2 (RFC 5035), each once and with one value; no
 * unsigned attributes; SHA-256, -384, -512 with RSA PKCS#1 v1.5, PSS (the hash in MGF1, salt as long as it) or ECDSA.
 */
#ifndef POSTERN_XSMG_STATEMENT_CMS_H
#define POSTERN_XSMG_STATEMENT_CMS_H

#include "gateway/base/problem.h"
#include "gateway/xsmg/statement.h"

/* A SignerInfo. When it is not verified (the signature is wrong, its certificate is not there or weak), why says it
 * and the certificate may be empty; a second one like that is passed over, because anybody can add it on the way. */
struct statement_signer {
	struct statement_octets cert; /* DER, in the SignedData */
	uint8_t cert_sha256[32], spki_sha256[32];
	int64_t signing_time; /* unix s; as it says */
	bool verified;
	char why[300];
};
struct statement_signed {
	struct statement_octets content;
	char id[STATEMENT_ID + 1];
	struct statement_signer signers[STATEMENT_SIGNERS_MAX];
	size_t nsigners;
	struct statement_octets certs[STATEMENT_CHAIN_MAX]; /* as they stand there; not looked at but as DER */
	size_t ncerts;
	enum statement_step step; /* after -1: what failed */
};
/* 0: the structure is as it must be; each signer says whether it verifies. -1 with a sentence (PERM). The octets of
 * *r lie in der, which must stay. */
int statement_cms_read(const void *der, size_t n, struct statement_signed *r, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
