#include "admin-ui/page/page_pending.h"

#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/page_certs.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_next.h"
#include "admin-ui/page/page_state.h"
#include "admin-ui/page/tmpl.h"

/* Names of arguments, as people say them; a fingerprint is shown as one. */
static const struct {
	const char *name, *label;
	bool is_print;
} labels[] = {
    {"domain", "Domain", false},
    {"owner", "Whose", false},
    {"scope", "For", false},
    {"local", "Mail of", false},
    {"local_parts", "Mail of", false},
    {"channel", "Compared by", false},
    {"reason", "Reason", false},
    {"fingerprint", "Fingerprint, as it was typed", true},
    {"seen", "Key that was shown", true},
    {"statement", "Which statement", true},
    {"sha256", "Certificate (SHA-256)", true},
    {"content", "File", false},
    {"signer", "Signer of the bundle", false},
    {"pin", "Pinned", false},
    {"pinned", "Pinned", false},
    {"follow", "Its successor is followed", false},
    {"force", "Though something is odd about it", false},
    {"name", "Name", false},
    {"sender", "From", false},
    {"recipient", "To", false},
    {"treatment", "Treatment", false},
    {"strength", "Strength", false},
    {"exempt", "What may go without", false},
    {"position", "Place", false},
    {"note", "Note", false},
    {"format", "How mail is written", false},
    {"find", "Where certificates are looked for", false},
    {"group", "Group", false},
    {"direction", "Direction", false},
    {"every", "Fetched every (seconds)", false},
    {"url", "URL", false},
    {"if_match", "Edition that was shown", true},
};

static json_t *value_of(const json_t *v)
{
	char *text = json_is_string(v) || json_is_null(v) ? NULL : json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	json_t *said = json_is_boolean(v) ? json_string(json_is_true(v) ? "yes" : "no")
		       : json_is_string(v) || json_is_null(v)
			   ? page_json_text(json_string_length(v) ? json_string_value(v) : "(nothing)")
			   : page_json_text(text ? text : "");

	free(text);
	return said;
}

/* now: what stands there today, NULL where that is nobody's question. */
static json_t *arg(const char *name, const json_t *v, const json_t *now)
{
	json_t *o = json_object();
	const char *label = name;
	bool is_print = false;

	for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
		if (strcmp(labels[i].name, name) == 0) {
			label = labels[i].label;
			is_print = labels[i].is_print;
		}
	page_json_set(o, "name", page_json_text(label));
	page_json_set(o, "value", value_of(v));
	if (now && !json_equal(now, v))
		page_json_set(o, "today", value_of(now));
	page_json_set(o, "print", json_boolean(is_print));
	return o;
}

/* What it would be done with, as a list. */
static void tell_args(json_t *proposal)
{
	json_t *list = json_array(), *now = json_object_get(proposal, "now"),
	       *args = json_object_get(proposal, "args"), *v;
	bool removes = strstr(page_json_str(proposal, "verb"), ".remove") != NULL;
	const char *name;
	size_t i;

	json_array_foreach(json_object_get(proposal, "certificates"), i, v) page_certs_facts(v);

	json_object_foreach(args, name, v) page_json_add(list, arg(name, v, json_object_get(now, name)));
	for (i = 0; removes && i < sizeof labels / sizeof *labels; i++) {
		v = json_object_get(args, labels[i].name) ? NULL : json_object_get(now, labels[i].name);
		if (json_is_string(v) && json_string_length(v))
			page_json_add(list, arg(labels[i].name, v, NULL));
	}
	page_json_set(proposal, "arguments", list);
	if (strcmp(page_json_str(proposal, "verb"), "statement.approve") == 0)
		page_json_set(proposal, "statement_of", page_json_text(page_json_str(proposal, "subject")));
}

void page_pending_list(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "list.statements"), *certs = page_json_list(model, "certs.waiting"), *o;
	json_t *two = page_json_list(model, "two.proposals");
	size_t n = json_array_size(rows) + json_array_size(certs) + json_array_size(two), i;

	(void)rq;
	json_array_foreach(rows, i, o)
	{
		page_json_set(o, "badge", page_state(page_json_str(o, "state")));
		page_next("statements", o);
		if (i + 1 == json_array_size(rows) && page_json_is(model, "list.more"))
			page_json_set(model, "after", page_json_text(page_json_str(o, "domain")));
	}
	json_array_foreach(two, i, o) tell_args(o);
	page_json_set(model, "any_proposals", json_boolean(json_array_size(two) > 0));
	page_json_set(model, "waits", json_boolean(n > 0));
	page_json_set(model, "any_statements", json_boolean(json_array_size(rows) > 0));
	page_json_set(model, "any_certificates", json_boolean(json_array_size(certs) > 0));
	page_json_set(model, "headline",
	    n == 0   ? json_string("Nothing waits for a decision")
	    : n == 1 ? json_string("One decision waits")
		     : page_json_textf("%zu decisions wait%s", n,
			   page_json_is(model, "list.more") ? ", and there are more" : ""));
}

static void say(json_t *list, const char *text)
{
	if (text[0])
		page_json_add(list, page_json_text(text));
}

static void say_key(const json_t *st, json_t *good, json_t *bad)
{
	const char *waits = page_json_str(st, "waiting.key"), *known = page_json_str(st, "trusted.key"),
		   *pin = page_json_str(st, "pin");

	if (known[0] && strcmp(waits, known) == 0)
		say(good, "It is signed by the key of the statement that is trusted already.");
	else if (known[0])
		say(bad, "It is signed by another key than the statement that is trusted.");
	else if (page_json_str(st, "established")[0] && strcmp(page_json_str(st, "established"), "nothing") != 0)
		say(bad, "A statement of this partner was trusted before, and is not any more.");
	else
		say(bad, "No statement of this partner was ever trusted: this would be the first.");
	if (pin[0] && strcmp(waits, pin) == 0)
		say(good, "Its key is the one that is pinned for this partner.");
	else if (pin[0])
		say(bad, "Its key is not the one that is pinned for this partner.");
}

/* What speaks for and against the one that waits. */
static void weigh(json_t *st)
{
	static const char *const marks[][2] = {{"bad", "Its key is marked as compromised."},
	    {"refused", "Its key was refused before."}, {"retired", "Its key was retired before."}};
	json_t *good = json_array(), *bad = json_array(), *k;
	size_t i;

	say_key(st, good, bad);
	if (page_json_is(st, "waiting.expired"))
		say(bad, "It has expired.");
	if (page_json_is(st, "waiting.withdrawn"))
		say(bad, "It says that the partner withdraws from XSMG.");
	json_array_foreach(page_json_list(st, "keys"), i, k)
	{
		if (strcmp(page_json_str(k, "key"), page_json_str(st, "waiting.key")) != 0)
			continue;
		for (size_t m = 0; m < sizeof marks / sizeof *marks; m++)
			if (page_json_is(k, marks[m][0]))
				say(bad, marks[m][1]);
		if (page_json_is(k, "announced"))
			say(good, "A trusted statement announced its key.");
	}
	say(bad, page_json_str(st, "frozen_why"));
	page_json_set(st, "for", good);
	page_json_set(st, "against", bad);
}

void page_pending_one(const struct page_request *rq, json_t *model)
{
	json_t *st = json_object_get(json_object_get(model, "partner"), "statement");
	bool waits = page_json_is(st, "waiting");

	page_json_set(model, "domain", page_json_text(rq->segments[0]));
	page_json_set(model, "headline",
	    waits ? page_json_textf("A statement of %s waits", rq->segments[0])
		  : page_json_textf("No statement of %s waits", rq->segments[0]));
	if (!json_is_object(st))
		return;
	page_json_set(st, "badge", page_state(page_json_str(st, "state")));
	page_json_set(st, "decidable", json_boolean(waits || page_json_is(st, "frozen")));
	if (waits)
		weigh(st);
}
