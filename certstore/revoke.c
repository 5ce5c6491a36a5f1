/*
 * Was a certificate of a path taken back? Judge; asks through the run. RFC 5280 6.3, RFC 6960.
 *
 * Each certificate but the anchor: the responder that it names is asked first (its word is fresher and shorter than a
 * list), then the lists that it names. All places of a path are asked in one go, so that a question waits for the
 * slowest and not for all of them one behind the other. Who names no place at all cannot be unreachable: its
 * certificates count, and the trace says so.
 */
#include "certstore/revoke.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/revoke_crl.h"
#include "certstore/revoke_ocsp.h"
#include "certstore/source.h"
#include "certstore/trace.h"
#include "certstore/trust.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"

const char *revoke_reason(int r)
{
	static const char *const words[] = {"no reason given", "keyCompromise", "cACompromise", "affiliationChanged",
	    "superseded", "cessationOfOperation", "certificateHold", "no reason given", "removeFromCRL",
	    "privilegeWithdrawn", "aACompromise"};

	return r >= 0 && r < (int)(sizeof words / sizeof *words) ? words[r] : words[0];
}

static void hash_of(X509 *x, char hex[65])
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	hex[0] = 0;
	if (X509_digest(x, EVP_sha256(), md, &n) == 1 && n == 32)
		encode_hex(md, n, hex);
}

bool revoke_known(const struct revoke *r, X509 *x, char *words, size_t cap)
{
	char hex[65];

	if (!r->memory || !r->memory->known)
		return false;
	hash_of(x, hex);
	return r->memory->known(r->memory->ctx, hex, words, cap);
}

static void name_it(X509 *x, size_t i, const char *text, char *out, size_t cap)
{
	char name[120];

	cert_name(X509_get_subject_name(x), name, sizeof name);
	if (i == 0)
		(void)snprintf(out, cap, "%s", text);
	else
		(void)snprintf(out, cap, "its issuer %s: %s", name, text);
}

static void ask(struct revoke *r, X509 *const *path, size_t n, X509 *const *pool, size_t npool, int64_t at,
    struct revoke_status *v)
{
	STACK_OF(X509_CRL) *lists = sk_X509_CRL_new_null();

	if (!lists)
		log_fatal("out of memory: revocation lists");
	for (size_t i = 0; i < r->ngiven; i++)
		if (X509_CRL_up_ref(r->given[i]) != 1 || !sk_X509_CRL_push(lists, r->given[i]))
			log_fatal("out of memory: revocation lists");
	for (size_t i = 0; i + 1 < n; i++) {
		revoke_ocsp_ask(r, path[i], path[i + 1], at, &v[i]);
		if (v[i].known == REVOKE_KNOWN_NOT) {
			bool asked = v[i].words[0] != 0;

			revoke_crl_gather(r, path[i], at, lists, &v[i]);
			if (v[i].known == REVOKE_KNOWN_NONE && asked)
				v[i].known =
				    REVOKE_KNOWN_UNSURE; /* the responder alone was named, and said nothing */
		}
	}
	if (sk_X509_CRL_num(lists) > 0)
		revoke_crl_check(r, path, n, pool, npool, lists, at, v);
	sk_X509_CRL_pop_free(lists, X509_CRL_free);
}

/* What is remembered, told and corrected. */
static void remember(const struct revoke *r, X509 *x, struct revoke_status *s)
{
	char hex[65], words[sizeof s->words];

	if (!r->memory)
		return;
	hash_of(x, hex);
	if (s->known == REVOKE_KNOWN_REVOKED) {
		r->memory->revoked(r->memory->ctx, x, hex, s->words);
	} else if (s->known == REVOKE_KNOWN_GOOD) {
		r->memory->good(r->memory->ctx, hex);
	} else if (s->known != REVOKE_KNOWN_AWAITED && r->memory->known(r->memory->ctx, hex, words, sizeof words)) {
		s->known = REVOKE_KNOWN_REVOKED;
		(void)snprintf(s->words, sizeof s->words, "%s", words);
	}
}

static void settle(const struct revoke *r, const struct revoke_status *s, X509 *x, size_t i, struct revoke_answer *a)
{
	enum revoke_state state = REVOKE_GOOD;
	char text[sizeof a->words] = "";

	if (s->known == REVOKE_KNOWN_REVOKED) {
		state = REVOKE_REVOKED;
		(void)snprintf(text, sizeof text, "%s", s->words);
	} else if (s->known == REVOKE_KNOWN_AWAITED) {
		state = REVOKE_PENDING;
		(void)snprintf(text, sizeof text, "an answer on its revocation is awaited");
	} else if (s->known == REVOKE_KNOWN_UNSURE || (s->known == REVOKE_KNOWN_NONE && r->ngiven > 0)) {
		state = r->mode == REVOKE_HARD ? REVOKE_UNKNOWN : REVOKE_GOOD;
		(void)snprintf(text, sizeof text, "whether it was revoked cannot be told now: %.220s",
		    s->words[0] ? s->words : "nothing says so");
	}
	/* Worst first; of equals that of the certificate itself. An awaited answer outweighs all but "revoked". */
	if (text[0] &&
	    (!a->words[0] || (a->state != REVOKE_REVOKED &&
				 (state == REVOKE_REVOKED || (state != REVOKE_GOOD && state > a->state))))) {
		a->state = state;
		a->at = i;
		name_it(x, i, text, a->words, sizeof a->words);
	}
}

static void trace(const struct revoke *r, X509 *x, const struct revoke_status *s)
{
	static const char *const words[] = {[REVOKE_KNOWN_NOT] = "not asked",
	    [REVOKE_KNOWN_NONE] = "it names no place where to ask (http, https); it counts",
	    [REVOKE_KNOWN_AWAITED] = "an answer is awaited",
	    [REVOKE_KNOWN_UNSURE] = "cannot be told now: ",
	    [REVOKE_KNOWN_GOOD] = "not revoked",
	    [REVOKE_KNOWN_REVOKED] = "REVOKED: "};
	struct trace_step *t;
	char name[200];

	if (!r->run || !r->run->trace)
		return;
	cert_name(X509_get_subject_name(x), name, sizeof name);
	t = trace_add(r->run->trace, "revocation", "%s", name);
	if (!t)
		return;
	(void)snprintf(t->answer, sizeof t->answer, "%s%s", words[s->known],
	    s->known == REVOKE_KNOWN_UNSURE || s->known == REVOKE_KNOWN_REVOKED ? s->words : "");
	t->pending = s->known == REVOKE_KNOWN_AWAITED;
	hash_of(x, t->sha256);
}

void revoke_path(struct revoke *r, X509 *const *path, size_t n, X509 *const *pool, size_t npool, int64_t at,
    struct revoke_answer *a_r)
{
	struct revoke_status v[TRUST_PATH_MAX];

	REQUIRE(n >= 1 && n <= TRUST_PATH_MAX && r->cache);
	memset(v, 0, sizeof v);
	*a_r = (struct revoke_answer){.state = REVOKE_GOOD};
	if (r->mode != REVOKE_OFF && n > 1)
		ask(r, path, n, pool, npool, at, v);
	for (size_t i = 0; i < n; i++) {
		remember(r, path[i], &v[i]);
		if (i + 1 < n)
			trace(r, path[i], &v[i]);
		if (i + 1 < n || v[i].known == REVOKE_KNOWN_REVOKED)
			settle(r, &v[i], path[i], i, a_r);
	}
}
