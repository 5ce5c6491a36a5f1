/* Revocation lists, OCSP answers and a network made while a test runs. Header only; the caller includes Check and
 * testcert.h before. */
#ifndef POSTERN_TESTS_TESTREVOKE_H
#define POSTERN_TESTS_TESTREVOKE_H

#include <openssl/ocsp.h>
#include <stdio.h>

#include "certstore/source.h"
#include "tests/unit/testcert.h"

#define TESTREVOKE_DAY INT64_C(86400)

struct testrevoke_list {
	const struct testcert *ca;  /* whose list */
	const struct testcert *key; /* who signs it; NULL: ca */
	const struct testcert *revoked[4];
	int reason;	  /* 0: none said */
	int64_t from, to; /* 0: a day before and after TESTCERT_NOW; to -1: none */
	const char *idp;  /* issuingDistributionPoint in X509V3 syntax */
	const char *digest;
};

/* DER; OPENSSL_free. */
static inline uint8_t *testrevoke_crl(const struct testrevoke_list *l, size_t *n_r)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(l->from ? l->from : TESTCERT_NOW - TESTREVOKE_DAY));
	ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)(l->to ? l->to : TESTCERT_NOW + TESTREVOKE_DAY));
	uint8_t *der = NULL;
	int n;

	ck_assert(crl && from && to && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
	ck_assert(X509_CRL_set_issuer_name(crl, X509_get_subject_name(l->ca->x)) == 1);
	ck_assert(X509_CRL_set1_lastUpdate(crl, from) == 1 && (l->to < 0 || X509_CRL_set1_nextUpdate(crl, to) == 1));
	for (size_t i = 0; i < 4 && l->revoked[i]; i++) {
		X509_REVOKED *r = X509_REVOKED_new();
		ASN1_ENUMERATED *why = ASN1_ENUMERATED_new();

		ck_assert(X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(l->revoked[i]->x)) == 1);
		ck_assert(X509_REVOKED_set_revocationDate(r, from) == 1 && ASN1_ENUMERATED_set(why, l->reason) == 1);
		if (l->reason)
			ck_assert(X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, why, 0, 0) == 1);
		ck_assert(X509_CRL_add0_revoked(crl, r) == 1);
		ASN1_ENUMERATED_free(why);
	}
	if (l->idp) {
		X509_EXTENSION *e =
		    X509V3_EXT_nconf_nid(NULL, NULL, NID_issuing_distribution_point, (char *)(uintptr_t)l->idp);

		ck_assert(e && X509_CRL_add_ext(crl, e, -1) == 1);
		X509_EXTENSION_free(e);
	}
	ck_assert(X509_CRL_sort(crl) == 1);
	ck_assert(X509_CRL_sign(crl, l->key ? l->key->key : l->ca->key,
		      EVP_get_digestbyname(l->digest ? l->digest : "SHA256")) > 0);
	n = i2d_X509_CRL(crl, &der);
	ck_assert_int_gt(n, 0);
	*n_r = (size_t)n;
	X509_CRL_free(crl);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	return der;
}

struct testrevoke_answer {
	const struct testcert *of, *issuer;
	const struct testcert *signer; /* NULL: the issuer */
	int status;		       /* V_OCSP_CERTSTATUS_* */
	int reason;
	int64_t from, to; /* 0: an hour around TESTCERT_NOW */
	const uint8_t *nonce;
	size_t nnonce;
	bool without_signer; /* the signer's certificate is left out */
	const char *digest;
};

static inline uint8_t *testrevoke_ocsp(const struct testrevoke_answer *a, size_t *n_r)
{
	const struct testcert *signer = a->signer ? a->signer : a->issuer;
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(a->from ? a->from : TESTCERT_NOW - 3600));
	ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)(a->to ? a->to : TESTCERT_NOW + 3600));
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)(TESTCERT_NOW - TESTREVOKE_DAY));
	OCSP_BASICRESP *b = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), a->of->x, a->issuer->x);
	OCSP_RESPONSE *r;
	uint8_t *der = NULL, nonce[64];
	int n;

	ck_assert(from && to && at && b && id && a->nnonce <= sizeof nonce);
	ASN1_TIME_to_generalizedtime(from, (ASN1_GENERALIZEDTIME **)&from);
	ASN1_TIME_to_generalizedtime(to, (ASN1_GENERALIZEDTIME **)&to);
	ck_assert(OCSP_basic_add1_status(b, id, a->status, a->reason,
		      a->status == V_OCSP_CERTSTATUS_REVOKED ? at : NULL, from, to) != NULL);
	if (a->nonce) {
		memcpy(nonce, a->nonce, a->nnonce);
		ck_assert(OCSP_basic_add1_nonce(b, nonce, (int)a->nnonce) == 1);
	}
	ck_assert(OCSP_basic_sign(b, signer->x, signer->key, EVP_get_digestbyname(a->digest ? a->digest : "SHA256"),
		      NULL, a->without_signer ? OCSP_NOCERTS : 0) == 1);
	r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, b);
	n = i2d_OCSP_RESPONSE(r, &der);
	ck_assert_int_gt(n, 0);
	*n_r = (size_t)n;
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(b);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_TIME_free(at);
	return der;
}

/* A network of a few places. */
struct testrevoke_place {
	const char *url;
	enum source_status status; /* when FOUND: der */
	uint8_t *der;
	size_t n;
	unsigned asked;
	bool slow; /* asked for, and not there yet */
	bool kept; /* what was fetched is given again until a newer one is asked for */
	uint32_t said;
	int64_t fetched_at;
	unsigned fetched;
	/* made for the question, NULL: der */
	void (*make)(struct testrevoke_place *p, const struct source_ask *a);
};
struct testrevoke_net {
	struct testrevoke_place v[12];
	size_t n;
	struct source_answer answer;
	unsigned asked; /* of all */
};

static inline struct testrevoke_place *testrevoke_put(
    struct testrevoke_net *net, const char *url, uint8_t *der, size_t n)
{
	for (size_t i = 0; i < net->n; i++)
		if (strcmp(net->v[i].url, url) == 0) {
			OPENSSL_free(net->v[i].der);
			net->v[i].der = der;
			net->v[i].n = n;
			return &net->v[i];
		}
	ck_assert_uint_lt(net->n, 12);
	net->v[net->n] = (struct testrevoke_place){.url = url, .status = SOURCE_FOUND, .der = der, .n = n};
	return &net->v[net->n++];
}

static inline const struct source_answer *testrevoke_get(struct source_run *r, const struct source_ask *a)
{
	struct testrevoke_net *net = r->ctx;

	net->asked++;
	for (size_t i = 0; i < net->n; i++) {
		struct testrevoke_place *p = &net->v[i];

		if (strcmp(p->url, a->name) != 0)
			continue;
		p->asked++;
		if (p->slow)
			return NULL;
		if (p->make)
			p->make(p, a);
		source_answer_set(&net->answer, p->status, "test");
		if (!p->kept || p->fetched == 0 || p->fetched_at < a->since) {
			p->fetched++;
			p->fetched_at = r->now;
		}
		net->answer.at = p->fetched_at;
		net->answer.said = p->said;
		if (p->status == SOURCE_FOUND) {
			net->answer.n = 1;
			net->answer.items[0].p = p->der;
			net->answer.items[0].n = p->n < a->max ? p->n : a->max;
			net->answer.more = p->n > a->max;
		}
		return &net->answer;
	}
	source_answer_set(&net->answer, SOURCE_TEMP, "no such host");
	net->answer.at = r->now;
	return &net->answer;
}

static inline struct source_run testrevoke_run(struct testrevoke_net *net, int64_t now)
{
	return (struct source_run){.get = testrevoke_get, .ctx = net, .max = 40, .now = now};
}

static inline void testrevoke_clear(struct testrevoke_net *net)
{
	for (size_t i = 0; i < net->n; i++)
		OPENSSL_free(net->v[i].der);
	memset(net, 0, sizeof *net);
}

#endif
