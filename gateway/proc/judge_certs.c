/*
 * A partner's certificates to encrypt to. Role judge; reads the store.
 *
 * Where is looked, and which certificate is taken, is find.c's; what one is worth is weighed here. Single-use pairs
 * exist: a certificate for signing only is no certificate to encrypt to, so it is neither used nor held against the
 * partner.
 */
#include "gateway/proc/judge_certs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/issuer.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_believed.h"
#include "gateway/proc/judge_expiry.h"
#include "gateway/proc/judge_weigh.h"
#include "gateway/proc/judge_xsmg.h"
#include "gateway/proc/judge_xsmg_use.h"

/* The setting may ask for more than what is usable at all. */
static bool strong_enough(unsigned rsa_bits_min, const struct judge_cert *c, char *why, size_t cap)
{
	const EVP_PKEY *key = X509_get0_pubkey(c->x);
	char words[300];

	if (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) >= (int)rsa_bits_min)
		return true;
	(void)snprintf(why, cap,
	    "certificate %s: its RSA key has %d bits, and format, rsa-bits-min = %u asks for more",
	    cert_words(&c->f, words, sizeof words), EVP_PKEY_get_bits(key), rsa_bits_min);
	return false;
}

static enum find_worth worth(enum trust_result result, const struct judge_cert *k)
{
	/* Not for encrypting at all, as opposed to weak or run out: e.g. the signing half of a pair. */
	if (!k->f.may_encrypt)
		return FIND_OTHER;
	if (result == TRUST_UNSURE)
		return FIND_DOUBT;
	return result == TRUST_GOOD ? FIND_GOOD : FIND_BAD;
}

static size_t read_issuers(struct judge_cache *cache, const struct find_cert *c, struct judge_cert **v)
{
	size_t n = 0;

	for (size_t i = 0; i < c->nissuers && n < FIND_ISSUERS_MAX; i++) {
		v[n] = judge_cache_cert(cache, c->issuers[i].p, c->issuers[i].n, NULL);
		n += v[n] != NULL;
	}
	return n;
}

/* By what reason each good one is believed, and which of them waits for the admin. */
struct reasons {
	const struct judge_certs_question *q;
	struct {
		char sha256[CERT_HASH_TEXT];
		enum trust_reason reason;
		bool personal, new_person, waits, network;
	} v[JUDGE_CANDIDATES_MAX];
	size_t n;
	unsigned fetches; /* of missing issuers, of all certificates together */
	unsigned work;	  /* on paths, the same */
};

/* Under which name it is known: one person's, or the domain's. */
static const char *known_as(const struct judge_certs_question *q, bool personal, char text[ADDRESS_TEXT_MAX])
{
	if (!personal)
		return q->rcpt->domain;
	(void)address_text(q->rcpt, text);
	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

static struct store_believed_key key_of(
    const struct judge_certs_question *q, bool personal, char text[ADDRESS_TEXT_MAX])
{
	return (struct store_believed_key){known_as(q, personal, text), CERT_TO_ENCRYPT, q->local ? q->local : ""};
}

/* A person of whom nothing is known yet: what is known of the domain is what a certificate of this one would replace.
 */
static int is_new_person(const struct judge_certs_question *q, bool personal, bool *r_r, struct problem *pr)
{
	char owner[ADDRESS_TEXT_MAX];
	struct store_believed_key key = key_of(q, true, owner);
	struct store_believed b;

	*r_r = false;
	if (!personal)
		return 0;
	if (store_believed(q->store, &key, &b, pr) < 0)
		return -1;
	*r_r = b.sha256[0] == '\0';
	return 0;
}

/* One that would take the place of a better founded one is no answer before the admin says so, for who is listed. */
static int weigh_change(
    struct reasons *rs, enum trust_reason reason, bool network, struct find_weight *w, struct problem *pr)
{
	char owner[ADDRESS_TEXT_MAX], why[400];
	struct store_believed_key key;
	enum trust_change change;
	size_t at = strlen(w->why);
	bool new_person;

	if (is_new_person(rs->q, w->personal, &new_person, pr) < 0)
		return -1;
	key = key_of(rs->q, w->personal && !new_person, owner);
	if (judge_believed_ask(rs->q->store, &key, w->sha256, reason, rs->q->listed, &change, why, sizeof why, pr) <
	    0)
		return -1;
	if (change == TRUST_CHANGE_WAITS) {
		w->worth = FIND_DOUBT;
		(void)snprintf(w->why + at, sizeof w->why - at, "; %s", why);
	}
	if (rs->n == JUDGE_CANDIDATES_MAX)
		return 0;
	memcpy(rs->v[rs->n].sha256, w->sha256, sizeof rs->v[rs->n].sha256);
	rs->v[rs->n].reason = reason;
	rs->v[rs->n].personal = w->personal;
	rs->v[rs->n].new_person = new_person;
	rs->v[rs->n].network = network;
	rs->v[rs->n++].waits = change == TRUST_CHANGE_WAITS;
	return 0;
}

/* The store has no certificate of the network: that this one runs out would be known by nobody. */
static int note_in_use(struct reasons *rs, const char *owner, const struct find_result *f, struct problem *pr)
{
	struct judge_cert *k = judge_cache_cert(rs->q->w->cache, f->best.p, f->best.n, NULL);
	int rc = k ? judge_expiry_note(rs->q->store, owner, &k->f, rs->q->now, pr) : 0;

	judge_cert_drop(k);
	return rc;
}

static int note(struct reasons *rs, const struct find_result *f, struct problem *pr)
{
	const struct judge_certs_question *q = rs->q;
	struct store_believed_key key;
	char owner[ADDRESS_TEXT_MAX];

	for (size_t i = 0; i < rs->n; i++) {
		if (f->state == FIND_USABLE && strcmp(rs->v[i].sha256, f->seen[f->chosen].w.sha256) == 0) {
			key = key_of(q, rs->v[i].personal, owner);
			if (rs->v[i].network && note_in_use(rs, key.owner, f, pr) < 0)
				return -1;
			return judge_believed_used(q->store, &key, rs->v[i].sha256, rs->v[i].reason, q->now, pr);
		}
		if (f->state != FIND_USABLE && rs->v[i].waits) {
			key = key_of(q, rs->v[i].personal && !rs->v[i].new_person, owner);
			return judge_believed_waits(q->store, &key, rs->v[i].sha256, rs->v[i].reason, q->now, pr);
		}
	}
	return 0;
}

/* What came of it is what the next one is compared with. The cache has nothing of it. */
static int remember(struct reasons *rs, const struct find_result *f, struct problem *pr)
{
	uint64_t before = store_version(rs->q->store);
	int rc = note(rs, f, pr);

	judge_cache_same(rs->q->w->cache, rs->q->store, before);
	return rc;
}

/* One that ran out: was it good until then? Then its partner is one who reads S/MIME, and not just anybody. */
static bool was_good(
    const struct judge_certs_question *q, const struct judge_weighing *now, const struct judge_cert *k)
{
	struct judge_weighing wq = *now;
	enum trust_result then = TRUST_BAD;
	char why[600];
	struct problem pr = {0};
	struct trust_found found = {.result = TRUST_BAD};

	if (q->now < k->f.not_after || k->f.not_after <= k->f.not_before)
		return false;
	wq.run = NULL;
	wq.fetches = NULL;
	wq.reason_r = NULL;
	wq.found_r = &found;
	wq.now = k->f.not_after - 1;
	wq.back = true;
	return judge_weigh(q->w->cache, q->store, k, &wq, &then, why, sizeof why, &pr) < 0 || then == TRUST_GOOD ||
	       then == TRUST_REVOKED || (then == TRUST_UNSURE && found.spent);
}

/* The level of the statement that vouches for it by itself. */
static int given_by(const struct reasons *rs, const struct find_cert *c, const struct judge_cert *k,
    enum xsmg_level *level_r, struct problem *pr)
{
	const struct judge_certs_question *q = rs->q;
	const struct judge_owner *o;

	if (c->source != FIND_BY_STATEMENT)
		return 0;
	if (judge_cache_owner(q->w->cache, q->store, q->rcpt->domain, &o, pr) < 0)
		return -1;
	*level_r = judge_xsmg_use_vouches(o, k->f.sha256, CERT_TO_ENCRYPT, q->now);
	return 0;
}

static int by_statement(struct reasons *rs, const struct judge_cert *k, enum xsmg_level level,
    enum trust_reason *reason_r, struct find_weight *w, struct problem *pr)
{
	const struct judge_owner *o;

	if (judge_cache_owner(rs->q->w->cache, rs->q->store, rs->q->rcpt->domain, &o, pr) < 0)
		return -1;
	*reason_r = judge_xsmg_use_reason(level);
	judge_xsmg_use_words(o, &k->f, w->why, sizeof w->why);
	return 0;
}

static int weigh_read(
    struct reasons *rs, const struct find_cert *c, struct judge_cert *k, struct find_weight *w, struct problem *pr)
{
	const struct judge_certs_question *q = rs->q;
	enum trust_reason reason = TRUST_BY_NOTHING;
	struct judge_cert *issuers[FIND_ISSUERS_MAX];
	struct judge_weighing wq = {.run = q->run,
	    .who = q->rcpt,
	    .use = CERT_TO_ENCRYPT,
	    .dir = STORE_OUT,
	    .local = q->local,
	    .pinned = c->pinned,
	    .dane = c->dane,
	    .direct = q->options->order == FIND_DIRECT,
	    .extra = issuers,
	    .nextra = read_issuers(q->w->cache, c, issuers),
	    .fetches = &rs->fetches,
	    .work = &rs->work,
	    .reason_r = &reason,
	    .now = q->now};
	enum trust_result result = TRUST_BAD;
	enum xsmg_level level = XSMG_NEVER;
	int rc = given_by(rs, c, k, &level, pr);

	wq.pinned = wq.pinned || level != XSMG_NEVER;
	if (rc == 0)
		rc = judge_weigh(q->w->cache, q->store, k, &wq, &result, w->why, sizeof w->why, pr);
	if (rc == 0 && level != XSMG_NEVER && result == TRUST_GOOD)
		rc = by_statement(rs, k, level, &reason, w, pr);

	w->vouched = rc == 0 && (result == TRUST_REVOKED || (result == TRUST_BAD && was_good(q, &wq, k)));
	for (size_t i = 0; i < wq.nextra; i++)
		judge_cert_drop(issuers[i]);
	if (rc < 0)
		return -1;
	w->worth = worth(result, k);
	if (w->worth == FIND_GOOD && !strong_enough(q->w->rsa_bits_min, k, w->why, sizeof w->why))
		w->worth = FIND_BAD;
	w->not_before = k->f.not_before;
	memcpy(w->sha256, k->f.sha256, sizeof w->sha256);
	w->personal = (c->source != FIND_IN_NETWORK && strchr(c->owner, '@')) ||
		      (w->worth == FIND_GOOD && cert_bound(k->x, q->rcpt, CERT_TO_ENCRYPT) == CERT_BOUND_ADDRESS);
	return w->worth == FIND_GOOD ? weigh_change(rs, reason, c->source == FIND_IN_NETWORK, w, pr) : 0;
}

static void hash_of(const struct judge_cache *cache, const struct find_octets *der, char hex[65])
{
	uint8_t h[32];

	if (EVP_Digest(der->p, der->n, h, NULL, judge_cache_sha256(cache), NULL) != 1)
		log_fatal("no SHA-256");
	encode_hex(h, sizeof h, hex);
}

static int weigh(void *ctx, const struct find_cert *c, struct find_weight *w_r, struct problem *pr)
{
	struct reasons *rs = ctx;
	const struct judge_certs_question *q = rs->q;
	struct problem unreadable = {0};
	struct judge_cert *k = judge_cache_cert(q->w->cache, c->der.p, c->der.n, &unreadable);
	int rc;

	if (!k) {
		hash_of(q->w->cache, &c->der, w_r->sha256);
		w_r->worth = FIND_BAD;
		(void)snprintf(
		    w_r->why, sizeof w_r->why, "certificate %.16s...: %.500s", w_r->sha256, unreadable.text);
		return 0;
	}
	rc = weigh_read(rs, c, k, w_r, pr);
	judge_cert_drop(k);
	return rc;
}

/* ---- what the store has ---- */

struct kept {
	struct find_cert *v;
	size_t n;
	struct arena *mem;
};

/* A copy: weighing may make the cache forget the owner. */
static int keep(struct kept *k, const struct judge_owner *o, int64_t now, struct problem *pr)
{
	k->v = mem_resize(k->v, (k->n + o->ncerts + 1) * sizeof *k->v);
	for (size_t i = 0; i < o->ncerts; i++) {
		const struct store_cert *sc = &o->certs[i];
		if (strcmp(sc->source, STORE_HARVESTED) == 0 && sc->not_after <= now)
			continue; /* nobody's choice: it only ever helps */

		struct find_cert c = {.owner = arena_str(k->mem, o->name),
		    .place = strcmp(sc->source, STORE_HARVESTED) == 0 ? "store, harvested" : "store",
		    .source = strcmp(sc->source, STORE_HARVESTED) == 0 ? FIND_HARVESTED : FIND_BY_ADMIN,
		    .der = {(const uint8_t *)arena_dup(k->mem, sc->der, sc->der_len), sc->der_len},
		    .pinned = sc->pinned};

		if (!c.owner || !c.der.p)
			return problem_temp(
			    pr, "%s has more certificates in the store than fit into memory", o->name);
		k->v[k->n++] = c;
	}
	return 0;
}

static int keep_octets(
    struct kept *k, const struct find_octets *v, size_t n, struct find_octets **copies_r, struct problem *pr)
{
	*copies_r = arena_alloc(k->mem, (n + 1) * sizeof **copies_r);
	for (size_t i = 0; *copies_r && i < n; i++) {
		(*copies_r)[i] = (struct find_octets){(const uint8_t *)arena_dup(k->mem, v[i].p, v[i].n), v[i].n};
		if (!(*copies_r)[i].p)
			*copies_r = NULL;
	}
	return *copies_r ? 0 : problem_temp(pr, "the certificates of a statement do not fit into memory");
}

/* What the domain's statement gives. */
static int keep_given(struct kept *k, const struct judge_owner *o, int64_t now, struct problem *pr)
{
	struct find_octets v[FIND_CERTS_MAX], chain[FIND_ISSUERS_MAX], *certs, *issuers;
	size_t n, nchain;
	const char *owner;

	judge_xsmg_use_certs(o, now, v, &n, chain, &nchain);
	if (n == 0)
		return 0;
	owner = arena_str(k->mem, o->name);
	if (!owner || keep_octets(k, v, n, &certs, pr) < 0 || keep_octets(k, chain, nchain, &issuers, pr) < 0)
		return -1;
	REQUIRE(certs);
	k->v = mem_resize(k->v, (k->n + n + 1) * sizeof *k->v);
	for (size_t i = 0; i < n; i++)
		k->v[k->n++] = (struct find_cert){.owner = owner,
		    .place = "store, statement",
		    .source = FIND_BY_STATEMENT,
		    .der = certs[i],
		    .issuers = issuers,
		    .nissuers = nchain};
	return 0;
}

static int find_kept(const struct judge_certs_question *q, struct kept *k, struct problem *pr)
{
	const struct judge_owner *o;

	if (q->rcpt->local[0] &&
	    (judge_cache_person(q->w->cache, q->store, q->rcpt, &o, pr) < 0 || keep(k, o, q->now, pr) < 0))
		return -1;
	if (judge_cache_owner(q->w->cache, q->store, q->rcpt->domain, &o, pr) < 0 || keep(k, o, q->now, pr) < 0)
		return -1;
	return keep_given(k, o, q->now, pr);
}

/* ---- a statement that was just fetched ---- */

static void given_now(const struct judge_certs_question *q, struct find_statement *r)
{
	const struct judge_owner *o;
	struct problem pr = {0};

	judge_cache_begin(q->w->cache, q->store);
	if (judge_cache_owner(q->w->cache, q->store, q->rcpt->domain, &o, &pr) < 0) {
		r->answer = FIND_STATEMENT_UNSURE;
		(void)snprintf(r->why, sizeof r->why, "%.399s", pr.text);
		return;
	}
	judge_xsmg_use_certs(o, q->now, r->certs, &r->n, r->issuers, &r->nissuers);
	r->answer = FIND_STATEMENT_TRUSTED;
	if (r->n == 0)
		(void)snprintf(r->why, sizeof r->why, "its statement gives no certificate to encrypt to now");
}

static void statement(void *ctx, const struct find_octets *octets, const char *where, struct find_statement *r)
{
	const struct judge_certs_question *q = ((struct reasons *)ctx)->q;
	struct judge_xsmg_octets o = {
	    .domain = q->rcpt->domain, .way = JUDGE_XSMG_BY_URL, .where = where, .der = octets->p, .n = octets->n};
	unsigned before = q->run->pending;
	struct judge_xsmg_result t;
	struct problem pr = {0};

	if (judge_xsmg_take(q->w, q->store, q->run, &o, q->now, &t, &pr) < 0) {
		r->answer = FIND_STATEMENT_UNSURE;
		(void)snprintf(r->why, sizeof r->why, "%.399s", pr.text);
	} else if (q->run->pending != before) {
		r->answer = FIND_STATEMENT_PENDING;
	} else if (t.action == XSMG_DO_TRUST || t.action == XSMG_DO_CURRENT || t.action == XSMG_DO_OLD) {
		given_now(q, r);
	} else {
		r->answer = t.declined ? FIND_STATEMENT_NONE : FIND_STATEMENT_UNSURE;
		(void)snprintf(r->why, sizeof r->why, "%s: %.370s",
		    t.action == XSMG_DO_PENDING ? "waits for your decision (postern pending)"
						: xsmg_trust_action_word(t.action),
		    t.why);
	}
}

/* Whatever was found, or while nothing was, the domain's statement may say that mail has to wait. */
static int hold_back(const struct judge_certs_question *q, struct find_result *f, bool *held_r, struct problem *pr)
{
	const struct judge_owner *o;
	char why[sizeof f->why];

	if (judge_cache_owner(q->w->cache, q->store, q->rcpt->domain, &o, pr) < 0)
		return -1;
	*held_r = judge_xsmg_use_holds(q->w, o, q->now, why, sizeof why);
	if (*held_r ||
	    (f->state != FIND_USABLE && f->state != FIND_UNCERTAIN && judge_xsmg_use_waits(o, why, sizeof why))) {
		char before[sizeof f->why];

		memcpy(before, f->why, sizeof before);
		(void)snprintf(f->why, sizeof f->why, "%s%s%.180s", why, f->state == FIND_UNUSABLE ? "; " : "",
		    f->state == FIND_UNUSABLE ? before : "");
		f->state = FIND_UNCERTAIN;
	}
	return 0;
}

/* ---- result ---- */

static void copy(const struct find_result *f, struct judge_certs *r)
{
	static const enum policy_certs states[] = {[FIND_NONE] = POLICY_CERTS_NONE,
	    [FIND_USABLE] = POLICY_CERTS_USABLE,
	    [FIND_UNUSABLE] = POLICY_CERTS_UNUSABLE,
	    [FIND_UNCERTAIN] = POLICY_CERTS_UNCERTAIN};

	_Static_assert(FIND_SEEN_MAX <= JUDGE_CANDIDATES_MAX, "all that was seen");
	r->state = states[f->state];
	(void)snprintf(r->why, sizeof r->why, "%s", f->why);
	r->best = (struct judge_octets){f->best.p, f->best.n};
	r->personal = f->state == FIND_USABLE && f->seen[f->chosen].w.personal;
	r->chosen = f->chosen;
	r->nseen = f->nseen;
	for (size_t i = 0; i < f->nseen; i++) {
		const struct find_seen *s = &f->seen[i];
		struct judge_candidate *k = &r->seen[i];

		memcpy(k->owner, s->owner, sizeof k->owner);
		memcpy(k->place, s->place, sizeof k->place);
		memcpy(k->sha256, s->w.sha256, sizeof k->sha256);
		memcpy(k->why, s->w.why, sizeof k->why);
		k->usable = s->w.worth == FIND_GOOD;
		k->for_encrypting = s->w.worth != FIND_OTHER;
		k->pinned = s->pinned;
		k->not_before = s->w.not_before;
		k->der = (struct judge_octets){s->der.p, s->der.n};
	}
}

int judge_certs_find(
    const struct judge_certs_question *q, struct arena *a, struct judge_certs *r_r, struct problem *pr)
{
	enum { KEPT_MEMORY = 8 << 20 };
	struct kept kept = {.mem = arena_new(KEPT_MEMORY)};
	struct reasons rs = {.q = q, .fetches = ISSUER_FETCHES, .work = TRUST_WORK};
	struct find_question fq = {.who = q->rcpt,
	    .options = q->options,
	    .limits = &q->w->find_limits,
	    .listed = q->listed,
	    .strict = q->strict,
	    .all = q->all,
	    .run = q->run,
	    .memo = judge_cache_memo(q->w->cache),
	    .weigh = weigh,
	    .statement = statement,
	    .ctx = &rs};
	struct find_result *f = mem_new(sizeof *f);
	int rc = find_kept(q, &kept, pr);

	memset(r_r, 0, sizeof *r_r);
	fq.kept = kept.v;
	fq.nkept = kept.n;
	if (rc == 0)
		rc = find_certificate(&fq, a, f, pr);
	if (rc == 0)
		rc = hold_back(q, f, &r_r->held, pr);
	if (rc == 0 && q->remember && (!q->run || q->run->pending == 0))
		rc = remember(&rs, f, pr);
	if (rc == 0)
		copy(f, r_r);
	free(kept.v);
	free(f);
	arena_free(kept.mem);
	return rc;
}
