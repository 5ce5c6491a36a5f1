/* SignedData of statements: each thing that is wrong, and where it is refused. */
#include "gateway/xsmg/statement_cms.h"

#include <check.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/statement_fixture.h"
#include "tests/unit/suite.h"

static struct testcert rsa, ec, other;
static const char text[] = "{\"v\":1}";

static void setup(void)
{
	ec = fx_gateway("statement key");
	other = fx_gateway("another");
	rsa = testcert_make(&(struct testcert_spec){.cn = "RSA", .san = "DNS:lab.example", .rsa = 2048, .ski = true});
}

static void teardown(void)
{
	testcert_free(&ec);
	testcert_free(&other);
	testcert_free(&rsa);
}

/* `step` NONE: taken; then the first signer verifies when `why` is "", else why says why not. */
static const struct {
	enum fx_twist twist;
	enum statement_step step;
	const char *why; /* a part of the sentence */
	bool rsa;
} cases[] = {
    {FX_STRAIGHT, STATEMENT_STEP_NONE, "", false},
    {FX_STRAIGHT, STATEMENT_STEP_NONE, "", true},
    {FX_NO_SIGNER, STATEMENT_STEP_SIGNERS, "has no SignerInfo", false},
    {FX_ID_DATA, STATEMENT_STEP_TYPE, "content type is not id-smg-statement", false},
    {FX_TYPE_OUTSIDE, STATEMENT_STEP_TYPE, "content type is not id-smg-statement", false},
    {FX_TYPE_ATTR, STATEMENT_STEP_SIGNERS, "signed contentType is not id-smg-statement", false},
    {FX_VERSION_1, STATEMENT_STEP_TYPE, "version is not 3", false},
    {FX_VERSION_4, STATEMENT_STEP_TYPE, "version is not 3", false},
    {FX_DETACHED, STATEMENT_STEP_TYPE, "content is not inside", false},
    {FX_CONTENT_PIECES, STATEMENT_STEP_DER, "a string is in pieces", false},
    {FX_INDEFINITE, STATEMENT_STEP_DER, "at octet 0 a length is indefinite", false},
    {FX_LONG_LENGTH, STATEMENT_STEP_DER, "not in its shortest form", false},
    {FX_TRAILING, STATEMENT_STEP_DER, "octets follow behind its end", false},
    {FX_CUT, STATEMENT_STEP_DER, "longer than what there is", false},
    {FX_CRLS, STATEMENT_STEP_SIGNERS, "has crls", false},
    {FX_NO_CERTS, STATEMENT_STEP_SIGNERS, "has no certificates", false},
    {FX_EMPTY_CERTS, STATEMENT_STEP_NONE, "certificate is not there", false},
    {FX_CERT_OTHER_KIND, STATEMENT_STEP_SIGNERS, "not of X.509", false},
    {FX_CERTS_UNSORTED, STATEMENT_STEP_SIGNERS, "certificates are not in the order", false},
    {FX_CERT_LEFT_OUT, STATEMENT_STEP_NONE, "certificate is not there", false},
    {FX_DIGESTS_EMPTY, STATEMENT_STEP_SIGNERS, "digestAlgorithms are empty", false},
    {FX_DIGESTS_SHA1, STATEMENT_STEP_SIGNERS, "name another than SHA-256", false},
    {FX_DIGESTS_MORE, STATEMENT_STEP_NONE, "", false},
    {FX_INFO_SHA1, STATEMENT_STEP_SIGNERS, "digest is not SHA-256", false},
    {FX_INFO_MD5, STATEMENT_STEP_SIGNERS, "digest is not SHA-256", false},
    {FX_INFO_SIG_SHA1, STATEMENT_STEP_SIGNERS, "signature algorithm is none of", true},
    {FX_INFO_SIG_OTHER, STATEMENT_STEP_SIGNERS, "signature algorithm is none of", false},
    {FX_INFO_VERSION_3, STATEMENT_STEP_SIGNERS, "version does not go with", false},
    {FX_INFO_SKI, STATEMENT_STEP_NONE, "", false},
    {FX_INFO_SKI_OTHER, STATEMENT_STEP_NONE, "names another certificate", false},
    {FX_INFO_SERIAL_OTHER, STATEMENT_STEP_NONE, "names another certificate", false},
    {FX_INFO_DIGEST_NULL, STATEMENT_STEP_NONE, "", false},
    {FX_UNSIGNED, STATEMENT_STEP_SIGNERS, "has unsigned attributes", false},
    {FX_NO_ATTRS, STATEMENT_STEP_SIGNERS, "has no signed attributes", false},
    {FX_ATTR_TWICE, STATEMENT_STEP_SIGNERS, "stands there twice", false},
    {FX_ATTR_TWO_TIMES, STATEMENT_STEP_SIGNERS, "a signed attribute twice", false},
    {FX_ATTR_TWO_VALUES, STATEMENT_STEP_SIGNERS, "more than one value", false},
    {FX_ATTR_NO_VALUE, STATEMENT_STEP_SIGNERS, "signingTime is malformed", false},
    {FX_ATTR_MORE, STATEMENT_STEP_SIGNERS, "must not have", false},
    {FX_ATTR_NO_TIME, STATEMENT_STEP_SIGNERS, "lacks one of", false},
    {FX_ATTR_NO_CERT, STATEMENT_STEP_SIGNERS, "lacks one of", false},
    {FX_ATTR_NO_DIGEST, STATEMENT_STEP_SIGNERS, "lacks one of", false},
    {FX_ATTR_NO_TYPE, STATEMENT_STEP_SIGNERS, "lacks one of", false},
    {FX_ATTR_UNSORTED, STATEMENT_STEP_SIGNERS, "not in the order of DER", false},
    {FX_ATTR_TIME_ODD, STATEMENT_STEP_SIGNERS, "signingTime is malformed", false},
    {FX_ATTR_TIME_GENERALIZED, STATEMENT_STEP_SIGNERS, "signingTime is malformed", false},
    {FX_ATTR_CERT_OTHER, STATEMENT_STEP_NONE, "certificate is not there", false},
    {FX_ATTR_CERT_SHA256, STATEMENT_STEP_SIGNERS, "signingCertificateV2 is malformed", false},
    {FX_ATTR_CERT_SHA512, STATEMENT_STEP_NONE, "", false},
    {FX_DIGEST_OTHER, STATEMENT_STEP_NONE, "messageDigest is not that of the content", false},
    {FX_SIGNATURE_BROKEN, STATEMENT_STEP_NONE, "signature is wrong", false},
    {FX_SIGNATURE_BROKEN, STATEMENT_STEP_NONE, "signature is wrong", true},
    {FX_SIGNATURE_OF_CONTENT, STATEMENT_STEP_NONE, "signature is wrong", false},
    {FX_PSS, STATEMENT_STEP_NONE, "", true},
    {FX_PSS_SALT, STATEMENT_STEP_SIGNERS, "signature algorithm is none of", true},
    {FX_PSS_MGF, STATEMENT_STEP_SIGNERS, "signature algorithm is none of", true},
    {FX_PSS_TRAILER, STATEMENT_STEP_SIGNERS, "signature algorithm is none of", true},
    {FX_RSA_PLAIN, STATEMENT_STEP_NONE, "", true},
    {FX_SID_ISSUER_OTHER, STATEMENT_STEP_NONE, "names another certificate", false},
    {FX_SID_SERIAL_LONG, STATEMENT_STEP_DER, "not in its shortest form", false},
    {FX_SID_MORE, STATEMENT_STEP_NONE, "names another certificate", false},
    {FX_SID_EMPTY, STATEMENT_STEP_NONE, "names another certificate", false},
    {FX_ATTR_SERIAL, STATEMENT_STEP_NONE, "", false},
    {FX_ATTR_SERIAL_OTHER, STATEMENT_STEP_NONE, "names another certificate", false},
    {FX_ATTR_ISSUER_OTHER, STATEMENT_STEP_NONE, "names another certificate", false},
    {FX_ATTR_ISSUERS, STATEMENT_STEP_NONE, "names another certificate", false},
};

START_TEST(twists)
{
	const struct testcert *by = cases[_i].rsa ? &rsa : &ec;
	struct fx_signed s = {.by = {by}, .twist = cases[_i].twist};
	struct statement_signed sd;
	struct problem pr = {0};
	struct buf der;
	int r;

	if (s.twist == FX_CERTS_UNSORTED)
		s.more[0] = &other;
	der = fx_signed(text, sizeof text - 1, &s);
	r = statement_cms_read(der.p, der.len, &sd, &pr);
	ck_assert_msg(sd.step == cases[_i].step, "case %d: step %s: %s", _i, statement_step_word(sd.step), pr.text);
	ck_assert_int_eq(r, cases[_i].step == STATEMENT_STEP_NONE ? 0 : -1);
	if (r < 0) {
		ck_assert_msg(strstr(pr.text, cases[_i].why) != NULL, "case %d: %s", _i, pr.text);
	} else {
		ck_assert_uint_eq(sd.nsigners, 1);
		ck_assert_msg(strstr(sd.signers[0].why, cases[_i].why) && !cases[_i].why[0] == !sd.signers[0].why[0],
		    "case %d: %s", _i, sd.signers[0].why);
		ck_assert(sd.signers[0].verified == !cases[_i].why[0]);
		ck_assert(sd.content.n == sizeof text - 1 && memcmp(sd.content.p, text, sd.content.n) == 0);
		ck_assert_int_eq(sd.signers[0].signing_time, FX_NOW);
	}
	buf_clear(&der);
}
END_TEST

/* The id is that of the content, whoever signs. */
START_TEST(one_id)
{
	struct fx_signed a = {.by = {&ec}}, b = {.by = {&ec, &other}};
	struct buf da = fx_signed(text, sizeof text - 1, &a), db = fx_signed(text, sizeof text - 1, &b);
	struct statement_signed sa, sb;
	char id[STATEMENT_ID + 1];

	statement_id(text, sizeof text - 1, id);
	ck_assert_int_eq(statement_cms_read(da.p, da.len, &sa, NULL), 0);
	ck_assert_int_eq(statement_cms_read(db.p, db.len, &sb, NULL), 0);
	ck_assert_str_eq(sa.id, id);
	ck_assert_str_eq(sb.id, id);
	ck_assert_uint_eq(sb.nsigners, 2);
	ck_assert(sb.signers[0].verified && sb.signers[1].verified);
	ck_assert_uint_eq(sb.ncerts, 2);
	buf_clear(&da);
	buf_clear(&db);
}
END_TEST

/* Two certificates of one issuer with one serial number: the hash that is signed says which is meant. */
START_TEST(twins)
{
	struct testcert ca = testcert_ca("ca", NULL), v[2];

	for (int i = 0; i < 2; i++)
		v[i] = testcert_make(&(struct testcert_spec){
		    .cn = "twin", .san = "DNS:lab.example", .serial = 77, .issuer = ca.x, .issuer_key = ca.key});
	for (int i = 0; i < 2; i++) {
		struct fx_signed s = {.by = {&v[i]}, .more = {&v[1 - i]}},
				 alone = {.by = {&v[i]}, .more = {&v[1 - i]}};
		struct buf der = fx_signed(text, sizeof text - 1, &s);
		struct statement_signed sd;

		ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, NULL), 0);
		ck_assert_uint_eq(sd.ncerts, 2);
		ck_assert(sd.signers[0].verified && sd.signers[0].cert.n == v[i].n);
		ck_assert_mem_eq(sd.signers[0].cert.p, v[i].der, v[i].n);
		buf_clear(&der);
		/* the other one in its place does not do */
		alone.twist = FX_CERT_LEFT_OUT;
		der = fx_signed(text, sizeof text - 1, &alone);
		ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, NULL), 0);
		ck_assert(!sd.signers[0].verified && !sd.signers[0].cert.p);
		buf_clear(&der);
	}
	for (int i = 0; i < 2; i++)
		testcert_free(&v[i]);
	testcert_free(&ca);
}
END_TEST

/* One that is added and does not verify says so and harms nobody. */
START_TEST(added)
{
	struct fx_signed s = {.by = {&other, &ec}, .twist = FX_SIGNATURE_BROKEN};
	struct buf der = fx_signed(text, sizeof text - 1, &s);
	struct statement_signed sd;
	int good = 0;

	ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, NULL), 0);
	for (size_t i = 0; i < sd.nsigners; i++) {
		bool is_ec = sd.signers[i].cert.n == ec.n && memcmp(sd.signers[i].cert.p, ec.der, ec.n) == 0;

		ck_assert(sd.signers[i].verified == is_ec);
		good += is_ec;
	}
	ck_assert_int_eq(good, 1);
	buf_clear(&der);
}
END_TEST

START_TEST(too_many)
{
	struct fx_signed three = {.by = {&ec, &other, &rsa}},
			 twice = {.by = {&ec, &ec}, .twist = FX_ATTR_CERT_SHA512};
	struct buf der = fx_signed(text, sizeof text - 1, &three);
	struct statement_signed sd;
	struct problem pr;

	ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "more than two SignerInfos"));
	buf_clear(&der);
	der = fx_signed(text, sizeof text - 1, &twice);
	ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "of one certificate"));
	buf_clear(&der);
}
END_TEST

/* 64 KiB is taken, one octet more is not looked at. */
START_TEST(size)
{
	char *big = malloc(STATEMENT_MAX);
	struct fx_signed s = {.by = {&ec}};
	struct statement_signed sd;
	struct problem pr;
	struct buf der;
	size_t around;

	memset(big, ' ', STATEMENT_MAX);
	der = fx_signed(big, 60000, &s);
	around = der.len - 60000;
	buf_clear(&der);
	/* an ECDSA signature has not always the same length: enough tries until it fits to the octet */
	for (int i = 0; i < 400; i++) {
		der = fx_signed(big, STATEMENT_MAX - around, &s);
		if (der.len == STATEMENT_MAX)
			break;
		buf_clear(&der);
	}
	ck_assert_uint_eq(der.len, STATEMENT_MAX);
	ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, &pr), 0);
	ck_assert(sd.signers[0].verified);
	fx_must(buf_addc(&der, 0));
	ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, &pr), -1);
	ck_assert_int_eq(sd.step, STATEMENT_STEP_SIZE);
	buf_clear(&der);
	free(big);
}
END_TEST

/* Weak keys do not verify, whatever they signed. */
START_TEST(weak)
{
	static const struct testcert_spec specs[] = {
	    {.cn = "short", .san = "DNS:lab.example", .rsa = 1024},
	    {.cn = "SHA-1", .san = "DNS:lab.example", .digest = "SHA1"},
	    {.cn = "curve", .san = "DNS:lab.example", .curve = "secp256k1"},
	};

	for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
		struct testcert c = testcert_make(&specs[i]);
		struct fx_signed s = {.by = {&c}};
		struct buf der = fx_signed(text, sizeof text - 1, &s);
		struct statement_signed sd;

		ck_assert_int_eq(statement_cms_read(der.p, der.len, &sd, NULL), 0);
		ck_assert(!sd.signers[0].verified);
		ck_assert_msg(strstr(sd.signers[0].why, "too weak") != NULL, "%s", sd.signers[0].why);
		buf_clear(&der);
		testcert_free(&c);
	}
}
END_TEST

/* Every octet changed, and every octet cut off: never taken with a signer that verifies over other content. */
START_TEST(every_octet)
{
	struct fx_signed s = {.by = {&ec}};
	struct buf der = fx_signed(text, sizeof text - 1, &s);
	struct statement_signed sd;
	size_t taken = 0;

	for (size_t i = 0; i < der.len; i++) {
		der.p[i] ^= 0x01;
		if (statement_cms_read(der.p, der.len, &sd, NULL) == 0 && sd.signers[0].verified)
			taken++;
		der.p[i] ^= 0x01;
		ck_assert_int_eq(statement_cms_read(der.p, i, &sd, NULL), -1);
	}
	/* what is not signed and not compared: nothing */
	ck_assert_uint_eq(taken, 0);
	buf_clear(&der);
}
END_TEST

/* What OpenSSL makes with CMS_CADES is taken. */
START_TEST(openssl)
{
	const struct testcert *by = _i ? &rsa : &ec;
	ASN1_OBJECT *type = OBJ_txt2obj(STATEMENT_OID, 1);
	BIO *in = BIO_new_mem_buf(text, sizeof text - 1);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL);
	struct statement_signed sd;
	struct problem pr = {0};
	unsigned char *der = NULL;
	int n;

	ck_assert(cms && CMS_set1_eContentType(cms, type) == 1);
	ck_assert_ptr_nonnull(
	    CMS_add1_signer(cms, by->x, by->key, EVP_sha256(), CMS_BINARY | CMS_NOSMIMECAP | CMS_CADES));
	ck_assert(CMS_final(cms, in, NULL, CMS_BINARY) == 1);
	n = i2d_CMS_ContentInfo(cms, &der);
	ck_assert_int_gt(n, 0);
	ck_assert_msg(statement_cms_read(der, (size_t)n, &sd, &pr) == 0, "%s", pr.text);
	ck_assert_msg(sd.signers[0].verified, "%s", sd.signers[0].why);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	ASN1_OBJECT_free(type);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("statement_cms");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, twists, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, one_id);
	tcase_add_test(tc, twins);
	tcase_add_test(tc, added);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, size);
	tcase_add_test(tc, weak);
	tcase_add_test(tc, every_octet);
	tcase_add_loop_test(tc, openssl, 0, 2);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
