/*
 * cms_verify.c and cms_attr.c: what openssl(1) signs; every octet flipped; the tricks (no attributes, another content
 * type, content inside a detached signature, attributes twice, no signer, weak digests and keys).
 */
#include "tests/unit/cms_keys_fixture.h"

#include <openssl/rsa.h>

static void setup(void)
{
	fx_keys_setup(3000);
}

static const struct {
	const char *id, *words;
	int detached;
} cases[] = {
    {"rsa", "-nodetach", 0},
    {"rsa", "-nodetach -stream", 0},
    {"rsa", "-nodetach -md sha384 -keyid", 0},
    {"rsa", "-nodetach -md sha512 -cades", 0},
    {"rsa", "-nodetach -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:-1", 0},
    {"ec", "-nodetach", 0},
    {"ec", "-nodetach -stream -md sha512", 0},
    {"p384", "-nodetach -md sha384", 0},
    {"rsa", "", 1},
    {"ec", "-nosmimecap", 1},
    {"rsa", "-noattr -nodetach", 0},
    {"rsa", "-noattr -nodetach -md sha512 -keyid", 0},
    {"rsa", "-noattr -nodetach -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:-1", 0},
    {"p384", "-noattr -nodetach -md sha384", 0},
    {"ec", "-noattr", 1},
};

START_TEST(test_openssl_writes)
{
	struct fx_id id = fx_id(cases[_i].id);
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;
	char dir[64], line[300];

	fx_dir(dir);
	fx_put(dir, "text", &text);
	snprintf(line, sizeof(line),
	    "cms -sign -binary -outform DER -in %%D/text -out %%D/in -signer tests/data/cms/%s.pem -inkey "
	    "tests/data/cms/%s.key %s",
	    cases[_i].id, cases[_i].id, cases[_i].words);
	ck_assert_int_eq(fx_openssl(dir, line), 0);
	der = fx_get(dir, "in");
	ck_assert_msg(
	    fx_verify(der.p, der.len, cases[_i].detached ? &text : NULL, &got, &v, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(v.nsigners, 1);
	ck_assert_msg(v.signers[0].ok, "%s: %s", cases[_i].words, v.signers[0].why);
	ck_assert_int_eq(X509_cmp(v.signers[0].cert, id.cert), 0);
	if (strstr(cases[_i].words, "-noattr") == NULL)
		ck_assert(v.signers[0].signing_time > 1600000000);
	else
		ck_assert(v.signers[0].signing_time == 0 && v.signers[0].caps == NULL);
	ck_assert(!v.signers[0].domain);
	if (!cases[_i].detached)
		fx_same(&got, &text);
	fx_remove(dir);
	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

static struct buf end(CMS_ContentInfo *cms)
{
	fx_finish(cms);
	return fx_encode(cms);
}

/* Verifies; -1 malformed, else the number of good signers. The reason of the last bad one in why. */
static int good_signers(const struct buf *der, char why[256])
{
	struct cms_verdict v;
	struct problem pr;
	struct buf got;
	int n = -1;

	why[0] = '\0';
	if (fx_verify(der->p, der->len, NULL, &got, &v, &pr) == 0) {
		n = 0;
		for (size_t i = 0; i < v.nsigners; i++) {
			if (v.signers[i].ok)
				n++;
			else
				snprintf(why, 256, "%s", v.signers[i].why);
			ck_assert(v.signers[i].ok == (v.signers[i].why[0] == '\0'));
		}
	} else {
		snprintf(why, 256, "%.250s", pr.text);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_ptr_null(v.signers);
	}
	cms_verdict_clear(&v);
	buf_clear(&got);
	return n;
}

static void expect(struct buf der, int good, const char *says)
{
	char why[256];
	int n = good_signers(&der, why);

	ck_assert_msg(n == good, "%d good signers instead of %d: %s", n, good, why);
	ck_assert_msg(strstr(why, says) != NULL, "%s", why);
	buf_clear(&der);
}

START_TEST(test_plain)
{
	CMS_ContentInfo *cms = fx_begin();

	fx_add(cms, &rsa, EVP_sha256(), 0);
	expect(end(cms), 1, "");
}
END_TEST

START_TEST(test_two_signers)
{
	CMS_ContentInfo *cms = fx_begin();
	char why[256];
	struct buf der;
	uint8_t *at;

	fx_add(cms, &rsa, EVP_sha256(), 0);
	fx_add(cms, &ec, EVP_sha384(), 0);
	der = end(cms);
	ck_assert_int_eq(good_signers(&der, why), 2);
	/* one of the two signatures is damaged: SignerInfos are a SET in DER, so the shorter EC one comes first and
	 * RSA ends the message */
	at = der.p + der.len - 1;
	*at ^= 1;
	ck_assert_int_eq(good_signers(&der, why), 1);
	ck_assert_ptr_nonnull(strstr(why, "damaged"));
	buf_clear(&der);
}
END_TEST

START_TEST(test_weak)
{
	struct fx_id weak = fx_id("weak");
	CMS_ContentInfo *cms = fx_begin();

	fx_add(cms, &rsa, EVP_sha1(), 0);
	expect(end(cms), 0, "digest sha1, which is not accepted");
	cms = fx_begin();
	fx_add(cms, &ec, EVP_sha1(), 0);
	expect(end(cms), 0, "digest sha1, which is not accepted");
	cms = fx_begin();
	fx_add(cms, &rsa, EVP_md5(), 0);
	expect(end(cms), 0, "digest md5, which is not accepted");
	cms = fx_begin();
	fx_add(cms, &rsa, EVP_sha224(), 0);
	expect(end(cms), 0, "not accepted");
	cms = fx_begin();
	fx_add(cms, &weak, EVP_sha256(), 0);
	expect(end(cms), 0, "1024 bits");
	/* a good one beside a bad one stays good */
	cms = fx_begin();
	fx_add(cms, &weak, EVP_sha256(), 0);
	fx_add(cms, &ec, EVP_sha256(), 0);
	expect(end(cms), 1, "1024 bits");
	fx_id_clear(&weak);
}
END_TEST

static struct buf copy(const struct buf *b)
{
	struct buf c;

	buf_init(&c, FX_MAX);
	ck_assert_int_eq(buf_add(&c, b->p, b->len), 0);
	return c;
}

/* Without signed attributes (RFC 8551 2.5: to be read); each octet of the content and of the signature counts. */
START_TEST(test_no_attributes)
{
	CMS_ContentInfo *cms = fx_begin();
	struct buf der;
	uint8_t *at;

	fx_add(cms, &rsa, EVP_sha256(), CMS_NOATTR);
	fx_add(cms, &ec, EVP_sha256(), CMS_NOATTR);
	der = end(cms);
	expect(copy(&der), 2, "");
	at = memmem(der.p, der.len, text.p, 64);
	ck_assert_ptr_nonnull(at);
	for (int i = 0; i < 64; i++) {
		at[i] ^= 1;
		expect(copy(&der), 0, "changed after it was signed");
		at[i] ^= 1;
	}
	der.p[der.len - 1] ^= 1; /* of one of the two */
	expect(copy(&der), 1, "without signed attributes that cannot be told apart");
	buf_clear(&der);
}
END_TEST

/* What could be somebody's signed attributes is no content for it, nor is anything but data, nor nothing. */
static const struct {
	const char *content, *type;
	int good;
} bare[] = {
    {"1", NULL, 0},
    {"1 a list that begins with a digit", NULL, 0},
    {"", NULL, 0},
    {"2", NULL, 1},
    {"2", "1.2.840.113549.1.9.16.1.4", -1},
};

START_TEST(test_no_attributes_of)
{
	BIO *in = BIO_new_mem_buf(bare[_i].content, -1);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, in, CMS_PARTIAL | CMS_BINARY);
	char why[256];
	struct buf der;
	int n;

	if (bare[_i].type)
		ck_assert_int_eq(CMS_set1_eContentType(cms, OBJ_txt2obj(bare[_i].type, 1)), 1);
	fx_add(cms, &rsa, EVP_sha256(), CMS_NOATTR);
	ck_assert_int_eq(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	BIO_free(in);
	der = fx_encode(cms);
	n = good_signers(&der, why);
	ck_assert_msg(n == bare[_i].good, "%d: %s", n, why);
	if (n == 0)
		ck_assert_msg(strstr(why, "no signed attributes") != NULL, "%s", why);
	buf_clear(&der);
}
END_TEST

/* ---- Ed25519, which OpenSSL 3.0 neither makes nor checks in CMS ---- */

/* A certificate for the key, signed by itself. */
static X509 *edwards_cert(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);

	ck_assert_int_eq(
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"ed", -1, -1, 0), 1);
	ck_assert_int_eq(X509_set_issuer_name(x, name), 1);
	ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(x), 77), 1);
	ck_assert(X509_gmtime_adj(X509_getm_notBefore(x), -60) && X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	ck_assert_int_eq(X509_set_pubkey(x, key), 1);
	ck_assert_int_gt(X509_sign(x, key, NULL), 0);
	return x;
}

/* RFC 8419 3.1: the attributes with the tag of a SET OF, as they are. Without any: the content (3.2). */
static void edwards_sign(CMS_SignerInfo *si, EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buf all, set;
	uint8_t sig[64], head[8], *at = head;
	size_t n = sizeof(sig);
	X509_ALGOR *alg;

	buf_init(&all, FX_MAX);
	buf_init(&set, FX_MAX);
	for (int i = 0; i < CMS_signed_get_attr_count(si); i++) {
		unsigned char *der = NULL;
		int len = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(si, i), &der);

		ck_assert_int_eq(buf_add(&all, der, (size_t)len), 0);
		OPENSSL_free(der);
	}
	ASN1_put_object(&at, 1, (int)all.len, V_ASN1_SET, V_ASN1_UNIVERSAL);
	ck_assert_int_eq(buf_add(&set, head, (size_t)(at - head)) | buf_add(&set, all.p, all.len), 0);
	if (all.len == 0) {
		buf_reset(&set);
		ck_assert_int_eq(buf_add(&set, text.p, text.len), 0);
	}
	ck_assert_int_eq(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	ck_assert_int_eq(EVP_DigestSign(ctx, sig, &n, set.p, set.len), 1);
	CMS_SignerInfo_get0_algs(si, NULL, NULL, NULL, &alg);
	ck_assert_int_eq(X509_ALGOR_set0(alg, OBJ_nid2obj(NID_ED25519), V_ASN1_UNDEF, NULL), 1);
	ck_assert_int_eq(ASN1_STRING_set(CMS_SignerInfo_get0_signature(si), sig, (int)n), 1);
	EVP_MD_CTX_free(ctx);
	buf_clear(&all);
	buf_clear(&set);
}

/* The text, signed. A stand-in with another key makes the SignerInfo. */
static struct buf edwards(const EVP_MD *md, unsigned int flags)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *stand_in_key = EVP_EC_gen("P-256");
	X509 *cert = edwards_cert(key), *stand_in = X509_dup(cert);
	CMS_ContentInfo *cms = fx_begin();
	CMS_SignerInfo *si;

	ck_assert_int_eq(X509_set_pubkey(stand_in, stand_in_key), 1);
	si = CMS_add1_signer(cms, stand_in, stand_in_key, md, CMS_BINARY | CMS_PARTIAL | CMS_NOCERTS | flags);
	ck_assert_ptr_nonnull(si);
	ck_assert_int_eq(CMS_add1_cert(cms, cert), 1);
	fx_finish(cms);
	edwards_sign(si, key);
	X509_free(stand_in);
	X509_free(cert);
	EVP_PKEY_free(stand_in_key);
	EVP_PKEY_free(key);
	return fx_encode(cms);
}

START_TEST(test_edwards)
{
	struct buf der = edwards(EVP_sha512(), 0);
	uint8_t *at;

	expect(copy(&der), 1, "");
	for (size_t i = 1; i <= 64; i++) { /* the signature stands last */
		der.p[der.len - i] ^= 1;
		expect(copy(&der), 0, "does not belong to the signer's key");
		der.p[der.len - i] ^= 1;
	}
	at = memmem(der.p, der.len, text.p, 64);
	ck_assert_ptr_nonnull(at);
	*at ^= 1;
	expect(der, 0, "its digest differs");
	expect(edwards(EVP_sha256(), 0), 0, "does not fit the digest");
	expect(edwards(EVP_sha512(), CMS_NOATTR), 0, "RFC 8419 3.2");
}
END_TEST

/* ---- taking an honest SignerInfo apart ---- */

struct part {
	const uint8_t *p;
	size_t n; /* header and content */
	uint8_t tag;
};

static struct part next(const uint8_t **p, const uint8_t *stop)
{
	const unsigned char *at = *p;
	struct part part = {.p = *p, .tag = **p};
	long len;
	int tag, cls, r = ASN1_get_object(&at, &len, &tag, &cls, stop - *p);

	ck_assert(!(r & 0x80));
	part.n = (size_t)(at - part.p) + (size_t)len;
	*p = part.p + part.n;
	return part;
}

static const uint8_t *inside(struct part part)
{
	const unsigned char *at = part.p;
	long len;
	int tag, cls;

	ASN1_get_object(&at, &len, &tag, &cls, (long)part.n);
	return at;
}

static void put(struct buf *b, const void *p, size_t n)
{
	ck_assert_int_eq(buf_add(b, p, n), 0);
}

START_TEST(test_attributes_as_content)
{
	/*
	 * The signature of an honest message is one over the DER of its attributes. The same signature without
	 * attributes, around exactly that DER as content, verifies in OpenSSL: it must not here.
	 */
	CMS_ContentInfo *cms = fx_begin();
	struct buf honest, trick, attrs;
	struct part info, body, f[6], si;
	const uint8_t *p, *stop;
	char why[256];
	uint8_t head[4];

	buf_init(&attrs, FX_MAX);
	buf_init(&trick, FX_MAX);
	fx_add(cms, &rsa, EVP_sha256(), 0);
	honest = end(cms);
	p = honest.p;
	info = next(&p, honest.p + honest.len);
	p = inside(info);
	next(&p, info.p + info.n);
	p = inside(next(&p, info.p + info.n));
	body = next(&p, info.p + info.n);
	stop = body.p + body.n;
	p = inside(body);
	for (int i = 0; i < 5; i++) /* version, digestAlgorithms, encapContentInfo, certificates, signerInfos */
		f[i] = next(&p, stop);
	p = inside(f[4]);
	si = next(&p, stop);
	stop = si.p + si.n;

	/* the outside, up to the certificates, with the attributes as content */
	struct part s[6];
	p = inside(si);
	for (int i = 0; i < 6; i++) /* version, sid, digestAlgorithm, signedAttrs, signatureAlgorithm, signature */
		s[i] = next(&p, stop);
	ck_assert_uint_eq(s[3].tag, 0xa0);
	put(&attrs, s[3].p, s[3].n);
	attrs.p[0] = 0x31;
	put(&trick, "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80", 17);
	put(&trick, f[0].p, f[0].n);
	put(&trick, f[1].p, f[1].n);
	put(&trick, "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80", 15);
	head[0] = 0x04;
	head[1] = 0x82;
	head[2] = (uint8_t)(attrs.len >> 8);
	head[3] = (uint8_t)attrs.len;
	put(&trick, head, 4);
	put(&trick, attrs.p, attrs.len);
	put(&trick, "\0\0\0\0", 4);
	put(&trick, f[3].p, f[3].n);
	put(&trick, "\x31\x80\x30\x80", 4);
	for (int i = 0; i < 6; i++)
		if (i != 3)
			put(&trick, s[i].p, s[i].n);
	put(&trick, "\0\0\0\0\0\0\0\0\0\0", 10);

	/* that the trick is one: OpenSSL alone takes it */
	BIO *in = BIO_new_mem_buf(trick.p, (int)trick.len), *out = BIO_new(BIO_s_null());
	cms = d2i_CMS_bio(in, NULL);
	ck_assert_ptr_nonnull(cms);
	ck_assert_int_eq(CMS_verify(cms, NULL, NULL, NULL, out, CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY), 1);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);

	ck_assert_int_eq(good_signers(&trick, why), 0);
	ck_assert_ptr_nonnull(strstr(why, "no signed attributes"));
	buf_clear(&trick);
	buf_clear(&attrs);
	buf_clear(&honest);
}
END_TEST

START_TEST(test_content_type)
{
	static const uint8_t data[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01};
	static const uint8_t enveloped[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x03};
	CMS_ContentInfo *cms = fx_begin();
	struct buf der;
	uint8_t *at;

	/* honest, but its content type is changed outside */
	fx_add(cms, &rsa, EVP_sha256(), 0);
	der = end(cms);
	at = memmem(der.p, der.len, data, sizeof(data));
	ck_assert_ptr_nonnull(at);
	memcpy(at, enveloped, sizeof(enveloped));
	expect(der, -1, "something else than data");
	/* signed as something else, passed off as data */
	cms = fx_begin();
	ck_assert_int_eq(CMS_set1_eContentType(cms, OBJ_nid2obj(NID_pkcs7_enveloped)), 1);
	fx_add(cms, &rsa, EVP_sha256(), 0);
	der = end(cms);
	at = memmem(der.p, der.len, enveloped, sizeof(enveloped));
	memcpy(at, data, sizeof(data));
	expect(der, 0, "signed content type is not that of the content");
}
END_TEST

START_TEST(test_twice)
{
	/* an attribute of the same type with another value */
	CMS_ContentInfo *cms = fx_begin();
	CMS_SignerInfo *si = fx_add(cms, &rsa, EVP_sha256(), 0);

	ck_assert_int_eq(CMS_signed_add1_attr_by_NID(si, NID_pkcs9_emailAddress, V_ASN1_IA5STRING, "a@x.test", 8), 1);
	if (CMS_signed_add1_attr_by_NID(si, NID_pkcs9_emailAddress, V_ASN1_IA5STRING, "b@x.test", 8) == 1) {
		expect(end(cms), 0, "twice");
		return;
	}
	/* an OpenSSL that does not write such a thing: patch two different attributes into one type */
	ck_assert_int_eq(
	    CMS_signed_add1_attr_by_NID(si, NID_pkcs9_unstructuredName, V_ASN1_IA5STRING, "b@x.test", 8), 1);
	struct buf der = end(cms);
	uint8_t *at = memmem(der.p, der.len, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", 9);

	ck_assert_ptr_nonnull(at);
	at[8] = 1;
	expect(der, 0, "twice");
}
END_TEST

START_TEST(test_no_signer)
{
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL | CMS_DETACHED);
	unsigned char *p = NULL;
	struct buf der;
	int n;

	ck_assert_int_eq(CMS_add1_cert(cms, rsa.cert), 1);
	n = i2d_CMS_ContentInfo(cms, &p);
	ck_assert_int_gt(n, 0);
	buf_init(&der, FX_MAX);
	ck_assert_int_eq(buf_add(&der, p, (size_t)n), 0);
	OPENSSL_free(p);
	CMS_ContentInfo_free(cms);
	expect(der, -1, "nobody");
}
END_TEST

START_TEST(test_no_certificate)
{
	CMS_ContentInfo *cms = fx_begin();
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;

	fx_add(cms, &rsa, EVP_sha256(), CMS_NOCERTS);
	der = end(cms);
	ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), 0);
	ck_assert(!v.signers[0].ok);
	ck_assert_ptr_null(v.signers[0].cert);
	ck_assert_ptr_nonnull(strstr(v.signers[0].why, "not in the message"));
	ck_assert(v.signers[0].missing && v.signers[0].id.nissuer > 0 && v.signers[0].id.nserial > 0);
	ck_assert_ptr_null(v.signers[0].id.ski);
	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
}
END_TEST

static void verify_known(const struct buf *der, X509 *const *known, size_t n, struct cms_verdict *v)
{
	struct problem pr = {0};
	struct cms_outline *o;
	struct stream_mem in;

	stream_mem_init(&in, der->p, der->len);
	ck_assert_int_eq(cms_outline(&in.reader, NULL, &o, &pr), 0);
	ck_assert_msg(cms_verify_known(o, known, n, NULL, NULL, v, &pr) == 0, "%s", pr.text);
	cms_outline_free(o);
}

/* What is known beforehand is used for a signer that brings none and names it, and for no other. */
START_TEST(test_known_certificate)
{
	X509 *const known[] = {ec.cert, rsa.cert};
	struct cms_verdict v;
	struct buf der;

	for (unsigned flags = 0; flags <= CMS_USE_KEYID; flags += CMS_USE_KEYID) {
		CMS_ContentInfo *cms = fx_begin();

		fx_add(cms, &rsa, EVP_sha256(), CMS_NOCERTS | flags);
		der = end(cms);
		verify_known(&der, known, 2, &v);
		ck_assert_msg(v.signers[0].ok && v.signers[0].known && !v.signers[0].missing, "%s", v.signers[0].why);
		ck_assert_int_eq(X509_cmp(v.signers[0].cert, rsa.cert), 0);
		cms_verdict_clear(&v);
		verify_known(&der, known, 1, &v);
		ck_assert(!v.signers[0].ok && v.signers[0].missing && !v.signers[0].known);
		ck_assert_int_eq(v.signers[0].id.nski > 0, flags > 0);
		cms_verdict_clear(&v);
		/* changed content is that, whether its signer is known or not */
		for (size_t i = 0; i + 9 < der.len; i++)
			if (memcmp(der.p + i, "The resul", 9) == 0) {
				der.p[i] ^= 1;
				break;
			}
		verify_known(&der, known, 1, &v);
		ck_assert(!v.signers[0].ok && v.signers[0].changed && !v.signers[0].missing);
		cms_verdict_clear(&v);
		buf_clear(&der);
	}
}
END_TEST

/* The certificate in the message is the one that counts. */
START_TEST(test_known_beside_inside)
{
	X509 *const known[] = {rsa.cert};
	CMS_ContentInfo *cms = fx_begin();
	struct cms_verdict v;
	struct buf der;

	fx_add(cms, &rsa, EVP_sha256(), 0);
	der = end(cms);
	verify_known(&der, known, 1, &v);
	ck_assert(v.signers[0].ok && !v.signers[0].known);
	cms_verdict_clear(&v);
	buf_clear(&der);
}
END_TEST

START_TEST(test_other_certificate)
{
	/* signingCertificateV2 names another certificate than the one that SignerInfo finds */
	CMS_ContentInfo *cms = fx_begin();
	CMS_SignerInfo *si = fx_add(cms, &rsa, EVP_sha256(), 0);
	uint8_t value[] = {0x30, 0x26, 0x30, 0x24, 0x30, 0x22, 0x04, 0x20, [8 + 31] = 1};

	ck_assert_int_eq(CMS_signed_add1_attr_by_NID(
			     si, NID_id_smime_aa_signingCertificateV2, V_ASN1_SEQUENCE, value, sizeof(value)),
	    1);
	expect(end(cms), 0, "names another certificate");
}
END_TEST

START_TEST(test_algorithms_disagree)
{
	/* sha256 as digest, sha512WithRSAEncryption as signature algorithm: 1.2.840.113549.1.1.11 -> .13 */
	static const uint8_t from[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00, 0x04, 0x82};
	static const uint8_t to[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d, 0x05, 0x00, 0x04, 0x82};
	CMS_ContentInfo *cms = fx_begin();
	struct buf der;
	uint8_t *at;

	fx_add(cms, &rsa, EVP_sha256(), 0);
	der = end(cms);
	at = memmem(der.p, der.len, from, sizeof(from));
	ck_assert_ptr_nonnull(at);
	memcpy(at, to, sizeof(to));
	expect(der, 0, "does not fit");
}
END_TEST

START_TEST(test_content_inside)
{
	/* content in a signature that stands beside its content; and none where there should be some */
	struct cms_signer s = {.cert = rsa.cert, .key = rsa.key};
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;

	fx_sign(&text, &s, NULL, &der);
	ck_assert_int_eq(fx_verify(der.p, der.len, &text, &got, &v, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "content of its own"));
	buf_clear(&der);
	fx_sign_detached(&text, &s, &der);
	ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "carries no content"));
	buf_clear(&der);
	fx_encrypt(&text, rsa.cert, CMS_KEY_RSA_V15, CMS_AES_256_CBC, &der);
	ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "not a signed one"));
	buf_clear(&der);
	buf_clear(&got);
}
END_TEST

START_TEST(test_flipped)
{
	/* every octet in turn: what is called good is the text, signed by this certificate's key */
	struct cms_signer s = {.cert = rsa.cert, .key = rsa.key};
	struct buf der;
	size_t good = 0, malformed = 0;

	if (_i == 1) {
		s.cert = ec.cert;
		s.key = ec.key;
	}
	fx_sign(&text, &s, NULL, &der);
	for (size_t i = 0; i < der.len; i++) {
		struct cms_verdict v;
		struct problem pr;
		struct buf got;

		der.p[i] ^= (uint8_t)(1 << i % 8);
		if (fx_verify(der.p, der.len, NULL, &got, &v, &pr) == -1) {
			malformed++;
		} else if (v.signers[0].ok) {
			fx_same(&got, &text);
			ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(v.signers[0].cert), s.key), 1);
			good++;
		}
		cms_verdict_clear(&v);
		buf_clear(&got);
		der.p[i] ^= (uint8_t)(1 << i % 8);
	}
	/* signingCertificateV2 makes the certificate part of what is signed: nearly nothing can change */
	ck_assert_uint_lt(good, 20);
	ck_assert_uint_gt(malformed, 20);
	buf_clear(&der);
}
END_TEST

START_TEST(test_flipped_detached)
{
	struct cms_signer s = {.cert = ec.cert, .key = ec.key};
	struct buf der;

	fx_sign_detached(&text, &s, &der);
	for (size_t i = 0; i < text.len; i += 13) {
		struct cms_verdict v;
		struct problem pr;
		struct buf got;

		text.p[i] ^= 1;
		ck_assert_int_eq(fx_verify(der.p, der.len, &text, &got, &v, &pr), 0);
		ck_assert(!v.signers[0].ok);
		ck_assert_ptr_nonnull(strstr(v.signers[0].why, "changed after it was signed"));
		text.p[i] ^= 1;
		cms_verdict_clear(&v);
		buf_clear(&got);
	}
	buf_clear(&der);
}
END_TEST

START_TEST(test_truncated)
{
	struct cms_signer s = {.cert = ec.cert, .key = ec.key};
	struct buf der;

	fx_sign(&text, &s, NULL, &der);
	for (size_t n = 0; n < der.len; n++) {
		struct cms_verdict v;
		struct problem pr;
		struct buf got;

		ck_assert_int_eq(fx_verify(der.p, n, NULL, &got, &v, &pr), -1);
		buf_clear(&got);
	}
	buf_clear(&der);
}
END_TEST

START_TEST(test_signers_limit)
{
	CMS_ContentInfo *cms = fx_begin();
	char why[256];
	struct buf der;

	for (int i = 0; i < 17; i++)
		fx_add(cms, &ec, EVP_sha256(), i > 0 ? CMS_NOCERTS : 0);
	der = end(cms);
	ck_assert_int_eq(good_signers(&der, why), -1);
	ck_assert_ptr_nonnull(strstr(why, "more than 16 signers"));
	buf_clear(&der);
}
END_TEST

START_TEST(test_crls_left_out)
{
	/* CRLs inside are walked and dropped: they cannot fill the skeleton, and what is signed stays good */
	CMS_ContentInfo *cms = fx_begin();
	X509_CRL *crl = X509_CRL_new();

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(rsa.cert));
	ASN1_TIME *t = X509_gmtime_adj(NULL, 0);
	X509_CRL_set1_lastUpdate(crl, t);
	ASN1_TIME_free(t);
	for (int i = 0; i < 60000; i++) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_INTEGER *serial = ASN1_INTEGER_new();

		ASN1_INTEGER_set(serial, i + 1000000);
		X509_REVOKED_set_serialNumber(r, serial);
		X509_REVOKED_set_revocationDate(r, (ASN1_TIME *)X509_CRL_get0_lastUpdate(crl));
		X509_CRL_add0_revoked(crl, r);
		ASN1_INTEGER_free(serial);
	}
	ck_assert_int_gt(X509_CRL_sign(crl, rsa.key, EVP_sha256()), 0);
	ck_assert_int_eq(CMS_add1_crl(cms, crl), 1);
	X509_CRL_free(crl);
	fx_add(cms, &rsa, EVP_sha256(), 0);
	struct buf der = end(cms);
	ck_assert_uint_gt(der.len, 1 << 20);
	expect(der, 1, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_verify");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, fx_keys_teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_openssl_writes, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_plain);
	tcase_add_test(t, test_two_signers);
	tcase_add_test(t, test_weak);
	tcase_add_test(t, test_no_attributes);
	tcase_add_test(t, test_edwards);
	tcase_add_loop_test(t, test_no_attributes_of, 0, (int)(sizeof(bare) / sizeof(bare[0])));
	tcase_add_test(t, test_attributes_as_content);
	tcase_add_test(t, test_content_type);
	tcase_add_test(t, test_twice);
	tcase_add_test(t, test_no_signer);
	tcase_add_test(t, test_no_certificate);
	tcase_add_test(t, test_known_certificate);
	tcase_add_test(t, test_known_beside_inside);
	tcase_add_test(t, test_other_certificate);
	tcase_add_test(t, test_algorithms_disagree);
	tcase_add_test(t, test_content_inside);
	tcase_add_loop_test(t, test_flipped, 0, 2);
	tcase_add_test(t, test_flipped_detached);
	tcase_add_test(t, test_truncated);
	tcase_add_test(t, test_signers_limit);
	tcase_add_test(t, test_crls_left_out);
	suite_add_tcase(s, t);
	return suite_run(s);
}
