/* Our own statements, see the header. Role judge. What stands in one: judge_xsmg_draft.c. */
#include "gateway/proc/judge_xsmg_own.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_own.h"
#include "gateway/proc/judge_xsmg_draft.h"

/*
 * However often facts change, a partner need not fetch more often than this. Two gateways with one store whose
 * settings differ would else take turns each second.
 */
enum { LEAST_S = 2, WHY_MAX = 400 };
static const char judge[] = "judge";

struct place {
	struct store_own_statement st; /* as read at `version` */
	uint64_t version;
	bool known, there;
	char why[WHY_MAX]; /* what was logged last, "" nothing */
};

struct judge_xsmg_own {
	const struct judge_world *w;
	struct store *s;
	const struct statement_settings *set;
	struct keys_client *const *keys;
	uint64_t message_max;
	const char *host; /* of the public listener, NULL none */
	unsigned port;
	bool waits;	      /* the last tick left something to be done soon */
	struct place *places; /* one for each of our domains */
};

struct judge_xsmg_own *judge_xsmg_own_new(const struct judge_world *w, struct store *s,
    const struct statement_settings *set, struct keys_client *const *keys, uint64_t message_max)
{
	struct judge_xsmg_own *o = mem_new(sizeof *o);

	*o = (struct judge_xsmg_own){.w = w, .s = s, .set = set, .keys = keys, .message_max = message_max};
	o->places = mem_new((w->ndomains + 1) * sizeof *o->places);
	return o;
}

void judge_xsmg_own_free(struct judge_xsmg_own *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->w->ndomains; i++)
		store_own_statement_clear(&o->places[i].st);
	free(o->places);
	free(o);
}

struct judge_xsmg_rollover judge_xsmg_own_rollover(const struct judge_xsmg_own *o, const char *who, int64_t now)
{
	return (struct judge_xsmg_rollover){
	    .w = o->w, .s = o->s, .set = o->set, .keys = *o->keys, .who = who, .now = now};
}

void judge_xsmg_own_served(struct judge_xsmg_own *o, const char *host, unsigned port)
{
	o->host = host;
	o->port = port;
}

void judge_xsmg_own_where(const struct judge_xsmg_own *o, const char *domain, char url_r[STATEMENT_URL_MAX + 1],
    char host_r[256], unsigned *port_r)
{
	url_r[0] = host_r[0] = '\0';
	*port_r = 0;
	if (o && o->host) {
		(void)snprintf(host_r, 256, "%s", o->host);
		*port_r = o->port;
	}
	if (o && o->set->urls.n > 0 &&
	    !statement_settings_url(o->set->urls.v[0], domain, url_r, STATEMENT_URL_MAX + 1))
		url_r[0] = '\0';
}

/* ---- the statement key ---- */

/* A key is made for whoever has a certificate for mail: without one there is nothing to say. */
static bool lacks_key(const struct store_identity *list, size_t n, const char *domain)
{
	bool mail = false;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].domain, domain) != 0 || !list[i].active)
			continue;
		if (list[i].use == STORE_STATEMENT)
			return false;
		mail = mail || (list[i].cert && list[i].use != STORE_TLS);
	}
	return mail;
}

static int certified(
    struct judge_xsmg_own *o, const char *domain, const char *id, EVP_PKEY *pub, int64_t now, struct problem *pr)
{
	struct keys_cert_request rq = {
	    .kind = KEYS_CERT_SELF, .common_name = domain, .dns_name = domain, .days = (int)o->set->key_days};
	struct store_identity i = {.domain = (char *)(uintptr_t)domain,
	    .use = STORE_STATEMENT,
	    .key_id = (char *)(uintptr_t)id,
	    .active = true,
	    .added = now};
	struct buf der;
	int rc;

	buf_init(&der, CERT_DER_MAX);
	rc = keys_certify(*o->keys, id, &rq, &der, pr);
	i.cert = der.p;
	i.cert_len = der.len;
	i.spki = judge_own_spki(pub, &i.spki_len);
	if (rc == 0)
		rc = store_identity_add(o->s, &i, judge, pr);
	OPENSSL_free(i.spki);
	buf_clear(&der);
	return rc;
}

static int make_key(struct judge_xsmg_own *o, const char *domain, int64_t now, struct problem *pr)
{
	char id[KEYS_ID_MAX + 1];
	EVP_PKEY *pub = NULL;
	int rc;

	judge_own_key_id(domain, STORE_STATEMENT, now, id);
	rc = keys_generate(*o->keys, id, KEYS_USE_STATEMENT, KEYS_EC_P256, &pub, pr);
	if (rc == 0)
		rc = certified(o, domain, id, pub, now, pr);
	EVP_PKEY_free(pub);
	return rc;
}

/* 1 made, 0 there was one already or nothing to say, -1. */
static int ensure_key(struct judge_xsmg_own *o, const char *domain, int64_t now, struct problem *pr)
{
	const struct store_identity *list;
	struct store_identity *fresh = NULL;
	size_t n;
	int rc;

	if (judge_cache_identities(o->w->cache, o->s, &list, &n, pr) < 0)
		return -1;
	if (!lacks_key(list, n, domain))
		return 0;
	if (store_begin(o->s, pr) < 0)
		return -1;
	rc = store_identities(o->s, domain, &fresh, &n, pr);
	if (rc == 0 && lacks_key(fresh, n, domain))
		rc = make_key(o, domain, now, pr) < 0 ? -1 : 1;
	store_identities_free(fresh, n);
	if (store_end(o->s, rc, pr) < 0)
		return -1;
	return rc;
}

/* ---- the statement ---- */

static bool is_due(
    struct judge_xsmg_own *o, const struct store_own_statement *have, const struct judge_xsmg_draft *d, int64_t now)
{
	int64_t life = o->set->lifetime / 1000, remake = o->set->remake / 1000;

	if (!have->der)
		return true;
	if (strcmp(have->facts, d->facts) != 0) {
		bool soon = now < have->issued + LEAST_S && now >= have->issued;

		o->waits = o->waits || soon;
		return !soon;
	}
	/* a clock that was put back: what was issued in the future is refused by others */
	return now >= have->issued + (remake < life / 2 ? remake : life / 2) || now < have->issued;
}

/* Two nodes that were brought back from one backup and make a statement within the same second should not give the
 * same serial to different content, which partners take for a conflict: where in the second is drawn by lot. */
static int64_t serial_from(int64_t now)
{
	uint16_t lot;

	if (RAND_bytes((unsigned char *)&lot, sizeof lot) != 1)
		log_fatal("no random numbers");
	return now * 1000 + lot % 1000;
}

static int put(struct judge_xsmg_own *o, struct judge_xsmg_draft *d, int64_t now, struct problem *pr)
{
	struct store_own_statement st = {.issued = d->st.issued, .expires = d->st.expires};
	struct buf der;
	int rc;

	buf_init(&der, STATEMENT_MAX);
	rc = store_own_statement_serial(o->s, d->st.domain, serial_from(now), &st.serial, pr);
	if (rc == 0)
		rc = judge_xsmg_draft_sign(d, *o->keys, now, st.serial, &der, st.id, pr);
	if (rc == 0) {
		(void)snprintf(st.domain, sizeof st.domain, "%s", d->st.domain);
		memcpy(st.facts, d->facts, sizeof st.facts);
		st.der = der.p;
		st.der_len = der.len;
		rc = store_own_statement_put(o->s, &st, judge, pr);
	}
	if (rc == 0)
		log_info(NULL, judge, "statement domain=%s id=%s serial=%lld octets=%zu certificates=%zu", st.domain,
		    st.id, (long long)st.serial, der.len, d->st.ncerts);
	buf_clear(&der);
	return rc;
}

/* 1 made, 0 not due, -1. */
static int make(
    struct judge_xsmg_own *o, const char *domain, struct judge_xsmg_draft *d, int64_t now, struct problem *pr)
{
	struct store_own_statement have;
	int rc = store_own_statement(o->s, domain, &have, pr);
	bool due = rc >= 0 && is_due(o, &have, d, now);

	store_own_statement_clear(&have);
	if (rc < 0 || !due)
		return rc < 0 ? -1 : 0;
	if (store_begin(o->s, pr) < 0)
		return -1;
	rc = store_own_statement(o->s, domain, &have, pr) < 0 ? -1 : 0;
	due = rc == 0 && is_due(o, &have, d, now);
	store_own_statement_clear(&have);
	if (due)
		rc = put(o, d, now, pr);
	return store_end(o->s, rc, pr) < 0 ? -1 : due;
}

static void tell(struct place *p, const char *domain, const char *why)
{
	if (strcmp(p->why, why) == 0)
		return;
	(void)snprintf(p->why, sizeof p->why, "%s", why);
	if (why[0])
		log_error(NULL, judge, "alarm=no-statement domain=%s why=\"%s\"", domain, why);
}

/* Anything of mail for which a statement could be wanted. */
static bool has_mail(struct judge_xsmg_own *o, const char *domain)
{
	const struct store_identity *list;
	size_t n;

	if (judge_cache_identities(o->w->cache, o->s, &list, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].domain, domain) == 0 && list[i].use != STORE_TLS && list[i].cert)
			return true;
	return false;
}

static int tick_one(struct judge_xsmg_own *o, struct place *p, const char *domain, int64_t now)
{
	struct judge_xsmg_draft *d = mem_new(sizeof *d);
	struct arena *a = arena_new(STATEMENT_ARENA);
	struct problem pr = {0};
	char why[WHY_MAX] = "";
	int made = ensure_key(o, domain, now, &pr), rc = made;

	judge_cache_begin(o->w->cache, o->s);
	if (rc >= 0)
		rc = judge_xsmg_draft(o->w, o->set, o->message_max, o->s, domain, now, a, d, why, sizeof why, &pr);
	if (rc > 0) {
		rc = make(o, domain, d, now, &pr);
		made += rc > 0;
	}
	o->waits = o->waits || rc < 0;
	if (rc < 0)
		tell(p, domain, pr.text);
	else if (!why[0] || has_mail(o, domain))
		tell(p, domain, why);
	arena_free(a);
	free(d);
	return made > 0 ? made : 0;
}

int judge_xsmg_own_tick(struct judge_xsmg_own *o, int64_t now)
{
	int made = 0;

	o->waits = !*o->keys;
	if (o->waits)
		return 0;
	judge_cache_begin(o->w->cache, o->s);
	for (size_t i = 0; i < o->w->ndomains; i++)
		made += tick_one(o, &o->places[i], o->w->domains[i], now);
	return made;
}

bool judge_xsmg_own_waits(const struct judge_xsmg_own *o)
{
	return o->waits;
}

int judge_xsmg_own_current(
    struct judge_xsmg_own *o, const char *domain, int64_t now, struct judge_xsmg_statement *s_r, struct problem *pr)
{
	int at = judge_world_domain(o->w, domain), rc;
	uint64_t version;
	struct place *p;

	if (at < 0)
		return 0;
	p = &o->places[at];
	version = store_version(o->s);
	if (!p->known || p->version != version) {
		store_own_statement_clear(&p->st);
		p->known = false;
		rc = store_own_statement(o->s, domain, &p->st, pr);
		if (rc < 0)
			return -1;
		p->there = rc > 0;
		p->known = true;
		p->version = version;
	}
	if (!p->there || now >= p->st.expires)
		return 0;
	*s_r = (struct judge_xsmg_statement){.serial = p->st.serial,
	    .issued = p->st.issued,
	    .expires = p->st.expires,
	    .der = p->st.der,
	    .n = p->st.der_len};
	memcpy(s_r->id, p->st.id, sizeof s_r->id);
	return 1;
}
