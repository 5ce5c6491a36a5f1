/*
 * Asking about one certificate. Judge; asks through the run. RFC 6960, RFC 8954 (nonce).
 *
 * The answer must be signed by the certificate's issuer, or by a responder that this issuer made one (OCSPSigning in
 * a certificate issued by it: RFC 6960 4.2.2.2), and must be in its time. Many responders sign beforehand and leave
 * the nonce out: that is taken, another nonce than ours is not. The number stays the same while an answer is awaited,
 * since the question is worked out anew when it came. Whether the responder's own certificate was revoked is not
 * asked: it is short-lived, or says itself that one need not (id-pkix-ocsp-nocheck).
 */
#include "certstore/revoke_ocsp.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "certstore/cert.h"
#include "certstore/source.h"
#include "gateway/base/log.h"

enum { OCTETS_MAX = 64 * 1024, CLOCKS_S = 300, NONCE_S = 300, AGAIN_S = 60, AGE_S = 24 * 3600, SECURITY_LEVEL = 2 };

/* ---- the answer ---- */

static int bad(char *why, size_t cap, const char *text)
{
	(void)snprintf(why, cap, "%s", text);
	return -1;
}

static int64_t unix_time(const ASN1_GENERALIZEDTIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static OCSP_BASICRESP *decode(const void *p, size_t n, char *why, size_t cap)
{
	const unsigned char *at = p;
	OCSP_RESPONSE *r = n > 0 && n <= OCTETS_MAX ? d2i_OCSP_RESPONSE(NULL, &at, (long)n) : NULL;
	OCSP_BASICRESP *b = NULL;

	if (!r || at != (const unsigned char *)p + n)
		(void)bad(why, cap, "it is not an OCSP response");
	else if (OCSP_response_status(r) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
		(void)snprintf(
		    why, cap, "the responder answers \"%s\"", OCSP_response_status_str(OCSP_response_status(r)));
	else if (!(b = OCSP_response_get1_basic(r)))
		(void)bad(why, cap, "it is not a basic OCSP response");
	OCSP_RESPONSE_free(r);
	return b;
}

static bool weak(const OCSP_BASICRESP *b)
{
	const ASN1_OBJECT *o = NULL;
	int md = NID_undef, pk = NID_undef;

	X509_ALGOR_get0(&o, NULL, NULL, OCSP_resp_get0_tbs_sigalg(b));
	return OBJ_find_sigid_algs(OBJ_obj2nid(o), &md, &pk) != 1 || md == NID_md5 || md == NID_sha1;
}

/* By the issuer, or by whom it made a responder. */
static int check_signature(OCSP_BASICRESP *b, X509 *issuer, int64_t at, char *why, size_t cap)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *certs = sk_X509_new_null();
	X509_VERIFY_PARAM *p;
	int rc;

	if (!store || !certs || X509_STORE_add_cert(store, issuer) != 1 || !sk_X509_push(certs, issuer))
		log_fatal("out of memory: OCSP");
	p = X509_STORE_get0_param(store);
	X509_VERIFY_PARAM_set_time(p, (time_t)at);
	X509_VERIFY_PARAM_set_auth_level(p, SECURITY_LEVEL);
	rc = OCSP_basic_verify(b, certs, store, OCSP_NOEXPLICIT | OCSP_PARTIAL_CHAIN) == 1 ? 0 : -1;
	if (rc < 0)
		(void)bad(why, cap,
		    "it is signed neither by the issuer nor by a responder that the issuer made one (OCSPSigning)");
	sk_X509_free(certs);
	X509_STORE_free(store);
	return rc;
}

static int check_nonce(OCSP_BASICRESP *b, const uint8_t *nonce, char *why, size_t cap)
{
	int i = OCSP_BASICRESP_get_ext_by_NID(b, NID_id_pkix_OCSP_Nonce, -1);
	const ASN1_OCTET_STRING *o;
	const uint8_t *p;
	int n;

	if (i < 0 || !nonce)
		return 0;
	o = X509_EXTENSION_get_data(OCSP_BASICRESP_get_ext(b, i));
	p = ASN1_STRING_get0_data(o);
	n = ASN1_STRING_length(o);
	/* an OCTET STRING in the extension's; old responders left the inner one out */
	if (n == REVOKE_CACHE_NONCE + 2 && p[0] == 0x04 && p[1] == REVOKE_CACHE_NONCE) {
		p += 2;
		n -= 2;
	}
	if (n == REVOKE_CACHE_NONCE && memcmp(p, nonce, REVOKE_CACHE_NONCE) == 0)
		return 0;
	return bad(why, cap, "it answers another question (its nonce is not ours)");
}

static int check_times(const struct revoke_reply *r, int64_t at, char *why, size_t cap)
{
	char day[11];

	if (r->this_update == 0 || r->this_update > at + CLOCKS_S)
		return bad(why, cap, "it is dated in the future, or not at all");
	if (r->next_update ? r->next_update + CLOCKS_S < at : r->this_update + AGE_S < at) {
		(void)snprintf(why, cap, "it is out of date (of %s)", cert_day(r->this_update, day));
		return -1;
	}
	return 0;
}

static int read_single(OCSP_BASICRESP *b, OCSP_CERTID *id, int64_t at, struct revoke_reply *r, char *why, size_t cap)
{
	int i = OCSP_resp_find(b, id, -1), status, reason = -1;
	ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;

	if (i < 0)
		return bad(why, cap, "it does not speak of this certificate");
	status = OCSP_single_get0_status(OCSP_resp_get0(b, i), &reason, &revoked, &from, &to);
	r->this_update = unix_time(from);
	r->next_update = unix_time(to);
	if (check_times(r, at, why, cap) < 0)
		return -1;
	if (status == V_OCSP_CERTSTATUS_GOOD) {
		r->status = REVOKE_CACHE_GOOD;
		return 0;
	}
	if (status != V_OCSP_CERTSTATUS_REVOKED)
		return bad(why, cap, "the responder does not know this certificate");
	r->status = REVOKE_CACHE_REVOKED;
	r->revoked_at = unix_time(revoked);
	r->reason = reason;
	return 0;
}

int revoke_ocsp_read(const void *p, size_t n, X509 *x, X509 *issuer, const uint8_t *nonce, int64_t at,
    struct revoke_reply *reply_r, char *why, size_t cap)
{
	OCSP_BASICRESP *b = decode(p, n, why, cap);
	OCSP_CERTID *id = b ? OCSP_cert_to_id(EVP_sha1(), x, issuer) : NULL; /* how a question is put, no proof */
	int rc = -1;

	if (b && !id)
		(void)bad(why, cap, "the certificate cannot be named in a question");
	else if (b && weak(b))
		(void)bad(why, cap, "it is signed with an algorithm that proves nothing (MD5, SHA-1)");
	else if (b && check_nonce(b, nonce, why, cap) == 0 && check_signature(b, issuer, at, why, cap) == 0)
		rc = read_single(b, id, at, reply_r, why, cap);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(b);
	ERR_clear_error();
	return rc;
}

/* ---- the question ---- */

static void make_key(X509 *x, X509 *issuer, uint8_t key_r[32])
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	unsigned char *der = NULL, *spki = NULL;
	int n = i2d_X509(x, &der), k = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), &spki);

	if (!m || n <= 0 || k <= 0 || EVP_DigestInit_ex(m, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(m, der, (size_t)n) != 1 || EVP_DigestUpdate(m, spki, (size_t)k) != 1 ||
	    EVP_DigestFinal_ex(m, key_r, NULL) != 1)
		log_fatal("no SHA-256");
	OPENSSL_free(der);
	OPENSSL_free(spki);
	EVP_MD_CTX_free(m);
}

static bool find_place(X509 *x, char url_r[SOURCE_NAME_MAX + 1])
{
	STACK_OF(OPENSSL_STRING) *all = X509_get1_ocsp(x);

	url_r[0] = 0;
	for (int i = 0; !url_r[0] && i < sk_OPENSSL_STRING_num(all); i++) {
		const char *u = sk_OPENSSL_STRING_value(all, i);
		bool ok = strlen(u) <= SOURCE_NAME_MAX &&
			  (strncasecmp(u, "http://", 7) == 0 || strncasecmp(u, "https://", 8) == 0);

		for (const char *p = u; ok && *p; p++)
			ok = *p > 0x20 && *p < 0x7f;
		if (ok)
			(void)snprintf(url_r, SOURCE_NAME_MAX + 1, "%s", u);
	}
	X509_email_free(all);
	ERR_clear_error();
	return url_r[0] != 0;
}

static bool make_question(X509 *x, X509 *issuer, const uint8_t *nonce, struct source_ask *ask)
{
	OCSP_REQUEST *q = OCSP_REQUEST_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), x, issuer);
	unsigned char *der = NULL;
	uint8_t own[REVOKE_CACHE_NONCE];
	int n = -1;

	memcpy(own, nonce, sizeof own);
	if (q && id && OCSP_request_add0_id(q, id)) {
		id = NULL;
		if (OCSP_request_add1_nonce(q, own, sizeof own) == 1)
			n = i2d_OCSP_REQUEST(q, &der);
	}
	if (n > 0 && (size_t)n <= sizeof ask->body) {
		memcpy(ask->body, der, (size_t)n);
		ask->nbody = (size_t)n;
	}
	OPENSSL_free(der);
	OCSP_CERTID_free(id);
	OCSP_REQUEST_free(q);
	ERR_clear_error();
	return ask->nbody > 0;
}

static void say(const struct revoke_reply *k, struct revoke_status *s)
{
	char day[11], since[11];

	s->known = k->status == REVOKE_CACHE_GOOD ? REVOKE_KNOWN_GOOD : REVOKE_KNOWN_REVOKED;
	s->as_of = k->this_update;
	if (k->status == REVOKE_CACHE_REVOKED)
		(void)snprintf(s->words, sizeof s->words, "revoked on %s (%s), says the responder %.120s of %s",
		    cert_day(k->revoked_at, since), revoke_reason(k->reason), k->where,
		    cert_day(k->this_update, day));
}

/* A responder whose answers end at once is not asked for each mail; and no answer is used behind its end, but for
 * what clocks may differ. */
static int64_t keep_until(
    const struct revoke *r, const struct revoke_reply *k, const struct source_answer *got, int64_t at)
{
	int64_t until = at + r->set.keep_s, least = at + (r->set.again_s > 0 ? r->set.again_s : AGAIN_S);
	int64_t end = (k->next_update ? k->next_update : k->this_update + AGE_S) + CLOCKS_S;

	if (got->said > 0 && got->at + (int64_t)got->said < until)
		until = got->at + (int64_t)got->said;
	if (k->next_update && k->next_update < until)
		until = k->next_update;
	if (until < least)
		until = least;
	return until < end ? until : end;
}

static void learn(struct revoke *r, const struct source_answer *got, const char *url, X509 *x, X509 *issuer,
    int64_t at, struct revoke_reply *k, struct revoke_status *s)
{
	struct revoke_reply fresh = {.status = REVOKE_CACHE_NONE};
	char why[200] = "";

	if (got->status != SOURCE_FOUND || got->n == 0) {
		(void)snprintf(s->words, sizeof s->words, "the responder %.120s: %.160s", url, got->why);
		return;
	}
	if (revoke_ocsp_read(got->items[0].p, got->items[0].n, x, issuer, k->nonce, at, &fresh, why, sizeof why) <
	    0) {
		(void)snprintf(s->words, sizeof s->words, "the responder %.120s: %.160s", url, why);
		k->refused_at = got->at;
		return;
	}
	memcpy(fresh.key, k->key, sizeof fresh.key);
	(void)snprintf(fresh.where, sizeof fresh.where, "%.199s", url);
	fresh.until = keep_until(r, &fresh, got, at);
	*k = fresh;
	say(k, s);
}

void revoke_ocsp_ask(struct revoke *r, X509 *x, X509 *issuer, int64_t at, struct revoke_status *s)
{
	struct source_ask ask = {.kind = SOURCE_HTTP,
	    .chosen = SOURCE_BY_STRANGER,
	    .type_sent = "application/ocsp-request",
	    .type_wanted = "application/ocsp-response",
	    .max = OCTETS_MAX,
	    .timeout_ms = r->set.timeout_ms};
	const struct source_answer *got;
	struct revoke_reply *k;
	uint8_t key[32];

	if (!find_place(x, ask.name))
		return;
	make_key(x, issuer, key);
	k = revoke_cache_reply(r->cache, key);
	if (k->status != REVOKE_CACHE_NONE && at < k->until && at + CLOCKS_S >= k->this_update) {
		say(k, s);
		return;
	}
	if (k->nonce_at == 0 || at >= k->nonce_at + NONCE_S || at < k->nonce_at) {
		if (RAND_bytes(k->nonce, sizeof k->nonce) != 1)
			log_fatal("no random numbers");
		k->nonce_at = at;
	}
	if (!make_question(x, issuer, k->nonce, &ask))
		return;
	/* one that ran out, or was no use, is not the answer once more, however long its server lets one keep it */
	if (k->status != REVOKE_CACHE_NONE)
		ask.since = k->until;
	if (k->refused_at != 0 && at >= k->refused_at + (r->set.again_s > 0 ? r->set.again_s : AGAIN_S))
		ask.since = k->refused_at + 1;
	got = source_get(r->run, "ocsp", &ask);
	if (!got)
		s->known = REVOKE_KNOWN_AWAITED;
	else
		learn(r, got, ask.name, x, issuer, at, k, s);
}
