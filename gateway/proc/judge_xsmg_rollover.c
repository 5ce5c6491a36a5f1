/* Rollovers, see the header. Role judge. */
#include "gateway/proc/judge_xsmg_rollover.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_own.h"

enum { DAY = 86400, SELF_DAYS_MAX = 3650, NAME_MAX_OCTETS = 320, LIFE_PARTS = 3 };
static const char judge[] = "judge";

/* ---- whose ---- */

static bool of_kind(enum store_rollover_kind kind, enum store_use u)
{
	if (kind == STORE_ROLLOVER_STATEMENT)
		return u == STORE_STATEMENT;
	return u == STORE_SIGN || u == STORE_DECRYPT;
}

static bool concerns(const struct store_rollover *o, const struct store_identity *i)
{
	return i->active && of_kind(o->kind, i->use) && strcmp(i->domain, o->domain) == 0;
}

bool judge_xsmg_rollover_new(const struct store_rollover *o, const struct store_identity *i)
{
	int64_t from = o->step == STORE_ROLLOVER_WAITS ? STORE_FROM_NEVER : o->switch_at;

	return concerns(o, i) && i->added >= o->started && i->from == from;
}

/* What the admin adds by hand meanwhile is neither. */
bool judge_xsmg_rollover_old(const struct store_rollover *o, const struct store_identity *i)
{
	return concerns(o, i) && i->from != STORE_FROM_NEVER && !judge_xsmg_rollover_new(o, i) &&
	       i->added <= o->started;
}

/* The one in use now, or that was in use last. */
static const struct store_identity *present(struct judge_cache *c, const struct store_identity *list, size_t n,
    const char *domain, enum store_use use, int64_t now, struct cert_facts *f_r)
{
	const struct store_identity *best = NULL;
	int64_t since = 0;

	for (size_t i = 0; i < n; i++) {
		struct judge_cert *k;
		int64_t from;

		if (!list[i].active || !list[i].cert || list[i].use != use || strcmp(list[i].domain, domain) != 0 ||
		    list[i].from > now)
			continue;
		k = judge_cache_cert(c, list[i].cert, list[i].cert_len, NULL);
		if (!k)
			continue;
		from = list[i].from > k->f.not_before ? list[i].from : k->f.not_before;
		if (from <= now && (!best || from > since)) {
			best = &list[i];
			since = from;
			*f_r = k->f;
		}
		judge_cert_drop(k);
	}
	return best;
}

/* ---- start ---- */

static enum keys_algo algo_of(const struct cert_facts *f)
{
	static const struct {
		const char *key;
		enum keys_algo algo;
	} known[] = {{"RSA 2048", KEYS_RSA_2048}, {"RSA 4096", KEYS_RSA_4096}, {"EC P-256", KEYS_EC_P256},
	    {"EC P-384", KEYS_EC_P384}, {"EC P-521", KEYS_EC_P521}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(f->key, known[i].key) == 0)
			return known[i].algo;
	return KEYS_RSA_3072;
}

static enum keys_use keeper_use(enum store_use u)
{
	return u == STORE_SIGN ? KEYS_USE_SIGN : u == STORE_DECRYPT ? KEYS_USE_DECRYPT : KEYS_USE_STATEMENT;
}

/* The organisation and the mail address in a certificate, "" where there is none. */
static void names_of(X509 *x, char org[NAME_MAX_OCTETS], char mail[NAME_MAX_OCTETS])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	int at = X509_NAME_get_index_by_NID(X509_get_subject_name(x), NID_organizationName, -1);
	unsigned char *utf8 = NULL;

	org[0] = mail[0] = '\0';
	if (at >= 0 && ASN1_STRING_to_UTF8(
			   &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(x), at))) > 0)
		(void)snprintf(org, NAME_MAX_OCTETS, "%s", (const char *)utf8);
	OPENSSL_free(utf8);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_EMAIL && !mail[0])
			(void)snprintf(mail, NAME_MAX_OCTETS, "%.*s", ASN1_STRING_length(g->d.ia5),
			    (const char *)ASN1_STRING_get0_data(g->d.ia5));
	}
	GENERAL_NAMES_free(names);
}

static int certify(const struct judge_xsmg_rollover *r, const char *domain, const char *id,
    const struct store_identity *old, const struct cert_facts *f, struct buf *der, struct problem *pr)
{
	X509 *x = cert_parse(old->cert, old->cert_len, pr);
	char org[NAME_MAX_OCTETS], mail[NAME_MAX_OCTETS];
	int64_t days = (f->not_after - f->not_before + DAY / 2) / DAY;
	struct keys_cert_request rq = {.kind = KEYS_CERT_SELF, .common_name = domain, .dns_name = domain};

	if (!x)
		return -1;
	names_of(x, org, mail);
	X509_free(x);
	rq.organisation = org[0] ? org : NULL;
	rq.rfc822_name = mail[0] ? mail : NULL;
	rq.days = days < 1 ? 1 : days > SELF_DAYS_MAX ? SELF_DAYS_MAX : (int)days;
	return keys_certify(r->keys, id, &rq, der, pr);
}

static int make_key(const struct judge_xsmg_rollover *r, const char *domain, const struct store_identity *old,
    const struct cert_facts *f, bool csr, struct problem *pr)
{
	char id[KEYS_ID_MAX + 1];
	struct store_identity i = {.domain = old->domain,
	    .use = old->use,
	    .key_id = id,
	    .active = true,
	    .added = r->now,
	    .from = STORE_FROM_NEVER};
	EVP_PKEY *pub = NULL;
	struct buf der;
	int rc;

	judge_own_key_id(domain, old->use, r->now, id);
	if (keys_generate(r->keys, id, keeper_use(old->use), algo_of(f), &pub, pr) < 0)
		return -1;
	buf_init(&der, CERT_DER_MAX);
	rc = csr ? 0 : certify(r, domain, id, old, f, &der, pr);
	i.cert = csr ? NULL : der.p;
	i.cert_len = csr ? 0 : der.len;
	i.spki = judge_own_spki(pub, &i.spki_len);
	if (rc == 0)
		rc = store_identity_add(r->s, &i, r->who, pr);
	OPENSSL_free(i.spki);
	EVP_PKEY_free(pub);
	buf_clear(&der);
	return rc;
}

static bool under_way(const struct store_rollover *o)
{
	return o->step != STORE_ROLLOVER_NONE && o->step != STORE_ROLLOVER_DONE;
}

static const char *kind_word(enum store_rollover_kind kind)
{
	return kind == STORE_ROLLOVER_MAIL ? "mail keys" : "statement key";
}

static int start(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind, bool csr,
    const struct store_identity *list, size_t n, struct problem *pr)
{
	static const enum store_use uses[] = {STORE_SIGN, STORE_DECRYPT, STORE_STATEMENT};
	struct store_rollover o;
	char detail[100];
	int made = 0;

	if (store_rollover_get(r->s, domain, kind, &o, pr) < 0)
		return -1;
	if (under_way(&o))
		return problem_perm(pr, "the %s of %s are being changed already (%s); see postern domain show %s",
		    kind_word(kind), domain, store_rollover_word(o.step), domain);
	for (size_t u = 0; u < sizeof uses / sizeof *uses; u++) {
		const struct store_identity *old;
		struct cert_facts f;

		if (!of_kind(kind, uses[u]))
			continue;
		old = present(r->w->cache, list, n, domain, uses[u], r->now, &f);
		if (!old)
			continue;
		if (make_key(r, domain, old, &f, csr, pr) < 0)
			return -1;
		made++;
	}
	if (!made)
		return problem_perm(pr, "%s has no %s with a certificate that new ones could take the place of",
		    domain, kind_word(kind));
	o = (struct store_rollover){.kind = kind, .step = STORE_ROLLOVER_WAITS, .started = r->now};
	(void)snprintf(o.domain, sizeof o.domain, "%s", domain);
	(void)snprintf(detail, sizeof detail, "%d new key%s, %s", made, made == 1 ? "" : "s",
	    csr ? "certificates are to be installed" : "self-signed");
	return store_rollover_put(r->s, &o, r->who, detail, pr);
}

int judge_xsmg_rollover_start(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind,
    bool csr, struct problem *pr)
{
	struct store_identity *list = NULL;
	size_t n = 0;
	int rc;

	if (!r->keys)
		return problem_temp(pr, "the keeper cannot be reached now; try again");
	if (store_begin(r->s, pr) < 0)
		return -1;
	rc = store_identities(r->s, domain, &list, &n, pr);
	if (rc == 0)
		rc = start(r, domain, kind, csr, list, n, pr);
	store_identities_free(list, n);
	rc = store_end(r->s, rc, pr);
	if (rc == 0)
		log_info(NULL, judge, "rollover domain=%s keys=%s step=waits csr=%s", domain,
		    kind == STORE_ROLLOVER_MAIL ? "mail" : "statement", csr ? "yes" : "no");
	return rc;
}

/* ---- the steps: within a transaction. 1 made, 0 not yet, -1 ---- */

struct step {
	const struct judge_xsmg_rollover *r;
	struct store_rollover *o;
	const struct store_identity *list;
	size_t n;
	char detail[200];
};

static bool has_all_certs(const struct store_rollover *o, const struct store_identity *list, size_t n)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (judge_xsmg_rollover_new(o, &list[i])) {
			if (!list[i].cert)
				return false;
			found++;
		}
	return found > 0;
}

static int announce(struct step *t, struct problem *pr)
{
	struct store_rollover *o = t->o;
	struct cert_facts f;
	int64_t at = t->r->now + t->r->set->lead / 1000;
	int rc;

	if (!has_all_certs(o, t->list, t->n))
		return 0;
	/* the old one may run out before: a day before that at the latest, and at once when it has */
	for (int u = STORE_SIGN; u <= STORE_STATEMENT; u++)
		if (of_kind(o->kind, (enum store_use)u) &&
		    present(t->r->w->cache, t->list, t->n, o->domain, (enum store_use)u, t->r->now, &f) &&
		    at > f.not_after - DAY)
			at = f.not_after - DAY;
	if (at < t->r->now)
		at = t->r->now;
	for (size_t i = 0; i < t->n; i++)
		if (judge_xsmg_rollover_new(o, &t->list[i]) &&
		    store_identity_times(t->r->s, t->list[i].key_id, at, 0, pr) < 0)
			return -1;
	rc = store_own_statement_serial(t->r->s, o->domain, t->r->now * 1000, &o->serial, pr);
	o->switch_at = at;
	o->step = STORE_ROLLOVER_ANNOUNCED;
	(void)snprintf(t->detail, sizeof t->detail, "used from %lld on", (long long)at);
	return rc < 0 ? -1 : 1;
}

/* Nobody can know the old statement key, who could be surprised by a sudden change: there is no partner, and no mail
 * was exchanged protected. One may have fetched it at a URL without our knowing. */
static bool is_alone(struct store *s)
{
	struct store_counts n;

	return store_count(s, &n, NULL) == 0 && n.partners == 0 && n.seen == 0;
}

/* 1 with the moment to which switch_at may come nearer, 0 not, -1. */
static int may_be_earlier(const struct judge_xsmg_rollover *r, const struct store_rollover *o, int64_t *at_r,
    int64_t *all_r, int64_t *hold_r, struct problem *pr)
{
	*at_r = r->now + r->set->early / 1000;
	if (o->early)
		return 0;
	if (store_own_statement_holders(r->s, o->domain, o->serial, all_r, hold_r, pr) < 0)
		return -1;
	if (o->kind == STORE_ROLLOVER_STATEMENT && *all_r == 0 && is_alone(r->s))
		*at_r = r->now;
	else if (o->kind == STORE_ROLLOVER_STATEMENT || *all_r == 0 || *hold_r < *all_r)
		return 0;
	return *at_r < o->switch_at;
}

/* 1: switch_at came nearer. */
static int earlier(struct step *t, struct problem *pr)
{
	struct store_rollover *o = t->o;
	int64_t at, all, hold;
	int rc = may_be_earlier(t->r, o, &at, &all, &hold, pr);

	if (rc <= 0)
		return rc;
	for (size_t i = 0; i < t->n; i++)
		if (judge_xsmg_rollover_new(o, &t->list[i]) &&
		    store_identity_times(t->r->s, t->list[i].key_id, at, 0, pr) < 0)
			return -1;
	o->switch_at = at;
	o->early = true;
	(void)snprintf(t->detail, sizeof t->detail, "used from %lld on already: %lld of %lld partners know them",
	    (long long)at, (long long)hold, (long long)all);
	return 1;
}

static int change(struct step *t, struct problem *pr)
{
	struct store_rollover *o = t->o;

	if (t->r->now < o->switch_at)
		return earlier(t, pr);
	o->finish_at = t->r->now + t->r->set->overlap / 1000;
	for (size_t i = 0; i < t->n; i++) {
		const struct store_identity *k = &t->list[i];
		int64_t until = k->use == STORE_DECRYPT ? t->r->now : o->finish_at;

		if (judge_xsmg_rollover_old(o, k) && store_identity_times(t->r->s, k->key_id, k->from, until, pr) < 0)
			return -1;
	}
	o->step = STORE_ROLLOVER_OVERLAP;
	(void)snprintf(t->detail, sizeof t->detail, "the new ones are used; the old ones stay until %lld",
	    (long long)o->finish_at);
	return 1;
}

static int finish(struct step *t, struct problem *pr)
{
	struct store_rollover *o = t->o;

	if (t->r->now < o->finish_at)
		return 0;
	for (size_t i = 0; i < t->n; i++)
		if (judge_xsmg_rollover_old(o, &t->list[i]) &&
		    store_identity_replaced(t->r->s, t->list[i].key_id, t->r->who, pr) < 0)
			return -1;
	o->step = STORE_ROLLOVER_DONE;
	(void)snprintf(t->detail, sizeof t->detail, "the old ones are retired");
	return 1;
}

static int one_step(struct step *t, struct problem *pr)
{
	int rc = 0;

	if (t->o->step == STORE_ROLLOVER_WAITS)
		rc = announce(t, pr);
	else if (t->o->step == STORE_ROLLOVER_ANNOUNCED)
		rc = change(t, pr);
	else if (t->o->step == STORE_ROLLOVER_OVERLAP)
		rc = finish(t, pr);
	if (rc > 0 && store_rollover_put(t->r->s, t->o, t->r->who, t->detail, pr) < 0)
		rc = -1;
	return rc;
}

/* One step of a domain, decided by what the store says within the transaction. 1 made, 0 not, -1. */
static int advance(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind,
    struct store_rollover *o, struct problem *pr)
{
	struct step t = {.r = r, .o = o};
	struct store_identity *list = NULL;
	int rc;

	if (store_begin(r->s, pr) < 0)
		return -1;
	rc = store_rollover_get(r->s, domain, kind, o, pr);
	if (rc == 0)
		rc = store_identities(r->s, domain, &list, &t.n, pr);
	t.list = list;
	if (rc == 0)
		rc = one_step(&t, pr);
	store_identities_free(list, t.n);
	if (store_end(r->s, rc, pr) < 0)
		return -1;
	if (rc > 0)
		log_info(NULL, judge, "rollover domain=%s keys=%s step=%s why=\"%s\"", domain,
		    kind == STORE_ROLLOVER_MAIL ? "mail" : "statement", store_rollover_word(o->step), t.detail);
	return rc;
}

/* ---- what is to be done now ---- */

/* Whether a step is due, from what was read outside of a transaction: most often none is, and nothing is written.
 * 1, 0, -1. */
static int is_due(const struct judge_xsmg_rollover *r, const struct store_rollover *o,
    const struct store_identity *list, size_t n, struct problem *pr)
{
	int64_t at, all, hold;

	switch (o->step) {
	case STORE_ROLLOVER_WAITS:
		return has_all_certs(o, list, n);
	case STORE_ROLLOVER_ANNOUNCED:
		return r->now >= o->switch_at ? 1 : may_be_earlier(r, o, &at, &all, &hold, pr);
	case STORE_ROLLOVER_OVERLAP:
		return r->now >= o->finish_at;
	default:
		return 0;
	}
}

/* Which of the present ones runs out, and may no admin do it: 1 by itself (self-signed), 2 by a request, 0 none. */
static int runs_out(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind,
    const struct store_identity *list, size_t n)
{
	int64_t before = r->set->before / 1000;
	int found = 0;

	if (before == 0)
		return 0;
	for (int u = STORE_SIGN; u <= STORE_STATEMENT; u++) {
		struct cert_facts f;
		int64_t window;

		if (!of_kind(kind, (enum store_use)u) ||
		    !present(r->w->cache, list, n, domain, (enum store_use)u, r->now, &f))
			continue;
		window = (f.not_after - f.not_before) / LIFE_PARTS;
		if (r->now < f.not_after - (before < window ? before : window))
			continue;
		if (!f.self_signed)
			return 2;
		found = 1;
	}
	return found;
}

static int begin_when_due(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind,
    const struct store_identity *list, size_t n, struct problem *pr)
{
	int how = r->keys ? runs_out(r, domain, kind, list, n) : 0;

	if (how == 0)
		return 0;
	if (judge_xsmg_rollover_start(r, domain, kind, how == 2, pr) < 0)
		return -1;
	if (how == 2)
		log_error(NULL, judge,
		    "alarm=rollover-waits domain=%s why=\"the %s run out; new ones are made and wait for "
		    "certificates: "
		    "postern domain rollover %s --csr prints the requests, postern domain install takes the "
		    "answers\"",
		    domain, kind_word(kind), domain);
	return 1;
}

static int tick_one(const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind,
    const struct store_identity *list, size_t n, struct problem *pr)
{
	struct store_rollover o;
	int made = 0, rc;

	if (store_rollover_get(r->s, domain, kind, &o, pr) < 0)
		return -1;
	if (!under_way(&o)) /* its further steps the next time, with a list that has the new ones */
		return begin_when_due(r, domain, kind, list, n, pr);
	while ((rc = is_due(r, &o, list, n, pr)) > 0 && (rc = advance(r, domain, kind, &o, pr)) > 0)
		made++;
	return rc < 0 ? -1 : made;
}

int judge_xsmg_rollover_tick(const struct judge_xsmg_rollover *r, struct problem *pr)
{
	struct store_identity *list;
	int made = 0;
	bool failed = false;

	for (size_t i = 0; i < r->w->ndomains; i++) {
		size_t n;

		if (store_identities(r->s, r->w->domains[i], &list, &n, pr) < 0)
			return -1;
		for (int k = STORE_ROLLOVER_MAIL; n > 0 && k <= STORE_ROLLOVER_STATEMENT; k++) {
			int rc = tick_one(r, r->w->domains[i], (enum store_rollover_kind)k, list, n, pr);

			failed = failed || rc < 0;
			made += rc > 0 ? rc : 0;
		}
		store_identities_free(list, n);
	}
	return failed ? -1 : made;
}

/* ---- cancel ---- */

static int cancel(struct step *t, struct problem *pr)
{
	struct store_rollover *o = t->o;

	if (o->step != STORE_ROLLOVER_WAITS && o->step != STORE_ROLLOVER_ANNOUNCED)
		return problem_perm(pr, "no change of the %s of %s is under way that could be given up",
		    kind_word(o->kind), o->domain);
	for (size_t i = 0; i < t->n; i++)
		if (judge_xsmg_rollover_new(o, &t->list[i]) &&
		    store_identity_replaced(t->r->s, t->list[i].key_id, t->r->who, pr) < 0)
			return -1;
	o->step = STORE_ROLLOVER_DONE;
	return store_rollover_put(t->r->s, o, t->r->who, "given up", pr);
}

int judge_xsmg_rollover_cancel(
    const struct judge_xsmg_rollover *r, const char *domain, enum store_rollover_kind kind, struct problem *pr)
{
	struct store_identity *list = NULL;
	struct store_rollover o;
	struct step t = {.r = r, .o = &o};
	int rc;

	if (store_begin(r->s, pr) < 0)
		return -1;
	rc = store_rollover_get(r->s, domain, kind, &o, pr);
	if (rc == 0)
		rc = store_identities(r->s, domain, &list, &t.n, pr);
	t.list = list;
	if (rc == 0)
		rc = cancel(&t, pr);
	store_identities_free(list, t.n);
	return store_end(r->s, rc, pr);
}
