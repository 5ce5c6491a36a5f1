/* Certificates made while a test runs. Header only; the caller includes Check before. */
#ifndef POSTERN_TESTS_TESTCERT_H
#define POSTERN_TESTS_TESTCERT_H

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"

/* What a certificate shall be; everything left zero is ordinary: P-256, valid from 2026 to 2028, for mail, both uses,
 * not a CA. */
struct testcert_spec {
	const char *cn;
	const char *san; /* X509V3 syntax: "DNS:lab.example,email:bob@lab.example" */
	const char *ku,
	    *eku; /* NULL: digitalSignature,keyAgreement (EC) or keyEncipherment (RSA) / emailProtection; "": none */
	const char *constraints;   /* NULL: none */
	const char *policies;	   /* certificatePolicies; NULL: none */
	const char *policy_demand; /* policyConstraints; NULL: none */
	const char *crl, *aia;	   /* crlDistributionPoints, authorityInfoAccess; NULL: none */
	const char *names;	   /* nameConstraints; NULL: none */
	int rsa;		   /* bits; 0: P-256 */
	const char *curve;
	int64_t from, until;
	const char *digest;
	bool ski;	 /* with a subjectKeyIdentifier, of the key */
	bool nul_in_dns; /* SAN dNSName "lab.example\0.evil.example" */
	long serial;
	X509 *issuer; /* NULL: self-signed */
	EVP_PKEY *issuer_key;
	EVP_PKEY *key; /* NULL: a new one */
};
#define TESTCERT_NOW INT64_C(1795312800)   /* 2026-11-22T02:00:00Z */
#define TESTCERT_FROM INT64_C(1767225600)  /* 2026-01-01 */
#define TESTCERT_UNTIL INT64_C(1830297600) /* 2028-01-01 */

struct testcert {
	X509 *x;
	EVP_PKEY *key;
	uint8_t *der;
	size_t n;
	char sha256[65];
};

static inline void testcert_ext(X509 *x, int nid, const char *value)
{
	CONF *none = NCONF_new(NULL); /* certificatePolicies ask for one */
	X509V3_CTX ctx = {0};
	X509_EXTENSION *e;

	X509V3_set_nconf(&ctx, none);
	e = value && *value ? X509V3_EXT_nconf_nid(none, &ctx, nid, value) : NULL;
	NCONF_free(none);
	if (!value || !*value)
		return;
	ck_assert_msg(e != NULL, "extension %d: %s", nid, value);
	ck_assert_int_eq(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static inline void testcert_nul_san(X509 *x)
{
	static const char name[] = "lab.example\0.evil.example";
	GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_IA5STRING *s = ASN1_IA5STRING_new();

	ck_assert(ASN1_STRING_set(s, name, sizeof name - 1) == 1);
	GENERAL_NAME_set0_value(g, GEN_DNS, s);
	sk_GENERAL_NAME_push(all, g);
	ck_assert(X509_add1_ext_i2d(x, NID_subject_alt_name, all, 0, 0) == 1);
	GENERAL_NAMES_free(all);
}

static inline void testcert_ski(X509 *x)
{
	ASN1_OCTET_STRING *s = ASN1_OCTET_STRING_new();
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n;

	ck_assert(X509_pubkey_digest(x, EVP_sha256(), md, &n) == 1 && ASN1_OCTET_STRING_set(s, md, 20) == 1);
	ck_assert(X509_add1_ext_i2d(x, NID_subject_key_identifier, s, 0, 0) == 1);
	ASN1_OCTET_STRING_free(s);
}

static inline struct testcert testcert_make(const struct testcert_spec *s)
{
	static long serial = 0x1000;
	struct testcert c = {.x = X509_new()};
	X509_NAME *name = X509_get_subject_name(c.x);
	unsigned n = 0;
	uint8_t md[32];
	int len;

	if (s->key) {
		EVP_PKEY_up_ref(s->key);
		c.key = s->key;
	} else {
		c.key = s->rsa ? EVP_RSA_gen((unsigned)s->rsa) : EVP_EC_gen(s->curve ? s->curve : "P-256");
	}
	ck_assert(c.x && c.key);
	X509_set_version(c.x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x), s->serial ? s->serial : ++serial);
	ASN1_TIME_set(X509_getm_notBefore(c.x), (time_t)(s->from ? s->from : TESTCERT_FROM));
	ASN1_TIME_set(X509_getm_notAfter(c.x), (time_t)(s->until ? s->until : TESTCERT_UNTIL));
	X509_NAME_add_entry_by_txt(
	    name, "CN", MBSTRING_UTF8, (const unsigned char *)(s->cn ? s->cn : "test"), -1, -1, 0);
	X509_set_issuer_name(c.x, s->issuer ? X509_get_subject_name(s->issuer) : name);
	X509_set_pubkey(c.x, c.key);
	testcert_ext(c.x, NID_basic_constraints, s->constraints);
	testcert_ext(c.x, NID_certificate_policies, s->policies);
	testcert_ext(c.x, NID_policy_constraints, s->policy_demand);
	testcert_ext(c.x, NID_crl_distribution_points, s->crl);
	testcert_ext(c.x, NID_info_access, s->aia);
	testcert_ext(c.x, NID_name_constraints, s->names);
	testcert_ext(c.x, NID_key_usage,
	    s->ku			 ? s->ku
	    : EVP_PKEY_is_a(c.key, "EC") ? "critical,digitalSignature,keyAgreement"
					 : "critical,digitalSignature,keyEncipherment");
	testcert_ext(c.x, NID_ext_key_usage, s->eku ? s->eku : "emailProtection");
	if (s->ski)
		testcert_ski(c.x);
	if (s->nul_in_dns)
		testcert_nul_san(c.x);
	else
		testcert_ext(c.x, NID_subject_alt_name, s->san);
	ck_assert(X509_sign(c.x, s->issuer_key ? s->issuer_key : c.key,
		      EVP_get_digestbyname(s->digest ? s->digest : "SHA256")) > 0);
	len = i2d_X509(c.x, &c.der);
	ck_assert_int_gt(len, 0);
	c.n = (size_t)len;
	ck_assert(EVP_Digest(c.der, c.n, md, &n, EVP_sha256(), NULL) == 1);
	encode_hex(md, n, c.sha256);
	return c;
}

static inline struct testcert testcert_ca(const char *cn, const struct testcert *issuer)
{
	return testcert_make(&(struct testcert_spec){.cn = cn,
	    .ku = "critical,keyCertSign,cRLSign",
	    .eku = "",
	    .constraints = "critical,CA:TRUE",
	    .issuer = issuer ? issuer->x : NULL,
	    .issuer_key = issuer ? issuer->key : NULL});
}

static inline void testcert_free(struct testcert *c)
{
	X509_free(c->x);
	EVP_PKEY_free(c->key);
	OPENSSL_free(c->der);
	*c = (struct testcert){.x = NULL};
}

#endif
