/* Trusted statements, looked at again each day. Role judge. */
#include "gateway/proc/judge_xsmg_daily.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg_case.h"
#include "gateway/proc/judge_xsmg_facts.h"
#include "gateway/proc/judge_xsmg_fetch.h"
#include "gateway/proc/judge_xsmg_keep.h"
#include "gateway/proc/partner_statement_settings.h"

/* AT_ONCE: domains that wait for the network, and those that one look begins with: each is signatures to verify and a
 * commit, and whoever waits for an answer about mail gets his turn between them. SOON_MS: when more may be due. */
enum {
	FIRST_MS = 30000,
	EVERY_MS = 60000,
	SOON_MS = 3000,
	UNSURE_S = 3600,
	PAGE = 50,
	PAGES = 10,
	AT_ONCE = 16,
	LOCALS_MAX = 16
};

static const struct partner_statement_settings *settings(const struct judge_world *w)
{
	return w->statements ? w->statements : partner_statement_settings_default();
}

/* ---- one domain ---- */

/* What was looked at, and what it says. */
struct look {
	struct judge_xsmg_case *c;
	struct judge_xsmg_octets o;
	char bad_key[STORE_STATEMENT_HASH]; /* revoked; "" none */
	bool unsure, lost;
	char why[700];
};

/* As it was read when it was taken over, with the names that the admin allows now. False: it cannot be any more. */
static bool read_trusted(struct look *l)
{
	struct judge_xsmg_case *c = l->c;
	const struct store_statement_body *t = &c->known->trusted;
	char *text = mem_str(c->known->local_parts), *save = NULL;
	const char *locals[LOCALS_MAX];
	struct statement_facts f = {.domain = c->o->domain, .now = t->since, .locals = locals};

	for (char *p = strtok_r(text, ", ", &save); p && f.nlocals < LOCALS_MAX; p = strtok_r(NULL, ", ", &save))
		locals[f.nlocals++] = p;
	statement_check(t->der, t->der_len, &f, c->mem, c->s, c->sd, &c->v);
	free(text);
	if (c->v.result == STATEMENT_OK && c->v.signer >= 0)
		return true;
	l->lost = true;
	(void)snprintf(l->why, sizeof l->why, "it is not taken any more: %s: %.500s", statement_step_word(c->v.step),
	    c->v.why.text);
	return false;
}

static int weigh_own(struct look *l, struct problem *pr)
{
	struct judge_xsmg_case *c = l->c;
	const struct store_statement *st = c->known;
	enum xsmg_known anchored, revoked;

	if (!read_trusted(l))
		return 0;
	if (judge_xsmg_facts_path(
		c, &c->sd->signers[c->v.signer].cert, CERT_TO_SIGN, STORE_OUT, &anchored, &revoked, pr) < 0)
		return -1;
	if (revoked == XSMG_YES) {
		memcpy(l->bad_key, st->trusted.key, sizeof l->bad_key);
	} else if (st->trusted.level == XSMG_ANCHORED && anchored == XSMG_NO) {
		l->lost = true;
		(void)snprintf(l->why, sizeof l->why,
		    "an anchor for this domain spoke for it, and does not any more: %.500s", c->path_why);
	} else {
		l->unsure = revoked == XSMG_UNSURE || (st->trusted.level == XSMG_ANCHORED && anchored == XSMG_UNSURE);
	}
	return 0;
}

static void split(const uint8_t *p, size_t n, struct statement_signed *sd)
{
	const uint8_t *end = p + n;

	sd->ncerts = 0;
	while (p < end && sd->ncerts < sizeof sd->certs / sizeof *sd->certs) {
		const uint8_t *start = p;
		X509 *x = d2i_X509(NULL, &p, end - p);

		if (!x)
			return;
		X509_free(x);
		sd->certs[sd->ncerts++] = (struct statement_octets){start, (size_t)(p - start)};
	}
}

/* The certificate of a key before the trusted one's. That it ran out since is in the order of things. */
static int weigh_key_cert(struct look *l, const struct store_statement_key_cert *k, struct problem *pr)
{
	const struct statement_octets der = {k->der, k->der_len};
	enum xsmg_known anchored, revoked;

	split(k->chain, k->chain_len, l->c->sd);
	if (judge_xsmg_facts_path(l->c, &der, CERT_TO_SIGN, STORE_OUT, &anchored, &revoked, pr) < 0)
		return -1;
	if (revoked == XSMG_YES)
		memcpy(l->bad_key, k->key, sizeof l->bad_key);
	else
		l->unsure = l->unsure || revoked == XSMG_UNSURE;
	return 0;
}

/* Those that the trusted one is believed through. */
static int weigh_through(struct look *l, struct problem *pr)
{
	struct store_statement_key_cert *list;
	struct judge_xsmg_case *c = l->c;
	size_t n;
	int rc = 0;

	if (store_statement_key_certs(c->store, c->o->domain, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n && rc == 0 && !l->bad_key[0]; i++) {
		const struct store_statement_key *k = judge_xsmg_facts_key(c, list[i].key);
		bool through = false;

		if (!k || strcmp(k->key, c->known->trusted.key) == 0)
			continue;
		rc = judge_xsmg_keep_is_through(c->store, c->known, k, &through, pr);
		if (rc == 0 && through)
			rc = weigh_key_cert(l, &list[i], pr);
	}
	store_statement_key_certs_free(list, n);
	return rc;
}

static int conclude(struct look *l, struct problem *pr)
{
	struct judge_xsmg_case *c = l->c;
	int64_t every = settings(c->w)->weigh_after / 1000;

	c->known->weighed = l->unsure && every > UNSURE_S ? c->now - every + UNSURE_S : c->now;
	if (!l->bad_key[0] && !l->lost)
		return store_statement_note(c->store, c->known, pr);
	if (l->bad_key[0] && judge_xsmg_keep_bad_key(c->store, c->known, l->bad_key,
				 "its certificate, or one above it, was revoked", c->now, "judge", pr) < 0)
		return -1;
	if (!l->bad_key[0] && judge_xsmg_keep_lost(c->store, c->known, l->why, pr) < 0)
		return -1;
	judge_cache_changed(c->w->cache, c->o->domain);
	return 0;
}

static int weigh(struct look *l, struct problem *pr)
{
	struct judge_xsmg_case *c = l->c;
	unsigned before = c->run ? c->run->pending : 0;

	judge_cache_begin(c->w->cache, c->store);
	if (store_statement_get(c->store, c->o->domain, &c->known, pr) < 0 ||
	    store_statement_keys(c->store, c->o->domain, &c->keys, &c->nkeys, pr) < 0)
		return -1;
	if (!c->known)
		return 0;
	if (c->known->trusted.der && (weigh_own(l, pr) < 0 || (!l->bad_key[0] && weigh_through(l, pr) < 0)))
		return -1;
	if (c->run && c->run->pending != before)
		return 0;
	if (conclude(l, pr) == 0)
		return 0;
	return c->known->stale ? 0 : -1; /* somebody decided meanwhile: it is looked at again at the next look */
}

int judge_xsmg_daily_weigh(const struct judge_world *w, struct store *s, struct source_run *run, const char *domain,
    int64_t now, struct problem *pr)
{
	struct judge_xsmg_case *c = mem_new(sizeof *c);
	struct look l = {.c = c, .o = {.domain = domain, .where = "the store"}};
	int rc;

	*c = (struct judge_xsmg_case){.w = w, .store = s, .run = run, .o = &l.o, .now = now, .v = {.signer = -1}};
	c->mem = arena_new(STATEMENT_ARENA);
	c->s = mem_new(sizeof *c->s);
	c->sd = mem_new(sizeof *c->sd);
	rc = weigh(&l, pr);
	arena_free(c->mem);
	free(c->s);
	free(c->sd);
	free(c->keys);
	store_statements_free(c->known, c->known ? 1 : 0);
	free(c);
	return rc;
}

/* ---- all of them ---- */

struct question {
	struct question *next;
	struct judge_xsmg_daily *of;
	char domain[256];
};
struct judge_xsmg_daily {
	const struct judge_world *w;
	struct store *store;
	struct judge_park *park;
	struct loop_timer *timer;
	void (*before)(void), (*after)(void);
	struct question *all;
	size_t n;
	char behind[256]; /* the look goes on behind this domain */
};

static void run(void *question, struct source_run *r)
{
	const struct question *q = *(struct question **)question;
	struct problem pr = {0};

	q->of->before();
	if (judge_xsmg_daily_weigh(q->of->w, q->of->store, r, q->domain, time(NULL), &pr) < 0)
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
	q->of->after();
}

static void done(void *question)
{
	struct question *q = *(struct question **)question, **p = &q->of->all;

	while (*p != q)
		p = &(*p)->next;
	*p = q->next;
	q->of->n--;
	free(q);
	free(question);
}

static bool is_under_way(const struct judge_xsmg_daily *d, const char *domain)
{
	for (const struct question *q = d->all; q; q = q->next)
		if (strcmp(q->domain, domain) == 0)
			return true;
	return false;
}

static void start(struct judge_xsmg_daily *d, const char *domain)
{
	static const struct judge_park_ops ops = {run, done};
	struct question *q = mem_new(sizeof *q), **question = mem_new(sizeof *question);

	q->of = d;
	(void)snprintf(q->domain, sizeof q->domain, "%s", domain);
	q->next = d->all;
	d->all = q;
	d->n++;
	*question = q;
	judge_park_ask(d->park, &ops, question, sizeof *q, d, domain, settings(d->w)->fetch_timeout);
}

static bool is_due(const struct judge_xsmg_daily *d, const struct store_statement *st, int64_t now)
{
	int64_t age = now - st->weighed;

	return (st->trusted.der || st->waiting.der) && (age < 0 || age >= settings(d->w)->weigh_after / 1000) &&
	       !is_under_way(d, st->domain);
}

int judge_xsmg_daily_look(struct judge_xsmg_daily *d, int64_t now)
{
	struct problem pr = {0};
	int started = 0;
	size_t n = PAGE;

	for (int page = 0; page < PAGES && n == PAGE && d->n < AT_ONCE && started < AT_ONCE; page++) {
		struct store_statement *list;
		size_t i;

		if (store_statements(d->store, d->behind, false, PAGE, &list, &n, &pr) < 0) {
			log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
			break;
		}
		for (i = 0; i < n && d->n < AT_ONCE && started < AT_ONCE; i++) {
			if (!is_due(d, &list[i], now))
				continue;
			if (list[i].waiting.der) /* something may speak for it by now */
				judge_xsmg_fetch_start(d->w->fetch, list[i].domain);
			start(d, list[i].domain);
			started++;
		}
		(void)snprintf(d->behind, sizeof d->behind, "%s",
		    i == PAGE	     ? list[PAGE - 1].domain
		    : i > 0 && i < n ? list[i - 1].domain
				     : "");
		store_statements_free(list, n);
	}
	return started;
}

static void look(void *ctx)
{
	struct judge_xsmg_daily *d = ctx;

	loop_timer_set(d->timer, judge_xsmg_daily_look(d, time(NULL)) == AT_ONCE ? SOON_MS : EVERY_MS);
}

struct judge_xsmg_daily *judge_xsmg_daily_new(struct loop *l, const struct judge_world *w, struct store *s,
    struct judge_park *park, void (*before)(void), void (*after)(void))
{
	struct judge_xsmg_daily *d = mem_new(sizeof *d);

	*d = (struct judge_xsmg_daily){.w = w, .store = s, .park = park, .before = before, .after = after};
	d->timer = loop_timer_new(l, look, d);
	loop_timer_set(d->timer, FIRST_MS);
	return d;
}
