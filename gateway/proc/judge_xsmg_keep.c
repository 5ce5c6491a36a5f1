/*
 * What a decision about a statement changes in the store. Role judge; writes the store. Each change of trust is one
 * transaction with its audit row (P8). What proves nothing leaves one line in the log and, once a day, a row in the
 * audit log: whoever sends rubbish must not fill it.
 */
#include "gateway/proc/judge_xsmg_keep.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg_alarm.h"
#include "gateway/proc/judge_xsmg_facts.h"

enum { CHAIN_KEPT = 16, NOTED_S = 3600 };

static void set_text(char **place, const char *text)
{
	char *copy = mem_str(text);

	free(*place);
	*place = copy;
}

/* ---- taking one over ---- */

/* SHA-256 of a certificate's SPKI in hex; "" when it cannot be read. */
static void spki_of(const struct statement_octets *der, char out[STORE_STATEMENT_HASH])
{
	const uint8_t *p = der->p;
	X509 *x = d2i_X509(NULL, &p, (long)der->n);
	unsigned char *spki = NULL;
	uint8_t h[32];
	int n = x ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki) : -1;

	out[0] = 0;
	if (n > 0 && EVP_Digest(spki, (size_t)n, h, NULL, EVP_sha256(), NULL) == 1)
		encode_hex(h, sizeof h, out);
	OPENSSL_free(spki);
	X509_free(x);
}

static int find_key(
    struct store *s, const char *domain, const char *key, struct store_statement_key *k_r, struct problem *pr)
{
	struct store_statement_key *list;
	size_t n;

	*k_r = (struct store_statement_key){.announced = 0};
	(void)snprintf(k_r->key, sizeof k_r->key, "%s", key);
	if (store_statement_keys(s, domain, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].key, key) == 0)
			*k_r = list[i];
	free(list);
	return 0;
}

static bool is_key_of(const struct statement *said, const char *key)
{
	char k[STORE_STATEMENT_HASH];

	for (size_t i = 0; i < said->ncerts; i++) {
		if (said->certs[i].use != STATEMENT_FOR_STATEMENT || !said->certs[i].good)
			continue;
		spki_of(&said->certs[i].der, k);
		if (strcmp(k, key) == 0)
			return true;
	}
	return false;
}

/* A key that never signed and is listed no more is announced no more: its seven days begin anew. */
static int forget_unlisted(struct store *s, const char *domain, const struct statement *said, struct problem *pr)
{
	struct store_statement_key *list;
	size_t n;
	int rc = 0;

	if (store_statement_keys(s, domain, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n && rc == 0; i++)
		if (list[i].announced != 0 && list[i].used == 0 && !is_key_of(said, list[i].key)) {
			list[i].announced = 0;
			rc = store_statement_key_put(s, domain, &list[i], pr);
		}
	free(list);
	return rc;
}

static int put_keys(
    struct store *s, const struct store_statement *st, const struct statement *said, int64_t now, struct problem *pr)
{
	struct store_statement_key k;
	const char *old = st->trusted.key;

	if (old[0] && strcmp(old, st->waiting.key) != 0) {
		if (find_key(s, st->domain, old, &k, pr) < 0)
			return -1;
		k.retired = now;
		if (store_statement_key_put(s, st->domain, &k, pr) < 0)
			return -1;
	}
	if (forget_unlisted(s, st->domain, said, pr) < 0)
		return -1;
	for (size_t i = 0; i < said->ncerts; i++) {
		char key[STORE_STATEMENT_HASH];

		if (said->certs[i].use != STATEMENT_FOR_STATEMENT || !said->certs[i].good)
			continue;
		spki_of(&said->certs[i].der, key);
		if (find_key(s, st->domain, key, &k, pr) < 0)
			return -1;
		if (key[0] && k.announced == 0) {
			k.announced = now;
			if (store_statement_key_put(s, st->domain, &k, pr) < 0)
				return -1;
		}
	}
	if (find_key(s, st->domain, st->waiting.key, &k, pr) < 0)
		return -1;
	k.used = k.used ? k.used : now;
	k.announced = k.announced ? k.announced : now;
	k.retired = k.refused = 0;
	return store_statement_key_put(s, st->domain, &k, pr);
}

static bool is_listed(const struct statement *said, const struct statement_octets *o)
{
	for (size_t i = 0; i < said->ncerts; i++)
		if (said->certs[i].der.n == o->n && memcmp(said->certs[i].der.p, o->p, o->n) == 0)
			return true;
	return false;
}

static void hash_of(const struct statement_octets *o, char out[STORE_STATEMENT_HASH])
{
	uint8_t h[32];

	if (EVP_Digest(o->p, o->n, h, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
	encode_hex(h, sizeof h, out);
}

static void add_cert(
    struct store_statement_cert *v, size_t *n, const struct statement_octets *o, int use, int64_t from, int64_t until)
{
	struct store_statement_cert *c = &v[(*n)++];

	*c = (struct store_statement_cert){
	    .der = (uint8_t *)(uintptr_t)o->p, .der_len = o->n, .use = use, .from = from, .until = until};
	hash_of(o, c->sha256);
}

/* The certificates for mail, and those of authorities that came around them. A withdrawal gives none. */
static int put_certs(struct store *s, const char *domain, const struct statement *said,
    const struct statement_signed *sd, struct problem *pr)
{
	struct store_statement_cert v[STATEMENT_CERTS_MAX + CHAIN_KEPT];
	size_t n = 0, chain = 0;

	for (size_t i = 0; i < said->ncerts && !said->withdrawn; i++) {
		const struct statement_cert *c = &said->certs[i];

		if (c->good && c->use != STATEMENT_FOR_STATEMENT)
			add_cert(v, &n, &c->der, (int)c->use, c->from, c->until);
	}
	for (size_t i = 0; i < sd->ncerts && n > 0 && chain < CHAIN_KEPT; i++)
		if (!is_listed(said, &sd->certs[i])) {
			add_cert(v, &n, &sd->certs[i], 0, 0, 0);
			chain++;
		}
	return store_statement_certs_put(s, domain, v, n, pr);
}

/* The certificate of the key that signed, and the authorities' that came with it: what is revoked later is seen. */
static int put_key_cert(struct store *s, const struct store_statement *st, const struct statement *said,
    const struct statement_signed *sd, struct problem *pr)
{
	struct store_statement_key_cert k = {.der = NULL};
	char hash[STORE_STATEMENT_HASH];
	struct buf chain;
	int rc = 0;

	memcpy(k.key, st->waiting.key, sizeof k.key);
	buf_init(&chain, STATEMENT_MAX);
	for (size_t i = 0, n = 0; i < sd->ncerts && rc == 0; i++) {
		hash_of(&sd->certs[i], hash);
		if (strcmp(hash, st->waiting.cert) == 0) {
			k.der = (uint8_t *)(uintptr_t)sd->certs[i].p;
			k.der_len = sd->certs[i].n;
		} else if (n < CHAIN_KEPT && !is_listed(said, &sd->certs[i])) {
			rc = buf_add(&chain, sd->certs[i].p, sd->certs[i].n);
			n++;
		}
	}
	k.chain = chain.p;
	k.chain_len = rc == 0 ? chain.len : 0;
	rc = k.der ? store_statement_key_cert_put(s, st->domain, &k, pr) : 0;
	buf_clear(&chain);
	return rc;
}

static size_t local_parts(char *text, const char *v[16])
{
	size_t n = 0;
	char *save = NULL;

	for (char *p = strtok_r(text, ", ", &save); p && n < 16; p = strtok_r(NULL, ", ", &save))
		v[n++] = p;
	return n;
}

static int read_again(const struct store_statement *st, int64_t now, struct arena *a, struct statement *said,
    struct statement_signed *sd, struct problem *pr)
{
	const char *locals[16];
	char *text = mem_str(st->local_parts ? st->local_parts : "");
	struct statement_facts f = {
	    .domain = st->domain, .now = now, .locals = locals, .nlocals = local_parts(text, locals)};
	struct statement_verdict v;

	statement_check(st->waiting.der, st->waiting.der_len, &f, a, said, sd, &v);
	free(text);
	if (v.result == STATEMENT_OK)
		return 0;
	return problem_set(pr, PROBLEM_PERM, 0, "", "", "the statement that waits: %.500s", v.why.text);
}

static int release(struct store *s, const char *domain, struct problem *pr)
{
	int64_t at = store_was_protected(s, domain);

	if (at < 0)
		return problem_temp(pr, "the store cannot tell now whether %s was seen protected", domain);
	return at == 0 ? 0 : store_release(s, domain, "its signed withdrawal", pr);
}

static int adopt(struct store *s, struct store_statement *st, const struct statement *said,
    const struct statement_signed *sd, int64_t now, struct problem *pr)
{
	if (put_keys(s, st, said, now, pr) < 0 || put_key_cert(s, st, said, sd, pr) < 0 ||
	    put_certs(s, st->domain, said, sd, pr) < 0 || (said->withdrawn && release(s, st->domain, pr) < 0))
		return -1;
	store_statement_body_clear(&st->trusted);
	st->trusted = st->waiting;
	st->waiting = (struct store_statement_body){.level = 0};
	st->trusted.since = st->weighed = now;
	st->established = st->trusted.level;
	st->frozen = 0;
	set_text(&st->frozen_why, "");
	if (said->nurls > 0)
		set_text(&st->url, said->urls[0]);
	return 0;
}

int judge_xsmg_keep_adopt(struct store *s, struct store_statement *st, int64_t now, struct problem *pr)
{
	struct statement *said = mem_new(sizeof *said);
	struct statement_signed *sd = mem_new(sizeof *sd);
	struct arena *a = arena_new(STATEMENT_ARENA);
	int rc = read_again(st, now, a, said, sd, pr);

	if (rc == 0)
		rc = adopt(s, st, said, sd, now, pr);
	arena_free(a);
	free(sd);
	free(said);
	return rc;
}

/* ---- keys that went bad ---- */

/* What it was trusted by is gone: the level that a new one must reach stays. */
static int distrust(struct store *s, struct store_statement *st, bool waits, const char *why, struct problem *pr)
{
	int64_t serial, issued = st->trusted.issued;

	if (waits && !st->waiting.der) {
		store_statement_body_copy(&st->waiting, &st->trusted);
		st->waiting.level = 0;
		set_text(&st->waiting.why, why);
	}
	/* what was older than it is not newer because it is gone; it itself may come again, and be decided about */
	serial = st->trusted.der ? st->trusted.serial - 1 : st->trusted.serial;
	store_statement_body_clear(&st->trusted);
	st->trusted.serial = serial;
	st->trusted.issued = issued;
	st->through[0] = 0;
	return store_statement_certs_put(s, st->domain, NULL, 0, pr);
}

/* st->through is the first of that chain. */
int judge_xsmg_keep_is_through(struct store *s, const struct store_statement *st, const struct store_statement_key *k,
    bool *through_r, struct problem *pr)
{
	struct store_statement_key first;

	*through_r = false;
	if (!st->trusted.der || !st->through[0])
		return 0;
	if (find_key(s, st->domain, st->through, &first, pr) < 0)
		return -1;
	*through_r = strcmp(k->key, first.key) == 0 || (k->retired != 0 && k->used >= first.used);
	return 0;
}

int judge_xsmg_keep_bad_key(struct store *s, struct store_statement *st, const char *key, const char *why,
    int64_t now, const char *who, struct problem *pr)
{
	struct store_statement_key k;
	bool own = st->trusted.der && strcmp(st->trusted.key, key) == 0, through = false;
	char detail[800];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = find_key(s, st->domain, key, &k, pr);
	if (rc == 0)
		rc = judge_xsmg_keep_is_through(s, st, &k, &through, pr);
	k.bad = k.bad ? k.bad : now;
	if (rc == 0)
		rc = store_statement_key_put(s, st->domain, &k, pr);
	if (st->waiting.der && strcmp(st->waiting.key, key) == 0) {
		store_statement_body_clear(&st->waiting); /* nobody may approve it any more */
		st->frozen = 0;				  /* what it was about is decided */
		set_text(&st->frozen_why, "");
	}
	if (rc == 0 && (own || through))
		rc = distrust(s, st, through && !own,
		    "the only thing that spoke for its key was a key that was revoked or compromised", pr);
	(void)snprintf(detail, sizeof detail, "key %s: %.400s%s", key, why,
	    own	      ? "; the statement it signed is not trusted any more"
	    : through ? "; the statement trusted through it waits for a decision"
		      : "");
	if (rc == 0)
		rc = store_statement_save(s, st, who, "statement.bad-key", detail, pr);
	rc = store_end(s, rc, pr);
	if (rc == 0)
		log_error(
		    NULL, "judge", "alarm=statement-key of=%s key=%.16s why=\"%.600s\"", st->domain, key, detail);
	return rc;
}

int judge_xsmg_keep_lost(struct store *s, struct store_statement *st, const char *why, struct problem *pr)
{
	char detail[800], key[STORE_STATEMENT_HASH];
	int rc;

	memcpy(key, st->trusted.key, sizeof key);
	(void)snprintf(detail, sizeof detail, "id %s, key %s, was trusted by %s: %.500s", st->trusted.id, key,
	    xsmg_trust_level_word((enum xsmg_level)st->trusted.level), why);
	if (store_begin(s, pr) < 0)
		return -1;
	rc = distrust(s, st, true, why, pr);
	if (rc == 0)
		rc = store_statement_save(s, st, "judge", "statement.distrust", detail, pr);
	rc = store_end(s, rc, pr);
	if (rc == 0)
		log_error(NULL, "judge",
		    "alarm=statement-distrusted of=%s key=%.16s why=\"%.500s\" do=\"postern pending; mail to it "
		    "waits\"",
		    st->domain, key, why);
	return rc;
}

/* ---- decisions ---- */

static void fill_body(const struct judge_xsmg_case *c, struct store_statement_body *b)
{
	static const char *const ways[] = {[JUDGE_XSMG_BY_PUT] = "put by",
	    [JUDGE_XSMG_BY_GET] = "got from",
	    [JUDGE_XSMG_BY_URL] = "fetched from",
	    [JUDGE_XSMG_BY_MAIL] = "named in mail, fetched from"};
	char how[900];

	store_statement_body_clear(b);
	b->der = (uint8_t *)mem_dup(c->o->der, c->o->n);
	b->der_len = c->o->n;
	b->content = (uint8_t *)mem_dup(c->sd->content.p, c->sd->content.n);
	b->content_len = c->sd->content.n;
	memcpy(b->id, c->sd->id, sizeof b->id);
	b->serial = c->s->serial;
	b->issued = c->s->issued;
	b->expires = c->s->expires;
	b->withdrawn = c->s->withdrawn;
	memcpy(b->key, c->key, sizeof b->key);
	memcpy(b->cert, c->cert, sizeof b->cert);
	b->level = (int)c->d.level;
	(void)snprintf(how, sizeof how, "%s %.800s", ways[c->o->way], c->o->where);
	b->how = mem_str(how);
	b->why = mem_str(c->d.why);
	b->since = c->now;
}

static void describe(const struct judge_xsmg_case *c, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%s%s%s%sid %s, serial %lld, key %.64s, from %.200s: %s", c->d.rule[0] ? "by " : "",
	    c->d.rule, c->d.rule[0] ? ", " : "", c->s->withdrawn ? "withdrawn, " : "", c->sd->id,
	    (long long)c->s->serial, c->key, c->o->where, c->d.why);
}

/* One alarm of its kind a domain a day; said when what it is about is stored. */
static bool alarm_once(struct judge_xsmg_case *c, enum judge_xsmg_alarm kind, const char *word)
{
	if (!judge_xsmg_alarm_due(c->known->domain, kind, c->now))
		return false;
	c->known->alarmed = c->now;
	log_error(NULL, "judge", "alarm=%s of=%s from=%s key=%.16s why=\"%s\"", word, c->o->domain, c->o->where,
	    c->key, c->d.why);
	return true;
}

/* What follows from a pinned certificate follows from its key, which the one that takes its place shows no more. */
static void follow_key(const struct judge_xsmg_case *c, struct store_statement *st)
{
	if (st->follow && !c->f.fits_pin && st->trusted.der && strcmp(st->pin, st->trusted.cert) == 0)
		memcpy(st->pin, st->trusted.key, sizeof st->pin);
}

static int trust(struct judge_xsmg_case *c, struct problem *pr)
{
	struct store_statement *st = c->known;
	char old[STORE_STATEMENT_HASH], detail[1400];
	int rc;

	follow_key(c, st);
	memcpy(old, st->trusted.key, sizeof old);
	fill_body(c, &st->waiting);
	describe(c, detail, sizeof detail);
	if (store_begin(c->store, pr) < 0)
		return -1;
	rc = judge_xsmg_keep_adopt(c->store, st, c->now, pr);
	if (c->d.by_continuity && !st->through[0])
		memcpy(st->through, old, sizeof st->through);
	else if (!c->d.by_continuity && (strcmp(old, st->trusted.key) != 0 || strcmp(c->d.rule, "same-key") != 0))
		st->through[0] = 0;
	st->fetched = c->now;
	if (rc == 0)
		rc = store_statement_save(
		    c->store, st, "judge", c->s->withdrawn ? "statement.withdrawn" : "statement.trust", detail, pr);
	rc = store_end(c->store, rc, pr);
	if (rc == 0)
		judge_cache_changed(c->w->cache, c->o->domain);
	return rc;
}

/* What is known already came again: it is not asked for at each delivery. */
static int current(struct judge_xsmg_case *c, struct problem *pr)
{
	if (c->now - c->known->fetched < NOTED_S && c->now >= c->known->fetched)
		return 0;
	c->known->fetched = c->now;
	return store_statement_note(c->store, c->known, pr);
}

static int pend(struct judge_xsmg_case *c, const char *what, struct problem *pr)
{
	struct store_statement *st = c->known;
	bool freezes = c->d.action == XSMG_DO_FREEZE;
	char detail[1400];

	if (st->waiting.der && strcmp(st->waiting.id, c->sd->id) == 0 && strcmp(st->waiting.key, c->key) == 0 &&
	    (!freezes || st->frozen))
		return current(c, pr);
	describe(c, detail, sizeof detail);
	fill_body(c, &st->waiting);
	st->fetched = c->now;
	if (freezes && !st->frozen) {
		st->frozen = c->now;
		set_text(&st->frozen_why, c->d.why);
	}
	if (store_statement_save(c->store, st, "judge", what, detail, pr) < 0)
		return -1;
	if (freezes)
		(void)alarm_once(c, JUDGE_XSMG_ALARM_FROZEN, "statement-frozen");
	else
		(void)alarm_once(c, JUDGE_XSMG_ALARM_WAITS, "statement-waits");
	if (freezes)
		judge_cache_changed(c->w->cache, c->o->domain);
	return 0;
}

/* Found revoked, and a key that the domain has or had: what was trusted through it must not stay. */
static bool is_new_bad_key(const struct judge_xsmg_case *c)
{
	const struct store_statement_key *k = judge_xsmg_facts_key(c, c->key);

	if (c->d.action != XSMG_DO_REFUSE || c->f.revoked != XSMG_YES)
		return false;
	return k ? k->bad == 0 : c->f.same_key;
}

/* Nothing changes but what is remembered of it. */
static int pass_over(struct judge_xsmg_case *c, struct problem *pr)
{
	struct store_statement *st = c->known;
	bool alarm = c->d.alarm && alarm_once(c, JUDGE_XSMG_ALARM_STATEMENT, "statement");
	char detail[1400];

	if (c->is_new)
		return 0;
	if (is_new_bad_key(c)) {
		if (judge_xsmg_keep_bad_key(c->store, st, c->key, "its certificate, or one above it, was revoked",
			c->now, "judge", pr) < 0)
			return -1;
		judge_cache_changed(c->w->cache, c->o->domain);
		return 0;
	}
	/* what came to nothing is not asked for again at each delivery */
	if (c->f.by_get && (c->now - st->fetched >= NOTED_S || c->now < st->fetched)) {
		st->fetched = c->now;
		if (store_statement_note(c->store, st, pr) < 0)
			return -1;
	}
	if (!alarm)
		return 0;
	(void)snprintf(
	    detail, sizeof detail, "%s, from %.200s: %s", xsmg_trust_action_word(c->d.action), c->o->where, c->d.why);
	return store_statement_save(c->store, st, "judge", "statement.refused", detail, pr);
}

int judge_xsmg_keep(struct judge_xsmg_case *c, struct problem *pr)
{
	if (c->d.action != XSMG_DO_CURRENT)
		log_info(NULL, "judge", "statement of=%s from=%s result=%s level=%s why=\"%s\"", c->o->domain,
		    c->o->where, xsmg_trust_action_word(c->d.action), xsmg_trust_level_word(c->d.level), c->d.why);
	switch (c->d.action) {
	case XSMG_DO_TRUST:
		return trust(c, pr);
	case XSMG_DO_PENDING:
		return pend(c, "statement.pending", pr);
	case XSMG_DO_FREEZE:
		return pend(c, "statement.freeze", pr);
	case XSMG_DO_CURRENT:
		return current(c, pr);
	case XSMG_DO_OLD:
	case XSMG_DO_REFUSE:
	case XSMG_DO_LATER:
	case XSMG_DO_CONFIRM:
		return pass_over(c, pr);
	}
	return 0;
}
