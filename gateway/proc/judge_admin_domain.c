/*
 * domain.*: role judge; asks the keeper, writes the store. The private half of every key made here is made and kept
 * in the keeper; one that is imported passes through on its way there and is wiped (judge_admin.h).
 *
 * A key that the keeper has and the store does not (the machine died between) is of no use and does no harm; the
 * other way round cannot happen.
 */
#include "gateway/proc/judge_admin_domain.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/keys/keys.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_own.h"

enum { SELF_DAYS = 730, SELF_DAYS_MAX = 3650, CHAIN_OCTETS_MAX = 4 * 16384, KEY_OCTETS_MAX = 16384 };

/* What is asked for, arguments checked. */
struct asking {
	char domain[ADDRESS_DOMAIN_MAX + 1];
	const enum store_use *uses;
	size_t nuses;
	enum keys_algo algo;
	enum keys_cert_kind kind;
	int64_t days;
	const char *organisation, *address;
	bool force;
	json_t *rows, *warnings; /* borrowed from the reply */
};

static enum keys_use keeper_use(enum store_use u)
{
	return u == STORE_SIGN ? KEYS_USE_SIGN : u == STORE_DECRYPT ? KEYS_USE_DECRYPT : KEYS_USE_TLS;
}

static int keeper_there(struct judge_call *c)
{
	unsigned n;
	enum keys_state s = c->ja->keys ? keys_status(c->ja->keys, &n) : KEYS_UNREACHABLE;

	if (s == KEYS_READY)
		return 0;
	return judge_call_fail(c, "unavailable",
	    s == KEYS_SEALED ? "the keeper is still sealed: it waits for its passphrase"
			     : "the keeper cannot be reached now; try again");
}

/* ---- csr and self ---- */

static int certify(struct judge_call *c, const struct asking *a, enum store_use use, const char *id, struct buf *der)
{
	char office[ADDRESS_TEXT_MAX];
	struct keys_cert_request rq = {.kind = a->kind,
	    .common_name = a->domain,
	    .organisation = a->organisation,
	    .dns_name = a->domain,
	    .rfc822_name = a->address,
	    .days = (int)a->days};

	(void)snprintf(office, sizeof office, "%s@%s",
	    use == STORE_SIGN ? "domain-signing-authority" : "domain-confidentiality-authority", a->domain);
	if (use == STORE_TLS)
		rq.rfc822_name = NULL;
	else if (!rq.rfc822_name)
		rq.rfc822_name = office;
	return keys_certify(c->ja->keys, id, &rq, der, c->pr);
}

static int store_new(struct judge_call *c, const struct asking *a, enum store_use use, const char *id, EVP_PKEY *pub,
    const struct buf *der)
{
	struct store_identity i = {.domain = (char *)(uintptr_t)a->domain,
	    .use = use,
	    .key_id = (char *)(uintptr_t)id,
	    .active = true,
	    .added = c->now};
	json_t *row;
	int rc;

	i.spki = judge_own_spki(pub, &i.spki_len);
	if (a->kind == KEYS_CERT_SELF) {
		i.cert = der->p;
		i.cert_len = der->len;
	}
	rc = store_identity_add(c->store, &i, c->who, c->pr);
	OPENSSL_free(i.spki);
	if (rc < 0)
		return -1;
	row = judge_own_row(c, &i);
	if (a->kind != KEYS_CERT_SELF)
		judge_call_set(row, "csr", judge_call_pem("CERTIFICATE REQUEST", der->p, der->len));
	judge_call_add(a->rows, row);
	return 0;
}

static int make_key(struct judge_call *c, const struct asking *a, enum store_use use)
{
	char id[KEYS_ID_MAX + 1];
	EVP_PKEY *pub = NULL;
	struct buf der;
	int rc;

	judge_own_key_id(a->domain, use, c->now, id);
	buf_init(&der, CERT_DER_MAX);
	rc = keys_generate(c->ja->keys, id, keeper_use(use), a->algo, &pub, c->pr);
	if (rc == 0)
		rc = certify(c, a, use, id, &der);
	if (rc == 0)
		rc = store_new(c, a, use, id, pub, &der);
	EVP_PKEY_free(pub);
	buf_clear(&der);
	return rc;
}

static int generate(struct judge_call *c, struct asking *a, const char *dflt_algo)
{
	const char *algo;

	if (judge_call_str(c, "algo", JUDGE_MAY, 20, &algo) < 0 ||
	    judge_call_int(c, "days", 1, SELF_DAYS_MAX, SELF_DAYS, &a->days) < 0 ||
	    judge_call_str(c, "organisation", JUDGE_MAY, 64, &a->organisation) < 0 ||
	    judge_call_str(c, "address", JUDGE_MAY, 320, &a->address) < 0)
		return -1;
	if (keys_algo_parse(algo ? algo : dflt_algo, &a->algo) < 0)
		return judge_call_fail(c, "usage",
		    "argument \"algo\" must be \"rsa-2048\", \"rsa-3072\", \"rsa-4096\", \"ec-p256\", \"ec-p384\" or "
		    "\"ec-p521\"");
	for (size_t i = 0; i < a->nuses; i++)
		if (make_key(c, a, a->uses[i]) < 0)
			return -1;
	return 0;
}

/* ---- import ---- */

struct importing {
	const uint8_t *pkcs8;
	size_t pkcs8_len;
	struct judge_upload certs;
};

static int import_use(struct judge_call *c, const struct asking *a, const struct importing *im, enum store_use use)
{
	char id[KEYS_ID_MAX + 1];
	EVP_PKEY *pub = NULL;
	X509 *x = im->certs.list[0];
	struct store_identity i = {
	    .domain = (char *)(uintptr_t)a->domain, .use = use, .key_id = id, .active = true, .added = c->now};
	struct buf chain;
	int rc;

	judge_own_key_id(a->domain, use, c->now, id);
	if (keys_import(c->ja->keys, id, keeper_use(use), im->pkcs8, im->pkcs8_len, &pub, c->pr) < 0)
		return -1;
	buf_init(&chain, CHAIN_OCTETS_MAX);
	judge_own_chain(x, &im->certs, &chain);
	i.cert = judge_upload_der(x, &i.cert_len);
	i.spki = judge_own_spki(pub, &i.spki_len);
	i.chain = chain.p;
	i.chain_len = chain.len;
	if (EVP_PKEY_eq(pub, X509_get0_pubkey(x)) == 1)
		rc = store_identity_add(c->store, &i, c->who, c->pr);
	else
		rc = judge_call_fail(c, "refused", "the private key does not belong to the first certificate given");
	if (rc == 0)
		judge_call_add(a->rows, judge_own_row(c, &i));
	OPENSSL_free(i.cert);
	OPENSSL_free(i.spki);
	buf_clear(&chain);
	EVP_PKEY_free(pub);
	return rc;
}

/* Which of the uses: the one named, or all that the certificate allows. */
static int import_uses(struct judge_call *c, const struct asking *a, const struct importing *im)
{
	const char *word;
	struct cert_facts f;
	size_t done = 0;

	if (judge_call_str(c, "use", JUDGE_MAY, 20, &word) < 0)
		return -1;
	if (word && strcmp(word, "sign") != 0 && strcmp(word, "decrypt") != 0)
		return judge_call_fail(c, "usage", "argument \"use\" must be \"sign\" or \"decrypt\"");
	cert_facts(im->certs.list[0], &f);
	for (size_t i = 0; i < a->nuses; i++) {
		enum store_use u = a->uses[i];
		bool allowed = u == STORE_TLS || (u == STORE_SIGN ? f.may_sign : f.may_encrypt);

		if (word ? strcmp(word, store_use_word(u)) != 0 : !allowed)
			continue;
		done++;
		if (judge_own_check(c, im->certs.list[0], u, a->domain, a->force, a->warnings) < 0 ||
		    import_use(c, a, im, u) < 0)
			return -1;
	}
	if (done > 0)
		return 0;
	return judge_call_fail(
	    c, "refused", "the certificate %.300s is neither for signing nor for encrypting mail", f.subject);
}

static int import(struct judge_call *c, struct asking *a)
{
	struct importing im = {.certs = {.n = 0}};
	uint8_t *pkcs8;
	int rc;

	if (judge_call_octets(c, "key", JUDGE_MUST, KEY_OCTETS_MAX, &pkcs8, &im.pkcs8_len) < 0)
		return -1;
	im.pkcs8 = pkcs8;
	rc = judge_upload_read(c, "certs", &im.certs);
	if (rc == 0)
		rc = import_uses(c, a, &im);
	mem_free_secret(pkcs8, im.pkcs8_len);
	judge_upload_clear(&im.certs);
	return rc;
}

/* ---- verbs ---- */

static int run(struct judge_call *c, struct asking *a, const char *dflt_algo)
{
	const char *mode;
	int rc;

	if (judge_call_str(c, "mode", JUDGE_MAY, 20, &mode) < 0 || judge_call_bool(c, "force", false, &a->force) < 0)
		return -1;
	a->rows = judge_call_array();
	judge_call_set(c->data, "keys", a->rows);
	a->warnings = judge_call_array();
	judge_call_set(c->data, "warnings", a->warnings);
	judge_call_set(c->data, "domain", judge_call_text(a->domain));
	if (mode && strcmp(mode, "csr") != 0 && strcmp(mode, "self") != 0 && strcmp(mode, "import") != 0)
		return judge_call_fail(c, "usage", "argument \"mode\" must be \"csr\", \"self\" or \"import\"");
	if (keeper_there(c) < 0)
		return -1;
	a->kind = mode && strcmp(mode, "self") == 0 ? KEYS_CERT_SELF : KEYS_CERT_CSR;
	/* Both keys or none: one that signs without one that opens would invite mail that nobody can read. */
	if (store_begin(c->store, c->pr) < 0)
		return -1;
	rc = mode && strcmp(mode, "import") == 0 ? import(c, a) : generate(c, a, dflt_algo);
	return store_end(c->store, rc, c->pr);
}

int judge_admin_domain_add(struct judge_call *c)
{
	static const enum store_use uses[] = {STORE_SIGN, STORE_DECRYPT};
	struct asking a = {.uses = uses, .nuses = 2};

	if (judge_call_domain(c, "domain", JUDGE_MUST, a.domain) < 0)
		return -1;
	if (judge_world_domain(c->ja->world, a.domain) < 0)
		return judge_call_fail(c, "refused",
		    "%s is not one of our domains: put `domain \"%s\" { inside-server = ... }` into postern.conf and "
		    "reload first",
		    a.domain, a.domain);
	return run(c, &a, "rsa-2048");
}

int judge_admin_domain_tls(struct judge_call *c)
{
	static const enum store_use uses[] = {STORE_TLS};
	struct asking a = {.uses = uses, .nuses = 1};

	if (judge_call_domain(c, "domain", JUDGE_MUST, a.domain) < 0)
		return -1;
	return run(c, &a, "ec-p256");
}

/* Our domains that cannot sign, and why. */
static int without(struct judge_call *c, json_t *a)
{
	const struct judge_world *w = c->ja->world;

	for (size_t i = 0; i < w->ndomains; i++) {
		const struct store_identity *id;
		char why[400];
		json_t *o;

		if (judge_identities_find(
			w->cache, c->store, w->domains[i], STORE_SIGN, c->now, &id, why, sizeof why, c->pr) < 0)
			return -1;
		if (id)
			continue;
		o = judge_call_object();
		judge_call_set(o, "domain", judge_call_text(w->domains[i]));
		judge_call_set(o, "why", judge_call_text(why));
		judge_call_add(a, o);
	}
	return 0;
}

/* What a key is good for now. */
static int does(struct judge_call *c, const struct store_identity *i, const char **word_r)
{
	const struct store_identity *used;
	char why[400];

	*word_r = i->retired ? "retired" : i->cert ? "TLS" : "waits";
	if (i->retired || !i->cert || i->use == STORE_TLS)
		return 0;
	if (i->use == STORE_STATEMENT) {
		*word_r = i->from > c->now				      ? "announced"
			  : i->active && (i->until == 0 || i->until > c->now) ? "signs statements"
									      : "nothing";
		return 0;
	}
	if (judge_identities_find(
		c->ja->world->cache, c->store, i->domain, i->use, c->now, &used, why, sizeof why, c->pr) < 0)
		return -1;
	if (used && strcmp(used->key_id, i->key_id) == 0)
		*word_r = i->use == STORE_SIGN ? "signs" : "opens";
	else
		*word_r = i->use == STORE_SIGN ? "nothing" : "only opens";
	return 0;
}

static int list_row(struct judge_call *c, const struct store_identity *i, json_t *a)
{
	json_t *o = judge_own_row(c, i);
	const char *word;

	judge_call_add(a, o);
	if (does(c, i, &word) < 0)
		return -1;
	judge_call_set(o, "does", judge_call_text(word));
	return 0;
}

static int tell_revision(struct judge_call *c)
{
	char revision[33];
	json_t *state;

	if (judge_own_state(c, &state) < 0)
		return -1;
	judge_call_revision(state, revision);
	judge_call_set(c->data, "revision", judge_call_text(revision));
	json_decref(state);
	return 0;
}

int judge_admin_domain_list(struct judge_call *c)
{
	char domain[ADDRESS_DOMAIN_MAX + 1];
	struct store_identity *list;
	json_t *a, *none;
	size_t n;
	int rc = 0;

	if (judge_call_domain(c, "domain", JUDGE_MAY, domain) < 0 ||
	    store_identities(c->store, domain[0] ? domain : NULL, &list, &n, c->pr) < 0)
		return -1;
	a = judge_call_array();
	judge_call_set(c->data, "identities", a);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = list_row(c, &list[i], a);
	store_identities_free(list, n);
	if (rc < 0)
		return -1;
	none = judge_call_array();
	judge_call_set(c->data, "without", none);
	return without(c, none) < 0 || (!domain[0] && tell_revision(c) < 0) ? -1 : 0;
}
