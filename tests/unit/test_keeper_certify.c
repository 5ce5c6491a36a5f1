/* Certification requests and self-signed certificates: what stands in them for each use and algorithm, and which
 * names are refused. */
#include "gateway/keys/keeper_certify.h"

#include <openssl/x509v3.h>

#include "gateway/base/log.h"
#include "tests/unit/keeper_fixture.h"

#define NOW 1795312919 /* 22 November 2026 */

static const struct {
	enum keys_use use;
	enum keys_algo algo;
	uint32_t usage;
	int tls;
	int sig;
} kinds[] = {
    {KEYS_USE_SIGN, KEYS_RSA_2048, KU_DIGITAL_SIGNATURE, 0, NID_sha256WithRSAEncryption},
    {KEYS_USE_SIGN, KEYS_EC_P384, KU_DIGITAL_SIGNATURE, 0, NID_ecdsa_with_SHA384},
    {KEYS_USE_SIGN, KEYS_EC_P521, KU_DIGITAL_SIGNATURE, 0, NID_ecdsa_with_SHA512},
    {KEYS_USE_DECRYPT, KEYS_RSA_2048, KU_KEY_ENCIPHERMENT, 0, NID_sha256WithRSAEncryption},
    {KEYS_USE_DECRYPT, KEYS_EC_P256, KU_KEY_AGREEMENT, 0, NID_ecdsa_with_SHA256},
    {KEYS_USE_TLS, KEYS_EC_P256, KU_DIGITAL_SIGNATURE, 1, NID_ecdsa_with_SHA256},
    {KEYS_USE_TLS, KEYS_RSA_2048, KU_DIGITAL_SIGNATURE, 1, NID_sha256WithRSAEncryption},
    {KEYS_USE_STATEMENT, KEYS_EC_P256, KU_DIGITAL_SIGNATURE, 0, NID_ecdsa_with_SHA256},
};
#define NKINDS ((int)(sizeof(kinds) / sizeof(kinds[0])))

static struct keeper_key *key_of(enum keys_use use, enum keys_algo algo)
{
	struct problem pr = {0};
	EVP_PKEY *pkey = keeper_files_pkcs8(fixture_pkcs8[algo].p, fixture_pkcs8[algo].len, "k", &pr);
	struct keeper_key *key = keeper_keys_new("k", use, pkey, &pr);

	ck_assert_msg(key != NULL, "%s", pr.text);
	return key;
}

static const struct keeper_certify names = {.common_name = "Krankenhaus M\xc3\xbcnster",
    .organisation = "Hospital & S\xc3\xb6hne",
    .dns_name = "hospital.example",
    .rfc822_name = "gateway@hospital.example",
    .days = 365};

static void check_san(GENERAL_NAMES *san)
{
	ck_assert_ptr_nonnull(san);
	ck_assert_int_eq(sk_GENERAL_NAME_num(san), 2);
	for (int i = 0; i < 2; i++) {
		const GENERAL_NAME *gn = sk_GENERAL_NAME_value(san, i);

		ck_assert_int_eq(gn->type, i ? GEN_EMAIL : GEN_DNS);
		ck_assert_str_eq(
		    (const char *)ASN1_STRING_get0_data(gn->d.ia5), i ? names.rfc822_name : names.dns_name);
	}
	GENERAL_NAMES_free(san);
}

static X509 *self_signed(struct keeper_key *key, const struct keeper_certify *rq)
{
	struct problem pr = {0};
	const unsigned char *p;
	struct buf der;
	X509 *x;

	buf_init(&der, KEEPER_REPLY_MAX);
	ck_assert_msg(keeper_certify(key, rq, NOW, &der, &pr) == 0, "%s", pr.text);
	p = der.p;
	x = d2i_X509(NULL, &p, (long)der.len);
	ck_assert_ptr_nonnull(x);
	ck_assert_ptr_eq(p, der.p + der.len);
	buf_clear(&der);
	return x;
}

static int verifies(X509 *x, int purpose)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int ok;

	X509_STORE_add_cert(store, x);
	X509_STORE_CTX_init(ctx, store, x, NULL);
	X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), NOW);
	X509_VERIFY_PARAM_set_flags(
	    X509_STORE_CTX_get0_param(ctx), X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
	X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(ctx), purpose);
	ok = X509_verify_cert(ctx);
	if (ok != 1)
		printf("%s\n", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok == 1;
}

START_TEST(certificate)
{
	struct keeper_key *key = key_of(kinds[_i].use, kinds[_i].algo);
	struct keeper_certify rq = names;
	const ASN1_INTEGER *serial;
	struct tm t;
	X509 *x, *again;

	rq.kind = KEYS_CERT_SELF;
	x = self_signed(key, &rq);
	ck_assert_int_eq(X509_get_version(x), X509_VERSION_3);
	ck_assert_int_eq(X509_get_signature_nid(x), kinds[_i].sig);
	ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(x), key->pkey), 1);
	ck_assert_uint_eq(X509_get_key_usage(x), kinds[_i].usage);
	ck_assert_uint_eq(
	    X509_get_extended_key_usage(x), kinds[_i].tls ? (XKU_SSL_SERVER | XKU_SSL_CLIENT) : XKU_SMIME);
	ck_assert_int_eq(X509_check_ca(x), 0);
	ck_assert(X509_get_extension_flags(x) & EXFLAG_BCONS);
	for (int i = 0; i < 2; i++) {
		int nid = i ? NID_key_usage : NID_basic_constraints;

		ck_assert(X509_EXTENSION_get_critical(X509_get_ext(x, X509_get_ext_by_NID(x, nid, -1))));
	}
	ck_assert_ptr_nonnull(X509_get0_subject_key_id(x));
	ck_assert_int_eq(ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(x), X509_get0_authority_key_id(x)), 0);
	check_san(X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL));
	ck_assert(verifies(x, kinds[_i].tls ? X509_PURPOSE_SSL_SERVER
			      : kinds[_i].use == KEYS_USE_DECRYPT && kinds[_i].algo == KEYS_RSA_2048
				  ? X509_PURPOSE_SMIME_ENCRYPT
			      : kinds[_i].use == KEYS_USE_DECRYPT ? X509_PURPOSE_ANY
								  : X509_PURPOSE_SMIME_SIGN));

	/* one hour back, a year on */
	ck_assert(ASN1_TIME_to_tm(X509_get0_notBefore(x), &t));
	ck_assert_int_eq(timegm(&t), NOW - 3600);
	ck_assert(ASN1_TIME_to_tm(X509_get0_notAfter(x), &t));
	ck_assert_int_eq(timegm(&t), NOW + 365 * 86400);

	serial = X509_get0_serialNumber(x);
	ck_assert_int_eq(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* positive */
	ck_assert_int_eq(ASN1_STRING_length(serial), 16);
	again = self_signed(key, &rq);
	ck_assert_int_ne(ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(again)), 0);
	X509_free(again);
	X509_free(x);
	keeper_keys_unref(key);
}
END_TEST

START_TEST(request)
{
	struct keeper_key *key = key_of(kinds[_i].use, kinds[_i].algo);
	struct keeper_certify rq = names;
	struct problem pr = {0};
	STACK_OF(X509_EXTENSION) * exts;
	const unsigned char *p;
	ASN1_BIT_STRING *ku;
	char cn[100];
	X509_REQ *req;
	struct buf der;

	rq.kind = KEYS_CERT_CSR;
	rq.days = 0;
	buf_init(&der, KEEPER_REPLY_MAX);
	ck_assert_msg(keeper_certify(key, &rq, NOW, &der, &pr) == 0, "%s", pr.text);
	p = der.p;
	req = d2i_X509_REQ(NULL, &p, (long)der.len);
	ck_assert_ptr_nonnull(req);
	ck_assert_ptr_eq(p, der.p + der.len);
	ck_assert_int_eq(X509_REQ_verify(req, key->pkey), 1);
	ck_assert_int_eq(X509_REQ_get_signature_nid(req), kinds[_i].sig);
	ck_assert_int_gt(
	    X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(req), NID_commonName, cn, sizeof(cn)), 0);
	exts = X509_REQ_get_extensions(req);
	check_san(X509V3_get_d2i(exts, NID_subject_alt_name, NULL, NULL));
	ku = X509V3_get_d2i(exts, NID_key_usage, NULL, NULL);
	ck_assert_ptr_nonnull(ku);
	ck_assert_uint_eq(ASN1_STRING_get0_data(ku)[0], kinds[_i].usage);
	ck_assert_int_lt(X509v3_get_ext_by_NID(exts, NID_authority_key_identifier, -1), 0);
	ASN1_BIT_STRING_free(ku);
	sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
	X509_REQ_free(req);
	keeper_keys_unref(key);
	buf_clear(&der);
}
END_TEST

START_TEST(few_names)
{
	struct keeper_key *key = key_of(KEYS_USE_SIGN, KEYS_EC_P256);
	struct keeper_certify rq = {.kind = KEYS_CERT_SELF, .common_name = "x", .days = 1};
	X509 *x = self_signed(key, &rq);

	ck_assert_int_eq(X509_get_ext_by_NID(x, NID_subject_alt_name, -1), -1);
	ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(x)), 1);
	X509_free(x);
	keeper_keys_unref(key);
}
END_TEST

#define S64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

START_TEST(refused)
{
	static const struct {
		struct keeper_certify rq;
		const char *why;
	} bad[] = {
	    {{.common_name = "", .days = 1}, "common name"},
	    {{.common_name = S64 "a", .days = 1}, "common name"},
	    {{.common_name = "a\nb", .days = 1}, "common name"},
	    {{.common_name = "a\xc3", .days = 1}, "common name"},
	    {{.common_name = "a\xc2\x85", .days = 1}, "common name"},
	    {{.common_name = "a", .organisation = S64 "a", .days = 1}, "organisation"},
	    {{.common_name = "a", .dns_name = "a b", .days = 1}, "DNS name"},
	    {{.common_name = "a", .dns_name = "a..b", .days = 1}, "DNS name"},
	    {{.common_name = "a", .dns_name = "*.example", .days = 1}, "DNS name"},
	    {{.common_name = "a", .dns_name = "b\xc3\xbc.example", .days = 1}, "DNS name"},
	    {{.common_name = "a", .rfc822_name = "hospital.example", .days = 1}, "mail address"},
	    {{.common_name = "a", .rfc822_name = "a b@hospital.example", .days = 1}, "mail address"},
	    {{.common_name = "a", .rfc822_name = "@hospital.example", .days = 1}, "mail address"},
	    {{.common_name = "a", .rfc822_name = "a@", .days = 1}, "mail address"},
	    {{.common_name = "a", .rfc822_name = "a@b@c.example", .days = 1}, "mail address"},
	    {{.common_name = "a", .days = 0}, "days"},
	    {{.common_name = "a", .days = KEEPER_CERTIFY_DAYS_MAX + 1}, "days"},
	};
	struct keeper_key *key = key_of(KEYS_USE_SIGN, KEYS_EC_P256);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct keeper_certify rq = bad[i].rq;
		struct problem pr = {0};
		struct buf der;

		rq.kind = KEYS_CERT_SELF;
		buf_init(&der, KEEPER_REPLY_MAX);
		ck_assert_msg(keeper_certify(key, &rq, NOW, &der, &pr) == -1, "%zu", i);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_msg(strstr(pr.text, bad[i].why) != NULL, "%zu: %s", i, pr.text);
		ck_assert_uint_eq(der.len, 0);
	}
	keeper_keys_unref(key);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper_certify");
	TCase *t = tcase_create("all");

	log_init("test", LOG_LEVEL_ERROR);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, certificate, 0, NKINDS);
	tcase_add_loop_test(t, request, 0, NKINDS);
	tcase_add_test(t, few_names);
	tcase_add_test(t, refused);
	suite_add_tcase(s, t);
	return fixture_run(s, 1u << KEYS_RSA_2048 | 1u << KEYS_EC_P256 | 1u << KEYS_EC_P384 | 1u << KEYS_EC_P521);
}
