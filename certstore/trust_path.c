/*
 * From a certificate to an anchor. Judge; no I/O of its own. RFC 5280 6, RFC 4158, DIRECT.md "Which certificate
 * counts".
 *
 * OpenSSL builds one path and stops when that one fails; bridges and renewed CAs have several (RFC 4158 2.3). So the
 * ways from the certificate upwards are walked here, depth first, anchors before other issuers, each whole one is put
 * to OpenSSL alone (signatures, names, CA bits, path lengths, name constraints, algorithms of security level 2,
 * policies as far as an issuer demands them: RFC 5280 6.1 with any policy to begin with), and the first that holds
 * wins. PARTIAL_CHAIN: an anchor may be an intermediate or the leaf itself. An anchor is found by subject, key and
 * signature, never by a key identifier alone.
 *
 * Bounds: no certificate, and no pair of name and key, stands in a path twice, so that CAs which certified each other
 * make no circle; TRUST_PATH_MAX certificates a path, and the limits of the header for all of the search.
 */
#include "certstore/trust_path.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/issuer.h"
#include "certstore/revoke.h"
#include "certstore/source.h"
#include "certstore/trace.h"
#include "certstore/trust_dane.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/* 112 bits: RSA >= 2048, no SHA-1 and MD5 in the path. */
enum { SECURITY_LEVEL = 2, KEY_BITS_MAX = 8192, EXPONENT_BITS_MAX = 64 };

/* How far a failure came: the sentence of the one that came furthest is told. */
enum rank { RANK_NONE, RANK_DEAD_END, RANK_PATH, RANK_REVOKED, RANK_UNSURE, RANK_LEAF_REVOKED, RANK_GOOD };

struct search {
	const struct trust_question *q;
	X509 **anchors; /* as q->anchors, parsed; NULL entries */
	size_t nanchors;
	X509 *dane_anchor; /* the one anchor when a record names it, or NULL */
	X509 *pool[TRUST_PATH_POOL];
	size_t npool;
	X509 *path[TRUST_PATH_MAX];
	size_t n;
	X509 *dead_ends[TRUST_PATH_POOL]; /* of which no issuer is at hand; borrowed */
	size_t ndead;
	X509 *asked[TRUST_PATH_POOL]; /* whose issuers were looked for already; borrowed */
	size_t nasked;
	struct issuer_lost lost; /* an issuer that could not be had now */
	unsigned looks, tries;
	bool cut;      /* something was not looked at because of their limits */
	bool overflow; /* there was no room in the pool */
	unsigned own_work, *work;
	enum rank rank;
	bool pending;
	struct trust_found *found;
};

static void note(struct search *s, enum rank rank, enum trust_result result, int anchor, const char *how)
{
	if (rank <= s->rank)
		return;
	s->rank = rank;
	s->found->result = result;
	s->found->anchor = anchor;
	(void)snprintf(s->found->how, sizeof s->found->how, "%s", how);
}

static bool exhausted(const struct search *s)
{
	return s->tries >= TRUST_PATH_TRIES || s->looks >= TRUST_PATH_LOOKS;
}

static bool finished(const struct search *s)
{
	return s->pending || s->rank >= RANK_LEAF_REVOKED || exhausted(s) || *s->work == 0;
}

/* Of looking at one signature by this key. */
static unsigned cost_of(const EVP_PKEY *k)
{
	unsigned bits = k ? (unsigned)EVP_PKEY_get_bits(k) : 0, e_bits = 17, units;
	BIGNUM *e = NULL;

	if (k && EVP_PKEY_get_base_id(k) == EVP_PKEY_EC)
		return bits <= 256 ? 4 : 20;
	if (!k || (!EVP_PKEY_is_a(k, "RSA") && !EVP_PKEY_is_a(k, "RSA-PSS")))
		return 10;
	if (EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
		e_bits = (unsigned)BN_num_bits(e);
	BN_free(e);
	units = bits / 1024 * (bits / 1024) / 4 * e_bits / 16;
	return units > 0 ? units : 1;
}

static void spend(struct search *s, X509 *issuer)
{
	unsigned cost = cost_of(X509_get0_pubkey(issuer));

	*s->work -= cost < *s->work ? cost : *s->work;
}

/* ---- one whole path ---- */

static void say_failure(X509_STORE_CTX *c, char *why, size_t cap)
{
	int e = X509_STORE_CTX_get_error(c);
	X509 *at = X509_STORE_CTX_get_current_cert(c);
	char name[256] = "";

	if (e == X509_V_ERR_NO_EXPLICIT_POLICY) {
		(void)snprintf(why, cap,
		    "one of its issuers demands a certificate policy, and none is valid along the whole path");
		return;
	}
	if (at)
		cert_name(X509_get_subject_name(at), name, sizeof name);
	(void)snprintf(why, cap, "its path fails at %s: %s", name[0] ? name : "an unknown certificate",
	    X509_verify_cert_error_string(e));
}

static STACK_OF(X509) * stack_of(X509 *const *v, size_t n)
{
	STACK_OF(X509) *s = sk_X509_new_null();

	for (size_t i = 0; s && i < n; i++)
		if (!sk_X509_push(s, v[i]))
			log_fatal("out of memory: certificates");
	if (!s)
		log_fatal("out of memory: certificates");
	return s;
}

void trust_path_rules(X509_VERIFY_PARAM *p, int64_t at)
{
	(void)X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_POLICY_CHECK);
	/* without one named here OpenSSL's set of wanted policies is empty, and whatever is demanded is missing */
	if (X509_VERIFY_PARAM_add0_policy(p, OBJ_nid2obj(NID_any_policy)) != 1)
		log_fatal("out of memory: certificate path");
	X509_VERIFY_PARAM_set_auth_level(p, SECURITY_LEVEL);
	X509_VERIFY_PARAM_set_depth(p, TRUST_PATH_MAX - 2); /* counts what is between leaf and anchor */
	X509_VERIFY_PARAM_set_time(p, (time_t)at);
}

static int verify(struct search *s, char *why, size_t cap)
{
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	STACK_OF(X509) *top = stack_of(s->path + s->n - 1, 1);
	STACK_OF(X509) *between = stack_of(s->path + 1, s->n > 2 ? s->n - 2 : 0);
	int rc;

	if (!c || X509_STORE_CTX_init(c, NULL, s->path[0], between) != 1)
		log_fatal("out of memory: certificate path");
	X509_STORE_CTX_set0_trusted_stack(c, top);
	trust_path_rules(X509_STORE_CTX_get0_param(c), s->q->at);
	rc = X509_verify_cert(c) == 1 ? 0 : -1;
	if (rc < 0)
		say_failure(c, why, cap);
	X509_STORE_CTX_free(c);
	sk_X509_free(top);
	sk_X509_free(between);
	ERR_clear_error();
	return rc;
}

/* RFC 5280 4.2.1.12 read as deployed: an EKU in an issuer limits what it may issue. A TLS-only CA vouches for no
 * mail. */
static int check_issuers(const struct search *s, char *why, size_t cap)
{
	for (size_t i = 1; i < s->n; i++) {
		uint32_t eku = X509_get_extended_key_usage(s->path[i]);
		char name[256];

		if (!(X509_get_extension_flags(s->path[i]) & EXFLAG_XKUSAGE) || (eku & (XKU_SMIME | XKU_ANYEKU)))
			continue;
		cert_name(X509_get_subject_name(s->path[i]), name, sizeof name);
		(void)snprintf(
		    why, cap, "its issuer %s may not issue certificates for mail (extended key usage)", name);
		return -1;
	}
	return 0;
}

/* Usages 0 and 1: an ordinary path, and the record names its CA or its leaf (RFC 6698 2.1.1). */
static int check_dane(const struct search *s, char *why, size_t cap)
{
	const struct trust_dane *d = s->q->dane;

	if (!d || d->usage == TRUST_DANE_TA)
		return 0;
	if (d->usage == TRUST_DANE_PKIX_EE && trust_dane_matches(d, s->path[0]))
		return 0;
	for (size_t i = 1; d->usage == TRUST_DANE_PKIX_TA && i < s->n; i++)
		if (trust_dane_matches(d, s->path[i]))
			return 0;
	(void)snprintf(why, cap, "the SMIMEA record (usage %u) names nothing in its path", d->usage);
	return -1;
}

static void check_revocation(struct search *s, int anchor, const char *how)
{
	struct revoke r = *s->q->revoke;
	struct revoke_answer a;
	char text[400];

	/* anybody may have a zone, and an authority of his own in it */
	if (s->dane_anchor && r.set.zone_octets_max < r.set.octets_max)
		r.set.octets_max = r.set.zone_octets_max;
	revoke_path(&r, s->path, s->n, s->pool, s->npool, s->q->at, &a);
	if (a.state == REVOKE_REVOKED) {
		note(s, a.at == 0 ? RANK_LEAF_REVOKED : RANK_REVOKED, TRUST_REVOKED, -1, a.words);
		return;
	}
	if (a.state == REVOKE_PENDING)
		s->pending = true;
	if (a.state == REVOKE_PENDING || a.state == REVOKE_UNKNOWN) {
		note(s, RANK_UNSURE, TRUST_UNSURE, -1, a.words);
		return;
	}
	(void)snprintf(text, sizeof text, "%.230s%s%.160s", how, a.words[0] ? "; " : "", a.words);
	note(s, RANK_GOOD, TRUST_GOOD, anchor, text);
}

static void trace_path(const struct search *s, const char *answer)
{
	struct trust_question const *q = s->q;
	struct trace_step *t;
	char names[500] = "";
	size_t at = 0;

	if (!q->run || !q->run->trace)
		return;
	for (size_t i = 0; i < s->n && at < sizeof names; i++) {
		char one[128];
		int k;

		cert_name(X509_get_subject_name(s->path[i]), one, sizeof one);
		k = snprintf(names + at, sizeof names - at, "%s%s", i ? " < " : "", one);
		at += k > 0 ? (size_t)k : 0;
	}
	t = trace_add(q->run->trace, "path", "%s", names);
	if (t)
		(void)snprintf(t->answer, sizeof t->answer, "%s", answer);
}

static void try_path(struct search *s, int anchor)
{
	char text[400], name[256];

	s->tries++;
	for (size_t i = 1; i < s->n; i++)
		spend(s, s->path[i]);
	if (verify(s, text, sizeof text) < 0 || check_issuers(s, text, sizeof text) < 0 ||
	    check_dane(s, text, sizeof text) < 0) {
		note(s, RANK_PATH, TRUST_BAD, -1, text);
		trace_path(s, text);
		return;
	}
	cert_name(X509_get_subject_name(s->path[s->n - 1]), name, sizeof name);
	(void)snprintf(text, sizeof text, "trusted by the anchor %s%s", name,
	    s->dane_anchor ? " that an SMIMEA record of a signed zone names" : "");
	if (s->q->revoke)
		check_revocation(s, anchor, text);
	else
		note(s, RANK_GOOD, TRUST_GOOD, anchor, text);
	trace_path(s, s->rank == RANK_GOOD ? text : s->found->how);
}

/* ---- the walk ---- */

static bool same_key(X509 *a, X509 *b)
{
	return X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
	       EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1;
}

static bool in_path(const struct search *s, X509 *x)
{
	for (size_t i = 0; i < s->n; i++)
		if (X509_cmp(s->path[i], x) == 0 || (i > 0 && same_key(s->path[i], x)))
			return true;
	return false;
}

static int anchor_index(const struct search *s, X509 *x)
{
	if (s->dane_anchor)
		return X509_cmp(s->dane_anchor, x) == 0 ? 0 : -1;
	for (size_t i = 0; i < s->nanchors; i++)
		if (s->anchors[i] && X509_cmp(s->anchors[i], x) == 0)
			return (int)i;
	return -1;
}

/*
 * Strangers choose the keys of what they send, and with them what looking at a signature costs: RSA with an exponent
 * as long as the modulus takes a hundred times as long as any that is in use. No CA has such a key.
 */
static bool affordable(X509 *issuer)
{
	const EVP_PKEY *k = X509_get0_pubkey(issuer);
	BIGNUM *e = NULL;
	bool yes;

	if (!k || EVP_PKEY_get_bits(k) > KEY_BITS_MAX)
		return false;
	if (!EVP_PKEY_is_a(k, "RSA") && !EVP_PKEY_is_a(k, "RSA-PSS"))
		return true;
	yes = EVP_PKEY_get_bn_param(k, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_num_bits(e) <= EXPONENT_BITS_MAX;
	BN_free(e);
	return yes;
}

static bool could_issue(X509 *issuer, X509 *x)
{
	return X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(x)) == 0;
}

/* Name, key identifiers and key usage first: the signature costs most. */
static bool issued(struct search *s, X509 *issuer, X509 *x)
{
	bool yes = false;

	if (!could_issue(issuer, x))
		return false;
	s->looks++;
	if (X509_check_issued(issuer, x) == X509_V_OK && affordable(issuer) && *s->work > 0) {
		spend(s, issuer);
		yes = X509_verify(x, X509_get0_pubkey(issuer)) == 1;
	}
	ERR_clear_error();
	return yes;
}

/* Does it say where its issuer's certificate is? */
static bool names_issuer(X509 *x)
{
	AUTHORITY_INFO_ACCESS *a = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
	bool yes = false;

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(a); i++)
		yes = yes || OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(a, i)->method) == NID_ad_ca_issuers;
	AUTHORITY_INFO_ACCESS_free(a);
	ERR_clear_error();
	return yes;
}

static void dead_end(struct search *s, X509 *x)
{
	char name[256], text[400];

	for (size_t i = 0; i < s->ndead; i++)
		if (X509_cmp(s->dead_ends[i], x) == 0)
			return;
	if (s->ndead < TRUST_PATH_POOL)
		s->dead_ends[s->ndead++] = x;
	cert_name(X509_get_issuer_name(x), name, sizeof name);
	if (s->n == 1 && (X509_get_extension_flags(x) & EXFLAG_SS))
		(void)snprintf(text, sizeof text, "it is self-signed and neither pinned nor an anchor");
	else
		(void)snprintf(text, sizeof text, "no anchor leads to it (the last issuer looked for is %s%s)", name,
		    s->q->run && !s->q->fetches && names_issuer(x)
			? "; it is fetched for listed partners alone, and not with fetch-issuers = no"
			: "");
	if (s->rank == RANK_DEAD_END)
		s->rank = RANK_NONE; /* the last one met is told: it lies behind the others */
	note(s, RANK_DEAD_END, TRUST_BAD, -1, text);
}

static void extend(struct search *s);

static bool step(struct search *s, X509 *issuer)
{
	X509 *last = s->path[s->n - 1];

	if (!issuer)
		return false;
	if (finished(s)) {
		s->cut = s->cut || (exhausted(s) && could_issue(issuer, last) && !in_path(s, issuer));
		return false;
	}
	if (in_path(s, issuer) || !issued(s, issuer, last))
		return false;
	if (s->n == TRUST_PATH_MAX) {
		char text[100];

		(void)snprintf(text, sizeof text, "its path is longer than %d certificates", TRUST_PATH_MAX);
		note(s, RANK_PATH, TRUST_BAD, -1, text);
		return true;
	}
	s->path[s->n++] = issuer;
	extend(s);
	s->n--;
	return true;
}

static void extend(struct search *s)
{
	X509 *last = s->path[s->n - 1];
	int anchor = anchor_index(s, last);
	bool any = anchor >= 0;

	if (anchor >= 0)
		try_path(s, anchor);
	if (s->dane_anchor)
		any = step(s, s->dane_anchor) || any;
	for (size_t i = 0; !s->dane_anchor && i < s->nanchors; i++)
		any = step(s, s->anchors[i]) || any;
	for (size_t i = 0; i < s->npool; i++)
		any = step(s, s->pool[i]) || any;
	if (!any && !finished(s))
		dead_end(s, last);
}

/* ---- what it works with ---- */

static void add(struct search *s, X509 *x)
{
	for (size_t i = 0; i < s->npool; i++)
		if (X509_cmp(s->pool[i], x) == 0)
			return;
	if (s->npool == TRUST_PATH_POOL) {
		s->overflow = true;
		return;
	}
	if (X509_up_ref(x) != 1)
		log_fatal("out of memory: certificates");
	s->pool[s->npool++] = x;
}

/* What issued itself has no other issuer; who was asked for is not asked for again. */
static bool worth_asking(struct search *s, X509 *x)
{
	if ((X509_get_extension_flags(x) & EXFLAG_SS) || s->nasked == TRUST_PATH_POOL)
		return false;
	for (size_t i = 0; i < s->nasked; i++)
		if (s->asked[i] == x)
			return false;
	s->asked[s->nasked++] = x;
	return true;
}

/* The issuers of where it went no further. Whether there is something new to look at. */
static bool fetch(struct search *s)
{
	X509 *got[TRUST_PATH_POOL];
	size_t before = s->npool;

	for (size_t i = 0; i < s->ndead; i++) {
		size_t n = 0;

		if (!worth_asking(s, s->dead_ends[i]))
			continue;
		if (issuer_fetch(s->q->run, s->dead_ends[i], s->q->fetches, got, TRUST_PATH_POOL, &n, &s->lost) < 0)
			s->pending = true;
		for (size_t k = 0; k < n; k++)
			add(s, got[k]);
		cert_list_free(got, n);
	}
	return !s->pending && s->npool > before;
}

/* Where the path would go on nobody can tell now: that is not the same as that it goes nowhere (P1). */
static void doubt(struct search *s)
{
	char text[400];

	if (s->pending || s->lost.place == 0 || s->rank > RANK_PATH)
		return;
	(void)snprintf(text, sizeof text, "%.180s, and where its issuer is to be had cannot be read now: %s",
	    s->found->how, s->lost.words);
	note(s, RANK_UNSURE, TRUST_UNSURE, -1, text);
	s->found->away = s->lost.place;
}

/* Which limit ended it before all was looked at; "" none. */
static void say_limit(const struct search *s, char *out, size_t cap)
{
	out[0] = 0;
	if (*s->work == 0)
		(void)snprintf(out, cap, "the work that is done on certificates for one question was used up");
	else if (s->cut && s->tries >= TRUST_PATH_TRIES)
		(void)snprintf(out, cap, "%d whole paths were tried, which is the limit,", TRUST_PATH_TRIES);
	else if (s->cut)
		(void)snprintf(
		    out, cap, "%d candidate issuers were looked at, which is the limit,", TRUST_PATH_LOOKS);
	else if (s->overflow)
		(void)snprintf(
		    out, cap, "more than %d possible issuers came with it, which is the limit,", TRUST_PATH_POOL);
	else if (s->lost.cut)
		(void)snprintf(out, cap, "no more missing issuers are fetched for one question");
}

/* Nor is it bad because a limit was met first: that would be a way to have mail sent in the clear. */
static void spent(struct search *s)
{
	char text[400], limit[100];

	say_limit(s, limit, sizeof limit);
	if (s->pending || !limit[0] || s->rank >= RANK_UNSURE)
		return;
	(void)snprintf(text, sizeof text,
	    "whether an anchor leads to it is uncertain: %s before all of its issuers were looked at; pin it, or "
	    "make "
	    "the CA that issued it an anchor (postern anchor add)%s%.120s",
	    limit, s->found->how[0] ? "; until then: " : "", s->found->how);
	s->found->until_spent = s->found->result;
	s->found->spent = true;
	note(s, RANK_UNSURE, TRUST_UNSURE, -1, text);
}

static void walk(struct search *s, X509 *x)
{
	for (;;) {
		s->ndead = 0;
		s->path[0] = x;
		s->n = 1;
		extend(s);
		if (s->rank > RANK_PATH || !s->q->run || !s->q->fetches)
			return;
		if (finished(s)) {
			s->cut = s->cut || (exhausted(s) && s->ndead > 0);
			return;
		}
		if (!fetch(s))
			return;
	}
}

static void take_anchors(struct search *s)
{
	const struct trust_question *q = s->q;

	s->nanchors = q->nanchors;
	s->anchors = mem_new((q->nanchors + 1) * sizeof *s->anchors);
	for (size_t i = 0; i < q->nanchors; i++) {
		s->anchors[i] =
		    q->anchor_certs ? q->anchor_certs[i] : cert_parse(q->anchors[i].der, q->anchors[i].der_len, NULL);
		if (q->anchor_certs && s->anchors[i] && X509_up_ref(s->anchors[i]) != 1)
			log_fatal("out of memory: certificates");
	}
}

/* Usage 2: the one anchor is what the record names, be it in the record itself or among what came with the mail. */
static bool take_dane(struct search *s, X509 *x)
{
	const struct trust_dane *d = s->q->dane;

	if (!d || d->usage != TRUST_DANE_TA)
		return true;
	s->dane_anchor = trust_dane_cert(d);
	for (size_t i = 0; i < s->npool && !s->dane_anchor; i++)
		if (trust_dane_matches(d, s->pool[i])) {
			s->dane_anchor = s->pool[i];
			(void)X509_up_ref(s->dane_anchor);
		}
	if (!s->dane_anchor && trust_dane_matches(d, x)) {
		s->dane_anchor = x;
		(void)X509_up_ref(x);
	}
	if (!s->dane_anchor)
		note(s, RANK_DEAD_END, TRUST_BAD, -1,
		    "the CA that its SMIMEA record names did not come with it, so no path to it can be made");
	return s->dane_anchor != NULL;
}

/* It may be what is missing, and is nothing that the reader could guess. */
static void say_missing(struct search *s)
{
	size_t at = strlen(s->found->how);

	if (s->rank == RANK_DEAD_END && s->lost.missing[0])
		(void)snprintf(s->found->how + at, sizeof s->found->how - at, "; its issuer cannot be had from %s",
		    s->lost.missing);
}

void trust_path_find(X509 *x, const struct trust_question *q, struct trust_found *found_r)
{
	struct search s = {.q = q, .found = found_r, .own_work = TRUST_WORK};

	*found_r = (struct trust_found){.result = TRUST_BAD, .anchor = -1};
	s.work = q->work ? q->work : &s.own_work;
	take_anchors(&s);
	for (size_t i = 0; i < q->nextra; i++)
		if (q->extra[i])
			add(&s, q->extra[i]);
	if (take_dane(&s, x))
		walk(&s, x);
	doubt(&s);
	spent(&s);
	say_missing(&s);
	if (!found_r->how[0])
		(void)snprintf(found_r->how, sizeof found_r->how, "no anchor leads to it");
	memcpy(found_r->answered, s.lost.answered, sizeof found_r->answered);
	found_r->nanswered = s.lost.nanswered;
	if (s.dane_anchor)
		found_r->anchor = -1;
	X509_free(s.dane_anchor);
	for (size_t i = 0; i < s.nanchors; i++)
		X509_free(s.anchors[i]);
	free(s.anchors);
	cert_list_free(s.pool, s.npool);
	ERR_clear_error();
}
