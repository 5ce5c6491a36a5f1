/*
 * cms_verify.c and cms_attr.c: the rules for signed attributes and algorithms as tables. Every message here is honest
 * but for the one thing the row names: attributes are changed before they are signed, so that the rule alone stands
 * against the message.
 */
#include "tests/unit/cms_keys_fixture.h"

#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "gateway/cms/cms_attr.h"

static void setup(void)
{
	fx_keys_setup(3000);
}

/* ---- making messages ---- */

struct part {
	uint8_t *p;
	size_t n; /* header and content */
	uint8_t *in;
};

static struct part next(uint8_t **p, const uint8_t *stop)
{
	const unsigned char *at = *p;
	struct part part = {.p = *p};
	long len;
	int tag, cls, r = ASN1_get_object(&at, &len, &tag, &cls, stop - *p);

	ck_assert(!(r & 0x80));
	part.in = part.p + (at - part.p);
	part.n = (size_t)(at - part.p) + (size_t)len;
	*p = part.p + part.n;
	return part;
}

/* The n-th element inside, from 0. */
static struct part child(struct part of, int n)
{
	uint8_t *p = of.in;

	while (n-- > 0)
		next(&p, of.p + of.n);
	return next(&p, of.p + of.n);
}

/* Signs the attributes of the first SignerInfo as they are now, with the RSA key. */
static struct buf encode_signed(CMS_ContentInfo *cms)
{
	struct buf b = fx_encode(cms);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t *p = b.p, sig[256];
	struct part sd = child(child(next(&p, b.p + b.len), 1), 0), si, attrs, signature;
	size_t n = sizeof(sig);
	int last = 0;

	for (p = sd.in; p < sd.p + sd.n; last++)
		next(&p, sd.p + sd.n);
	si = child(child(sd, last - 1), 0);
	attrs = child(si, 3);
	signature = child(si, 5);
	ck_assert_uint_eq(attrs.p[0], 0xa0);
	attrs.p[0] = 0x31;
	ck_assert_int_eq(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, rsa.key), 1);
	ck_assert_int_eq(EVP_DigestSign(md, sig, &n, attrs.p, attrs.n), 1);
	attrs.p[0] = 0xa0;
	ck_assert_uint_eq(signature.p + signature.n - signature.in, n);
	memcpy(signature.in, sig, n);
	EVP_MD_CTX_free(md);
	return b;
}

/* "" expected: the one signer is good. Else it is bad for this reason, or the message is malformed for it. */
static void expect(struct buf der, const char *what, const char *says)
{
	struct cms_verdict v;
	struct problem pr;
	struct buf got;
	int r = fx_verify(der.p, der.len, NULL, &got, &v, &pr);
	const char *why = r == 0 ? v.signers[0].why : pr.text;

	ck_assert_msg((r == 0 && v.signers[0].ok) == (says[0] == '\0'), "%s: %s", what, why);
	ck_assert_msg(strstr(why, says) != NULL, "%s: %s", what, why);
	if (r == 0 && !v.signers[0].ok) {
		/* nothing is believed of a bad signer */
		ck_assert_ptr_null(v.signers[0].caps);
		ck_assert_ptr_null(v.signers[0].enc_cert);
	}
	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
}

/* ---- signed attributes ---- */

static X509_ATTRIBUTE *attribute(CMS_SignerInfo *si, int nid)
{
	int i = CMS_signed_get_attr_by_NID(si, nid, -1);

	return i >= 0 ? CMS_signed_get_attr(si, i) : NULL;
}

static void drop(CMS_SignerInfo *si, int nid)
{
	int i = CMS_signed_get_attr_by_NID(si, nid, -1);

	ck_assert_int_ge(i, 0);
	X509_ATTRIBUTE_free(CMS_signed_delete_attr(si, i));
}

/* An attribute with this one value; one of the same type goes first. */
static void set(CMS_SignerInfo *si, int nid, int type, const void *p, int n)
{
	ASN1_STRING *s = ASN1_STRING_type_new(type);
	X509_ATTRIBUTE *a;

	if (attribute(si, nid) != NULL)
		drop(si, nid);
	ck_assert(ASN1_STRING_set(s, p, n) == 1);
	a = X509_ATTRIBUTE_create(nid, type, s);
	ck_assert_ptr_nonnull(a);
	ck_assert_int_eq(CMS_signed_add1_attr(si, a), 1);
	X509_ATTRIBUTE_free(a);
}

static void second_value(CMS_SignerInfo *si, int nid, int type, const void *p, int n)
{
	ck_assert_int_eq(X509_ATTRIBUTE_set1_data(attribute(si, nid), type, p, n), 1);
}

/* The same attribute again: another one is put there and then renamed. */
static void twice(CMS_SignerInfo *si, int nid, int type, const void *p, int n)
{
	X509_ATTRIBUTE *a;

	set(si, NID_pkcs9_unstructuredAddress, type, p, n);
	a = attribute(si, NID_pkcs9_unstructuredAddress);
	ck_assert_int_eq(X509_ATTRIBUTE_set1_object(a, OBJ_nid2obj(nid)), 1);
}

static void utc(CMS_SignerInfo *si, const char *t)
{
	set(si, NID_pkcs9_signingTime, V_ASN1_UTCTIME, t, (int)strlen(t));
}

static void generalized(CMS_SignerInfo *si, const char *t)
{
	set(si, NID_pkcs9_signingTime, V_ASN1_GENERALIZEDTIME, t, (int)strlen(t));
}

/* SigningCertificate(V2) with one certHash; `alg`: the octets of a hashAlgorithm, or "". */
static void ess(CMS_SignerInfo *si, int nid, X509 *cert, const EVP_MD *md, const char *alg, size_t nalg)
{
	uint8_t der[160] = {0x30}, *p = der;
	unsigned int n = 0;

	ck_assert_int_eq(X509_digest(cert, md, der + 8 + nalg, &n), 1);
	*p++ = 0x30;
	*p++ = (uint8_t)(6 + nalg + n);
	*p++ = 0x30;
	*p++ = (uint8_t)(4 + nalg + n);
	*p++ = 0x30;
	*p++ = (uint8_t)(2 + nalg + n);
	memcpy(p, alg, nalg);
	p += nalg;
	*p++ = 0x04;
	*p++ = (uint8_t)n;
	set(si, nid, V_ASN1_SEQUENCE, der, (int)(8 + nalg + n));
}

#define ALG_SHA512 "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03", 13
#define V1 NID_id_smime_aa_signingCertificate
#define V2 NID_id_smime_aa_signingCertificateV2

/* One number, one change; in the order of the table below. */
static void change(CMS_SignerInfo *si, int what)
{
	ASN1_OBJECT *data = OBJ_nid2obj(NID_pkcs7_data);
	uint8_t hash[64] = {1};

	switch (what) {
	case 1:
		return drop(si, NID_pkcs9_contentType);
	case 2:
		return second_value(si, NID_pkcs9_contentType, V_ASN1_OBJECT, data, -1);
	case 3:
		return set(si, NID_pkcs9_contentType, V_ASN1_OCTET_STRING, "data", 4);
	case 4:
		return twice(si, NID_pkcs9_contentType, V_ASN1_OCTET_STRING, "data", 4);
	case 5:
		return drop(si, NID_pkcs9_messageDigest);
	case 6:
		return second_value(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, hash, 32);
	case 7:
		return twice(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, hash, 32);
	case 8:
		return set(si, NID_pkcs9_messageDigest, V_ASN1_IA5STRING, "digest", 6);
	case 9:
		return set(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, hash, 32);
	case 10:
		return set(si, NID_pkcs9_messageDigest, V_ASN1_OCTET_STRING, hash, 0);
	case 11:
		return utc(si, "261122120000Z");
	case 12:
		return utc(si, "261322120000Z");
	case 13:
		return utc(si, "yesterday");
	case 14:
		return utc(si, "");
	case 15:
		return generalized(si, "20261122120000Z");
	case 16:
		return generalized(si, "20501122120000Z");
	case 17:
		return generalized(si, "20261122");
	case 18:
		return generalized(si, "20260230120000Z");
	case 19:
		return second_value(si, NID_pkcs9_signingTime, V_ASN1_UTCTIME, "261122120000Z", 13);
	case 20:
		return twice(si, NID_pkcs9_signingTime, V_ASN1_UTCTIME, "261122120000Z", 13);
	case 21:
		return set(si, NID_pkcs9_signingTime, V_ASN1_IA5STRING, "261122120000Z", 13);
	case 22:
		return ess(si, V1, rsa.cert, EVP_sha1(), "", 0);
	case 23:
		return ess(si, V1, other.cert, EVP_sha1(), "", 0);
	case 24:
		return set(si, V1, V_ASN1_SEQUENCE, "\x30\x00", 2);
	case 25:
		return ess(si, V2, rsa.cert, EVP_sha256(), "", 0);
	case 26:
		return ess(si, V2, rsa.cert, EVP_sha512(), ALG_SHA512);
	case 27:
		return ess(si, V2, other.cert, EVP_sha512(), ALG_SHA512);
	case 28:
		return ess(si, V2, other.cert, EVP_sha256(), "", 0);
	case 29:
		return ess(si, V2, rsa.cert, EVP_md5(), "", 0);
	case 30:
		return set(si, V2, V_ASN1_IA5STRING, "certificate", 11);
	case 31:
		ess(si, V2, rsa.cert, EVP_sha256(), "", 0);
		return ess(si, V1, other.cert, EVP_sha1(), "", 0);
	case 32:
		ess(si, V2, rsa.cert, EVP_sha256(), "", 0);
		return twice(si, V2, V_ASN1_SEQUENCE, "\x30\x00", 2);
	case 33:
		return set(si, NID_SMIMECapabilities, V_ASN1_IA5STRING, "all", 3);
	case 34:
		return set(si, NID_id_smime_aa_encrypKeyPref, V_ASN1_IA5STRING, "mine", 4);
	default:
		return;
	}
}

static const char *const attrs[] = {
    [0] = "",
    [1] = "contentType is missing",
    [2] = "contentType is not one value",
    [3] = "contentType is not one value",
    [4] = "stands there twice",
    [5] = "messageDigest is missing",
    [6] = "messageDigest is not one value",
    [7] = "stands there twice",
    [8] = "messageDigest is not one value",
    [9] = "changed after it was signed",
    [10] = "changed after it was signed",
    [11] = "",
    [12] = "not one well-formed time",
    [13] = "not one well-formed time",
    [14] = "not one well-formed time",
    [15] = "", /* RFC 5652 wants UTCTime until 2049, but the time is clear */
    [16] = "",
    [17] = "not one well-formed time",
    [18] = "not one well-formed time",
    [19] = "not one well-formed time",
    [20] = "stands there twice",
    [21] = "not one well-formed time",
    [22] = "",
    [23] = "signingCertificate attribute names another certificate",
    [24] = "signingCertificate attribute is malformed",
    [25] = "",
    [26] = "",
    [27] = "signingCertificateV2 attribute names another certificate",
    [28] = "signingCertificateV2 attribute names another certificate",
    [29] = "signingCertificateV2 attribute names another certificate",
    [30] = "signingCertificateV2 attribute is malformed",
    [31] = "signingCertificate attribute names another certificate",
    [32] = "stands there twice",
    [33] = "", /* hints that are none do no harm */
    [34] = "",
};

START_TEST(test_attributes)
{
	CMS_ContentInfo *cms = fx_begin();
	CMS_SignerInfo *si = fx_add(cms, &rsa, EVP_sha256(), 0);
	char what[16];

	fx_finish(cms);
	change(si, _i);
	snprintf(what, sizeof(what), "change %d", _i);
	expect(encode_signed(cms), what, attrs[_i]);
}
END_TEST

START_TEST(test_signing_time)
{
	/* both forms mean the same second */
	for (int form = 0; form < 2; form++) {
		CMS_ContentInfo *cms = fx_begin();
		CMS_SignerInfo *si = fx_add(cms, &rsa, EVP_sha256(), 0);
		struct cms_verdict v;
		struct problem pr;
		struct buf der, got;

		fx_finish(cms);
		change(si, form == 0 ? 11 : 15);
		der = encode_signed(cms);
		ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), 0);
		ck_assert_int_eq(v.signers[0].signing_time, 1795348800); /* 2026-11-22 12:00:00 UTC */
		cms_verdict_clear(&v);
		buf_clear(&got);
		buf_clear(&der);
	}
}
END_TEST

START_TEST(test_too_many)
{
	/* 64 attributes are read, 65 are not */
	for (int all = CMS_ATTR_MAX; all <= CMS_ATTR_MAX + 1; all++) {
		CMS_ContentInfo *cms = fx_begin();
		CMS_SignerInfo *si = fx_add(cms, &rsa, EVP_sha256(), 0);
		char oid[32];

		fx_finish(cms);
		for (int i = CMS_signed_get_attr_count(si); i < all; i++) {
			snprintf(oid, sizeof(oid), "1.3.6.1.4.1.99999.%d", i);
			ck_assert_int_eq(CMS_signed_add1_attr_by_txt(si, oid, V_ASN1_OCTET_STRING, "x", 1), 1);
		}
		expect(encode_signed(cms), "many", all == CMS_ATTR_MAX ? "" : "too many signed attributes");
	}
}
END_TEST

/* ---- the encryption key preference ---- */

static const struct {
	const char *what;
	int kind;
} prefs[] = {
    {"[0] issuer and serial number", 0},
    {"[1] recipient key identifier", 1},
    {"[2] subject key identifier", 2},
    {"one that is not inside", 3},
    {"an identifier of nobody", 4},
    {"an issuer without a serial number", 5},
    {"a tag that is unknown", 6},
};

START_TEST(test_preference)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(ec.cert);
	int kind = prefs[_i].kind, n = ASN1_STRING_length(id);
	X509 *named = kind == 3 ? other.cert : ec.cert;
	CMS_ContentInfo *cms = fx_begin();
	CMS_SignerInfo *si = fx_add(cms, &rsa, EVP_sha256(), 0);
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;
	uint8_t value[1024], *p = value + 8;

	ck_assert_int_eq(CMS_add1_cert(cms, ec.cert), 1);
	fx_finish(cms);
	if (kind == 1 || kind == 2 || kind == 4) {
		uint8_t *at = kind == 1 ? value + 2 : value;

		value[0] = 0xa1;
		value[1] = (uint8_t)(2 + n);
		at[0] = kind == 1 ? 0x04 : 0x82;
		at[1] = (uint8_t)n;
		memcpy(at + 2, ASN1_STRING_get0_data(id), (size_t)n);
		at[2] ^= kind == 4;
		set(si, NID_id_smime_aa_encrypKeyPref, V_ASN1_OTHER, value, (int)(at - value) + 2 + n);
	} else {
		n = i2d_X509_NAME(X509_get_issuer_name(named), &p);
		if (kind != 5)
			n += i2d_ASN1_INTEGER(X509_get0_serialNumber(named), &p);
		ck_assert_int_lt(n, 128);
		value[6] = kind == 6 ? 0xa7 : 0xa0;
		value[7] = (uint8_t)n;
		set(si, NID_id_smime_aa_encrypKeyPref, V_ASN1_OTHER, value + 6, 2 + n);
	}
	der = encode_signed(cms);
	ck_assert_msg(fx_verify(der.p, der.len, NULL, &got, &v, &pr) == 0, "%s", pr.text);
	ck_assert_msg(v.signers[0].ok, "%s: %s", prefs[_i].what, v.signers[0].why);
	ck_assert_msg((v.signers[0].enc_cert != NULL) == (kind < 3), "%s", prefs[_i].what);
	if (kind < 3)
		ck_assert_int_eq(X509_cmp(v.signers[0].enc_cert, ec.cert), 0);
	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
}
END_TEST

/* ---- digest and signature algorithm ---- */

static const struct {
	const char *what;
	bool ec, pss;
	int digest, sig; /* NID_undef: left as it was */
	const char *says;
} pairs[] = {
    {"RSA as it is", false, false, NID_undef, NID_undef, ""},
    {"RSA, the full name", false, false, NID_undef, NID_sha256WithRSAEncryption, ""},
    {"RSA, another hash in the name", false, false, NID_undef, NID_sha384WithRSAEncryption, "does not fit"},
    {"RSA, SHA-1 in the name", false, false, NID_undef, NID_sha1WithRSAEncryption, "does not fit"},
    {"RSA, MD5 in the name", false, false, NID_undef, NID_md5WithRSAEncryption, "does not fit"},
    {"RSA, said to be ECDSA", false, false, NID_undef, NID_ecdsa_with_SHA256, "does not fit"},
    {"RSA, said to be Ed25519", false, false, NID_undef, NID_ED25519, "does not fit"},
    {"RSA v1.5, said to be PSS with SHA-1", false, false, NID_undef, NID_rsassaPss, "name another hash than sha256"},
    {"RSA, SHA-384 as digest", false, false, NID_sha384, NID_undef, "its digest differs"},
    {"RSA, SHA-1 as digest", false, false, NID_sha1, NID_undef, "digest sha1, which is not accepted"},
    {"RSA, MD5 as digest", false, false, NID_md5, NID_undef, "digest md5, which is not accepted"},
    {"RSA, SHA3-256 as digest", false, false, NID_sha3_256, NID_undef, "which is not accepted"},
    {"RSA, a cipher as digest", false, false, NID_aes_256_cbc, NID_undef, "which is not accepted"},
    {"PSS as it is", false, true, NID_undef, NID_undef, ""},
    {"PSS, said to be v1.5", false, true, NID_undef, NID_rsaEncryption, "does not belong to the signer's key"},
    {"PSS, another digest", false, true, NID_sha512, NID_undef, "name another hash than sha512"},
    {"ECDSA as it is", true, false, NID_undef, NID_undef, ""},
    {"ECDSA, another hash in the name", true, false, NID_undef, NID_ecdsa_with_SHA384, "does not fit"},
    {"ECDSA, SHA-1 in the name", true, false, NID_undef, NID_ecdsa_with_SHA1, "does not fit"},
    {"ECDSA, said to be RSA", true, false, NID_undef, NID_sha256WithRSAEncryption, "does not fit"},
    {"ECDSA, said to be PSS", true, false, NID_undef, NID_rsassaPss, "does not fit"},
    {"ECDSA, a digest with another name", true, false, NID_sha384, NID_undef, "does not fit"},
    {"ECDSA, both names changed", true, false, NID_sha384, NID_ecdsa_with_SHA384, "its digest differs"},
};

static void set_pss(CMS_SignerInfo *si)
{
	EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);

	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST), 0);
}

START_TEST(test_pairs)
{
	CMS_ContentInfo *cms = fx_begin();
	CMS_SignerInfo *si = fx_add(cms, pairs[_i].ec ? &ec : &rsa, EVP_sha256(), pairs[_i].pss ? CMS_KEY_PARAM : 0);
	X509_ALGOR *dig, *sig;

	if (pairs[_i].pss)
		set_pss(si);
	fx_finish(cms);
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &dig, &sig);
	if (pairs[_i].digest != NID_undef)
		ck_assert(X509_ALGOR_set0(dig, OBJ_nid2obj(pairs[_i].digest), V_ASN1_UNDEF, NULL) == 1);
	if (pairs[_i].sig != NID_undef)
		ck_assert(X509_ALGOR_set0(sig, OBJ_nid2obj(pairs[_i].sig), V_ASN1_UNDEF, NULL) == 1);
	expect(fx_encode(cms), pairs[_i].what, pairs[_i].says);
}
END_TEST

START_TEST(test_pss_parameters)
{
	/* parameters that are no parameters, and a salt of another length than was signed */
	for (int i = 0; i < 3; i++) {
		CMS_ContentInfo *cms = fx_begin();
		CMS_SignerInfo *si = fx_add(cms, &rsa, EVP_sha256(), CMS_KEY_PARAM);
		ASN1_STRING *junk = ASN1_STRING_new(), *seq = NULL;
		RSA_PSS_PARAMS *pss;
		const void *v;
		X509_ALGOR *sig;
		int type;

		set_pss(si);
		fx_finish(cms);
		CMS_SignerInfo_get0_algs(si, NULL, NULL, NULL, &sig);
		X509_ALGOR_get0(NULL, &type, &v, sig);
		ck_assert_int_eq(type, V_ASN1_SEQUENCE);
		pss = ASN1_item_unpack(v, ASN1_ITEM_rptr(RSA_PSS_PARAMS));
		ck_assert_int_eq(ASN1_INTEGER_set(pss->saltLength, 20), 1);
		seq = ASN1_item_pack(pss, ASN1_ITEM_rptr(RSA_PSS_PARAMS), NULL);
		RSA_PSS_PARAMS_free(pss);
		ck_assert_int_eq(
		    ASN1_STRING_set(junk, i == 0 ? "\x30\x03\x02\x01\x05" : "\x05\x00", i == 0 ? 5 : 2), 1);
		ck_assert(X509_ALGOR_set0(sig, OBJ_nid2obj(NID_rsassaPss), i == 1 ? V_ASN1_NULL : V_ASN1_SEQUENCE,
			      i == 0   ? junk
			      : i == 1 ? NULL
				       : seq) == 1);
		if (i != 0)
			ASN1_STRING_free(junk);
		if (i != 2)
			ASN1_STRING_free(seq);
		expect(fx_encode(cms), "PSS", i == 2 ? "does not belong to the signer's key" : "name another hash");
	}
}
END_TEST

/* ---- several signers ---- */

START_TEST(test_several)
{
	/* three hashes, two keys, one of them twice: all good; the one in the middle damaged: the others stay good */
	for (int damage = 0; damage < 2; damage++) {
		CMS_ContentInfo *cms = fx_begin();
		CMS_SignerInfo *si[4];
		struct cms_verdict v;
		struct problem pr;
		struct buf der, got;
		size_t good = 0;

		si[0] = fx_add(cms, &rsa, EVP_sha256(), 0);
		si[1] = fx_add(cms, &rsa, EVP_sha512(), CMS_KEY_PARAM | CMS_NOCERTS);
		set_pss(si[1]);
		si[2] = fx_add(cms, &ec, EVP_sha384(), 0);
		si[3] = fx_add(cms, &ec, EVP_sha256(), CMS_USE_KEYID | CMS_NOCERTS);
		fx_finish(cms);
		if (damage)
			((uint8_t *)ASN1_STRING_get0_data(CMS_SignerInfo_get0_signature(si[2])))[20] ^= 1;
		der = fx_encode(cms);
		ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), 0);
		ck_assert_uint_eq(v.nsigners, 4);
		for (size_t i = 0; i < 4; i++) {
			good += v.signers[i].ok;
			ck_assert_int_eq(v.signers[i].ok, v.signers[i].why[0] == '\0');
			if (!v.signers[i].ok)
				ck_assert_str_eq(v.signers[i].digest, "sha384");
		}
		ck_assert_uint_eq(good, damage ? 3 : 4);
		cms_verdict_clear(&v);
		buf_clear(&got);
		buf_clear(&der);
	}
}
END_TEST

START_TEST(test_digest_algorithms)
{
	/* digestAlgorithms names another digest than the signer's: readers do not mind (RFC 5652 5.1 says what is
	 * meant to be there, not that it must be complete) */
	static const uint8_t sha256[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01};
	CMS_ContentInfo *cms = fx_begin();
	struct buf der;
	uint8_t *at;

	fx_add(cms, &rsa, EVP_sha256(), 0);
	fx_finish(cms);
	der = fx_encode(cms);
	at = memmem(der.p, 60, sha256, sizeof(sha256));
	ck_assert_ptr_nonnull(at);
	at[8] = 3;
	expect(der, "sha512 in digestAlgorithms", "");
}
END_TEST

START_TEST(test_same_key_identifier)
{
	/* a certificate of the attacker's with the signer's key identifier stands first: he cannot become the signer
	 */
	CMS_ContentInfo *cms = fx_begin();
	X509 *fake = X509_dup(other.cert);
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;

	X509_EXTENSION *ext = X509_delete_ext(fake, X509_get_ext_by_NID(fake, NID_subject_key_identifier, -1));

	X509_EXTENSION_free(ext);
	ck_assert_int_eq(X509_add1_ext_i2d(fake, NID_subject_key_identifier,
			     (void *)X509_get0_subject_key_id(rsa.cert), 0, X509V3_ADD_DEFAULT),
	    1);
	ck_assert_int_gt(X509_sign(fake, other.key, EVP_sha256()), 0);
	ck_assert_int_eq(CMS_add1_cert(cms, fake), 1);
	fx_add(cms, &rsa, EVP_sha256(), CMS_USE_KEYID);
	fx_finish(cms);
	der = fx_encode(cms);
	ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), 0);
	ck_assert(!v.signers[0].ok || X509_cmp(v.signers[0].cert, rsa.cert) == 0);
	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
	X509_free(fake);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_rules");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, fx_keys_teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_attributes, 0, (int)(sizeof(attrs) / sizeof(attrs[0])));
	tcase_add_test(t, test_signing_time);
	tcase_add_test(t, test_too_many);
	tcase_add_loop_test(t, test_preference, 0, (int)(sizeof(prefs) / sizeof(prefs[0])));
	tcase_add_loop_test(t, test_pairs, 0, (int)(sizeof(pairs) / sizeof(pairs[0])));
	tcase_add_test(t, test_pss_parameters);
	tcase_add_test(t, test_several);
	tcase_add_test(t, test_digest_algorithms);
	tcase_add_test(t, test_same_key_identifier);
	suite_add_tcase(s, t);
	return suite_run(s);
}
