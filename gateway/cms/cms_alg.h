/*
 * Which algorithms we write, read and refuse: the tables behind RFC 8551 section 2.1 to 2.7 and our own floor. Sealer
 * and tests. Pure, except that digests are fetched from OpenSSL once.
 */
#ifndef POSTERN_CMS_CMS_ALG_H
#define POSTERN_CMS_CMS_ALG_H

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <stdint.h>

/* Write side. GCM ones make AuthEnvelopedData (RFC 5083), which only gateways that said so can read. */
enum cms_cipher {
	CMS_AES_256_CBC,
	CMS_AES_128_CBC,
	CMS_AES_256_GCM,
	CMS_AES_128_GCM,
	CMS_AES_192_CBC,
	CMS_AES_192_GCM
};

enum cms_alg_mode { CMS_ALG_REFUSED, CMS_ALG_CBC, CMS_ALG_GCM };
enum { CMS_ALG_RSA_BITS_MIN = 2048, CMS_ALG_EC_BITS_MIN = 256, CMS_ALG_GCM_TAG = 16, CMS_ALG_GCM_NONCE = 12 };

struct cms_alg_cipher {
	int nid;
	enum cms_alg_mode mode;
	const char *name; /* "aes-256-cbc"; for refused ones the name people know */
	unsigned key;	  /* octets; 0 for refused ones */
};
/* NULL: unknown to the table. */
const struct cms_alg_cipher *cms_alg_cipher(int nid);
/* What cms_enc_new encrypts with. */
const EVP_CIPHER *cms_alg_evp_cipher(enum cms_cipher cipher);

struct cms_alg_digest {
	int nid;
	const char *name;   /* "SHA256" */
	const char *micalg; /* RFC 8551 3.5.3.2: "sha-256" */
};
/* SHA-256, SHA-384, SHA-512; NULL for everything else, MD5 and SHA-1 above all. */
const struct cms_alg_digest *cms_alg_digest(int nid);
const struct cms_alg_digest *cms_alg_digest_named(const char *name);
/* The digest's fetched EVP_MD; belongs to the table. NULL when OpenSSL has none (then it is misconfigured). */
const EVP_MD *cms_alg_md(const struct cms_alg_digest *d);

/* 1 when `sig` may stand as signatureAlgorithm beside this digest and this kind of key ("RSA", "EC", "ED25519"): the
 * names must agree, or one signature would mean two things; else 0. */
int cms_alg_sig_fits(int sig, int digest, const EVP_PKEY *key);
/* Key management (RFC 5652 6.2): rsaEncryption and RSAES-OAEP; AES key wraps with a key that is no shorter than the
 * content key of `key` octets (RFC 8551 2.3 wants them to be the same). */
int cms_alg_keytrans_ok(int nid);
int cms_alg_keywrap_ok(int nid, unsigned key);
/* The name to say of an algorithm: ours, OpenSSL's, or the dotted number. */
void cms_alg_text(const ASN1_OBJECT *obj, char *text, int cap);

#endif
