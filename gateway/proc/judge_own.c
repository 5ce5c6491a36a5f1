/* Our own keys and the certificates that belong to them. Role judge; pure but for random numbers. */
#include "gateway/proc/judge_own.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "certstore/trust.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_world.h"

enum { CHAIN_CERTS_MAX = 4 };

void judge_own_key_id(const char *domain, enum store_use use, int64_t now, char out[KEYS_ID_MAX + 1])
{
	char t[21], hex[5];
	uint8_t r[2];

	if (RAND_bytes(r, sizeof r) != 1)
		log_fatal("no random numbers");
	encode_hex(r, sizeof r, hex);
	encode_time(now, t);
	(void)snprintf(out, KEYS_ID_MAX + 1, "%.*s-%s-%.4s%.2s%.2s-%s", KEYS_ID_NAME, domain, store_use_word(use), t,
	    t + 5, t + 8, hex);
}

uint8_t *judge_own_spki(EVP_PKEY *pub, size_t *n_r)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pub, &der);

	if (n <= 0)
		log_fatal("a public key cannot be written");
	*n_r = (size_t)n;
	return der;
}

/* A reason against: a refusal, or with force a warning. */
static int against(struct judge_call *c, bool force, json_t *warnings, const char *words, const char *why)
{
	char text[640];

	(void)snprintf(text, sizeof text, "certificate %.320s: %.200s", words, why);
	if (!force)
		return judge_call_fail(c, "refused", "%s (it is taken all the same with --force)", text);
	judge_call_add(warnings, judge_call_text(text));
	return 0;
}

static int check_tls(
    struct judge_call *c, X509 *x, const char *domain, bool force, json_t *warnings, const char *words)
{
	int rc = 0;

	if (X509_check_purpose(x, X509_PURPOSE_SSL_SERVER, 0) != 1)
		rc = judge_call_fail(c, "refused",
		    "certificate %s is not for a TLS server (key usage, or serverAuth is missing)", words);
	else if (X509_check_host(x, domain, 0, 0, NULL) != 1)
		rc = against(c, force, warnings, words, "it does not name this host");
	ERR_clear_error();
	return rc;
}

static bool mentions(const struct cert_facts *f, const char *domain)
{
	size_t d = strlen(domain);

	for (const char *p = strstr(f->names, "mail:"); p; p = strstr(p + 1, "mail:")) {
		size_t n = strcspn(p, " ");

		if (n > d && p[n - d - 1] == '@' && strncasecmp(p + n - d, domain, d) == 0)
			return true;
	}
	return false;
}

static int check_mail(struct judge_call *c, X509 *x, const struct cert_facts *f, enum cert_purpose use,
    const char *domain, bool force, json_t *warnings, const char *words)
{
	struct address who = {.local = ""};
	char why[400];

	if (use == CERT_TO_SIGN ? !f->may_sign : !f->may_encrypt) {
		(void)trust_fit(f, use, f->not_before, why, sizeof why);
		return judge_call_fail(c, "refused",
		    "certificate %s cannot be used for %s: %s; have one issued for this purpose", words,
		    use == CERT_TO_SIGN ? "signing mail" : "encrypting mail to us", why);
	}
	(void)snprintf(who.domain, sizeof who.domain, "%.255s", domain);
	if (cert_bound(x, &who, use) != CERT_BOUND_NOT)
		return 0;
	if (!mentions(f, domain))
		return against(c, force, warnings, words, "it does not name the domain nor an address in it");
	(void)snprintf(why, sizeof why,
	    "certificate %.200s names addresses of %.100s but not the domain itself: partners will have to pin it",
	    words, domain);
	judge_call_add(warnings, judge_call_text(why));
	return 0;
}

static int check_time(
    struct judge_call *c, const struct cert_facts *f, bool force, json_t *warnings, const char *words)
{
	char why[200], day[11];

	if (f->weak)
		return against(c, force, warnings, words, f->weak_why);
	if (c->now >= f->not_after) {
		(void)snprintf(why, sizeof why, "it ran out on %s; have it renewed", cert_day(f->not_after, day));
		return against(c, force, warnings, words, why);
	}
	if (c->now < f->not_before) {
		(void)snprintf(why, sizeof why, "it is not valid before %s and not used until then",
		    cert_day(f->not_before, day));
		judge_call_add(warnings, judge_call_text(why));
	}
	return 0;
}

int judge_own_check(
    struct judge_call *c, X509 *x, enum store_use use, const char *domain, bool force, json_t *warnings)
{
	struct cert_facts f;
	char words[320];

	cert_facts(x, &f);
	(void)cert_words(&f, words, sizeof words);
	if (check_time(c, &f, force, warnings, words) < 0)
		return -1;
	if (use == STORE_TLS)
		return check_tls(c, x, domain, force, warnings, words);
	return check_mail(
	    c, x, &f, use == STORE_DECRYPT ? CERT_TO_ENCRYPT : CERT_TO_SIGN, domain, force, warnings, words);
}

static X509 *issuer_of(X509 *x, const struct judge_upload *u)
{
	for (size_t i = 0; i < u->n; i++)
		if (u->list[i] != x && X509_check_issued(u->list[i], x) == X509_V_OK &&
		    !(X509_get_extension_flags(u->list[i]) & EXFLAG_SS))
			return u->list[i];
	return NULL;
}

void judge_own_chain(X509 *x, const struct judge_upload *u, struct buf *chain)
{
	for (int i = 0; i < CHAIN_CERTS_MAX && (x = issuer_of(x, u)); i++) {
		size_t n;
		uint8_t *der = judge_upload_der(x, &n);

		if (buf_add(chain, der, n) < 0)
			x = NULL; /* what fits is sent; readers find the rest as they do for others */
		OPENSSL_free(der);
		if (!x)
			return;
	}
}

json_t *judge_own_row(struct judge_call *c, const struct store_identity *i)
{
	json_t *o = judge_call_object();
	X509 *x = i->cert ? cert_parse(i->cert, i->cert_len, NULL) : NULL;
	json_t *facts = x ? judge_call_facts(x, c->now) : NULL;
	json_t *state = json_object_get(facts, "state");

	judge_call_set(o, "domain", judge_call_text(i->domain));
	judge_call_set(o, "use", judge_call_text(store_use_word(i->use)));
	judge_call_set(o, "key_id", judge_call_text(i->key_id));
	judge_call_set(o, "active", json_boolean(i->active));
	judge_call_set(o, "retired", judge_call_time(i->retired));
	judge_call_set(o, "added", judge_call_time(i->added));
	if (!i->cert)
		judge_call_set(o, "state", judge_call_text("waits for its certificate"));
	else if (i->active && i->from > c->now)
		judge_call_set(o, "state", judge_call_text("announced"));
	else if (i->active && i->until > 0)
		judge_call_set(o, "state", judge_call_text("replaced"));
	else
		judge_call_set(o, "state", state ? json_incref(state) : judge_call_text("unreadable"));
	judge_call_set(o, "certificate", facts ? facts : json_null());
	if (i->cert)
		judge_call_set(o, "pem", judge_call_pem("CERTIFICATE", i->cert, i->cert_len));
	X509_free(x);
	return o;
}

static json_t *key_state(const struct store_identity *i)
{
	json_t *o = judge_call_object();
	unsigned char hash[32];
	char hex[65] = "";

	if (i->cert && EVP_Digest(i->cert, i->cert_len, hash, NULL, EVP_sha256(), NULL) == 1)
		encode_hex(hash, sizeof hash, hex);
	judge_call_set(o, "key_id", judge_call_text(i->key_id));
	judge_call_set(o, "active", json_boolean(i->active));
	judge_call_set(o, "retired", json_integer(i->retired));
	judge_call_set(o, "from", json_integer(i->from));
	judge_call_set(o, "until", json_integer(i->until));
	judge_call_set(o, "certificate", judge_call_text(hex));
	return o;
}

static int add_changes(struct judge_call *c, const char *domain, json_t *a)
{
	static const enum store_rollover_kind kinds[] = {STORE_ROLLOVER_MAIL, STORE_ROLLOVER_STATEMENT};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct store_rollover o;

		if (store_rollover_get(c->store, domain, kinds[i], &o, c->pr) < 0)
			return -1;
		judge_call_add(a, json_integer(o.step));
	}
	return 0;
}

int judge_own_state(struct judge_call *c, json_t **state_r)
{
	const struct judge_world *w = c->ja->world;
	struct store_identity *list;
	int rc = 0;
	size_t n;

	if (store_identities(c->store, NULL, &list, &n, c->pr) < 0)
		return -1;
	*state_r = judge_call_array();
	for (size_t i = 0; i < n; i++)
		judge_call_add(*state_r, key_state(&list[i]));
	store_identities_free(list, n);
	for (size_t i = 0; rc == 0 && i < w->ndomains; i++)
		rc = add_changes(c, w->domains[i], *state_r);
	if (rc < 0)
		json_decref(*state_r);
	return rc;
}

int judge_own_unchanged(struct judge_call *c)
{
	json_t *state;
	int rc;

	if (!json_object_get(c->args, "if_match"))
		return 0;
	if (judge_own_state(c, &state) < 0)
		return -1;
	rc = judge_call_unchanged(c, state, "our keys were");
	json_decref(state);
	return rc;
}
