/*
 * status: role judge; reads the store. Beside the counts all that waits for the admin: each with what to do next, in
 * one sentence that the command prints as it is.
 */
#include "gateway/proc/judge_admin_status.h"

#include <stdio.h>
#include <time.h>

#include "certstore/store_own_statement.h"
#include "certstore/store_rollover.h"
#include "certstore/trust_change.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_admin_pending.h"
#include "gateway/proc/judge_admin_proposal.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_store.h"
#include "gateway/proc/judge_expiry.h"
#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_scout.h"
#include "gateway/proc/judge_xsmg_alarm.h"

enum { EXPIRY_ROWS = 300, ROWS = 100 /* of each other kind: the reply to an admin has a maximum */ };

static int tell_counts(struct judge_call *c)
{
	struct store_counts n;
	json_t *o;

	if (store_count(c->store, &n, c->pr) < 0)
		return -1;
	o = judge_call_object();
	judge_call_set(o, "partners", json_integer(n.partners));
	judge_call_set(o, "certificates", json_integer(n.certs));
	judge_call_set(o, "anchors", json_integer(n.anchors));
	judge_call_set(o, "rules", json_integer(n.rules));
	judge_call_set(o, "identities", json_integer(n.identities));
	judge_call_set(o, "seen_protected", json_integer(n.seen));
	judge_call_set(c->data, "counts", o);
	return 0;
}

static void tell_keeper(struct judge_call *c)
{
	static const char *const words[] = {
	    [KEYS_READY] = "ready", [KEYS_SEALED] = "sealed", [KEYS_UNREACHABLE] = "unreachable"};
	unsigned n = 0;
	enum keys_state s = c->ja->keys ? keys_status(c->ja->keys, &n) : KEYS_UNREACHABLE;
	json_t *o = judge_call_object();

	judge_call_set(o, "state", judge_call_text(words[s]));
	judge_call_set(o, "keys", json_integer(n));
	judge_call_set(c->data, "keeper", o);
}

static void add_expiry(void *ctx, const struct judge_expiry *e)
{
	json_t *rows = ctx, *o;
	char next[JUDGE_EXPIRY_NEXT_MAX];

	if (json_array_size(rows) >= EXPIRY_ROWS)
		return;
	o = judge_call_object();
	judge_call_set(o, "owner", judge_call_text(e->owner));
	judge_call_set(o, "kind", judge_call_text(e->kind));
	judge_call_set(o, "subject", judge_call_text(e->f->subject));
	judge_call_set(o, "serial", judge_call_text(e->f->serial));
	judge_call_set(o, "sha256", judge_call_text(e->f->sha256));
	judge_call_set(o, "not_after", judge_call_time(e->f->not_after));
	judge_call_set(o, "days_left", json_integer(e->days_left));
	judge_call_set(o, "newer", json_boolean(e->key_id != NULL));
	judge_call_set(o, "next", judge_call_text(judge_expiry_next(e, next)));
	judge_call_add(rows, o);
}

static int tell_expiring(struct judge_call *c)
{
	json_t *rows = judge_call_array();

	judge_call_set(c->data, "expiring", rows);
	return judge_expiry_all(c->ja->world->cache, c->store, c->now, EXPIRY_ROWS, add_expiry, rows, c->pr);
}

static int tell_domains(struct judge_call *c)
{
	const struct judge_world *w = c->ja->world;
	json_t *a = judge_call_array();

	judge_call_set(c->data, "domains", a);
	for (size_t i = 0; i < w->ndomains; i++) {
		const struct store_identity *sign, *open;
		char sign_why[400], open_why[400];
		json_t *o;

		if (judge_identities_find(w->cache, c->store, w->domains[i], STORE_SIGN, c->now, &sign, sign_why,
			sizeof sign_why, c->pr) < 0 ||
		    judge_identities_find(w->cache, c->store, w->domains[i], STORE_DECRYPT, c->now, &open, open_why,
			sizeof open_why, c->pr) < 0)
			return -1;
		o = judge_call_object();
		judge_call_set(o, "domain", judge_call_text(w->domains[i]));
		judge_call_set(o, "signs", json_boolean(sign != NULL));
		judge_call_set(o, "sign_why", judge_call_text(sign_why));
		judge_call_set(o, "opens", json_boolean(open != NULL));
		judge_call_set(o, "open_why", judge_call_text(open_why));
		judge_call_add(a, o);
	}
	return 0;
}

static void tell_lookups(struct judge_call *c)
{
	struct source_book_counts n;
	json_t *o;

	if (!c->ja->scout)
		return;
	n = judge_scout_counts(c->ja->scout);
	o = judge_call_object();
	judge_call_set(o, "kept", json_integer((json_int_t)n.kept));
	judge_call_set(o, "octets", json_integer((json_int_t)n.octets));
	judge_call_set(o, "asking", json_integer((json_int_t)n.asking));
	judge_call_set(o, "asked", json_integer((json_int_t)n.asked));
	judge_call_set(o, "used", json_integer((json_int_t)n.used));
	judge_call_set(o, "refused", json_integer((json_int_t)n.refused));
	judge_call_set(o, "waiting", json_integer((json_int_t)judge_scout_waiting(c->ja->scout)));
	judge_call_set(c->data, "lookups", o);
}

/* ---- what waits for the admin ---- */

static int tell_revoked(struct judge_call *c)
{
	struct store_revoked_of *list;
	json_t *rows = judge_call_array();
	size_t n;

	judge_call_set(c->data, "revoked", rows);
	if (store_revoked_owners(c->store, ROWS, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct store_revoked_of *r = &list[i];
		json_t *o = judge_call_object();
		char next[1000];

		(void)snprintf(next, sizeof next,
		    "it is never used, pinned or not: ask %.380s for another (postern cert import FILE --for %.380s)",
		    r->owner, r->owner);
		judge_call_set(o, "owner", judge_call_text(r->owner));
		judge_call_set(o, "sha256", judge_call_text(r->r.sha256));
		judge_call_set(o, "why", judge_call_text(r->r.words));
		judge_call_set(o, "since", judge_call_time(r->r.at));
		judge_call_set(o, "next", judge_call_text(next));
		judge_call_add(rows, o);
	}
	store_revoked_owners_free(list, n);
	return 0;
}

static json_t *waiting_row(const struct store_waiting *w)
{
	json_t *o = judge_call_object();
	char local[300] = "", next[900];

	if (w->local[0])
		(void)snprintf(local, sizeof local, " --local %.255s", w->local);
	(void)snprintf(next, sizeof next,
	    "compare its fingerprint with the partner by phone, then: postern cert accept %.390s %.16s%s", w->owner,
	    w->b.waiting, local);
	judge_call_set(o, "owner", judge_call_text(w->owner));
	judge_call_set(o, "local", judge_call_text(w->local));
	judge_call_set(o, "sha256", judge_call_text(w->b.waiting));
	judge_call_set(o, "by", judge_call_text(trust_change_words((enum trust_reason)w->b.waiting_reason)));
	judge_call_set(o, "known", judge_call_text(w->b.sha256));
	judge_call_set(o, "known_by", judge_call_text(trust_change_words((enum trust_reason)w->b.reason)));
	judge_call_set(o, "since", judge_call_time(w->b.waiting_at));
	judge_call_set(o, "next", judge_call_text(next));
	return o;
}

static int tell_waiting(struct judge_call *c)
{
	struct store_waiting *list;
	json_t *rows = judge_call_array();
	size_t n;

	judge_call_set(c->data, "waiting", rows);
	if (store_believed_waiting(c->store, NULL, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n && i < ROWS; i++)
		judge_call_add(rows, waiting_row(&list[i]));
	store_waiting_free(list, n);
	return 0;
}

static json_t *bundle_row(const struct store_bundle *b)
{
	json_t *o = judge_call_object();
	char next[2300];

	(void)snprintf(next, sizeof next,
	    "%s; ask its publisher, then: postern bundle refresh %.1000s (with --force when the edition is right)",
	    b->taken ? "the edition in use stays" : "none of its anchors is in use", b->url);
	judge_call_set(o, "url", judge_call_text(b->url));
	judge_call_set(o, "why", judge_call_text(b->trouble));
	judge_call_set(o, "since", judge_call_time(b->since));
	judge_call_set(o, "tried", judge_call_time(b->tried));
	judge_call_set(o, "taken", judge_call_time(b->taken));
	judge_call_set(o, "next", judge_call_text(next));
	return o;
}

static int tell_bundles(struct judge_call *c)
{
	struct store_bundle *list;
	json_t *rows = judge_call_array();
	size_t n;

	judge_call_set(c->data, "bundles", rows);
	if (store_bundles(c->store, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list[i].trouble[0] && json_array_size(rows) < ROWS)
			judge_call_add(rows, bundle_row(&list[i]));
	store_bundles_free(list, n);
	return 0;
}

static int tell_retired(struct judge_call *c)
{
	const struct store_identity *list;
	json_t *rows = judge_call_array();
	size_t n;

	judge_call_set(c->data, "retired", rows);
	if (judge_cache_identities(c->ja->world->cache, c->store, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		json_t *o;

		if (!list[i].retired)
			continue;
		o = judge_call_object();
		judge_call_set(o, "key_id", judge_call_text(list[i].key_id));
		judge_call_set(o, "domain", judge_call_text(list[i].domain));
		judge_call_set(o, "use", judge_call_text(store_use_word(list[i].use)));
		judge_call_set(o, "since", judge_call_time(list[i].retired));
		judge_call_set(o, "next",
		    judge_call_text(
			"its file is still in the keys directory: it goes as soon as the keeper answers"));
		judge_call_add(rows, o);
	}
	return 0;
}

/* ---- changes of our keys that wait ---- */

static void day_of(int64_t t, char out[17])
{
	struct tm tm;
	time_t at = (time_t)t;

	if (!gmtime_r(&at, &tm) || strftime(out, 17, "%Y-%m-%d %H:%M", &tm) == 0)
		(void)snprintf(out, 17, "?");
}

static int waits_for_ca(const struct store_rollover *r, char *next, size_t cap)
{
	const char *more = r->kind == STORE_ROLLOVER_STATEMENT ? " --statement-key" : "";

	(void)snprintf(next, cap,
	    "its new keys wait for the certification authority: where a hook asks it, look why it gave no "
	    "certificate yet "
	    "(postern domain rollover %.200s%s --hook COMMAND); else send what postern domain rollover %.200s%s "
	    "--csr "
	    "prints, and install the answer: postern domain install %.200s FILE",
	    r->domain, more, r->domain, more, r->domain);
	return 0;
}

static int waits_for_partners(struct judge_call *c, const struct store_rollover *r, char *next, size_t cap)
{
	int64_t all, hold;
	char at[17];

	if (store_own_statement_holders(c->store, r->domain, r->serial, &all, &hold, c->pr) < 0)
		return -1;
	day_of(r->switch_at, at);
	(void)snprintf(next, cap,
	    "nothing to do: the new keys are used from %s UTC; %lld of %lld partners that were handed our statement "
	    "hold "
	    "the announcement%s (postern domain show %.255s)",
	    at, (long long)hold, (long long)all,
	    r->kind == STORE_ROLLOVER_MAIL && hold < all ? "; as soon as all do, it is earlier" : "", r->domain);
	return 0;
}

static int tell_rollover(struct judge_call *c, json_t *rows, const struct store_rollover *r)
{
	bool ca = r->step == STORE_ROLLOVER_WAITS;
	char next[1200];
	json_t *o;

	if (!ca && r->step != STORE_ROLLOVER_ANNOUNCED)
		return 0;
	if ((ca ? waits_for_ca(r, next, sizeof next) : waits_for_partners(c, r, next, sizeof next)) < 0)
		return -1;
	o = judge_call_object();
	judge_call_set(o, "domain", judge_call_text(r->domain));
	judge_call_set(o, "keys", judge_call_text(r->kind == STORE_ROLLOVER_MAIL ? "mail" : "statement"));
	judge_call_set(o, "waits_for", judge_call_text(ca ? "certificates" : "partners"));
	judge_call_set(o, "since", judge_call_time(r->started));
	judge_call_set(o, "switch_at", judge_call_time(r->switch_at));
	judge_call_set(o, "next", judge_call_text(next));
	judge_call_add(rows, o);
	return 0;
}

static int tell_rollovers(struct judge_call *c)
{
	const struct judge_world *w = c->ja->world;
	json_t *rows = judge_call_array();

	judge_call_set(c->data, "rollovers", rows);
	for (size_t i = 0; i < w->ndomains && json_array_size(rows) < ROWS; i++)
		for (int k = STORE_ROLLOVER_MAIL; k <= STORE_ROLLOVER_STATEMENT; k++) {
			struct store_rollover r;

			if (store_rollover_get(c->store, w->domains[i], (enum store_rollover_kind)k, &r, c->pr) < 0 ||
			    tell_rollover(c, rows, &r) < 0)
				return -1;
		}
	return 0;
}

/* ---- partners' statements ---- */

static void tell_partners(struct judge_call *c)
{
	json_t *rows = judge_call_array();
	struct judge_xsmg_alarmed a;

	judge_call_set(c->data, "partners_noticed", rows);
	for (size_t i = 0; json_array_size(rows) < ROWS && judge_xsmg_alarm_each(&i, c->now, &a);) {
		bool promise = a.kind == JUDGE_XSMG_ALARM_PROMISE;
		json_t *o = judge_call_object();
		char next[700];

		(void)snprintf(next, sizeof next,
		    promise ? "ask it which of its mail goes out another way than through its gateway; what is done "
			      "with such mail says broken-promise (postern partner show %.255s)"
			    : "mail to it is sealed as before; ask it, or whoever stands between, why XSMG is gone; "
			      "when it "
			      "stopped for good it withdraws its statement, or: postern partner release %.255s",
		    a.domain);
		judge_call_set(o, "domain", judge_call_text(a.domain));
		judge_call_set(o, "what", judge_call_text(promise ? "broken-promise" : "downgrade"));
		judge_call_set(o, "why", judge_call_text(a.words));
		judge_call_set(o, "count", json_integer((json_int_t)a.count));
		judge_call_set(o, "since", judge_call_time(a.first));
		judge_call_set(o, "last", judge_call_time(a.last));
		judge_call_set(o, "next", judge_call_text(next));
		judge_call_add(rows, o);
	}
}

/* What the parent said last of the processes. */
static void tell_processes(struct judge_call *c)
{
	json_t *o = c->ja->processes ? json_loads(c->ja->processes, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *roles = json_object_get(o, "roles"), *row;
	size_t i;

	json_array_foreach(roles, i, row)
	    judge_call_set(row, "since", judge_call_time(json_integer_value(json_object_get(row, "since"))));
	judge_call_set(c->data, "processes", json_is_array(roles) ? json_incref(roles) : judge_call_array());
	json_decref(o);
}

int judge_admin_status(struct judge_call *c)
{
	if (tell_counts(c) < 0 || judge_admin_store_head(c, "audit") < 0 || tell_expiring(c) < 0 ||
	    tell_domains(c) < 0 || tell_waiting(c) < 0 || tell_revoked(c) < 0 || tell_bundles(c) < 0 ||
	    tell_retired(c) < 0 || tell_rollovers(c) < 0 || judge_admin_pending_status(c) < 0 ||
	    judge_admin_proposal_status(c) < 0)
		return -1;
	tell_partners(c);
	tell_processes(c);
	tell_keeper(c);
	tell_lookups(c);
	return 0;
}
