/* explain: role judge; reads the store. The answer is computed by the same functions that answer the relay and decide
 * in the sealer. */
#include "gateway/proc/judge_admin_explain.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/mem.h"
#include "gateway/pipeline/outbound.h"
#include "gateway/policy/policy_in.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_anchor.h"
#include "gateway/proc/judge_admin_suppose.h"
#include "gateway/proc/judge_format.h"
#include "gateway/proc/judge_own.h"
#include "gateway/proc/judge_resolve.h"
#include "gateway/proc/judge_steps.h"
#include "gateway/proc/judge_weigh.h"

static void line(struct judge_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void line(struct judge_call *c, const char *fmt, ...)
{
	char text[1600];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	judge_call_add(json_object_get(c->data, "lines"), judge_call_text(text));
}

/* ---- outbound ---- */

static void tell_certs(struct judge_call *c, const struct judge_certs *certs)
{
	static const char *const states[] = {[POLICY_CERTS_NONE] = "none",
	    [POLICY_CERTS_USABLE] = "usable",
	    [POLICY_CERTS_UNCERTAIN] = "uncertain",
	    [POLICY_CERTS_UNUSABLE] = "unusable"};
	json_t *a = judge_call_array();

	for (size_t i = 0; i < certs->nseen; i++) {
		const struct judge_candidate *k = &certs->seen[i];
		bool chosen = certs->state == POLICY_CERTS_USABLE && i == certs->chosen;
		json_t *o = judge_call_object();

		judge_call_set(o, "owner", judge_call_text(k->owner));
		judge_call_set(o, "place", judge_call_text(k->place));
		judge_call_set(o, "sha256", judge_call_text(k->sha256));
		judge_call_set(o, "usable", json_boolean(k->usable));
		judge_call_set(o, "chosen", json_boolean(chosen));
		judge_call_set(o, "pinned", json_boolean(k->pinned));
		judge_call_set(o, "why", judge_call_text(k->why));
		judge_call_add(a, o);
		line(c, "%s %s", chosen ? "used:" : k->usable ? "usable:" : "not usable:", k->why);
	}
	judge_call_set(c->data, "certificates", a);
	judge_call_set(c->data, "cert_state", judge_call_text(states[certs->state]));
	judge_call_set(c->data, "cert_why", judge_call_text(certs->why));
	if (certs->nseen == 0 || (certs->state == POLICY_CERTS_UNCERTAIN &&
				     (certs->nseen > 1 || strcmp(certs->why, certs->seen[0].why) != 0)))
		line(c, "%s", certs->why);
}

static void tell_rule(struct judge_call *c, const struct judge_verdict *v)
{
	const char *t = policy_treatment_word((enum policy_treatment)v->treatment);
	const char *s = policy_strength_word((enum policy_strength)v->strength);
	char exempt[POLICY_EXEMPT_TEXT_MAX];

	judge_call_set(c->data, "rule", judge_call_text(v->rule));
	judge_call_set(c->data, "treatment", judge_call_text(t));
	judge_call_set(c->data, "strength", judge_call_text(s));
	judge_call_set(c->data, "listed", json_boolean(v->listed));
	judge_call_set(c->data, "seen_protected", json_boolean(v->seen_protected));
	line(c, "asked for by %s: treatment %s, strength %s", v->rule, t, s);
	if (v->exempt) {
		policy_exempt_print(v->exempt, exempt);
		line(c, "but for content that it exempts: %s", exempt);
	}
	line(c, "the partner is %slisted and was %s", v->listed ? "" : "not ",
	    v->seen_protected ? "seen protected before: it is never served in the clear" : "never seen protected");
}

static void tell_signer(struct judge_call *c, const struct judge_verdict *v)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "have", json_boolean(v->have_signer));
	judge_call_set(o, "key_id", judge_call_text(v->sign_key));
	judge_call_set(o, "why", judge_call_text(v->signer_why));
	judge_call_set(c->data, "signer", o);
	if (v->have_signer)
		line(c, "we sign with the key %s", v->sign_key);
	else
		line(c, "we have no signing certificate for the sender: %s", v->signer_why);
}

static void tell_ec(struct judge_call *c, const struct judge_verdict *v)
{
	struct judge_cert *k;

	if (v->nrcpt_certs == 0)
		return;
	k = judge_cache_cert(c->ja->world->cache, v->rcpt_certs[0].p, v->rcpt_certs[0].n, NULL);
	if (k && strncmp(k->f.key, "EC", 2) == 0)
		line(c, "the certificate has the key %s: instead of key= it is ECDH", k->f.key);
	judge_cert_drop(k);
}

/* The options that count for the treatment: of mail that is only signed no cipher, no key, nothing hidden. */
static unsigned options_of(const struct judge_verdict *v)
{
	if (v->treatment == POLICY_SEAL || v->any_treatment == POLICY_SEAL)
		return FORMAT_ALL;
	return FORMAT_GIVEN(FORMAT_DIGEST) | FORMAT_GIVEN(FORMAT_SIGNATURE) | FORMAT_GIVEN(FORMAT_ALONE) |
	       FORMAT_GIVEN(FORMAT_WRAP) | FORMAT_GIVEN(FORMAT_CALENDAR);
}

/* How it is written, and whose word that is. */
static int tell_format(struct judge_call *c, const struct judge_resolve *rq, const struct judge_verdict *v)
{
	char text[FORMAT_TEXT_MAX], part[FORMAT_TEXT_MAX], said[11];
	struct address to;
	struct problem pr = {0};
	struct judge_format f;
	unsigned which = options_of(v);

	if (v->treatment < POLICY_SIGN && v->any_treatment < POLICY_SIGN)
		return 0;
	if (address_parse_utf8(rq->recipient, strlen(rq->recipient), &to, c->pr) < 0)
		return -1;
	if (judge_format(c->ja->world, c->store, &to, v->personal, &f, &pr) < 0) {
		line(c, "not written: %s", pr.text);
		return 0;
	}
	format_print(&f.f, which, text);
	judge_call_set(c->data, "format", judge_call_text(text));
	line(c, "written with %s", text);
	if (which == FORMAT_ALL)
		tell_ec(c, v);
	if (v->personal)
		line(c, "the certificate is the person's own: a format set for the domain %s does not count for it",
		    to.domain);
	format_print(&f.f, f.from_admin & which, part);
	if (f.from_admin & which)
		line(c, "of that, %s: set in the entry of %s", part, f.entries);
	format_print(&f.f, f.from_statement & which, part);
	if (f.from_statement & which)
		line(c, "of that, %s: what the trusted statement of its gateway says that it reads", part);
	format_print(&f.f, f.from_caps & which, part);
	if (f.from_caps & which)
		line(c, "of that, %s: what its reader said that it can on %s, in mail signed by %s", part,
		    cert_day(f.said, said), f.signer);
	return 0;
}

static void tell_decision(
    struct judge_call *c, const struct judge_resolve *rq, const struct judge_verdict *v, bool reply)
{
	static const char *const actions[] = {
	    [POLICY_PASS] = "pass", [POLICY_REFUSE] = "refuse", [POLICY_LATER] = "later"};
	struct policy_out f;
	struct policy_decision d;
	char text[700];
	json_t *o = judge_call_object();
	/* what follows is then the answer without DANE and MTA-STS */
	bool looked_up = v->treatment == POLICY_TLS && !c->ja->world->tls_verified;

	outbound_facts(v, c->ja->world->tls_verified, reply ? JOB_YES : JOB_NO, &f);
	policy_outbound(rq->sender, rq->recipient, &f, &d);
	judge_call_set(o, "action", judge_call_text(actions[d.action]));
	judge_call_set(
	    o, "treatment", judge_call_text(d.action == POLICY_PASS ? policy_treatment_word(d.treatment) : ""));
	judge_call_set(o, "why", judge_call_text(d.why));
	(void)snprintf(text, sizeof text, "%d %s %s", d.pr.code, d.pr.enh, d.pr.text);
	judge_call_set(o, "reply", judge_call_text(d.action == POLICY_PASS ? "" : text));
	judge_call_set(o, "asked_at_rcpt", json_boolean(looked_up));
	judge_call_set(c->data, "decision", o);
	if (looked_up)
		line(c,
		    "verified TLS is not configured for the next hop: when mail is sent, DANE (TLSA records under "
		    "DNSSEC) or an enforced MTA-STS policy of the partner count as well. They are looked up when the "
		    "client names the recipient (RCPT) and not here: with either the mail goes over verified TLS, "
		    "while they cannot be had it is put off (451), and where there is surely neither:");
	if (d.action == POLICY_PASS)
		line(c, "so it goes out: %s", d.why);
	else
		line(c, "so it is %s: %s", d.action == POLICY_REFUSE ? "refused" : "put off", text);
}

static int outbound(struct judge_call *c, const struct judge_resolve *rq, bool reply)
{
	struct arena *a = arena_new(256 * 1024);
	struct judge_verdict *v = mem_new(sizeof *v);
	struct judge_certs *certs = mem_new(sizeof *certs);
	int rc = judge_resolve_trace(c->store, c->ja->world, c->run, rq, c->now, a, v, certs);

	judge_call_set(c->data, "steps", judge_steps(c->run ? c->run->trace : NULL));
	if (rc < 0) {
		*c->pr = v->pr;
		c->code = v->pr.cls == PROBLEM_TEMP ? "unavailable" : "usage";
	} else {
		tell_rule(c, v);
		tell_certs(c, certs);
		tell_signer(c, v);
		rc = tell_format(c, rq, v);
		tell_decision(c, rq, v, reply);
	}
	free(certs);
	free(v);
	arena_free(a);
	return rc;
}

/* ---- inbound ---- */

static int tell_signer_cert(struct judge_call *c, const struct address *from, const struct store_cert *sc, json_t *a)
{
	struct judge_cache *cache = c->ja->world->cache;
	struct judge_weighing q = {
	    .run = c->run, .who = from, .use = CERT_TO_SIGN, .dir = STORE_IN, .pinned = sc->pinned, .now = c->now};
	struct judge_cert *k = judge_cache_cert(cache, sc->der, sc->der_len, NULL);
	enum trust_result result = TRUST_BAD;
	char why[600] = "certificate unreadable";
	json_t *o = judge_call_object();
	int rc = k ? judge_weigh(cache, c->store, k, &q, &result, why, sizeof why, c->pr) : 0;

	judge_cert_drop(k);
	judge_call_set(o, "owner", judge_call_text(sc->owner));
	judge_call_set(o, "sha256", judge_call_text(sc->sha256));
	judge_call_set(o, "usable", json_boolean(result == TRUST_GOOD));
	judge_call_set(o, "pinned", json_boolean(sc->pinned));
	judge_call_set(o, "why", judge_call_text(why));
	judge_call_add(a, o);
	line(c, "signatures by it are %s: %s", result == TRUST_GOOD ? "believed" : "not believed", why);
	return rc;
}

static int tell_signers_of(struct judge_call *c, const struct address *from, const char *owner, json_t *a)
{
	const struct judge_owner *o;
	const struct store_cert *list;
	size_t n;
	int rc = 0;

	if (judge_cache_owner(c->ja->world->cache, c->store, owner, &o, c->pr) < 0)
		return -1;
	list = o->certs; /* weighing them looks at others */
	n = o->ncerts;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = tell_signer_cert(c, from, &list[i], a);
	return rc;
}

/* The anchors of a partner that is supposed to be gone went with it. */
static void leave_out(struct judge_call *c, json_t *anchors)
{
	const struct judge_supposed *s = judge_cache_supposed(c->ja->world->cache);

	if (!s || s->name[0] == '\0' || s->partner)
		return;
	for (size_t i = json_array_size(anchors); i > 0; i--) {
		const char *scope = json_string_value(json_object_get(json_array_get(anchors, i - 1), "scope"));

		if (scope && strcmp(scope, s->name) == 0)
			(void)json_array_remove(anchors, i - 1);
	}
}

static int tell_signers(struct judge_call *c, const struct address *from)
{
	char person[ADDRESS_TEXT_MAX];
	json_t *a = judge_call_array(), *anchors;

	judge_call_set(c->data, "signers", a);
	(void)address_text(from, person);
	for (char *p = person; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (tell_signers_of(c, from, person, a) < 0 || tell_signers_of(c, from, from->domain, a) < 0 ||
	    judge_admin_anchor_rows(c, from->domain, &anchors) < 0)
		return -1;
	leave_out(c, anchors);
	judge_call_set(c->data, "anchors", anchors);
	line(c, "%zu anchors may vouch for other signers of %s", json_array_size(anchors), from->domain);
	return 0;
}

static int tell_openers(struct judge_call *c, const char *domain)
{
	struct store_identity *list;
	json_t *a = judge_call_array();
	size_t n, open = 0;

	judge_call_set(c->data, "opens", a);
	if (store_identities(c->store, domain, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list[i].use == STORE_DECRYPT && list[i].cert && !list[i].retired) {
			judge_call_add(a, judge_own_row(c, &list[i]));
			open++;
		}
	store_identities_free(list, n);
	line(c, "mail encrypted to %zu certificates of %s can be opened", open, domain);
	return 0;
}

static void tell_actions(struct judge_call *c, const struct policy_in_rules *r)
{
	const char *part;
	json_t *o;

	if (!r)
		return;
	part = r->part == POLICY_CHOICE_REFUSE ? "refuse" : policy_in_action_word((enum policy_in_action)r->part);
	o = judge_call_object();
	judge_call_set(o, "unsigned", judge_call_text(policy_in_action_word(r->unsigned_clear)));
	judge_call_set(o, "untrusted", judge_call_text(policy_in_action_word(r->untrusted)));
	judge_call_set(o, "broken", judge_call_text(policy_in_action_word(r->broken)));
	judge_call_set(o, "sealed_unsigned", judge_call_text(policy_in_action_word(r->sealed_unsigned)));
	judge_call_set(o, "encrypted_part", judge_call_text(part));
	judge_call_set(c->data, "actions", o);
	line(c,
	    "neither signed nor encrypted: %s; signer not believed: %s; signature broken: %s; encrypted without a "
	    "believed signature: %s",
	    policy_in_action_word(r->unsigned_clear), policy_in_action_word(r->untrusted),
	    policy_in_action_word(r->broken), policy_in_action_word(r->sealed_unsigned));
	line(c, "an encrypted part beside others: %s%s", part,
	    r->part == POLICY_CHOICE_REFUSE ? " (what came encrypted is held for it)" : "");
}

static int inbound(struct judge_call *c, const struct address *from, const struct address *to, int domain)
{
	const struct judge_world *w = c->ja->world;

	line(c, "incoming mail for %s, a domain of ours", to->domain);
	if (tell_openers(c, to->domain) < 0 || tell_signers(c, from) < 0)
		return -1;
	tell_actions(c, w->in_rules ? &w->in_rules[domain] : NULL);
	return 0;
}

/* Nobody named: the postmaster of our first domain. */
static int read_sender(struct judge_call *c, char sender[ADDRESS_TEXT_MAX], struct address *from)
{
	if (judge_call_owner(c, "sender", JUDGE_MAY, sender, from) < 0)
		return -1;
	if (sender[0] || c->ja->world->ndomains == 0)
		return 0;
	(void)snprintf(from->local, sizeof from->local, "postmaster");
	(void)snprintf(from->domain, sizeof from->domain, "%s", c->ja->world->domains[0]);
	(void)address_text(from, sender);
	return 0;
}

/* ---- the whole ---- */

struct question {
	struct judge_resolve rq;
	struct address from, to;
	bool reply;
};

static int read_question(struct judge_call *c, struct question *q)
{
	char sender[ADDRESS_TEXT_MAX], recipient[ADDRESS_TEXT_MAX];

	if (read_sender(c, sender, &q->from) < 0 ||
	    judge_call_owner(c, "recipient", JUDGE_MUST, recipient, &q->to) < 0 ||
	    judge_call_bool(c, "reply_to_sealed", false, &q->reply) < 0)
		return -1;
	if (!q->from.local[0] || !q->to.local[0])
		return judge_call_fail(
		    c, "usage", "explain wants an address, such as bob@lab.example, or two: sender and recipient");
	(void)address_text(&q->from, q->rq.sender);
	(void)address_text(&q->to, q->rq.recipient);
	return 0;
}

/* Into c->data. */
static int answer(struct judge_call *c, const struct question *q)
{
	int ours = judge_world_domain(c->ja->world, q->to.domain);

	judge_call_set(c->data, "lines", judge_call_array());
	judge_call_set(c->data, "sender", judge_call_text(q->rq.sender));
	judge_call_set(c->data, "recipient", judge_call_text(q->rq.recipient));
	if (ours >= 0 && judge_world_domain(c->ja->world, q->from.domain) >= 0) {
		judge_call_set(c->data, "direction", judge_call_text("local"));
		line(c, "both domains are ours: it goes to the inside server of %s as it is", q->to.domain);
		return 0;
	}
	judge_call_set(c->data, "direction", judge_call_text(ours >= 0 ? "inbound" : "outbound"));
	return ours >= 0 ? inbound(c, &q->from, &q->to, ours) : outbound(c, &q->rq, q->reply);
}

/* One of two answers: what cannot be told now is said in it, for the other one counts, too. */
static json_t *side(struct judge_call *c, const struct question *q)
{
	struct problem *outer_pr = c->pr, pr = {0};
	json_t *outer = c->data, *o = judge_call_object();

	c->data = o;
	c->pr = &pr;
	if (answer(c, q) < 0)
		judge_call_set(o, "failed", judge_call_text(pr.text));
	c->data = outer;
	c->pr = outer_pr;
	c->code = NULL;
	return o;
}

static bool is_same(const json_t *a, const json_t *b, const char *name)
{
	const json_t *x = json_object_get(a, name), *y = json_object_get(b, name);

	return x == y || json_equal(x, y); /* both NULL: neither has it */
}

/* As it is, and as it would be. Each may ask as much as one alone, and has its own steps. */
static int compare(struct judge_call *c, const struct question *q, const struct judge_admin_suppose *s)
{
	json_t *now = side(c, q), *then;
	unsigned asked = c->run ? c->run->asked : 0;

	if (c->run)
		c->run->asked = 0;
	if (c->run && c->run->trace)
		trace_restart(c->run->trace);
	judge_cache_suppose(c->ja->world->cache, judge_admin_supposed(s));
	then = side(c, q);
	judge_cache_suppose(c->ja->world->cache, NULL);
	if (c->run)
		c->run->asked += asked;
	judge_call_set(c->data, "same", json_boolean(is_same(now, then, "lines") && is_same(now, then, "failed")));
	judge_call_set(c->data, "now", now);
	judge_call_set(c->data, "then", then);
	return 0;
}

int judge_admin_explain(struct judge_call *c)
{
	struct judge_admin_suppose *s;
	struct question q;
	int rc;

	memset(&q, 0, sizeof q);
	if (read_question(c, &q) < 0 || judge_admin_suppose(c, &s) < 0)
		return -1;
	rc = s ? compare(c, &q, s) : answer(c, &q);
	judge_admin_suppose_free(s);
	return rc;
}
