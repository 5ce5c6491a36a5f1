/* Drafts of statements, see the header. Role judge. */
#include "gateway/proc/judge_xsmg_draft.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/xsmg/statement_cms_make.h"
#include "gateway/xsmg/statement_json.h"
#include "gateway/xsmg/statement_json_write.h"

enum { JSON_MAX = STATEMENT_MAX, CHAIN_CERTS_MAX = 8 };

/* One domain's identities with what is needed of their certificates. */
struct draft {
	const struct judge_world *w;
	const struct statement_settings *set;
	const char *domain;
	int64_t now;
	struct arena *a;
	const struct store_identity *list;
	size_t n;
	struct judge_xsmg_draft *d;
};

/* ---- which ---- */

static bool times(struct judge_cache *c, const struct store_identity *i, int64_t *from_r, int64_t *until_r)
{
	struct judge_cert *k = i->cert ? judge_cache_cert(c, i->cert, i->cert_len, NULL) : NULL;

	if (!k)
		return false;
	*from_r = i->from > k->f.not_before ? i->from : k->f.not_before;
	*until_r = i->until > 0 && i->until < k->f.not_after ? i->until : k->f.not_after;
	judge_cert_drop(k);
	return *from_r < *until_r;
}

static bool is(const struct store_identity *i, const char *domain, enum store_use use)
{
	return i->active && i->use == use && strcmp(i->domain, domain) == 0;
}

const struct store_identity *judge_xsmg_draft_present(struct judge_cache *c, const struct store_identity *list,
    size_t n, const char *domain, enum store_use use, int64_t now)
{
	const struct store_identity *best = NULL;
	int64_t from, until, since = 0;

	for (size_t i = 0; i < n; i++)
		if (is(&list[i], domain, use) && times(c, &list[i], &from, &until) && from <= now && now < until &&
		    (!best || from > since)) {
			best = &list[i];
			since = from;
		}
	return best;
}

/* The present statement key, and the one before it while it is still to sign. */
static void choose_signers(struct draft *t)
{
	const struct store_identity *now, *before = NULL;
	int64_t from, until, since = 0;

	now = judge_xsmg_draft_present(t->w->cache, t->list, t->n, t->domain, STORE_STATEMENT, t->now);
	if (!now)
		return;
	t->d->signers[t->d->nsigners++] = now;
	for (size_t i = 0; i < t->n; i++) {
		const struct store_identity *o = &t->list[i];

		if (o == now || o->until == 0 || !is(o, t->domain, STORE_STATEMENT) ||
		    !times(t->w->cache, o, &from, &until) || from > t->now || until <= t->now ||
		    (before && from <= since))
			continue;
		before = o;
		since = from;
	}
	if (before)
		t->d->signers[t->d->nsigners++] = before;
}

static enum statement_use use_of(enum store_use u)
{
	return u == STORE_STATEMENT ? STATEMENT_FOR_STATEMENT
	       : u == STORE_SIGN    ? STATEMENT_FOR_SIGN
				    : STATEMENT_FOR_ENCRYPT;
}

/* One certificate for both mail uses stands there once. */
static bool joined(struct statement *st, const struct statement_cert *c)
{
	for (size_t i = 0; i < st->ncerts; i++) {
		struct statement_cert *o = &st->certs[i];

		if (o->use != STATEMENT_FOR_STATEMENT && c->use != STATEMENT_FOR_STATEMENT && o->use != c->use &&
		    o->from == c->from && o->until == c->until && o->der.n == c->der.n &&
		    memcmp(o->der.p, c->der.p, c->der.n) == 0) {
			o->use = STATEMENT_FOR_BOTH;
			return true;
		}
	}
	return false;
}

/* In the order of the store: by use, the newest first. What ran out is not listed; what is announced is. */
static void list_certs(struct draft *t)
{
	struct statement *st = &t->d->st;
	int64_t from, until;

	for (size_t i = 0; i < t->n && st->ncerts < STATEMENT_CERTS_MAX; i++) {
		const struct store_identity *o = &t->list[i];
		struct statement_cert c = {.use = use_of(o->use), .der = {o->cert, o->cert_len}};

		if (!o->active || o->use == STORE_TLS || strcmp(o->domain, t->domain) != 0 ||
		    !times(t->w->cache, o, &from, &until) || until <= t->now || from >= STORE_FROM_NEVER)
			continue;
		c.from = from;
		c.until = until;
		if (!joined(st, &c))
			st->certs[st->ncerts++] = c;
	}
}

/* ---- what can be read ---- */

static const struct store_identity *opener(struct draft *t, size_t i)
{
	const struct store_identity *o = &t->list[i];

	return is(o, t->domain, STORE_DECRYPT) && o->cert ? o : NULL;
}

static void add_keys(struct draft *t, const struct store_identity *i)
{
	struct statement_words *keys = &t->d->st.read.keys;
	struct judge_cert *k = judge_cache_cert(t->w->cache, i->cert, i->cert_len, NULL);

	if (!k)
		return;
	if (strcmp(k->f.key, "EC P-256") == 0) {
		statement_words_add(keys, STATEMENT_ECDH_P256);
	} else if (strcmp(k->f.key, "EC P-384") == 0) {
		statement_words_add(keys, STATEMENT_ECDH_P384);
	} else if (strncmp(k->f.key, "RSA", 3) == 0) {
		statement_words_add(keys, STATEMENT_OAEP_SHA256);
		statement_words_add(keys, STATEMENT_OAEP_SHA1);
		statement_words_add(keys, STATEMENT_PKCS1);
	}
	judge_cert_drop(k);
}

/* What gateway/cms reads, and by which means the keys that open mail can be reached. */
static void fill_read(struct draft *t, uint64_t message_max)
{
	static const uint8_t content[] = {
	    STATEMENT_AES_256_GCM, STATEMENT_AES_128_GCM, STATEMENT_AES_256_CBC, STATEMENT_AES_128_CBC};
	static const uint8_t signatures[] = {STATEMENT_ECDSA_P256_SHA256, STATEMENT_ECDSA_P384_SHA384,
	    STATEMENT_PSS_SHA256, STATEMENT_RSA_SHA256, STATEMENT_RSA_SHA384, STATEMENT_RSA_SHA512};
	struct statement_read *r = &t->d->st.read;
	int at = judge_world_domain(t->w, t->domain);

	for (size_t i = 0; i < sizeof content; i++)
		statement_words_add(&r->content, content[i]);
	for (size_t i = 0; i < sizeof signatures; i++)
		statement_words_add(&r->signatures, signatures[i]);
	for (size_t i = 0; i < t->n; i++)
		if (opener(t, i))
			add_keys(t, opener(t, i));
	statement_words_add(&r->formats, STATEMENT_SIGNED_ENVELOPED);
	/* encrypted mail without a signature is held by default: then it is none that we ask for */
	if (at >= 0 && t->w->in_rules && t->w->in_rules[at].sealed_unsigned != POLICY_HOLD)
		statement_words_add(&r->formats, STATEMENT_ENVELOPED);
	statement_words_add(&r->formats, STATEMENT_SIGNED);
	statement_words_add(&r->headers, STATEMENT_RFC9788);
	statement_words_add(&r->headers, STATEMENT_RFC822_WRAP);
	r->octets = message_max;
}

/* ---- what the settings say ---- */

static bool listed(const struct settings_list *l, const char *word)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], word) == 0)
			return true;
	return false;
}

static void fill_urls(struct draft *t)
{
	struct statement *st = &t->d->st;
	char url[STATEMENT_URL_MAX + 1];

	for (size_t i = 0; i < t->set->urls.n && st->nurls < STATEMENT_URLS_MAX; i++)
		if (statement_settings_url(t->set->urls.v[i], t->domain, url, sizeof url) &&
		    statement_url_ok(url, strlen(url))) {
			st->urls[st->nurls] = arena_str(t->a, url);
			st->nurls += st->urls[st->nurls] != NULL;
		}
}

static void fill_words(struct draft *t)
{
	const struct statement_settings *set = t->set;
	struct statement *st = &t->d->st;

	st->withdrawn = listed(&set->withdrawn, t->domain);
	st->write.signs = (enum statement_promise)set->signs;
	st->write.encrypts = (enum statement_promise)set->encrypts;
	st->write.said =
	    !st->withdrawn && (set->signs != STATEMENT_PROMISES_NONE || set->encrypts != STATEMENT_PROMISES_NONE);
	st->write.test = set->test;
	st->demand_signed = listed(&set->demand, "signed");
	st->demand_encrypted = listed(&set->demand, "encrypted");
	st->asserts = statement_settings_bits(STATEMENT_KIND_ASSERTS, &set->asserts);
	st->notices = statement_settings_bits(STATEMENT_KIND_NOTICES, &set->notices);
	fill_urls(t);
}

/* ---- the whole ---- */

static void set_times(struct judge_xsmg_draft *d, const struct statement_settings *set, int64_t now)
{
	d->st.issued = now;
	d->st.expires = now + set->lifetime / 1000;
	d->st.write.until = now + set->promise / 1000;
}

/* 0; -1: there is too much to say. */
static int hash_facts(struct draft *t)
{
	struct judge_xsmg_draft *d = t->d;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t hash[32];
	struct buf json;

	int rc;

	buf_init(&json, JSON_MAX);
	set_times(d, t->set, 1);
	d->st.serial = 1;
	rc = statement_json_write(&d->st, &json);
	if (!md || EVP_DigestInit_ex(md, judge_cache_sha256(t->w->cache), NULL) != 1 ||
	    EVP_DigestUpdate(md, json.p, json.len) != 1)
		log_fatal("no SHA-256");
	/* a second signer, a new certificate or chain of one: another SignedData, though the content be the same */
	for (size_t i = 0; i < d->nsigners; i++)
		if (EVP_DigestUpdate(md, d->signers[i]->cert, d->signers[i]->cert_len) != 1 ||
		    EVP_DigestUpdate(md, d->signers[i]->chain, d->signers[i]->chain_len) != 1)
			log_fatal("no SHA-256");
	if (EVP_DigestFinal_ex(md, hash, NULL) != 1)
		log_fatal("no SHA-256");
	encode_hex(hash, sizeof hash, d->facts);
	EVP_MD_CTX_free(md);
	buf_clear(&json);
	return rc;
}

int judge_xsmg_draft(const struct judge_world *w, const struct statement_settings *set, uint64_t message_max,
    struct store *s, const char *domain, int64_t now, struct arena *a, struct judge_xsmg_draft *d_r, char *why,
    size_t cap, struct problem *pr)
{
	struct draft t = {.w = w, .set = set, .domain = domain, .now = now, .a = a, .d = d_r};
	struct judge_cert *k;

	memset(d_r, 0, sizeof *d_r);
	if (judge_cache_identities(w->cache, s, &t.list, &t.n, pr) < 0)
		return -1;
	(void)snprintf(d_r->st.domain, sizeof d_r->st.domain, "%s", domain);
	choose_signers(&t);
	if (d_r->nsigners == 0) {
		(void)snprintf(why, cap, "there is no statement key with a certificate in its time");
		return 0;
	}
	k = judge_cache_cert(w->cache, d_r->signers[0]->cert, d_r->signers[0]->cert_len, pr);
	if (!k)
		return -1;
	(void)encode_unhex(k->f.sha256, 64, d_r->st.signer, sizeof d_r->st.signer);
	judge_cert_drop(k);
	list_certs(&t);
	fill_read(&t, message_max);
	fill_words(&t);
	if (hash_facts(&t) < 0) {
		(void)snprintf(why, cap, "the statement would have more than %d octets", STATEMENT_MAX);
		return 0;
	}
	set_times(d_r, set, now);
	return 1;
}

/* ---- signing ---- */

struct signing {
	struct keys_client *keys;
	const char *key_id;
};

static int sign(void *arg, enum statement_alg alg, const uint8_t *attrs, size_t n, uint8_t *sig, size_t *nsig_r,
    struct problem *pr)
{
	static const int md[STATEMENT_ALGS] = {NID_sha256, NID_sha256, NID_sha384, NID_sha512};
	const struct signing *g = arg;
	struct buf out;
	int rc;

	buf_init(&out, STATEMENT_SIGNATURE_MAX);
	rc = keys_sign_statement(g->keys, g->key_id, md[alg], false, attrs, n, &out, pr);
	if (rc == 0) {
		memcpy(sig, out.p, out.len);
		*nsig_r = out.len;
	}
	buf_clear(&out);
	return rc;
}

/* The chain lies there as DER, one behind the other. */
static size_t split_chain(const struct store_identity *i, struct statement_octets *list)
{
	const unsigned char *p = i->chain, *end = p + i->chain_len;
	size_t n = 0;

	while (n < CHAIN_CERTS_MAX && i->chain && p < end) {
		const unsigned char *start = p;
		X509 *x = d2i_X509(NULL, &p, end - p);

		if (!x)
			break;
		X509_free(x);
		list[n++] = (struct statement_octets){start, (size_t)(p - start)};
	}
	return n;
}

int judge_xsmg_draft_sign(struct judge_xsmg_draft *d, struct keys_client *keys, int64_t now, int64_t serial,
    struct buf *der_r, char id_r[STATEMENT_ID + 1], struct problem *pr)
{
	struct statement_octets chain[STATEMENT_SIGNERS_MAX][CHAIN_CERTS_MAX];
	struct statement_sign_by by[STATEMENT_SIGNERS_MAX];
	struct signing how[STATEMENT_SIGNERS_MAX];
	struct buf json;
	int rc;

	for (size_t i = 0; i < d->nsigners; i++) {
		const struct store_identity *o = d->signers[i];

		how[i] = (struct signing){keys, o->key_id};
		by[i] = (struct statement_sign_by){.cert = {o->cert, o->cert_len},
		    .chain = chain[i],
		    .nchain = split_chain(o, chain[i]),
		    .sign = sign,
		    .arg = &how[i]};
	}
	d->st.serial = serial;
	buf_init(&json, JSON_MAX);
	if (statement_json_write(&d->st, &json) < 0) {
		buf_clear(&json);
		return problem_perm(pr,
		    "the statement would have more than %d octets: retire certificates, or have shorter chains",
		    STATEMENT_MAX);
	}
	statement_id(json.p, json.len, id_r);
	rc = statement_cms_make(json.p, json.len, by, d->nsigners, now, der_r, pr);
	buf_clear(&json);
	return rc;
}
