/*
 * Statements and the SignedData around them, right and wrong in one thing at a time. Header only; the caller includes
 * Check before. What is wrong is built by hand, as no library makes it.
 */
#ifndef POSTERN_TESTS_STATEMENT_FIXTURE_H
#define POSTERN_TESTS_STATEMENT_FIXTURE_H

#include <openssl/rsa.h>

#include "gateway/base/buf.h"
#include "gateway/xsmg/statement_cms_make.h"
#include "gateway/xsmg/statement_der.h"
#include "gateway/xsmg/statement_json_write.h"
#include "gateway/xsmg/statement_signer.h"
#include "tests/unit/testcert.h"

#define FX static inline __attribute__((unused))
#define FX_NOW TESTCERT_NOW
#define FX_DAY 86400

/* Each is a SignedData that is wrong in just that; beside the first, which is right. */
enum fx_twist {
	FX_STRAIGHT,
	FX_NO_SIGNER,
	FX_ID_DATA,	 /* content type id-data, outside and in the attribute */
	FX_TYPE_OUTSIDE, /* only outside */
	FX_TYPE_ATTR,	 /* only in the attribute */
	FX_VERSION_1,
	FX_VERSION_4,
	FX_DETACHED,
	FX_CONTENT_PIECES, /* constructed octet string */
	FX_INDEFINITE,
	FX_LONG_LENGTH,
	FX_TRAILING,
	FX_CUT,
	FX_CRLS,
	FX_NO_CERTS,
	FX_EMPTY_CERTS,
	FX_CERT_OTHER_KIND,
	FX_CERTS_UNSORTED,
	FX_CERT_LEFT_OUT, /* the signer's */
	FX_DIGESTS_EMPTY,
	FX_DIGESTS_SHA1,
	FX_DIGESTS_MORE, /* what a stripped SignerInfo leaves; right */
	FX_INFO_SHA1,
	FX_INFO_MD5,
	FX_INFO_SIG_SHA1,
	FX_INFO_SIG_OTHER, /* SHA-384 in the signature, SHA-256 before */
	FX_INFO_VERSION_3, /* with issuerAndSerialNumber */
	FX_INFO_SKI,	   /* right */
	FX_INFO_SKI_OTHER,
	FX_INFO_SERIAL_OTHER,
	FX_INFO_DIGEST_NULL, /* NULL parameters; right */
	FX_UNSIGNED,
	FX_NO_ATTRS,
	FX_ATTR_TWICE,
	FX_ATTR_TWO_TIMES, /* signingTime twice with different values */
	FX_ATTR_TWO_VALUES,
	FX_ATTR_NO_VALUE,
	FX_ATTR_MORE,
	FX_ATTR_NO_TIME,
	FX_ATTR_NO_CERT,
	FX_ATTR_NO_DIGEST,
	FX_ATTR_NO_TYPE,
	FX_ATTR_UNSORTED,
	FX_ATTR_TIME_ODD,	  /* without seconds */
	FX_ATTR_TIME_GENERALIZED, /* before 2050 */
	FX_ATTR_CERT_OTHER,
	FX_ATTR_CERT_SHA256, /* the default written */
	FX_ATTR_CERT_SHA512, /* right */
	FX_DIGEST_OTHER,
	FX_SIGNATURE_BROKEN,
	FX_SIGNATURE_OF_CONTENT, /* not of the attributes */
	FX_PSS,			 /* right */
	FX_PSS_SALT,		 /* 20 octets */
	FX_PSS_MGF,		 /* SHA-1 in MGF1 */
	FX_PSS_TRAILER,
	FX_RSA_PLAIN, /* rsaEncryption as signatureAlgorithm; right */
	/* issuerAndSerialNumber: another issuer, the serial with an octet that is not needed, something behind it,
	 * nothing in it */
	FX_SID_ISSUER_OTHER,
	FX_SID_SERIAL_LONG,
	FX_SID_MORE,
	FX_SID_EMPTY,
	FX_ATTR_SERIAL, /* issuerSerial of signingCertificateV2; right */
	FX_ATTR_SERIAL_OTHER,
	FX_ATTR_ISSUER_OTHER,
	FX_ATTR_ISSUERS, /* two names */
	FX_TWISTS
};

FX void fx_must(int r)
{
	ck_assert_int_eq(r, 0);
}

FX void fx_put(struct buf *b, uint8_t tag, const void *p, size_t n)
{
	fx_must(statement_der_put(b, tag, p, n));
}

FX void fx_raw(struct buf *b, const void *p, size_t n)
{
	fx_must(buf_add(b, p, n));
}
#define FX_LIT(b, s) fx_raw(b, s, sizeof(s) - 1)

FX void fx_wrap(struct buf *b, uint8_t tag)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	fx_put(&out, tag, b->p, b->len);
	buf_clear(b);
	*b = out;
}

#define FX_SHA256 "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define FX_SHA512 "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03"
#define FX_SHA1 "\x06\x05\x2b\x0e\x03\x02\x1a"
#define FX_MD5 "\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05"
#define FX_ID_DATA_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define FX_PKCS1 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01"

/* ---- attributes ---- */

FX void fx_attr(struct buf *b, struct statement_octets type, const struct buf *values)
{
	struct buf one;

	buf_init(&one, 1 << 20);
	fx_raw(&one, type.p, type.n);
	fx_put(&one, STATEMENT_DER_SET, values->p, values->len);
	fx_put(b, STATEMENT_DER_SEQ, one.p, one.len);
	buf_clear(&one);
}

FX void fx_value_type(struct buf *v, enum fx_twist w)
{
	struct statement_octets t = statement_signer_type();

	if (w == FX_ID_DATA || w == FX_TYPE_ATTR)
		FX_LIT(v, FX_ID_DATA_OID);
	else
		fx_raw(v, t.p, t.n);
	if (w == FX_ATTR_TWO_VALUES)
		FX_LIT(v, "\x06\x13\x69\x89\xc6\x87\xac\x8c\x8a\xfa\x9a\xf7\x89\xd3\xbe\xd0\x80\xa3\xc1\x88\x7e");
}

FX void fx_value_time(struct buf *v, enum fx_twist w, int64_t t)
{
	char iso[21], text[16];
	size_t n = 0;

	encode_time(t, iso);
	for (size_t i = w == FX_ATTR_TIME_GENERALIZED ? 0 : 2; i < 20; i++)
		if (iso[i] != '-' && iso[i] != ':' && iso[i] != 'T')
			text[n++] = iso[i];
	if (w == FX_ATTR_TIME_ODD)
		text[(n -= 2) - 1] = 'Z';
	if (w != FX_ATTR_NO_VALUE)
		fx_put(v, w == FX_ATTR_TIME_GENERALIZED ? STATEMENT_DER_TIME : STATEMENT_DER_UTC, text, n);
}

FX void fx_value_digest(struct buf *v, enum fx_twist w, const void *p, size_t n)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned k = 0;

	ck_assert(EVP_Digest(p, n, md, &k, w == FX_INFO_SHA1 ? EVP_sha1() : EVP_sha256(), NULL) == 1);
	if (w == FX_DIGEST_OTHER)
		md[0] ^= 1;
	fx_put(v, STATEMENT_DER_OCTETS, md, k);
}

/* IssuerSerial { GeneralNames { [4] Name }, serial } (RFC 5035 5). */
FX void fx_issuer_serial(struct buf *v, enum fx_twist w, const struct testcert *by)
{
	unsigned char *name = NULL, *serial = NULL;
	int nn = i2d_X509_NAME(X509_get_issuer_name(by->x), &name);
	int ns = i2d_ASN1_INTEGER(X509_get0_serialNumber(by->x), &serial);
	struct buf names, all;

	buf_init(&names, 1 << 20);
	buf_init(&all, 1 << 20);
	if (w == FX_ATTR_ISSUER_OTHER)
		name[nn - 1] ^= 1;
	if (w == FX_ATTR_SERIAL_OTHER)
		serial[ns - 1] ^= 1;
	for (int i = 0; i < (w == FX_ATTR_ISSUERS ? 2 : 1); i++)
		fx_put(&names, 0xa4, name, (size_t)nn);
	fx_put(&all, STATEMENT_DER_SEQ, names.p, names.len);
	fx_raw(&all, serial, (size_t)ns);
	fx_put(v, STATEMENT_DER_SEQ, all.p, all.len);
	buf_clear(&names);
	buf_clear(&all);
	OPENSSL_free(name);
	OPENSSL_free(serial);
}

FX void fx_value_cert(struct buf *v, enum fx_twist w, const struct testcert *by)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned k = 0;

	ck_assert(
	    EVP_Digest(by->der, by->n, md, &k, w == FX_ATTR_CERT_SHA512 ? EVP_sha512() : EVP_sha256(), NULL) == 1);
	if (w == FX_ATTR_CERT_OTHER)
		md[0] ^= 1;
	if (w == FX_ATTR_CERT_SHA512)
		FX_LIT(v, "\x30\x0b" FX_SHA512);
	if (w == FX_ATTR_CERT_SHA256)
		FX_LIT(v, "\x30\x0b" FX_SHA256);
	fx_put(v, STATEMENT_DER_OCTETS, md, k);
	if (w >= FX_ATTR_SERIAL && w <= FX_ATTR_ISSUERS)
		fx_issuer_serial(v, w, by);
	for (int i = 0; i < 3; i++)
		fx_wrap(v, STATEMENT_DER_SEQ);
}

FX bool fx_left_out(enum statement_attr a, enum fx_twist w)
{
	return (a == STATEMENT_ATTR_TYPE && w == FX_ATTR_NO_TYPE) ||
	       (a == STATEMENT_ATTR_TIME && w == FX_ATTR_NO_TIME) ||
	       (a == STATEMENT_ATTR_DIGEST && w == FX_ATTR_NO_DIGEST) ||
	       (a == STATEMENT_ATTR_CERT && w == FX_ATTR_NO_CERT);
}

/* All attributes, each in a buf of its own; returns how many. */
FX size_t fx_attr_list(struct buf list[8], const void *p, size_t n, const struct testcert *by, enum fx_twist w)
{
	size_t k = 0;

	for (int a = 0; a < STATEMENT_ATTRS + 2; a++) {
		struct buf v;
		struct statement_octets type = statement_signer_attr(a < STATEMENT_ATTRS ? a : STATEMENT_ATTR_TIME);

		if (fx_left_out(a, w) || (a == STATEMENT_ATTRS && w != FX_ATTR_TWICE && w != FX_ATTR_TWO_TIMES) ||
		    (a == STATEMENT_ATTRS + 1 && w != FX_ATTR_MORE))
			continue;
		buf_init(&list[k], 1 << 20);
		buf_init(&v, 1 << 20);
		if (a == STATEMENT_ATTR_TYPE)
			fx_value_type(&v, w);
		else if (a == STATEMENT_ATTR_DIGEST)
			fx_value_digest(&v, w, p, n);
		else if (a == STATEMENT_ATTR_CERT)
			fx_value_cert(&v, w, by);
		else
			fx_value_time(&v, w, FX_NOW + (a == STATEMENT_ATTRS && w == FX_ATTR_TWO_TIMES));
		if (a == STATEMENT_ATTRS + 1) /* description, which nobody asked for */
			type = (struct statement_octets){(const uint8_t *)"\x06\x03\x55\x04\x0d", 5};
		fx_attr(&list[k++], type, &v);
		buf_clear(&v);
	}
	return k;
}

FX void fx_attrs(struct buf *b, const void *p, size_t n, const struct testcert *by, enum fx_twist w)
{
	struct buf list[8];
	struct statement_octets set[8];
	size_t k = fx_attr_list(list, p, n, by, w);

	for (size_t i = 0; i < k; i++)
		set[i] = (struct statement_octets){list[i].p, list[i].len};
	if (w == FX_ATTR_UNSORTED || w == FX_ATTR_TWICE) {
		for (size_t i = k; i > 0; i--)
			fx_raw(b, set[i - 1].p, set[i - 1].n);
		fx_wrap(b, STATEMENT_DER_SET);
	} else {
		fx_must(statement_der_put_set(b, STATEMENT_DER_SET, set, k));
	}
	for (size_t i = 0; i < k; i++)
		buf_clear(&list[i]);
}

/* ---- SignerInfo ---- */

FX void fx_sid(struct buf *b, const struct testcert *by, enum fx_twist w)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(by->x);
	unsigned char *name = NULL, *serial = NULL;
	int nn = i2d_X509_NAME(X509_get_issuer_name(by->x), &name);
	int ns = i2d_ASN1_INTEGER(X509_get0_serialNumber(by->x), &serial);
	struct buf sid;
	bool key = w == FX_INFO_SKI || w == FX_INFO_SKI_OTHER;

	buf_init(&sid, 1 << 20);
	if (w == FX_SID_ISSUER_OTHER)
		name[nn - 1] ^= 1;
	fx_raw(&sid, name, (size_t)nn);
	if (w == FX_SID_SERIAL_LONG) {
		fx_must(buf_addc(&sid, 2));
		fx_must(buf_addc(&sid, (uint8_t)(serial[1] + 1)));
		fx_must(buf_addc(&sid, 0));
		fx_raw(&sid, serial + 2, (size_t)ns - 2);
	} else {
		fx_raw(&sid, serial, (size_t)ns);
	}
	if (w == FX_INFO_SERIAL_OTHER)
		sid.p[sid.len - 1] ^= 1;
	if (w == FX_SID_MORE)
		FX_LIT(&sid, "\x05\x00");
	if (w == FX_SID_EMPTY)
		buf_reset(&sid);
	fx_raw(b, key || w == FX_INFO_VERSION_3 ? "\2\1\3" : "\2\1\1", 3);
	if (key) {
		uint8_t id[20];

		ck_assert(ski && ASN1_STRING_length(ski) == 20);
		memcpy(id, ASN1_STRING_get0_data(ski), 20);
		id[0] ^= w == FX_INFO_SKI_OTHER;
		fx_put(b, STATEMENT_DER_0_PLAIN, id, 20);
	} else {
		fx_put(b, STATEMENT_DER_SEQ, sid.p, sid.len);
	}
	buf_clear(&sid);
	OPENSSL_free(name);
	OPENSSL_free(serial);
}

FX void fx_digest_alg(struct buf *b, enum fx_twist w)
{
	if (w == FX_INFO_SHA1)
		FX_LIT(b, "\x30\x07" FX_SHA1);
	else if (w == FX_INFO_MD5)
		FX_LIT(b, "\x30\x0c" FX_MD5 "\x05\x00");
	else if (w == FX_INFO_DIGEST_NULL)
		FX_LIT(b, "\x30\x0d" FX_SHA256 "\x05\x00");
	else
		FX_LIT(b, "\x30\x0b" FX_SHA256);
}

FX bool fx_is_pss(enum fx_twist w)
{
	return w >= FX_PSS && w <= FX_PSS_TRAILER;
}

#define FX_PSS_HEAD(l1, l2) "\x30" l1 FX_PKCS1 "\x0a\x30" l2 "\xa0\x0f\x30\x0d" FX_SHA256 "\x05\x00"
#define FX_MGF1_SHA256 "\xa1\x1c\x30\x1a" FX_PKCS1 "\x08\x30\x0d" FX_SHA256 "\x05\x00"
#define FX_MGF1_SHA1 "\xa1\x16\x30\x14" FX_PKCS1 "\x08\x30\x07" FX_SHA1

FX void fx_sig_alg(struct buf *b, const struct testcert *by, enum fx_twist w)
{
	bool rsa = EVP_PKEY_is_a(by->key, "RSA");

	if (w == FX_PSS)
		FX_LIT(b, FX_PSS_HEAD("\x41", "\x34") FX_MGF1_SHA256 "\xa2\x03\x02\x01\x20");
	else if (w == FX_PSS_SALT)
		FX_LIT(b, FX_PSS_HEAD("\x41", "\x34") FX_MGF1_SHA256 "\xa2\x03\x02\x01\x14");
	else if (w == FX_PSS_MGF)
		FX_LIT(b, FX_PSS_HEAD("\x3b", "\x2e") FX_MGF1_SHA1 "\xa2\x03\x02\x01\x20");
	else if (w == FX_PSS_TRAILER)
		FX_LIT(b, FX_PSS_HEAD("\x46", "\x39") FX_MGF1_SHA256 "\xa2\x03\x02\x01\x20\xa3\x03\x02\x01\x01");
	else if (w == FX_INFO_SIG_SHA1)
		FX_LIT(b, "\x30\x0d" FX_PKCS1 "\x05\x05\x00");
	else if (w == FX_INFO_SIG_OTHER)
		FX_LIT(b, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03");
	else if (w == FX_RSA_PLAIN)
		FX_LIT(b, "\x30\x0d" FX_PKCS1 "\x01\x05\x00");
	else if (rsa)
		FX_LIT(b, "\x30\x0d" FX_PKCS1 "\x0b\x05\x00");
	else
		FX_LIT(b, "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02");
}

FX void fx_signature(struct buf *b, const struct testcert *by, const void *p, size_t n, enum fx_twist w)
{
	uint8_t sig[1024];
	size_t k = sizeof sig;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx;

	ck_assert(EVP_DigestSignInit(c, &ctx, w == FX_INFO_SHA1 ? EVP_sha1() : EVP_sha256(), NULL, by->key) == 1);
	if (fx_is_pss(w)) {
		ck_assert(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0);
		ck_assert(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, w == FX_PSS_SALT ? 20 : RSA_PSS_SALTLEN_DIGEST) > 0);
		ck_assert(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, w == FX_PSS_MGF ? EVP_sha1() : EVP_sha256()) > 0);
	}
	ck_assert(EVP_DigestSign(c, sig, &k, p, n) == 1);
	EVP_MD_CTX_free(c);
	if (w == FX_SIGNATURE_BROKEN)
		sig[k - 1] ^= 1;
	fx_put(b, STATEMENT_DER_OCTETS, sig, k);
}

FX void fx_info(struct buf *b, const void *p, size_t n, const struct testcert *by, enum fx_twist w)
{
	struct buf info, attrs;

	buf_init(&info, 1 << 20);
	buf_init(&attrs, 1 << 20);
	fx_sid(&info, by, w);
	fx_digest_alg(&info, w);
	fx_attrs(&attrs, p, n, by, w);
	if (w != FX_NO_ATTRS) {
		size_t at = info.len;

		fx_raw(&info, attrs.p, attrs.len);
		info.p[at] = STATEMENT_DER_0;
	}
	fx_sig_alg(&info, by, w);
	if (w == FX_NO_ATTRS || w == FX_SIGNATURE_OF_CONTENT)
		fx_signature(&info, by, p, n, w);
	else
		fx_signature(&info, by, attrs.p, attrs.len, w);
	if (w == FX_UNSIGNED)
		FX_LIT(&info, "\xa1\x0d\x30\x0b\x06\x03\x55\x04\x0d\x31\x04\x13\x02no");
	fx_put(b, STATEMENT_DER_SEQ, info.p, info.len);
	buf_clear(&info);
	buf_clear(&attrs);
}

/* ---- SignedData ---- */

FX void fx_content(struct buf *b, const void *p, size_t n, enum fx_twist w)
{
	struct statement_octets t = statement_signer_type();
	struct buf in, seq;

	buf_init(&in, 1 << 20);
	buf_init(&seq, 1 << 20);
	fx_put(&in, STATEMENT_DER_OCTETS, p, n);
	if (w == FX_CONTENT_PIECES)
		fx_wrap(&in, STATEMENT_DER_OCTETS | 0x20);
	fx_wrap(&in, STATEMENT_DER_0);
	if (w == FX_ID_DATA || w == FX_TYPE_OUTSIDE)
		FX_LIT(&seq, FX_ID_DATA_OID);
	else
		fx_raw(&seq, t.p, t.n);
	if (w != FX_DETACHED)
		fx_raw(&seq, in.p, in.len);
	fx_put(b, STATEMENT_DER_SEQ, seq.p, seq.len);
	buf_clear(&in);
	buf_clear(&seq);
}

struct fx_signed {
	const struct testcert *by[3], *more[8]; /* NULL-ended: signers, other certificates */
	enum fx_twist twist;
};

FX size_t fx_certs(struct buf *b, const struct fx_signed *s)
{
	struct statement_octets set[12];
	size_t n = 0;

	for (size_t i = 0; i < 3 && s->by[i]; i++)
		if (i > 0 || s->twist != FX_CERT_LEFT_OUT)
			set[n++] = (struct statement_octets){s->by[i]->der, s->by[i]->n};
	for (size_t i = 0; i < 8 && s->more[i]; i++)
		set[n++] = (struct statement_octets){s->more[i]->der, s->more[i]->n};
	if (s->twist == FX_EMPTY_CERTS)
		n = 0;
	fx_must(statement_der_put_set(b, STATEMENT_DER_0, set, n));
	if (s->twist == FX_CERTS_UNSORTED) {
		ck_assert_uint_eq(n, 2);
		buf_reset(b);
		fx_raw(b, set[1].p, set[1].n);
		fx_raw(b, set[0].p, set[0].n);
		fx_wrap(b, STATEMENT_DER_0);
	}
	if (s->twist == FX_CERT_OTHER_KIND) {
		buf_reset(b);
		FX_LIT(b, "\xa0\x04\xa1\x02\x05\x00");
	}
	return n;
}

FX void fx_infos(struct buf *b, const void *p, size_t n, const struct fx_signed *s)
{
	struct buf list[3];
	struct statement_octets set[3];
	size_t k = 0;

	for (; k < 3 && s->by[k] && s->twist != FX_NO_SIGNER; k++) {
		buf_init(&list[k], 1 << 20);
		fx_info(&list[k], p, n, s->by[k], k == 0 ? s->twist : FX_STRAIGHT);
		set[k] = (struct statement_octets){list[k].p, list[k].len};
	}
	fx_must(statement_der_put_set(b, STATEMENT_DER_SET, set, k));
	for (size_t i = 0; i < k; i++)
		buf_clear(&list[i]);
}

FX void fx_digests(struct buf *b, enum fx_twist w)
{
	if (w == FX_DIGESTS_EMPTY)
		FX_LIT(b, "\x31\x00");
	else if (w == FX_DIGESTS_SHA1)
		FX_LIT(b, "\x31\x16\x30\x07" FX_SHA1 "\x30\x0b" FX_SHA256);
	else if (w == FX_DIGESTS_MORE)
		FX_LIT(b, "\x31\x1a\x30\x0b" FX_SHA256 "\x30\x0b" FX_SHA512);
	else
		FX_LIT(b, "\x31\x0d\x30\x0b" FX_SHA256);
}

FX void fx_outside(struct buf *b, enum fx_twist w)
{
	struct buf out;

	fx_wrap(b, STATEMENT_DER_SEQ);
	fx_wrap(b, STATEMENT_DER_0);
	buf_init(&out, 1 << 20);
	FX_LIT(&out, "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02");
	fx_raw(&out, b->p, b->len);
	buf_clear(b);
	*b = out;
	if (w == FX_INDEFINITE || w == FX_LONG_LENGTH) {
		buf_init(&out, 1 << 20);
		fx_raw(&out, w == FX_INDEFINITE ? "\x30\x80" : "\x30\x83\x00", w == FX_INDEFINITE ? 2 : 3);
		if (w == FX_LONG_LENGTH) {
			fx_must(buf_addc(&out, (uint8_t)(b->len >> 8)));
			fx_must(buf_addc(&out, (uint8_t)b->len));
		}
		fx_raw(&out, b->p, b->len);
		if (w == FX_INDEFINITE)
			FX_LIT(&out, "\x00\x00");
		buf_clear(b);
		*b = out;
	} else {
		fx_wrap(b, STATEMENT_DER_SEQ);
	}
	if (w == FX_TRAILING)
		FX_LIT(b, "\x05\x00");
	if (w == FX_CUT)
		b->len--;
}

/* The SignedData over n octets, to be cleared. */
FX struct buf fx_signed(const void *p, size_t n, const struct fx_signed *s)
{
	struct buf b, part;

	buf_init(&b, 1 << 20);
	fx_raw(&b, s->twist == FX_VERSION_1 ? "\2\1\1" : s->twist == FX_VERSION_4 ? "\2\1\4" : "\2\1\3", 3);
	fx_digests(&b, s->twist);
	fx_content(&b, p, n, s->twist);
	buf_init(&part, 1 << 20);
	fx_certs(&part, s);
	if (s->twist != FX_NO_CERTS)
		fx_raw(&b, part.p, part.len);
	buf_clear(&part);
	if (s->twist == FX_CRLS)
		FX_LIT(&b, "\xa1\x00");
	buf_init(&part, 1 << 20);
	fx_infos(&part, p, n, s);
	fx_raw(&b, part.p, part.len);
	buf_clear(&part);
	fx_outside(&b, s->twist);
	return b;
}

/* ---- statements ---- */

FX struct statement_cert fx_cert(enum statement_use use, const struct testcert *c)
{
	struct statement_cert r = {use, {c->der, c->n}, FX_NOW - FX_DAY, FX_NOW + 300 * FX_DAY, "", false, ""};

	memcpy(r.sha256, c->sha256, sizeof r.sha256);
	return r;
}

/* Of lab.example, made now, a week long, with one certificate that signs it. */
FX struct statement fx_statement(const struct testcert *signer)
{
	struct statement s = {
	    .domain = "lab.example", .serial = FX_NOW * 1000, .issued = FX_NOW, .expires = FX_NOW + 7 * FX_DAY};

	s.certs[s.ncerts++] = fx_cert(STATEMENT_FOR_STATEMENT, signer);
	statement_hash(signer->der, signer->n, s.signer);
	statement_words_add(&s.read.content, STATEMENT_AES_256_GCM);
	statement_words_add(&s.read.content, STATEMENT_AES_256_CBC);
	statement_words_add(&s.read.keys, STATEMENT_ECDH_P256);
	statement_words_add(&s.read.signatures, STATEMENT_ECDSA_P256_SHA256);
	statement_words_add(&s.read.formats, STATEMENT_SIGNED_ENVELOPED);
	statement_words_add(&s.read.headers, STATEMENT_RFC9788);
	s.read.octets = 52428800;
	return s;
}

/* Its JSON, to be cleared. */
FX struct buf fx_json(const struct statement *s)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	fx_must(statement_json_write(s, &b));
	return b;
}

/* A certificate as a gateway has it: bound to lab.example, for mail. */
FX struct testcert fx_gateway(const char *cn)
{
	return testcert_make(&(struct testcert_spec){.cn = cn, .san = "DNS:lab.example", .ski = true});
}

#endif
