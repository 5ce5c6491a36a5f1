/*
 * What judge need not work out twice: parsing a certificate costs 148 us, a fresh path 332 us. Role judge; one
 * thread.
 *
 * Both tables have fixed places chosen by a SHA-256, so that a flood of strange certificates evicts entries but takes
 * no memory. A path's result depends on the store's anchors and on the clock: it goes when the store changes, after
 * 60 s, and when the certificate's own time begins or ends.
 */
#include "gateway/proc/judge_cache.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/find_memo.h"
#include "certstore/revoke_cache.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/xsmg/statement_json.h"

enum { CERT_PLACES = 4096, PATH_PLACES = 4096, OWNER_PLACES = 4096, AWAY_SETS = 512, AWAY_WAYS = 4 };

struct cert_place {
	uint8_t key[32];
	struct judge_cert *k;
};
struct away_place {
	uint64_t place; /* 0: free */
	int64_t since, last;
};
struct judge_cache {
	uint64_t version;
	bool known; /* version was read */
	struct cert_place certs[CERT_PLACES];
	struct judge_path *paths;
	struct away_place away[AWAY_SETS][AWAY_WAYS];
	struct judge_owner *owners[OWNER_PLACES];
	struct judge_owner *retired; /* in use until the question at hand ends */
	EVP_MD *sha256;
	struct store_rule *rules;
	struct store_anchor *anchors;
	struct store_identity *identities;
	struct store_revoked *revoked;
	size_t nrules, nanchors, nidentities, nrevoked;
	bool have_rules, have_anchors, have_identities, have_revoked;
	uint64_t revocations;
	struct revoke_cache *lists;
	struct find_memo *memo;
	const struct judge_believing *believing;
	bool changed;
	char whose[256];
	struct { /* what is only supposed */
		const struct judge_supposed *s;
		struct judge_owner owner;     /* members borrowed from that of the table */
		struct store_anchor *anchors; /* those that stay, borrowed from the table's */
		size_t nanchors;
	} as_if;
};

struct judge_cache *judge_cache_new(void)
{
	struct judge_cache *c = mem_new(sizeof *c);

	c->paths = mem_new(PATH_PLACES * sizeof *c->paths);
	c->lists = revoke_cache_new();
	c->memo = find_memo_new();
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!c->sha256)
		log_fatal("no SHA-256");
	return c;
}

const EVP_MD *judge_cache_sha256(const struct judge_cache *c)
{
	return c->sha256;
}

static void owner_free(struct judge_owner *o)
{
	if (!o)
		return;
	if (o->partner)
		store_partners_free(o->partner, 1);
	store_certs_free(o->certs, o->ncerts);
	store_caps_free(o->caps, o->ncaps);
	store_statements_free(o->statement, o->statement ? 1 : 0);
	store_statement_certs_free(o->given, o->ngiven);
	free(o->said);
	free(o);
}

static void drop_revoked(struct judge_cache *c)
{
	store_revoked_free(c->revoked, c->nrevoked);
	c->revoked = NULL;
	c->nrevoked = 0;
	c->have_revoked = false;
}

void judge_cache_revoked_changed(struct judge_cache *c)
{
	drop_revoked(c);
	c->revocations++;
}

uint64_t judge_cache_revocations(const struct judge_cache *c)
{
	return c->revocations;
}

void judge_cache_changed(struct judge_cache *c, const char *domain)
{
	if (!c->changed)
		(void)snprintf(c->whose, sizeof c->whose, "%s", domain);
	else if (strcmp(c->whose, domain) != 0)
		c->whose[0] = 0;
	c->changed = true;
}

bool judge_cache_changed_take(struct judge_cache *c, char domain_r[256])
{
	bool changed = c->changed;

	(void)snprintf(domain_r, 256, "%s", c->whose);
	c->changed = false;
	c->whose[0] = 0;
	return changed;
}

static void drop_lists(struct judge_cache *c)
{
	for (size_t i = 0; i < OWNER_PLACES; i++) {
		owner_free(c->owners[i]);
		c->owners[i] = NULL;
	}
	store_rules_free(c->rules, c->nrules);
	store_anchors_free(c->anchors, c->nanchors);
	store_identities_free(c->identities, c->nidentities);
	free(c->as_if.anchors);
	c->as_if.anchors = NULL;
	c->rules = NULL;
	c->anchors = NULL;
	c->identities = NULL;
	c->nrules = c->nanchors = c->nidentities = 0;
	c->have_rules = c->have_anchors = c->have_identities = false;
	drop_revoked(c);
}

static void drop_retired(struct judge_cache *c)
{
	while (c->retired) {
		struct judge_owner *o = c->retired;

		c->retired = o->next;
		owner_free(o);
	}
}

void judge_cache_free(struct judge_cache *c)
{
	if (!c)
		return;
	judge_cache_suppose(c, NULL);
	drop_lists(c);
	drop_retired(c);
	for (size_t i = 0; i < CERT_PLACES; i++)
		judge_cert_drop(c->certs[i].k);
	revoke_cache_free(c->lists);
	find_memo_free(c->memo);
	free(c->paths);
	EVP_MD_free(c->sha256);
	free(c);
}

void judge_cache_begin(struct judge_cache *c, struct store *s)
{
	uint64_t v = store_version(s);

	drop_retired(c);
	if (c->known && c->version == v)
		return;
	drop_lists(c);
	for (size_t i = 0; i < PATH_PLACES; i++)
		c->paths[i].until = 0;
	c->version = v;
	c->known = true;
}

void judge_cache_forget(struct judge_cache *c)
{
	c->known = false;
}

void judge_cache_same(struct judge_cache *c, struct store *s, uint64_t before)
{
	uint64_t now = store_version(s);

	if (c->known && c->version == before && !store_version_others(before, now))
		c->version = now;
}

void judge_cert_drop(struct judge_cert *k)
{
	if (!k || --k->refs > 0)
		return;
	X509_free(k->x);
	free(k);
}

static size_t place_of(const uint8_t key[32], size_t places)
{
	return ((size_t)key[0] << 8 | key[1]) % places;
}

struct judge_cert *judge_cache_cert(struct judge_cache *c, const void *der, size_t n, struct problem *pr)
{
	uint8_t key[32];
	struct cert_place *p;
	struct judge_cert *k;
	X509 *x;

	if (EVP_Digest(der, n, key, NULL, c->sha256, NULL) != 1)
		log_fatal("no SHA-256");
	p = &c->certs[place_of(key, CERT_PLACES)];
	if (p->k && memcmp(p->key, key, sizeof key) == 0) {
		p->k->refs++;
		return p->k;
	}
	x = cert_parse(der, n, pr);
	if (!x)
		return NULL;
	judge_cert_drop(p->k);
	k = mem_new(sizeof *k);
	k->x = x;
	k->refs = 2; /* the table's and the caller's */
	cert_facts(x, &k->f);
	memcpy(p->key, key, sizeof key);
	p->k = k;
	return k;
}

int judge_cache_path(struct judge_cache *c, const uint8_t key[32], int64_t now, const struct judge_path **p_r)
{
	const struct judge_path *p = &c->paths[place_of(key, PATH_PLACES)];

	/* A clock set back must not make an answer last. */
	if (c->as_if.s || p->until <= now || p->until > now + JUDGE_PATH_KEEP_S + 1 ||
	    memcmp(p->key, key, sizeof p->key) != 0)
		return 0;
	*p_r = p;
	return 1;
}

void judge_cache_path_put(struct judge_cache *c, const struct judge_path *p)
{
	if (!c->as_if.s)
		c->paths[place_of(p->key, PATH_PLACES)] = *p;
}

/* ---- what is only supposed ---- */

void judge_cache_suppose(struct judge_cache *c, const struct judge_supposed *s)
{
	free(c->as_if.anchors);
	memset(&c->as_if, 0, sizeof c->as_if);
	c->as_if.s = s;
}

const struct judge_supposed *judge_cache_supposed(const struct judge_cache *c)
{
	return c->as_if.s;
}

/* The owner of the table, or one that has other words of the admin's. */
static const struct judge_owner *as_if_owner(struct judge_cache *c, const struct judge_owner *o)
{
	const struct judge_supposed *s = c->as_if.s;

	if (!s || s->name[0] == '\0' || strcmp(o->name, s->name) != 0)
		return o;
	c->as_if.owner = *o;
	c->as_if.owner.partner = (struct store_partner *)(uintptr_t)s->partner;
	if (!s->partner) { /* as store_partner_remove does */
		c->as_if.owner.ncerts = 0;
		c->as_if.owner.ncaps = 0;
	}
	return &c->as_if.owner;
}

static const struct store_anchor *as_if_anchors(struct judge_cache *c, size_t *n_r)
{
	const struct judge_supposed *s = c->as_if.s;

	*n_r = c->nanchors;
	if (!s || s->name[0] == '\0' || s->partner)
		return c->anchors;
	if (!c->as_if.anchors) {
		c->as_if.anchors = mem_new((c->nanchors + 1) * sizeof *c->anchors);
		c->as_if.nanchors = 0;
		for (size_t i = 0; i < c->nanchors; i++)
			if (strcmp(c->anchors[i].scope, s->name) != 0)
				c->as_if.anchors[c->as_if.nanchors++] = c->anchors[i];
	}
	*n_r = c->as_if.nanchors;
	return c->as_if.anchors;
}

int judge_cache_rules(
    struct judge_cache *c, struct store *s, const struct store_rule **list_r, size_t *n_r, struct problem *pr)
{
	if (c->as_if.s && c->as_if.s->has_rules) {
		*list_r = c->as_if.s->rules;
		*n_r = c->as_if.s->nrules;
		return 0;
	}
	if (!c->have_rules && store_rules(s, &c->rules, &c->nrules, pr) < 0)
		return -1;
	c->have_rules = true;
	*list_r = c->rules;
	*n_r = c->nrules;
	return 0;
}

int judge_cache_anchors(
    struct judge_cache *c, struct store *s, const struct store_anchor **list_r, size_t *n_r, struct problem *pr)
{
	if (!c->have_anchors && store_anchors(s, NULL, &c->anchors, &c->nanchors, pr) < 0)
		return -1;
	c->have_anchors = true;
	*list_r = as_if_anchors(c, n_r);
	return 0;
}

int judge_cache_identities(
    struct judge_cache *c, struct store *s, const struct store_identity **list_r, size_t *n_r, struct problem *pr)
{
	if (!c->have_identities && store_identities(s, NULL, &c->identities, &c->nidentities, pr) < 0)
		return -1;
	c->have_identities = true;
	*list_r = c->identities;
	*n_r = c->nidentities;
	return 0;
}

int judge_cache_revoked(
    struct judge_cache *c, struct store *s, const struct store_revoked **list_r, size_t *n_r, struct problem *pr)
{
	if (!c->have_revoked && store_revoked(s, &c->revoked, &c->nrevoked, pr) < 0)
		return -1;
	c->have_revoked = true;
	*list_r = c->revoked;
	*n_r = c->nrevoked;
	return 0;
}

struct find_memo *judge_cache_memo(struct judge_cache *c)
{
	return c->memo;
}

struct revoke_cache *judge_cache_lists(struct judge_cache *c)
{
	return c->lists;
}

void judge_cache_believing_set(struct judge_cache *c, const struct judge_believing *b)
{
	c->believing = b;
}

const struct judge_believing *judge_cache_believing(const struct judge_cache *c)
{
	static const struct judge_believing plain = {
	    .revoke = {.octets_max = 16u << 20, .zone_octets_max = 1u << 20, .keep_s = 4 * 3600, .timeout_ms = 5000},
	    .fetch_issuers = true,
	    .issuer_wait_s = 1800,
	    .issuer_gap_s = 4 * 3600 + 600,
	    .bundle_drop_max = 50};

	return c->believing ? c->believing : &plain;
}

/* The lowest bit of a place is always set. */
static struct away_place *away_set(struct judge_cache *c, uint64_t place)
{
	return c->away[place / 2 % AWAY_SETS];
}

int64_t judge_cache_away(struct judge_cache *c, uint64_t place, int64_t now)
{
	struct away_place *set = away_set(c, place), *p = &set[0];

	for (int i = 0; i < AWAY_WAYS && p->place != place; i++)
		if (set[i].place == place || set[i].last < p->last)
			p = &set[i];
	if (p->place != place || now < p->last || now - p->last > judge_cache_believing(c)->issuer_gap_s)
		*p = (struct away_place){place, now, now};
	p->last = now;
	return p->since;
}

void judge_cache_back(struct judge_cache *c, uint64_t place)
{
	struct away_place *set = away_set(c, place);

	for (int i = 0; i < AWAY_WAYS; i++)
		if (set[i].place == place)
			set[i] = (struct away_place){.place = 0};
}

/* FNV-1a. A name chosen to collide costs another look into the store, nothing else. */
static size_t owner_place(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h % OWNER_PLACES;
}

/* It was read when it was trusted: what cannot be read now says nothing. */
static void read_said(struct judge_owner *o)
{
	const struct store_statement_body *b = &o->statement->trusted;
	struct statement *st;
	struct arena *a;
	struct problem pr = {0};

	if (!b->content || b->withdrawn)
		return;
	st = mem_new(sizeof *st);
	a = arena_new(STATEMENT_ARENA);
	if (statement_json_read(b->content, b->content_len, a, st, &pr) == 0) {
		o->said = mem_new(sizeof *o->said);
		*o->said = (struct judge_said){st->read, st->write, st->demand_signed, st->demand_encrypted};
	} else {
		log_error(
		    NULL, "judge", "alarm=store of=%s why=\"the statement that is kept: %s\"", o->name, pr.text);
	}
	arena_free(a);
	free(st);
}

static int read_statement(struct store *s, struct judge_owner *o, struct problem *pr)
{
	if (strchr(o->name, '@'))
		return 0;
	if (store_statement_get(s, o->name, &o->statement, pr) < 0 ||
	    (o->statement && store_statement_certs(s, o->name, &o->given, &o->ngiven, pr) < 0))
		return -1;
	if (o->statement)
		read_said(o);
	return 0;
}

static int read_owner(struct store *s, struct judge_owner *o, struct problem *pr)
{
	if (read_statement(s, o, pr) < 0)
		return -1;
	if (store_partner_get(s, o->name, &o->partner, pr) < 0 ||
	    store_certs(s, o->name, &o->certs, &o->ncerts, pr) < 0 ||
	    store_caps(s, o->name, &o->caps, &o->ncaps, pr) < 0)
		return -1;
	o->seen = store_was_protected(s, o->name);
	return o->seen < 0 ? problem_temp(pr, "the store cannot tell now whether %s was seen protected", o->name) : 0;
}

int judge_cache_owner(
    struct judge_cache *c, struct store *s, const char *name, const struct judge_owner **o_r, struct problem *pr)
{
	struct judge_owner **place = &c->owners[owner_place(name)], *o;

	if (*place && strcmp((*place)->name, name) == 0) {
		*o_r = as_if_owner(c, *place);
		return 0;
	}
	o = mem_new(sizeof *o);
	if (mem_copy_str(o->name, sizeof o->name, name) < 0 || read_owner(s, o, pr) < 0) {
		owner_free(o);
		*o_r = NULL;
		return -1;
	}
	if (*place) {
		(*place)->next = c->retired;
		c->retired = *place;
	}
	*place = o;
	*o_r = as_if_owner(c, o);
	return 0;
}

int judge_cache_person(struct judge_cache *c, struct store *s, const struct address *a,
    const struct judge_owner **o_r, struct problem *pr)
{
	char name[ADDRESS_TEXT_MAX];

	(void)address_text(a, name);
	for (char *p = name; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return judge_cache_owner(c, s, name, o_r, pr);
}

bool judge_cache_has_pinned(const struct judge_owner *o, const char *sha256)
{
	for (size_t i = 0; i < o->ncerts; i++)
		if (o->certs[i].pinned && strcmp(o->certs[i].sha256, sha256) == 0)
			return true;
	return false;
}
