/*
 * One certificate weighed for one partner. Role judge. The anchors are those scoped to the partner's domain and to
 * "*", for the direction asked or for both. The path's result is kept; whom the certificate speaks for is looked at
 * each time, since it costs little and differs with the address.
 */
#include "gateway/proc/judge_weigh.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

static void add(EVP_MD_CTX *m, const void *p, size_t n)
{
	if (EVP_DigestUpdate(m, p, n) != 1)
		log_fatal("no SHA-256");
}

/* Everything that trust_path depends on besides store and clock. Fixed lengths and NUL-ended domains: no two
 * questions share a key. */
static void make_key(
    const struct judge_cache *c, const struct judge_cert *k, const struct judge_weighing *q, uint8_t key_r[32])
{
	uint8_t head[4] = {(uint8_t)q->use, (uint8_t)q->dir, q->pinned, (uint8_t)q->nextra};
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
	add(m, q->who->domain, strlen(q->who->domain) + 1);
	if (EVP_DigestFinal_ex(m, key_r, NULL) != 1)
		log_fatal("no SHA-256");
	EVP_MD_CTX_free(m);
}

static bool counts(const struct store_anchor *a, const struct judge_weighing *q)
{
	return (a->dir == STORE_BOTH || a->dir == q->dir) &&
	       (strcmp(a->scope, "*") == 0 || strcmp(a->scope, q->who->domain) == 0);
}

/* The path against the anchors that count, each parsed once and kept. */
static int find_path(struct judge_cache *c, const struct store_anchor *anchors, size_t n, const struct judge_cert *k,
    const struct judge_weighing *q, char *how, size_t cap)
{
	struct judge_cert **held = mem_new((n + 1) * sizeof(struct judge_cert *));
	X509 **certs = mem_new((n + 1) * sizeof(X509 *)), **extra = mem_new((q->nextra + 1) * sizeof(X509 *));
	size_t used = 0;
	int rc;

	for (size_t i = 0; i < n; i++) {
		if (!counts(&anchors[i], q))
			continue;
		held[used] = judge_cache_cert(c, anchors[i].der, anchors[i].der_len, NULL);
		if (held[used]) {
			certs[used] = held[used]->x;
			used++;
		}
	}
	for (size_t i = 0; i < q->nextra; i++)
		extra[i] = q->extra[i]->x;

	/* anchors itself is not read when anchor_certs is given. */
	struct trust_question t = {.who = q->who,
	    .use = q->use,
	    .anchors = anchors,
	    .nanchors = used,
	    .anchor_certs = certs,
	    .pinned = q->pinned,
	    .extra = extra,
	    .nextra = q->nextra,
	    .at = q->now};

	rc = trust_path(k->x, &k->f, &t, how, cap);
	for (size_t i = 0; i < used; i++)
		judge_cert_drop(held[i]);
	free(held);
	free(certs);
	free(extra);
	return rc;
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
	const struct judge_path *known;
	struct judge_path fresh = {.rc = -1};

	make_key(c, k, q, fresh.key);
	if (!judge_cache_path(c, fresh.key, q->now, &known)) {
		const struct store_anchor *anchors;
		size_t n;

		if (judge_cache_anchors(c, s, &anchors, &n, pr) < 0)
			return -1;
		fresh.rc = find_path(c, anchors, n, k, q, fresh.how, sizeof fresh.how);
		fresh.until = keep_until(&k->f, q->now);
		judge_cache_path_put(c, &fresh);
		known = &fresh;
	}
	*result_r = trust_conclude(k->x, &k->f, &t, known->rc, known->how, why, cap);
	return 0;
}
