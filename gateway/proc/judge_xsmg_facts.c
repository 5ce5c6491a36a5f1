/* What speaks for and against a statement's key. Role judge; reads the store, asks by the run. XSMG section 5. */
#include "gateway/proc/judge_xsmg_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/smg_record.h"
#include "gateway/base/encode.h"
#include "gateway/proc/judge_weigh.h"
#include "gateway/proc/partner_statement_settings.h"

enum { EXTRAS_MAX = 16, WHY = 600 };

const struct store_statement_key *judge_xsmg_facts_key(const struct judge_xsmg_case *c, const char *key)
{
	for (size_t i = 0; i < c->nkeys; i++)
		if (strcmp(c->keys[i].key, key) == 0)
			return &c->keys[i];
	return NULL;
}

/* ---- paths ---- */

static size_t read_extras(const struct judge_xsmg_case *c, struct judge_cert *v[EXTRAS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < c->sd->ncerts && n < EXTRAS_MAX; i++) {
		v[n] = judge_cache_cert(c->w->cache, c->sd->certs[i].p, c->sd->certs[i].n, NULL);
		n += v[n] != NULL;
	}
	return n;
}

static int is_known_revoked(struct judge_xsmg_case *c, const char *sha256, struct problem *pr)
{
	const struct store_revoked *list;
	size_t n;

	if (judge_cache_revoked(c->w->cache, c->store, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].sha256, sha256) == 0)
			return 1;
	return 0;
}

static enum xsmg_known known_of(enum trust_result r)
{
	return r == TRUST_GOOD ? XSMG_YES : r == TRUST_UNSURE ? XSMG_UNSURE : XSMG_NO;
}

static int weigh_path(struct judge_xsmg_case *c, const struct judge_cert *k, struct judge_weighing *q,
    struct trust_found *found_r, char why[WHY], struct problem *pr)
{
	enum trust_result bound;
	int rc;

	q->found_r = found_r;
	rc = judge_weigh(c->w->cache, c->store, k, q, &bound, why, WHY, pr);
	q->found_r = NULL;
	return rc;
}

static int weigh(struct judge_xsmg_case *c, const struct judge_cert *k, struct judge_weighing *q,
    enum xsmg_known *anchored_r, enum xsmg_known *revoked_r, struct problem *pr)
{
	/* the path alone: whom it speaks for is the rules' of statements, which also know what the admin allowed */
	struct trust_found found = {.result = TRUST_BAD};
	char why[WHY];
	int known = is_known_revoked(c, k->f.sha256, pr);

	*anchored_r = XSMG_NO;
	*revoked_r = known > 0 ? XSMG_YES : XSMG_NO;
	if (known < 0)
		return -1;
	q->scoped = q->strict = true;
	if (weigh_path(c, k, q, &found, why, pr) < 0)
		return -1;
	*anchored_r = known_of(found.result);
	(void)snprintf(c->path_why, sizeof c->path_why, "%s", why);
	if (found.result == TRUST_BAD) {
		/* no path by what is scoped: the anchors for all may still know that it was taken back */
		q->scoped = false;
		if (weigh_path(c, k, q, &found, why, pr) < 0)
			return -1;
	}
	if (found.result == TRUST_REVOKED)
		*revoked_r = XSMG_YES;
	else if (found.result == TRUST_UNSURE && found.away == 0 && *revoked_r == XSMG_NO)
		*revoked_r = XSMG_UNSURE; /* no issuer is missing: it is the revocation that is not told */
	return 0;
}

int judge_xsmg_facts_path(struct judge_xsmg_case *c, const struct statement_octets *der, enum cert_purpose use,
    enum store_direction dir, enum xsmg_known *anchored_r, enum xsmg_known *revoked_r, struct problem *pr)
{
	struct judge_cert *extras[EXTRAS_MAX], *k;
	struct address who = {.local = ""};
	struct judge_weighing q = {
	    .who = &who, .use = use, .dir = dir, .extra = extras, .run = c->run, .now = c->now};
	int rc;

	*anchored_r = *revoked_r = XSMG_NO;
	k = judge_cache_cert(c->w->cache, der->p, der->n, NULL);
	if (!k)
		return 0;
	(void)snprintf(who.domain, sizeof who.domain, "%s", c->o->domain);
	q.nextra = read_extras(c, extras);
	rc = weigh(c, k, &q, anchored_r, revoked_r, pr);
	for (size_t i = 0; i < q.nextra; i++)
		judge_cert_drop(extras[i]);
	judge_cert_drop(k);
	return rc;
}

/* Certificates for mail in their time: those of an anchored statement must be anchored too. */
static int mail_certs(struct judge_xsmg_case *c, struct problem *pr)
{
	for (size_t i = 0; i < c->s->ncerts && !c->f.certs_bad; i++) {
		const struct statement_cert *k = &c->s->certs[i];
		enum xsmg_known anchored, revoked;
		bool encrypts = k->use == STATEMENT_FOR_ENCRYPT || k->use == STATEMENT_FOR_BOTH;

		if (!k->good || k->use == STATEMENT_FOR_STATEMENT || c->now < k->from || c->now >= k->until)
			continue;
		if (judge_xsmg_facts_path(c, &k->der, encrypts ? CERT_TO_ENCRYPT : CERT_TO_SIGN,
			encrypts ? STORE_OUT : STORE_IN, &anchored, &revoked, pr) < 0)
			return -1;
		c->f.certs_bad = anchored == XSMG_NO || revoked == XSMG_YES;
		if (anchored == XSMG_UNSURE)
			c->f.anchored = XSMG_UNSURE;
	}
	return 0;
}

/* ---- the record _smg ---- */

/* *other_r: a good record of a signed zone names keys, and this one is not among them. */
static enum xsmg_known names_key(const struct judge_xsmg_case *c, const struct source_answer *r, bool *other_r)
{
	const struct statement_signer *sg = &c->sd->signers[c->v.signer];
	struct smg_record rec, one;
	const char *why;
	int found = 0;

	*other_r = false;
	if (r->status == SOURCE_TEMP)
		return r->dnssec == SOURCE_UNSIGNED ? XSMG_NO : XSMG_UNSURE;
	if (r->status != SOURCE_FOUND || r->dnssec != SOURCE_SECURE)
		return XSMG_NO;
	for (size_t i = 0; i < r->n; i++) {
		int k = smg_record_read(r->items[i].p, r->items[i].n, &one, &why);

		if (k < 0)
			return XSMG_NO;
		if (k > 0 && found++ == 0)
			rec = one;
	}
	if (found > 1)
		return XSMG_UNSURE; /* several records: a temporary failure */
	for (size_t i = 0; found == 1 && i < rec.nkeys; i++)
		if (memcmp(rec.keys[i], sg->spki_sha256, 32) == 0)
			return XSMG_YES;
	*other_r = found == 1 && rec.nkeys > 0;
	return XSMG_NO;
}

/* What is remembered may be older than a new key: before "no" is concluded it is asked anew. */
static void ask_dns(struct judge_xsmg_case *c)
{
	struct source_ask a = {.kind = SOURCE_DNS,
	    .chosen = c->listed ? SOURCE_BY_ADMIN : SOURCE_BY_STRANGER,
	    .type = SMG_RECORD_TYPE,
	    .max = c->w->find_limits.octets_max,
	    .timeout_ms = c->w->find_limits.timeout_ms};
	const struct source_answer *r;

	c->f.dns = XSMG_NO;
	if (!c->run || snprintf(a.name, sizeof a.name, "_smg.%s", c->o->domain) >= 254)
		return;
	r = source_get(c->run, "dns TXT", &a);
	if (!r)
		return;
	c->f.dns = names_key(c, r, &c->f.dns_other);
	if (c->f.dns != XSMG_NO || r->dnssec != SOURCE_SECURE || r->at >= c->run->began)
		return;
	a.since = c->run->began;
	r = source_get(c->run, "dns TXT", &a);
	if (r)
		c->f.dns = names_key(c, r, &c->f.dns_other);
}

/* ---- what is known of keys ---- */

/* Does the trusted one stand on the pin of now? The level alone may be that of an earlier pin. */
static bool is_by_pin(const struct store_statement *st)
{
	if (!st->pin[0] || !st->trusted.der)
		return false;
	return strcmp(st->pin, st->trusted.key) == 0 || strcmp(st->pin, st->trusted.cert) == 0 ||
	       (st->trusted.level == XSMG_PINNED && strcmp(st->pin, st->through) == 0);
}

static void known_keys(struct judge_xsmg_case *c)
{
	const struct store_statement_key *k = judge_xsmg_facts_key(c, c->key);
	const struct store_statement_key *old = judge_xsmg_facts_key(c, c->known->trusted.key);
	const struct store_statement *st = c->known;
	struct xsmg_facts *f = &c->f;
	char hex[STORE_STATEMENT_HASH];

	f->same_key = st->trusted.der && strcmp(st->trusted.key, c->key) == 0;
	f->trusted_bad = old && old->bad != 0;
	f->pinned = st->pin[0] != 0;
	f->follow = st->follow;
	f->fits_pin = f->pinned && (strcmp(st->pin, c->key) == 0 || strcmp(st->pin, c->cert) == 0);
	f->trusted_by_pin = is_by_pin(st);
	for (size_t i = 0; i < c->sd->nsigners && st->trusted.der; i++) {
		const struct statement_signer *sg = &c->sd->signers[i];

		if ((int)i == c->v.signer || !sg->verified)
			continue;
		encode_hex(sg->spki_sha256, 32, hex);
		f->trusted_signed_too = f->trusted_signed_too || strcmp(hex, st->trusted.key) == 0;
	}
	if (!k)
		return;
	f->announced = k->announced;
	f->bad_key = k->bad != 0;
	f->refused_key = k->refused != 0;
	f->retired_key = k->retired != 0 && !f->same_key;
}

/* With the port of https written out, or not. */
static bool is_well_known(const struct judge_xsmg_octets *o)
{
	static const char *const ports[] = {"", ":443"};
	char url[600];

	if (o->way != JUDGE_XSMG_BY_URL && o->way != JUDGE_XSMG_BY_MAIL)
		return false;
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(
		    url, sizeof url, "https://smg.%s%s/.well-known/smg/%s", o->domain, ports[i], o->domain);
		if (strcmp(o->where, url) == 0)
			return true;
	}
	return false;
}

int judge_xsmg_facts(struct judge_xsmg_case *c, struct problem *pr)
{
	static const enum xsmg_order orders[] = {[STATEMENT_OK] = XSMG_NEWER,
	    [STATEMENT_CURRENT] = XSMG_SAME,
	    [STATEMENT_OLD] = XSMG_OLDER,
	    [STATEMENT_CONFLICT] = XSMG_OTHER_OF_SERIAL};
	const struct partner_statement_settings *set =
	    c->w->statements ? c->w->statements : partner_statement_settings_default();
	struct xsmg_facts *f = &c->f;

	*f = (struct xsmg_facts){.now = c->now,
	    .order = orders[c->v.result],
	    .issued = c->s->issued,
	    .withdrawn = c->s->withdrawn,
	    .by_get = c->o->way != JUDGE_XSMG_BY_PUT,
	    .first = (enum xsmg_first)set->first_contact,
	    .established = (enum xsmg_level)c->known->established,
	    .frozen = c->known->frozen != 0,
	    .webpki = is_well_known(c->o)};
	known_keys(c);
	if (f->pinned && f->established < XSMG_PINNED)
		f->established = XSMG_PINNED;
	if (judge_xsmg_facts_path(
		c, &c->sd->signers[c->v.signer].cert, CERT_TO_SIGN, STORE_OUT, &f->anchored, &f->revoked, pr) < 0)
		return -1;
	if (f->anchored == XSMG_YES && mail_certs(c, pr) < 0)
		return -1;
	ask_dns(c);
	return 0;
}
