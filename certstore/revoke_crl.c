/*
 * Revocation lists. Judge; asks through the run. RFC 5280 5 and 6.3.
 *
 * What a list covers (distribution point, kinds of certificates, reasons, signer, time) is weighed by OpenSSL, with
 * lists signed by another key or another name of the CA; a delta list is used when it is at hand, and none is
 * fetched. A list is found by the http and https places that a certificate names; ldap and names of directories are
 * passed over. A list signed with MD5 or SHA-1 says nothing.
 */
#include "certstore/revoke_crl.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "certstore/cert.h"
#include "certstore/source.h"
#include "certstore/trust_path.h"
#include "gateway/base/log.h"

enum { POINTS_MAX = 4, NAMES_MAX = 4, AGAIN_S = 60 };

/* ---- reading ---- */

static int64_t unix_time(const ASN1_TIME *t)
{
	struct tm tm;

	return t && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static X509_CRL *decode(const void *p, size_t n)
{
	const unsigned char *at = p;
	X509_CRL *crl;
	BIO *b;

	if (n == 0 || n > INT_MAX)
		return NULL;
	if (*at == 0x30) {
		crl = d2i_X509_CRL(NULL, &at, (long)n);
		if (crl && at != (const unsigned char *)p + n) {
			X509_CRL_free(crl);
			return NULL;
		}
		return crl;
	}
	b = BIO_new_mem_buf(p, (int)n);
	crl = b ? PEM_read_bio_X509_CRL(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	return crl;
}

static bool weak(const X509_CRL *crl)
{
	int md = NID_undef, pk = NID_undef;

	if (OBJ_find_sigid_algs(X509_CRL_get_signature_nid(crl), &md, &pk) != 1)
		return true;
	return md == NID_md5 || md == NID_sha1 || md == NID_md4 || md == NID_md2 || md == NID_mdc2 ||
	       md == NID_ripemd160;
}

X509_CRL *revoke_crl_read(const void *p, size_t n, struct revoke_list *l_r)
{
	X509_CRL *crl = decode(p, n);
	const char *why = NULL;

	if (!crl)
		why = "it is not a revocation list";
	else if (weak(crl))
		why = "it is signed with an algorithm that proves nothing (MD5, SHA-1)";
	else if ((l_r->this_update = unix_time(X509_CRL_get0_lastUpdate(crl))) == 0)
		why = "its date cannot be read";
	else
		l_r->next_update = unix_time(X509_CRL_get0_nextUpdate(crl));
	ERR_clear_error();
	if (!why)
		return crl;
	(void)snprintf(l_r->why, sizeof l_r->why, "%s", why);
	X509_CRL_free(crl);
	return NULL;
}

/* ---- getting ---- */

static bool is_web(const GENERAL_NAME *g)
{
	const char *p;
	int n;

	if (g->type != GEN_URI)
		return false;
	p = (const char *)ASN1_STRING_get0_data(g->d.uniformResourceIdentifier);
	n = ASN1_STRING_length(g->d.uniformResourceIdentifier);
	if (n <= 0 || n > SOURCE_NAME_MAX)
		return false;
	for (int i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f)
			return false;
	return (n > 7 && strncasecmp(p, "http://", 7) == 0) || (n > 8 && strncasecmp(p, "https://", 8) == 0);
}

/* Its own end, that of the setting, and what its server says: the first of them. */
static int64_t keep_until(
    const struct revoke *r, const struct revoke_list *l, const struct source_answer *got, int64_t at)
{
	int64_t until = at + r->set.keep_s;

	if (got->said > 0 && got->at + (int64_t)got->said < until)
		until = got->at + (got->said < AGAIN_S ? AGAIN_S : (int64_t)got->said);
	if (l->next_update > 0 && l->next_update < until)
		until = l->next_update;
	return !l->crl || until <= at ? at + AGAIN_S : until;
}

static const struct revoke_list *keep(
    struct revoke *r, const struct source_ask *ask, const struct source_answer *got, int64_t at)
{
	struct revoke_list l = {.url = (char *)(uintptr_t)ask->name,
	    .got_at = got->at,
	    .octets = got->items[0].n,
	    .max = r->set.octets_max};

	if (got->more)
		(void)snprintf(l.why, sizeof l.why, "it is larger than %u octets", (unsigned)r->set.octets_max);
	else
		l.crl = revoke_crl_read(got->items[0].p, got->items[0].n, &l);
	l.until = keep_until(r, &l, got, at);
	if (!l.crl)
		l.octets = 0;
	return revoke_cache_put(r->cache, &l);
}

/* The list as it is kept. What was too large for who may have less says nothing of it. */
static const struct revoke_list *kept(const struct revoke *r, const char *url)
{
	const struct revoke_list *l = revoke_cache_list(r->cache, url);

	return l && !l->crl && l->max < r->set.octets_max ? NULL : l;
}

/* NULL: awaited. A list that is still in its time is better than none when no newer one can be had. */
static const struct revoke_list *get(struct revoke *r, const char *url, int64_t at, char *why, size_t cap)
{
	static const struct revoke_list none;
	struct source_ask ask = {.kind = SOURCE_HTTP,
	    .chosen = SOURCE_BY_STRANGER,
	    .max = r->set.octets_max,
	    .timeout_ms = r->set.timeout_ms};
	const struct revoke_list *l = kept(r, url);
	const struct source_answer *got;

	if (l && at < l->until) {
		(void)snprintf(why, cap, "%s", l->why);
		return l;
	}
	(void)snprintf(ask.name, sizeof ask.name, "%s", url);
	/* not the same once more, however long its server lets one keep it */
	ask.since = l ? l->got_at + 1 : 0;
	got = source_get(r->run, "crl", &ask);
	if (!got)
		return NULL;
	if (got->status == SOURCE_FOUND && got->n > 0) {
		if (got->more && l && l->crl && l->max > r->set.octets_max) {
			(void)snprintf(why, cap, "it is larger than %u octets", (unsigned)r->set.octets_max);
			return l->next_update > at ? l : &none;
		}
		if (!l || l->got_at != got->at || l->octets != got->items[0].n)
			l = keep(r, &ask, got, at);
		(void)snprintf(why, cap, "%s", l->why);
		return l;
	}
	(void)snprintf(why, cap, "%s", got->why);
	return l && l->crl && l->next_update > at ? l : &none;
}

/* One distribution point: the first of its places that has a list. Whether it named a place. */
static bool take_point(
    struct revoke *r, const DIST_POINT *p, int64_t at, STACK_OF(X509_CRL) * lists, struct revoke_status *s)
{
	const GENERAL_NAMES *names = p->distpoint && p->distpoint->type == 0 ? p->distpoint->name.fullname : NULL;
	bool any = false;

	for (int i = 0, tried = 0; names && i < sk_GENERAL_NAME_num(names) && tried < NAMES_MAX; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
		char url[SOURCE_NAME_MAX + 1], why[200] = "";
		const struct revoke_list *l;

		if (!is_web(g))
			continue;
		any = true;
		tried++;
		(void)snprintf(url, sizeof url, "%.*s", ASN1_STRING_length(g->d.uniformResourceIdentifier),
		    (const char *)ASN1_STRING_get0_data(g->d.uniformResourceIdentifier));
		l = get(r, url, at, why, sizeof why);
		if (!l) {
			s->known = REVOKE_KNOWN_AWAITED;
			return true;
		}
		if (l->crl && X509_CRL_up_ref(l->crl) == 1) {
			if (!sk_X509_CRL_push(lists, l->crl))
				log_fatal("out of memory: revocation lists");
			return true;
		}
		s->known = REVOKE_KNOWN_UNSURE;
		(void)snprintf(s->words, sizeof s->words, "the list %.120s could not be used: %s", url, why);
	}
	return any;
}

void revoke_crl_gather(struct revoke *r, X509 *x, int64_t at, STACK_OF(X509_CRL) * lists, struct revoke_status *s)
{
	CRL_DIST_POINTS *all = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
	bool any = false, awaited = false;

	for (int i = 0; i < sk_DIST_POINT_num(all) && i < POINTS_MAX; i++) {
		any = take_point(r, sk_DIST_POINT_value(all, i), at, lists, s) || any;
		awaited = awaited || s->known == REVOKE_KNOWN_AWAITED;
	}
	if (awaited)
		s->known = REVOKE_KNOWN_AWAITED;
	else if (!any && s->known == REVOKE_KNOWN_NOT)
		s->known = sk_DIST_POINT_num(all) > 0 ? REVOKE_KNOWN_UNSURE : REVOKE_KNOWN_NONE;
	if (!any && s->known == REVOKE_KNOWN_UNSURE && !s->words[0])
		(void)snprintf(
		    s->words, sizeof s->words, "its list (CRL) is at no place that is fetched from (http, https)");
	CRL_DIST_POINTS_free(all);
	ERR_clear_error();
}

/* ---- weighing ---- */

struct weighing {
	const struct revoke *r;
	size_t n;
	struct revoke_status *v;
	X509_CRL *complained; /* of which list the last complaint was */
	bool unproven;	      /* ... and it was about who signed it */
	STACK_OF(X509_CRL) * lists;
};

static bool about_lists(int e)
{
	static const int all[] = {X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_CRL_SIGNATURE_FAILURE,
	    X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, X509_V_ERR_CRL_NOT_YET_VALID, X509_V_ERR_CRL_HAS_EXPIRED,
	    X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD,
	    X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, X509_V_ERR_KEYUSAGE_NO_CRL_SIGN,
	    X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION, X509_V_ERR_DIFFERENT_CRL_SCOPE, X509_V_ERR_INVALID_EXTENSION,
	    X509_V_ERR_CRL_PATH_VALIDATION_ERROR};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i] == e)
			return true;
	return false;
}

/* What is left when it is not known whose list it is: nothing. One that is merely out of date, or covers something
 * else, still tells the truth about what it holds. */
static bool unproven(int e)
{
	return e != X509_V_ERR_CRL_NOT_YET_VALID && e != X509_V_ERR_CRL_HAS_EXPIRED &&
	       e != X509_V_ERR_DIFFERENT_CRL_SCOPE;
}

static void name_list(const struct weighing *w, const X509_CRL *crl, char *out, size_t cap)
{
	const struct revoke_list *l = revoke_cache_of(w->r->cache, crl);
	char name[120], from[11], to[11];

	cert_name(X509_CRL_get_issuer(crl), name, sizeof name);
	(void)snprintf(out, cap, "%.120s of %s%s%s", l ? l->url : name,
	    cert_day(unix_time(X509_CRL_get0_lastUpdate(crl)), from), X509_CRL_get0_nextUpdate(crl) ? ", next " : "",
	    X509_CRL_get0_nextUpdate(crl) ? cert_day(unix_time(X509_CRL_get0_nextUpdate(crl)), to) : "");
}

static void say_revoked(const struct weighing *w, X509_STORE_CTX *c, struct revoke_status *s)
{
	X509_CRL *crl = X509_STORE_CTX_get0_current_crl(c);
	X509_REVOKED *e = NULL;
	ASN1_ENUMERATED *reason = NULL;
	char list[200] = "", day[20] = "an unknown day";

	if (!crl)
		crl = w->complained; /* OpenSSL forgets it behind a complaint about its time */
	if (crl == w->complained && w->unproven)
		return;
	s->known = REVOKE_KNOWN_REVOKED;
	if (crl) {
		name_list(w, crl, list, sizeof list);
		if (X509_CRL_get0_by_cert(crl, &e, X509_STORE_CTX_get_current_cert(c)) == 0)
			e = NULL;
	}
	if (e) {
		(void)cert_day(unix_time(X509_REVOKED_get0_revocationDate(e)), day);
		reason = X509_REVOKED_get_ext_d2i(e, NID_crl_reason, NULL, NULL);
	}
	(void)snprintf(s->words, sizeof s->words, "revoked on %s (%s), says the list %s", day,
	    revoke_reason(reason ? (int)ASN1_ENUMERATED_get(reason) : -1), list);
	ASN1_ENUMERATED_free(reason);
}

/* There may be a list where the certificate says, and of somebody else. */
static void say_uncovered(const struct weighing *w, struct revoke_status *s)
{
	const X509_CRL *crl = sk_X509_CRL_num(w->lists) > 0 ? sk_X509_CRL_value(w->lists, 0) : NULL;
	char list[200], issuer[80];

	if (!crl) {
		(void)snprintf(s->words, sizeof s->words, "no list at hand covers it");
		return;
	}
	name_list(w, crl, list, sizeof list);
	cert_name(X509_CRL_get_issuer(crl), issuer, sizeof issuer);
	(void)snprintf(s->words, sizeof s->words, "the list %s does not cover it: it is one of %s", list, issuer);
}

static void say_unsure(const struct weighing *w, X509_STORE_CTX *c, int e, struct revoke_status *s)
{
	X509_CRL *crl = X509_STORE_CTX_get0_current_crl(c);
	char list[200];

	if (s->known == REVOKE_KNOWN_REVOKED || s->known == REVOKE_KNOWN_GOOD || s->known == REVOKE_KNOWN_AWAITED)
		return;
	if (e == X509_V_ERR_UNABLE_TO_GET_CRL) {
		if (!s->words[0]) /* else it was said when it was looked for */
			say_uncovered(w, s);
	} else if (crl) {
		name_list(w, crl, list, sizeof list);
		(void)snprintf(s->words, sizeof s->words, "the list %s: %s", list, X509_verify_cert_error_string(e));
	} else {
		(void)snprintf(s->words, sizeof s->words, "its list: %s", X509_verify_cert_error_string(e));
	}
	s->known = REVOKE_KNOWN_UNSURE;
}

/* The anchor is believed without a list, in the path as in that of a list's signer. */
static int complaint(int ok, X509_STORE_CTX *c)
{
	int e = X509_STORE_CTX_get_error(c), depth = X509_STORE_CTX_get_error_depth(c);
	struct weighing *w = X509_STORE_CTX_get_app_data(c);

	if (ok)
		return 1;
	/* Who signs lists may stand on its own list alone: then nobody else can speak of it. */
	if (X509_STORE_CTX_get0_parent_ctx(c))
		return (about_lists(e) && depth == sk_X509_num(X509_STORE_CTX_get0_chain(c)) - 1) ||
		       (depth == 0 && e == X509_V_ERR_CRL_PATH_VALIDATION_ERROR);
	if (!w || (!about_lists(e) && e != X509_V_ERR_CERT_REVOKED))
		return 0;
	if (depth < 0 || (size_t)depth + 1 >= w->n)
		return 1;
	if (e == X509_V_ERR_CERT_REVOKED) {
		say_revoked(w, c, &w->v[depth]);
		return 1;
	}
	if (w->complained != X509_STORE_CTX_get0_current_crl(c))
		w->unproven = false;
	w->complained = X509_STORE_CTX_get0_current_crl(c);
	w->unproven = w->unproven || unproven(e);
	say_unsure(w, c, e, &w->v[depth]);
	return 1;
}

static bool same_chain(X509_STORE_CTX *c, X509 *const *path, size_t n)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(c);

	if (sk_X509_num(chain) != (int)n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (X509_cmp(sk_X509_value(chain, (int)i), path[i]) != 0)
			return false;
	return true;
}

/* A store and not a list of anchors: the path of a list's signer is looked for in the same one. Whether it was our
 * path that was put to the lists. */
static bool weigh(struct weighing *w, X509 *const *path, STACK_OF(X509) * untrusted, STACK_OF(X509_CRL) * lists,
    int64_t at, const char **why_r)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *p;
	bool done;

	if (!store || !c || X509_STORE_add_cert(store, path[w->n - 1]) != 1 ||
	    X509_STORE_CTX_init(c, store, path[0], untrusted) != 1)
		log_fatal("out of memory: certificate path");
	X509_STORE_CTX_set0_crls(c, lists);
	X509_STORE_CTX_set_app_data(c, w);
	X509_STORE_CTX_set_verify_cb(c, complaint);
	p = X509_STORE_CTX_get0_param(c);
	trust_path_rules(p, at);
	(void)X509_VERIFY_PARAM_set_flags(p, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
						 X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS);
	done = X509_verify_cert(c) == 1 && same_chain(c, path, w->n);
	*why_r = X509_verify_cert_error_string(X509_STORE_CTX_get_error(c));
	X509_STORE_CTX_free(c);
	X509_STORE_free(store);
	ERR_clear_error();
	return done;
}

/* The oldest of the lists that can be its issuer's: which of them counted, OpenSSL does not tell. */
static int64_t date_of(X509 *x, STACK_OF(X509_CRL) * lists)
{
	int64_t own = 0, any = 0;

	for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
		const X509_CRL *crl = sk_X509_CRL_value(lists, i);
		int64_t t = unix_time(X509_CRL_get0_lastUpdate(crl));

		if (any == 0 || t < any)
			any = t;
		if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(x)) == 0 && (own == 0 || t < own))
			own = t;
	}
	return own != 0 ? own : any;
}

/* The word on one certificate: no complaint is good news. */
static void take(
    struct revoke_status *s, const struct revoke_status *fresh, int64_t as_of, bool done, const char *why)
{
	enum revoke_known before = s->known;

	if (!done && fresh->known == REVOKE_KNOWN_NOT && before == REVOKE_KNOWN_NOT)
		(void)snprintf(s->words, sizeof s->words, "its path could not be put to the lists: %s", why);
	if (!done && fresh->known == REVOKE_KNOWN_NOT) {
		s->known = before == REVOKE_KNOWN_NOT ? REVOKE_KNOWN_UNSURE : before;
		return;
	}
	if (before == REVOKE_KNOWN_NONE && fresh->known == REVOKE_KNOWN_UNSURE)
		return; /* nothing was promised */
	*s = *fresh;
	if (s->known == REVOKE_KNOWN_NOT) {
		s->known = REVOKE_KNOWN_GOOD;
		s->as_of = as_of;
		s->words[0] = 0;
	}
}

void revoke_crl_check(const struct revoke *r, X509 *const *path, size_t n, X509 *const *pool, size_t npool,
    STACK_OF(X509_CRL) * lists, int64_t at, struct revoke_status *v)
{
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	struct revoke_status fresh[TRUST_PATH_MAX];
	struct weighing w = {.r = r, .n = n, .v = fresh, .lists = lists};
	const char *why = "";
	bool done = false;

	REQUIRE(n <= TRUST_PATH_MAX);
	for (size_t i = 1; untrusted && i + 1 < n; i++)
		if (!sk_X509_push(untrusted, path[i]))
			log_fatal("out of memory: certificates");
	/* With who may have signed a list; and once more without, should OpenSSL have found another path with them.
	 */
	for (int with = npool > 0; !done && with >= 0; with--) {
		for (size_t i = 0; with && i < npool; i++)
			if (!sk_X509_push(untrusted, pool[i]))
				log_fatal("out of memory: certificates");
		for (size_t i = 0; i < n; i++) {
			fresh[i] = v[i];
			/* a list that came for another one of the path may cover it as well */
			if (v[i].known == REVOKE_KNOWN_NONE || v[i].known == REVOKE_KNOWN_UNSURE)
				fresh[i].known = REVOKE_KNOWN_NOT;
		}
		done = weigh(&w, path, untrusted, lists, at, &why);
		while (sk_X509_num(untrusted) > (n > 2 ? (int)n - 2 : 0))
			(void)sk_X509_pop(untrusted);
	}
	for (size_t i = 0; i + 1 < n; i++)
		take(&v[i], &fresh[i], date_of(path[i], lists), done, why);
	sk_X509_free(untrusted);
}
