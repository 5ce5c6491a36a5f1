/* Signed attributes, both directions. Sealer and tests. */
#include "gateway/cms/cms_attr.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/cms/ber.h"
#include "gateway/cms/cms_alg.h"
#include "gateway/cms/cms_caps.h"
#include "gateway/cms/cms_prefer.h"

/* RFC 3183 2.1, numbers in RFC 7107: id-aa-signatureType; SEQUENCE OF one id-sti-domainSig. */
static const char signature_type[] = "1.2.840.113549.1.9.16.2.28";
static const uint8_t sti_domain[] = {0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x09, 0x02};

/* What our own read side takes. */
enum {
	CIPHERS = CMS_CAPS_AES_256_GCM | CMS_CAPS_AES_192_GCM | CMS_CAPS_AES_128_GCM | CMS_CAPS_AES_256_CBC |
		  CMS_CAPS_AES_192_CBC | CMS_CAPS_AES_128_CBC,
	OAEP = CMS_CAPS_OAEP_SHA256 | CMS_CAPS_OAEP_SHA1,
	ECDH = CMS_CAPS_ECDH_SHA384 | CMS_CAPS_ECDH_SHA256,
};

/* ---- write ---- */

/* How a content key may come to us depends on the key that opens it. */
static int add_capabilities(CMS_SignerInfo *si, X509 *enc_cert)
{
	EVP_PKEY *key = enc_cert != NULL ? X509_get0_pubkey(enc_cert) : NULL;
	uint32_t has = CIPHERS | CMS_CAPS_PSS;
	struct buf der;
	int r = -1;

	if (key != NULL)
		has |= EVP_PKEY_is_a(key, "EC") ? ECDH : OAEP;
	buf_init(&der, CMS_CAPS_DER_MAX);
	if (cms_caps_write(has, &der) == 0 &&
	    CMS_signed_add1_attr_by_NID(si, NID_SMIMECapabilities, V_ASN1_SEQUENCE, der.p, (int)der.len) == 1)
		r = 0;
	buf_clear_public(&der);
	return r;
}

static int add_domain(CMS_SignerInfo *si)
{
	uint8_t der[2 + sizeof(sti_domain)] = {0x30, sizeof(sti_domain)};
	ASN1_OBJECT *type = OBJ_txt2obj(signature_type, 1);
	int r = -1;

	memcpy(der + 2, sti_domain, sizeof(sti_domain));
	if (type != NULL && CMS_signed_add1_attr_by_OBJ(si, type, V_ASN1_SEQUENCE, der, (int)sizeof(der)) == 1)
		r = 0;
	ASN1_OBJECT_free(type);
	return r;
}

int cms_attr_add(CMS_SignerInfo *si, X509 *enc_cert, bool domain)
{
	if (add_capabilities(si, enc_cert) == -1)
		return -1;
	if (enc_cert != NULL && cms_prefer_add(si, enc_cert) == -1)
		return -1;
	return domain ? add_domain(si) : 0;
}

/* ---- read ---- */

static int bad(char *why, size_t cap, const char *text)
{
	snprintf(why, cap, "%s", text);
	return -1;
}

static int check_twice(CMS_SignerInfo *si, int n, char *why, size_t cap)
{
	for (int i = 0; i < n; i++)
		for (int k = 0; k < i; k++)
			if (OBJ_cmp(X509_ATTRIBUTE_get0_object(CMS_signed_get_attr(si, i)),
				X509_ATTRIBUTE_get0_object(CMS_signed_get_attr(si, k))) == 0)
				return bad(why, cap, "a signed attribute stands there twice (RFC 5652 5.3)");
	return 0;
}

/* The single value of the attribute; NULL when it is absent or has not exactly one value of this type. */
static void *single(CMS_SignerInfo *si, int nid, int type)
{
	int i = CMS_signed_get_attr_by_NID(si, nid, -1);
	X509_ATTRIBUTE *a = i >= 0 ? CMS_signed_get_attr(si, i) : NULL;

	if (a == NULL || X509_ATTRIBUTE_count(a) != 1)
		return NULL;
	return X509_ATTRIBUTE_get0_data(a, 0, type, NULL);
}

/* RFC 5652 11.3. A time that is none is no small matter: revocation and validity are judged by it. */
static int read_signing_time(CMS_SignerInfo *si, int64_t *time_r, char *why, size_t cap)
{
	int i = CMS_signed_get_attr_by_NID(si, NID_pkcs9_signingTime, -1);
	X509_ATTRIBUTE *a = i >= 0 ? CMS_signed_get_attr(si, i) : NULL;
	ASN1_TYPE *v = a != NULL && X509_ATTRIBUTE_count(a) == 1 ? X509_ATTRIBUTE_get0_type(a, 0) : NULL;
	struct tm tm;

	*time_r = 0;
	if (a == NULL)
		return 0;
	memset(&tm, 0, sizeof(tm));
	if (v == NULL || (v->type != V_ASN1_UTCTIME && v->type != V_ASN1_GENERALIZEDTIME) ||
	    !ASN1_TIME_to_tm(v->value.asn1_string, &tm))
		return bad(why, cap, "the signing time is not one well-formed time (RFC 5652 11.3)");
	*time_r = (int64_t)timegm(&tm);
	return 0;
}

/* True when the SEQUENCE OF OBJECT IDENTIFIER has domainSig in it. */
static bool is_domain(CMS_SignerInfo *si)
{
	ASN1_OBJECT *type = OBJ_txt2obj(signature_type, 1);
	int i = type != NULL ? CMS_signed_get_attr_by_OBJ(si, type, -1) : -1;
	X509_ATTRIBUTE *a = i >= 0 ? CMS_signed_get_attr(si, i) : NULL;
	ASN1_STRING *v = a != NULL ? X509_ATTRIBUTE_get0_data(a, 0, V_ASN1_SEQUENCE, NULL) : NULL;
	struct ber_item it;
	struct ber b;
	bool found = false;

	ASN1_OBJECT_free(type);
	if (v == NULL)
		return false;
	ber_open_mem(&b, ASN1_STRING_get0_data(v), (size_t)ASN1_STRING_length(v), 0, 2);
	if (ber_next(&b, &it, NULL) != 1 || !it.constructed || ber_enter(&b, &it, NULL) == -1)
		return false;
	while (!found && ber_next(&b, &it, NULL) == 1) {
		size_t n = it.nhead + (size_t)it.len;

		found = n == sizeof(sti_domain) && memcmp(b.win + it.off, sti_domain, n) == 0;
		if (ber_skip(&b, &it, NULL) == -1)
			return false;
	}
	return found;
}

/*
 * SigningCertificateV2 ::= SEQUENCE { certs SEQUENCE OF ESSCertIDv2 ...}; ESSCertIDv2 ::= SEQUENCE { hashAlgorithm
 * DEFAULT sha256, certHash OCTET STRING ...}; in the first version there is no hashAlgorithm. Finds the first
 * certHash, whose algorithm follows from its length. 1 with the place, 0.
 */
static int cert_hash(const ASN1_STRING *v, const uint8_t **p_r, size_t *n_r)
{
	struct ber_item it;
	struct ber b;

	ber_open_mem(&b, ASN1_STRING_get0_data(v), (size_t)ASN1_STRING_length(v), 0, 8);
	for (int level = 0; level < 3; level++)
		if (ber_next(&b, &it, NULL) != 1 || !ber_is(&it, BER_UNIVERSAL, BER_SEQUENCE) || !it.constructed ||
		    ber_enter(&b, &it, NULL) == -1)
			return 0;
	while (ber_next(&b, &it, NULL) == 1) {
		if (ber_is(&it, BER_UNIVERSAL, BER_OCTETS) && !it.constructed)
			return ber_run(&b, p_r, n_r, NULL) == 1;
		if (ber_skip(&b, &it, NULL) == -1)
			return 0;
	}
	return 0;
}

/* SHA-1 may stand here: to make another certificate with the same hash takes more than a collision. */
static bool has_hash(X509 *cert, const uint8_t *p, size_t n)
{
	static const int by_length[] = {NID_sha256, NID_sha384, NID_sha512};
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned int len;

	if (n == 20)
		return X509_digest(cert, EVP_sha1(), hash, &len) == 1 && memcmp(hash, p, n) == 0;
	for (size_t i = 0; i < sizeof(by_length) / sizeof(by_length[0]); i++)
		if (X509_digest(cert, cms_alg_md(cms_alg_digest(by_length[i])), hash, &len) == 1 && len == n &&
		    memcmp(hash, p, n) == 0)
			return true;
	return false;
}

/* RFC 5035 5.4, RFC 2634 5.4: the signature was made with this certificate, and not with another one over the same
 * key. */
static int check_signing_cert(CMS_SignerInfo *si, int nid, X509 *cert, char *why, size_t cap)
{
	const char *name = nid == NID_id_smime_aa_signingCertificate ? "signingCertificate" : "signingCertificateV2";
	ASN1_STRING *v = single(si, nid, V_ASN1_SEQUENCE);
	const uint8_t *p;
	size_t n;

	if (CMS_signed_get_attr_by_NID(si, nid, -1) < 0)
		return 0;
	if (v == NULL || !cert_hash(v, &p, &n)) {
		snprintf(why, cap, "the %s attribute is malformed (RFC 5035 5.4)", name);
		return -1;
	}
	if (has_hash(cert, p, n))
		return 0;
	snprintf(why, cap, "the %s attribute names another certificate (RFC 5035 5.4)", name);
	return -1;
}

/* The value of an attribute that must be there exactly once, with one value of this type; NULL with the reason. */
static void *demand(CMS_SignerInfo *si, int nid, int type, const char *name, char *why, size_t cap)
{
	void *v = single(si, nid, type);

	if (v != NULL)
		return v;
	if (CMS_signed_get_attr_by_NID(si, nid, -1) < 0)
		snprintf(why, cap, "the signed attribute %s is missing (RFC 5652 5.3)", name);
	else
		snprintf(why, cap, "the signed attribute %s is not one value of its type (RFC 5652 11)", name);
	return NULL;
}

int cms_attr_check(CMS_SignerInfo *si, const ASN1_OBJECT *content_type, X509 *cert, struct cms_attr_facts *facts_r,
    char *why, size_t cap)
{
	int n = CMS_signed_get_attr_count(si);
	ASN1_OBJECT *type;

	memset(facts_r, 0, sizeof(*facts_r));
	/* without attributes the DER of someone's honest attributes could be passed off as signed content */
	if (n <= 0)
		return bad(why, cap, "the signature has no signed attributes, which is not accepted (RFC 5652 11.1)");
	if (n > CMS_ATTR_MAX)
		return bad(why, cap, "the signature has too many signed attributes");
	if (check_twice(si, n, why, cap) == -1 || read_signing_time(si, &facts_r->signing_time, why, cap) == -1)
		return -1;
	facts_r->domain = is_domain(si);
	facts_r->caps = single(si, NID_SMIMECapabilities, V_ASN1_SEQUENCE);
	type = demand(si, NID_pkcs9_contentType, V_ASN1_OBJECT, "contentType", why, cap);
	if (type == NULL)
		return -1;
	if (content_type == NULL || OBJ_cmp(type, content_type) != 0)
		return bad(why, cap, "the signed content type is not that of the content (RFC 5652 11.1)");
	facts_r->digest = demand(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, "messageDigest", why, cap);
	if (facts_r->digest == NULL)
		return -1;
	if (cert == NULL)
		return 0;
	if (check_signing_cert(si, NID_id_smime_aa_signingCertificate, cert, why, cap) == -1)
		return -1;
	return check_signing_cert(si, NID_id_smime_aa_signingCertificateV2, cert, why, cap);
}
