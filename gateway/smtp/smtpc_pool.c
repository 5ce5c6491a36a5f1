/*
 * The pool: mails wait here per destination, first come first served; results are told from the loop, once. Role
 * relay, one loop's thread.
 *
 * Results go through a list and a timer, never straight up: what `done` calls (often the next smtpc_pool_send) must
 * not find a destination in the middle of a change.
 */
#include "gateway/smtp/smtpc_pool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/smtp/smtpc_dane.h"
#include "gateway/smtp/smtpc_dest.h"

enum { SWEEP_MS = 60 * 1000 };

/* ---- routes ---- */

static bool same_demand(const struct smtpc_host *a, const struct smtpc_host *b)
{
	if (a->own_tls != b->own_tls || a->name_sure != b->name_sure)
		return false;
	return !a->own_tls || (a->tls == b->tls && a->ctx == b->ctx && smtpc_dane_same(a->dane, b->dane));
}

static bool same_hosts(const struct smtpc_host *a, const struct smtpc_host *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(a[i].name, b[i].name) != 0 || !same_demand(&a[i], &b[i]) || a[i].naddrs != b[i].naddrs ||
		    memcmp(a[i].addrs, b[i].addrs, a[i].naddrs * sizeof a[i].addrs[0]) != 0)
			return false;
	}
	return true;
}

void smtpc_pool_drop_route(struct smtpc_route *r)
{
	if (!r || --r->refs > 0)
		return;
	for (size_t i = 0; i < r->nhosts; i++) {
		SSL_CTX_free(r->hosts[i].ctx);
		smtpc_dane_free(r->hosts[i].dane);
	}
	SSL_CTX_free(r->ctx);
	free(r);
}

static void check_host(struct smtpc_host *h)
{
	REQUIRE(h->naddrs <= sizeof h->addrs / sizeof h->addrs[0] && memchr(h->name, 0, sizeof h->name));
	/* A demand without a context that can check it is a bug: it must not end as mail in the clear. */
	REQUIRE(!h->own_tls || h->tls == SMTPC_TLS_NONE || h->ctx);
	REQUIRE(!h->own_tls || h->tls != SMTPC_TLS_VERIFY || SSL_CTX_get_verify_mode(h->ctx) & SSL_VERIFY_PEER);
	REQUIRE(!h->own_tls || h->tls != SMTPC_TLS_DANE || h->dane);
	if (!h->own_tls) {
		h->ctx = NULL;
		h->dane = NULL;
	}
	if (h->ctx)
		SSL_CTX_up_ref(h->ctx);
	smtpc_dane_ref(h->dane);
}

static struct smtpc_route *route_new(const struct smtpc_dest *d)
{
	struct smtpc_route *r = mem_new(sizeof *r + d->nhosts * sizeof r->hosts[0]);

	r->refs = 1;
	r->tls = d->tls;
	r->ctx = d->ctx;
	if (r->ctx)
		SSL_CTX_up_ref(r->ctx);
	r->nhosts = d->nhosts;
	if (d->nhosts)
		memcpy(r->hosts, d->hosts, d->nhosts * sizeof r->hosts[0]);
	for (size_t i = 0; i < r->nhosts; i++)
		check_host(&r->hosts[i]);
	return r;
}

/* With a reference for the caller. */
static struct smtpc_route *get_route(struct smtpc_site *s, const struct smtpc_dest *d)
{
	struct smtpc_route *r = s->route;

	if (!r || r->tls != d->tls || r->ctx != d->ctx || r->nhosts != d->nhosts ||
	    !same_hosts(r->hosts, d->hosts, d->nhosts)) {
		r = route_new(d);
		smtpc_pool_drop_route(s->route);
		s->route = r;
	}
	r->refs++;
	return r;
}

/* ---- destinations by key ---- */

/* Keys are domain names that strangers choose: seeded, so that nobody can aim at one chain. */
static size_t hash(const struct smtpc_pool *p, const char *key)
{
	uint64_t h = p->seed ^ 0xcbf29ce484222325u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 0x100000001b3u;
	return (size_t)((h ^ h >> 32) % SMTPC_POOL_HASH);
}

static struct smtpc_site *find(const struct smtpc_pool *p, const char *key)
{
	for (struct smtpc_site *s = p->sites[hash(p, key)]; s; s = s->next) {
		if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

static struct smtpc_site *site_new(struct smtpc_pool *p, const char *key)
{
	struct smtpc_site *s = mem_new(sizeof *s);
	struct smtpc_site **at = &p->sites[hash(p, key)];

	s->pool = p;
	s->key = mem_str(key);
	s->last = &s->first;
	s->limit = (size_t)p->set->first_connections;
	if (s->limit > (size_t)p->set->connections)
		s->limit = (size_t)p->set->connections;
	s->next = *at;
	*at = s;
	p->nsites++;
	return s;
}

static void site_free(struct smtpc_site *s)
{
	smtpc_pool_drop_route(s->route);
	s->pool->nsites--;
	free(s->key);
	free(s);
}

/* Nothing under way, and long enough since the back-off that its count says nothing any more. */
static bool forgotten(const struct smtpc_site *s)
{
	return s->njobs == 0 && s->nlines == 0 && s->until + s->pool->set->backoff_max < loop_now_ms();
}

static void on_sweep(void *ctx)
{
	struct smtpc_pool *p = ctx;

	for (size_t i = 0; i < SMTPC_POOL_HASH; i++) {
		for (struct smtpc_site **at = &p->sites[i]; *at;) {
			struct smtpc_site *s = *at;

			if (!forgotten(s)) {
				at = &s->next;
				continue;
			}
			*at = s->next;
			site_free(s);
		}
	}
	if (p->nsites > 0)
		loop_timer_set(p->sweep, SWEEP_MS);
}

/* ---- results ---- */

bool smtpc_pool_undecided(const struct smtpc_job *j)
{
	for (size_t i = 0; i < j->mail->nrcpts; i++) {
		if (!j->mail->rcpts[i].ok && j->mail->rcpts[i].pr.cls == PROBLEM_NONE)
			return true;
	}
	return false;
}

void smtpc_pool_give(struct smtpc_job *j, const struct problem *pr)
{
	for (size_t i = 0; i < j->mail->nrcpts; i++) {
		struct smtpc_rcpt *r = &j->mail->rcpts[i];

		if (!r->ok && r->pr.cls == PROBLEM_NONE)
			r->pr = *pr;
	}
}

void smtpc_pool_finish(struct smtpc_job *j)
{
	struct smtpc_pool *p = j->site->pool;

	REQUIRE(!smtpc_pool_undecided(j));
	j->next = NULL;
	*p->done_last = j;
	p->done_last = &j->next;
	loop_timer_set(p->tell, 0);
}

static void tell_one(struct smtpc_pool *p, struct smtpc_job *j)
{
	j->site->njobs--;
	p->njobs--;
	smtpc_pool_drop_route(j->route);
	j->mail->done(j->mail->ctx, j->mail, j->remote, j->tls);
	free(j);
}

static void on_tell(void *ctx)
{
	struct smtpc_pool *p = ctx;
	struct smtpc_job *list = p->done;

	/* What finishes meanwhile waits for the next round: sending again from inside done starves nobody. */
	p->done = NULL;
	p->done_last = &p->done;
	while (list) {
		struct smtpc_job *j = list;

		list = j->next;
		tell_one(p, j);
	}
}

/* ---- the pool ---- */

struct smtpc_pool *smtpc_pool_new(struct loop *l, const struct smtpc_settings *set, const char *helo)
{
	struct smtpc_pool *p = mem_new(sizeof *p);

	p->loop = l;
	p->set = set;
	p->helo = mem_str(helo);
	arc4random_buf(&p->seed, sizeof p->seed);
	p->sessions = smtpc_tls_store_new();
	p->done_last = &p->done;
	p->tell = loop_timer_new(l, on_tell, p);
	p->sweep = loop_timer_new(l, on_sweep, p);
	return p;
}

static void end_site(struct smtpc_site *s, const struct problem *pr)
{
	while (s->first) {
		struct smtpc_job *j = s->first;

		s->first = j->next;
		smtpc_pool_give(j, pr);
		smtpc_pool_finish(j);
	}
	s->last = &s->first;
	for (struct smtpc_line *l = s->lines; l; l = l->next) {
		if (!l->job)
			continue;
		smtpc_pool_give(l->job, pr);
		smtpc_pool_finish(l->job);
	}
	smtpc_dest_end(s);
}

static void shutting_down(struct problem *pr)
{
	problem_set(pr, PROBLEM_TEMP, 451, "4.3.2", "", "the gateway is shutting down; the mail stays in the queue");
}

void smtpc_pool_free(struct smtpc_pool *p)
{
	struct problem pr;

	if (!p)
		return;
	p->ending = true;
	shutting_down(&pr);
	for (size_t i = 0; i < SMTPC_POOL_HASH; i++) {
		for (struct smtpc_site *s = p->sites[i]; s; s = s->next)
			end_site(s, &pr);
	}
	while (p->done)
		on_tell(p);
	for (size_t i = 0; i < SMTPC_POOL_HASH; i++) {
		while (p->sites[i]) {
			struct smtpc_site *s = p->sites[i];

			p->sites[i] = s->next;
			site_free(s);
		}
	}
	smtpc_tls_store_free(p->sessions);
	loop_timer_free(p->tell);
	loop_timer_free(p->sweep);
	free(p->helo);
	free(p);
}

static struct smtpc_job *job_new(struct smtpc_site *s, const struct smtpc_dest *d, struct smtpc_mail *m)
{
	struct smtpc_job *j = mem_new(sizeof *j);

	j->site = s;
	j->mail = m;
	j->route = get_route(s, d);
	s->njobs++;
	s->pool->njobs++;
	return j;
}

void smtpc_pool_send(struct smtpc_pool *p, const struct smtpc_dest *d, struct smtpc_mail *m)
{
	struct smtpc_site *s = find(p, d->key);

	/* A demand without a context that can check it is a bug: it must not end as mail in the clear. */
	REQUIRE(d->tls == SMTPC_TLS_NONE || d->ctx);
	REQUIRE(d->tls != SMTPC_TLS_DANE);
	REQUIRE(d->tls != SMTPC_TLS_VERIFY || SSL_CTX_get_verify_mode(d->ctx) & SSL_VERIFY_PEER);
	if (!s)
		s = site_new(p, d->key);
	struct smtpc_job *j = job_new(s, d, m);
	struct problem pr;

	if (p->ending) {
		shutting_down(&pr);
		smtpc_pool_give(j, &pr);
		smtpc_pool_finish(j);
		return;
	}
	*s->last = j;
	s->last = &j->next;
	loop_timer_set(p->sweep, SWEEP_MS);
	smtpc_dest_run(s);
}

/* Of one chain: who waits for a connection, has the fewest. */
static struct smtpc_site *poorest(struct smtpc_site *chain)
{
	struct smtpc_site *found = NULL;

	for (struct smtpc_site *s = chain; s; s = s->next) {
		if (s->first && s->nlines < s->limit && (!found || s->nlines < found->nlines))
			found = s;
	}
	return found;
}

void smtpc_pool_room(struct smtpc_pool *p)
{
	/* Only with the total used up does anybody wait for another destination's connection. */
	if (p->ending || p->nlines + 1 < (size_t)p->set->connections_total)
		return;
	for (size_t i = 1; i <= SMTPC_POOL_HASH; i++) {
		size_t at = (p->turn + i) % SMTPC_POOL_HASH;
		struct smtpc_site *s = poorest(p->sites[at]);

		if (s) {
			if (smtpc_dest_run(s)) /* there was room */
				p->turn = at;
			return;
		}
	}
}

bool smtpc_pool_close_idle(struct smtpc_pool *p)
{
	for (size_t i = 0; i < SMTPC_POOL_HASH; i++) {
		for (struct smtpc_site *s = p->sites[i]; s; s = s->next) {
			if (smtpc_dest_close_idle(s))
				return true;
		}
	}
	return false;
}

int64_t smtpc_pool_backoff(struct smtpc_pool *p, const char *key, struct problem *pr)
{
	struct smtpc_site *s = find(p, key);
	int64_t until = s ? smtpc_dest_backed_off(s) : 0;
	struct timespec now;

	if (!until)
		return 0;
	if (pr)
		*pr = s->problem;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + (until - loop_now_ms());
}

void smtpc_pool_wake(struct smtpc_pool *p, const char *key)
{
	struct smtpc_site *s = find(p, key);

	if (s)
		s->until = 0;
}

size_t smtpc_pool_busy(const struct smtpc_pool *p, const char *key)
{
	const struct smtpc_site *s = key ? find(p, key) : NULL;

	return key ? s ? s->njobs : 0 : p->njobs;
}

size_t smtpc_pool_connections(const struct smtpc_pool *p, const char *key)
{
	const struct smtpc_site *s = key ? find(p, key) : NULL;

	return key ? s ? s->nlines : 0 : p->nlines;
}
