/*
 * One recipient of one sender. Role judge. What cannot be read now makes the whole answer temporary (P1): a partner
 * whose entry cannot be found is not an unlisted partner.
 */
#include "gateway/proc/judge_resolve.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/proc/judge_find.h"
#include "gateway/proc/judge_format.h"
#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_log.h"
#include "gateway/proc/judge_rule.h"
#include "gateway/proc/judge_xsmg_own.h"
#include "gateway/proc/judge_xsmg_use.h"
#include "gateway/xsmg/xsmg_field.h"

struct question {
	struct store *store;
	const struct judge_world *w;
	struct source_run *run; /* NULL: nobody may be asked */
	struct address sender, recipient;
	int64_t now;
	struct arena *arena;
	struct judge_verdict *v;
	struct problem *pr;
};

static int read_addresses(struct question *q, const struct judge_resolve *rq)
{
	size_t n = strlen(rq->sender);

	if (n > 0 && address_parse_utf8(rq->sender, n, &q->sender, q->pr) < 0)
		return problem_prefix(q->pr, "sender: ");
	if (address_parse_utf8(rq->recipient, strlen(rq->recipient), &q->recipient, q->pr) < 0)
		return problem_prefix(q->pr, "recipient: ");
	return 0;
}

static int words_of(struct question *q, const char *treatment, const char *strength, const char *what)
{
	enum policy_treatment t;
	enum policy_strength s;

	if (policy_treatment_parse(treatment, &t) < 0 || policy_strength_parse(strength, &s) < 0)
		return problem_temp(q->pr, "the store is damaged: %s has treatment \"%s\", strength \"%s\"", what,
		    treatment, strength);
	q->v->treatment = (uint8_t)t;
	q->v->strength = (uint8_t)s;
	return 0;
}

/* The entry of the person, else of the domain. 1 found, 0 not, -1. */
static int find_partner(struct question *q)
{
	const struct judge_owner *o;

	if (judge_cache_person(q->w->cache, q->store, &q->recipient, &o, q->pr) < 0)
		return -1;
	if (!o->partner && judge_cache_owner(q->w->cache, q->store, q->recipient.domain, &o, q->pr) < 0)
		return -1;
	if (!o->partner)
		return 0;
	(void)snprintf(q->v->rule, sizeof q->v->rule, "partner %.119s", o->name);
	return words_of(q, o->partner->treatment, o->partner->strength, q->v->rule) < 0 ? -1 : 1;
}

static int exempt_of(struct question *q, const struct store_rule *r, uint8_t *bits_r)
{
	if (policy_exempt_parse(r->exempt ? r->exempt : "", bits_r) < 0)
		return problem_temp(
		    q->pr, "the store is damaged: rule \"%s\" has exemptions \"%s\"", r->name, r->exempt);
	return 0;
}

/* A message whose author is not its envelope sender (a notice with the null path, an automatic reply) must not slip
 * past the author's rule: the sealer then takes the strictest that any sender has for this recipient. */
static int strictest(struct question *q, const struct store_rule *rules, size_t n)
{
	uint8_t t = q->v->treatment, s = q->v->strength, most_t = t, most_s = s, exempt;

	for (size_t i = 0; i < n; i++) {
		if (!judge_rule_matches(rules[i].recipient, &q->recipient))
			continue;
		if (words_of(q, rules[i].treatment, rules[i].strength, rules[i].name) < 0 ||
		    exempt_of(q, &rules[i], &exempt) < 0)
			return -1;
		q->v->any_exempt &= exempt;
		if (q->v->treatment > most_t)
			most_t = q->v->treatment;
		if (q->v->strength > most_s)
			most_s = q->v->strength;
	}
	q->v->treatment = t;
	q->v->strength = s;
	q->v->any_treatment = most_t;
	q->v->any_strength = most_s;
	return 0;
}

static void add_rule(struct judge_verdict *v, const char *words)
{
	size_t at = strlen(v->rule);

	(void)snprintf(v->rule + at, sizeof v->rule - at, "%s", words);
}

/* What the partner's trusted statement refuses to take less than. The admin's "never" stands: it is his to say. */
static int find_demand(struct question *q)
{
	const struct judge_owner *o;
	struct judge_verdict *v = q->v;
	enum judge_xsmg_demand demand;
	enum policy_treatment least;

	if (judge_cache_owner(q->w->cache, q->store, q->recipient.domain, &o, q->pr) < 0)
		return -1;
	demand = judge_xsmg_use_demands(o, &least);
	if (demand == JUDGE_XSMG_NO_DEMAND || v->strength == POLICY_NEVER)
		return 0;
	if (v->treatment >= least && v->strength == POLICY_REQUIRE)
		return 0;
	if (v->treatment < least)
		v->treatment = (uint8_t)least;
	v->strength = POLICY_REQUIRE;
	add_rule(v, demand == JUDGE_XSMG_LOST ? ", demanded because trust in its statement was lost"
					      : ", demanded by its statement");
	return 0;
}

/* What is to be signed is sealed for a partner that reads a signature in no other form. */
static int find_signed(struct question *q)
{
	const struct judge_owner *o;
	struct judge_verdict *v = q->v;
	enum judge_xsmg_signed form;

	if (judge_cache_owner(q->w->cache, q->store, q->recipient.domain, &o, q->pr) < 0)
		return -1;
	form = judge_xsmg_use_signed(o);
	v->no_signed = form != JUDGE_XSMG_SIGNED_ALONE;
	if (form != JUDGE_XSMG_SIGNED_SEALED)
		return 0;
	if (v->any_treatment == POLICY_SIGN)
		v->any_treatment = POLICY_SEAL;
	if (v->treatment != POLICY_SIGN || v->strength == POLICY_NEVER)
		return 0;
	v->treatment = POLICY_SEAL;
	add_rule(v, ", sealed because its statement says that it reads no signature in another form");
	return 0;
}

/* Rule by first match, then the partner's entry, then the default. */
static int find_rule(struct question *q)
{
	const struct store_rule *rules, *r;
	size_t n;
	int listed;

	(void)snprintf(q->v->rule, sizeof q->v->rule, "default");
	q->v->treatment = (uint8_t)q->w->treatment;
	q->v->strength = (uint8_t)q->w->strength;
	listed = find_partner(q);
	if (listed < 0 || judge_cache_rules(q->w->cache, q->store, &rules, &n, q->pr) < 0)
		return -1;
	q->v->listed = listed > 0;
	r = judge_rule_first(rules, n, &q->sender, &q->recipient);
	if (r) {
		(void)snprintf(q->v->rule, sizeof q->v->rule, "rule \"%.119s\"", r->name);
		if (words_of(q, r->treatment, r->strength, q->v->rule) < 0 || exempt_of(q, r, &q->v->exempt) < 0)
			return -1;
	}
	if (find_demand(q) < 0)
		return -1;
	q->v->any_exempt = q->v->exempt;
	return strictest(q, rules, n) < 0 ? -1 : find_signed(q);
}

static int find_seen(struct question *q)
{
	const struct judge_owner *o;

	if (judge_cache_owner(q->w->cache, q->store, q->recipient.domain, &o, q->pr) < 0)
		return -1;
	q->v->seen_protected = o->seen > 0;
	if (judge_cache_person(q->w->cache, q->store, &q->recipient, &o, q->pr) < 0)
		return -1;
	q->v->seen_protected = q->v->seen_protected || o->seen > 0;
	return 0;
}

/* Which of our domains speaks. A notice has the empty sender: then it is ours when we have but one, else the first.
 */
static const char *signing_domain(const struct question *q)
{
	if (address_is_null(&q->sender) && q->w->ndomains > 0)
		return q->w->domains[0];
	return judge_world_domain(q->w, q->sender.domain) >= 0 ? q->sender.domain : NULL;
}

/* The network is not asked for what nobody will encrypt to. A reply to sealed mail is sealed whatever the rule says:
 * that partner was seen protected. */
static bool may_need_certs(const struct judge_verdict *v)
{
	return v->seen_protected || (v->treatment == POLICY_SEAL && v->strength != POLICY_NEVER) ||
	       (v->any_treatment == POLICY_SEAL && v->any_strength != POLICY_NEVER);
}

static int find_certs(struct question *q, struct judge_certs *certs)
{
	struct judge_verdict *v = q->v;

	struct judge_find find;
	struct judge_certs_question cq = {.w = q->w,
	    .store = q->store,
	    .run = may_need_certs(v) ? q->run : NULL,
	    .rcpt = &q->recipient,
	    .local = signing_domain(q),
	    .options = &find.o,
	    .listed = v->listed,
	    .strict =
		v->listed || v->seen_protected || v->strength == POLICY_REQUIRE || v->any_strength == POLICY_REQUIRE,
	    .remember = !judge_cache_supposed(q->w->cache),
	    .now = q->now};

	if (judge_find(q->w, q->store, &q->recipient, &find, q->pr) < 0 ||
	    judge_certs_find(&cq, q->arena, certs, q->pr) < 0)
		return -1;
	v->certs = (uint8_t)certs->state;
	(void)snprintf(v->cert_why, sizeof v->cert_why, "%s", certs->why);
	/* nothing goes out, in the clear or signed alone either */
	if (certs->held)
		return problem_temp(q->pr, "mail to %.120s waits: %.350s", q->recipient.domain, certs->why);
	if (certs->state != POLICY_CERTS_USABLE)
		return 0;
	v->rcpt_certs[0] = certs->best;
	v->nrcpt_certs = 1;
	v->personal = certs->personal;
	return 0;
}

/* What the partner's gateway says that it takes. Mail for one person's certificate is not its gateway's to read. */
static int find_reader(struct question *q)
{
	struct judge_verdict *v = q->v;
	const struct judge_owner *o;
	char why[300];

	if (judge_cache_owner(q->w->cache, q->store, q->recipient.domain, &o, q->pr) < 0)
		return -1;
	if (judge_xsmg_use_reads(o, &v->octets_max, why, sizeof why) == 0 || v->personal)
		return 0;
	v->certs = POLICY_CERTS_UNUSABLE;
	v->nrcpt_certs = 0;
	(void)snprintf(v->cert_why, sizeof v->cert_why, "%s", why);
	return 0;
}

/* An entry below the floor stands in the way of encrypting, as a certificate that is too weak does. */
static int find_format(struct question *q)
{
	struct judge_verdict *v = q->v;
	struct problem pr = {0};
	struct judge_format f;

	if (judge_format(q->w, q->store, &q->recipient, v->personal, &f, &pr) == 0) {
		v->format = f.f;
		return find_reader(q);
	}
	if (pr.cls != PROBLEM_POLICY) {
		*q->pr = pr;
		return -1;
	}
	v->format = q->w->format;
	v->certs = POLICY_CERTS_UNUSABLE;
	v->nrcpt_certs = 0;
	(void)snprintf(v->cert_why, sizeof v->cert_why, "%.399s", pr.text);
	return 0;
}

static int copy(struct arena *a, const uint8_t *p, size_t n, struct judge_octets *o_r)
{
	*o_r = (struct judge_octets){n > 0 ? (const uint8_t *)arena_dup(a, p, n) : NULL, n};
	return n > 0 && !o_r->p ? -1 : 0;
}

static int set_signer(struct question *q, const struct store_identity *i)
{
	struct judge_verdict *v = q->v;
	struct judge_cert *k;

	if (copy(q->arena, i->cert, i->cert_len, &v->sign_cert) < 0 ||
	    copy(q->arena, i->chain, i->chain_len, &v->sign_chain) < 0)
		return problem_temp(q->pr, "the signing certificate of %s does not fit into memory", i->domain);
	(void)snprintf(v->sign_key, sizeof v->sign_key, "%s", i->key_id);
	k = judge_cache_cert(q->w->cache, i->cert, i->cert_len, q->pr);
	if (!k)
		return -1;
	v->sign_domain = cert_bound(k->x, &q->sender, CERT_TO_SIGN) != CERT_BOUND_ADDRESS;
	judge_cert_drop(k);
	v->have_signer = true;
	return 0;
}

static int find_signer(struct question *q)
{
	const char *domain = signing_domain(q);
	const struct store_identity *i;
	struct judge_verdict *v = q->v;
	char why[sizeof v->signer_why];

	if (!domain) {
		(void)snprintf(v->signer_why, sizeof v->signer_why, "the sender's domain %.150s is not one of ours",
		    q->sender.domain);
		return 0;
	}
	if (judge_identities_find(q->w->cache, q->store, domain, STORE_SIGN, q->now, &i, why, sizeof why, q->pr) < 0)
		return -1;
	(void)snprintf(v->signer_why, sizeof v->signer_why, "%s", why);
	if (!i)
		return 0;
	if (set_signer(q, i) < 0)
		return -1;
	if (judge_identities_find(q->w->cache, q->store, domain, STORE_DECRYPT, q->now, &i, why, sizeof why, q->pr) <
	    0)
		return -1;
	if (i && copy(q->arena, i->cert, i->cert_len, &v->enc_cert) < 0)
		return problem_temp(q->pr, "the certificate of %s does not fit into memory", i->domain);
	return 0;
}

/* Where our statement is found, for a partner whose gateway cannot ask for it beside the mail: one that was not seen
 * to offer XSMG itself, or does not any more. A domain's signature alone carries it. */
static int find_statement(struct question *q)
{
	struct judge_verdict *v = q->v;
	struct judge_xsmg_statement own;
	const struct judge_owner *o;
	char url[STATEMENT_URL_MAX + 1], host[256], value[XSMG_FIELD_MAX];
	struct problem pr = {0};
	unsigned port;

	if (!q->w->own || !v->have_signer || !v->sign_domain)
		return 0;
	if (judge_cache_owner(q->w->cache, q->store, q->recipient.domain, &o, q->pr) < 0)
		return -1;
	if (o->statement && o->statement->offered != 0 && o->statement->missed == 0)
		return 0;
	judge_xsmg_own_where(q->w->own, signing_domain(q), url, host, &port);
	/* mail goes without it when it cannot be told now */
	if (url[0] && judge_xsmg_own_current(q->w->own, signing_domain(q), q->now, &own, &pr) > 0 &&
	    xsmg_field_write(own.id, url, value) == 0)
		(void)snprintf(v->statement, sizeof v->statement, XSMG_FIELD_NAME ": %s\r\n", value);
	return 0;
}

static int own_domain(struct question *q)
{
	(void)snprintf(q->v->rule, sizeof q->v->rule, "own domain");
	(void)snprintf(q->v->cert_why, sizeof q->v->cert_why, "%s is a domain of ours", q->recipient.domain);
	q->v->treatment = POLICY_CLEAR;
	q->v->strength = POLICY_NEVER;
	return 0;
}

int judge_resolve_trace(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_resolve *rq, int64_t now, struct arena *a, struct judge_verdict *v_r,
    struct judge_certs *certs_r)
{
	struct question q = {.store = s, .w = w, .run = run, .now = now, .arena = a, .v = v_r, .pr = &v_r->pr};
	struct judge_certs own;
	struct judge_certs *certs = certs_r ? certs_r : &own;

	REQUIRE(w->cache);
	memset(v_r, 0, sizeof *v_r);
	certs->nseen = 0;
	judge_cache_begin(w->cache, s);
	if (read_addresses(&q, rq) == 0) {
		if (judge_world_domain(w, q.recipient.domain) >= 0)
			return own_domain(&q);
		if (find_rule(&q) == 0 && find_seen(&q) == 0 && find_certs(&q, certs) == 0 && find_format(&q) == 0 &&
		    find_signer(&q) == 0 && find_statement(&q) == 0)
			return 0;
	}
	/* Whatever it was, half an answer is none. */
	v_r->temp = true;
	v_r->have_signer = false;
	v_r->nrcpt_certs = 0;
	v_r->certs = POLICY_CERTS_UNCERTAIN;
	return -1;
}

int judge_resolve(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_resolve *rq, int64_t now, struct arena *a, struct judge_verdict *v_r)
{
	int rc = judge_resolve_trace(s, w, run, rq, now, a, v_r, NULL);

	judge_log_certs(w, run, rq, v_r);
	return rc;
}
