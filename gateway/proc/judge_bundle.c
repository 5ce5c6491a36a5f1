/*
 * Trust bundles on their schedule. Role judge; reads and writes the store, asks through the run. DIRECT.md "Which
 * certificate counts".
 *
 * An edition is taken whole or not at all, in one transaction with the audit rows of each anchor that came or went.
 * Whatever is wrong with it, the edition in use stays: a publisher that fails must not make partners strangers.
 */
#include "gateway/proc/judge_bundle.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/bundle.h"
#include "certstore/cert.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { FETCH_MS = 20000, NAMED = 8 };

struct edition {
	X509 **list;
	struct cert_facts *f;
	size_t n;
};
struct change {
	struct store *store;
	struct store_bundle *b;
	const char *who;
	struct store_anchor *old;
	size_t nold, added, removed, kept;
	char text[1200];
	size_t at, named;
};

static void set_text(char **place, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void set_text(char **place, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	free(*place);
	*place = mem_str(text);
}

static bool in_edition(const struct edition *e, const char *sha256)
{
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->f[i].sha256, sha256) == 0)
			return true;
	return false;
}

static bool in_use(const struct change *c, const char *sha256)
{
	for (size_t i = 0; i < c->nold; i++)
		if (strcmp(c->old[i].sha256, sha256) == 0)
			return true;
	return false;
}

static void tell(struct change *c, char sign, const struct cert_facts *f)
{
	char words[300];
	int n;

	if (c->named++ >= NAMED || c->at >= sizeof c->text)
		return;
	n = snprintf(c->text + c->at, sizeof c->text - c->at, "%s%c %.110s", c->at ? "; " : "", sign,
	    cert_words(f, words, sizeof words));
	c->at += n > 0 ? (size_t)n : 0;
}

/* The old anchors of this bundle, and what would change. */
static int compare(struct change *c, const struct edition *e, struct problem *pr)
{
	struct store_anchor *all;
	size_t n;

	if (store_anchors(c->store, NULL, &all, &n, pr) < 0)
		return -1;
	c->old = mem_new((n + 1) * sizeof *c->old);
	for (size_t i = 0; i < n; i++) {
		if (all[i].bundle != c->b->id)
			continue;
		c->old[c->nold++] = all[i];
		all[i] = (struct store_anchor){.id = 0};
	}
	store_anchors_free(all, n);
	for (size_t i = 0; i < c->nold; i++)
		c->removed += !in_edition(e, c->old[i].sha256);
	c->kept = c->nold - c->removed;
	return 0;
}

static int add_new(struct change *c, const struct edition *e, int64_t now, struct problem *pr)
{
	for (size_t i = 0; i < e->n; i++) {
		struct store_anchor a = {
		    .scope = c->b->scope, .local = c->b->local, .bundle = c->b->id, .dir = c->b->dir, .added = now};
		int len, rc;

		if (in_use(c, e->f[i].sha256))
			continue;
		memcpy(a.sha256, e->f[i].sha256, sizeof a.sha256);
		len = i2d_X509(e->list[i], &a.der);
		if (len <= 0)
			log_fatal("out of memory: certificate");
		a.der_len = (size_t)len;
		rc = store_anchor_add(c->store, &a, c->who, pr);
		OPENSSL_free(a.der);
		if (rc < 0)
			return -1;
		c->added++;
		tell(c, '+', &e->f[i]);
	}
	return 0;
}

static int remove_old(struct change *c, const struct edition *e, struct problem *pr)
{
	for (size_t i = 0; i < c->nold; i++) {
		struct cert_facts f = {.subject = "unreadable"};
		X509 *x;

		if (in_edition(e, c->old[i].sha256))
			continue;
		x = cert_parse(c->old[i].der, c->old[i].der_len, NULL);
		if (x)
			cert_facts(x, &f);
		X509_free(x);
		tell(c, '-', &f);
		if (store_anchor_remove_bundled(c->store, &c->old[i], c->who, pr) < 0)
			return -1;
	}
	return 0;
}

static void say_difference(struct change *c)
{
	set_text(&c->b->difference, "%zu came, %zu went, %zu stayed%s%s%s", c->added, c->removed, c->kept,
	    c->text[0] ? ": " : "", c->text, c->named > NAMED ? "; ..." : "");
}

/* Takes the edition: all of it or nothing. */
static int take(struct change *c, const struct edition *e, const char *sha256, int64_t now, struct problem *pr)
{
	int rc;

	if (store_begin(c->store, pr) < 0)
		return -1;
	rc = add_new(c, e, now, pr);
	if (rc == 0)
		rc = remove_old(c, e, pr);
	if (rc == 0) {
		bool changed = c->added > 0 || c->removed > 0;

		if (changed || !c->b->difference[0])
			say_difference(c);
		set_text(&c->b->trouble, "%s", "");
		set_text(&c->b->sha256, "%s", sha256);
		c->b->taken = c->b->tried = now;
		rc = store_bundle_tried(c->store, c->b, changed, c->who, pr);
	}
	return store_end(c->store, rc, pr);
}

/* The edition in use stays; the same trouble again is no news. */
static int refuse(
    struct store *s, struct store_bundle *b, const char *why, int64_t now, const char *who, struct problem *pr)
{
	bool news = strcmp(b->trouble, why) != 0;

	if (news)
		log_error(NULL, "judge", "alarm=bundle url=%s why=\"%s\"", b->url, why);
	set_text(&b->trouble, "%s", why);
	b->tried = now;
	return store_bundle_tried(s, b, news, who, pr);
}

static int read_edition(
    const struct source_answer *r, const struct store_bundle *b, int64_t now, struct edition *e, struct problem *pr)
{
	X509 *signer = b->signer ? cert_parse(b->signer, b->signer_len, NULL) : NULL;
	int n;

	e->list = mem_new(BUNDLE_CERTS_MAX * sizeof *e->list);
	n = b->signer && !signer
		? problem_perm(pr, "the certificate of its signer cannot be read")
		: bundle_read(r->items[0].p, r->items[0].n, signer, now, e->list, BUNDLE_CERTS_MAX, pr);
	X509_free(signer);
	if (n < 0)
		return -1;
	e->n = (size_t)n;
	e->f = mem_new(e->n * sizeof *e->f);
	for (size_t i = 0; i < e->n; i++)
		cert_facts(e->list[i], &e->f[i]);
	return 0;
}

static void edition_clear(struct edition *e)
{
	cert_list_free(e->list, e->n);
	free(e->list);
	free(e->f);
}

static int weigh(struct store *s, const struct source_answer *r, struct store_bundle *b, unsigned drop_max,
    bool force, int64_t now, const char *who, struct problem *pr)
{
	struct change c = {.store = s, .b = b, .who = who};
	struct problem why = {0};
	struct edition e = {.n = 0};
	char sha256[65], text[300];
	uint8_t md[32];
	int rc;

	if (EVP_Digest(r->items[0].p, r->items[0].n, md, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
	encode_hex(md, sizeof md, sha256);
	if (read_edition(r, b, now, &e, &why) < 0) {
		edition_clear(&e);
		(void)snprintf(text, sizeof text, "refused: %.280s", why.text);
		return refuse(s, b, text, now, who, pr);
	}
	rc = compare(&c, &e, pr);
	if (rc == 0 && !force && c.removed * 100 > c.nold * drop_max) {
		(void)snprintf(text, sizeof text,
		    "refused: %zu of %zu anchors would go, more than bundle-drop-max = %u per cent", c.removed,
		    c.nold, drop_max);
		rc = refuse(s, b, text, now, who, pr);
	} else if (rc == 0) {
		rc = take(&c, &e, sha256, now, pr);
	}
	store_anchors_free(c.old, c.nold);
	edition_clear(&e);
	return rc;
}

/* ---- which of them are under way ---- */

struct way {
	int64_t id, since;
	bool asked, force; /* not by whoever waits for it */
	char who[200];
};
static struct way ways[2 * JUDGE_BUNDLE_ASKED]; /* since 0: free */
enum { WAY_MOST_S = 600 };

/* One whose bundle was removed meanwhile would never end. */
static void ways_sweep(int64_t now)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (now >= ways[i].since + WAY_MOST_S || now < ways[i].since)
			ways[i].since = 0;
}

static struct way *way_of(int64_t id)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (ways[i].since != 0 && ways[i].id == id)
			return &ways[i];
	return NULL;
}

static struct way *way_new(int64_t id, int64_t now)
{
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (ways[i].since == 0) {
			ways[i] = (struct way){.id = id, .since = now > 0 ? now : (int64_t)1};
			return &ways[i];
		}
	return NULL; /* more than can be told of: they are fetched all the same */
}

static void way_end(int64_t id)
{
	struct way *w = way_of(id);

	if (w)
		w->since = 0;
}

int judge_bundle_ask(int64_t id, bool force, int64_t now, const char *who)
{
	struct way *w;
	size_t asked = 0;

	ways_sweep(now);
	w = way_of(id);
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		asked += ways[i].since != 0 && ways[i].asked;
	if ((!w || !w->asked) && asked >= JUDGE_BUNDLE_ASKED)
		return -1;
	w = w ? w : way_new(id, now);
	if (!w)
		return -1;
	w->asked = true;
	w->force = force;
	(void)snprintf(w->who, sizeof w->who, "%.199s", who);
	return 0;
}

int64_t judge_bundle_fetching(int64_t id)
{
	const struct way *w = way_of(id);

	return w ? w->since : 0;
}

int judge_bundle_refresh(struct store *s, struct source_run *run, struct store_bundle *b, unsigned drop_max,
    bool force, int64_t now, const char *who, struct problem *pr)
{
	struct source_ask ask = {.kind = SOURCE_HTTP,
	    .chosen = SOURCE_BY_ADMIN,
	    .max = CERT_FILE_MAX,
	    .timeout_ms = FETCH_MS,
	    .since = run ? run->began : 0}; /* whatever its server says: withdrawn anchors must not live on */
	const struct source_answer *r;
	char text[400];

	if (mem_copy_str(ask.name, sizeof ask.name, b->url) < 0)
		return problem_perm(pr, "the URL of the bundle is too long");
	r = source_get(run, "bundle", &ask);
	if (!r) {
		if (!way_of(b->id))
			(void)way_new(b->id, now);
		return 0;
	}
	way_end(b->id);
	if (r->status == SOURCE_FOUND && r->n > 0 && !r->more)
		return weigh(s, r, b, drop_max, force, now, who, pr);
	if (r->status == SOURCE_FOUND)
		(void)snprintf(text, sizeof text, "refused: it is %s", r->more ? "larger than 4 MiB" : "empty");
	else
		(void)snprintf(text, sizeof text, "not fetched: %.280s", r->why);
	return refuse(s, b, text, now, who, pr);
}

static bool is_due(const struct store_bundle *b, int64_t now)
{
	int64_t wait = b->every;

	if (b->trouble[0] && wait > JUDGE_BUNDLE_RETRY_S)
		wait = JUDGE_BUNDLE_RETRY_S;
	return b->tried == 0 || now >= b->tried + wait || now < b->tried;
}

static bool is_asked(int64_t id)
{
	const struct way *w = way_of(id);

	return w && w->asked;
}

bool judge_bundle_any_due(struct store *s, int64_t now)
{
	struct store_bundle *list;
	struct problem pr = {0};
	bool any = false;
	size_t n;

	if (store_bundles(s, &list, &n, &pr) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		any = any || is_due(&list[i], now) || is_asked(list[i].id);
	store_bundles_free(list, n);
	return any;
}

int judge_bundle_due(struct store *s, struct source_run *run, unsigned drop_max, int64_t now, struct problem *pr)
{
	struct store_bundle *list;
	int tried = 0, rc = 0;
	size_t n;

	if (store_bundles(s, &list, &n, pr) < 0)
		return -1;
	ways_sweep(now);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		const struct way *w = is_asked(list[i].id) ? way_of(list[i].id) : NULL;
		struct way as = w ? *w : (struct way){.who = "judge"};
		unsigned pending = run ? run->pending : 0;

		if (!w && !is_due(&list[i], now))
			continue;
		rc = judge_bundle_refresh(s, run, &list[i], drop_max, as.force, now, as.who, pr);
		tried += !run || run->pending == pending;
	}
	store_bundles_free(list, n);
	return rc < 0 ? -1 : tried;
}
