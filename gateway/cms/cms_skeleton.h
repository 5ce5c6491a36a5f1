/*
 * Cutting a CMS message into a small skeleton and the place of its content, in one pass and with constant memory (RFC
 * 5652, RFC 5083). Sealer and tests; blocks only in the reader; no key, no cryptography.
 *
 * The skeleton is the same structure with the content string absent, which OpenSSL reads as "detached". The headers
 * of the elements that hold the content are written with indefinite length, everything else is copied octet by octet:
 * no length has to be computed anew. Left out as well, because nobody here uses them: originatorInfo, unprotected and
 * unauthenticated attributes, CRLs. Kept apart: authAttrs, as additional authenticated data (OpenSSL versions differ
 * in what they do with them), and certificates, which are dear to parse and nearly always known.
 */
#ifndef POSTERN_CMS_CMS_SKELETON_H
#define POSTERN_CMS_CMS_SKELETON_H

#include <stdbool.h>

#include "gateway/base/buf.h"
#include "gateway/cms/cms_content.h"

enum cms_kind { CMS_KIND_ENVELOPED, CMS_KIND_AUTH_ENVELOPED, CMS_KIND_SIGNED, CMS_KIND_COMPRESSED, CMS_KIND_OTHER };

struct cms_limits {
	size_t skeleton;   /* octets outside the content, certificates counted apart; 0 = 1 MiB for signed
			      (certificates), 256 KiB for enveloped */
	size_t nesting;	   /* BER depth */
	size_t recipients; /* RecipientInfos */
	size_t signers;	   /* SignerInfos */
	size_t certs;	   /* certificates inside */
	uint64_t elements; /* segments of the content string: no table grows with it, but each costs time */
};
/* 0 (by kind), 32, 1000, 16, 64, 4 Mi. */
extern const struct cms_limits cms_limits_default;

struct cms_skeleton_part {
	uint32_t off, len;
};
struct cms_skeleton {
	enum cms_kind kind;
	char type[80];	/* contentType in words, for problems */
	struct buf der; /* the skeleton; empty for kinds that are not read */
	int inner;	/* NID of eContentType or of encryptedContentInfo's contentType */
	bool has_content;
	struct cms_content_place content;
	int cipher; /* NID, NID_undef when OpenSSL does not know it; of CompressedData the compression */
	char cipher_text[80];
	size_t iv, icv, mac;		 /* octets of IV or nonce; aes-ICVlen and MAC of AuthEnvelopedData */
	struct buf aad;			 /* authAttrs as SET OF, empty when absent */
	struct cms_skeleton_part *parts; /* RecipientInfos in der, certificates in certs_der */
	size_t recipients, signers, certs;
	struct buf certs_der;
};
/* 0, or -1: malformed, cut off, too large, trailing octets: PERM 5.6.0 with the place. Clear it in both cases. */
int cms_skeleton_cut(struct reader *in, const struct cms_limits *lim, struct cms_skeleton *sk_r, struct problem *pr)
    __attribute__((warn_unused_result));
void cms_skeleton_clear(struct cms_skeleton *sk);

#endif
