#include "admin-ui/page/page_overview.h"

#include <stdio.h>
#include <string.h>

#include "admin-ui/page/page_chart.h"
#include "admin-ui/page/page_json.h"
#include "admin-ui/page/page_next.h"
#include "admin-ui/page/page_state.h"

enum { SOON_DAYS = 60, NOW_DAYS = 14, OLD_S = 4 * 3600 };

enum how { BAD, WARN };

/* What waits for a decision, each with what to do next, worst first. */
struct todo {
	json_t *list;
	int bad, warn;
};

/* href: without its first slash; one that leads to no page is left out. Takes what, why, next. */
static void add(
    struct todo *t, enum how how, json_t *what, json_t *why, json_t *next, const char *href, const char *tail)
{
	char path[300], segments[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1];
	json_t *o = json_object();

	(void)snprintf(
	    path, sizeof path, "/%.*s%.200s", (int)strcspn(href, "?"), href, strchr(href, '?') ? "" : tail);
	page_json_set(o, "what", what);
	page_json_set(o, "why", why);
	page_json_set(o, "next", next);
	page_json_set(o, "href", json_string(page_find(path, segments) ? href : ""));
	page_json_set(o, "tail", page_json_text(tail));
	page_json_set(o, "class", json_string(how == BAD ? "bad" : "warn"));
	page_json_set(o, "word", json_string(how == BAD ? "urgent" : "decide"));
	if (how == BAD) {
		if (json_array_insert_new(t->list, (size_t)t->bad, o))
			return;
		t->bad++;
	} else {
		page_json_add(t->list, o);
		t->warn++;
	}
}

static json_t *text(const json_t *o, const char *name)
{
	return page_json_text(page_json_str(o, name));
}

#define OWN_KEYS "on the page of the domain, make keys, or press Install when an authority's answer has come"

static void about_gateway(struct todo *t, const json_t *model)
{
	const char *trouble = page_json_str(model, "relay.queue.trouble"),
		   *keeper = page_json_str(model, "judge.keeper.state");
	const json_t *d;
	size_t i;

	if (page_json_is(model, "relay.failed"))
		add(t, BAD, json_string("The relay does not answer"), text(model, "relay.failed"),
		    json_string(
			"it is started again by itself within seconds; when it is not, the gateway's log says why"),
		    "", "");
	if (trouble[0])
		add(t, BAD, json_string("The queue cannot be written"), page_json_text(trouble),
		    json_string(
			"see to the disk of the queue on this machine: mail is put off meanwhile, and none is lost"),
		    "", "");
	if (keeper[0] && strcmp(keeper, "ready") != 0)
		add(t, BAD, page_json_textf("The keeper of the keys is %.40s", keeper),
		    json_string("Nothing can be signed or opened until it is ready."),
		    json_string(strcmp(keeper, "sealed") == 0
				    ? "put the passphrase into its file on this machine"
				    : "it is started again by itself; when it is not, the gateway's log says why"),
		    "", "");
	json_array_foreach(page_json_list(model, "judge.domains"), i, d)
	{
		if (!page_json_is(d, "signs"))
			add(t, BAD, page_json_textf("Mail of %.255s cannot be signed", page_json_str(d, "domain")),
			    text(d, "sign_why"), json_string(OWN_KEYS), "domains/", page_json_str(d, "domain"));
		if (!page_json_is(d, "opens"))
			add(t, BAD, page_json_textf("Mail to %.255s cannot be opened", page_json_str(d, "domain")),
			    text(d, "open_why"), json_string(OWN_KEYS), "domains/", page_json_str(d, "domain"));
	}
}

/* Rows of one kind, each with what to do (page_next.c): which member says whom it is about, and why. */
static void about(struct todo *t, json_t *model, const char *list, const char *what, const char *who, const char *why)
{
	char name[60];
	json_t *rows, *r;
	size_t i;

	(void)snprintf(name, sizeof name, "judge.%s", list);
	rows = page_json_list(model, name);
	page_next_all(list, rows);
	json_array_foreach(rows, i, r) add(t, WARN, page_json_textf("%s%.380s", what, page_json_str(r, who)),
	    text(r, why), text(r, "next"), page_json_str(r, "href"), page_json_str(r, "tail"));
}

static void about_expiry(struct todo *t, json_t *model)
{
	json_t *rows = page_json_list(model, "judge.expiring"), *r;
	size_t i;

	page_next_all("expiring", rows);
	json_array_foreach(rows, i, r)
	{
		int64_t days = page_json_int(r, "days_left");

		if (days > NOW_DAYS)
			continue;
		add(t, days < 3 ? BAD : WARN,
		    page_json_textf("A certificate of %.300s %s", page_json_str(r, "owner"),
			days <= 0 ? "runs out today, or has" : "runs out"),
		    days == 1 ? json_string("One day is left.")
			      : page_json_textf("%lld days are left.", (long long)days),
		    text(r, "next"), page_json_str(r, "href"), page_json_str(r, "tail"));
	}
}

static void about_queue(struct todo *t, const json_t *model)
{
	int64_t held = page_json_int(model, "relay.queue.held"),
		old = page_json_int(model, "relay.queue.oldest_queued.unix");

	if (held > 0)
		add(t, WARN,
		    page_json_textf("Mail to %lld recipient%s is held", (long long)held, held == 1 ? "" : "s"),
		    json_string("It goes on by itself when what it waits for arrives, or by your hand."),
		    json_string("choose under Held messages what to Release, Try now or Delete"), "messages/held",
		    "");
	if (old > 0 && page_json_int(model, "now.unix") - old > OLD_S)
		add(t, WARN, json_string("Mail has been waiting in the queue for long"),
		    page_json_textf("The oldest came %.40s.", page_json_str(model, "relay.queue.oldest_queued.rel")),
		    json_string("look under Messages for the outcome \"deferred\": the page of each says what its "
				"host answered"),
		    "messages", "");
}

static void tell_todo(json_t *model, struct todo *t)
{
	json_t *o;
	size_t i;

	json_array_foreach(page_json_list(model, "judge.proposals"), i, o) if (json_is_object(o))
	    page_json_set(o, "proposed", page_json_textf("Proposed by %.250s.", page_json_str(o, "who")));
	about_gateway(t, model);
	about(t, model, "statements", "The statement of ", "domain", "why");
	about(t, model, "proposals", "A second person is asked to confirm: ", "what", "proposed");
	about(t, model, "waiting", "Another certificate came for ", "owner", "by");
	about(t, model, "partners_noticed", "Something is odd about ", "domain", "why");
	about(t, model, "revoked", "A certificate was taken back: ", "owner", "why");
	about(t, model, "bundles", "A trust bundle was not taken: ", "url", "why");
	about(t, model, "rollovers", "Our keys change: ", "domain", "waits_for");
	about_expiry(t, model);
	about_queue(t, model);
}

static const char *verdict(const struct todo *t)
{
	if (t->bad > 0)
		return "Something needs you now.";
	return t->warn == 1  ? "Mail flows. One thing waits for your decision."
	       : t->warn > 1 ? "Mail flows. Some things wait for your decision."
			     : "Everything is all right.";
}

/* A number of things, in words: "1 rule". */
static json_t *many(const json_t *model, const char *member, const char *word)
{
	int64_t n = page_json_int(model, member);

	return page_json_textf("%lld %s%s", (long long)n, word, n == 1 ? "" : "s");
}

static void tell_counts(json_t *model)
{
	json_t *n = json_object();

	page_json_set(n, "partners", many(model, "judge.counts.partners", "partner"));
	page_json_set(n, "certificates", many(model, "judge.counts.certificates", "certificate"));
	page_json_set(n, "rules", many(model, "judge.counts.rules", "rule"));
	page_json_set(n, "keys", many(model, "judge.keeper.keys", "key"));
	page_json_set(model, "n", n);
}

static void tell_mail(json_t *model)
{
	static const char *const ways[][3] = {
	    {"by.in.", "in", "Mail that came in"}, {"by.out.", "out", "Mail that went out"}};
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		json_t *o = page_chart_hours(page_json_list(model, "counts.hours"), ways[i][0]);

		if (!o)
			continue;
		page_json_set(o, "way", json_string(ways[i][1]));
		page_json_set(o, "name", json_string(ways[i][2]));
		page_json_set(o, "several", json_boolean(page_json_int(o, "total") != 1));
		page_json_add(list, o);
	}
	page_json_set(model, "charts_any", json_boolean(json_array_size(list) > 0));
	page_json_set(model, "charts", list);
}

/* The processes of this gateway, and the nodes that are known of. */
static void tell_processes(json_t *model)
{
	json_t *rows = page_json_list(model, "judge.processes"), *o;
	size_t i;

	json_array_foreach(rows, i, o)
	{
		const char *state = page_json_str(o, "state");
		int64_t starts = page_json_int(o, "starts");

		if (!json_is_object(o))
			continue;
		page_json_set(o, "badge", page_state(state));
		page_json_set(o, "restarts", json_integer(starts > 0 ? starts - 1 : 0));
		page_json_set(o, "restarted", json_boolean(starts > 1));
	}
	page_json_set(model, "processes_any", json_boolean(json_array_size(rows) > 0));
	json_array_foreach(page_json_list(model, "relay.nodes"), i, o) if (json_is_object(o))
	    page_json_set(o, "badge", page_state(page_json_str(o, "state")));
}

void page_overview(const struct page_request *rq, json_t *model)
{
	struct todo t = {.list = json_array()};
	json_t *expiring = page_chart_expiring(page_json_list(model, "judge.expiring"), SOON_DAYS);

	(void)rq;
	tell_todo(model, &t);
	page_json_set(model, "todo", t.list);
	page_json_set(model, "verdict", json_string(verdict(&t)));
	page_json_set(model, "sign", json_string(t.bad ? "\342\234\225" : t.warn ? "!" : "\342\234\223"));
	page_json_set(model, "how", json_string(t.bad ? "bad" : t.warn ? "warn" : "good"));
	tell_counts(model);
	tell_mail(model);
	tell_processes(model);
	if (expiring)
		page_json_set(model, "timeline", expiring);
}
