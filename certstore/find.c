/*
 * The order of places, and what is concluded from them (promise P1).
 *
 * Order `own`: all places are asked at once; their answers are used by strength, a weaker one's only when every
 * stronger one surely has nothing usable. Order `direct`: the places one after the other, the address before the
 * domain; the first that has any certificate decides, even if none of its certificates may be used. What is in the
 * store and may be used needs no network. One that ran out never hides one that is valid.
 *
 * Uncertain is: a place that could not be asked, or whose answer is not to be believed. For a partner that is listed,
 * was seen protected or must be protected that is always "try later". For any other a mere silence of DNS in a zone
 * that is not signed counts as nothing there, and stands in the trace; all else is "try later" as well.
 */
#include "certstore/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/find_dns.h"
#include "certstore/find_http.h"
#include "certstore/find_ldap.h"
#include "certstore/find_work.h"
#include "certstore/trace.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

struct look {
	struct find_work w;
	const struct find_question *q;
	struct arena *arena; /* the caller's */
	struct find_result *r;
	struct problem *pr;
	size_t others; /* certificates that are not to encrypt to at all */
	bool doubt, vouched;
	bool waiting; /* for an answer that decides */
	char uncertain[400];
};

/* Places that are asked, by tier. The store is not asked. */
static void (*const askers[FIND_TIERS])(struct find_work *) = {
    [FIND_SMIMEA] = find_dns_smimea,
    [FIND_SMG] = find_dns_smg,
    [FIND_CERT] = find_dns_cert,
    [FIND_LDAP] = find_ldap,
    [FIND_HTTP] = find_http,
};

/* 1 for whoever can go no further. */
static int wait_for(struct look *l)
{
	l->waiting = true;
	return 1;
}

static struct trace *trace_of(const struct look *l)
{
	return l->q->run ? l->q->run->trace : NULL;
}

/* ---- one certificate ---- */

static int choose(struct look *l, const struct find_cert *c)
{
	char *der = arena_dup(l->arena, c->der.p, c->der.n);

	if (!der)
		return problem_temp(l->pr, "the certificate of %s does not fit into memory", c->owner);
	l->r->state = FIND_USABLE;
	l->r->best = (struct find_octets){(const uint8_t *)der, c->der.n};
	l->r->chosen = l->r->nseen;
	return 0;
}

static void note_worth(struct look *l, const struct find_weight *wt)
{
	if (wt->worth == FIND_OTHER)
		l->others++;
	else if (wt->worth == FIND_DOUBT && !l->doubt)
		(void)snprintf(l->uncertain, sizeof l->uncertain, "%.399s", wt->why);
	l->doubt = l->doubt || wt->worth == FIND_DOUBT;
	l->vouched = l->vouched || wt->vouched;
	if (wt->worth == FIND_BAD && l->r->state == FIND_NONE)
		l->r->state = FIND_UNUSABLE;
}

/* Of two of one age the same one each time, whatever the order in which a server sends them. */
static bool is_newer(const struct find_weight *a, const struct find_weight *b)
{
	return a->not_before > b->not_before || (a->not_before == b->not_before && strcmp(a->sha256, b->sha256) > 0);
}

static int keep(struct look *l, const struct find_cert *c, const struct find_weight *wt)
{
	struct find_result *r = l->r;
	bool better = wt->worth == FIND_GOOD && (r->state != FIND_USABLE || is_newer(wt, &r->seen[r->chosen].w));
	struct find_seen *s;

	/* What one says against using it counts, whether there is room to show it or not. */
	note_worth(l, wt);
	if (r->nseen == FIND_SEEN_MAX) {
		/* Full: the place of the last one that is not chosen; a usable one is never lost. */
		if (!better)
			return 0;
		r->nseen--;
	}
	if (better && choose(l, c) < 0)
		return -1;
	s = &r->seen[r->nseen++];
	(void)snprintf(s->owner, sizeof s->owner, "%s", c->owner);
	(void)snprintf(s->place, sizeof s->place, "%s", c->place);
	s->pinned = c->pinned;
	s->w = *wt;
	s->der = (struct find_octets){
	    l->q->all ? (const uint8_t *)arena_dup(l->arena, c->der.p, c->der.n) : NULL, c->der.n};
	return 0;
}

static void tell(struct look *l, const struct find_cert *c, const struct find_weight *wt)
{
	static const char *const words[] = {[FIND_GOOD] = "usable",
	    [FIND_BAD] = "not usable",
	    [FIND_OTHER] = "passed over",
	    [FIND_DOUBT] = "uncertain"};
	struct trace_step *t =
	    trace_add(trace_of(l), c->place, "certificate %.16s... of %.300s", wt->sha256, c->owner);

	if (!t)
		return;
	(void)snprintf(t->answer, sizeof t->answer, "%s: %s", words[wt->worth], wt->why);
	memcpy(t->sha256, wt->sha256, sizeof t->sha256);
}

static int weigh(struct look *l, const struct find_cert *c)
{
	struct find_weight wt = {.worth = FIND_BAD};

	if (l->q->weigh(l->q->ctx, c, &wt, l->pr) < 0)
		return -1;
	tell(l, c, &wt);
	return keep(l, c, &wt);
}

/* Records of a signed zone that say which certificates of other places count: one of them must fit. */
static int weigh_by_hints(struct look *l, struct find_cert *c)
{
	struct find_weight wt = {.worth = FIND_BAD};

	for (size_t i = 0; i < l->w.nhints; i++) {
		c->dane = l->w.hints[i];
		wt = (struct find_weight){.worth = FIND_BAD};
		if (l->q->weigh(l->q->ctx, c, &wt, l->pr) < 0)
			return -1;
		if (wt.worth != FIND_BAD)
			break;
	}
	tell(l, c, &wt);
	return keep(l, c, &wt);
}

static int weigh_step(struct look *l, struct find_step *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct find_cert c = {.der = s->v[i],
		    .owner = s->owner,
		    .place = s->place,
		    .source = s->source,
		    .dane = s->dane[i],
		    .issuers = s->issuers,
		    .nissuers = s->nissuers};

		if (l->w.weighed++ >= l->q->limits->weigh_max) {
			find_work_passed(&l->w, s, "the certificates from the %uth on are not looked at",
			    l->q->limits->weigh_max + 1);
			s->cut = true;
			return 0;
		}
		if ((!c.dane && l->w.nhints > 0 ? weigh_by_hints(l, &c) : weigh(l, &c)) < 0)
			return -1;
	}
	return 0;
}

/* ---- the store ---- */

static int weigh_kept(struct look *l, enum find_source source, bool address)
{
	for (size_t i = 0; i < l->q->nkept; i++) {
		const struct find_cert *c = &l->q->kept[i];

		if (c->source == source && (strchr(c->owner, '@') != NULL) == address && weigh(l, c) < 0)
			return -1;
	}
	return 0;
}

/* What the admin put there, what the domain's statement gives, what was harvested; the address before the domain.
 * Direct knows the first alone. */
static int look_in_store(struct look *l)
{
	static const struct {
		enum find_source source;
		bool address;
	} passes[] = {{FIND_BY_ADMIN, true}, {FIND_BY_ADMIN, false}, {FIND_BY_STATEMENT, false},
	    {FIND_HARVESTED, true}, {FIND_HARVESTED, false}};
	size_t n = l->q->options->order == FIND_DIRECT ? 2 : sizeof passes / sizeof *passes;
	struct trace_step *t;

	if (l->q->nkept == 0) {
		t = trace_add(trace_of(l), "store", "%s", l->w.address);
		if (t)
			(void)snprintf(t->answer, sizeof t->answer, "no certificate of the address or the domain");
	}
	for (size_t i = 0; i < n && l->r->state != FIND_USABLE; i++)
		if (weigh_kept(l, passes[i].source, passes[i].address) < 0)
			return -1;
	return 0;
}

/* ---- conclusions ---- */

/* Does this step keep the whole uncertain? What does not is said in the trace. */
static bool is_uncertain(struct look *l, struct find_step *s)
{
	struct trace_step *t;

	if (s->answer != FIND_STEP_TEMP)
		return false;
	if (s->hard || l->q->strict) {
		if (!l->uncertain[0])
			(void)snprintf(l->uncertain, sizeof l->uncertain, "%s", s->why);
		return true;
	}
	t = trace_add(trace_of(l), "decision", "%s of %s", s->place, s->owner);
	if (t)
		(void)snprintf(t->answer, sizeof t->answer,
		    "counts as none: the zone is not signed, the partner is not listed and was never seen protected");
	return false;
}

/* 1 decided, 0 the next tier, -1. */
static int conclude_own(struct look *l, enum find_tier tier)
{
	bool uncertain = false;

	for (int address = 1; address >= 0; address--) {
		for (size_t i = 0; i < l->w.nsteps; i++) {
			struct find_step *s = l->w.steps[i];

			if (s->tier != tier || s->address != (address == 1))
				continue;
			if (s->answer == FIND_STEP_PENDING)
				return wait_for(l);
			if (weigh_step(l, s) < 0)
				return -1;
			uncertain = is_uncertain(l, s) || uncertain;
		}
		if (l->r->state == FIND_USABLE)
			return 1;
	}
	if (!uncertain && !l->doubt)
		return 0;
	l->r->state = FIND_UNCERTAIN;
	return 1;
}

static int conclude_direct(struct look *l, enum find_tier tier)
{
	for (size_t i = 0; i < l->w.nsteps; i++) {
		struct find_step *s = l->w.steps[i];

		if (s->tier != tier)
			continue;
		if (s->answer == FIND_STEP_PENDING)
			return wait_for(l);
		if (weigh_step(l, s) < 0)
			return -1;
		if (l->r->state != FIND_USABLE && (is_uncertain(l, s) || l->doubt))
			l->r->state = FIND_UNCERTAIN;
		if (l->r->state == FIND_USABLE || l->r->state == FIND_UNCERTAIN)
			return 1;
		if (s->n > 0) {
			(void)trace_add(trace_of(l), "decision",
			    "%s of %s has certificates: no other place is looked at", s->place, s->owner);
			return 1;
		}
	}
	return 0;
}

static int look_in_network(struct look *l)
{
	int (*conclude)(struct look *, enum find_tier) =
	    l->q->options->order == FIND_DIRECT ? conclude_direct : conclude_own;
	unsigned before = l->q->run->pending, weighing;
	int rc = 0;

	for (unsigned t = 0; t < FIND_TIERS; t++)
		if ((l->q->options->tiers & FIND_TIER(t)) && askers[t])
			askers[t](&l->w);
	weighing = l->q->run->pending;
	for (unsigned t = 0; t < FIND_TIERS && rc == 0; t++)
		rc = conclude(l, (enum find_tier)t);
	/* Decided by what is known already: the weaker places need not be waited for. */
	if (rc > 0 && !l->waiting && l->q->run->pending == weighing)
		l->q->run->pending = before;
	return rc < 0 ? -1 : 0;
}

/* ---- words ---- */

/* Whole clauses alone: what does not fit is in the trace. */
static void add(struct look *l, const char *lead, const char *text)
{
	static const char more[] = "; ...";
	size_t at = strlen(l->r->why), room = sizeof l->r->why - at;

	if (at == 0)
		(void)snprintf(l->r->why, room, "%s", text);
	else if (strlen(lead) + strlen(text) + sizeof more <= room)
		(void)snprintf(l->r->why + at, room, "%s%s", lead, text);
	else if (room >= sizeof more && (at < sizeof more || strcmp(l->r->why + at - sizeof more + 1, more) != 0))
		(void)snprintf(l->r->why + at, room, "%s", more);
}

static void say_none(struct look *l)
{
	const char *domain = l->q->who->domain;
	bool told = l->q->who->local[0] && !l->w.untold, any = false;
	char text[640], places[200] = "";

	if (l->others) {
		(void)snprintf(text, sizeof text,
		    "there is no certificate for %.255s to encrypt to, only for signing (%zu)", domain, l->others);
	} else if (l->w.nsteps == 0) {
		(void)snprintf(text, sizeof text, "there is no certificate for %.255s in the store", domain);
	} else {
		for (unsigned t = 0; t < FIND_TIERS; t++)
			if ((l->q->options->tiers & FIND_TIER(t)) && (told || t != FIND_SMIMEA)) {
				(void)snprintf(places + strlen(places), sizeof places - strlen(places), "%s%s",
				    any ? ", " : "",
				    t == FIND_STORE ? "the store" : find_options_tier_word((enum find_tier)t));
				any = true;
			}
		(void)snprintf(text, sizeof text, "there is no certificate for %.255s (looked in %s%s)", domain,
		    places, l->w.untold ? "; by-address keeps the address itself from being asked for" : "");
	}
	add(l, "; ", text);
}

/* The sentences that stand in a refusal: of each certificate to encrypt to, what speaks against it; or that there is
 * none. */
static void say_why(struct look *l)
{
	struct find_result *r = l->r;

	if (r->state == FIND_USABLE) {
		(void)snprintf(r->why, sizeof r->why, "%.399s", r->seen[r->chosen].w.why);
		return;
	}
	if (r->state == FIND_UNCERTAIN)
		add(l, "; ", l->uncertain);
	for (size_t i = 0; i < r->nseen; i++)
		if (r->seen[i].w.worth == FIND_BAD)
			add(l, "; ", r->seen[i].w.why);
	if (r->state == FIND_UNUSABLE && !r->why[0])
		add(l, "", "none of its certificates to encrypt to may be used, and there are more than are shown");
	if (r->state == FIND_NONE)
		say_none(l);
	for (size_t i = 0; i < l->w.nsteps && r->state != FIND_UNCERTAIN; i++)
		if (l->w.steps[i]->why[0])
			add(l, "; ", l->w.steps[i]->why);
}

static void tell_result(struct look *l)
{
	static const char *const words[] = {[FIND_NONE] = "none",
	    [FIND_USABLE] = "used",
	    [FIND_UNUSABLE] = "none that may be used",
	    [FIND_UNCERTAIN] = "cannot be told now"};
	struct trace_step *t = trace_add(trace_of(l), "decision", "certificate for %s", l->w.address);

	if (!t)
		return;
	(void)snprintf(t->answer, sizeof t->answer, "%s: %s", words[l->r->state], l->r->why);
	if (l->r->state == FIND_USABLE)
		memcpy(t->sha256, l->r->seen[l->r->chosen].w.sha256, sizeof t->sha256);
}

static bool asks_network(const struct find_question *q)
{
	return q->run && (q->options->tiers & ~FIND_TIER(FIND_STORE)) && q->who->domain[0] &&
	       q->who->domain[0] != '[';
}

/*
 * Anybody can publish a certificate, and nobody here vouches for this one: to a partner who was never heard of that
 * is as if there were none. Not so when the admin or a signer gave one, when it ran out or was revoked by somebody
 * who is believed, or in the profile Direct, which sends nothing then.
 */
static bool nobody_vouches(struct look *l)
{
	const struct find_result *r = l->r;
	struct trace_step *t;

	if (r->state != FIND_UNUSABLE || l->q->strict || l->q->nkept > 0 || l->vouched ||
	    l->q->options->order == FIND_DIRECT)
		return false;
	for (size_t i = 0; i < l->w.nsteps; i++)
		if (l->w.steps[i]->tier == FIND_SMIMEA && (l->w.steps[i]->n > 0 || l->w.nhints > 0))
			return false;
	t = trace_add(trace_of(l), "decision", "certificates found for %s", l->w.address);
	if (t)
		(void)snprintf(t->answer, sizeof t->answer,
		    "count as none: the partner is not listed and was never seen protected");
	return true;
}

/* "None" is too much said: what was not looked at may have been it, or a signed zone names one (its hash, or its CA)
 * that no place has. */
static void doubt_none(struct look *l)
{
	if (l->w.nhints > 0) {
		l->r->state = FIND_UNUSABLE;
		add(l, "; ",
		    "an SMIMEA record of a signed zone names a certificate that was found in none of the places");
	}
	for (size_t i = 0; l->q->strict && i < l->w.nsteps && l->r->state == FIND_NONE; i++) {
		const struct find_step *s = l->w.steps[i];

		if (!s->cut)
			continue;
		l->r->state = FIND_UNCERTAIN;
		(void)snprintf(l->uncertain, sizeof l->uncertain,
		    "%.60s of %.200s has more than is looked at, and what is looked at has no certificate", s->place,
		    s->owner);
	}
}

static int look(struct look *l)
{
	if ((l->q->options->tiers & FIND_TIER(FIND_STORE)) && look_in_store(l) < 0)
		return -1;
	if (l->doubt && l->r->state != FIND_USABLE)
		l->r->state = FIND_UNCERTAIN;
	if (l->r->state != FIND_USABLE && l->r->state != FIND_UNCERTAIN && asks_network(l->q) &&
	    look_in_network(l) < 0)
		return -1;
	if (nobody_vouches(l))
		l->r->state = FIND_NONE;
	if (l->r->state == FIND_NONE)
		doubt_none(l);
	say_why(l);
	tell_result(l);
	return 0;
}

int find_certificate(const struct find_question *q, struct arena *a, struct find_result *r_r, struct problem *pr)
{
	struct look *l = mem_new(sizeof *l);
	int rc;

	memset(r_r, 0, sizeof *r_r);
	l->q = l->w.q = q;
	l->arena = a;
	l->r = r_r;
	l->pr = pr;
	l->w.mem = arena_new(FIND_MEMORY);
	if (q->who->local[0])
		(void)address_text(q->who, l->w.address);
	else
		(void)snprintf(l->w.address, sizeof l->w.address, "%s", q->who->domain);
	rc = look(l);
	for (size_t i = 0; i < l->w.nsteps; i++)
		free(l->w.steps[i]);
	arena_free(l->w.mem);
	free(l);
	return rc;
}
