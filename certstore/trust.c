/*
 * Whom to believe. Judge; reads what it is given, no I/O. RFC 5280 6, RFC 8550 4.
 *
 * The path is OpenSSL's business (signatures, names, CA bits, path lengths, name constraints, algorithms of security
 * level 2, policies as far as an issuer demands them: RFC 5280 6.1 with any policy to begin with), with PARTIAL_CHAIN
 * so that an anchor may be an intermediate or the leaf itself. Purposes are ours: OpenSSL's S/MIME purpose wants
 * things of deployed single-use pairs that they do not have, and lets pass what we refuse. An anchor is
 * found by subject, key and signature, never by a key identifier alone. Not here: revocation; which anchors count for
 * whom (the caller has chosen them).
 */
#include "certstore/trust.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

/* 112 bits: RSA >= 2048, no SHA-1 and MD5 in the path. */
enum { SECURITY_LEVEL = 2 };

static int unfit(char *why, size_t cap, const char *text)
{
	(void)snprintf(why, cap, "%s", text);
	return -1;
}

int trust_fit(const struct cert_facts *f, enum cert_purpose use, int64_t at, char *why, size_t cap)
{
	char day[11], text[200];

	if (f->weak)
		return unfit(why, cap, f->weak_why);
	if (!f->eku_mail)
		return unfit(why, cap, "its extended key usage does not allow mail (emailProtection is missing)");
	if (use == CERT_TO_SIGN && !f->may_sign)
		return unfit(why, cap, "its key usage does not allow signing (digitalSignature is missing)");
	if (use == CERT_TO_ENCRYPT && !f->may_encrypt)
		return unfit(why, cap,
		    "its key usage does not allow encrypting to it (keyEncipherment or keyAgreement is missing)");
	if (at < f->not_before) {
		(void)snprintf(text, sizeof text, "it is not valid before %s", cert_day(f->not_before, day));
		return unfit(why, cap, text);
	}
	if (at >= f->not_after) { /* as OpenSSL has it, so that leaf and path agree */
		(void)snprintf(text, sizeof text, "it ran out on %s", cert_day(f->not_after, day));
		return unfit(why, cap, text);
	}
	return 0;
}

static STACK_OF(X509) * stack_of(X509 *const *v, size_t n)
{
	STACK_OF(X509) *s = sk_X509_new_null();

	for (size_t i = 0; s && i < n; i++)
		if (v[i] && (X509_up_ref(v[i]) != 1 || !sk_X509_push(s, v[i])))
			log_fatal("out of memory: certificates");
	if (!s)
		log_fatal("out of memory: certificates");
	return s;
}

static STACK_OF(X509) * anchors_of(const struct trust_question *q)
{
	STACK_OF(X509) * s;

	if (q->anchor_certs)
		return stack_of(q->anchor_certs, q->nanchors);
	s = stack_of(NULL, 0);
	for (size_t i = 0; i < q->nanchors; i++) {
		X509 *x = cert_parse(q->anchors[i].der, q->anchors[i].der_len, NULL);

		if (x && !sk_X509_push(s, x))
			log_fatal("out of memory: certificates");
	}
	return s;
}

static void say_path_error(X509_STORE_CTX *c, X509 *x, char *why, size_t cap)
{
	int e = X509_STORE_CTX_get_error(c);
	X509 *at = X509_STORE_CTX_get_current_cert(c);
	char name[256] = "";

	switch (e) {
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_CERT_UNTRUSTED:
		cert_name(X509_get_issuer_name(at ? at : x), name, sizeof name);
		(void)snprintf(why, cap, "no anchor leads to it (the last issuer looked for is %s)", name);
		return;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		(void)snprintf(why, cap, "it is self-signed and neither pinned nor an anchor");
		return;
	case X509_V_ERR_CERT_CHAIN_TOO_LONG:
		(void)snprintf(why, cap, "its path is longer than %d certificates", TRUST_PATH_MAX);
		return;
	case X509_V_ERR_NO_EXPLICIT_POLICY:
		(void)snprintf(why, cap,
		    "one of its issuers demands a certificate policy, and none is valid along the whole path");
		return;
	default:
		if (at)
			cert_name(X509_get_subject_name(at), name, sizeof name);
		(void)snprintf(why, cap, "its path fails at %s: %s", name[0] ? name : "an unknown certificate",
		    X509_verify_cert_error_string(e));
	}
}

/* RFC 5280 4.2.1.12 read as deployed: an EKU in an issuer limits what it may issue. A TLS-only CA vouches for no
 * mail. */
static int check_issuers(STACK_OF(X509) * chain, char *why, size_t cap)
{
	for (int i = 1; i < sk_X509_num(chain); i++) {
		X509 *ca = sk_X509_value(chain, i);
		uint32_t eku = X509_get_extended_key_usage(ca);
		char name[256];

		if (!(X509_get_extension_flags(ca) & EXFLAG_XKUSAGE) || (eku & (XKU_SMIME | XKU_ANYEKU)))
			continue;
		cert_name(X509_get_subject_name(ca), name, sizeof name);
		(void)snprintf(
		    why, cap, "its issuer %s may not issue certificates for mail (extended key usage)", name);
		return -1;
	}
	return 0;
}

static int verify(X509_STORE_CTX *c, X509 *x, STACK_OF(X509) * anchors, STACK_OF(X509) * extra, int64_t at)
{
	X509_VERIFY_PARAM *p;

	if (X509_STORE_CTX_init(c, NULL, x, extra) != 1)
		log_fatal("out of memory: certificate path");
	X509_STORE_CTX_set0_trusted_stack(c, anchors);
	p = X509_STORE_CTX_get0_param(c);
	(void)X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK);
	/* without one named here OpenSSL's set of wanted policies is empty, and whatever is demanded is missing */
	if (X509_VERIFY_PARAM_add0_policy(p, OBJ_nid2obj(NID_any_policy)) != 1)
		log_fatal("out of memory: certificate path");
	X509_VERIFY_PARAM_set_auth_level(p, SECURITY_LEVEL);
	X509_VERIFY_PARAM_set_depth(p, TRUST_PATH_MAX - 2); /* counts what is between leaf and anchor */
	X509_VERIFY_PARAM_set_time(p, (time_t)at);
	return X509_verify_cert(c) == 1 ? 0 : -1;
}

/* 0 and the anchor's name in why, or -1 and the reason. */
static int check_path(X509 *x, const struct trust_question *q, char *why, size_t cap)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	STACK_OF(X509) *anchors = anchors_of(q), *extra = stack_of(q->extra, q->nextra);
	char name[256];
	int rc;

	if (!c)
		log_fatal("out of memory: certificate path");
	rc = verify(c, x, anchors, extra, q->at);
	if (rc < 0) {
		say_path_error(c, x, why, cap);
	} else {
		STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(c);

		rc = check_issuers(chain, why, cap);
		cert_name(X509_get_subject_name(sk_X509_value(chain, sk_X509_num(chain) - 1)), name, sizeof name);
		if (rc == 0)
			(void)snprintf(why, cap, "trusted by the anchor %s", name);
	}
	X509_STORE_CTX_free(c);
	sk_X509_pop_free(anchors, X509_free);
	sk_X509_pop_free(extra, X509_free);
	ERR_clear_error();
	return rc;
}

static const char *binding_words(enum cert_binding b)
{
	switch (b) {
	case CERT_BOUND_ADDRESS:
		return "speaks for the address";
	case CERT_BOUND_DOMAIN:
		return "speaks for the domain";
	case CERT_BOUND_AUTHORITY:
		return "speaks for the domain as its authority";
	case CERT_BOUND_NOT:
		return "speaks for whom the admin pinned it";
	}
	return "";
}

int trust_path(X509 *x, const struct cert_facts *f, const struct trust_question *q, char *how, size_t cap)
{
	if (trust_fit(f, q->use, q->at, how, cap) < 0)
		return -1;
	if (!q->pinned)
		return check_path(x, q, how, cap);
	(void)snprintf(how, cap, "pinned by the admin");
	return 0;
}

enum trust_result trust_conclude(X509 *x, const struct cert_facts *f, const struct trust_question *q, int path_rc,
    const char *how, char *why, size_t cap)
{
	char words[300], who[ADDRESS_TEXT_MAX];
	enum cert_binding bound = cert_bound(x, q->who, q->use);

	(void)cert_words(f, words, sizeof words);
	if (path_rc < 0) {
		(void)snprintf(why, cap, "certificate %s: %s", words, how);
		return TRUST_BAD;
	}
	if (bound == CERT_BOUND_NOT && !q->pinned) {
		(void)snprintf(why, cap,
		    "certificate %s: %s, but it does not name %s nor its domain (it names: %.200s)", words, how,
		    q->who->local[0] ? address_text(q->who, who) : q->who->domain, f->names[0] ? f->names : "nobody");
		return TRUST_UNBOUND;
	}
	(void)snprintf(why, cap, "certificate %s: %s, %s", words, how, binding_words(bound));
	return TRUST_GOOD;
}

enum trust_result trust_check(X509 *x, const struct trust_question *q, char *why, size_t cap)
{
	struct cert_facts f;
	char how[400];
	int rc;

	cert_facts(x, &f);
	rc = trust_path(x, &f, q, how, sizeof how);
	return trust_conclude(x, &f, q, rc, how, why, cap);
}
