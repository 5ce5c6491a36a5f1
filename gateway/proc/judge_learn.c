/*
 * What partners' readers can open (RFC 8551 2.5.2, 2.7.1). Role judge; writes the store.
 *
 * The attribute is signed; the sealer hands over what stood in a signature that verified, and the judge takes it only
 * where it has just believed the signer for the author. A certificate of one person speaks for that person's reader,
 * any other for its domain's. Old mail can be sent again by anybody, so the signing time decides, not the time of
 * arrival: what is not newer than what is known changes nothing. A time in the future would freeze what it says, so
 * mail that is ahead of our clock teaches nothing, and neither does mail without a time.
 */
#include "gateway/proc/judge_learn.h"

#include <stdio.h>
#include <string.h>

#include "certstore/cert_bind.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/proc/judge_format.h"

/* The same said again moves its time on, but not with every mail: that would be a write to the disk for each. So mail
 * that says something else and is held back for less than this still counts as newer when it comes. */
enum { AGAIN_S = 600 };

struct lesson {
	struct store *store;
	const struct judge_world *w;
	struct address from;
	const struct judge_signer *signer;
	struct cms_caps caps;
	struct store_caps row;
	char owner[ADDRESS_TEXT_MAX], subject[512];
};

/* For whose reader the signer speaks. */
static int find_owner(struct lesson *l, struct judge_cert *k, struct problem *pr)
{
	const struct judge_owner *o;
	bool person = cert_bound(k->x, &l->from, CERT_TO_SIGN) == CERT_BOUND_ADDRESS;

	if (judge_cache_person(l->w->cache, l->store, &l->from, &o, pr) < 0)
		return -1;
	if (person || judge_cache_has_pinned(o, k->f.sha256)) {
		(void)snprintf(l->owner, sizeof l->owner, "%s", o->name);
		return 0;
	}
	(void)snprintf(l->owner, sizeof l->owner, "%s", l->from.domain);
	return 0;
}

static struct store_caps *said_before(const struct judge_owner *o, const char *sha256)
{
	for (size_t i = 0; i < o->ncaps; i++)
		if (strcmp(o->caps[i].sha256, sha256) == 0)
			return &o->caps[i];
	return NULL;
}

/* The audit log has what changes the way mail is written, and no more. NULL: nothing does. */
static const char *describe(const struct lesson *l, const struct judge_owner *o, char *out, size_t cap)
{
	struct format now = l->w->format, was = l->w->format;
	struct cms_caps before;
	char text[FORMAT_TEXT_MAX], old[FORMAT_TEXT_MAX], at[21];
	unsigned given = judge_format_apply(&l->caps, l->w->cipher_bits_min, &now), was_given = 0;

	if (o->ncaps > 0 && o->caps[0].signing_time >= l->row.signing_time)
		return NULL; /* another signer spoke later */
	if (o->ncaps > 0 && cms_caps_read(o->caps[0].caps, o->caps[0].ncaps, &before) == 0)
		was_given = judge_format_apply(&before, l->w->cipher_bits_min, &was);
	if (given == was_given && memcmp(&now, &was, sizeof now) == 0)
		return NULL;
	format_print(&now, given, text);
	format_print(&was, was_given, old);
	encode_time(l->row.signing_time, at);
	(void)snprintf(out, cap, "reads %s, said on %s by %s, sha256 %s; before: %s",
	    text[0] ? text : "nothing better", at, l->subject, l->row.sha256, old[0] ? old : "nothing known");
	return out;
}

/* Anybody whom an anchor vouches for could fill the table: strangers find no room, those who have some keep it. */
static int has_room(struct lesson *l, const struct judge_owner *o, struct problem *pr)
{
	int64_t n;

	if (o->ncaps > 0)
		return 1;
	if (store_caps_owners(l->store, &n, pr) < 0)
		return -1;
	if (n < l->w->learn_max)
		return 1;
	log_warn(NULL, "judge", "not-learned of=%s why=\"format, learn-max = %lld is reached\"", l->owner,
	    (long long)l->w->learn_max);
	return 0;
}

static int keep(struct lesson *l, struct problem *pr)
{
	const struct judge_owner *o;
	struct store_caps *old;
	char detail[1600];
	bool same;
	int room;

	if (judge_cache_owner(l->w->cache, l->store, l->owner, &o, pr) < 0)
		return -1;
	room = has_room(l, o, pr);
	if (room <= 0)
		return room;
	old = said_before(o, l->row.sha256);
	same = old && old->ncaps == l->row.ncaps && memcmp(old->caps, l->row.caps, l->row.ncaps) == 0;
	if (old && l->row.signing_time < old->signing_time + (same ? AGAIN_S : 1))
		return 0;
	if (!same || old != &o->caps[0])
		return store_caps_put(l->store, &l->row, describe(l, o, detail, sizeof detail), pr);
	/* here as there: the store's version does not change, and this stays what was said last */
	old->signing_time = l->row.signing_time;
	old->seen = l->row.seen;
	return store_caps_again(l->store, &l->row, pr);
}

/* Mail that says just this need not be shown to the judge again; what was not taken, as it was older, must be. */
static void tell_used(struct lesson *l, char hex[65])
{
	const struct judge_owner *o;
	uint8_t h[32];

	judge_cache_begin(l->w->cache, l->store);
	if (judge_cache_owner(l->w->cache, l->store, l->owner, &o, NULL) < 0 || o->ncaps == 0)
		return;
	if (EVP_Digest(o->caps[0].caps, o->caps[0].ncaps, h, NULL, judge_cache_sha256(l->w->cache), NULL) != 1)
		log_fatal("no SHA-256");
	encode_hex(h, sizeof h, hex);
}

static int learn(struct lesson *l, const char *sha256, int64_t now, struct problem *pr)
{
	struct judge_cert *k = judge_cache_cert(l->w->cache, l->signer->cert.p, l->signer->cert.n, pr);
	int rc;

	if (!k)
		return -1;
	(void)snprintf(l->subject, sizeof l->subject, "%s", k->f.subject);
	rc = find_owner(l, k, pr);
	judge_cert_drop(k);
	if (rc < 0)
		return -1;
	l->row = (struct store_caps){.owner = l->owner,
	    .signer = l->subject,
	    .caps = (uint8_t *)(uintptr_t)l->signer->caps.p,
	    .ncaps = l->signer->caps.n,
	    .signing_time = l->signer->signing_time,
	    .seen = now};
	(void)snprintf(l->row.sha256, sizeof l->row.sha256, "%s", sha256);
	return keep(l, pr);
}

static bool counts(const struct judge_world *w, const struct judge_signer *s, int64_t now)
{
	return s->caps.n > 0 && s->signing_time > 0 && s->signing_time <= now + w->learn_future_max;
}

void judge_learn(
    struct store *s, const struct judge_world *w, const struct judge_signers *rq, struct judge_trust *t, int64_t now)
{
	struct lesson l = {.store = s, .w = w};

	REQUIRE(t->n == rq->n && rq->n <= JUDGE_CERTS_MAX);
	if (!w->learn || address_parse_utf8(rq->from, strlen(rq->from), &l.from, NULL) != 0 || !l.from.domain[0] ||
	    judge_world_domain(w, l.from.domain) >= 0)
		return;
	for (size_t i = 0; i < rq->n; i++) {
		struct problem pr = {0};

		l.signer = &rq->v[i];
		if (l.signer->caps.n > 0)
			t->v[i].caps[0] = '\0';
		if (t->v[i].state != JUDGE_TRUST_GOOD || !counts(w, l.signer, now) ||
		    cms_caps_read(l.signer->caps.p, l.signer->caps.n, &l.caps) != 0)
			continue;
		judge_cache_begin(w->cache, s);
		if (learn(&l, t->v[i].sha256, now, &pr) < 0)
			log_error(NULL, "judge", "alarm=store not-learned of=<%s> why=\"%s\"", rq->from, pr.text);
		else
			tell_used(&l, t->v[i].caps);
	}
}
