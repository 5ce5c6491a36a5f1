/* From octets to a decision. Role judge. */
#include "gateway/proc/judge_xsmg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg_case.h"
#include "gateway/proc/judge_xsmg_facts.h"
#include "gateway/proc/judge_xsmg_keep.h"
#include "gateway/proc/partner_statement_settings.h"

/* TRIES: of a decision, when another node decides about the same domain at the same time. */
enum { LOCALS_MAX = 16, TRIES = 5 };

/* Is anything kept of it? A stranger's hint makes nothing be kept, and there is a most. 1, 0, -1. */
static int may_keep(struct judge_xsmg_case *c, struct problem *pr)
{
	const struct partner_statement_settings *set =
	    c->w->statements ? c->w->statements : partner_statement_settings_default();
	int64_t n, seen;

	if (!c->is_new || c->listed)
		return 1;
	seen = store_was_protected(c->store, c->o->domain);
	if (seen < 0)
		return problem_temp(pr, "the store cannot tell now whether %s was seen protected", c->o->domain);
	if (c->o->way == JUDGE_XSMG_BY_PUT && seen == 0) {
		(void)snprintf(c->d.why, sizeof c->d.why, "no mail was exchanged with this domain");
		return 0;
	}
	if (store_statement_count(c->store, &n, pr) < 0)
		return -1;
	if (n < set->partners_max)
		return 1;
	(void)snprintf(c->d.why, sizeof c->d.why, "partner-statements, partners-max = %lld is reached",
	    (long long)set->partners_max);
	return 0;
}

static void check(struct judge_xsmg_case *c)
{
	const struct store_statement_body *t = &c->known->trusted;
	char *text = mem_str(c->known->local_parts), *save = NULL;
	const char *locals[LOCALS_MAX];
	struct statement_facts f = {.domain = c->o->domain,
	    .now = c->now,
	    .trusted_serial = t->serial,
	    .trusted_issued = t->issued,
	    .trusted_id = t->der || t->serial == 0 ? t->id : "-", /* trust was lost: its serial is the floor */
	    .locals = locals};

	for (char *p = strtok_r(text, ", ", &save); p && f.nlocals < LOCALS_MAX; p = strtok_r(NULL, ", ", &save))
		locals[f.nlocals++] = p;
	statement_check(c->o->der, c->o->n, &f, c->mem, c->s, c->sd, &c->v);
	free(text);
	if (!t->der && c->v.result == STATEMENT_CONFLICT)
		c->v.result = STATEMENT_OLD;
	if (c->v.result == STATEMENT_REFUSED || c->v.signer < 0)
		return;
	encode_hex(c->sd->signers[c->v.signer].spki_sha256, 32, c->key);
	encode_hex(c->sd->signers[c->v.signer].cert_sha256, 32, c->cert);
}

/* 0 decided, 1 an answer is awaited, -1. */
static int decide(struct judge_xsmg_case *c, struct problem *pr)
{
	unsigned before = c->run ? c->run->pending : 0;

	c->d.rule = "";
	c->f.by_get = c->o->way != JUDGE_XSMG_BY_PUT;
	check(c);
	if (c->v.result == STATEMENT_REFUSED || c->v.result == STATEMENT_CLOCK || c->v.signer < 0) {
		c->d.action = c->v.result == STATEMENT_CLOCK ? XSMG_DO_LATER : XSMG_DO_REFUSE;
		(void)snprintf(
		    c->d.why, sizeof c->d.why, "%s: %.500s", statement_step_word(c->v.step), c->v.why.text);
		return 0;
	}
	if (judge_xsmg_facts(c, pr) < 0)
		return -1;
	if (c->run && c->run->pending != before)
		return 1;
	xsmg_trust(&c->f, &c->d);
	return 0;
}

static int load(struct judge_xsmg_case *c, struct problem *pr)
{
	const struct judge_owner *o;

	judge_cache_begin(c->w->cache, c->store);
	if (judge_cache_owner(c->w->cache, c->store, c->o->domain, &o, pr) < 0)
		return -1;
	c->listed = o->partner != NULL;
	if (store_statement_get(c->store, c->o->domain, &c->known, pr) < 0 ||
	    store_statement_keys(c->store, c->o->domain, &c->keys, &c->nkeys, pr) < 0)
		return -1;
	c->is_new = c->known == NULL;
	if (c->is_new)
		c->known = store_statement_new(c->o->domain);
	return 0;
}

static int work(struct judge_xsmg_case *c, struct problem *pr)
{
	int rc = load(c, pr);

	if (rc == 0)
		rc = may_keep(c, pr);
	if (rc <= 0) {
		c->d.action = XSMG_DO_REFUSE;
		return rc;
	}
	rc = decide(c, pr);
	if (rc != 0) {
		c->d.action = XSMG_DO_LATER;
		return rc < 0 ? -1 : 0;
	}
	return judge_xsmg_keep(c, pr);
}

/* What was known is not so any more: everything is looked at again. */
static void begin_anew(struct judge_xsmg_case *c)
{
	free(c->keys);
	store_statements_free(c->known, c->known ? 1 : 0);
	c->keys = NULL;
	c->known = NULL;
	c->nkeys = 0;
	arena_free(c->mem);
	c->mem = arena_new(STATEMENT_ARENA);
	memset(c->s, 0, sizeof *c->s);
	memset(c->sd, 0, sizeof *c->sd);
	c->v = (struct statement_verdict){.signer = -1};
	c->d = (struct xsmg_decision){.action = XSMG_DO_LATER};
}

static int work_until_kept(struct judge_xsmg_case *c, struct problem *pr)
{
	int rc = work(c, pr);

	for (int i = 1; i < TRIES && rc < 0 && c->known && c->known->stale; i++) {
		*pr = (struct problem){.cls = PROBLEM_NONE};
		begin_anew(c);
		rc = work(c, pr);
	}
	return rc;
}

static bool is_declined(const struct judge_xsmg_case *c)
{
	return c->d.action == XSMG_DO_REFUSE &&
	       (c->f.refused_key || (c->v.result == STATEMENT_OK && c->f.established == XSMG_NEVER &&
					c->f.first == XSMG_DECLINE && c->f.revoked != XSMG_YES && !c->f.bad_key));
}

int judge_xsmg_take(const struct judge_world *w, struct store *s, struct source_run *run,
    const struct judge_xsmg_octets *o, int64_t now, struct judge_xsmg_result *r_r, struct problem *pr)
{
	struct judge_xsmg_case *c = mem_new(sizeof *c);
	int rc;

	REQUIRE(judge_world_domain(w, o->domain) < 0);
	c->w = w;
	c->store = s;
	c->run = run;
	c->o = o;
	c->now = now;
	c->v.signer = -1;
	c->mem = arena_new(STATEMENT_ARENA);
	c->s = mem_new(sizeof *c->s);
	c->sd = mem_new(sizeof *c->sd);
	rc = work_until_kept(c, pr);
	*r_r = (struct judge_xsmg_result){
	    .action = c->d.action, .level = c->d.level, .declined = rc == 0 && is_declined(c)};
	(void)snprintf(r_r->why, sizeof r_r->why, "%s", c->d.why);
	arena_free(c->mem);
	free(c->s);
	free(c->sd);
	free(c->keys);
	store_statements_free(c->known, c->known ? 1 : 0);
	free(c);
	return rc;
}
