/*
 * Answers of the network, kept. Role judge.
 *
 * An entry is found by the hash of its question as it is sent (without its time limit: who has more patience waits
 * for the same answer). It has an answer, or is under way, or both while it is refreshed. What runs and waiters point
 * at is never taken away: a run holds the answers it was given, an entry under way is not thrown out.
 */
#include "certstore/source_book.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/source_site.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum {
	PATIENCE_MS = 2000, /* beyond a question's own time limit */
	TRIES = 2,
	SHARE = 4, /* what strangers chose leaves one of so many places free */
	REFRESH_SHARE = 5,
};

/* An answer, and its items behind it: one piece of memory that whoever reads it holds. */
struct kept {
	unsigned refs;
	size_t size;
	uint8_t head[offsetof(struct source_answer, items)];
	struct source_item items[];
};
struct entry;
/* One who waits for one entry. */
struct link {
	struct link *next, **prev; /* of the entry */
	struct link *next_of_wait;
	struct source_wait *wait;
};
struct entry {
	uint8_t key[SHA256_DIGEST_LENGTH];
	struct entry *next_same;     /* of its place in the table */
	struct entry *newer, *older; /* by use */
	uint8_t *ask;		     /* as fields */
	size_t nask;
	uint64_t site;
	bool stranger;
	struct kept *answer;
	int64_t until, refresh; /* ms */
	uint32_t id;		/* under way; 0 not */
	uint32_t timeout;	/* ms, of the question under way */
	int64_t deadline;
	unsigned tries;
	bool sent;
	struct link *waiting;
};
struct source_wait {
	struct link *links;
	void (*fn)(void *ctx);
	void *ctx;
};
/* What a run was given. */
struct given {
	struct given *next;
	struct kept *kept; /* NULL: made for this run alone */
	struct source_answer a;
};
struct book_run {
	struct source_run run; /* first: one is the other */
	struct source_book *book;
	struct given *given;
	struct entry **pending;
	size_t npending;
};
struct source_book {
	const struct find_settings *set;
	const struct source_book_ops *ops;
	void *ctx;
	struct entry **table;
	size_t ntable;
	struct entry *newest, *oldest;
	struct entry **under_way; /* by id modulo nslots */
	size_t nslots;
	uint32_t turn;
	unsigned open; /* runs */
	struct source_book_counts n;
};

/* ---- answers ---- */

static struct kept *kept_new(const struct source_answer *r, int64_t at)
{
	struct source_answer head = *r;
	size_t octets = 0;
	struct kept *k;
	uint8_t *p;

	for (size_t i = 0; i < r->n; i++)
		octets += r->items[i].n;
	k = mem_raw(sizeof(*k) + r->n * sizeof(k->items[0]) + octets);
	k->refs = 1;
	k->size = sizeof(*k) + r->n * sizeof(k->items[0]) + octets;
	head.at = at;
	memcpy(k->head, &head, sizeof(k->head));
	p = (uint8_t *)(k->items + r->n);
	for (size_t i = 0; i < r->n; i++) {
		k->items[i] = r->items[i];
		k->items[i].p = p;
		if (r->items[i].n > 0)
			memcpy(p, r->items[i].p, r->items[i].n);
		p += r->items[i].n;
	}
	return k;
}

static void kept_drop(struct kept *k)
{
	if (k != NULL && --k->refs == 0)
		free(k);
}

static const struct source_answer *give_kept(struct book_run *r, struct kept *k)
{
	struct given *g;

	for (g = r->given; g != NULL; g = g->next)
		if (g->kept == k)
			return &g->a;
	g = mem_new(sizeof(*g));
	g->kept = k;
	k->refs++;
	memcpy(&g->a, k->head, sizeof(k->head));
	memcpy(g->a.items, k->items, g->a.n * sizeof(k->items[0]));
	g->next = r->given;
	r->given = g;
	return &g->a;
}

static const struct source_answer *give_refusal(struct book_run *r, const char *what)
{
	struct given *g = mem_new(sizeof(*g));

	source_answer_set(&g->a, SOURCE_TEMP, "too many questions wait for %.200s; try again", what);
	g->a.dnssec = SOURCE_UNKNOWN;
	g->next = r->given;
	r->given = g;
	r->book->n.refused++;
	return &g->a;
}

/* ---- table ---- */

static struct entry **place(struct source_book *b, const uint8_t *key)
{
	uint64_t h;

	memcpy(&h, key, sizeof(h));
	return &b->table[h % b->ntable];
}

static struct entry *find(struct source_book *b, const uint8_t *key)
{
	struct entry *e = *place(b, key);

	while (e != NULL && memcmp(e->key, key, sizeof(e->key)) != 0)
		e = e->next_same;
	return e;
}

static void unlink_use(struct source_book *b, struct entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &b->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &b->oldest) = e->newer;
}

static void link_newest(struct source_book *b, struct entry *e)
{
	e->newer = NULL;
	e->older = b->newest;
	*(b->newest != NULL ? &b->newest->newer : &b->oldest) = e;
	b->newest = e;
}

static void set_answer(struct source_book *b, struct entry *e, struct kept *k)
{
	if (e->answer != NULL)
		b->n.octets -= e->answer->size;
	kept_drop(e->answer);
	e->answer = k;
	if (k != NULL)
		b->n.octets += k->size;
}

static void entry_free(struct source_book *b, struct entry *e)
{
	struct entry **p = place(b, e->key);

	REQUIRE(e->waiting == NULL && e->id == 0);
	while (*p != e)
		p = &(*p)->next_same;
	*p = e->next_same;
	unlink_use(b, e);
	set_answer(b, e, NULL);
	b->n.octets -= sizeof(*e) + e->nask;
	b->n.kept--;
	free(e->ask);
	free(e);
}

/* Those under way stay: there are at most as many as there are slots. */
static void make_room(struct source_book *b)
{
	for (struct entry *e = b->oldest, *newer; e != NULL; e = newer) {
		newer = e->newer;
		if (b->n.kept <= (size_t)b->set->kept_max && b->n.octets <= (size_t)b->set->kept_octets)
			return;
		if (e->id == 0)
			entry_free(b, e);
	}
}

/* ---- questions ---- */

static void pack(const struct source_ask *a, struct ipc_out *o, uint8_t key[SHA256_DIGEST_LENGTH])
{
	struct source_ask c = *a;

	c.timeout_ms = 1;
	for (char *p = c.name; c.kind == SOURCE_DNS && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	source_ask_put(o, 0, &c);
	REQUIRE(!o->bad);
	SHA256(o->b.p + IPC_HEADER, o->b.len - IPC_HEADER, key);
}

static void send_question(struct source_book *b, struct entry *e)
{
	struct source_ask *a = mem_new(sizeof(*a));
	struct ipc_in in = {.type = SOURCE_PROTO_ASK, .p = e->ask, .n = e->nask};

	REQUIRE(source_ask_get(&in, a) == 0);
	a->timeout_ms = e->timeout;
	e->sent = b->ops->send(b->ctx, e->id, a) == 0;
	e->tries += e->sent;
	b->n.asked += e->sent;
	free(a);
}

/* Why a question may not be asked now; NULL: it may. */
static const char *too_many(const struct source_book *b, const struct entry *e)
{
	size_t same = 0, share = b->nslots - b->nslots / SHARE;

	if (b->n.asking >= (e->stranger ? share : b->nslots))
		return "the network";
	for (size_t i = 0; i < b->nslots; i++)
		same += b->under_way[i] != NULL && b->under_way[i]->site == e->site;
	return same >= (size_t)b->set->asking_site ? "" : NULL;
}

static void ask(struct source_book *b, struct entry *e, uint32_t timeout)
{
	do {
		b->turn++;
	} while (b->turn == 0 || b->under_way[b->turn % b->nslots] != NULL);
	e->id = b->turn;
	b->under_way[e->id % b->nslots] = e;
	b->n.asking++;
	e->timeout = timeout;
	e->deadline = b->ops->now_ms(b->ctx) + timeout + PATIENCE_MS;
	e->tries = 0;
	send_question(b, e);
}

static void not_under_way(struct source_book *b, struct entry *e)
{
	b->under_way[e->id % b->nslots] = NULL;
	b->n.asking--;
	e->id = 0;
}

static struct entry *entry_new(const struct source_ask *a, const struct ipc_out *o, const uint8_t *key)
{
	struct entry *e = mem_new(sizeof(*e));
	char site[SOURCE_SITE_MAX];

	memcpy(e->key, key, sizeof(e->key));
	e->nask = o->b.len - IPC_HEADER;
	e->ask = (uint8_t *)mem_dup(o->b.p + IPC_HEADER, e->nask);
	e->stranger = a->chosen == SOURCE_BY_STRANGER;
	source_site(a, site);
	e->site = source_site_hash(site);
	return e;
}

static void put_in(struct source_book *b, struct entry *e)
{
	struct entry **p = place(b, e->key);

	e->next_same = *p;
	*p = e;
	link_newest(b, e);
	b->n.kept++;
	b->n.octets += sizeof(*e) + e->nask;
}

/* ---- a run ---- */

static const struct source_answer *pending(struct book_run *r, struct entry *e)
{
	r->pending = mem_resize(r->pending, (r->npending + 1) * sizeof(struct entry *));
	r->pending[r->npending++] = e;
	return NULL;
}

static const struct source_answer *use(struct book_run *r, struct entry *e, const struct source_ask *a, int64_t now)
{
	struct source_book *b = r->book;

	unlink_use(b, e);
	link_newest(b, e);
	b->n.used++;
	if (now >= e->refresh && e->id == 0 && !r->run.over && !too_many(b, e))
		ask(b, e, a->timeout_ms);
	return give_kept(r, e->answer);
}

/* A question that nobody has asked, or whose answer is too old. */
static const struct source_answer *ask_anew(
    struct book_run *r, struct entry *e, const struct source_ask *a, const struct ipc_out *o, const uint8_t *key)
{
	struct source_book *b = r->book;
	struct entry *made = e == NULL ? entry_new(a, o, key) : NULL;
	const char *what;
	char site[SOURCE_SITE_MAX];

	if (made != NULL)
		e = made;
	what = too_many(b, e);
	if (what != NULL) {
		if (made != NULL) {
			free(made->ask);
			free(made);
		}
		source_site(a, site);
		return give_refusal(r, *what != '\0' ? what : site);
	}
	if (made != NULL)
		put_in(b, e);
	set_answer(b, e, NULL);
	ask(b, e, a->timeout_ms);
	make_room(b);
	return pending(r, e);
}

/* Is there an answer that counts? */
static bool counts(const struct book_run *r, const struct entry *e, const struct source_ask *a, int64_t now)
{
	int64_t at;

	if (e == NULL || e->answer == NULL || now >= e->until)
		return false;
	memcpy(&at, e->answer->head + offsetof(struct source_answer, at), sizeof(at));
	return r->run.over || at >= a->since;
}

static const struct source_answer *get(struct source_run *run, const struct source_ask *a)
{
	struct book_run *r = (struct book_run *)run;
	struct source_book *b = r->book;
	int64_t now = b->ops->now_ms(b->ctx);
	uint8_t key[SHA256_DIGEST_LENGTH];
	const struct source_answer *w;
	struct ipc_out o;
	struct entry *e;

	pack(a, &o, key);
	e = find(b, key);
	if (counts(r, e, a, now))
		w = use(r, e, a, now);
	else if (e != NULL && e->id != 0)
		w = pending(r, e);
	else if (run->over)
		w = NULL;
	else
		w = ask_anew(r, e, a, &o, key);
	ipc_out_clear(&o);
	return w;
}

struct source_run *source_book_begin(struct source_book *b, bool over, struct trace *trace)
{
	struct book_run *r = mem_new(sizeof(*r));

	r->run.get = get;
	r->run.max = (unsigned)b->set->asks_max;
	r->run.over = over;
	r->run.now = r->run.began = b->ops->now_s(b->ctx);
	r->run.trace = trace;
	r->book = b;
	b->open++;
	return &r->run;
}

void source_book_end(struct source_run *run)
{
	struct book_run *r = (struct book_run *)run;

	for (struct given *g = r->given, *next; g != NULL; g = next) {
		next = g->next;
		kept_drop(g->kept);
		free(g);
	}
	r->book->open--;
	free(r->pending);
	free(r);
}

/* ---- who waits ---- */

struct source_wait *source_book_wait(struct source_run *run, void (*fn)(void *ctx), void *ctx)
{
	struct book_run *r = (struct book_run *)run;
	struct source_wait *w = mem_new(sizeof(*w));

	REQUIRE(r->npending > 0);
	w->fn = fn;
	w->ctx = ctx;
	for (size_t i = 0; i < r->npending; i++) {
		struct link *l = mem_new(sizeof(*l));
		struct entry *e = r->pending[i];

		l->wait = w;
		l->next_of_wait = w->links;
		w->links = l;
		l->next = e->waiting;
		l->prev = &e->waiting;
		if (l->next != NULL)
			l->next->prev = &l->next;
		e->waiting = l;
	}
	return w;
}

void source_book_forget(struct source_wait *w)
{
	if (w == NULL)
		return;
	for (struct link *l = w->links, *next; l != NULL; l = next) {
		next = l->next_of_wait;
		*l->prev = l->next;
		if (l->next != NULL)
			l->next->prev = l->prev;
		free(l);
	}
	free(w);
}

static void call(struct source_wait *w)
{
	void (*fn)(void *ctx) = w->fn;
	void *ctx = w->ctx;

	source_book_forget(w);
	fn(ctx);
}

/* ---- answers ---- */

static int64_t bounded(int64_t v, int64_t least, int64_t most)
{
	if (v < least)
		v = least;
	return v > most ? most : v;
}

static int64_t keep_for(const struct source_book *b, const struct source_answer *r)
{
	int64_t ttl = (int64_t)r->ttl * 1000;

	switch (r->status) {
	case SOURCE_FOUND:
		return bounded(ttl, b->set->found_least, b->set->found_most);
	case SOURCE_NONE:
		return bounded(ttl, b->set->none_least, b->set->none_most);
	case SOURCE_TEMP:
		break;
	}
	return b->set->unsure_for;
}

/* A refresh that brings nothing leaves the old answer for the rest of its time. */
static void take_answer(struct source_book *b, struct entry *e, const struct source_answer *r)
{
	int64_t now = b->ops->now_ms(b->ctx), life = keep_for(b, r);
	struct source_answer copy = *r;

	not_under_way(b, e);
	if (r->status == SOURCE_TEMP && e->answer != NULL && now < e->until) {
		e->refresh = now + life;
	} else {
		/* what is shown as left of its time is what is left of it here */
		copy.said = r->ttl;
		copy.ttl = (uint32_t)(life / 1000);
		set_answer(b, e, kept_new(&copy, b->ops->now_s(b->ctx)));
		e->until = now + life;
		e->refresh = r->status == SOURCE_TEMP ? e->until : e->until - life / REFRESH_SHARE;
	}
	while (e->waiting != NULL)
		call(e->waiting->wait); /* NOLINT(clang-analyzer-unix.Malloc) */
	make_room(b);
}

static struct entry *by_id(struct source_book *b, uint32_t id)
{
	struct entry *e = b->under_way[id % b->nslots];

	return e != NULL && id != 0 && e->id == id ? e : NULL;
}

void source_book_answer(struct source_book *b, uint32_t id, const struct source_answer *r)
{
	struct entry *e = by_id(b, id);

	REQUIRE(b->open == 0);
	if (e != NULL)
		take_answer(b, e, r);
}

static void give_up(struct source_book *b, struct entry *e, const char *why)
{
	struct source_answer r;

	source_answer_set(&r, SOURCE_TEMP, "%s", why);
	r.dnssec = SOURCE_UNKNOWN;
	take_answer(b, e, &r);
}

void source_book_away(struct source_book *b)
{
	for (size_t i = 0; i < b->nslots; i++) {
		struct entry *e = b->under_way[i];

		if (e == NULL)
			continue;
		e->sent = false;
		if (e->tries >= TRIES)
			give_up(b, e,
			    "the process that asks the network stopped twice while it looked; its log says why");
	}
}

void source_book_back(struct source_book *b)
{
	for (size_t i = 0; i < b->nslots; i++) {
		struct entry *e = b->under_way[i];

		if (e == NULL || e->sent)
			continue;
		e->deadline = b->ops->now_ms(b->ctx) + e->timeout + PATIENCE_MS;
		send_question(b, e);
	}
}

void source_book_tick(struct source_book *b)
{
	int64_t now = b->ops->now_ms(b->ctx);

	for (size_t i = 0; i < b->nslots; i++) {
		struct entry *e = b->under_way[i];

		if (e == NULL || now < e->deadline)
			continue;
		give_up(b, e,
		    e->sent ? "the process that asks the network did not answer in time"
			    : "the process that asks the network is not running");
	}
}

/* ---- life ---- */

struct source_book *source_book_new(const struct find_settings *set, const struct source_book_ops *ops, void *ctx)
{
	struct source_book *b = mem_new(sizeof(*b));

	b->set = set;
	b->ops = ops;
	b->ctx = ctx;
	b->ntable = (size_t)set->kept_max;
	b->table = mem_new(b->ntable * sizeof(struct entry *));
	b->nslots = (size_t)set->asking_max;
	b->under_way = mem_new(b->nslots * sizeof(struct entry *));
	return b;
}

void source_book_free(struct source_book *b)
{
	if (b == NULL)
		return;
	REQUIRE(b->open == 0);
	while (b->newest != NULL) {
		if (b->newest->id != 0) /* NOLINT(clang-analyzer-unix.Malloc) */
			not_under_way(b, b->newest);
		entry_free(b, b->newest);
	}
	free(b->table);
	free(b->under_way);
	free(b);
}

struct source_book_counts source_book_counts(const struct source_book *b)
{
	return b->n;
}
