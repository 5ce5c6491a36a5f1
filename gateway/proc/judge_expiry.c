/* What runs out. Role judge; reads the store, and writes down which warnings were given. */
#include "gateway/proc/judge_expiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { DAY = 86400, PARTNERS_MAX = 1000, GONE_DAYS = 30, KNOWN = 4096, USED_DAYS = 90 };

struct telling {
	int64_t now;
	size_t max; /* of each kind */
	void (*tell)(void *ctx, const struct judge_expiry *e);
	void *ctx;
	const char *key_id;
};

static void tell_one(const struct telling *t, const struct cert_facts *f, const char *owner, const char *kind)
{
	struct judge_expiry e = {.owner = owner, .kind = kind, .f = f, .key_id = t->key_id};

	if (f->not_after >= t->now + (int64_t)JUDGE_EXPIRY_DAYS * DAY)
		return;
	e.days_left = f->not_after < t->now ? -1 : (f->not_after - t->now) / DAY;
	t->tell(t->ctx, &e);
}

static void look(const struct telling *t, const void *der, size_t n, const char *owner, const char *kind)
{
	X509 *x = cert_parse(der, n, NULL);
	struct cert_facts f;

	if (!x)
		return;
	cert_facts(x, &f);
	X509_free(x);
	tell_one(t, &f, owner, kind);
}

/* Of partners' certificates: reading one takes a third of a millisecond, and whoever looks at the state does so for a
 * thousand of them. A certificate never changes, so each place keeps what it read last. */
static struct cert_facts *known[KNOWN];

static const struct cert_facts *facts_of(const struct store_cert *c)
{
	unsigned long place;
	char front[4];
	X509 *x;

	(void)snprintf(front, sizeof front, "%.3s", c->sha256);
	place = strtoul(front, NULL, 16) % KNOWN;
	if (known[place] && strcmp(known[place]->sha256, c->sha256) == 0)
		return known[place];
	x = cert_parse(c->der, c->der_len, NULL);
	if (!x)
		return NULL;
	if (!known[place])
		known[place] = mem_new(sizeof **known);
	cert_facts(x, known[place]);
	X509_free(x);
	return known[place];
}

static int look_at_partners(const struct telling *t, struct store *s, struct problem *pr)
{
	struct store_cert *list;
	size_t n;

	if (store_certs_expiring(s, t->now + (int64_t)JUDGE_EXPIRY_DAYS * DAY, t->max, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct cert_facts *f = facts_of(&list[i]);

		if (f)
			tell_one(t, f, list[i].owner, "partner");
	}
	store_certs_free(list, n);
	return 0;
}

/* Their octets are not kept: what is known of them was written down when they were used. */
static int look_at_network(const struct telling *t, struct store *s, struct problem *pr)
{
	struct store_in_use *list;
	size_t n;

	if (store_in_use_expiring(s, t->now - (int64_t)USED_DAYS * DAY, t->now - (int64_t)GONE_DAYS * DAY,
		t->now + (int64_t)JUDGE_EXPIRY_DAYS * DAY, t->max, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct cert_facts f = {.not_after = list[i].not_after};

		(void)snprintf(f.subject, sizeof f.subject, "%s", list[i].subject);
		(void)snprintf(f.serial, sizeof f.serial, "%s", list[i].serial);
		memcpy(f.sha256, list[i].sha256, sizeof f.sha256);
		tell_one(t, &f, list[i].owner, "network");
	}
	store_in_use_free(list, n);
	return 0;
}

/* A statement has no certificate: what stands for one here are its id, its serial and its end. */
static int look_at_statements(const struct telling *t, struct store *s, struct problem *pr)
{
	struct store_statement_end *list;
	size_t n;

	if (store_statement_ends(s, t->now, t->now - (int64_t)GONE_DAYS * DAY,
		t->now + (int64_t)JUDGE_EXPIRY_DAYS * DAY, t->max, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct cert_facts f = {.not_after = list[i].expires};

		(void)snprintf(f.subject, sizeof f.subject, "statement of %s", list[i].domain);
		(void)snprintf(f.serial, sizeof f.serial, "%lld", (long long)list[i].serial);
		(void)snprintf(f.sha256, sizeof f.sha256, "%s", list[i].id);
		tell_one(t, &f, list[i].domain, list[i].ours ? "own-statement" : "statement");
	}
	store_statement_end_free(list, n);
	return 0;
}

int judge_expiry_note(struct store *s, const char *owner, const struct cert_facts *f, int64_t now, struct problem *pr)
{
	struct store_in_use u = {.owner = (char *)(uintptr_t)owner,
	    .subject = (char *)(uintptr_t)f->subject,
	    .serial = (char *)(uintptr_t)f->serial,
	    .not_after = f->not_after,
	    .used = now};

	memcpy(u.sha256, f->sha256, sizeof u.sha256);
	return store_in_use_put(s, &u, pr);
}

static int64_t end_of(struct judge_cache *c, const struct store_identity *i, int64_t now)
{
	struct judge_cert *k = i->cert ? judge_cache_cert(c, i->cert, i->cert_len, NULL) : NULL;
	int64_t end = k && k->f.not_before <= now ? k->f.not_after : 0;

	judge_cert_drop(k);
	return end;
}

static bool in_place(const struct store_identity *i)
{
	return i->active && !i->retired && i->cert;
}

/* Does another key of the same domain and use last longer? */
static bool succeeded(struct judge_cache *c, const struct store_identity *own, size_t n, size_t which, int64_t now)
{
	int64_t end = end_of(c, &own[which], now);

	for (size_t i = 0; i < n; i++)
		if (i != which && own[i].use == own[which].use && in_place(&own[i]) &&
		    strcmp(own[i].domain, own[which].domain) == 0 && end_of(c, &own[i], now) > end)
			return true;
	return false;
}

/* The list is the cache's, and stays while certificates come and go in it. */
static int look_at_ours(struct telling *t, struct judge_cache *c, struct store *s, struct problem *pr)
{
	const struct store_identity *own;
	size_t n;

	if (judge_cache_identities(c, s, &own, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!in_place(&own[i]))
			continue;
		t->key_id = succeeded(c, own, n, i, t->now) ? own[i].key_id : NULL;
		look(t, own[i].cert, own[i].cert_len, own[i].domain, store_use_word(own[i].use));
	}
	t->key_id = NULL;
	return 0;
}

int judge_expiry_all(struct judge_cache *c, struct store *s, int64_t now, size_t max,
    void (*tell)(void *ctx, const struct judge_expiry *e), void *ctx, struct problem *pr)
{
	struct telling t = {.now = now, .max = max, .tell = tell, .ctx = ctx};
	const struct store_anchor *anchors;
	size_t n;

	if (look_at_ours(&t, c, s, pr) < 0 || judge_cache_anchors(c, s, &anchors, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		look(&t, anchors[i].der, anchors[i].der_len, anchors[i].scope,
		    anchors[i].bundle ? "bundle" : "anchor");
	if (look_at_partners(&t, s, pr) < 0)
		return -1;
	return look_at_network(&t, s, pr) < 0 ? -1 : look_at_statements(&t, s, pr);
}

/* ---- what to do next ---- */

static bool is(const struct judge_expiry *e, const char *kind)
{
	return strcmp(e->kind, kind) == 0;
}

const char *judge_expiry_next(const struct judge_expiry *e, char out[JUDGE_EXPIRY_NEXT_MAX])
{
	bool over = e->days_left < 0;
	size_t at;

	if (e->key_id)
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "a newer key is in use; when nobody needs this one any more: postern domain retire %.63s",
		    e->key_id);
	else if (is(e, "tls"))
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "make its successor with \"postern domain tls %.253s\", or have it renewed and install it with "
		    "\"postern domain install %.253s FILE\"",
		    e->owner, e->owner);
	else if (is(e, "sign") || is(e, "decrypt"))
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "make its successor with \"postern domain add %.253s\", or have it renewed and install it with "
		    "\"postern domain install %.253s FILE\"",
		    e->owner, e->owner);
	else if (is(e, "anchor"))
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "ask its authority for the successor: postern anchor add FILE --scope %.255s", e->owner);
	else if (is(e, "bundle"))
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "its publisher has to put the successor into the bundle: \"postern bundle list\" shows which");
	else if (is(e, "own-statement"))
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "it is renewed by itself, and that failed: the log says why; postern domain show "
		    "%.255s",
		    e->owner);
	else if (is(e, "statement"))
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "its successor did not come: postern partner fetch %.253s; else ask the partner", e->owner);
	else if (is(e, "network"))
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "ask %.380s to publish the successor; what is found now shows: postern cert show %.380s",
		    e->owner, e->owner);
	else
		(void)snprintf(out, JUDGE_EXPIRY_NEXT_MAX,
		    "ask %.380s for the successor: postern cert import FILE --for %.380s", e->owner, e->owner);
	at = strlen(out);
	if (over && is(e, "anchor"))
		(void)snprintf(out + at, JUDGE_EXPIRY_NEXT_MAX - at, "; postern anchor remove %.255s %.16s", e->owner,
		    e->f->sha256);
	else if (over && is(e, "partner"))
		(void)snprintf(out + at, JUDGE_EXPIRY_NEXT_MAX - at, "; postern cert remove %.380s %.16s", e->owner,
		    e->f->sha256);
	return out;
}

/* ---- warnings ---- */

struct warning {
	struct store *store;
	int n;
	bool failed;
	struct problem *pr;
};

/* The step that this many days have reached. */
static int64_t step_of(int64_t days_left)
{
	static const int steps[] = {-1, 1, 7, 14, 30, 60};

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (days_left <= steps[i])
			return steps[i];
	return INT64_MAX;
}

/* Of one of the network its beginning is not known. */
static void words_of(const struct cert_facts *f, char *out, size_t cap)
{
	char day[11];

	if (f->not_before)
		(void)cert_words(f, out, cap);
	else
		(void)snprintf(out, cap, "%.200s, serial %.40s, valid to %s", f->subject, f->serial,
		    cert_day(f->not_after, day));
}

static void warn(void *ctx, const struct judge_expiry *e)
{
	struct warning *w = ctx;
	int64_t step = step_of(e->days_left), told;
	const char *noun =
	    is(e, "statement") || is(e, "own-statement") ? "" : "certificate "; /* else it is in words */
	char words[300], next[JUDGE_EXPIRY_NEXT_MAX];

	if (w->failed)
		return;
	w->failed = store_warned(w->store, e->f->sha256, e->kind, e->owner, &told, w->pr) < 0;
	if (w->failed || told <= step)
		return;
	w->failed = store_warned_put(w->store, e->f->sha256, e->kind, e->owner, step, w->pr) < 0;
	if (w->failed)
		return;
	w->n++;
	words_of(e->f, words, sizeof words);
	(void)judge_expiry_next(e, next);
	if (e->days_left < 0)
		log_error(NULL, "judge", "alarm=expired kind=%s owner=%s why=\"%s%s has run out: %s\"", e->kind,
		    e->owner, noun, words, next);
	else
		log_warn(NULL, "judge", "expires kind=%s owner=%s days=%lld why=\"%s%s runs out: %s\"", e->kind,
		    e->owner, (long long)e->days_left, noun, words, next);
}

int judge_expiry_warn(struct judge_cache *c, struct store *s, int64_t now, struct problem *pr)
{
	struct warning w = {.store = s, .pr = pr};

	judge_cache_begin(c, s);
	if (judge_expiry_all(c, s, now, PARTNERS_MAX, warn, &w, pr) < 0 || w.failed ||
	    store_in_use_drop(s, now - (int64_t)GONE_DAYS * DAY, pr) < 0)
		return -1;
	return w.n;
}
