/*
 * One certificate weighed for one partner. Role judge. The anchors are those scoped to the partner's domain, to its
 * group and to "*", for the direction asked or for both, and for the local domain or for all of ours. The path's
 * result, with revocation, is kept; whom the certificate speaks for is looked at each time, since it costs little and
 * differs with the address.
 */
#include "gateway/proc/judge_weigh.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/issuer.h"
#include "certstore/revoke.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_revoked.h"

static void add(EVP_MD_CTX *m, const void *p, size_t n)
{
	if (EVP_DigestUpdate(m, p, n) != 1)
		log_fatal("no SHA-256");
}

static void add_dane(EVP_MD_CTX *m, const struct trust_dane *d)
{
	uint8_t head[4] = {d ? 1 : 0, d ? d->usage : 0, d ? d->selector : 0, d ? d->matching : 0};
	uint64_t n = d ? d->n : 0;

	add(m, head, sizeof head);
	add(m, &n, sizeof n);
	if (n > 0)
		add(m, d->data, d->n);
}

/* What is known of whom it is weighed for. */
struct partner {
	bool listed;
	const char *group; /* "" none */
	const char *local;
	bool fetch; /* missing issuers may be fetched */
};

/* Everything that trust_path depends on besides store and clock. Fixed lengths and NUL-ended texts: no two questions
 * share a key. */
static void make_key(const struct judge_cache *c, const struct judge_cert *k, const struct judge_weighing *q,
    const struct partner *p, uint8_t key_r[32])
{
	uint8_t head[9] = {(uint8_t)q->use, (uint8_t)q->dir, q->pinned, (uint8_t)q->nextra, q->run != NULL, p->fetch,
	    q->back, q->scoped, q->strict};
	uint8_t at[8] = {0};
	EVP_MD_CTX *m = EVP_MD_CTX_new();

	if (!m || EVP_DigestInit_ex(m, judge_cache_sha256(c), NULL) != 1)
		log_fatal("no SHA-256");
	for (int i = 0; q->back && i < 8; i++)
		at[i] = (uint8_t)((uint64_t)q->now >> (8 * i));
	add(m, head, sizeof head);
	add(m, at, sizeof at);
	add(m, k->f.sha256, sizeof k->f.sha256);
	for (size_t i = 0; i < q->nextra; i++)
		add(m, q->extra[i]->f.sha256, sizeof q->extra[i]->f.sha256);
	add_dane(m, q->dane);
	add(m, q->who->domain, strlen(q->who->domain) + 1);
	add(m, p->group, strlen(p->group) + 1);
	add(m, p->local, strlen(p->local) + 1);
	if (EVP_DigestFinal_ex(m, key_r, NULL) != 1)
		log_fatal("no SHA-256");
	EVP_MD_CTX_free(m);
}

/* The person's entry, else the domain's. What it says is copied: the next look into the cache may take its place. */
static int find_partner(struct judge_cache *c, struct store *s, const struct judge_weighing *q, char group[64],
    struct partner *p_r, struct problem *pr)
{
	const struct judge_owner *o = NULL;

	*p_r = (struct partner){.group = group, .local = q->local ? q->local : ""};
	group[0] = 0;
	if (q->who->local[0] && judge_cache_person(c, s, q->who, &o, pr) < 0)
		return -1;
	if ((!o || !o->partner) && judge_cache_owner(c, s, q->who->domain, &o, pr) < 0)
		return -1;
	p_r->listed = o->partner != NULL;
	p_r->fetch = (p_r->listed || q->direct) && judge_cache_believing(c)->fetch_issuers;
	if (o->partner && o->partner->group && mem_copy_str(group, 64, o->partner->group) < 0)
		group[0] = 0;
	return 0;
}

/* By what scope, the strongest last; BY_NOTHING: not for this question. */
static enum trust_reason counts(const struct store_anchor *a, const struct judge_weighing *q, const struct partner *p)
{
	if (a->dir != STORE_BOTH && a->dir != q->dir)
		return TRUST_BY_NOTHING;
	if (a->local && a->local[0] && strcmp(a->local, p->local) != 0)
		return TRUST_BY_NOTHING;
	if (strcmp(a->scope, q->who->domain) == 0)
		return TRUST_BY_PARTNER;
	if (p->group[0] && a->scope[0] == '@' && strcmp(a->scope + 1, p->group) == 0)
		return TRUST_BY_GROUP;
	return !q->scoped && strcmp(a->scope, "*") == 0 ? TRUST_BY_ANCHOR : TRUST_BY_NOTHING;
}

static enum revoke_mode strictest(const struct judge_believing *b)
{
	enum revoke_mode m = b->ndomains > 0 ? REVOKE_OFF : REVOKE_SOFT;

	for (size_t i = 0; i < b->ndomains && m != REVOKE_HARD; i++)
		if (b->modes[i] != REVOKE_OFF)
			m = (enum revoke_mode)b->modes[i];
	return m;
}

static enum revoke_mode mode_of(
    const struct judge_believing *b, const struct judge_weighing *q, const struct partner *p)
{
	if (q->strict)
		return strictest(b);
	for (size_t i = 0; i < b->ndomains; i++)
		if (strcmp(b->domains[i], p->local) == 0)
			return (enum revoke_mode)b->modes[i];
	return REVOKE_SOFT;
}

struct anchors {
	struct judge_cert **held;
	X509 **certs;
	enum trust_reason *reasons;
	size_t n;
};

/* The anchors that count, each parsed once and kept. */
static void take_anchors(struct judge_cache *c, const struct store_anchor *list, size_t n,
    const struct judge_weighing *q, const struct partner *p, struct anchors *a)
{
	a->held = mem_new((n + 1) * sizeof *a->held);
	a->certs = mem_new((n + 1) * sizeof *a->certs);
	a->reasons = mem_new((n + 1) * sizeof *a->reasons);
	a->n = 0;
	for (size_t i = 0; i < n; i++) {
		enum trust_reason reason = counts(&list[i], q, p);

		if (reason == TRUST_BY_NOTHING)
			continue;
		a->held[a->n] = judge_cache_cert(c, list[i].der, list[i].der_len, NULL);
		if (!a->held[a->n])
			continue;
		a->certs[a->n] = a->held[a->n]->x;
		a->reasons[a->n++] = reason;
	}
}

static void drop_anchors(struct anchors *a)
{
	for (size_t i = 0; i < a->n; i++)
		judge_cert_drop(a->held[i]);
	free(a->held);
	free(a->certs);
	free(a->reasons);
}

/* The same certificate may be an anchor by several scopes: the strongest is the reason. */
static enum trust_reason reason_of(
    const struct anchors *a, const struct judge_weighing *q, const struct trust_found *f)
{
	enum trust_reason best = TRUST_BY_NOTHING;

	if (q->pinned)
		return TRUST_BY_PIN;
	if (f->anchor < 0)
		return TRUST_BY_DANE;
	for (size_t i = 0; i < a->n; i++)
		if (a->certs[i] == a->certs[f->anchor] && a->reasons[i] > best)
			best = a->reasons[i];
	return best;
}

static int find_path(struct judge_cache *c, struct store *s, const struct judge_cert *k,
    const struct judge_weighing *q, const struct partner *p, struct judge_path *path_r, struct problem *pr)
{
	const struct judge_believing *b = judge_cache_believing(c);
	X509 **extra = mem_new((q->nextra + 1) * sizeof(X509 *));
	unsigned own_fetches = ISSUER_FETCHES;
	const struct store_revoked *revoked;
	const struct store_anchor *list;
	struct judge_revoked memory;
	struct anchors a;
	size_t n;

	/* what is known to be revoked is read first: when it cannot be, nothing can be told */
	if (judge_cache_revoked(c, s, &revoked, &n, pr) < 0 || judge_cache_anchors(c, s, &list, &n, pr) < 0) {
		free(extra);
		return -1;
	}
	take_anchors(c, list, n, q, p, &a);
	for (size_t i = 0; i < q->nextra; i++)
		extra[i] = q->extra[i]->x;
	judge_revoked_init(&memory, c, s, q->now);

	struct revoke revoke = {.cache = judge_cache_lists(c),
	    .run = q->run,
	    .mode = mode_of(b, q, p),
	    .set = b->revoke,
	    .memory = &memory.memory};
	/* list itself is not read when anchor_certs is given; of a time in the past nobody can be asked. */
	struct trust_question t = {.who = q->who,
	    .use = q->use,
	    .anchors = list,
	    .nanchors = a.n,
	    .anchor_certs = a.certs,
	    .pinned = q->pinned,
	    .extra = extra,
	    .nextra = q->nextra,
	    .dane = q->dane,
	    .revoke = q->back ? NULL : &revoke,
	    .run = q->run,
	    .fetches = !p->fetch    ? NULL
		       : q->fetches ? q->fetches
				    : &own_fetches,
	    .work = q->work,
	    .at = q->now};

	trust_path(k->x, &k->f, &t, &path_r->found);
	path_r->reason = path_r->found.result == TRUST_GOOD ? reason_of(&a, q, &path_r->found) : TRUST_BY_NOTHING;
	drop_anchors(&a);
	free(extra);
	return 0;
}

/* Mail that came in does not wait for ever for an issuer: anybody can write it under a partner's name, with a
 * certificate that names a dead host. */
static void bound_waiting(struct judge_cache *c, const struct judge_cert *k, struct trust_found *f, int64_t now)
{
	int64_t place, own;

	/* what it brings itself is as much each time it is tried */
	if (f->result == TRUST_UNSURE && f->spent)
		f->result = f->until_spent;
	if (f->result != TRUST_UNSURE || f->away == 0)
		return;
	/* nor does it wait for one place after the other, where it names several that are away in turn */
	place = judge_cache_away(c, f->away, now);
	own = judge_cache_away(c, issuer_place(k->f.sha256), now);
	if (now - (own < place ? own : place) < judge_cache_believing(c)->issuer_wait_s)
		return;
	f->result = TRUST_BAD;
	f->away = 0;
}

static int64_t keep_until(const struct cert_facts *f, int64_t now)
{
	int64_t until = now + JUDGE_PATH_KEEP_S;

	if (now < f->not_before && f->not_before < until)
		until = f->not_before;
	if (now < f->not_after && f->not_after < until)
		until = f->not_after;
	return until;
}

int judge_weigh(struct judge_cache *c, struct store *s, const struct judge_cert *k, const struct judge_weighing *q,
    enum trust_result *result_r, char *why, size_t cap, struct problem *pr)
{
	struct trust_question t = {.who = q->who, .use = q->use, .pinned = q->pinned, .at = q->now};
	unsigned pending = q->run ? q->run->pending : 0;
	const struct judge_path *known;
	struct judge_path fresh = {.reason = TRUST_BY_NOTHING};
	struct partner p;
	char group[64];

	if (find_partner(c, s, q, group, &p, pr) < 0)
		return -1;
	make_key(c, k, q, &p, fresh.key);
	if (!judge_cache_path(c, fresh.key, q->now, &known)) {
		if (find_path(c, s, k, q, &p, &fresh, pr) < 0)
			return -1;
		for (unsigned i = 0; i < fresh.found.nanswered; i++)
			judge_cache_back(c, fresh.found.answered[i]);
		if ((!q->run || q->run->pending == pending) && fresh.found.result != TRUST_UNSURE)
			judge_cache_back(c, issuer_place(k->f.sha256));
		if (q->dir == STORE_IN)
			bound_waiting(c, k, &fresh.found, q->now);
		fresh.until = keep_until(&k->f, q->now);
		/* half an answer is nothing to keep, and what could not be told now may be told in a moment; nor what
		 * was found when no issuer might be fetched any more: another question may fetch some */
		if ((!q->run || q->run->pending == pending) && fresh.found.result != TRUST_UNSURE &&
		    !(fresh.found.result == TRUST_BAD &&
			((p.fetch && q->fetches && *q->fetches == 0) || (q->work && *q->work == 0))))
			judge_cache_path_put(c, &fresh);
		known = &fresh;
	}
	*result_r = trust_conclude(k->x, &k->f, &t, &known->found, why, cap);
	if (q->found_r)
		*q->found_r = known->found;
	if (q->reason_r)
		*q->reason_r = *result_r == TRUST_GOOD ? known->reason : TRUST_BY_NOTHING;
	return 0;
}
