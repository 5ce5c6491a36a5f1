#include "admin-ui/page/page_partner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/page/page_args.h"
#include "admin-ui/page/page_chart.h"
#include "admin-ui/page/page_compare.h"
#include "admin-ui/page/page_form.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_message.h"
#include "admin-ui/page/page_state.h"
#include "admin-ui/page/tmpl_text.h"

enum { SOON_DAYS = 60, MESSAGES = 50, PARTNERS = 100, HISTORY = 100, HISTORY_SHORT = 10, URL_MAX = 4000 };

static const struct page_form_choice treatments[] = {
    {"seal", "seal: signed and encrypted"},
    {"sign", "sign: signed, readable by everybody"},
    {"tls", "tls: a verified TLS connection suffices"},
    {"clear", "clear: not protected"},
    {NULL, NULL},
};
static const struct page_form_choice strengths[] = {
    {"require", "require: else it does not leave"},
    {"prefer", "prefer: whenever it can be done"},
    {"never", "never"},
    {NULL, NULL},
};
static const struct page_form_field fields[] = {{"treatment", "Treatment"}, {"strength", "Strength"},
    {"format", "How mail is written"}, {"find", "Where certificates are looked for"}, {"group", "Group"},
    {"note", "Note"}};

/* ---- the list ---- */

/* The query again, in another order or from another row on. */
static json_t *link_of(const struct page_request *rq, const char *sort, int64_t offset)
{
	const char *asked[][2] = {
	    {"match", page_args_field(rq, "match")}, {"state", page_args_field(rq, "state")}, {"sort", sort}};
	struct buf b;
	json_t *v;
	int rc;

	buf_init(&b, URL_MAX);
	rc = buf_addf(&b, "offset=%lld", (long long)offset);
	for (size_t i = 0; rc == 0 && i < sizeof asked / sizeof *asked; i++)
		if (asked[i][1][0])
			rc = buf_addf(&b, "&%s=", asked[i][0]) || tmpl_text_url(asked[i][1], strlen(asked[i][1]), &b);
	v = page_json_text(rc == 0 ? buf_str(&b) : "");
	buf_clear(&b);
	return v;
}

/* A column's head is a link that sorts by it, and once more the other way round. */
static void tell_columns(const struct page_request *rq, json_t *model)
{
	static const char *const columns[][2] = {{"name", "Domain or person"}, {"state", "State"},
	    {"treatment", "Treatment"}, {"until", "Certificate until"}};
	const char *now = page_args_field(rq, "sort");
	bool down = now[0] == '-';
	json_t *list = json_array();

	now = now[0] ? now + down : "name";
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
		bool is = strcmp(now, columns[i][0]) == 0;
		json_t *o = json_object();
		char other[20];

		(void)snprintf(other, sizeof other, "%s%s", is && !down ? "-" : "", columns[i][0]);
		page_json_set(o, "label", json_string(columns[i][1]));
		page_json_set(o, "link", link_of(rq, other, 0));
		page_json_set(o, "order", json_string(!is ? "" : down ? "descending" : "ascending"));
		page_json_set(o, "arrow", json_string(!is ? "" : down ? "\342\206\223" : "\342\206\221"));
		page_json_add(list, o);
	}
	page_json_set(model, "columns", list);
}

static void tell_states(const struct page_request *rq, json_t *model)
{
	const char *chosen = page_args_field(rq, "state"), *word;
	json_t *list = json_array(), *n;

	json_object_foreach(json_object_get(json_object_get(model, "list"), "counts"), word, n)
	{
		bool all = strcmp(word, "all") == 0;
		json_t *o;

		if (!all && json_integer_value(n) == 0 && strcmp(chosen, word) != 0)
			continue;
		o = json_object();
		page_json_set(o, "value", page_json_text(all ? "" : word));
		page_json_set(o, "label", page_json_textf("%.40s (%lld)", word, (long long)json_integer_value(n)));
		page_json_set(o, "chosen", json_boolean(strcmp(chosen, all ? "" : word) == 0));
		page_json_add(list, o);
	}
	page_json_set(model, "states", list);
}

void page_partner_list(const struct page_request *rq, json_t *model)
{
	json_t *rows = page_json_list(model, "list.partners"), *row;
	int64_t offset = strtoll(page_args_field(rq, "offset"), NULL, 10);
	size_t i;

	page_json_set(model, "has_rows", json_boolean(json_array_size(rows) > 0));
	page_json_set(model, "searched",
	    json_boolean(page_args_field(rq, "match")[0] || page_args_field(rq, "state")[0] || offset > 0));
	json_array_foreach(rows, i, row) if (page_json_is(row, "state"))
	    page_json_set(row, "badge", page_state(page_json_str(row, "state")));
	page_form_fill(rq, model, "", "match sort");
	tell_columns(rq, model);
	tell_states(rq, model);
	if (page_json_is(model, "list.more"))
		page_json_set(model, "next", link_of(rq, page_args_field(rq, "sort"), offset + PARTNERS));
	if (offset > 0)
		page_json_set(model, "back",
		    link_of(rq, page_args_field(rq, "sort"), offset > PARTNERS ? offset - PARTNERS : 0));
}

/* ---- one partner ---- */

/* The best certificate to encrypt with: days until it runs out, -1 for none. */
static int64_t best_days(const json_t *certificates)
{
	int64_t best = -1;
	const json_t *k;
	size_t i;

	json_array_foreach(
	    certificates, i, k) if (page_json_is(k, "encrypt.usable") && page_json_int(k, "days_left") > best) best =
	    page_json_int(k, "days_left");
	return best;
}

static const char *state_of(const json_t *model)
{
	static const char *const heard[] = {
	    "frozen", "pending", "not trusted any more", "stale", "expired", "withdrawn"};
	const char *said = page_json_str(model, "p.statement.state");
	int64_t days = best_days(page_json_list(model, "p.certificates"));

	for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
		if (strcmp(said, heard[i]) == 0)
			return heard[i];
	if (days < 0)
		return strcmp(page_json_str(model, "p.partner.treatment"), "seal") == 0 ? "no key" : "listed";
	return days < SOON_DAYS ? "expires soon" : "trusted";
}

/* What happens to mail to it, in one sentence. */
static const char *sentence(const char *treatment, const char *strength)
{
	static const char *const words[][3] = {
	    {"seal", "require", "Mail to it is always signed and encrypted; what cannot be does not leave."},
	    {"seal", "prefer", "Mail to it is signed and encrypted whenever a usable certificate is known."},
	    {"sign", "require", "Mail to it is always signed, and readable by everybody on its way."},
	    {"sign", "prefer", "Mail to it is signed where we can, and readable by everybody on its way."},
	    {"tls", "require", "Mail to it goes over verified TLS connections only."},
	    {"tls", "prefer", "Mail to it goes over TLS where it can."},
	    {"clear", NULL, "Mail to it is not protected."},
	};

	if (strcmp(strength, "never") == 0)
		return "Mail to it is not protected.";
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i][0], treatment) == 0 && (!words[i][1] || strcmp(words[i][1], strength) == 0))
			return words[i][2];
	return "";
}

static void tell_certificates(json_t *model, int64_t now)
{
	json_t *list = page_json_list(model, "p.certificates"), *k, *axis;
	size_t i;

	json_array_foreach(list, i, k)
	{
		const char *state = page_json_str(k, "state");
		int64_t days = page_json_int(k, "days_left");

		if (!json_is_object(k))
			continue;
		page_json_set(
		    k, "badge", page_state(strcmp(state, "valid") == 0 && days < SOON_DAYS ? "expires soon" : state));
	}
	axis = page_chart_lives(list, now);
	if (axis)
		page_json_set(model, "axis", axis);
}

/* Newest first, at most MESSAGES of both. */
static int newer(const void *a, const void *b)
{
	int64_t x = page_json_int(*(json_t *const *)a, "at.unix"), y = page_json_int(*(json_t *const *)b, "at.unix");

	return x < y ? 1 : x > y ? -1 : 0;
}

static void tell_messages(json_t *model)
{
	json_t *both[2] = {page_json_list(model, "to.messages"), page_json_list(model, "from.messages")};
	size_t n = 0, all = json_array_size(both[0]) + json_array_size(both[1]);
	json_t **v = calloc(all + 1, sizeof *v), *list = json_array(), *m;
	size_t i;

	for (int k = 0; v && k < 2; k++)
		json_array_foreach(both[k], i, m) v[n++] = m;
	if (v)
		qsort(v, n, sizeof *v, newer);
	for (i = 0; i < n && i < MESSAGES; i++)
		page_json_add(list, json_incref(v[i]));
	free(v);
	page_message_rows(list);
	page_json_set(model, "messages_any", json_boolean(json_array_size(list) > 0));
	page_json_set(model, "messages", list);
}

/* ---- who changed what ---- */

/* "anna (session) from 10.0.0.1": who, and from where. */
static void tell_who(json_t *row)
{
	const char *who = page_json_str(row, "who"), *at = NULL;

	for (const char *p = who; (p = strstr(p, " from ")); p++)
		at = p;
	page_json_set(row, "name", page_json_textf("%.*s", at ? (int)(at - who) : (int)strlen(who), who));
	page_json_set(row, "address", page_json_text(at ? at + strlen(" from ") : ""));
}

static void tell_history(json_t *model, size_t most)
{
	json_t *rows = page_json_list(model, "history.rows"), *row;
	size_t n = json_array_size(rows), i;

	json_array_foreach(rows, i, row) if (json_is_object(row)) tell_who(row);
	page_json_set(model, "history_any", json_boolean(n > 0));
	if (n >= most)
		page_json_set(model, "before", json_integer(page_json_int(json_array_get(rows, n - 1), "id")));
}

void page_partner_history(const struct page_request *rq, json_t *model)
{
	page_json_set(model, "title", page_json_textf("History of %.300s", rq->segments[0]));
	tell_history(model, HISTORY);
}

void page_partner_show(const struct page_request *rq, json_t *model)
{
	bool listed = page_json_is(model, "p.listed");

	page_json_set(model, "title", page_json_text(rq->segments[0]));
	page_json_set(model, "badge", page_state(listed ? state_of(model) : "not listed"));
	page_json_set(model, "sentence",
	    json_string(listed ? sentence(page_json_str(model, "p.partner.treatment"),
				     page_json_str(model, "p.partner.strength"))
			       : "It is not listed: the rules decide, and what is found out about it."));
	page_json_set(model, "person", json_boolean(strchr(rq->segments[0], '@') != NULL));
	page_json_set(model, "statement_badge", page_state(page_json_str(model, "p.statement.state")));
	tell_certificates(model, rq->now);
	tell_messages(model);
	tell_history(model, HISTORY_SHORT);
}

/* ---- changing one ---- */

void page_partner_edit(const struct page_request *rq, json_t *model)
{
	page_form_fill(rq, model, "p.partner", "domain treatment strength note format find group");
	page_form_choices(model, "treatments", treatments, page_json_str(model, "form.treatment"));
	page_form_choices(model, "strengths", strengths, page_json_str(model, "form.strength"));
	page_json_set(model, "adding", json_boolean(strcmp(rq->path, "/partners/add") == 0));
	page_partner_show(rq, model);
}

static void warn(json_t *list, const char *text)
{
	page_json_add(list, json_string(text));
}

/* What follows from the change, where it takes protection away. */
static void tell_consequences(const struct page_request *rq, json_t *model)
{
	const char *treatment = page_args_field(rq, "treatment"), *strength = page_args_field(rq, "strength");
	json_t *list = json_array();

	page_json_set(model, "will", json_string(sentence(treatment, strength)));
	if (strcmp(treatment, "seal") != 0 && strcmp(page_json_str(model, "p.partner.treatment"), "seal") == 0)
		warn(list, "Its mail was encrypted until now, and will not have to be any more.");
	if (strcmp(strength, "require") != 0 && strcmp(page_json_str(model, "p.partner.strength"), "require") == 0)
		warn(list, "Protection was a must until now, and will be no more than a wish.");
	if (page_json_is(model, "p.seen_protected") && strcmp(treatment, "seal") != 0)
		warn(list, "It was seen protected: mail to it stays protected until the partner is released, too.");
	if (strcmp(treatment, "seal") == 0 && strcmp(strength, "require") == 0 &&
	    best_days(page_json_list(model, "p.certificates")) < 0)
		warn(list,
		    "No usable certificate of it is stored: mail to it waits or is refused until one is found.");
	page_json_set(model, "warnings", list);
}

void page_partner_change(const struct page_request *rq, json_t *model)
{
	bool adding = strcmp(rq->path, "/partners/add") == 0;
	const char *domain = adding ? page_args_field(rq, "domain") : rq->segments[0];

	page_json_set(model, "adding", json_boolean(adding));
	page_json_set(model, "domain", page_json_text(domain));
	page_json_set(model, "title", page_json_textf("Change %.300s?", domain));
	page_form_changes(rq, model, "p.partner", fields, sizeof fields / sizeof *fields);
	page_form_typed(rq, model);
	tell_consequences(rq, model);
	page_compare(rq, model, domain);
}

void page_partner_remove(const struct page_request *rq, json_t *model)
{
	page_compare(rq, model, rq->segments[0]);
}

/* ---- looking it up ---- */

void page_partner_lookup(const struct page_request *rq, json_t *model)
{
	json_t *list = page_json_list(model, "result.certificates"), *k;
	size_t i;

	(void)rq;
	page_json_set(model, "badge", page_state(page_json_str(model, "result.state")));
	json_array_foreach(list, i, k) if (json_is_object(k))
	    page_json_set(k, "badge", page_state(page_json_is(k, "usable") ? "usable" : "unusable"));
}
