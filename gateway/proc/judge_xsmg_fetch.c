/* Fetching statements. Role judge. The URLs that a stranger named are fetched from public addresses alone (guard.h).
 */
#include "gateway/proc/judge_xsmg_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/smg_record.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg.h"
#include "gateway/proc/partner_statement_settings.h"
#include "gateway/xsmg/statement.h"

enum {
	FETCHES_MAX = 64,
	FIRST_MS = 20000,
	EVERY_MS = 60000,
	AGAIN_S = 6 * 3600,
	NEAR_S = 86400,
	PAGE = 50,
	PAGES = 10,
	MET_MAX = FETCHES_MAX / 4,
	MET_S = 86400,
	MET_PLACES = 4096
};

struct fetch {
	struct fetch *next;
	struct judge_xsmg_fetch *of;
	bool met;	/* by its record alone */
	bool by_choice; /* counts among those that strangers' mail caused */
	char domain[256];
	char url[STATEMENT_URL_MAX + 1]; /* named in mail: this one alone; "" */
	struct loop_timer *wait;
};
/* When a domain was last met; another one may take its place, and then it is looked up again. */
struct met {
	uint64_t hash;
	int64_t at;
};
struct judge_xsmg_fetch {
	const struct judge_world *w;
	struct store *store;
	struct judge_park *park;
	struct loop *loop;
	struct loop_timer *timer;
	void (*before)(void), (*after)(void);
	struct fetch *all;
	size_t n, nmet;
	uint64_t seed;
	struct met met[MET_PLACES];
	char behind[256]; /* the look goes on behind this domain */
};

static const struct partner_statement_settings *settings(const struct judge_xsmg_fetch *f)
{
	return f->w->statements ? f->w->statements : partner_statement_settings_default();
}

/* ---- one domain ---- */

/* 1 with the URL, 0 there is none, -1 asked for, and not there yet. */
static int url_of_dns(const struct fetch *q, struct source_run *run, char url[SMG_RECORD_URL_MAX + 1])
{
	struct source_ask a = {.kind = SOURCE_DNS,
	    .chosen = SOURCE_BY_STRANGER,
	    .type = SMG_RECORD_TYPE,
	    .max = q->of->w->find_limits.octets_max,
	    .timeout_ms = q->of->w->find_limits.timeout_ms};
	const struct source_answer *r;
	struct smg_record rec;
	const char *why;
	int found = 0;

	(void)snprintf(a.name, sizeof a.name, "_smg.%s", q->domain);
	r = source_get(run, "dns TXT", &a);
	if (!r)
		return -1;
	for (size_t i = 0; r->status == SOURCE_FOUND && i < r->n; i++)
		if (smg_record_read(r->items[i].p, r->items[i].n, &rec, &why) > 0 && found++ == 0)
			memcpy(url, rec.url, SMG_RECORD_URL_MAX + 1);
	return found == 1;
}

/* 1 taken in whatever way, 0 not there, -1 asked for, and not there yet. */
static int take_from(const struct fetch *q, struct source_run *run, const char *url, struct judge_xsmg_result *t_r,
    char *where, char *why, size_t cap)
{
	struct source_ask a = {.kind = SOURCE_HTTP,
	    .chosen = SOURCE_BY_STRANGER,
	    .max = STATEMENT_MAX,
	    .timeout_ms = (uint32_t)settings(q->of)->fetch_timeout,
	    .since = run->began,
	    .type_wanted = "application/cms"};
	const struct source_answer *r;
	struct problem pr = {0};
	unsigned before = run->pending;

	(void)snprintf(a.name, sizeof a.name, "%s", url);
	r = source_get(run, "statement", &a);
	if (!r)
		return -1;
	if (r->status != SOURCE_FOUND || r->n != 1 || r->more) {
		(void)snprintf(why, cap, "%.200s: %.200s", url, r->more ? "more than 65536 octets" : r->why);
		return 0;
	}

	struct judge_xsmg_octets o = {.domain = q->domain,
	    .way = q->url[0] ? JUDGE_XSMG_BY_MAIL : JUDGE_XSMG_BY_URL,
	    .where = r->where[0] ? r->where : url,
	    .der = r->items[0].p,
	    .n = r->items[0].n};

	(void)snprintf(where, 600, "%s", o.where);
	q->of->before();
	if (judge_xsmg_take(q->of->w, q->of->store, run, &o, run->now, t_r, &pr) < 0)
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
	q->of->after();
	return run->pending != before ? -1 : 1;
}

static void known_url(const struct fetch *q, char *url, size_t cap)
{
	const struct judge_owner *o;
	struct problem pr = {0};

	url[0] = 0;
	judge_cache_begin(q->of->w->cache, q->of->store);
	if (judge_cache_owner(q->of->w->cache, q->of->store, q->domain, &o, &pr) == 0 && o->statement)
		(void)snprintf(url, cap, "%s", o->statement->url);
}

/* 1 taken in whatever way, 0 none is there, -1 asked for, and not there yet. */
static int fetch(const struct fetch *q, struct source_run *r, struct judge_xsmg_result *t_r, char where[600],
    char *why, size_t cap)
{
	char urls[3][600] = {"", "", ""};
	int rc;

	(void)snprintf(why, cap, "there is no URL");
	if (q->url[0])
		return take_from(q, r, q->url, t_r, where, why, cap);
	rc = url_of_dns(q, r, urls[0]);
	if (rc < 0)
		return -1;
	if (q->met && rc == 0)
		return 0;
	known_url(q, urls[1], sizeof urls[1]);
	if (!q->met)
		(void)snprintf(
		    urls[2], sizeof urls[2], "https://smg.%.250s/.well-known/smg/%.250s", q->domain, q->domain);
	rc = 0;
	for (int i = 0; i < 3 && rc == 0; i++)
		if (urls[i][0] && (i == 0 || strcmp(urls[i], urls[i - 1]) != 0) &&
		    (i < 2 || strcmp(urls[2], urls[0]) != 0))
			rc = take_from(q, r, urls[i], t_r, where, why, cap);
	return rc;
}

static void run(void *question, struct source_run *r)
{
	const struct fetch *q = *(struct fetch **)question;
	char where[600], why[600];
	struct judge_xsmg_result t;
	bool met = q->met;

	if (fetch(q, r, &t, where, why, sizeof why) == 0 && !(met && strcmp(why, "there is no URL") == 0))
		log_info(NULL, "judge", "statement of=%s result=not-fetched why=\"%s\"", q->domain, why);
}

static void done(void *question)
{
	struct fetch *q = *(struct fetch **)question, **p = &q->of->all;

	while (*p != q)
		p = &(*p)->next;
	*p = q->next;
	q->of->n--;
	q->of->nmet -= q->by_choice;
	loop_timer_free(q->wait);
	free(q);
	free(question);
}

static void ask(void *ctx)
{
	static const struct judge_park_ops ops = {run, done};
	struct fetch *q = ctx, **question = mem_new(sizeof *question);
	struct judge_xsmg_fetch *f = q->of;

	*question = q;
	judge_park_ask(f->park, &ops, question, sizeof *q, f, q->domain, settings(f)->fetch_timeout);
}

/* NULL: it is under way already, or there are too many. */
static struct fetch *add(struct judge_xsmg_fetch *f, const char *domain, bool by_choice)
{
	struct fetch *q;

	if (!f || (by_choice && f->nmet >= MET_MAX) || f->n >= FETCHES_MAX || judge_world_domain(f->w, domain) >= 0)
		return NULL;
	for (q = f->all; q; q = q->next)
		if (strcmp(q->domain, domain) == 0)
			return NULL;
	q = mem_new(sizeof *q);
	if (mem_copy_str(q->domain, sizeof q->domain, domain) < 0) {
		free(q);
		return NULL;
	}
	q->of = f;
	q->by_choice = by_choice;
	f->nmet += by_choice;
	q->next = f->all;
	f->all = q;
	f->n++;
	return q;
}

void judge_xsmg_fetch_start(struct judge_xsmg_fetch *f, const char *domain)
{
	struct fetch *q = add(f, domain, false);

	if (q)
		ask(q);
}

void judge_xsmg_fetch_named(struct judge_xsmg_fetch *f, const char *domain, const char *url, bool inside)
{
	struct fetch *q = add(f, domain, true);
	int64_t most;

	if (!q)
		return;
	(void)snprintf(q->url, sizeof q->url, "%s", url);
	most = inside ? settings(f)->mail_delay : 0;
	if (most == 0) {
		ask(q);
		return;
	}
	q->wait = loop_timer_new(f->loop, ask, q);
	loop_timer_set(q->wait, (int64_t)arc4random_uniform((uint32_t)most));
}

int judge_xsmg_fetch_now(struct judge_xsmg_fetch *f, const char *domain, struct source_run *run,
    struct judge_xsmg_result *t_r, char where[600], char why[600])
{
	struct fetch q = {.of = f};

	REQUIRE(f && run && judge_world_domain(f->w, domain) < 0);
	if (mem_copy_str(q.domain, sizeof q.domain, domain) == 0)
		return fetch(&q, run, t_r, where, why, 600);
	(void)snprintf(why, 600, "that is no domain");
	return 0;
}

/* Seeded: the domains are strangers' choice. */
static uint64_t hash(const struct judge_xsmg_fetch *f, const char *domain)
{
	uint64_t h = f->seed ^ 0xcbf29ce484222325u;

	for (; *domain; domain++)
		h = (h ^ (unsigned char)*domain) * 0x100000001b3u;
	return h ^ h >> 32;
}

void judge_xsmg_fetch_met(struct judge_xsmg_fetch *f, const char *domain, int64_t now)
{
	struct met *m;
	struct fetch *q;
	uint64_t h;

	if (!f || !(f->w->find.tiers & 1u << FIND_SMG) || f->nmet >= MET_MAX)
		return;
	h = hash(f, domain);
	m = &f->met[h % MET_PLACES];
	if (m->hash == h && now >= m->at && now - m->at < MET_S)
		return;
	*m = (struct met){h, now};
	q = add(f, domain, true);
	if (!q)
		return;
	q->met = true;
	ask(q);
}

/* ---- old copies ---- */

static bool is_old(const struct judge_xsmg_fetch *f, const struct store_statement *st, int64_t now)
{
	int64_t stale = settings(f)->stale_after / 1000;

	if (!st->trusted.der || st->trusted.withdrawn || st->frozen ||
	    (now >= st->probed && now - st->probed < AGAIN_S))
		return false;
	return now - st->trusted.issued > stale || st->trusted.expires - now < NEAR_S;
}

/* The next page of domains: how many there were, or -1. */
static int look_at_page(struct judge_xsmg_fetch *f, int64_t now, int *started)
{
	struct store_statement *list;
	struct problem pr = {0};
	size_t n;

	if (store_statements(f->store, f->behind, false, PAGE, &list, &n, &pr) < 0) {
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
		return -1;
	}
	for (size_t i = 0; i < n && f->n < FETCHES_MAX; i++) {
		if (!is_old(f, &list[i], now))
			continue;
		list[i].probed = now;
		if (store_statement_note(f->store, &list[i], &pr) < 0)
			log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
		judge_xsmg_fetch_start(f, list[i].domain);
		++*started;
	}
	(void)snprintf(f->behind, sizeof f->behind, "%s", n == PAGE ? list[n - 1].domain : "");
	store_statements_free(list, n);
	return (int)n;
}

int judge_xsmg_fetch_look(struct judge_xsmg_fetch *f, int64_t now)
{
	int started = 0;

	for (int i = 0; i < PAGES && f->n < FETCHES_MAX; i++)
		if (look_at_page(f, now, &started) < PAGE)
			break;
	return started;
}

static void look(void *ctx)
{
	struct judge_xsmg_fetch *f = ctx;

	loop_timer_set(f->timer, EVERY_MS);
	f->before();
	(void)judge_xsmg_fetch_look(f, time(NULL));
	f->after();
}

struct judge_xsmg_fetch *judge_xsmg_fetch_new(struct loop *l, const struct judge_world *w, struct store *s,
    struct judge_park *park, void (*before)(void), void (*after)(void))
{
	struct judge_xsmg_fetch *f = mem_new(sizeof *f);

	f->loop = l;
	f->w = w;
	f->store = s;
	f->park = park;
	f->before = before;
	f->after = after;
	arc4random_buf(&f->seed, sizeof f->seed);
	f->timer = loop_timer_new(l, look, f);
	loop_timer_set(f->timer, FIRST_MS);
	return f;
}

void judge_xsmg_fetch_free(struct judge_xsmg_fetch *f)
{
	if (!f)
		return;
	judge_park_drop(f->park, f);
	while (f->all) { /* those that wait for their moment */
		struct fetch *q = f->all;

		f->all = q->next;
		loop_timer_free(q->wait);
		free(q);
	}
	loop_timer_free(f->timer);
	free(f);
}
