/* The outside of a CMS message (RFC 5652, 5083, 8551). Sealer and tests. No key comes near this file. */
#include "gateway/cms/cms_outline.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/cms_alg.h"
#include "gateway/cms/cms_cert.h"

struct cms_outline {
	struct cms_skeleton sk;
	struct cms_limits lim;
	struct reader *in;
	CMS_ContentInfo *cms;
};

static int read_skeleton(struct cms_outline *o, struct problem *pr)
{
	const unsigned char *p = o->sk.der.p;

	if (o->sk.kind == CMS_KIND_COMPRESSED || o->sk.kind == CMS_KIND_OTHER)
		return 0;
	ERR_clear_error();
	o->cms = d2i_CMS_ContentInfo(NULL, &p, (long)o->sk.der.len);
	if (o->cms == NULL || p != o->sk.der.p + o->sk.der.len)
		return problem_perm(pr, "The CMS structure is malformed inside: %s.", cms_cert_openssl_error());
	return 0;
}

int cms_outline(struct reader *der, const struct cms_limits *lim, struct cms_outline **o_r, struct problem *pr)
{
	struct cms_outline *o = mem_new(sizeof(*o));

	*o_r = NULL;
	o->lim = lim != NULL ? *lim : cms_limits_default;
	o->in = der;
	if (cms_skeleton_cut(der, &o->lim, &o->sk, pr) == -1 || read_skeleton(o, pr) == -1) {
		cms_outline_free(o);
		return -1;
	}
	*o_r = o;
	return 0;
}

void cms_outline_free(struct cms_outline *o)
{
	if (o == NULL)
		return;
	CMS_ContentInfo_free(o->cms);
	cms_skeleton_clear(&o->sk);
	free(o);
}

enum cms_kind cms_outline_kind(const struct cms_outline *o)
{
	return o->sk.kind;
}

size_t cms_outline_recipients(const struct cms_outline *o)
{
	return o->sk.recipients;
}

bool cms_outline_has_content(const struct cms_outline *o)
{
	return o->sk.has_content;
}

bool cms_outline_receipt(const struct cms_outline *o)
{
	return o->sk.kind == CMS_KIND_SIGNED && o->sk.inner == NID_id_smime_ct_receipt;
}

const struct cms_skeleton *cms_outline_skeleton(const struct cms_outline *o)
{
	return &o->sk;
}

CMS_ContentInfo *cms_outline_openssl(const struct cms_outline *o)
{
	return o->cms;
}

const char *cms_outline_cipher(const struct cms_outline *o)
{
	const struct cms_alg_cipher *c = cms_alg_cipher(o->sk.cipher);

	return c != NULL ? c->name : "";
}

unsigned cms_outline_key_octets(const struct cms_outline *o)
{
	const struct cms_alg_cipher *c = cms_alg_cipher(o->sk.cipher);

	return c != NULL ? c->key : 0;
}

int cms_outline_content(const struct cms_outline *o, struct cms_content *c, struct problem *pr)
{
	REQUIRE(o->sk.has_content);
	return cms_content_open(c, o->in, &o->sk.content, o->lim.nesting, o->lim.elements, pr);
}

/* ---- what can be refused without a key ---- */

static int check_cbc(const struct cms_skeleton *sk, struct problem *pr)
{
	if (sk->kind != CMS_KIND_ENVELOPED)
		return problem_perm(pr,
		    "The message says it is authenticated encryption but uses %s, which is not (RFC 5083 2.1).",
		    sk->cipher_text);
	if (sk->iv != 16)
		return problem_perm(
		    pr, "The initialisation vector has %zu octets; AES-CBC needs 16 (RFC 3565 2.3).", sk->iv);
	if (sk->content.octets == 0 || sk->content.octets % 16 != 0)
		return problem_perm(pr,
		    "The encrypted content has %llu octets, which is no multiple of 16: cut off or damaged.",
		    (unsigned long long)sk->content.octets);
	return 0;
}

/* A short tag is a short guess: OpenSSL once took 4 octets where 16 were announced. */
static int check_gcm(const struct cms_skeleton *sk, struct problem *pr)
{
	if (sk->kind != CMS_KIND_AUTH_ENVELOPED)
		return problem_perm(
		    pr, "The message uses %s without its authentication tag (RFC 5084 1.1).", sk->cipher_text);
	if (sk->iv != CMS_ALG_GCM_NONCE)
		return problem_perm(pr, "The AES-GCM nonce has %zu octets; %d are required (RFC 5084 3.2).", sk->iv,
		    CMS_ALG_GCM_NONCE);
	if (sk->icv != CMS_ALG_GCM_TAG || sk->mac != CMS_ALG_GCM_TAG)
		return problem_perm(pr,
		    "The AES-GCM authentication tag is announced with %zu octets and has %zu; %d are required, "
		    "shorter ones can be "
		    "guessed.",
		    sk->icv, sk->mac, CMS_ALG_GCM_TAG);
	return 0;
}

static int check_encrypted(const struct cms_skeleton *sk, struct problem *pr)
{
	const struct cms_alg_cipher *c = cms_alg_cipher(sk->cipher);

	if (c == NULL || c->mode == CMS_ALG_REFUSED)
		return problem_set(pr, PROBLEM_PERM, 554, "5.7.7", "RFC 8551 2.7",
		    "The message is encrypted with %s, which is not accepted: the sender must use AES.",
		    sk->cipher_text);
	if (!sk->has_content)
		return problem_perm(pr, "The encrypted message carries no encrypted content.");
	if (sk->inner != NID_pkcs7_data)
		return problem_perm(
		    pr, "The encrypted content is declared to be something else than data (RFC 8551 2.4.3).");
	return c->mode == CMS_ALG_GCM ? check_gcm(sk, pr) : check_cbc(sk, pr);
}

static int check_signed(const struct cms_skeleton *sk, struct problem *pr)
{
	if (sk->signers == 0)
		return problem_perm(pr, "The signed message is signed by nobody: it only carries certificates.");
	if (sk->inner == NID_id_smime_ct_receipt && !sk->has_content)
		return problem_perm(pr, "The signed receipt carries no receipt (RFC 2634 2.4).");
	if (sk->inner != NID_pkcs7_data && sk->inner != NID_id_smime_ct_receipt)
		return problem_perm(pr, "The signed content is declared to be something else than data (RFC 8551 "
					"2.4.2) or a receipt (RFC 2634 2.4).");
	return 0;
}

static int check_compressed(const struct cms_skeleton *sk, struct problem *pr)
{
	if (sk->cipher != NID_zlib_compression)
		return problem_perm(
		    pr, "The message is compressed with %s; only zlib is known (RFC 3274 2).", sk->cipher_text);
	if (!sk->has_content)
		return problem_perm(pr, "The compressed message carries no content.");
	if (sk->inner != NID_pkcs7_data)
		return problem_perm(
		    pr, "The compressed content is declared to be something else than data (RFC 8551 2.4.5).");
	return 0;
}

int cms_outline_check(const struct cms_outline *o, struct problem *pr)
{
	switch (o->sk.kind) {
	case CMS_KIND_ENVELOPED:
	case CMS_KIND_AUTH_ENVELOPED:
		return check_encrypted(&o->sk, pr);
	case CMS_KIND_SIGNED:
		return check_signed(&o->sk, pr);
	case CMS_KIND_COMPRESSED:
		return check_compressed(&o->sk, pr);
	case CMS_KIND_OTHER:
		break;
	}
	return problem_perm(
	    pr, "The message is a CMS structure of the type %s, which S/MIME does not use.", o->sk.type);
}

/* ---- whose is it ---- */

static bool names(CMS_RecipientInfo *ri, X509 *cert)
{
	STACK_OF(CMS_RecipientEncryptedKey) * keys;

	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_TRANS)
		return CMS_RecipientInfo_ktri_cert_cmp(ri, cert) == 0;
	if (CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_AGREE)
		return false;
	keys = CMS_RecipientInfo_kari_get0_reks(ri);
	for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(keys); i++)
		if (CMS_RecipientEncryptedKey_cert_cmp(sk_CMS_RecipientEncryptedKey_value(keys, i), cert) == 0)
			return true;
	return false;
}

static STACK_OF(CMS_RecipientInfo) * recipient_infos(const struct cms_outline *o)
{
	if (o->sk.kind != CMS_KIND_ENVELOPED && o->sk.kind != CMS_KIND_AUTH_ENVELOPED)
		return NULL;
	return CMS_get0_RecipientInfos(o->cms);
}

int cms_outline_recipient(const struct cms_outline *o, X509 *cert, int from)
{
	STACK_OF(CMS_RecipientInfo) *infos = recipient_infos(o);

	for (int i = from; i < sk_CMS_RecipientInfo_num(infos); i++)
		if (names(sk_CMS_RecipientInfo_value(infos, i), cert))
			return i;
	return -1;
}

int cms_outline_find(const struct cms_outline *o, X509 *const *certs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (cms_outline_recipient(o, certs[i], 0) != -1)
			return (int)i;
	return -1;
}

/* ---- the hash of the encrypted key ---- */

/* Hashes the octets of the element (of all primitive ones in it), so that cutting them differently does not make a
 * new hash. */
static int hash_item(struct ber *b, const struct ber_item *it, EVP_MD_CTX *md)
{
	struct ber_item child = *it;
	size_t depth = b->depth;
	const uint8_t *p;
	size_t n;
	int r = 1;

	for (;;) {
		if (r == 1 && child.constructed && ber_enter(b, &child, NULL) == -1)
			return -1;
		while (r == 1 && !child.constructed && ber_run(b, &p, &n, NULL) == 1)
			if (EVP_DigestUpdate(md, p, n) != 1)
				return -1;
		if (r == 0 && ber_leave(b, NULL) == -1)
			return -1;
		if (b->depth == depth)
			return 0;
		r = ber_next(b, &child, NULL);
		if (r == -1)
			return -1;
	}
}

/*
 * encryptedKey of a KeyTransRecipientInfo is its only OCTET STRING; recipientEncryptedKeys of a KeyAgreeRecipientInfo
 * ([1]) is its second SEQUENCE, after the algorithm: the digest starts anew for each candidate and the last one
 * stays.
 */
static int hash_recipient(const struct cms_outline *o, struct cms_skeleton_part part, EVP_MD_CTX *md)
{
	struct ber_item ri, it;
	struct ber b;
	int r;

	ber_open_mem(&b, o->sk.der.p + part.off, part.len, 0, o->lim.nesting);
	if (ber_next(&b, &ri, NULL) != 1 || ber_enter(&b, &ri, NULL) == -1)
		return -1;
	while ((r = ber_next(&b, &it, NULL)) == 1) {
		if (!ber_is(&it, BER_UNIVERSAL, ri.cls == BER_CONTEXT ? BER_SEQUENCE : BER_OCTETS)) {
			if (ber_skip(&b, &it, NULL) == -1)
				return -1;
			continue;
		}
		if (EVP_DigestInit_ex(md, NULL, NULL) != 1 || hash_item(&b, &it, md) == -1)
			return -1;
	}
	return r;
}

int cms_outline_key_hash(const struct cms_outline *o, X509 *cert, uint8_t hash_r[32])
{
	int i = cms_outline_recipient(o, cert, 0), r = -1;
	EVP_MD_CTX *md;

	if (i < 0 || (size_t)i >= o->sk.recipients)
		return -1;
	md = EVP_MD_CTX_new();
	if (md == NULL)
		log_fatal("cms: no memory for a digest");
	if (EVP_DigestInit_ex(md, cms_alg_md(cms_alg_digest(NID_sha256)), NULL) == 1 &&
	    hash_recipient(o, o->sk.parts[i], md) == 0 && EVP_DigestFinal_ex(md, hash_r, NULL) == 1)
		r = 0;
	EVP_MD_CTX_free(md);
	return r;
}
