/* The relay's questions and notes about statements. Role judge. */
#include "gateway/proc/judge_xsmg_relay.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg.h"
#include "gateway/proc/judge_xsmg_alarm.h"
#include "gateway/proc/judge_xsmg_fetch.h"
#include "gateway/proc/judge_xsmg_hints.h"
#include "gateway/proc/judge_xsmg_hosts.h"
#include "gateway/proc/judge_xsmg_own.h"
#include "gateway/proc/partner_statement_settings.h"

enum { HOUR_S = 3600, DAY_S = 86400, KEEP_S = 300 };

static const struct partner_statement_settings *settings(const struct judge_world *w)
{
	return w->statements ? w->statements : partner_statement_settings_default();
}

static void trouble(const struct problem *pr)
{
	log_error(NULL, "judge", "alarm=store why=\"%s\"", pr->text);
}

/* ---- ours, asked for ---- */

void judge_xsmg_relay_get(
    const struct judge_world *w, const struct judge_statement_get *q, int64_t now, struct judge_statement_found *r_r)
{
	struct judge_xsmg_statement own;
	struct problem pr = {0};
	int rc;

	memset(r_r, 0, sizeof *r_r);
	r_r->status = JUDGE_STATEMENT_NOT_OURS;
	if (!w->own || judge_world_domain(w, q->domain) < 0)
		return;
	rc = judge_xsmg_own_current(w->own, q->domain, now, &own, &pr);
	if (rc <= 0) {
		r_r->status = JUDGE_STATEMENT_LATER;
		return;
	}
	(void)snprintf(r_r->id, sizeof r_r->id, "%s", own.id);
	r_r->status = strcmp(q->id, own.id) == 0 ? JUDGE_STATEMENT_CURRENT : JUDGE_STATEMENT_NEWER;
	if (r_r->status == JUDGE_STATEMENT_NEWER)
		r_r->der = (struct judge_octets){own.der, own.n};
}

/* ---- theirs ---- */

/* A hint: it is fetched by its URL now, and asked for at the next delivery. */
static void follow_hint(const struct judge_world *w, struct store *s, const char *domain, int64_t now)
{
	static struct judge_xsmg_hints followed;
	struct store_statement *st;
	struct problem pr = {0};

	if (!judge_xsmg_hints_may(&followed, domain, now))
		return;
	judge_xsmg_fetch_start(w->fetch, domain);
	if (store_statement_get(s, domain, &st, &pr) < 0) {
		trouble(&pr);
		return;
	}
	if (st && st->fetched != 0) {
		st->fetched = 0;
		if (store_statement_note(s, st, &pr) < 0)
			trouble(&pr);
	}
	store_statements_free(st, st ? 1 : 0);
}

void judge_xsmg_relay_came(const struct judge_world *w, struct store *s, struct source_run *run,
    const struct judge_statement_came *m, int64_t now)
{
	struct judge_xsmg_octets o = {.domain = m->domain,
	    .way = m->how == JUDGE_STATEMENT_HINT ? JUDGE_XSMG_BY_PUT : JUDGE_XSMG_BY_GET,
	    .where = m->remote,
	    .der = m->der.p,
	    .n = m->der.n};
	struct judge_xsmg_result r;
	struct problem pr = {0};

	if (judge_world_domain(w, m->domain) >= 0)
		return;
	if (judge_xsmg_take(w, s, run, &o, now, &r, &pr) < 0)
		trouble(&pr);
	else if ((!run || run->pending == 0) && r.action == XSMG_DO_CONFIRM)
		follow_hint(w, s, m->domain, now);
}

/* ---- beside a delivery ---- */

static bool get_is_due(
    const struct judge_world *w, const struct judge_owner *o, const struct store_statement *st, int64_t now)
{
	int64_t age;

	if (!st)
		return o->partner != NULL;
	age = now - st->fetched;
	if (age < 0 || age > settings(w)->ask_after / 1000)
		return true;
	return age > HOUR_S && st->trusted.der && st->trusted.expires - now < DAY_S;
}

static void put_is_due(const struct judge_world *w, struct store *s, const struct judge_xsmg_question *q, int64_t now,
    struct judge_xsmg_duty *d)
{
	struct judge_xsmg_statement own;
	char held[STORE_STATEMENT_ID];
	struct problem pr = {0};

	if (!w->own || !q->ours[0] || judge_world_domain(w, q->ours) < 0)
		return;
	if (store_statement_held(s, q->partner, q->ours, held, &pr) < 0) {
		trouble(&pr);
		return;
	}
	if (judge_xsmg_own_current(w->own, q->ours, now, &own, &pr) <= 0 || strcmp(own.id, held) == 0)
		return;
	d->put = true;
	(void)snprintf(d->own, sizeof d->own, "%s", own.id);
	d->der = (struct judge_octets){own.der, own.n};
}

void judge_xsmg_relay_due(const struct judge_world *w, struct store *s, const struct judge_xsmg_question *q,
    int64_t now, struct judge_xsmg_duty *d_r)
{
	const struct store_statement *st;
	const struct judge_owner *o;
	struct problem pr = {0};

	memset(d_r, 0, sizeof *d_r);
	if (judge_world_domain(w, q->partner) >= 0)
		return;
	judge_cache_begin(w->cache, s);
	if (judge_cache_owner(w->cache, s, q->partner, &o, &pr) < 0) {
		trouble(&pr);
		return;
	}
	st = o->statement;
	d_r->keep_s = KEEP_S;
	d_r->expected = st && st->offered != 0 && st->missed == 0;
	d_r->get = get_is_due(w, o, st, now);
	/* while one waits for a decision it is asked for whole, because what speaks for its key may have changed */
	if (st && !st->waiting.der)
		(void)snprintf(d_r->held, sizeof d_r->held, "%s", st->trusted.id);
	if (!st && !o->partner)
		return; /* a keyword met at somebody else's is used for the next message */
	put_is_due(w, s, q, now, d_r);
	d_r->get = d_r->get || d_r->put; /* it is handed over behind an answered GET alone */
}

/* ---- what was seen ---- */

/* Is something kept of a domain that only offers? */
static bool may_keep(const struct judge_world *w, struct store *s, struct problem *pr)
{
	int64_t n;

	return store_statement_count(s, &n, pr) == 0 && n < settings(w)->partners_max;
}

static int offered(const struct judge_world *w, struct store *s, struct store_statement *st,
    const struct judge_xsmg_note *m, int64_t now, struct problem *pr)
{
	if (judge_xsmg_hosts_offers(s, settings(w), st->domain, m->remote, now, pr) < 0)
		return -1;
	judge_xsmg_alarm_over(st->domain, JUDGE_XSMG_ALARM_DOWNGRADE);
	if (st->missed == 0 && now >= st->offered && now - st->offered < HOUR_S)
		return 0;
	if (st->missed != 0)
		log_info(NULL, "judge", "xsmg-again of=%s", st->domain);
	if (st->offered_since == 0)
		st->offered_since = now;
	st->offered = now;
	st->missed = 0;
	return store_statement_note(s, st, pr);
}

/* Once trusted, and it stops: named, and nothing is taken back for it. */
static int missing(const struct judge_world *w, struct store *s, struct store_statement *st,
    const struct judge_xsmg_note *m, int64_t now, struct problem *pr)
{
	char detail[800];
	int known = judge_xsmg_hosts_offered(s, settings(w), st->domain, m->remote, now, pr);

	if (known < 0)
		return -1;
	/* a host that was never seen to offer it, beside one that was of late: a backup that lacks it */
	if (st->missed == 0 && known == 0 && now >= st->offered && now - st->offered < DAY_S) {
		log_info(NULL, "judge", "xsmg-not-there of=%s host=%s why=\"another host of it offers XSMG\"",
		    st->domain, m->remote);
		return 0;
	}
	judge_xsmg_alarm_note(st->domain, JUDGE_XSMG_ALARM_DOWNGRADE, m->words, now);
	if (st->missed != 0)
		return 0;
	st->missed = now;
	if (!judge_xsmg_alarm_due(st->domain, JUDGE_XSMG_ALARM_DOWNGRADE, now))
		return store_statement_note(s, st, pr);
	(void)snprintf(detail, sizeof detail,
	    "it offered XSMG since some time and does not any more: host %s: %s; mail to it is sealed as before",
	    m->remote, m->words);
	log_error(NULL, "judge", "alarm=downgrade of=%s host=%s why=\"%s\"", st->domain, m->remote, detail);
	st->alarmed = now;
	return store_statement_save(s, st, "judge", "statement.downgrade", detail, pr);
}

/* Mail in its name is not as it promised. Whether the author's domain sent it nobody knows: that is what the promise
 * is for. */
static int broken(
    struct store *s, struct store_statement *st, const struct judge_xsmg_note *m, int64_t now, struct problem *pr)
{
	char detail[800];

	if (!m->verified || !st->trusted.der)
		return 0; /* a test: the relay's log has it */
	judge_xsmg_alarm_note(st->domain, JUDGE_XSMG_ALARM_PROMISE, m->words, now);
	if (!judge_xsmg_alarm_due(st->domain, JUDGE_XSMG_ALARM_PROMISE, now))
		return 0;
	(void)snprintf(detail, sizeof detail,
	    "mail with an author of this domain came from %s and is %s, though its statement %s promises that all is",
	    m->remote, m->words, st->trusted.id);
	log_error(NULL, "judge", "alarm=broken-promise of=%s from=%s why=\"%s\"", st->domain, m->remote, detail);
	st->alarmed = now;
	return store_statement_save(s, st, "judge", "statement.broken-promise", detail, pr);
}

/* A word over a channel that proves nothing is no freshness: an old copy is looked for by URL. */
static int is_current(const struct judge_world *w, struct store *s, struct store_statement *st,
    const struct judge_xsmg_note *m, int64_t now, struct problem *pr)
{
	const struct store_statement_body *b = st->waiting.der ? &st->waiting : &st->trusted;

	if (!b->der || strcmp(b->id, m->id) != 0)
		return 0;
	if (now - b->issued > settings(w)->stale_after / 1000)
		judge_xsmg_fetch_start(w->fetch, st->domain);
	st->fetched = now;
	return store_statement_note(s, st, pr);
}

/* Anybody on the way can say 250: then it is handed over no more, and no rollover is hastened by it. */
static int taken(struct store *s, const struct judge_xsmg_note *m, int64_t now, struct problem *pr)
{
	return store_statement_held_put(s, m->partner, m->ours, m->id, m->verified ? now : 0, pr);
}

/* Mail names a statement. What an unbelieved signature says is a hint that the domain has one: it is looked for where
 * the domain itself would say so, and never where the mail does. Within encrypted mail it is no hint: whoever wrote
 * it chose the domain, and would see at its name server that the message was opened (P10). */
static void named(
    const struct judge_world *w, const struct store_statement *st, const struct judge_xsmg_note *m, int64_t now)
{
	static struct judge_xsmg_hints followed;
	bool inside = m->seen == JUDGE_XSMG_NAMED_INSIDE;

	if (st && ((st->trusted.der && strcmp(st->trusted.id, m->id) == 0) ||
		      (st->waiting.der && strcmp(st->waiting.id, m->id) == 0)))
		return;
	if (!statement_url_ok(m->words, strlen(m->words)))
		return;
	if (!m->verified) {
		if (!st && !inside)
			judge_xsmg_fetch_met(w->fetch, m->partner, now);
		return;
	}
	if (!judge_xsmg_hints_may(&followed, m->partner, now))
		return;
	log_info(NULL, "judge", "statement-named of=%s id=%s url=\"%s\"", m->partner, m->id, m->words);
	judge_xsmg_fetch_named(w->fetch, m->partner, m->words, inside);
}

static int note(const struct judge_world *w, struct store *s, struct store_statement *st,
    const struct judge_xsmg_note *m, int64_t now, struct problem *pr)
{
	switch (m->seen) {
	case JUDGE_XSMG_OFFERED:
		return offered(w, s, st, m, now, pr);
	case JUDGE_XSMG_MISSING:
		return missing(w, s, st, m, now, pr);
	case JUDGE_XSMG_BROKEN:
		return broken(s, st, m, now, pr);
	case JUDGE_XSMG_CURRENT:
		return is_current(w, s, st, m, now, pr);
	case JUDGE_XSMG_TAKEN:
		return taken(s, m, now, pr);
	case JUDGE_XSMG_NAMED:
	case JUDGE_XSMG_NAMED_INSIDE:
		named(w, st, m, now);
		return 0;
	case JUDGE_XSMG_MET: /* nothing new */
		return 0;
	case JUDGE_XSMG_FAILED:
	case JUDGE_XSMG_UNTAKEN:
		log_info(NULL, "judge", "xsmg of=%s host=%s result=%s why=\"%s\"", m->partner, m->remote,
		    m->seen == JUDGE_XSMG_FAILED ? "not-got" : "not-taken", m->words);
		return 0;
	}
	return 0;
}

void judge_xsmg_relay_note(const struct judge_world *w, struct store *s, const struct judge_xsmg_note *m, int64_t now)
{
	struct store_statement *st = NULL;
	struct problem pr = {0};
	int rc = 0;

	if (judge_world_domain(w, m->partner) >= 0)
		return;
	if (store_statement_get(s, m->partner, &st, &pr) < 0) {
		trouble(&pr);
		return;
	}
	if (!st && m->seen == JUDGE_XSMG_OFFERED && may_keep(w, s, &pr))
		st = store_statement_new(m->partner);
	if (st)
		rc = note(w, s, st, m, now, &pr);
	else if (m->seen == JUDGE_XSMG_NAMED || m->seen == JUDGE_XSMG_NAMED_INSIDE)
		named(w, NULL, m, now);
	else if (m->seen == JUDGE_XSMG_MET)
		judge_xsmg_fetch_met(w->fetch, m->partner, now);
	if (rc < 0)
		trouble(&pr);
	store_statements_free(st, st ? 1 : 0);
}

/* ---- packets ---- */

static void answer_get(const struct judge_world *w, struct ipc_in *in, int64_t now, struct ipc_out *o_r)
{
	struct judge_statement_get q;
	struct judge_statement_found r;

	if (judge_statement_get_get(in, &q) != 0)
		log_fatal("the relay's question for a statement cannot be read");
	judge_xsmg_relay_get(w, &q, now, &r);
	ipc_out_init(o_r, JUDGE_STATEMENT_FOUND, in->id);
	judge_statement_found_put(o_r, &r);
}

static void answer_due(
    const struct judge_world *w, struct store *s, struct ipc_in *in, int64_t now, struct ipc_out *o_r)
{
	struct judge_xsmg_question q;
	struct judge_xsmg_duty d;

	if (judge_xsmg_question_get(in, &q) != 0)
		log_fatal("the relay's question about a partner cannot be read");
	judge_xsmg_relay_due(w, s, &q, now, &d);
	ipc_out_init(o_r, JUDGE_XSMG_DUTY, in->id);
	judge_xsmg_duty_put(o_r, &d);
}

bool judge_xsmg_relay_packet(
    const struct judge_world *w, struct store *s, struct ipc_in *in, int64_t now, struct ipc_out *o_r)
{
	struct judge_xsmg_note m;

	if (in->type == JUDGE_STATEMENT_GET) {
		answer_get(w, in, now, o_r);
		return true;
	}
	if (in->type == JUDGE_XSMG_DUE) {
		answer_due(w, s, in, now, o_r);
		return true;
	}
	REQUIRE(in->type == JUDGE_XSMG_NOTE);
	if (judge_xsmg_note_get(in, &m) != 0)
		log_fatal("the relay's note about a partner cannot be read");
	judge_xsmg_relay_note(w, s, &m, now);
	return false;
}

void judge_xsmg_relay_came_packet(
    const struct judge_world *w, struct store *s, struct source_run *run, struct ipc_in *in, int64_t now)
{
	struct judge_statement_came m;
	struct arena *a = arena_new(2 * JUDGE_XSMG_OCTETS);

	if (judge_statement_came_get(in, a, &m) != 0)
		log_fatal("the relay's statement cannot be read");
	judge_xsmg_relay_came(w, s, run, &m, now);
	arena_free(a);
}
