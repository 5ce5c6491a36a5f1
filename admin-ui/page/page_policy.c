#include "admin-ui/page/page_policy.h"

#include <stdio.h>
#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_compare.h"
#include "admin-ui/page/page_form.h"
#include "admin-ui/page/page_json.h"

static const struct page_form_choice treatments[] = {{"seal", "signed and encrypted"}, {"sign", "signed"},
    {"tls", "sent over verified TLS"}, {"clear", "sent as it is"}, {NULL, NULL}};
static const struct page_form_choice strengths[] = {{"require", "always: mail that cannot be is not sent"},
    {"prefer", "where it can be"}, {"never", "never"}, {NULL, NULL}};
static const struct page_form_choice exempts[] = {{"", "nothing"}, {"calendar", "invitations"},
    {"auto-reply", "automatic replies"}, {"calendar,auto-reply", "invitations and automatic replies"}, {NULL, NULL}};

static const char *label(const struct page_form_choice *list, const char *value)
{
	for (; list->value; list++)
		if (strcmp(list->value, value) == 0)
			return list->label;
	return value;
}

static void side(const char *pattern, const char *all, char out[420])
{
	(void)snprintf(out, 420, "%.400s", pattern[0] == '\0' || strcmp(pattern, "*") == 0 ? all : pattern);
}

/* "Mail from anybody to lab.example must be signed and encrypted." */
static json_t *sentence(
    const char *from, const char *to, const char *treatment, const char *strength, const char *exempt)
{
	bool plain = strcmp(treatment, "clear") == 0 || strcmp(treatment, "refuse") == 0;
	char sender[420], recipient[420], last[80] = "";

	side(from, "anybody", sender);
	side(to, "anybody", recipient);
	if (exempt[0])
		(void)snprintf(last, sizeof last, "; %s may go without", label(exempts, exempt));
	return page_json_textf("Mail from %s to %s %s %s%s%s.", sender, recipient,
	    plain			      ? "is"
	    : strcmp(strength, "never") == 0  ? "is never"
	    : strcmp(strength, "prefer") == 0 ? "is"
					      : "must be",
	    label(treatments, treatment), !plain && strcmp(strength, "prefer") == 0 ? " where it can be" : "", last);
}

static void rules(json_t *model)
{
	json_t *o;
	size_t i;

	json_array_foreach(page_json_list(model, "list.rules"), i, o)
	{
		page_json_set(o, "sentence",
		    sentence(page_json_str(o, "sender"), page_json_str(o, "recipient"), page_json_str(o, "treatment"),
			page_json_str(o, "strength"), page_json_str(o, "exempt")));
		page_json_set(o, "number", json_integer((json_int_t)i + 1));
	}
}

void page_policy_list(const struct page_request *rq, json_t *model)
{
	size_t n = json_array_size(page_json_list(model, "list.rules"));

	(void)rq;
	rules(model);
	page_compare_answer(json_object_get(model, "explain"));
	page_json_set(model, "headline",
	    n == 0   ? json_string("No rule is set: entries of partners and the default count")
	    : n == 1 ? json_string("One rule comes before what is set for partners")
		     : page_json_textf("%zu rules come before what is set for partners", n));
}

/* What was typed, else what is stored, else what is usual. */
static const char *value(const struct page_request *rq, const json_t *rule, const char *name, const char *usual)
{
	if (rq->query && json_object_get(rq->query, name))
		return page_args_field(rq, name);
	return rule ? page_json_str(rule, name) : usual;
}

static void choices(const struct page_request *rq, json_t *model, const json_t *rule)
{
	page_form_choices(model, "treatments", treatments, value(rq, rule, "treatment", "seal"));
	page_form_choices(model, "strengths", strengths, value(rq, rule, "strength", "require"));
	page_form_choices(model, "exempts", exempts, value(rq, rule, "exempt", ""));
}

void page_policy_form(const struct page_request *rq, json_t *model)
{
	rules(model);
	page_form_fill(rq, model, "", "name sender recipient position");
	choices(rq, model, NULL);
}

/* The rule of this name, or NULL. */
static json_t *find(json_t *model, const char *name)
{
	json_t *o;
	size_t i;

	json_array_foreach(page_json_list(model, "list.rules"), i, o)
	{
		if (strcmp(page_json_str(o, "name"), name) == 0)
			return o;
	}
	return NULL;
}

void page_policy_edit(const struct page_request *rq, json_t *model)
{
	json_t *rule = find(model, page_args_field(rq, "name"));

	if (rule)
		page_json_set(model, "rule", json_deep_copy(rule));
	page_form_fill(rq, model, "rule", "name sender recipient");
	page_json_set(json_object_get(model, "form"), "position", page_json_text(page_args_field(rq, "position")));
	choices(rq, model, rule);
}

static json_t *typed_rule(const struct page_request *rq)
{
	json_t *o = json_object();

	page_json_set(o, "sentence",
	    sentence(page_args_field(rq, "sender"), page_args_field(rq, "recipient"),
		page_args_field(rq, "treatment"), page_args_field(rq, "strength"), page_args_field(rq, "exempt")));
	page_json_set(o, "name", page_json_text(page_args_field(rq, "name")));
	page_json_set(o, "added_now", json_true());
	page_json_set(o, "removed_now", json_false());
	return o;
}

/* One that is changed goes where it is and comes in its place, or in another. */
void page_policy_preview(const struct page_request *rq, json_t *model)
{
	json_t *with = json_array(), *o = typed_rule(rq), *e, *old = NULL;
	bool changing = strcmp(rq->path, "/policy/edit") == 0;
	long long place = 0;
	size_t i;

	rules(model);
	place = strtoll(page_args_field(rq, "position"), NULL, 10);
	if (place < 0 || place > 999999999)
		place = 0;
	if (changing)
		old = find(model, page_args_field(rq, "name"));
	if (old && place == 0)
		place = page_json_int(old, "position");
	json_array_foreach(page_json_list(model, "list.rules"), i, e)
	{
		page_json_set(e, "removed_now", json_boolean(e == old));
		page_json_set(e, "added_now", json_false());
		if (o && place > 0 && e != old && page_json_int(e, "position") >= place) {
			page_json_add(with, o);
			o = NULL;
		}
		page_json_add(with, json_incref(e));
	}
	if (o)
		page_json_add(with, o);
	page_json_set(model, "with", with);
	page_json_set(model, "changing", json_boolean(changing));
	page_form_typed(rq, model);
	page_compare(rq, model, page_args_field(rq, "recipient"));
}

void page_policy_remove(const struct page_request *rq, json_t *model)
{
	json_t *o;
	size_t i;

	rules(model);
	json_array_foreach(page_json_list(model, "list.rules"), i, o)
	{
		bool it = strcmp(page_json_str(o, "name"), page_args_field(rq, "name")) == 0;

		page_json_set(o, "removed_now", json_boolean(it));
		if (it)
			page_json_set(model, "rule", json_deep_copy(o));
	}
	page_form_typed(rq, model);
	page_compare(rq, model, page_json_str(model, "rule.recipient"));
}
