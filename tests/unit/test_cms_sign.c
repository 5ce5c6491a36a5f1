/* cms_sign.c: what it writes is read by openssl(1) and by ourselves; attributes; what it refuses. */
#include "tests/unit/cms_fixture.h"

#include <openssl/cms.h>
#include <openssl/rsa.h>

static struct buf text;

static void setup(void)
{
	text = fx_text(30000);
}

static void teardown(void)
{
	buf_clear(&text);
}

static const struct {
	const char *id, *digest, *micalg;
} cases[] = {
    {"rsa", NULL, "sha-256"},
    {"rsa", "SHA512", "sha-512"},
    {"ec", NULL, "sha-256"},
    {"p384", NULL, "sha-384"},
    {"ec", "SHA384", "sha-384"},
};

START_TEST(test_opaque)
{
	struct fx_id id = fx_id(cases[_i].id);
	struct cms_signer s = {.cert = id.cert, .key = id.key, .digest = cases[_i].digest};
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;
	char dir[64];

	fx_sign(&text, &s, NULL, &der);
	ck_assert_msg(fx_verify(der.p, der.len, NULL, &got, &v, &pr) == 0, "%s", pr.text);
	fx_same(&got, &text);
	ck_assert_uint_eq(v.nsigners, 1);
	ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
	ck_assert_int_eq(X509_cmp(v.signers[0].cert, id.cert), 0);
	ck_assert(!v.signers[0].domain);
	ck_assert_int_eq(sk_X509_num(v.certs), 1);
	buf_clear(&got);
	cms_verdict_clear(&v);

	fx_dir(dir);
	fx_openssl_verifies(dir, &der, false, &text);
	fx_remove(dir);
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_detached)
{
	struct fx_id id = fx_id(cases[_i].id);
	struct cms_signer s = {.cert = id.cert, .key = id.key, .digest = cases[_i].digest};
	struct problem pr = {0};
	struct cms_verdict v;
	struct stream_mem in;
	struct stream_buf to;
	struct buf der, got;
	const char *micalg;
	char dir[64];

	buf_init(&der, FX_MAX);
	stream_mem_init(&in, text.p, text.len);
	stream_buf_init(&to, &der);
	ck_assert_msg(cms_sign_detached(&in.reader, &s, NULL, &to.writer, &micalg, &pr) == 0, "%s", pr.text);
	ck_assert_str_eq(micalg, cases[_i].micalg);
	ck_assert_uint_lt(der.len, 4000);
	ck_assert_msg(fx_verify(der.p, der.len, &text, &got, &v, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(got.len, 0);
	ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
	cms_verdict_clear(&v);

	fx_dir(dir);
	fx_openssl_verifies(dir, &der, true, &text);
	text.p[100] ^= 1;
	fx_put(dir, "text", &text);
	ck_assert_int_ne(
	    fx_openssl(dir, "cms -verify -noverify -binary -inform DER -in %D/in -content %D/text -out %D/out"), 0);
	fx_remove(dir);
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_attributes)
{
	struct fx_id id = fx_id("rsa"), enc = fx_id("ec"), inter = fx_id("other");
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct cms_signer s = {.cert = id.cert, .key = id.key, .chain = chain, .domain = true};
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;
	const unsigned char *p;
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;
	ASN1_TYPE *pref;
	struct cms_caps caps;
	X509_ATTRIBUTE *a;
	int i;

	sk_X509_push(chain, inter.cert);
	sk_X509_push(chain, id.cert); /* the signer's own, and one twice: each stands there once */
	sk_X509_push(chain, enc.cert);
	fx_sign(&text, &s, enc.cert, &der);
	ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), 0);
	ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
	ck_assert(v.signers[0].domain);
	ck_assert(v.signers[0].signing_time > 1600000000);
	ck_assert_str_eq(v.signers[0].digest, "sha256");
	ck_assert_int_eq(sk_X509_num(v.certs), 3);
	/* what our reader can open, for a certificate with an EC key, and that certificate */
	ck_assert_int_eq(cms_caps_read(v.signers[0].caps, v.signers[0].ncaps, &caps), 0);
	ck_assert_uint_eq(caps.has, 0x3f | CMS_CAPS_ECDH_SHA256 | CMS_CAPS_ECDH_SHA384 | CMS_CAPS_PSS);
	ck_assert_uint_eq(caps.order[0], CMS_AES_256_GCM);
	ck_assert_ptr_nonnull(v.signers[0].enc_cert);
	ck_assert_int_eq(X509_cmp(v.signers[0].enc_cert, enc.cert), 0);

	p = der.p;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
	ck_assert_ptr_nonnull(cms);
	si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	ck_assert_int_ge(CMS_signed_get_attr_by_NID(si, NID_SMIMECapabilities, -1), 0);
	ck_assert_int_ge(CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_signingCertificateV2, -1), 0);
	i = CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_encrypKeyPref, -1);
	ck_assert_int_ge(i, 0);
	a = CMS_signed_get_attr(si, i);
	pref = X509_ATTRIBUTE_get0_type(a, 0);
	/* RFC 8551 2.5.3: [0] { issuer, serial } of the encryption certificate */
	ck_assert_int_eq(pref->type, V_ASN1_OTHER);
	ck_assert_uint_eq(ASN1_STRING_get0_data(pref->value.asn1_string)[0], 0xa0);
	CMS_ContentInfo_free(cms);

	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
	sk_X509_free(chain);
	fx_id_clear(&id);
	fx_id_clear(&enc);
	fx_id_clear(&inter);
}
END_TEST

START_TEST(test_pss)
{
	/* RSASSA-PSS with each digest, named by key identifier or by issuer, opaque and detached */
	static const char *const digests[] = {"SHA256", "SHA384", "SHA512"};
	struct fx_id id = fx_id("rsa"), ec = fx_id("ec");
	struct cms_signer s = {
	    .cert = id.cert, .key = id.key, .digest = digests[_i % 3], .pss = true, .ski = _i >= 3};
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;
	char dir[64];

	fx_dir(dir);
	for (int detached = 0; detached < 2; detached++) {
		if (detached)
			fx_sign_detached(&text, &s, &der);
		else
			fx_sign(&text, &s, ec.cert, &der);
		ck_assert_msg(fx_verify(der.p, der.len, detached ? &text : NULL, &got, &v, &pr) == 0, "%s", pr.text);
		ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
		ck_assert_str_eq(v.signers[0].sigalg, "rsassaPss");
		buf_clear(&got);
		cms_verdict_clear(&v);
		fx_openssl_verifies(dir, &der, detached, &text);
		buf_clear(&der);
	}
	fx_remove(dir);
	fx_id_clear(&id);
	fx_id_clear(&ec);
}
END_TEST

/* RFC 4056 3, RFC 8017 9.1: the salt is as long as the digest, MGF1 uses the same hash; the sid is what was asked
 * for. */
START_TEST(test_pss_form)
{
	struct fx_id id = fx_id("rsa");
	struct cms_signer s = {.cert = id.cert, .key = id.key, .digest = "SHA384", .pss = true};

	for (int ski = 0; ski < 2; ski++) {
		struct buf der;
		const unsigned char *p;
		CMS_ContentInfo *cms;
		ASN1_OCTET_STRING *keyid = NULL;
		X509_ALGOR *sig, *hash;
		const ASN1_OBJECT *obj;
		const ASN1_STRING *seq;
		const void *v;
		int type;

		s.ski = ski == 1;
		fx_sign(&text, &s, NULL, &der);
		p = der.p;
		cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
		CMS_SignerInfo *si = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);

		CMS_SignerInfo_get0_algs(si, NULL, NULL, NULL, &sig);
		X509_ALGOR_get0(&obj, &type, &v, sig);
		ck_assert_int_eq(OBJ_obj2nid(obj), NID_rsassaPss);
		ck_assert_int_eq(type, V_ASN1_SEQUENCE);
		seq = v;
		p = ASN1_STRING_get0_data(seq);
		RSA_PSS_PARAMS *pss = d2i_RSA_PSS_PARAMS(NULL, &p, ASN1_STRING_length(seq));

		ck_assert_ptr_nonnull(pss);
		ck_assert_int_eq(OBJ_obj2nid(pss->hashAlgorithm->algorithm), NID_sha384);
		ck_assert_int_eq(ASN1_INTEGER_get(pss->saltLength), 48);
		seq = pss->maskGenAlgorithm->parameter->value.sequence;
		p = ASN1_STRING_get0_data(seq);
		hash = d2i_X509_ALGOR(NULL, &p, ASN1_STRING_length(seq));
		ck_assert_int_eq(OBJ_obj2nid(hash->algorithm), NID_sha384);
		X509_ALGOR_free(hash);
		RSA_PSS_PARAMS_free(pss);
		CMS_SignerInfo_get0_signer_id(si, &keyid, NULL, NULL);
		ck_assert((keyid != NULL) == (ski == 1));
		CMS_ContentInfo_free(cms);
		buf_clear(&der);
	}
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_pss_key)
{
	/* a key restricted to RSA-PSS signs nothing else */
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	struct fx_id rsa = fx_id("rsa"), id = {.cert = X509_dup(rsa.cert)};
	struct cms_signer s;
	struct cms_verdict v;
	struct problem pr;
	struct buf der, got;

	ck_assert(EVP_PKEY_keygen_init(ctx) > 0 && EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048) > 0);
	ck_assert(EVP_PKEY_generate(ctx, &id.key) > 0);
	ck_assert(X509_set_pubkey(id.cert, id.key) == 1 && X509_sign(id.cert, rsa.key, EVP_sha256()) > 0);
	s = (struct cms_signer){.cert = id.cert, .key = id.key};
	fx_sign(&text, &s, NULL, &der);
	ck_assert_int_eq(fx_verify(der.p, der.len, NULL, &got, &v, &pr), 0);
	ck_assert_msg(v.signers[0].ok, "%s", v.signers[0].why);
	ck_assert_str_eq(v.signers[0].sigalg, "rsassaPss");
	cms_verdict_clear(&v);
	buf_clear(&got);
	buf_clear(&der);
	EVP_PKEY_CTX_free(ctx);
	fx_id_clear(&id);
	fx_id_clear(&rsa);
}
END_TEST

static int try(const struct cms_signer *s, struct problem *pr)
{
	struct stream_mem in;
	struct stream_buf to;
	struct buf der;
	int r;

	memset(pr, 0, sizeof(*pr));
	buf_init(&der, FX_MAX);
	stream_mem_init(&in, text.p, text.len);
	stream_buf_init(&to, &der);
	r = cms_sign(&in.reader, s, NULL, &to.writer, pr);
	buf_clear(&der);
	return r;
}

START_TEST(test_refused)
{
	struct fx_id weak = fx_id("weak"), rsa = fx_id("rsa"), ec = fx_id("ec");
	struct problem pr;

	ck_assert_int_eq(try(&(struct cms_signer){.cert = weak.cert, .key = weak.key}, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_POLICY);
	ck_assert_ptr_nonnull(strstr(pr.text, "weak.hospital.example"));
	ck_assert_ptr_nonnull(strstr(pr.text, "1024 bits"));
	ck_assert_int_eq(try(&(struct cms_signer){.cert = rsa.cert, .key = rsa.key, .digest = "SHA1"}, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_POLICY);
	/* a key that is not the certificate's */
	ck_assert_int_eq(try(&(struct cms_signer){.cert = rsa.cert, .key = ec.key}, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	ck_assert_ptr_nonnull(strstr(pr.text, "rsa.hospital.example"));
	fx_id_clear(&weak);
	fx_id_clear(&rsa);
	fx_id_clear(&ec);
}
END_TEST

static int full_write(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	(void)w;
	(void)p;
	(void)n;
	return problem_set(pr, PROBLEM_TEMP, 452, "4.3.1", "", "The disk is full.");
}

START_TEST(test_writer_fails)
{
	struct fx_id id = fx_id("ec");
	struct cms_signer s = {.cert = id.cert, .key = id.key};
	struct writer full = {.write = full_write};
	struct problem pr = {0};
	struct stream_mem in;

	for (size_t n = 1; n <= text.len; n += text.len - 1) {
		stream_mem_init(&in, text.p, n);
		ck_assert_int_eq(cms_sign(&in.reader, &s, NULL, &full, &pr), -1);
		ck_assert_str_eq(pr.text, "The disk is full.");
		ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	}
	fx_id_clear(&id);
}
END_TEST

START_TEST(test_empty)
{
	struct fx_id id = fx_id("rsa");
	struct cms_signer s = {.cert = id.cert, .key = id.key};
	struct problem pr = {0};
	struct stream_mem in;
	struct stream_buf to;
	struct buf der;
	const char *micalg;

	buf_init(&der, FX_MAX);
	stream_buf_init(&to, &der);
	stream_mem_init(&in, "", 0);
	ck_assert_int_eq(cms_sign(&in.reader, &s, NULL, &to.writer, &pr), -1);
	ck_assert_str_eq(pr.text, "There is nothing to sign.");
	ck_assert_int_eq(cms_sign_detached(&in.reader, &s, NULL, &to.writer, &micalg, &pr), -1);
	fx_id_clear(&id);
}
END_TEST

int main(void)
{
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	Suite *s = suite_create("cms_sign");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_opaque, 0, CASES);
	tcase_add_loop_test(t, test_detached, 0, CASES);
	tcase_add_test(t, test_attributes);
	tcase_add_loop_test(t, test_pss, 0, 6);
	tcase_add_test(t, test_pss_form);
	tcase_add_test(t, test_pss_key);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_writer_fails);
	tcase_add_test(t, test_empty);
	suite_add_tcase(s, t);
	return suite_run(s);
}
