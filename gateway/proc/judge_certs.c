/*
 * A partner's certificates to encrypt to. Role judge; reads the store. DIRECT.md "Which certificate counts".
 *
 * Each certificate of the address, then of the domain, is weighed; a usable one of the address comes first, and among
 * equals the one that became valid last. One that ran out never hides one that is valid. Single-use pairs exist: a
 * certificate for signing only is no certificate to encrypt to, so it is neither used nor held against the partner.
 */
#include "gateway/proc/judge_certs.h"

#include <stdio.h>
#include <string.h>

#include "gateway/proc/judge_weigh.h"

/* One question and what was found so far. */
struct search {
	struct judge_cache *cache;
	struct store *store;
	struct source_run *run;
	const struct address *rcpt;
	unsigned rsa_bits_min;
	int64_t now;
	struct arena *arena;
	struct judge_certs *r;
	struct problem *pr;
};

static void keep_candidate(
    struct search *q, const struct judge_candidate *k, const struct store_cert *sc, bool personal)
{
	struct judge_certs *r = q->r;
	bool better = k->usable && (r->state != POLICY_CERTS_USABLE || k->not_before > r->seen[r->chosen].not_before);
	char *der = better ? arena_dup(q->arena, sc->der, sc->der_len) : NULL;

	if (r->nseen == JUDGE_CANDIDATES_MAX) {
		/* Full: the place of the last one that is not chosen; a usable one is never lost. */
		if (!better)
			return;
		r->nseen--;
	}
	r->seen[r->nseen] = *k;
	if (better && der) {
		r->state = POLICY_CERTS_USABLE;
		r->best = (struct judge_octets){(const uint8_t *)der, sc->der_len};
		r->personal = personal;
		r->chosen = r->nseen;
	} else if (k->for_encrypting && r->state == POLICY_CERTS_NONE) {
		r->state = POLICY_CERTS_UNUSABLE;
	}
	r->nseen++;
}

/* The setting may ask for more than what is usable at all. */
static bool strong_enough(const struct search *q, const struct judge_cert *c, char *why, size_t cap)
{
	const EVP_PKEY *key = X509_get0_pubkey(c->x);
	char words[300];

	if (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) >= (int)q->rsa_bits_min)
		return true;
	(void)snprintf(why, cap,
	    "certificate %s: its RSA key has %d bits, and format, rsa-bits-min = %u asks for more",
	    cert_words(&c->f, words, sizeof words), EVP_PKEY_get_bits(key), q->rsa_bits_min);
	return false;
}

static int weigh_one(struct search *q, const char *owner, const struct store_cert *sc)
{
	struct judge_candidate k = {.pinned = sc->pinned, .for_encrypting = true};
	struct judge_weighing w = {.run = q->run,
	    .who = q->rcpt,
	    .use = CERT_TO_ENCRYPT,
	    .dir = STORE_OUT,
	    .pinned = sc->pinned,
	    .now = q->now};
	struct problem unreadable = {0};
	struct judge_cert *c = judge_cache_cert(q->cache, sc->der, sc->der_len, &unreadable);
	enum trust_result result = TRUST_BAD;
	bool personal = strchr(owner, '@') != NULL;

	(void)snprintf(k.owner, sizeof k.owner, "%s", owner);
	memcpy(k.sha256, sc->sha256, sizeof k.sha256);
	if (!c) {
		(void)snprintf(k.why, sizeof k.why, "certificate %.16s...: %.500s", sc->sha256, unreadable.text);
		keep_candidate(q, &k, sc, personal);
		return 0;
	}
	if (judge_weigh(q->cache, q->store, c, &w, &result, k.why, sizeof k.why, q->pr) < 0) {
		judge_cert_drop(c);
		return -1;
	}
	k.usable = result == TRUST_GOOD;
	if (k.usable)
		k.usable = strong_enough(q, c, k.why, sizeof k.why);
	/* Not for encrypting at all, as opposed to weak or run out: e.g. the signing half of a pair. */
	k.for_encrypting = c->f.may_encrypt;
	k.not_before = c->f.not_before;
	personal = personal || (k.usable && cert_bound(c->x, q->rcpt, CERT_TO_ENCRYPT) == CERT_BOUND_ADDRESS);
	judge_cert_drop(c);
	keep_candidate(q, &k, sc, personal);
	return 0;
}

static int weigh_owner(struct search *q, const struct judge_owner *o)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < o->ncerts; i++)
		rc = weigh_one(q, o->name, &o->certs[i]);
	return rc;
}

/* The sentences that stand in a refusal: of each certificate to encrypt to, what speaks against it; or that there is
 * none. */
static void say_why(struct search *q)
{
	struct judge_certs *r = q->r;
	size_t at = 0, for_signing = 0;

	if (r->state == POLICY_CERTS_USABLE) {
		(void)snprintf(r->why, sizeof r->why, "%.399s", r->seen[r->chosen].why);
		return;
	}
	for (size_t i = 0; i < r->nseen; i++) {
		int n;

		if (!r->seen[i].for_encrypting) {
			for_signing++;
			continue;
		}
		n = snprintf(r->why + at, sizeof r->why - at, "%s%s", at ? "; " : "", r->seen[i].why);
		at += n > 0 ? (size_t)n : 0;
		if (at >= sizeof r->why)
			return;
	}
	if (r->state == POLICY_CERTS_NONE && for_signing)
		(void)snprintf(r->why, sizeof r->why,
		    "there is no certificate for %s to encrypt to, only for signing (%zu)", q->rcpt->domain,
		    for_signing);
	else if (r->state == POLICY_CERTS_NONE)
		(void)snprintf(r->why, sizeof r->why, "there is no certificate for %s in the store", q->rcpt->domain);
}

int judge_certs_find(struct judge_cache *c, struct store *s, struct source_run *run, const struct address *rcpt,
    unsigned rsa_bits_min, int64_t now, struct arena *a, struct judge_certs *r_r, struct problem *pr)
{
	struct search q = {c, s, run, rcpt, rsa_bits_min, now, a, r_r, pr};
	const struct judge_owner *o;

	memset(r_r, 0, sizeof *r_r);
	r_r->state = POLICY_CERTS_NONE;
	if (rcpt->local[0] && (judge_cache_person(c, s, rcpt, &o, pr) < 0 || weigh_owner(&q, o) < 0))
		return -1;
	if (r_r->state != POLICY_CERTS_USABLE &&
	    (judge_cache_owner(c, s, rcpt->domain, &o, pr) < 0 || weigh_owner(&q, o) < 0))
		return -1;
	say_why(&q);
	return 0;
}
