/*
 * Are the signers of an incoming message to be believed for its author? Role judge; reads the store. RFC 8550 3 (the
 * From address must be in the certificate), RFC 3183 (or a domain's signing authority).
 *
 * A signer who sent no certificate is looked for among those that the store has of the author: judge_known.c.
 *
 * The author's domain is the partner: what the admin pinned for it, and the anchors for it and for all, directions in
 * and both. Mail that claims to be from one of our own domains is believed to nobody but our own signing keys: no CA
 * can vouch for a colleague's address to us.
 */
#include "gateway/proc/judge_signers.h"

#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certstore/issuer.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_known.h"
#include "gateway/proc/judge_weigh.h"
#include "gateway/proc/judge_xsmg_use.h"

struct question {
	struct store *store;
	const struct judge_world *w;
	struct source_run *run; /* NULL: nobody may be asked */
	const char *local;	/* our domain that gets the mail */
	unsigned fetches;	/* of missing issuers, of all signers together */
	unsigned work;		/* on paths, the same */
	struct address from;
	struct judge_cert *extra[JUDGE_CERTS_MAX];
	size_t nextra;
	int64_t now;
	int64_t signing_time; /* of the signer being weighed, 0 unknown */
};

static const uint8_t states[] = {[TRUST_GOOD] = JUDGE_TRUST_GOOD,
    [TRUST_BAD] = JUDGE_TRUST_UNTRUSTED,
    [TRUST_UNBOUND] = JUDGE_TRUST_UNBOUND,
    [TRUST_REVOKED] = JUDGE_TRUST_REVOKED,
    [TRUST_UNSURE] = JUDGE_TRUST_TEMP};

static void say(char *why, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A sentence; what does not fit is cut off. */
static void say(char *why, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, cap, fmt, ap);
	va_end(ap);
}

/* 1 when exactly this certificate was pinned for the author or the author's domain, 0 not, -1. */
static int is_pinned(struct question *q, const char *sha256, struct problem *pr)
{
	const struct judge_owner *o;

	if (judge_cache_person(q->w->cache, q->store, &q->from, &o, pr) < 0)
		return -1;
	if (judge_cache_has_pinned(o, sha256))
		return 1;
	if (judge_cache_owner(q->w->cache, q->store, q->from.domain, &o, pr) < 0)
		return -1;
	return judge_cache_has_pinned(o, sha256);
}

/* 1 when it is one of our own signing certificates for the author's domain. */
static int is_own(struct question *q, const struct judge_octets *der, struct problem *pr)
{
	const struct store_identity *list;
	size_t n;

	if (judge_cache_identities(q->w->cache, q->store, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list[i].use == STORE_SIGN && list[i].cert && strcmp(list[i].domain, q->from.domain) == 0 &&
		    list[i].cert_len == der->n && memcmp(list[i].cert, der->p, der->n) == 0)
			return 1;
	return 0;
}

/*
 * Would it be good but for the time? Looked at as of the signing time when the certificate held then, else as of its
 * last second. This is a word for the postmaster, no trust: the signing time is what the signer says, and a key whose
 * certificate has run out is watched by nobody. 0: no such time.
 */
static int64_t earlier(const struct question *q, const struct cert_facts *f)
{
	if (q->signing_time >= f->not_before && q->signing_time < f->not_after && q->signing_time < q->now)
		return q->signing_time;
	return q->now >= f->not_after && f->not_after > f->not_before ? f->not_after - 1 : 0;
}

/* Behind the reason why it is not good now. */
static uint8_t expired(const struct question *q, int64_t at, char *why, size_t cap)
{
	size_t n = strlen(why);
	char day[11];

	say(why + n, cap - n, "; it was good on %s%s", cert_day(at, day),
	    at == q->signing_time ? ", when the message says it was signed (the signer's own word)" : "");
	return JUDGE_TRUST_EXPIRED;
}

static uint8_t weigh_own(
    struct question *q, const struct judge_octets *der, const struct judge_cert *k, char *why, size_t cap)
{
	struct problem pr = {0};
	char words[300], text[200];
	int own = is_own(q, der, &pr);

	(void)cert_words(&k->f, words, sizeof words);
	if (own < 0) {
		say(why, cap, "%s", pr.text);
		return JUDGE_TRUST_TEMP;
	}
	if (!own) {
		say(why, cap,
		    "certificate %s: the author's domain %s is ours, and this is not our own signing certificate",
		    words, q->from.domain);
		return JUDGE_TRUST_UNTRUSTED;
	}
	if (trust_fit(&k->f, CERT_TO_SIGN, q->now, text, sizeof text) < 0) {
		int64_t at = earlier(q, &k->f);

		say(why, cap, "certificate %s: our own, but %s", words, text);
		if (at != 0 && trust_fit(&k->f, CERT_TO_SIGN, at, text, sizeof text) == 0)
			return expired(q, at, why, cap);
		return JUDGE_TRUST_UNTRUSTED;
	}
	say(why, cap, "certificate %s: our own", words);
	return JUDGE_TRUST_GOOD;
}

static uint8_t weigh_earlier(
    struct question *q, const struct judge_cert *k, const struct judge_weighing *present, char *why, size_t cap)
{
	struct judge_weighing wq = *present;
	struct problem pr = {0};
	enum trust_result then = TRUST_BAD;
	char ignored[400];

	wq.now = earlier(q, &k->f);
	wq.back = true;
	if (wq.now == 0)
		return JUDGE_TRUST_UNTRUSTED;
	if (judge_weigh(q->w->cache, q->store, k, &wq, &then, ignored, sizeof ignored, &pr) < 0) {
		say(why, cap, "%s", pr.text);
		return JUDGE_TRUST_TEMP;
	}
	return then == TRUST_GOOD ? expired(q, wq.now, why, cap) : JUDGE_TRUST_UNTRUSTED;
}

static uint8_t weigh_partner(struct question *q, const struct judge_cert *k, char *why, size_t cap)
{
	struct judge_weighing wq = {.run = q->run,
	    .who = &q->from,
	    .local = q->local,
	    .use = CERT_TO_SIGN,
	    .dir = STORE_IN,
	    .extra = q->extra,
	    .nextra = q->nextra,
	    .fetches = &q->fetches,
	    .work = &q->work,
	    .now = q->now};
	struct problem pr = {0};
	enum trust_result result = TRUST_BAD;
	const struct judge_owner *o = NULL;
	int pinned = is_pinned(q, k->f.sha256, &pr);
	bool given = false;

	if (pinned == 0 && judge_cache_owner(q->w->cache, q->store, q->from.domain, &o, &pr) < 0)
		pinned = -1;
	given = o && judge_xsmg_use_vouches(o, k->f.sha256, CERT_TO_SIGN, q->now) != XSMG_NEVER;
	wq.pinned = pinned > 0 || given;
	if (pinned < 0 || judge_weigh(q->w->cache, q->store, k, &wq, &result, why, cap, &pr) < 0) {
		say(why, cap, "%s", pr.text);
		return JUDGE_TRUST_TEMP;
	}
	if (result == TRUST_BAD)
		return weigh_earlier(q, k, &wq, why, cap);
	if (given && result == TRUST_GOOD && judge_cache_owner(q->w->cache, q->store, q->from.domain, &o, &pr) == 0)
		judge_xsmg_use_words(o, &k->f, why, cap);
	return states[result];
}

static uint8_t weigh_signer(struct question *q, const struct judge_octets *der, char *why, size_t cap)
{
	struct problem pr = {0};
	struct judge_cert *k = judge_cache_cert(q->w->cache, der->p, der->n, &pr);
	uint8_t state;

	if (!k) {
		say(why, cap, "%s", pr.text);
		return JUDGE_TRUST_UNTRUSTED;
	}
	if (judge_world_domain(q->w, q->from.domain) >= 0)
		state = weigh_own(q, der, k, why, cap);
	else
		state = weigh_partner(q, k, why, cap);
	judge_cert_drop(k);
	return state;
}

static void read_extra(struct question *q, const struct judge_signers *rq)
{
	for (size_t i = 0; i < rq->nextra; i++) {
		struct judge_cert *k = judge_cache_cert(q->w->cache, rq->extra[i].p, rq->extra[i].n, NULL);

		if (k)
			q->extra[q->nextra++] = k; /* an unreadable one issues nothing */
	}
}

static void hash_of(const struct judge_octets *der, char hex[65])
{
	uint8_t h[32];

	(void)SHA256(der->p, der->n, h);
	encode_hex(h, sizeof h, hex);
}

static size_t known_octets(const struct judge_trust *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nknown; i++)
		n += t->known[i].cert.n;
	return n;
}

/* A signer without a certificate: those it can mean are weighed as if they had come with the message. Which of them
 * signed only the signature tells. */
static void weigh_named(
    struct question *q, const struct judge_signer *sg, struct arena *a, struct judge_trust *t, size_t i)
{
	struct judge_octets list[JUDGE_KNOWN_MAX];
	struct problem pr = {0};
	size_t n;

	t->v[i].state = JUDGE_TRUST_UNTRUSTED;
	judge_known_none(&sg->id, &q->from, t->v[i].why, sizeof t->v[i].why);
	if (judge_known(q->store, q->w, &q->from, &sg->id, a, JUDGE_KNOWN_MAX - t->nknown, list, &n, &pr) < 0) {
		t->v[i].state = JUDGE_TRUST_TEMP;
		say(t->v[i].why, sizeof t->v[i].why, "%s", pr.text);
		return;
	}
	for (size_t k = 0; k < n && known_octets(t) + list[k].n <= JUDGE_KNOWN_OCTETS; k++) {
		struct judge_known *known = &t->known[t->nknown++];

		known->cert = list[k];
		known->state = weigh_signer(q, &list[k], known->why, sizeof known->why);
	}
}

static uint8_t promise_of(struct question *q, const char *domain)
{
	const struct judge_owner *o;
	struct problem pr = {0};

	if (judge_world_domain(q->w, domain) >= 0)
		return 0;
	if (judge_cache_owner(q->w->cache, q->store, domain, &o, &pr) < 0)
		return JUDGE_PROMISE_UNSURE;
	return judge_xsmg_use_promises(o, q->now);
}

/* What cannot be told goes first; then what holds before what is a test, and signatures, which such mail has from
 * nobody. */
static int weight(uint8_t bits)
{
	int said = (bits & JUDGE_PROMISE_SIGNS ? 2 : 0) + (bits & JUDGE_PROMISE_ENCRYPTS ? 1 : 0);

	return bits & JUDGE_PROMISE_UNSURE ? 8 : said > 0 && !(bits & JUDGE_PROMISE_TEST) ? 4 + said : said;
}

static void find_promise(struct question *q, const struct judge_signers *rq, bool author, struct judge_trust *t_r)
{
	if (author) {
		t_r->promise = promise_of(q, q->from.domain);
		(void)snprintf(t_r->promise_of, sizeof t_r->promise_of, "%s", q->from.domain);
	}
	for (size_t i = 0; !author && i < rq->nnamed; i++) {
		uint8_t bits = promise_of(q, rq->named[i]);

		if (weight(bits) <= weight(t_r->promise))
			continue;
		t_r->promise = bits;
		(void)snprintf(t_r->promise_of, sizeof t_r->promise_of, "%s", rq->named[i]);
	}
}

void judge_signers(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_signers *rq, int64_t now, struct arena *a, struct judge_trust *t_r)
{
	struct question q = {.store = s,
	    .w = w,
	    .run = run,
	    .local = rq->our_domain,
	    .fetches = rq->opened ? 0 : ISSUER_FETCHES,
	    .work = TRUST_WORK,
	    .now = now};
	struct problem pr = {0};
	bool author;

	REQUIRE(w->cache && rq->n <= JUDGE_CERTS_MAX && rq->nextra <= JUDGE_CERTS_MAX);
	memset(t_r, 0, sizeof *t_r);
	judge_cache_begin(w->cache, s);
	author = address_parse_utf8(rq->from, strlen(rq->from), &q.from, &pr) == 0 && q.from.domain[0];
	find_promise(&q, rq, author, t_r);
	read_extra(&q, rq);
	t_r->n = rq->n;
	for (size_t i = 0; i < rq->n; i++) {
		/* of the octets, whether they can be read or not: the answer must be known again for what it answers
		 */
		if (rq->v[i].cert.n > 0)
			hash_of(&rq->v[i].cert, t_r->v[i].sha256);
		hash_of(&rq->v[i].caps, t_r->v[i].caps);
		q.signing_time = rq->v[i].signing_time;
		if (author && rq->v[i].cert.n == 0) {
			weigh_named(&q, &rq->v[i], a, t_r, i);
			continue;
		}
		if (author) {
			t_r->v[i].state = weigh_signer(&q, &rq->v[i].cert, t_r->v[i].why, sizeof t_r->v[i].why);
			continue;
		}
		t_r->v[i].state = JUDGE_TRUST_UNBOUND;
		say(t_r->v[i].why, sizeof t_r->v[i].why,
		    "the message has no author whom a signer could speak for: %s", pr.text);
	}
	for (size_t i = 0; i < q.nextra; i++)
		judge_cert_drop(q.extra[i]);
}
