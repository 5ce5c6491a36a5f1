/*
 * Harvesting. Role judge; writes the store.
 *
 * What a signer says of its certificate to encrypt to is signed, and taken only where the judge has just believed the
 * signer for the author; the certificate must be believed for the author on its own. One bound to the address is kept
 * for the person, any other for the domain. It is weaker than whatever the admin put in the store (find.c), and
 * weighed again at each use.
 */
#include "gateway/proc/judge_harvest.h"

#include <stdio.h>
#include <string.h>

#include "certstore/cert_bind.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_weigh.h"

struct crop {
	struct store *store;
	const struct judge_world *w;
	struct source_run *run;
	const struct judge_signers *rq;
	struct address from;
	int64_t now;
};

static bool has(const struct judge_owner *o, const char *sha256)
{
	for (size_t i = 0; i < o->ncerts; i++)
		if (strcmp(o->certs[i].sha256, sha256) == 0)
			return true;
	return false;
}

/* Is there room for another partner? Strangers find none, who has some keeps them. */
static int has_room(const struct crop *c, const struct judge_owner *o, struct problem *pr)
{
	int64_t n;

	for (size_t i = 0; i < o->ncerts; i++)
		if (strcmp(o->certs[i].source, STORE_HARVESTED) == 0)
			return 1;
	if (store_cert_harvested(c->store, &n, pr) < 0)
		return -1;
	if (n < c->w->harvest_max)
		return 1;
	log_warn(NULL, "judge", "not-harvested of=%s why=\"find, harvest-max = %lld is reached\"", o->name,
	    (long long)c->w->harvest_max);
	return 0;
}

/* Is it believed for encrypting to the author? 1, 0, -1. */
static int is_good(const struct crop *c, const struct judge_cert *k, struct problem *pr)
{
	struct judge_cert *extra[JUDGE_CERTS_MAX];
	struct judge_weighing q = {.who = &c->from,
	    .local = c->rq->our_domain[0] ? c->rq->our_domain : NULL,
	    .use = CERT_TO_ENCRYPT,
	    .dir = STORE_OUT,
	    .extra = extra,
	    .run = c->run,
	    .now = c->now};
	unsigned before = c->run ? c->run->pending : 0;
	enum trust_result result = TRUST_BAD;
	char why[600];
	bool pending;
	int rc;

	for (size_t i = 0; i < c->rq->nextra; i++) {
		extra[q.nextra] = judge_cache_cert(c->w->cache, c->rq->extra[i].p, c->rq->extra[i].n, NULL);
		q.nextra += extra[q.nextra] != NULL;
	}
	rc = judge_weigh(c->w->cache, c->store, k, &q, &result, why, sizeof why, pr);
	for (size_t i = 0; i < q.nextra; i++)
		judge_cert_drop(extra[i]);
	pending = c->run && c->run->pending != before;
	if (pending)
		c->run->pending = before; /* asked for, and not waited for */
	return rc < 0 ? -1 : !pending && result == TRUST_GOOD;
}

static int put(const struct crop *c, const struct judge_cert *k, const struct judge_octets *der, const char *owner,
    struct problem *pr)
{
	struct store_cert sc = {.owner = (char *)(uintptr_t)owner,
	    .der = (uint8_t *)(uintptr_t)der->p,
	    .der_len = der->n,
	    .added = c->now,
	    .not_after = k->f.not_after};
	char words[300], detail[800];
	int rc;

	memcpy(sc.sha256, k->f.sha256, sizeof sc.sha256);
	(void)snprintf(detail, sizeof detail, "%s, sha256 %s, out of signed mail of <%.390s>",
	    cert_words(&k->f, words, sizeof words), k->f.sha256, c->rq->from);
	rc = store_cert_harvest(c->store, &sc, JUDGE_HARVEST_OWNER_MAX, detail, pr);
	if (rc > 0)
		log_info(NULL, "judge", "harvested of=%s cert=%.16s from=<%s>", owner, sc.sha256, c->rq->from);
	return rc < 0 ? -1 : 0;
}

static int harvest(const struct crop *c, const struct judge_octets *der, struct problem *pr)
{
	struct judge_cert *k = judge_cache_cert(c->w->cache, der->p, der->n, NULL);
	const struct judge_owner *o = NULL;
	char owner[ADDRESS_TEXT_MAX];
	int rc = 0;

	if (!k)
		return 0;
	if (k->f.may_encrypt)
		rc = cert_bound(k->x, &c->from, CERT_TO_ENCRYPT) == CERT_BOUND_ADDRESS
			 ? judge_cache_person(c->w->cache, c->store, &c->from, &o, pr)
			 : judge_cache_owner(c->w->cache, c->store, c->from.domain, &o, pr);
	if (rc == 0 && o && !has(o, k->f.sha256)) {
		(void)snprintf(owner, sizeof owner, "%s", o->name);
		rc = has_room(c, o, pr);
		if (rc > 0)
			rc = is_good(c, k, pr);
		if (rc > 0)
			rc = put(c, k, der, owner, pr);
	}
	judge_cert_drop(k);
	return rc < 0 ? -1 : 0;
}

void judge_harvest(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_signers *rq, const struct judge_trust *t, int64_t now)
{
	struct crop c = {.store = s, .w = w, .run = run, .rq = rq, .now = now};

	REQUIRE(t->n == rq->n && rq->n <= JUDGE_CERTS_MAX);
	if (!w->harvest || address_parse_utf8(rq->from, strlen(rq->from), &c.from, NULL) != 0 || !c.from.domain[0] ||
	    judge_world_domain(w, c.from.domain) >= 0)
		return;
	for (size_t i = 0; i < rq->n; i++) {
		const struct judge_signer *v = &rq->v[i];
		struct problem pr = {0};

		if (t->v[i].state != JUDGE_TRUST_GOOD)
			continue;
		judge_cache_begin(w->cache, s);
		if (harvest(&c, v->enc.n > 0 ? &v->enc : &v->cert, &pr) < 0)
			log_error(NULL, "judge", "alarm=store not-harvested of=<%s> why=\"%s\"", rq->from, pr.text);
	}
}
