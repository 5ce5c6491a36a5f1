#include "gateway/proc/relay_ask.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/judge_xsmg_proto.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/pipeline/outbound.h"
#include "gateway/policy/policy.h"

enum {
	ASK_TIMEOUT_MS = 20000, /* a judge that takes longer: 451, and the answer is thrown away when it comes */
	CACHE_MS =
	    30000, /* certificates run out on their own clock: nothing is believed longer than this without asking */
	CACHE_PLACES = 4096,
	WAITING_MAX = 20000,
	VERDICT_MEMORY = 256 * 1024,
	KNOWN_MEMORY = 64 * 1024,
	IDENTITIES_MAX = 4096,
	SEEN_PLACES = 4096,
	NOTES = 256,
	NOTE_MS = 60 * 1000,
};

struct question {
	struct question *next;
	uint32_t id;
	int64_t until;
	char key[800]; /* sender, space, recipient, for the cache */
	size_t key_len;
	relay_verdict_fn *verdict;
	relay_trust_fn *trust;
	relay_answer_fn *other;
	uint16_t answer; /* other: the type that is expected */
	void *ctx;
};
struct cached {
	uint8_t key[32];
	struct relay_verdict *v;
	int64_t until;
};
/* A note sent to the judge a moment ago: said again to its successor, which may not find it in the store (P9). */
struct note {
	char who[256];
	int64_t at; /* 0: none */
};
struct relay_ask {
	struct loop *loop;
	struct ipc_chan *chan;
	struct loop_timer *timer;
	struct question *waiting;
	size_t nwaiting;
	struct question *failing; /* no longer waited for, their callers not yet told */
	uint32_t next_id;
	struct cached cache[CACHE_PLACES];
	struct judge_identity *ids; /* complete list */
	size_t nids;
	bool have_ids;
	struct judge_identity *coming; /* list under way */
	size_t ncoming;
	uint32_t ids_asked; /* the question it answers */
	int64_t ids_until;
	struct arena *ids_memory, *coming_memory;
	uint8_t seen[SEEN_PLACES][32];
	uint64_t changes, trust_changes;
	struct note notes[NOTES];
	size_t next_note;
	void (*on_identities)(void *ctx);
	void *ctx;
	void (*on_change)(void *ctx, const char *domain);
	void *change_ctx;
};

struct relay_verdict *relay_verdict_ref(struct relay_verdict *v)
{
	v->refs++;
	return v;
}

void relay_verdict_free(struct relay_verdict *v)
{
	if (v == NULL || --v->refs > 0)
		return;
	arena_free(v->memory);
	free(v);
}

struct relay_verdict *relay_verdict_local(void)
{
	static struct relay_verdict local;

	if (local.refs == 0) {
		local.refs = 1; /* never freed */
		local.v.treatment = POLICY_CLEAR;
		local.v.strength = POLICY_NEVER;
		local.v.own_domain = true;
		snprintf(local.v.rule, sizeof(local.v.rule), "own domain");
	}
	return relay_verdict_ref(&local);
}

/* ---- cache ---- */

static struct cached *place(struct relay_ask *a, const char *key, size_t n, uint8_t hash[32])
{
	SHA256((const uint8_t *)key, n, hash);
	return &a->cache[((unsigned)hash[0] << 8 | hash[1]) % CACHE_PLACES];
}

static void cache_drop(struct relay_ask *a)
{
	a->changes++;
	for (size_t i = 0; i < CACHE_PLACES; i++) {
		relay_verdict_free(a->cache[i].v);
		a->cache[i].v = NULL;
	}
	memset(a->seen, 0, sizeof(a->seen)); /* the memory of the judge may have been ended (partner release), or a
						note lost with its process */
}

/* Equal content is one object, so that recipients of a transaction are grouped by comparing pointers. */
static struct relay_verdict *same_as_known(struct relay_ask *a, const uint8_t hash[32])
{
	for (size_t i = 0; i < CACHE_PLACES; i++)
		if (a->cache[i].v != NULL && memcmp(a->cache[i].v->hash, hash, 32) == 0)
			return relay_verdict_ref(a->cache[i].v);
	return NULL;
}

static void cache_put(struct relay_ask *a, const struct question *q, struct relay_verdict *v)
{
	uint8_t hash[32];
	struct cached *c = place(a, q->key, q->key_len, hash);

	relay_verdict_free(c->v);
	c->v = relay_verdict_ref(v);
	memcpy(c->key, hash, sizeof(hash));
	c->until = loop_now_ms() + CACHE_MS;
}

/* ---- questions ---- */

static struct question *take(struct relay_ask *a, uint32_t id)
{
	for (struct question **p = &a->waiting; *p != NULL; p = &(*p)->next)
		if ((*p)->id == id) {
			struct question *q = *p;

			*p = q->next;
			a->nwaiting--;
			return q;
		}
	return NULL;
}

static void fail(struct question *q, const char *why)
{
	struct problem pr;

	problem_set(&pr, PROBLEM_TEMP, 451, "4.3.0", "", "%s", why);
	if (q->verdict != NULL)
		q->verdict(q->ctx, NULL, &pr);
	else if (q->trust != NULL)
		q->trust(q->ctx, NULL, &pr);
	else if (q->other != NULL)
		q->other(q->ctx, NULL, &pr);
	free(q);
}

/* A caller that is told may cancel other questions, so that what is left stays in a list of ours. */
static void fail_list(struct relay_ask *a, const char *why)
{
	struct question *q;

	while ((q = a->failing) != NULL) {
		a->failing = q->next;
		fail(q, why);
	}
}

/* Those asked until then: their time is over. */
static void give_up(struct relay_ask *a, int64_t until, const char *why)
{
	for (struct question **p = &a->waiting; *p != NULL;) {
		struct question *q = *p;

		if (q->until > until) {
			p = &q->next;
			continue;
		}
		*p = q->next;
		a->nwaiting--;
		q->next = a->failing;
		a->failing = q;
	}
	fail_list(a, why);
}

static void fail_all(struct relay_ask *a, const char *why)
{
	give_up(a, INT64_MAX, why);
}

static void ask_identities(struct relay_ask *a);

static void on_timer(void *ctx)
{
	struct relay_ask *a = ctx;

	loop_timer_set(a->timer, 1000);
	if (a->chan != NULL && a->ids_until <= loop_now_ms())
		ask_identities(a);
	give_up(a, loop_now_ms(), "the trust process does not answer; try again");
}

/* A new question, put into the list; NULL (and failed already) when it cannot be asked. */
static struct question *question(struct relay_ask *a, const struct question *like)
{
	struct question *q = mem_new(sizeof(*q));

	*q = *like;
	if (a->chan == NULL || a->nwaiting >= WAITING_MAX) {
		fail(q, a->chan == NULL ? "the trust process is away; try again"
					: "too many questions wait for the trust process; try again");
		return NULL;
	}
	q->id = ++a->next_id;
	q->until = loop_now_ms() + ASK_TIMEOUT_MS;
	q->next = a->waiting;
	a->waiting = q;
	a->nwaiting++;
	return q;
}

static void send_or_fail(struct relay_ask *a, struct ipc_out *o, uint32_t id)
{
	if (ipc_chan_send(a->chan, o) != 0) {
		struct question *q = take(a, id);

		if (q != NULL)
			fail(q, "the question to the trust process does not fit or it is away; try again");
	}
}

void relay_ask_verdict(
    struct relay_ask *a, const char *sender, const char *recipient, relay_verdict_fn *fn, void *ctx)
{
	struct judge_resolve rq;
	char key[800];
	uint8_t hash[32];
	struct ipc_out o;
	struct question *q;

	snprintf(rq.sender, sizeof(rq.sender), "%s", sender);
	snprintf(rq.recipient, sizeof(rq.recipient), "%s", recipient);
	size_t n = (size_t)snprintf(key, sizeof(key), "%s %s", rq.sender, rq.recipient);
	if (n >= sizeof(key))
		n = sizeof(key) - 1;
	struct cached *c = place(a, key, n, hash);
	if (c->v != NULL && c->until > loop_now_ms() && memcmp(c->key, hash, sizeof(hash)) == 0) {
		fn(ctx, c->v, NULL);
		return;
	}
	q = question(a, &(struct question){.verdict = fn, .ctx = ctx});
	if (q == NULL)
		return;
	memcpy(q->key, key, n);
	q->key_len = n;
	ipc_out_init(&o, JUDGE_RESOLVE, q->id);
	judge_resolve_put(&o, &rq);
	send_or_fail(a, &o, q->id);
}

void relay_ask_trust(struct relay_ask *a, const struct judge_signers *s, relay_trust_fn *fn, void *ctx)
{
	struct ipc_out o;
	struct question *q = question(a, &(struct question){.trust = fn, .ctx = ctx});

	if (q == NULL)
		return;
	ipc_out_init(&o, JUDGE_SIGNERS, q->id);
	judge_signers_put(&o, s);
	send_or_fail(a, &o, q->id);
}

uint32_t relay_ask_begin(
    struct relay_ask *a, uint16_t type, uint16_t answer, relay_answer_fn *fn, void *ctx, struct ipc_out *o_r)
{
	struct question *q = question(a, &(struct question){.other = fn, .answer = answer, .ctx = ctx});

	if (q == NULL)
		return 0;
	ipc_out_init(o_r, type, q->id);
	return q->id;
}

void relay_ask_send(struct relay_ask *a, struct ipc_out *o, uint32_t id)
{
	send_or_fail(a, o, id);
}

bool relay_ask_tell(struct relay_ask *a, struct ipc_out *o)
{
	if (a->chan != NULL)
		return ipc_chan_send(a->chan, o) == 0;
	ipc_out_clear(o);
	return false;
}

static size_t forget(struct question **p, const void *ctx)
{
	size_t n = 0;

	while (*p != NULL) {
		struct question *q = *p;

		if (q->ctx != ctx) {
			p = &q->next;
			continue;
		}
		*p = q->next;
		free(q);
		n++;
	}
	return n;
}

void relay_ask_cancel(struct relay_ask *a, void *ctx)
{
	a->nwaiting -= forget(&a->waiting, ctx);
	forget(&a->failing, ctx);
}

static bool tell_seen(struct relay_ask *a, const char *who)
{
	struct ipc_out o;

	if (a->chan == NULL)
		return false;
	ipc_out_init(&o, JUDGE_SEEN, 0);
	judge_seen_put(&o, who);
	return ipc_chan_send(a->chan, &o) == 0;
}

void relay_ask_seen(struct relay_ask *a, const char *domain)
{
	uint8_t hash[32];
	char who[256] = "";

	if (mem_copy_str(who, sizeof(who), domain) != 0)
		return; /* longer than any address that can be looked up again */
	for (char *p = who; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	domain = who;
	SHA256((const uint8_t *)domain, strlen(domain), hash);
	uint8_t *known = a->seen[((unsigned)hash[0] << 8 | hash[1]) % SEEN_PLACES];
	if (domain[0] == '\0' || memcmp(known, hash, sizeof(hash)) == 0)
		return;
	a->notes[a->next_note].at = loop_now_ms();
	memcpy(a->notes[a->next_note].who, who, sizeof(who));
	a->next_note = (a->next_note + 1) % NOTES;
	if (tell_seen(a, domain))
		memcpy(known, hash, sizeof(hash));
}

/* To a new judge. A release by the admin tells us of a change, and that forgets the notes. */
static void seen_again(struct relay_ask *a)
{
	for (size_t i = 0; i < NOTES; i++)
		if (a->notes[i].at != 0 && loop_now_ms() - a->notes[i].at < NOTE_MS)
			tell_seen(a, a->notes[i].who);
}

/* ---- answers ---- */

static const char odd[] = "the trust process answered another question than it was asked; try again";

static void got_verdict(struct relay_ask *a, struct ipc_in *in)
{
	struct question *q = take(a, in->id);
	struct relay_verdict *v;
	uint8_t hash[32];

	if (q == NULL)
		return; /* asked by a session that is gone, or too late */
	if (q->verdict == NULL) {
		fail(q, odd);
		return;
	}
	SHA256(in->p, in->n, hash);
	v = same_as_known(a, hash);
	if (v == NULL) {
		v = mem_new(sizeof(*v));
		v->refs = 1;
		v->memory = arena_new(VERDICT_MEMORY);
		v->octets = in->n;
		memcpy(v->hash, hash, sizeof(hash));
		if (judge_verdict_get(in, v->memory, &v->v) != 0)
			log_fatal("the judge sent a verdict that cannot be read");
	}
	if (v->v.temp) {
		struct problem pr = v->v.pr;

		outbound_trace(&v->v, &pr);
		q->verdict(q->ctx, NULL, &pr);
	} else {
		cache_put(a, q, v);
		q->verdict(q->ctx, v, NULL);
	}
	relay_verdict_free(v);
	free(q);
}

static void got_trust(struct relay_ask *a, struct ipc_in *in)
{
	struct question *q = take(a, in->id);
	struct arena *known;
	struct judge_trust *t;

	if (q == NULL)
		return;
	if (q->trust == NULL) {
		fail(q, odd);
		return;
	}
	t = mem_new(sizeof(*t));
	known = arena_new(KNOWN_MEMORY);
	if (judge_trust_get(in, known, t) != 0)
		log_fatal("the judge sent an answer on trust that cannot be read");
	q->trust(q->ctx, t, NULL);
	arena_free(known);
	free(q);
	free(t);
}

static void got_other(struct relay_ask *a, struct ipc_in *in)
{
	struct question *q = take(a, in->id);

	if (q == NULL)
		return;
	if (q->other == NULL || q->answer != in->type) {
		fail(q, odd);
		return;
	}
	q->other(q->ctx, in, NULL);
	free(q);
}

static void drop_coming(struct relay_ask *a)
{
	arena_free(a->coming_memory);
	free(a->coming);
	a->coming_memory = NULL;
	a->coming = NULL;
	a->ncoming = 0;
}

/* What comes of an earlier list, whole or broken off, no longer counts. */
static void ask_identities(struct relay_ask *a)
{
	struct ipc_out o;

	drop_coming(a);
	a->ids_asked++;
	a->ids_until = loop_now_ms() + ASK_TIMEOUT_MS;
	ipc_out_init(&o, JUDGE_IDENTITIES, a->ids_asked);
	if (a->chan == NULL || ipc_chan_send(a->chan, &o) != 0)
		log_warn(NULL, "relay", "identities why=\"the trust process is away\"");
}

static void identities_complete(struct relay_ask *a)
{
	free(a->ids);
	arena_free(a->ids_memory);
	a->ids = a->coming;
	a->nids = a->ncoming;
	a->ids_memory = a->coming_memory;
	a->coming = NULL;
	a->coming_memory = NULL;
	a->ncoming = 0;
	a->ids_until = INT64_MAX;
	a->have_ids = true;
	a->on_identities(a->ctx);
}

static void got_identities(struct relay_ask *a, struct ipc_in *in)
{
	struct judge_identity_list *l;

	if (in->id != a->ids_asked)
		return; /* a newer list was asked for since */
	l = mem_new(sizeof(*l));
	if (a->coming_memory == NULL)
		a->coming_memory = arena_new(64 * 1024 * 1024);
	if (judge_identity_list_get(in, a->coming_memory, l) != 0)
		log_fatal("the judge sent identities that cannot be read");
	if (a->ncoming + l->n > IDENTITIES_MAX)
		log_fatal("the judge sent more than %d identities", IDENTITIES_MAX);
	a->coming = mem_resize(a->coming, (a->ncoming + l->n + 1) * sizeof(*a->coming));
	memcpy(a->coming + a->ncoming, l->v, l->n * sizeof(*a->coming));
	a->ncoming += l->n;
	if (!l->more)
		identities_complete(a);
	free(l);
}

static void tell_change(struct relay_ask *a, const char *domain)
{
	a->trust_changes++;
	if (a->on_change != NULL)
		a->on_change(a->change_ctx, domain);
}

static void got_change(struct relay_ask *a, struct ipc_in *in)
{
	char whose[256];

	if (judge_changed_get(in, whose) != 0)
		log_fatal("the judge told of a change that cannot be read");
	cache_drop(a);
	memset(a->notes, 0, sizeof(a->notes)); /* one said again must not undo a release */
	ask_identities(a);
	if (strcmp(whose, JUDGE_NOBODY) != 0)
		tell_change(a, whose[0] != '\0' ? whose : NULL);
}

static void on_msg(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct relay_ask *a = ctx;

	(void)c;
	switch (in->type) {
	case JUDGE_VERDICT:
		got_verdict(a, in);
		break;
	case JUDGE_TRUST:
		got_trust(a, in);
		break;
	case JUDGE_IDENTITY_LIST:
		got_identities(a, in);
		break;
	case JUDGE_STATEMENT_FOUND:
	case JUDGE_XSMG_DUTY:
		got_other(a, in);
		break;
	case JUDGE_CHANGED:
		got_change(a, in);
		break;
	default:
		log_fatal("the judge sent a message of unknown type %u", in->type);
	}
}

static void on_close(void *ctx, struct ipc_chan *c, const char *why)
{
	struct relay_ask *a = ctx;

	log_warn(NULL, "relay", "judge-away why=\"%s\"", why);
	ipc_chan_free(c);
	a->chan = NULL;
	fail_all(a, "the trust process is away; try again");
}

static const struct ipc_chan_ops ops = {on_msg, on_close};

struct relay_ask *relay_ask_new(struct loop *l, void (*on_identities)(void *ctx), void *ctx)
{
	struct relay_ask *a = mem_new(sizeof(*a));

	a->loop = l;
	a->on_identities = on_identities;
	a->ctx = ctx;
	a->timer = loop_timer_new(l, on_timer, a);
	loop_timer_set(a->timer, 1000);
	return a;
}

void relay_ask_channel(struct relay_ask *a, int fd)
{
	ipc_chan_free(a->chan);
	a->chan = NULL;
	fail_all(a, "the trust process was replaced; try again");
	cache_drop(a); /* it may know of changes that were not told */
	a->chan = ipc_chan_new(a->loop, fd, &ops, a);
	seen_again(a);
	ask_identities(a);
	tell_change(a, NULL);
}

void relay_ask_on_change(struct relay_ask *a, void (*fn)(void *ctx, const char *domain), void *ctx)
{
	a->on_change = fn;
	a->change_ctx = ctx;
}

uint64_t relay_ask_changes(const struct relay_ask *a)
{
	return a->changes;
}

uint64_t relay_ask_trust_changes(const struct relay_ask *a)
{
	return a->trust_changes;
}

bool relay_ask_identities(const struct relay_ask *a, const struct judge_identity **list_r, size_t *n_r)
{
	*list_r = a->ids;
	*n_r = a->nids;
	return a->have_ids;
}

void relay_ask_free(struct relay_ask *a)
{
	if (a == NULL)
		return;
	ipc_chan_free(a->chan);
	a->chan = NULL;
	fail_all(a, "the gateway is shutting down");
	cache_drop(a);
	loop_timer_free(a->timer);
	arena_free(a->ids_memory);
	free(a->ids);
	drop_coming(a);
	free(a);
}
