/* sign (RFC 5652 5, RFC 8551 2.5, RFC 3183 for domain signatures) and compress (RFC 3274). */
#include "interop/kit/make_layer.h"

#include "interop/kit/der.h"
#include "interop/kit/signature_edwards.h"
#include "interop/kit/signature_twice.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SIGNATURE_TYPE "1.2.840.113549.1.9.16.2.28"

static bool says(const struct draft *d, const char *name, const char *value)
{
	const char *there = stmt_attribute(d->layer, name, NULL);

	return there && !strcmp(there, value);
}

/* RFC 3183 3: SignatureType ::= SEQUENCE OF OBJECT IDENTIFIER */
static int add_type(CMS_SignerInfo *si, const char *name, struct buf *why)
{
	static const struct {
		const char *name, *oid;
	} types[] = {{"originatorSig", "1.2.840.113549.1.9.16.9.1"}, {"domainSig", "1.2.840.113549.1.9.16.9.2"},
	    {"addAttribSig", "1.2.840.113549.1.9.16.9.3"}, {"reviewSig", "1.2.840.113549.1.9.16.9.4"}};
	struct buf oid = {0}, seq = {0};
	int rc = -1;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(types[i].name, name)) {
			der_add_oid(&oid, types[i].oid);
			der_add(&seq, DER_SEQUENCE, oid.p, oid.n);
			rc = CMS_signed_add1_attr_by_txt(si, SIGNATURE_TYPE, V_ASN1_SEQUENCE, seq.p, (int)seq.n) == 1
				 ? 0
				 : -1;
		}
	buf_free(&oid);
	buf_free(&seq);
	return rc < 0 ? fail(why, "type=%s cannot be added", name) : 0;
}

static int add_time(CMS_SignerInfo *si, const char *span, struct buf *why)
{
	int64_t ms;
	ASN1_TIME *t;
	int rc;

	if (span_read(span, &ms) < 0)
		return fail(why, "time=%s is no time", span);
	t = ASN1_TIME_set(NULL, (time_t)((now_ms() + ms) / 1000));
	rc = t ? CMS_signed_add1_attr_by_NID(si, NID_pkcs9_signingTime, t->type, t, -1) : 0;
	ASN1_TIME_free(t);
	return rc == 1 ? 0 : fail_openssl(why, "the time cannot be added");
}

/* RFC 8551 2.5.2 */
static int add_capabilities(CMS_SignerInfo *si, const char *list, struct buf *why)
{
	static const struct {
		const char *name;
		int nid, bits;
	} known[] = {{"rc2", NID_rc2_cbc, 40}, {"des3", NID_des_ede3_cbc, -1}, {"aes128-cbc", NID_aes_128_cbc, -1},
	    {"aes192-cbc", NID_aes_192_cbc, -1}, {"aes256-cbc", NID_aes_256_cbc, -1},
	    {"aes128-gcm", NID_aes_128_gcm, -1}, {"aes256-gcm", NID_aes_256_gcm, -1}};
	STACK_OF(X509_ALGOR) *caps = NULL;
	int rc = 0;

	for (char *name; rc == 0 && (name = list_next(&list)); free(name)) {
		rc = -1;
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			if (!strcmp(name, known[i].name) &&
			    CMS_add_simple_smimecap(&caps, known[i].nid, known[i].bits) == 1)
				rc = 0;
		if (rc < 0)
			fail(why, "capabilities=%s is not known", name);
	}
	if (rc == 0 && caps && CMS_add_smimecap(si, caps) != 1)
		rc = fail_openssl(why, "the capabilities cannot be added");
	sk_X509_ALGOR_pop_free(caps, X509_ALGOR_free);
	return rc;
}

static int set_padding(struct draft *d, CMS_SignerInfo *si, struct buf *why)
{
	EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);
	const char *padding = stmt_attribute(d->layer, "padding", "pkcs1");

	if (!strcmp(padding, "pkcs1"))
		return 0;
	if (strcmp(padding, "pss") != 0)
		return fail(why, "padding=%s is not known", padding);
	if (!ctx || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) <= 0)
		return fail_openssl(why, "PSS is not for this key");
	return 0;
}

static int add_chain(CMS_ContentInfo *cms, const struct credential *c)
{
	for (int i = 0; i < sk_X509_num(c->chain); i++) {
		X509 *x = sk_X509_value(c->chain, i);

		if (CMS_add1_cert(cms, x) != 1)
			ERR_clear_error(); /* is there already */
	}
	return 0;
}

static bool is_edwards(const struct credential *c)
{
	return c->key && EVP_PKEY_is_a(c->key, "ED25519");
}

static CMS_SignerInfo *add_stand_in(
    CMS_ContentInfo *cms, const struct credential *c, const EVP_MD *md, unsigned flags)
{
	EVP_PKEY *key;
	X509 *x = signature_stand_in(c->cert, &key);
	CMS_SignerInfo *si = CMS_add1_signer(cms, x, key, md, flags | CMS_NOCERTS);

	if (si && !(flags & CMS_NOCERTS) && CMS_add1_cert(cms, c->cert) != 1)
		si = NULL;
	X509_free(x);
	EVP_PKEY_free(key);
	return si;
}

static int add_signer(struct draft *d, CMS_ContentInfo *cms, const char *name, struct buf *why)
{
	const struct credential *c = draft_credential(d, name, 's', why);
	const char *certs = stmt_attribute(d->layer, "certs", "yes"),
		   *hash = stmt_attribute(d->layer, "hash", "sha256"), *type = stmt_attribute(d->layer, "type", NULL),
		   *time = stmt_attribute(d->layer, "time", NULL),
		   *capabilities = stmt_attribute(d->layer, "capabilities", NULL);
	const EVP_MD *md = EVP_get_digestbyname(hash);
	unsigned flags = CMS_BINARY | CMS_PARTIAL | CMS_KEY_PARAM;
	CMS_SignerInfo *si;

	if (!c)
		return -1;
	if (!c->key || !md)
		return md ? fail(why, "the kit has no key of \"%s\"", name) : fail(why, "hash=%s is not known", hash);
	flags |= !strcmp(certs, "none") ? CMS_NOCERTS : 0;
	flags |= says(d, "attributes", "no") ? CMS_NOATTR : 0;
	flags |= capabilities ? CMS_NOSMIMECAP : 0;
	si = is_edwards(c) ? add_stand_in(cms, c, md, flags) : CMS_add1_signer(cms, c->cert, c->key, md, flags);
	if (!si)
		return fail_openssl(why, "this key cannot sign");
	if (set_padding(d, si, why) < 0 || (type && add_type(si, type, why) < 0) ||
	    (time && add_time(si, time, why) < 0) || (capabilities && add_capabilities(si, capabilities, why) < 0))
		return -1;
	return !strcmp(certs, "yes") ? add_chain(cms, c) : 0;
}

/* What OpenSSL's CMS does not make; of one signer alone. */
static int sign_anew(struct draft *d, struct buf *der, struct buf *why)
{
	const char *by = stmt_attribute(d->layer, "by", "");
	char *first = list_next(&by), *second = list_next(&by);
	const struct credential *c = first ? draft_credential(d, first, 's', why) : NULL;
	bool edwards = c && is_edwards(c), twice = says(d, "attributes", "twice"), one = !second;

	free(first);
	free(second);
	if (!c)
		return -1;
	if ((edwards || twice) && !one)
		return fail(why, "a key of Ed25519, and attributes=twice, are for one signer alone");
	if (edwards)
		return twice ? fail(why, "attributes=twice is not for Ed25519") : signature_edwards(der, c->key, why);
	return twice ? signature_twice(der, c->key, stmt_attribute(d->layer, "hash", "sha256"), why) : 0;
}

static int sign(struct draft *d, const struct buf *entity, bool detached, struct buf *der, struct buf *why)
{
	unsigned flags = CMS_BINARY | CMS_PARTIAL | (detached ? CMS_DETACHED : 0);
	BIO *in = BIO_new_mem_buf(entity->p, (int)entity->n);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	const char *by = stmt_attribute(d->layer, "by", "");
	unsigned char *octets = NULL;
	int rc = in && cms && *by ? 0 : fail(why, "by= names a certificate"), n;

	for (char *name; rc == 0 && (name = list_next(&by)); free(name))
		rc = add_signer(d, cms, name, why);
	if (rc == 0 && CMS_final(cms, in, NULL, flags) != 1)
		rc = fail_openssl(why, "cannot be signed");
	n = rc == 0 ? i2d_CMS_ContentInfo(cms, &octets) : 0;
	if (rc == 0 && n <= 0)
		rc = fail_openssl(why, "cannot be written");
	if (n > 0)
		buf_add(der, octets, (size_t)n);
	OPENSSL_free(octets);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	return rc == 0 ? sign_anew(d, der, why) : rc;
}

/* RFC 8551 3.5.3.2 */
static char *micalg(const char *hash)
{
	if (!strcmp(hash, "sha1"))
		return text_copy("sha-1");
	return !strncmp(hash, "sha", 3) ? text_make("sha-%s", hash + 3) : text_copy(hash);
}

int layer_sign(struct draft *d, struct buf *why)
{
	bool detached = says(d, "form", "detached");
	struct buf entity = {0}, der = {0};
	int rc;

	if (!detached && !says(d, "form", "opaque") && stmt_attribute(d->layer, "form", NULL))
		return fail(why, "form= is opaque or detached");
	draft_entity(d, &entity);
	rc = sign(d, &entity, detached, &der, why);
	if (rc == 0 && detached) {
		free(d->micalg);
		d->micalg = micalg(stmt_attribute(d->layer, "hash", "sha256"));
		buf_clear(&d->body);
		buf_add(&d->body, entity.p, entity.n);
	}
	if (rc == 0)
		draft_object(d, detached ? DRAFT_DETACHED : DRAFT_SIGNED, der.p, der.n);
	buf_free(&entity);
	buf_free(&der);
	return rc;
}

/* OpenSSL is often built without zlib: CompressedData (RFC 3274 1.1) is put together here. */
int layer_compress(struct draft *d, struct buf *why)
{
	static const unsigned char version[] = {DER_INTEGER, 1, 0};
	struct buf entity = {0}, packed = {0}, oid = {0}, a = {0}, b = {0}, info = {0};
	uLongf n;
	char *room;

	draft_entity(d, &entity);
	n = compressBound(entity.n);
	room = need(n);
	if (compress2((Bytef *)room, &n, (const Bytef *)entity.p, entity.n, 9) != Z_OK) {
		free(room);
		buf_free(&entity);
		return fail(why, "zlib does not compress");
	}
	buf_add(&packed, version, sizeof(version));
	der_add_oid(&oid, "1.2.840.113549.1.9.16.3.8");
	der_add(&packed, DER_SEQUENCE, oid.p, oid.n);
	der_add_oid(&info, "1.2.840.113549.1.7.1");
	der_add(&a, DER_OCTETS, room, n);
	der_add(&info, 0xa0, a.p, a.n);
	der_add(&packed, DER_SEQUENCE, info.p, info.n);
	buf_clear(&a);
	der_add(&a, DER_SEQUENCE, packed.p, packed.n);
	buf_clear(&info);
	der_add_oid(&info, "1.2.840.113549.1.9.16.1.9");
	der_add(&info, 0xa0, a.p, a.n);
	der_add(&b, DER_SEQUENCE, info.p, info.n);
	draft_object(d, DRAFT_COMPRESSED, b.p, b.n);
	free(room);
	buf_free(&entity);
	buf_free(&packed);
	buf_free(&oid);
	buf_free(&a);
	buf_free(&b);
	buf_free(&info);
	return 0;
}
