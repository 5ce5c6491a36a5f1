/*
 * One destination. Role relay. RFC 5321 5.1, 4.5.4.1.
 *
 * A line takes a waiting mail, finds a host that answers, sends, and takes the next one. What failed before MAIL says
 * something about the host: the line goes on to the next address, and when none is left the destination is backed
 * off. What breaks in the middle of a mail may be the mail's own fault: it is tried once more elsewhere and then
 * waits, but the destination is not backed off, or one poisonous mail could stop all mail to it.
 */
#include "gateway/smtp/smtpc_dest.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/smtp/smtpc_dane.h"

enum { BROKEN_MAX = 2 };

static const struct smtpc_ops line_ops;

int64_t smtpc_dest_backed_off(const struct smtpc_site *s)
{
	return s->until > loop_now_ms() ? s->until : 0;
}

/* ---- lines ---- */

static struct smtpc_line *line_new(struct smtpc_site *s, struct smtpc_job *j)
{
	struct smtpc_line *l = mem_new(sizeof *l);

	l->site = s;
	l->job = j;
	l->route = j->route;
	l->route->refs++;
	/* line_free unlinks through prev, which the analyser does not follow */
	l->next = s->lines; /* NOLINT(clang-analyzer-unix.Malloc) */
	l->prev = &s->lines;
	if (l->next)
		l->next->prev = &l->next; /* NOLINT(clang-analyzer-unix.Malloc) */
	s->lines = l;
	s->nlines++;
	s->pool->nlines++;
	return l;
}

static void line_free(struct smtpc_line *l)
{
	*l->prev = l->next;
	if (l->next)
		l->next->prev = l->prev;
	l->site->nlines--;
	l->site->pool->nlines--;
	smtpc_pool_drop_route(l->route);
	free(l);
}

static bool is_idle(const struct smtpc_line *l)
{
	return !l->job && l->c && smtpc_idle(l->c);
}

static void line_quit(struct smtpc_line *l)
{
	smtpc_quit(l->c);
	line_free(l);
}

static enum smtpc_tls tls_of(const struct smtpc_route *r, size_t host)
{
	return r->hosts[host].own_tls ? r->hosts[host].tls : r->tls;
}

static SSL_CTX *ctx_of(const struct smtpc_route *r, size_t host)
{
	return r->hosts[host].own_tls ? r->hosts[host].ctx : r->ctx;
}

static bool same_demand(const struct smtpc_route *a, size_t i, const struct smtpc_route *b, size_t k)
{
	return tls_of(a, i) == tls_of(b, k) && ctx_of(a, i) == ctx_of(b, k) &&
	       a->hosts[i].name_sure == b->hosts[k].name_sure && smtpc_dane_same(a->hosts[i].dane, b->hosts[k].dane);
}

/* A mail may use a connection that was made under the same demand, to a host and address that are on its own list. */
static bool fits(const struct smtpc_line *l, const struct smtpc_route *r)
{
	const struct smtpc_host *h = &l->route->hosts[l->host];

	if (l->route == r)
		return true;
	for (size_t i = 0; i < r->nhosts; i++) {
		if (strcmp(r->hosts[i].name, h->name) != 0 || !same_demand(l->route, l->host, r, i))
			continue;
		for (size_t k = 0; k < r->hosts[i].naddrs; k++) {
			if (memcmp(&r->hosts[i].addrs[k], &h->addrs[l->addr], sizeof h->addrs[0]) == 0)
				return true;
		}
	}
	return false;
}

/* ---- which host next ---- */

static void remember(struct smtpc_line *l, const struct problem *pr)
{
	if (l->last.cls != PROBLEM_TEMP || pr->cls == PROBLEM_TEMP)
		l->last = *pr;
}

/* RFC 8689 4.2.1: hosts that need not be connected to, to know that they cannot be given the mail. */
static bool requiretls_ok(struct smtpc_line *l)
{
	enum smtpc_tls tls = tls_of(l->route, l->host);
	struct problem pr;

	if (!l->job->mail->env.requiretls ||
	    (l->route->hosts[l->host].name_sure && (tls == SMTPC_TLS_VERIFY || tls == SMTPC_TLS_DANE)))
		return true;
	problem_set(&pr, PROBLEM_PERM, 550, "5.7.30", "RFC 8689 4.2.1",
	    "the sender demands verified TLS all the way (REQUIRETLS), and for %s there is none: that needs DANE, "
	    "MTA-STS "
	    "or a configured host with verify",
	    l->route->hosts[l->host].name);
	l->unfit = true;
	remember(l, &pr);
	return false;
}

/* May this mail go to the host where the line stands? When TLS failed before, that is the reason, and in l->last. */
static bool allowed(struct smtpc_line *l)
{
	if (l->guarded && tls_of(l->route, l->host) < SMTPC_TLS_ENCRYPT)
		return false;
	return requiretls_ok(l);
}

static bool step(struct smtpc_line *l)
{
	l->clear = false;
	if (++l->addr < l->route->hosts[l->host].naddrs)
		return true;
	l->addr = 0;
	return ++l->host < l->route->nhosts;
}

/* Connects to the address where the line stands or one after it. False when none is left or enough were tried. */
static bool line_open(struct smtpc_line *l)
{
	struct smtpc_pool *p = l->site->pool;
	struct smtpc_trouble t;

	l->greeted = false;
	while (l->host < l->route->nhosts && l->tries < p->set->attempts) {
		const struct smtpc_host *h = &l->route->hosts[l->host];
		struct smtpc_way way = {.host = h->name,
		    .addr = &h->addrs[l->addr],
		    .tls = l->clear ? SMTPC_TLS_NONE : tls_of(l->route, l->host),
		    .ctx = ctx_of(l->route, l->host),
		    .dane = h->dane,
		    .name_sure = h->name_sure,
		    .sessions = p->sessions};

		if (!allowed(l)) {
			l->addr = h->naddrs; /* none of its addresses */
			step(l);
			continue;
		}
		l->tries++;
		if (l->addr < h->naddrs) {
			l->c = smtpc_new(p->loop, p->set, p->helo, &way, &line_ops, l, &t);
			if (l->c)
				return true;
			remember(l, &t.pr);
		}
		step(l);
	}
	return false;
}

/* ---- failure and success of the destination ---- */

static int64_t backoff_time(const struct smtpc_site *s)
{
	const struct smtpc_settings *set = s->pool->set;
	int64_t ms = set->backoff_min;

	for (unsigned i = 1; i < s->failures && ms < set->backoff_max; i++)
		ms *= 2;
	if (ms > set->backoff_max)
		ms = set->backoff_max;
	/* A quarter more or less, so that not all mails and gateways come back in one moment. */
	return ms - ms / 8 + (int64_t)arc4random_uniform((uint32_t)(ms / 4 + 1));
}

static bool any_ready(const struct smtpc_site *s)
{
	for (const struct smtpc_line *l = s->lines; l; l = l->next) {
		if (l->c && l->greeted)
			return true;
	}
	return false;
}

static void fail_waiting(struct smtpc_site *s)
{
	struct problem pr = s->problem;

	problem_prefix(&pr, "%s is left alone for a while after this failure: ", s->key);
	while (s->first) {
		struct smtpc_job *j = s->first;

		smtpc_pool_give(j, &pr);
		s->first = j->next;
		if (!s->first)
			s->last = &s->first;
		smtpc_pool_finish(j);
	}
}

static void back_off(struct smtpc_site *s, const struct problem *pr)
{
	int64_t ms;

	s->limit = s->limit > 1 ? s->limit / 2 : 1;
	if (any_ready(s))
		return; /* other connections to it work: there were only too many */
	s->failures++;
	s->problem = *pr;
	/* All waiting mails share the fate; whether a refusal for good is about them is for each one's own try to
	 * find out. */
	s->problem.cls = PROBLEM_TEMP;
	if (s->problem.enh[0] == '5')
		s->problem.enh[0] = '4';
	if (s->problem.code >= 500)
		s->problem.code = 451;
	ms = backoff_time(s);
	s->until = loop_now_ms() + ms;
	log_warn(NULL, "smtpc", "backoff destination=%s failures=%u seconds=%lld why=\"%s\"", s->key, s->failures,
	    (long long)(ms / 1000), pr->text);
	fail_waiting(s);
}

static void works(struct smtpc_site *s)
{
	s->failures = 0;
	s->until = 0;
	if (s->limit < (size_t)s->pool->set->connections)
		s->limit++;
}

/* ---- a line's life ---- */

static void finish_job(struct smtpc_line *l)
{
	struct smtpc_job *j = l->job;

	l->job = NULL;
	if (j)
		smtpc_pool_finish(j);
}

/* No address is left: the line ends, and its mail's turn with it. */
static void line_failed(struct smtpc_line *l)
{
	struct smtpc_site *s = l->site;
	struct problem pr = l->last;

	if (pr.cls == PROBLEM_NONE)
		problem_set(&pr, PROBLEM_TEMP, 451, "4.4.4", "RFC 5321 5.1", "no address is known for destination %s",
		    s->key);
	smtpc_pool_give(l->job, &pr);
	finish_job(l);
	bool unfit = l->unfit;

	line_free(l);
	if (!unfit)
		back_off(s, &pr);
}

/* A line has ended. Where the total is used up, those of other destinations have their turn first: else the ones with
 * much mail would keep it all. */
static void room_again(struct smtpc_site *s)
{
	smtpc_pool_room(s->pool);
	smtpc_dest_run(s);
}

static void line_over(struct smtpc_line *l)
{
	struct smtpc_site *s = l->site;

	line_free(l);
	room_again(s);
}

static void try_on(struct smtpc_line *l)
{
	struct smtpc_site *s = l->site;

	if (line_open(l))
		return;
	line_failed(l);
	room_again(s);
}

/* From the front again, over a new connection. */
static void start_over(struct smtpc_line *l)
{
	smtpc_pool_drop_route(l->route);
	l->route = l->job->route;
	l->route->refs++;
	l->host = l->addr = 0;
	l->tries = 0;
	l->mails = 0;
	l->clear = false;
	l->guarded = l->unfit = false;
	try_on(l);
}

/* Broken in the middle of a mail. */
static void broke(struct smtpc_line *l, const struct smtpc_trouble *t)
{
	remember(l, &t->pr);
	if (++l->job->broken < BROKEN_MAX && l->route != l->job->route) {
		start_over(
		    l); /* the line was kept from before: the mail's own route may demand more of the next host */
		return;
	}
	if (l->job->broken < BROKEN_MAX && step(l) && line_open(l))
		return;
	l->site->limit = l->site->limit > 1 ? l->site->limit / 2 : 1;
	smtpc_pool_give(l->job, &l->last);
	finish_job(l);
	line_over(l);
}

/* The question of XSMG was too much for the host, which says nothing of the mail: the same one, without it. */
static void again_plain(struct smtpc_line *l)
{
	if (l->route != l->job->route)
		start_over(l);
	else
		try_on(l);
}

static void note_where(struct smtpc_line *l, const struct smtpc *c)
{
	if (!l->job)
		return;
	REQUIRE(mem_copy_str(l->job->remote, sizeof l->job->remote, smtpc_remote(c)) == 0);
	smtpc_tls_words(c, l->job->tls, sizeof l->job->tls);
}

static void on_gone(void *ctx, struct smtpc *c, const struct smtpc_trouble *t)
{
	struct smtpc_line *l = ctx;
	bool kept = l->mails > 0;

	(void)c;
	l->c = NULL;
	if (!l->job) {
		line_over(l);
	} else if (!smtpc_pool_undecided(l->job)) {
		finish_job(l);
		line_over(l);
	} else if (kept && !l->job->stale && (!t || t->stage <= SMTPC_STAGE_MAIL)) {
		/* A kept connection may be closed by the other side at any time: nobody's failure. */
		l->job->stale = true;
		start_over(l);
	} else if (l->job->mail->xsmg && l->job->mail->xsmg->broke && !l->job->plain) {
		l->job->plain = true;
		again_plain(l);
	} else if (t && t->retry_clear && !l->clear) {
		l->clear = true;
		try_on(l);
	} else if (t && t->stage >= SMTPC_STAGE_MAIL) {
		broke(l, t);
	} else {
		if (t)
			remember(l, &t->pr);
		l->guarded |= t && t->unprotected;
		l->unfit |= t && t->unfit;
		step(l);
		try_on(l);
	}
}

static void on_ready(void *ctx, struct smtpc *c)
{
	struct smtpc_line *l = ctx;
	struct smtpc_site *s = l->site;

	l->greeted = true;
	l->tries = 0;
	note_where(l, c);
	if (l->job && smtpc_pool_undecided(l->job)) {
		smtpc_mail(c, l->job->mail);
		return;
	}
	if (l->job) {
		l->mails++;
		works(s);
		finish_job(l);
	}
	bool last = l->mails >= s->pool->set->messages || s->nlines > s->limit;

	if (smtpc_put_waits(c) && (last || !s->first)) {
		smtpc_put(c);
	} else if (last) {
		line_quit(l);
		room_again(s);
		return;
	}
	smtpc_dest_run(s);
	smtpc_pool_room(s->pool);
}

static const struct smtpc_ops line_ops = {.ready = on_ready, .gone = on_gone};

/* ---- waiting mails ---- */

static struct smtpc_line *idle_line(struct smtpc_site *s, const struct smtpc_route *fitting)
{
	for (struct smtpc_line *l = s->lines; l; l = l->next) {
		if (is_idle(l) && (!fitting || fits(l, fitting)))
			return l;
	}
	return NULL;
}

static struct smtpc_job *take_job(struct smtpc_site *s)
{
	struct smtpc_job *j = s->first;

	s->first = j->next;
	if (!s->first)
		s->last = &s->first;
	j->next = NULL;
	return j;
}

static void use_line(struct smtpc_line *l, struct smtpc_job *j)
{
	l->job = j;
	l->last.cls = PROBLEM_NONE;
	l->guarded = l->unfit = false;
	note_where(l, l->c);
	smtpc_mail(l->c, j->mail);
}

/* Makes room for one more connection, at the cost of an idle one. */
static bool make_room(struct smtpc_site *s)
{
	if (s->nlines >= s->limit && !smtpc_dest_close_idle(s))
		return false;
	if (s->pool->nlines >= (size_t)s->pool->set->connections_total)
		return smtpc_pool_close_idle(s->pool);
	return true;
}

bool smtpc_dest_run(struct smtpc_site *s)
{
	bool begun = false;

	if (smtpc_dest_backed_off(s))
		fail_waiting(s);
	while (s->first && !s->pool->ending) {
		struct smtpc_line *l = idle_line(s, s->first->route);

		begun |= l != NULL;
		if (l) {
			use_line(l, take_job(s));
			continue;
		}
		if (!make_room(s))
			break;
		begun = true;
		l = line_new(s, take_job(s));
		if (!line_open(l))
			line_failed(l);
	}
	return begun;
}

bool smtpc_dest_close_idle(struct smtpc_site *s)
{
	struct smtpc_line *l = idle_line(s, NULL);

	if (l)
		line_quit(l);
	return l != NULL;
}

void smtpc_dest_end(struct smtpc_site *s)
{
	for (struct smtpc_line *l = s->lines, *next; l; l = next) {
		next = l->next;
		if (is_idle(l)) {
			line_quit(l);
			continue;
		}
		smtpc_free(l->c);
		line_free(l);
	}
}
