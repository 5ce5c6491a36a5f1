/* rule.*: role judge; reads and writes the store. */
#include "gateway/proc/judge_admin_rule.h"

#include <string.h>

static int pattern(struct judge_call *c, const char *name, char out[JUDGE_RULE_PATTERN_MAX])
{
	const char *v;

	if (judge_call_str(c, name, JUDGE_MAY, 390, &v) < 0)
		return -1;
	if (judge_rule_pattern(v && v[0] ? v : "*", out, c->pr) == 0)
		return 0;
	c->code = "usage";
	return problem_prefix(c->pr, "argument \"%s\": ", name);
}

int judge_admin_rule_read(struct judge_call *c, struct judge_admin_rule *t_r)
{
	const char *name, *treatment, *strength, *exempt;
	uint8_t bits;

	*t_r = (struct judge_admin_rule){.sender = ""};
	if (judge_call_str(c, "name", JUDGE_MUST, 100, &name) < 0 || pattern(c, "sender", t_r->sender) < 0 ||
	    pattern(c, "recipient", t_r->recipient) < 0 || judge_call_treatment(c, "seal", &treatment) < 0 ||
	    judge_call_strength(c, "require", &strength) < 0 ||
	    judge_call_str(c, "exempt", JUDGE_MAY, POLICY_EXEMPT_TEXT_MAX - 1, &exempt) < 0 ||
	    judge_call_int(c, "position", 1, 1000000, 0, &t_r->r.position) < 0)
		return -1;
	if (policy_exempt_parse(exempt ? exempt : "", &bits) < 0)
		return judge_call_fail(c, "usage",
		    "argument \"exempt\": \"calendar\" (invitations), \"auto-reply\", or both with a comma between "
		    "them");
	t_r->r.sender = t_r->sender;
	t_r->r.recipient = t_r->recipient;
	t_r->r.name = (char *)(uintptr_t)name;
	t_r->r.treatment = (char *)(uintptr_t)treatment;
	t_r->r.strength = (char *)(uintptr_t)strength;
	t_r->r.exempt = (char *)(uintptr_t)exempt;
	return 0;
}

static json_t *row(const struct store_rule *r)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "id", json_integer(r->id));
	judge_call_set(o, "position", json_integer(r->position));
	judge_call_set(o, "name", judge_call_text(r->name));
	judge_call_set(o, "sender", judge_call_text(r->sender));
	judge_call_set(o, "recipient", judge_call_text(r->recipient));
	judge_call_set(o, "treatment", judge_call_text(r->treatment));
	judge_call_set(o, "strength", judge_call_text(r->strength));
	judge_call_set(o, "exempt", judge_call_text(r->exempt));
	return o;
}

json_t *judge_admin_rule_now(struct judge_call *c, int64_t id, const char *name)
{
	struct store_rule *list;
	json_t *found = NULL;
	size_t n;

	if (store_rules(c->store, &list, &n, c->pr) < 0)
		return NULL;
	for (size_t i = 0; i < n && !found; i++)
		if (id ? list[i].id == id : name && strcmp(list[i].name, name) == 0)
			found = row(&list[i]);
	store_rules_free(list, n);
	return found;
}

/* In their order; NULL with the problem set. */
static json_t *rows(struct judge_call *c)
{
	struct store_rule *list;
	json_t *a;
	size_t n;

	if (store_rules(c->store, &list, &n, c->pr) < 0)
		return NULL;
	a = judge_call_array();
	for (size_t i = 0; i < n; i++)
		judge_call_add(a, row(&list[i]));
	store_rules_free(list, n);
	return a;
}

/* The order of all says what one does. */
static int check_match(struct judge_call *c)
{
	json_t *a = json_object_get(c->args, "if_match") ? rows(c) : NULL;
	int rc = a ? judge_call_unchanged(c, a, "the rules were") : json_object_get(c->args, "if_match") ? -1 : 0;

	json_decref(a);
	return rc;
}

int judge_admin_rule_add(struct judge_call *c)
{
	struct judge_admin_rule t;

	if (judge_admin_rule_read(c, &t) < 0 || check_match(c) < 0)
		return -1;
	if (store_rule_add(c->store, &t.r, c->who, c->pr) < 0) {
		c->code = c->pr->cls == PROBLEM_PERM ? "exists" : NULL;
		return -1;
	}
	judge_call_set(c->data, "name", judge_call_text(t.r.name));
	return 0;
}

static bool given(const struct judge_call *c, const char *name)
{
	return json_object_get(c->args, name) != NULL;
}

static int change(struct judge_call *c, struct store_rule *r, const struct store_rule *list, size_t n)
{
	const struct store_rule *old = NULL;

	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, r->name) == 0)
			old = &list[i];
	if (!old)
		return judge_call_fail(c, "not-found", "there is no rule called \"%s\"", r->name);
	if (!given(c, "sender"))
		r->sender = old->sender;
	if (!given(c, "recipient"))
		r->recipient = old->recipient;
	if (!given(c, "treatment"))
		r->treatment = old->treatment;
	if (!given(c, "strength"))
		r->strength = old->strength;
	if (!given(c, "exempt"))
		r->exempt = old->exempt;
	judge_call_set(c->data, "name", judge_call_text(r->name));
	return store_rule_set(c->store, r, c->who, c->pr);
}

int judge_admin_rule_set(struct judge_call *c)
{
	struct judge_admin_rule t;
	struct store_rule *list;
	size_t n;
	int rc;

	if (judge_admin_rule_read(c, &t) < 0 || check_match(c) < 0 || store_rules(c->store, &list, &n, c->pr) < 0)
		return -1;
	rc = change(c, &t.r, list, n);
	store_rules_free(list, n);
	return rc;
}

int judge_admin_rule_list(struct judge_call *c)
{
	json_t *a = rows(c);
	char revision[33];

	if (!a)
		return -1;
	judge_call_revision(a, revision);
	judge_call_set(c->data, "rules", a);
	judge_call_set(c->data, "revision", judge_call_text(revision));
	return 0;
}

/* The rule's number: as given, or by its name. */
static int find_id(struct judge_call *c, int64_t *id_r)
{
	struct store_rule *list;
	const char *name;
	size_t n;

	if (judge_call_int(c, "id", 1, INT64_MAX, 0, id_r) < 0 ||
	    judge_call_str(c, "name", JUDGE_MAY, 100, &name) < 0)
		return -1;
	if ((*id_r != 0) == (name != NULL))
		return judge_call_fail(c, "usage", "give either \"id\" or \"name\" of the rule");
	if (!name)
		return 0;
	if (store_rules(c->store, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			*id_r = list[i].id;
	store_rules_free(list, n);
	return *id_r ? 0 : judge_call_fail(c, "not-found", "there is no rule called \"%s\"", name);
}

int judge_admin_rule_remove(struct judge_call *c)
{
	int64_t id;

	if (find_id(c, &id) < 0 || check_match(c) < 0)
		return -1;
	if (store_rule_remove(c->store, id, c->who, c->pr) < 0) {
		c->code = c->pr->cls == PROBLEM_PERM ? "not-found" : NULL;
		return -1;
	}
	judge_call_set(c->data, "id", json_integer(id));
	return 0;
}
