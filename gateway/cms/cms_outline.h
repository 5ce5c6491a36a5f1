/*
 * The outside of a CMS message: what can be known and refused without any key (promise P10's outside), and what
 * reading it afterwards needs. Sealer and tests; blocks only in the reader.
 */
#ifndef POSTERN_CMS_CMS_OUTLINE_H
#define POSTERN_CMS_CMS_OUTLINE_H

#include <openssl/cms.h>
#include <openssl/x509.h>

#include "gateway/cms/cms_skeleton.h"

struct cms_outline; /* owns the skeleton; keeps a pointer to the reader, which must outlive it */
/* Walks the whole structure: trailing octets, truncation, wrong tags, limits: PERM 5.6.0 with the exact place. *o_r:
 * cms_outline_free. lim NULL: the default. */
int cms_outline(struct reader *der, const struct cms_limits *lim, struct cms_outline **o_r, struct problem *pr)
    __attribute__((warn_unused_result));
void cms_outline_free(struct cms_outline *o);
enum cms_kind cms_outline_kind(const struct cms_outline *o);
/* Refuses what can be refused without a key: RC2, DES, 3DES, unknown ciphers, GCM tag != 16 octets or nonce != 12,
 * content that cannot be the cipher's, missing content, a content type other than data (what is signed may be a
 * receipt, too), SignedData that nobody signed, a compression other than zlib and everything unknown. */
int cms_outline_check(const struct cms_outline *o, struct problem *pr) __attribute__((warn_unused_result));
/* Name of the content cipher ("aes-256-cbc") of an enveloped one; "" otherwise or when it is not in our table. */
const char *cms_outline_cipher(const struct cms_outline *o);
/* Octets of the content key that cipher needs (what keys_client_expect wants to know); 0 when there is no such
 * cipher. */
unsigned cms_outline_key_octets(const struct cms_outline *o);
/* Index of the first of our certificates that a RecipientInfo names (issuer+serial or SKI), or -1. */
int cms_outline_find(const struct cms_outline *o, X509 *const *certs, size_t n);
size_t cms_outline_recipients(const struct cms_outline *o);
/* SHA-256 over the encryptedKey of the RecipientInfo for cert (promise P10's counter); 0, -1 when there is none. */
int cms_outline_key_hash(const struct cms_outline *o, X509 *cert, uint8_t hash_r[32]);
/* True when the content string is inside (SignedData: opaque, not detached; CompressedData). */
bool cms_outline_has_content(const struct cms_outline *o);
/* SignedData around a receipt (RFC 2634 2.4): what is signed is DER, no entity of MIME. */
bool cms_outline_receipt(const struct cms_outline *o);

/* ---- for cms_decrypt.c and cms_verify.c ---- */
const struct cms_skeleton *cms_outline_skeleton(const struct cms_outline *o);
/* OpenSSL's view of the skeleton; belongs to the outline. NULL for kinds that are not read. */
CMS_ContentInfo *cms_outline_openssl(const struct cms_outline *o);
/* The first RecipientInfo from the index `from` on that names cert, or -1. */
int cms_outline_recipient(const struct cms_outline *o, X509 *cert, int from);
/* Starts reading the content string; cms_content_close. */
int cms_outline_content(const struct cms_outline *o, struct cms_content *c, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
