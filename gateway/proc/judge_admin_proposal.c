/* Two people for one change, see the header. Role judge. */
#include "gateway/proc/judge_admin_proposal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store_proposal.h"
#include "certstore/store_statement.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_partner.h"
#include "gateway/proc/judge_admin_rule.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_upload.h"
#include "gateway/proc/trust_settings.h"

enum { WEEK = 7 * 24 * 3600, PERSON = 64, TEXT_MAX = 400, ROWS = 50, LONG_VALUE = 300, CERTIFICATES = 20 };

/* What they do, with the argument that says about whom. */
static const struct two {
	const char *verb;
	enum trust_two_person least;
	const char *what, *of;
} twos[] = {
    {"statement.approve", TRUST_TWO_DECISIONS, "Trust the statement that waits of", "domain"},
    {"cert.accept", TRUST_TWO_DECISIONS, "Take the new certificate of", "owner"},
    {"statement.set", TRUST_TWO_ALL, "Change what is set for statements of", "domain"},
    {"partner.add", TRUST_TWO_ALL, "List, or change the entry of, the partner", "domain"},
    {"partner.set", TRUST_TWO_ALL, "Change the entry of the partner", "domain"},
    {"partner.remove", TRUST_TWO_ALL, "List no longer the partner", "domain"},
    {"partner.release", TRUST_TWO_ALL, "Release, so that mail may be unprotected, the partner", "domain"},
    {"cert.import", TRUST_TWO_ALL, "Store certificates of", "owner"},
    {"import.confirm", TRUST_TWO_ALL, "Store the certificates of the import", "id"},
    {"anchor.add", TRUST_TWO_ALL, "Add trust anchors for", "scope"},
    {"bundle.add", TRUST_TWO_ALL, "Add the trust bundle", "url"},
    {"rule.add", TRUST_TWO_ALL, "Add the rule", "name"},
    {"rule.set", TRUST_TWO_ALL, "Change the rule", "name"},
    {"rule.remove", TRUST_TWO_ALL, "Remove the rule", "name"},
};

static const struct two *find(const char *verb)
{
	for (size_t i = 0; i < sizeof twos / sizeof *twos; i++)
		if (strcmp(twos[i].verb, verb) == 0)
			return &twos[i];
	return NULL;
}

bool judge_admin_proposal_needed(const struct judge_admin *ja, const char *verb)
{
	const struct two *t = find(verb);

	return t && ja->two_person >= (int)t->least;
}

/* "anna (session) from 192.0.2.7" is anna, however she came; a user of this machine is "uid 0". */
static void person(const char *who, char out[PERSON])
{
	const char *end = strstr(who, " (");

	(void)snprintf(out, PERSON, "%.*s", end ? (int)(end - who) : (int)strlen(who), who);
}

/* Users have no blank in their names, those of this machine do. */
bool judge_admin_proposal_second_self(const struct judge_call *c, const char *user)
{
	char me[PERSON];

	person(c->who, me);
	return c->ja->two_person != TRUST_TWO_NONE && !strchr(me, ' ') && strcmp(me, user) != 0;
}

/* ---- rows ---- */

/* Long values, which are files, by their size and hash. */
static json_t *shown(const char *args_json)
{
	json_t *args = json_loads(args_json, 0, NULL), *v;
	const char *name;

	if (!json_is_object(args)) {
		json_decref(args);
		return judge_call_object();
	}
	json_object_foreach(args, name, v)
	{
		uint8_t hash[EVP_MAX_MD_SIZE];
		char hex[2 * EVP_MAX_MD_SIZE + 1], text[200];
		size_t n = json_string_length(v);

		if (n <= LONG_VALUE)
			continue;
		if (EVP_Digest(json_string_value(v), n, hash, NULL, EVP_sha256(), NULL) != 1)
			log_fatal("no SHA-256");
		encode_hex(hash, 32, hex);
		(void)snprintf(text, sizeof text, "a file; its base64 has %zu octets and SHA-256 %s", n, hex);
		(void)json_string_set(v, text);
	}
	return args;
}

/* What is in the file of it, and of that what was chosen: who confirms sees it, as who proposed it did. Empty where
 * there is none, or none that can be read any more. */
static json_t *certificates(const struct judge_call *c, const char *args_json)
{
	json_t *args = json_loads(args_json, 0, NULL), *a = judge_call_array();
	struct judge_call inner = *c;
	struct judge_upload u = {.n = 0};
	struct problem pr = {0};

	inner.args = args;
	inner.pr = &pr;
	if (json_is_string(json_object_get(args, "content")) && judge_upload_read(&inner, "content", &u) == 0 &&
	    (!json_object_get(args, "sha256") || judge_upload_choose(&inner, JUDGE_MAY, &u) == 0))
		for (size_t i = 0; i < u.n && json_array_size(a) < CERTIFICATES; i++)
			if (u.nchosen == 0 || u.chosen[i])
				judge_call_add(a, judge_call_facts(u.list[i], c->now));
	judge_upload_clear(&u);
	json_decref(args);
	return a;
}

static json_t *partner_now(struct judge_call *c)
{
	char domain[ADDRESS_TEXT_MAX];
	struct store_partner *p = NULL;
	struct address a;
	json_t *o = NULL;

	if (judge_call_owner(c, "domain", JUDGE_MUST, domain, &a) == 0 &&
	    store_partner_get(c->store, domain, &p, c->pr) == 0 && p)
		o = judge_admin_partner_entry(p);
	if (p)
		store_partners_free(p, 1);
	return o;
}

/* What it would change, as it stands: who confirms sees the old beside the new. null: nothing is there yet, or it is
 * no entry and no rule. */
static json_t *now_is(const struct judge_call *c, const struct store_proposal *p)
{
	json_t *args = json_loads(p->args, 0, NULL), *o = NULL;
	struct judge_call inner = *c;
	struct problem pr = {0};

	inner.args = args;
	inner.pr = &pr;
	if (strncmp(p->verb, "rule.", 5) == 0)
		o = judge_admin_rule_now(&inner, json_integer_value(json_object_get(args, "id")),
		    json_string_value(json_object_get(args, "name")));
	else if (strncmp(p->verb, "partner.", 8) == 0)
		o = partner_now(&inner);
	json_decref(args);
	return o ? o : json_null();
}

static json_t *row(const struct judge_call *c, const struct store_proposal *p)
{
	json_t *o = judge_call_object();
	char by[PERSON], me[PERSON];

	person(p->who, by);
	person(c->who, me);
	judge_call_set(o, "id", json_integer((json_int_t)p->id));
	judge_call_set(o, "verb", judge_call_text(p->verb));
	judge_call_set(o, "subject", judge_call_text(p->subject));
	judge_call_set(o, "what", judge_call_text(p->what));
	judge_call_set(o, "by", judge_call_text(by));
	judge_call_set(o, "who", judge_call_text(p->who));
	judge_call_set(o, "at", judge_call_time(p->at));
	judge_call_set(o, "expires", judge_call_time(p->expires));
	judge_call_set(o, "expired", json_boolean(p->expires <= c->now));
	judge_call_set(o, "confirmable", json_boolean(p->expires > c->now && strcmp(by, me) != 0));
	judge_call_set(o, "args", shown(p->args));
	judge_call_set(o, "now", now_is(c, p));
	return o;
}

static json_t *whole(const struct judge_call *c, const struct store_proposal *p)
{
	json_t *o = row(c, p);

	judge_call_set(o, "certificates", certificates(c, p->args));
	return o;
}

/* ---- proposing ---- */

/* A decision holds for the statement that was looked at, and for no later one. */
static int bind(struct judge_call *c, const char *verb)
{
	struct store_statement *st = NULL;
	int rc;

	if (strcmp(verb, "statement.approve") != 0 || json_object_get(c->args, "statement"))
		return 0;
	rc = store_statement_get(c->store, json_string_value(json_object_get(c->args, "domain")), &st, c->pr);
	if (rc == 0 && st)
		judge_call_set(c->args, "statement", judge_call_text(st->waiting.id));
	store_statements_free(st, st ? 1 : 0);
	return rc;
}

int judge_admin_proposal_add(struct judge_call *c, const char *verb)
{
	const struct two *t = find(verb);
	const char *of = t ? json_string_value(json_object_get(c->args, t->of)) : NULL;
	struct store_proposal p = {
	    .at = c->now, .expires = c->now + (c->ja->two_person_expiry ? c->ja->two_person_expiry : WEEK)};
	int64_t id = json_integer_value(json_object_get(c->args, "id"));
	char number[24];
	int rc;

	if (!t || bind(c, verb) < 0)
		return -1;
	p.args = json_dumps(c->args, JSON_COMPACT);
	if (!p.args)
		log_fatal("out of memory: JSON");
	(void)snprintf(p.verb, sizeof p.verb, "%s", verb);
	if (!of && id > 0) {
		(void)snprintf(number, sizeof number, "%lld", (long long)id);
		of = number;
	}
	(void)snprintf(p.subject, sizeof p.subject, "%.255s", of ? of : "*");
	(void)snprintf(
	    p.what, sizeof p.what, "%s %s%.255s", t->what, of == number ? "number " : "", of ? of : "everybody");
	(void)snprintf(p.who, sizeof p.who, "%.190s", c->who);
	if (strlen(p.args) > STORE_PROPOSAL_ARGS)
		rc = judge_call_fail(c, "refused",
		    "that is too large to wait for a second person (two-person): at most %d octets; do it in parts",
		    STORE_PROPOSAL_ARGS);
	else
		rc = store_proposal_add(c->store, &p, c->pr);
	if (rc == 0)
		judge_call_set(c->data, "proposal", whole(c, &p));
	free(p.args);
	return rc;
}

/* ---- what waits ---- */

static int tell(struct judge_call *c, size_t most, bool live)
{
	struct store_proposal *list;
	json_t *rows = judge_call_array();
	size_t n;

	judge_call_set(c->data, "proposals", rows);
	if (store_proposals(c->store, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n && json_array_size(rows) < most; i++)
		if (!live || list[i].expires > c->now)
			judge_call_add(rows, live ? row(c, &list[i]) : whole(c, &list[i]));
	store_proposals_free(list, n);
	return 0;
}

int judge_admin_proposal_list(struct judge_call *c)
{
	return tell(c, STORE_PROPOSAL_MAX, false);
}

int judge_admin_proposal_status(struct judge_call *c)
{
	return tell(c, ROWS, true);
}

static int get(struct judge_call *c, struct store_proposal **p_r)
{
	int64_t id;

	*p_r = NULL;
	if (judge_call_int(c, "id", 1, INT64_MAX, 0, &id) < 0 || store_proposal_get(c->store, id, p_r, c->pr) < 0)
		return -1;
	if (*p_r)
		return 0;
	(void)judge_call_fail(
	    c, "not-found", "there is no proposal %lld: it was confirmed or dropped, or it ran out", (long long)id);
	return -1;
}

/* ---- confirming ---- */

static int check_second(struct judge_call *c, const struct store_proposal *p)
{
	char by[PERSON], me[PERSON];

	person(p->who, by);
	person(c->who, me);
	if (p->expires <= c->now)
		return judge_call_fail(c, "refused", "proposal %lld ran out: propose it anew", (long long)p->id);
	if (strcmp(by, me) == 0)
		return judge_call_fail(c, "refused",
		    "proposal %lld is your own: a second person confirms it (two-person)", (long long)p->id);
	return 0;
}

/* As that verb, in the name of both. */
static int make(struct judge_call *c, const struct store_proposal *p)
{
	struct judge_call inner = *c;
	char by[PERSON], who[400];
	json_error_t error;
	int rc;

	person(p->who, by);
	(void)snprintf(who, sizeof who, "%.200s, proposed by %s", c->who, by);
	inner.who = who;
	inner.data = judge_call_object();
	inner.args = json_loads(p->args, JSON_REJECT_DUPLICATES, &error);
	rc = inner.args ? judge_admin_confirmed(&inner, p->verb)
			: judge_call_fail(c, "refused", "proposal %lld is damaged: drop it", (long long)p->id);
	if (inner.code)
		c->code = inner.code;
	if (rc == 0) {
		judge_call_set(c->data, "confirmed", row(c, p));
		judge_call_set(c->data, "result", json_incref(inner.data));
	}
	json_decref(inner.args);
	json_decref(inner.data);
	return rc;
}

int judge_admin_proposal_confirm(struct judge_call *c)
{
	struct store_proposal *p = NULL;
	int rc;

	if (store_begin(c->store, c->pr) < 0)
		return -1;
	rc = get(c, &p);
	if (rc == 0)
		rc = check_second(c, p);
	if (rc == 0)
		rc = make(c, p);
	if (rc == 0 && !(c->run && c->run->pending))
		rc = store_proposal_end(c->store, p, c->who, "proposal.confirm", p->what, c->pr);
	rc = store_end(c->store, rc, c->pr);
	if (rc < 0)
		judge_cache_forget(c->ja->world->cache);
	store_proposals_free(p, p ? 1 : 0);
	return rc;
}

int judge_admin_proposal_drop(struct judge_call *c)
{
	struct store_proposal *p = NULL;
	const char *reason;
	char detail[STORE_PROPOSAL_WHAT + TEXT_MAX + 20];
	int rc;

	if (judge_call_str(c, "reason", JUDGE_MAY, TEXT_MAX, &reason) < 0 || get(c, &p) < 0)
		return -1;
	(void)snprintf(detail, sizeof detail, "%s%s%s", p->what, reason ? ": " : "", reason ? reason : "");
	rc = store_proposal_end(c->store, p, c->who, "proposal.drop", detail, c->pr);
	if (rc == 0)
		judge_call_set(c->data, "dropped", row(c, p));
	store_proposals_free(p, 1);
	return rc;
}
