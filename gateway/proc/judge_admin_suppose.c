/* Edits that are only supposed. Role judge; reads the store, writes nothing. */
#include "gateway/proc/judge_admin_suppose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_partner.h"
#include "gateway/proc/judge_admin_rule.h"

struct judge_admin_suppose {
	struct judge_supposed s;
	struct store_rule *stored; /* owned */
	size_t nstored;
	struct store_rule *rules; /* borrowed rows, in the supposed order */
	struct judge_admin_rule rule;
	struct judge_admin_entry entry;
	struct store_partner *old;
	int64_t place; /* of the rule that goes; 0: none does */
};

void judge_admin_suppose_free(struct judge_admin_suppose *s)
{
	if (!s)
		return;
	store_rules_free(s->stored, s->nstored);
	if (s->old)
		store_partners_free(s->old, 1);
	free(s->rules);
	free(s);
}

const struct judge_supposed *judge_admin_supposed(const struct judge_admin_suppose *s)
{
	return &s->s;
}

static bool has(const struct judge_call *c, const char *name)
{
	const json_t *v = json_object_get(c->args, name);

	return v && !json_is_null(v);
}

/* An object within the arguments: read reads it as if it was all of them. allowed: names between blanks. */
static int nested(struct judge_call *c, const char *name, const char *allowed,
    int (*read)(struct judge_call *c, struct judge_admin_suppose *s), struct judge_admin_suppose *s)
{
	json_t *outer = c->args, *inner = json_object_get(outer, name), *v;
	const char *key;
	char word[64];
	int rc;

	if (!json_is_object(inner))
		return judge_call_fail(c, "usage", "argument \"%s\" must be an object", name);
	json_object_foreach(inner, key, v)
	{
		(void)snprintf(word, sizeof word, " %.60s ", key);
		if (!strstr(allowed, word))
			return judge_call_fail(
			    c, "usage", "\"%s\" has no member \"%.60s\"; it has:%s", name, key, allowed);
	}
	c->args = inner;
	rc = read(c, s);
	c->args = outer;
	return rc < 0 ? problem_prefix(c->pr, "%s: ", name) : 0;
}

/* ---- rules ---- */

static void add(struct judge_admin_suppose *s, const struct store_rule *r)
{
	s->rules[s->s.nrules++] = *r;
}

/* All but the one that goes. */
static int without(struct judge_call *c, struct judge_admin_suppose *s)
{
	const char *name;
	char number[24];

	if (judge_call_str(c, "without_rule", JUDGE_MAY, 100, &name) < 0)
		return -1;
	for (int by_number = 0; name && name[0] && !s->place && by_number < 2; by_number++)
		for (size_t i = 0; i < s->nstored && !s->place; i++) {
			(void)snprintf(number, sizeof number, "%lld", (long long)s->stored[i].id);
			if (strcmp(by_number ? number : s->stored[i].name, name) == 0)
				s->place = s->stored[i].position;
		}
	if (name && name[0] && !s->place)
		return judge_call_fail(c, "not-found", "there is no rule called \"%s\"", name);
	for (size_t i = 0; i < s->nstored; i++)
		if (!s->place || s->stored[i].position != s->place)
			add(s, &s->stored[i]);
	return 0;
}

/* Where store_rule_add would put it. */
static int with(struct judge_call *c, struct judge_admin_suppose *s)
{
	size_t at = 0;
	int64_t want;

	if (judge_admin_rule_read(c, &s->rule) < 0)
		return -1;
	for (size_t i = 0; i < s->s.nrules; i++)
		if (strcmp(s->rules[i].name, s->rule.r.name) == 0)
			return judge_call_fail(c, "exists",
			    "there is a rule called \"%s\" already: remove it first, or choose another name",
			    s->rule.r.name);
	want = s->rule.r.position ? s->rule.r.position : s->place;
	while (at < s->s.nrules && (want < 1 || s->rules[at].position < want))
		at++;
	memmove(&s->rules[at + 1], &s->rules[at], (s->s.nrules - at) * sizeof *s->rules);
	s->rules[at] = s->rule.r;
	s->s.nrules++;
	return 0;
}

static int rules(struct judge_call *c, struct judge_admin_suppose *s)
{
	static const char allowed[] = " name sender recipient treatment strength exempt position ";

	if (store_rules(c->store, &s->stored, &s->nstored, c->pr) < 0)
		return -1;
	s->rules = mem_new((s->nstored + 1) * sizeof *s->rules);
	s->s.rules = s->rules;
	s->s.has_rules = true;
	if (without(c, s) < 0)
		return -1;
	return has(c, "with_rule") ? nested(c, "with_rule", allowed, with, s) : 0;
}

/* ---- a partner ---- */

static int entry(struct judge_call *c, struct judge_admin_suppose *s)
{
	if (judge_admin_partner_read(c, &s->entry, &s->old) < 0)
		return -1;
	s->s.name = s->entry.domain;
	s->s.partner = &s->entry.p;
	return 0;
}

static int partner(struct judge_call *c, struct judge_admin_suppose *s)
{
	static const char allowed[] = " domain treatment strength note format find group ";

	if (has(c, "with_partner") && has(c, "without_partner"))
		return judge_call_fail(c, "usage", "give either \"with_partner\" or \"without_partner\"");
	if (has(c, "with_partner"))
		return nested(c, "with_partner", allowed, entry, s);
	if (judge_call_owner(c, "without_partner", JUDGE_MUST, s->entry.domain, NULL) < 0 ||
	    store_partner_get(c->store, s->entry.domain, &s->old, c->pr) < 0)
		return -1;
	if (!s->old)
		return judge_call_fail(c, "not-found", "%s is not a listed partner", s->entry.domain);
	s->s.name = s->entry.domain;
	return 0;
}

int judge_admin_suppose(struct judge_call *c, struct judge_admin_suppose **s_r)
{
	bool of_rules = has(c, "with_rule") || has(c, "without_rule");
	bool of_partner = has(c, "with_partner") || has(c, "without_partner");
	struct judge_admin_suppose *s;

	*s_r = NULL;
	if (!of_rules && !of_partner)
		return 0;
	s = mem_new(sizeof *s);
	s->s.name = "";
	if ((of_rules && rules(c, s) < 0) || (of_partner && partner(c, s) < 0)) {
		judge_admin_suppose_free(s);
		return -1;
	}
	*s_r = s;
	return 0;
}
