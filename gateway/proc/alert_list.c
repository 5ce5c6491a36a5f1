#include "gateway/proc/alert_list.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/proc/admin_json.h"

enum { TEXT_MAX = 1600, KEY_MAX = 700 };

struct list {
	json_t *urgent, *rest;
};

struct alert {
	const char *kind;
	bool urgent, once;
	const char *next;
};

static const char *str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static int64_t num(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static void add(struct list *l, const struct alert *a, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void add(struct list *l, const struct alert *a, const char *key, const char *fmt, ...)
{
	char text[TEXT_MAX];
	json_t *o;
	va_list ap;

	if (json_array_size(l->urgent) + json_array_size(l->rest) >= ALERT_LIST_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	o = json_object();
	admin_json_set(o, "key", admin_json_text(key));
	admin_json_set(o, "kind", admin_json_text(a->kind));
	admin_json_set(o, "urgent", json_boolean(a->urgent));
	admin_json_set(o, "once", json_boolean(a->once));
	admin_json_set(o, "text", admin_json_text(text));
	admin_json_set(o, "next", admin_json_text(a->next ? a->next : ""));
	admin_json_add(a->urgent ? l->urgent : l->rest, o);
}

/* "kind:first:second" */
static const char *key_of(char out[KEY_MAX], const char *kind, const char *first, const char *second)
{
	(void)snprintf(out, KEY_MAX, "%s:%.380s:%.280s", kind, first, second);
	return out;
}

/* ---- the gateway itself ---- */

static void about_keys(struct list *l, const json_t *judge)
{
	const char *state = str(json_object_get(judge, "keeper"), "state");
	const json_t *d;
	char key[KEY_MAX];
	size_t i;

	if (state[0] && strcmp(state, "ready") != 0)
		add(l, &(struct alert){"keys", true, false, "postern status says what it waits for"}, "keeper",
		    "The keeper of the private keys is %.40s: no mail is signed, sealed or opened.", state);
	json_array_foreach(json_object_get(judge, "domains"), i, d)
	{
		struct alert a = {"keys", true, false, "postern domain show"};

		if (json_is_false(json_object_get(d, "signs")))
			add(l, &a, key_of(key, "signs", str(d, "domain"), ""),
			    "Mail of %.255s cannot be signed: %.400s.", str(d, "domain"), str(d, "sign_why"));
		if (json_is_false(json_object_get(d, "opens")))
			add(l, &a, key_of(key, "opens", str(d, "domain"), ""),
			    "Sealed mail for %.255s cannot be opened: %.400s.", str(d, "domain"), str(d, "open_why"));
	}
}

static void about_queue(struct list *l, const struct alert_source *s)
{
	const json_t *q = json_object_get(s->relay, "queue");
	int64_t old = num(q, "oldest_queued"), held = num(q, "held");

	if (str(q, "trouble")[0])
		add(l, &(struct alert){"database", true, false, NULL}, "queue-trouble",
		    "The queue cannot be written: %.500s.", str(q, "trouble"));
	if (old > 0 && s->now_ms - old > s->queue_age_ms)
		add(l,
		    &(struct alert){
			"queue", true, false, "postern queue list says where it is to go and what was answered"},
		    "queue-age", "A message waits in the queue for %lld hours; %lld recipients wait in all.",
		    (long long)((s->now_ms - old) / 3600000), (long long)num(q, "queued"));
	if (held > 0)
		add(l, &(struct alert){"held", false, false, "postern queue list --state held"}, "held",
		    "Mail to %lld recipient%s is held.", (long long)held, held == 1 ? "" : "s");
}

/* ---- partners ---- */

static int step_of(int64_t days_left)
{
	static const int steps[] = {-1, 1, 7, 30, 60};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (days_left <= steps[i])
			return steps[i];
	return 60;
}

static void about_ends(struct list *l, const json_t *rows)
{
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
	{
		int step = step_of(num(r, "days_left"));
		struct alert a = {"expiry", step <= 7, true, str(r, "next")};
		char key[KEY_MAX], what[100], when[60] = "has run out";

		(void)snprintf(what, sizeof what, "%.20s:%.16s:%d", str(r, "kind"), str(r, "sha256"), step);
		if (step >= 0)
			(void)snprintf(when, sizeof when, "runs out in %lld day%s", (long long)num(r, "days_left"),
			    num(r, "days_left") == 1 ? "" : "s");
		add(l, &a, key_of(key, "ends", str(r, "owner"), what), "%.380s (%.20s): %.300s, serial %.64s, %s.",
		    str(r, "owner"), str(r, "kind"), str(r, "subject"), str(r, "serial"), when);
	}
}

/* Rows of one kind: whom it is about, what tells it from another one, the words in front and the one behind. */
struct rows {
	const char *list, *kind, *who, *what, *words, *why;
};

static void about_rows(struct list *l, const json_t *judge, const struct rows *k)
{
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(judge, k->list), i, r)
	{
		bool urgent = strcmp(k->list, "partners_noticed") == 0 || strcmp(str(r, "state"), "frozen") == 0;
		struct alert a = {k->kind, urgent, false, str(r, "next")};
		char key[KEY_MAX];

		add(l, &a, key_of(key, k->list, str(r, k->who), str(r, k->what)), "%s %.380s: %.700s.", k->words,
		    str(r, k->who), str(r, k->why));
	}
}

json_t *alert_list(const struct alert_source *s)
{
	static const struct rows kinds[] = {
	    {"partners_noticed", "downgrade", "domain", "what", "Something is odd about", "why"},
	    {"statements", "pending", "domain", "state", "A decision waits about the statement of", "why"},
	    {"waiting", "pending", "owner", "sha256", "A decision waits about another certificate of", "by"},
	    {"revoked", "revoked", "owner", "sha256", "A certificate was revoked, of", "why"},
	    {"bundles", "bundle", "url", "", "The last edition of a trust bundle was not taken:", "why"},
	};
	struct list l = {json_array(), json_array()};

	if (!s->judge)
		add(&l, &(struct alert){"database", true, false, "postern status; the log says more"}, "judge",
		    "The part that has the store does not answer: %.500s.",
		    s->judge_why && s->judge_why[0] ? s->judge_why : "no answer in time");
	about_keys(&l, s->judge);
	about_queue(&l, s);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		about_rows(&l, s->judge, &kinds[i]);
	about_ends(&l, json_object_get(s->judge, "expiring"));
	if (json_array_extend(l.urgent, l.rest))
		json_array_clear(l.urgent);
	json_decref(l.rest);
	return l.urgent;
}
