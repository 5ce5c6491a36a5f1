/*
 * What relay, sealer and judge ask of the keeper, other than private operations inside libcrypto (provider_*.c). Not
 * here: the channel itself (keys_client.c). No private key ever passes through this file but the one octet string an
 * import carries to the keeper.
 */
#include "gateway/keys/keys.h"

#include <openssl/x509.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/keys/keeper_proto.h"
#include "gateway/keys/keys_client.h"
#include "gateway/keys/provider.h"

static const char *const algo_words[] = {
    [KEYS_RSA_2048] = "rsa-2048",
    [KEYS_RSA_3072] = "rsa-3072",
    [KEYS_RSA_4096] = "rsa-4096",
    [KEYS_EC_P256] = "ec-p256",
    [KEYS_EC_P384] = "ec-p384",
    [KEYS_EC_P521] = "ec-p521",
};

bool keys_tls_of(const char *id, const char *host)
{
	static const char form[] = "-tls-########-****"; /* digits, hex digits */
	size_t n = strnlen(host, KEYS_ID_NAME);

	if (n == 0 || strncasecmp(id, host, n) != 0 || strlen(id) != n + sizeof(form) - 1)
		return false;
	id += n;
	for (size_t i = 0; form[i]; i++) {
		const char *may = form[i] == '#' ? "0123456789" : "0123456789abcdef";

		if (form[i] == '#' || form[i] == '*' ? strchr(may, id[i]) == NULL : id[i] != form[i])
			return false;
	}
	return true;
}

const char *keys_use_word(enum keys_use u)
{
	static const char *const words[] = {
	    [KEYS_USE_SIGN] = "sign",
	    [KEYS_USE_DECRYPT] = "decrypt",
	    [KEYS_USE_TLS] = "tls",
	    [KEYS_USE_STATEMENT] = "statement",
	};

	return u >= KEYS_USE_SIGN && u <= KEYS_USE_STATEMENT ? words[u] : "none";
}

const char *keys_algo_word(enum keys_algo a)
{
	return a <= KEYS_EC_P521 ? algo_words[a] : "none";
}

int keys_algo_parse(const char *word, enum keys_algo *a_r)
{
	for (size_t i = 0; i < sizeof(algo_words) / sizeof(algo_words[0]); i++)
		if (strcmp(word, algo_words[i]) == 0) {
			*a_r = (enum keys_algo)i;
			return 0;
		}
	return -1;
}

/* The keeper would take an overlong name for a broken packet, so it must not leave here. */
static int put_id(struct keeper_request *rq, const char *id, struct problem *pr)
{
	if (keeper_proto_id_ok(id) && mem_copy_str(rq->id, sizeof(rq->id), id) == 0)
		return 0;
	return problem_perm(pr,
	    "\"%.80s\" cannot be the name of a key: 1 to %d of a-z, 0-9, '.', '-', not beginning with '.'", id,
	    KEYS_ID_MAX);
}

EVP_PKEY *keys_pkey(struct keys_client *k, const char *id, EVP_PKEY *pub, struct problem *pr)
{
	struct keeper_request rq = {0};

	if (put_id(&rq, id, pr) < 0)
		return NULL;
	return provider_pkey(k, id, pub, pr);
}

int keys_wrap(struct keys_client *k, const uint8_t key[KEYS_DATA_KEY], struct buf *wrapped_r, struct problem *pr)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_WRAP, .key = {key, KEYS_DATA_KEY}};
	struct keeper_reply rp;
	int r = keys_client_call(k, &rq, &rp, pr);

	if (r == 0 && (rp.data.n > KEYS_WRAPPED_MAX || buf_add(wrapped_r, rp.data.p, rp.data.n) < 0))
		r = problem_temp(pr, "The keeper answered a wrapped key of %zu octets; at most %d fit", rp.data.n,
		    KEYS_WRAPPED_MAX);
	keys_client_done(k, &rp);
	return r;
}

int keys_unwrap(
    struct keys_client *k, const void *wrapped, size_t n, uint8_t key_r[KEYS_DATA_KEY], struct problem *pr)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_UNWRAP, .key = {wrapped, n}};
	struct keeper_reply rp;
	int r = keys_client_call(k, &rq, &rp, pr);

	if (r == 0 && rp.data.n != KEYS_DATA_KEY)
		r = problem_temp(
		    pr, "The keeper answered a data key of %zu octets instead of %d", rp.data.n, KEYS_DATA_KEY);
	if (r == 0)
		memcpy(key_r, rp.data.p, KEYS_DATA_KEY);
	keys_client_done(k, &rp);
	return r;
}

/* generate and import: the answer is the public key. */
static int make(struct keys_client *k, struct keeper_request *rq, EVP_PKEY **pub_r, struct problem *pr)
{
	struct keeper_reply rp;
	int r = keys_client_call(k, rq, &rp, pr);

	*pub_r = NULL;
	if (r == 0) {
		const uint8_t *p = rp.data.p;

		*pub_r = d2i_PUBKEY(NULL, &p, (long)rp.data.n);
		if (!*pub_r || p != rp.data.p + rp.data.n) {
			EVP_PKEY_free(*pub_r);
			*pub_r = NULL;
			r = problem_temp(pr, "The keeper made key %s but answered an unreadable public key", rq->id);
		}
	}
	keys_client_done(k, &rp);
	return r;
}

int keys_generate(struct keys_client *k, const char *id, enum keys_use use, enum keys_algo algo, EVP_PKEY **pub_r,
    struct problem *pr)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_GENERATE, .make = {.use = (uint8_t)use, .algo = (uint8_t)algo}};

	*pub_r = NULL;
	return put_id(&rq, id, pr) < 0 ? -1 : make(k, &rq, pub_r, pr);
}

int keys_import(struct keys_client *k, const char *id, enum keys_use use, const void *pkcs8, size_t n,
    EVP_PKEY **pub_r, struct problem *pr)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_IMPORT, .make = {.use = (uint8_t)use, .pkcs8 = {pkcs8, n}}};

	*pub_r = NULL;
	return put_id(&rq, id, pr) < 0 ? -1 : make(k, &rq, pub_r, pr);
}

static int put_name(char *dst, const char *name, const char *what, struct problem *pr)
{
	if (mem_copy_str(dst, KEEPER_NAME_MAX + 1, name ? name : "") == 0)
		return 0;
	return problem_perm(pr, "The %s is longer than %d octets", what, KEEPER_NAME_MAX);
}

int keys_certify(
    struct keys_client *k, const char *id, const struct keys_cert_request *rq, struct buf *der_r, struct problem *pr)
{
	struct keeper_request ask = {.msg = KEEPER_MSG_CERTIFY,
	    .certify = {.kind = (uint8_t)rq->kind, .days = rq->days > 0 ? (uint32_t)rq->days : 0}};
	struct keeper_certify *c = &ask.certify;
	struct keeper_reply rp;
	int r;

	if (put_id(&ask, id, pr) < 0 || put_name(c->common_name, rq->common_name, "common name", pr) < 0 ||
	    put_name(c->organisation, rq->organisation, "organisation", pr) < 0 ||
	    put_name(c->dns_name, rq->dns_name, "DNS name", pr) < 0 ||
	    put_name(c->rfc822_name, rq->rfc822_name, "mail address", pr) < 0)
		return -1;
	r = keys_client_call(k, &ask, &rp, pr);
	if (r == 0 && buf_add(der_r, rp.data.p, rp.data.n) < 0)
		r = problem_temp(pr,
		    "The certificate or request for key %s has %zu octets; the caller has room for %zu", id,
		    rp.data.n, der_r->max);
	keys_client_done(k, &rp);
	return r;
}

static uint8_t md_of(int nid)
{
	return nid == NID_sha256 ? KEEPER_MD_SHA256 : nid == NID_sha384 ? KEEPER_MD_SHA384 : KEEPER_MD_SHA512;
}

int keys_sign_statement(struct keys_client *k, const char *id, int md, bool pss, const void *attrs, size_t n,
    struct buf *sig_r, struct problem *pr)
{
	struct keeper_request rq = {
	    .msg = KEEPER_MSG_STATEMENT, .attrs = {.pss = pss, .md = md_of(md), .der = {attrs, n}}};
	struct keeper_reply rp;
	int r;

	REQUIRE(md == NID_sha256 || md == NID_sha384 || md == NID_sha512);
	if (put_id(&rq, id, pr) < 0)
		return -1;
	r = keys_client_call(k, &rq, &rp, pr);
	if (r == 0 && buf_add(sig_r, rp.data.p, rp.data.n) < 0)
		r = problem_temp(pr, "The signature of key %s has %zu octets; the caller has room for %zu", id,
		    rp.data.n, sig_r->max);
	keys_client_done(k, &rp);
	return r;
}

int keys_forget(struct keys_client *k, const char *id, struct problem *pr)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_FORGET};
	struct keeper_reply rp;
	int r;

	if (put_id(&rq, id, pr) < 0)
		return -1;
	r = keys_client_call(k, &rq, &rp, pr);
	keys_client_done(k, &rp);
	return r;
}

enum keys_state keys_status(struct keys_client *k, unsigned *nkeys_r)
{
	struct keeper_request rq = {.msg = KEEPER_MSG_STATUS};
	struct keeper_reply rp;
	enum keys_state state = KEYS_UNREACHABLE;

	*nkeys_r = 0;
	if (keys_client_call(k, &rq, &rp, NULL) == 0) {
		state = rp.status.state;
		*nkeys_r = rp.status.nkeys;
	}
	keys_client_done(k, &rp);
	return state;
}
