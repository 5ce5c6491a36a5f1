/* statement.*: role judge; reads and writes the store. */
#include "gateway/proc/judge_admin_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_pending.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg_fetch.h"
#include "gateway/proc/judge_xsmg_keep.h"
#include "gateway/proc/judge_xsmg_use.h"
#include "gateway/proc/partner_statement_settings.h"
#include "gateway/xsmg/xsmg_trust.h"

enum { TEXT_MAX = 400 };

static void set_text(char **place, const char *text)
{
	char *copy = mem_str(text);

	free(*place);
	*place = copy;
}

/* "3F2A 90C1 ...": for comparing by phone. */
static json_t *grouped(const char *hex)
{
	char out[96];
	size_t n = 0;

	for (size_t i = 0; hex[i] && n + 2 < sizeof out; i++) {
		if (i > 0 && i % 4 == 0)
			out[n++] = ' ';
		out[n++] = (char)(hex[i] >= 'a' && hex[i] <= 'f' ? hex[i] - 'a' + 'A' : hex[i]);
	}
	out[n] = 0;
	return judge_call_text(out);
}

static const char *level_word(int level)
{
	return xsmg_trust_level_word((enum xsmg_level)level);
}

/* ---- rows ---- */

static json_t *body_row(const struct judge_call *c, const struct store_statement_body *b)
{
	json_t *o;

	if (!b->der)
		return json_null();
	o = judge_call_object();
	judge_call_set(o, "id", judge_call_text(b->id));
	judge_call_set(o, "serial", json_integer(b->serial));
	judge_call_set(o, "issued", judge_call_time(b->issued));
	judge_call_set(o, "expires", judge_call_time(b->expires));
	judge_call_set(o, "expired", json_boolean(c->now >= b->expires));
	judge_call_set(o, "withdrawn", json_boolean(b->withdrawn));
	judge_call_set(o, "level", judge_call_text(level_word(b->level)));
	judge_call_set(o, "since", judge_call_time(b->since));
	judge_call_set(o, "how", judge_call_text(b->how));
	judge_call_set(o, "why", judge_call_text(b->why));
	judge_call_set(o, "key", judge_call_text(b->key));
	judge_call_set(o, "key_fingerprint", grouped(b->key));
	judge_call_set(o, "certificate", judge_call_text(b->cert));
	judge_call_set(o, "fingerprint", grouped(b->cert));
	return o;
}

static const char *state_of(const struct judge_call *c, const struct store_statement *st)
{
	const struct partner_statement_settings *set =
	    c->ja->world->statements ? c->ja->world->statements : partner_statement_settings_default();

	if (st->frozen)
		return "frozen";
	if (st->waiting.der)
		return "pending";
	if (!st->trusted.der)
		return st->established ? "not trusted any more" : "offered";
	if (st->trusted.withdrawn)
		return "withdrawn";
	if (c->now >= st->trusted.expires)
		return "expired";
	return c->now - st->trusted.issued > set->stale_after / 1000 ? "stale" : "trusted";
}

static json_t *row_of(const struct judge_call *c, const struct store_statement *st)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "domain", judge_call_text(st->domain));
	judge_call_set(o, "state", judge_call_text(state_of(c, st)));
	judge_call_set(o, "established", judge_call_text(level_word(st->established)));
	judge_call_set(o, "trusted", body_row(c, &st->trusted));
	judge_call_set(o, "waiting", body_row(c, &st->waiting));
	judge_call_set(o, "pin", judge_call_text(st->pin));
	judge_call_set(o, "follow", json_boolean(st->follow));
	judge_call_set(o, "frozen", judge_call_time(st->frozen));
	judge_call_set(o, "frozen_why", judge_call_text(st->frozen_why));
	judge_call_set(o, "fetched", judge_call_time(st->fetched));
	judge_call_set(o, "url", judge_call_text(st->url));
	judge_call_set(o, "offered_since", judge_call_time(st->offered_since));
	judge_call_set(o, "offered", judge_call_time(st->offered));
	judge_call_set(o, "missed", judge_call_time(st->missed));
	judge_call_set(o, "local_parts", judge_call_text(st->local_parts));
	judge_call_set(o, "decided", judge_call_time(st->decided));
	judge_call_set(o, "decision", judge_call_text(st->decision));
	return o;
}

static json_t *key_row(const struct store_statement_key *k)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "key", judge_call_text(k->key));
	judge_call_set(o, "announced", judge_call_time(k->announced));
	judge_call_set(o, "used", judge_call_time(k->used));
	judge_call_set(o, "retired", judge_call_time(k->retired));
	judge_call_set(o, "bad", judge_call_time(k->bad));
	judge_call_set(o, "refused", judge_call_time(k->refused));
	return o;
}

static json_t *promises(const struct statement_write *w)
{
	static const char *const words[] = {[STATEMENT_PROMISES_NONE] = "nothing",
	    [STATEMENT_PROMISES_SOME] = "some",
	    [STATEMENT_PROMISES_ALL] = "all"};
	char text[160], day[11];

	if (!w->said)
		return judge_call_text("");
	(void)snprintf(text, sizeof text, "signs %s, encrypts %s, until %s%s", words[w->signs], words[w->encrypts],
	    w->until ? cert_day(w->until, day) : "its next statement", w->test ? ", on trial" : "");
	return judge_call_text(text);
}

/* What the trusted one says of mail. */
static int add_said(struct judge_call *c, const char *domain, json_t *row)
{
	struct format f = c->ja->world->format;
	const struct judge_owner *o;
	char text[FORMAT_TEXT_MAX];

	if (judge_cache_owner(c->ja->world->cache, c->store, domain, &o, c->pr) < 0)
		return -1;
	if (!o->said)
		return 0;
	format_print(&f, judge_xsmg_use_format(o, c->ja->world->cipher_bits_min, &f), text);
	judge_call_set(row, "reads", judge_call_text(text));
	judge_call_set(row, "promises", promises(&o->said->write));
	judge_call_set(row, "demands",
	    judge_call_text(o->said->demand_encrypted ? o->said->demand_signed ? "signed, encrypted" : "encrypted"
			    : o->said->demand_signed  ? "signed"
						      : ""));
	return 0;
}

int judge_admin_statement_row(struct judge_call *c, const char *domain, json_t **row_r)
{
	struct store_statement_key *keys = NULL;
	struct store_statement *st;
	json_t *a;
	size_t n = 0;

	*row_r = json_null();
	if (store_statement_get(c->store, domain, &st, c->pr) < 0)
		return -1;
	if (!st)
		return 0;
	if (store_statement_keys(c->store, domain, &keys, &n, c->pr) < 0) {
		store_statements_free(st, 1);
		return -1;
	}
	*row_r = row_of(c, st);
	a = judge_call_array();
	for (size_t i = 0; i < n; i++)
		judge_call_add(a, key_row(&keys[i]));
	judge_call_set(*row_r, "keys", a);
	free(keys);
	store_statements_free(st, 1);
	if (add_said(c, domain, *row_r) == 0)
		return 0;
	json_decref(*row_r);
	*row_r = NULL;
	return -1;
}

int judge_admin_statement_pending(struct judge_call *c)
{
	struct store_statement *list;
	const char *after;
	json_t *a;
	int64_t max;
	size_t n;

	if (judge_call_str(c, "after", JUDGE_MAY, TEXT_MAX, &after) < 0 ||
	    judge_call_int(c, "max", 1, 1000, 200, &max) < 0 ||
	    store_statements(c->store, after, true, (size_t)max + 1, &list, &n, c->pr) < 0)
		return -1;
	a = judge_call_array();
	for (size_t i = 0; i < n && i < (size_t)max; i++) {
		json_t *o = row_of(c, &list[i]);
		char next[900];

		judge_admin_pending_next(&list[i], next, sizeof next);
		judge_call_set(o, "next", judge_call_text(next));
		judge_call_add(a, o);
	}
	judge_call_set(c->data, "statements", a);
	judge_call_set(c->data, "more", json_boolean(n > (size_t)max));
	store_statements_free(list, n);
	return 0;
}

/* ---- decisions ---- */

struct decision {
	char domain[ADDRESS_DOMAIN_MAX + 1];
	const char *channel, *reason;
	const char *id;			  /* of the statement that was looked at; NULL not given */
	char fingerprint[CERT_HASH_TEXT]; /* "" not given */
	const char *seen;		  /* the key that was shown, "" none; NULL not given */
	bool pin, follow;		  /* approve */
	struct store_statement *st;
};

static int read_decision(struct judge_call *c, struct decision *d)
{
	const char *fp;

	if (judge_call_domain(c, "domain", JUDGE_MUST, d->domain) < 0 ||
	    judge_call_str(c, "channel", JUDGE_MUST, TEXT_MAX, &d->channel) < 0 ||
	    judge_call_str(c, "reason", JUDGE_MUST, TEXT_MAX, &d->reason) < 0 ||
	    judge_call_str(c, "fingerprint", JUDGE_MAY, TEXT_MAX, &fp) < 0 ||
	    judge_call_str(c, "statement", JUDGE_MAY, TEXT_MAX, &d->id) < 0 ||
	    (fp && judge_call_compared(c, fp, d->fingerprint) < 0) ||
	    judge_call_str(c, "seen", JUDGE_MAY, TEXT_MAX, &d->seen) < 0 ||
	    store_statement_get(c->store, d->domain, &d->st, c->pr) < 0)
		return -1;
	if (d->st)
		return 0;
	return judge_call_fail(c, "not-found",
	    "no statement of %s is known; \"postern partner fetch %s\" looks for one, \"postern partner statement %s "
	    "--pin "
	    "FINGERPRINT\" says beforehand which key to believe",
	    d->domain, d->domain, d->domain);
}

/* What a decision rests on is read within the transaction that writes it: nobody decides something else meanwhile. */
static int in_one(struct judge_call *c, struct decision *d, int (*decide)(struct judge_call *c, struct decision *d))
{
	int rc;

	d->st = NULL;
	if (store_begin(c->store, c->pr) < 0)
		return -1;
	rc = read_decision(c, d);
	if (rc == 0)
		rc = decide(c, d);
	return store_end(c->store, rc, c->pr);
}

/* Whoever decides looked at a page, and then asked by telephone: meanwhile anybody may have sent another statement of
 * the domain, which then waits in its place. */
static int check_seen(struct judge_call *c, const struct decision *d, const char *key)
{
	if (!d->seen || strcmp(d->seen, key) == 0)
		return 0;
	return judge_call_fail(c, "changed",
	    "what is known of the statement of %s changed after it was shown to you, and its key is another one now: "
	    "nothing was done; compare the fingerprint again",
	    d->domain);
}

/* There is one that waits, and it is the one that was compared. */
static int check_waiting(struct judge_call *c, const struct decision *d)
{
	const struct store_statement_body *b = &d->st->waiting;
	size_t n = strlen(d->fingerprint);

	if (!b->der)
		return judge_call_fail(c, "not-found",
		    "no statement of %s waits for a decision: it is %s; \"postern partner show %s\" has the details, "
		    "\"postern partner fetch %s\" looks for a newer one",
		    d->domain, state_of(c, d->st), d->domain, d->domain);
	if (d->id && strcmp(b->id, d->id) != 0)
		return judge_call_fail(c, "refused",
		    "another statement of %s waits now than the one that was looked at: %.100s instead of %.100s",
		    d->domain, b->id, d->id);
	if (check_seen(c, d, b->key) < 0)
		return -1;
	if (n == 0 || strncmp(b->key, d->fingerprint, n) == 0 || strncmp(b->cert, d->fingerprint, n) == 0)
		return 0;
	return judge_call_fail(c, "refused",
	    "the statement of %s that waits has another fingerprint: key %.64s, certificate %.64s", d->domain, b->key,
	    b->cert);
}

static void write_down(struct judge_call *c, struct decision *d, const char *what, char *detail, size_t cap)
{
	const struct store_statement_body *b = d->st->waiting.der ? &d->st->waiting : &d->st->trusted;
	char text[1000];

	(void)snprintf(text, sizeof text, "%s by %.120s, over %.300s: %.400s", what, c->who, d->channel, d->reason);
	set_text(&d->st->decision, text);
	d->st->decided = c->now;
	(void)snprintf(detail, cap, "id %s, key %.64s, over %.300s: %.400s", b->id, b->key, d->channel, d->reason);
}

static void tell(struct judge_call *c, const struct decision *d)
{
	judge_call_set(c->data, "domain", judge_call_text(d->domain));
	judge_call_set(c->data, "statement", row_of(c, d->st));
}

/* A key that was marked, or a certificate that was taken back, is refused over everything. */
static int check_not_bad(struct judge_call *c, const struct store_statement *st)
{
	const struct store_revoked *revoked;
	struct store_statement_key *keys;
	bool bad = false;
	size_t n;

	if (store_statement_keys(c->store, st->domain, &keys, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		bad = bad || (keys[i].bad != 0 && strcmp(keys[i].key, st->waiting.key) == 0);
	free(keys);
	if (bad)
		return judge_call_fail(c, "refused",
		    "the key of the statement of %s that waits is marked as revoked or compromised: key %.64s",
		    st->domain, st->waiting.key);
	judge_cache_begin(c->ja->world->cache, c->store);
	if (judge_cache_revoked(c->ja->world->cache, c->store, &revoked, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(revoked[i].sha256, st->waiting.cert) == 0)
			return judge_call_fail(c, "refused",
			    "the certificate of the statement of %s that waits was revoked: certificate %.64s",
			    st->domain, st->waiting.cert);
	return 0;
}

static int approve(struct judge_call *c, struct decision *d)
{
	struct store_statement *st = d->st;
	struct store_statement_body *b = &st->waiting;
	char detail[1200], why[900];
	bool pinned = d->pin || st->pin[0];

	if (check_waiting(c, d) < 0 || check_not_bad(c, st) < 0)
		return -1;
	write_down(c, d, "approved", detail, sizeof detail);
	if (b->level < XSMG_FIRST_CONTACT)
		b->level = XSMG_FIRST_CONTACT;
	(void)snprintf(why, sizeof why, "%.800s", st->decision);
	set_text(&b->why, why);
	if (pinned) {
		b->level = XSMG_PINNED;
		memcpy(st->pin, b->key, sizeof st->pin);
		st->follow = d->pin ? d->follow : st->follow;
	}
	if (judge_xsmg_keep_adopt(c->store, st, c->now, c->pr) < 0)
		return -1;
	st->through[0] = 0;
	return store_statement_save(c->store, st, c->who, "statement.approve", detail, c->pr);
}

int judge_admin_statement_approve(struct judge_call *c)
{
	struct decision d = {.st = NULL};
	int rc;

	if (judge_call_bool(c, "pin", false, &d.pin) < 0 || judge_call_bool(c, "follow", false, &d.follow) < 0)
		return -1;
	rc = in_one(c, &d, approve);
	if (rc == 0)
		tell(c, &d);
	store_statements_free(d.st, d.st ? 1 : 0);
	return rc;
}

/* The key of the one that waits is refused, but when it is the one that is trusted (two statements of one serial). */
static int refuse(struct judge_call *c, struct decision *d)
{
	struct store_statement *st = d->st;
	struct store_statement_key *list, k = {.refused = 0};
	char detail[1200];
	size_t n;
	int rc = 0;

	if (check_waiting(c, d) < 0)
		return -1;
	write_down(c, d, "refused", detail, sizeof detail);
	if (!st->trusted.der || strcmp(st->waiting.key, st->trusted.key) != 0) {
		if (store_statement_keys(c->store, st->domain, &list, &n, c->pr) < 0)
			return -1;
		memcpy(k.key, st->waiting.key, sizeof k.key);
		for (size_t i = 0; i < n; i++)
			if (strcmp(list[i].key, k.key) == 0)
				k = list[i];
		free(list);
		k.refused = c->now;
		rc = store_statement_key_put(c->store, st->domain, &k, c->pr);
	}
	store_statement_body_clear(&st->waiting);
	st->frozen = 0;
	set_text(&st->frozen_why, "");
	if (!st->trusted.der && st->established != XSMG_NEVER && st->trusted.level == 0)
		st->established = XSMG_NEVER; /* the admin took leave of what was: the next one is met as the first */
	return rc < 0 ? -1 : store_statement_save(c->store, st, c->who, "statement.refuse", detail, c->pr);
}

int judge_admin_statement_refuse(struct judge_call *c)
{
	struct decision d = {.st = NULL};
	int rc = in_one(c, &d, refuse);

	if (rc == 0)
		tell(c, &d);
	store_statements_free(d.st, d.st ? 1 : 0);
	return rc;
}

/* The key that was named; without a fingerprint the one that is trusted. */
static int compromised_key(struct judge_call *c, const struct decision *d, char key[STORE_STATEMENT_HASH])
{
	struct store_statement_key *list;
	size_t n;

	memcpy(key, d->fingerprint[0] ? "" : d->st->trusted.key, d->fingerprint[0] ? 1 : STORE_STATEMENT_HASH);
	if (store_statement_keys(c->store, d->domain, &list, &n, c->pr) < 0)
		return -1;
	for (size_t i = 0; d->fingerprint[0] && i < n; i++)
		if (strncmp(list[i].key, d->fingerprint, strlen(d->fingerprint)) == 0)
			memcpy(key, list[i].key, STORE_STATEMENT_HASH);
	free(list);
	return key[0] ? 0
		      : judge_call_fail(c, "not-found",
			    "%s has no such statement key; \"postern partner show %s\" lists those that were seen",
			    d->domain, d->domain);
}

static int compromised(struct judge_call *c, struct decision *d)
{
	char why[900], key[STORE_STATEMENT_HASH];

	if ((!d->fingerprint[0] && check_seen(c, d, d->st->trusted.key) < 0) || compromised_key(c, d, key) < 0)
		return -1;
	(void)snprintf(
	    why, sizeof why, "compromised, says %.60s, over %.300s: %.400s", c->who, d->channel, d->reason);
	set_text(&d->st->decision, why);
	d->st->decided = c->now;
	return judge_xsmg_keep_bad_key(c->store, d->st, key, why, c->now, c->who, c->pr);
}

int judge_admin_statement_compromised(struct judge_call *c)
{
	struct decision d = {.st = NULL};
	int rc = in_one(c, &d, compromised);

	if (rc == 0)
		tell(c, &d);
	store_statements_free(d.st, d.st ? 1 : 0);
	return rc;
}

/* ---- settings of one partner ---- */

/* The trusted one was signed by another key than the pin names: nothing of it counts from now on. The level that the
 * next one must reach stays. */
static int unfit(struct judge_call *c, struct store_statement *st)
{
	char detail[400];

	(void)snprintf(detail, sizeof detail, "id %s, key %.64s, is not trusted any more: the pin is %.64s",
	    st->trusted.id, st->trusted.key, st->pin);
	store_statement_body_clear(&st->trusted);
	st->through[0] = 0;
	st->fetched = 0;
	if (store_statement_certs_put(c->store, st->domain, NULL, 0, c->pr) < 0)
		return -1;
	return store_statement_save(c->store, st, c->who, "statement.distrust", detail, c->pr);
}

static bool is_unfit(const struct store_statement *st, const char *pin)
{
	return st->trusted.der && strcmp(pin, st->trusted.key) != 0 && strcmp(pin, st->trusted.cert) != 0 &&
	       !(st->follow && strcmp(pin, st->pin) == 0);
}

static int apply(struct judge_call *c, struct store_statement *st)
{
	const char *parts, *pin;
	char detail[700], hex[CERT_HASH_TEXT] = "";
	bool drop;

	if (judge_call_str(c, "local_parts", JUDGE_MAY, 300, &parts) < 0 ||
	    judge_call_str(c, "pin", JUDGE_MAY, 200, &pin) < 0 ||
	    judge_call_bool(c, "follow", st->follow, &st->follow) < 0 ||
	    (pin && pin[0] && judge_call_fingerprint(c, pin, hex) < 0))
		return -1;
	if (pin && pin[0] && strlen(hex) != CERT_HASH_TEXT - 1)
		return judge_call_fail(c, "usage", "a pin is a whole SHA-256 fingerprint (64 hex digits)");
	if (parts)
		set_text(&st->local_parts, parts);
	drop = hex[0] && is_unfit(st, hex);
	if (pin)
		memcpy(st->pin, hex, sizeof st->pin);
	(void)snprintf(detail, sizeof detail, "local parts \"%s\", pin %s%s", st->local_parts,
	    st->pin[0] ? st->pin : "none", st->follow ? ", follow" : "");
	if (store_statement_save(c->store, st, c->who, "statement.set", detail, c->pr) < 0)
		return -1;
	return drop ? unfit(c, st) : 0;
}

/* Within a transaction. */
static int set(struct judge_call *c, const char *domain, struct store_statement **st_r)
{
	if (store_statement_get(c->store, domain, st_r, c->pr) < 0)
		return -1;
	if (!*st_r)
		*st_r = store_statement_new(domain);
	return apply(c, *st_r);
}

int judge_admin_statement_set(struct judge_call *c)
{
	char domain[ADDRESS_DOMAIN_MAX + 1];
	struct store_statement *st = NULL;
	int rc;

	if (judge_call_domain(c, "domain", JUDGE_MUST, domain) < 0)
		return -1;
	if (judge_world_domain(c->ja->world, domain) >= 0)
		return judge_call_fail(c, "refused", "%s is a domain of ours, not a partner", domain);
	rc = store_begin(c->store, c->pr);
	if (rc == 0)
		rc = store_end(c->store, set(c, domain, &st), c->pr);
	if (rc == 0) {
		judge_call_set(c->data, "domain", judge_call_text(domain));
		judge_call_set(c->data, "statement", row_of(c, st));
	}
	store_statements_free(st, st ? 1 : 0);
	return rc;
}

static void tell_fetched(
    struct judge_call *c, const char *domain, const struct judge_xsmg_result *r, const char *where)
{
	judge_call_set(c->data, "domain", judge_call_text(domain));
	judge_call_set(c->data, "result", judge_call_text(xsmg_trust_action_word(r->action)));
	judge_call_set(c->data, "level", judge_call_text(level_word((int)r->level)));
	judge_call_set(c->data, "where", judge_call_text(where));
	judge_call_set(c->data, "why", judge_call_text(r->why));
}

int judge_admin_statement_fetch(struct judge_call *c)
{
	char domain[ADDRESS_DOMAIN_MAX + 1], where[600] = "", why[600] = "";
	struct judge_xsmg_result r = {.action = XSMG_DO_LATER};
	int rc;

	if (judge_call_domain(c, "domain", JUDGE_MUST, domain) < 0)
		return -1;
	if (judge_world_domain(c->ja->world, domain) >= 0)
		return judge_call_fail(c, "refused", "%s is a domain of ours, not a partner", domain);
	if (!c->ja->world->fetch || !c->run)
		return judge_call_fail(c, "unavailable", "the network cannot be asked now");
	rc = judge_xsmg_fetch_now(c->ja->world->fetch, domain, c->run, &r, where, why);
	if (rc == 0)
		return judge_call_fail(c, "not-found",
		    "no statement of %s could be fetched: it is looked for where its _smg record says, where its "
		    "last statement "
		    "said, and at https://smg.%s/.well-known/smg/%s; the last of these said: %.500s",
		    domain, domain, domain, why);
	if (rc > 0)
		tell_fetched(c, domain, &r, where);
	return 0;
}
