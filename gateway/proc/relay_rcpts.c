#include "gateway/proc/relay_rcpts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_rcpts_cache.h"
#include "gateway/proc/relay_rcpts_hash.h"
#include "gateway/proc/relay_rcpts_map.h"
#include "gateway/scout/ldap_proto.h"
#include "gateway/smtp/smtpc_probe.h"

enum { KEY_MAX = ADDRESS_LOCAL_MAX + 1 + ADDRESS_DOMAIN_MAX + 1, TABLE = 1024, TELL_MS = 60000, GIVE_UP_MS = 120000 };

struct domain {
	const struct conf_domain *set;
	const char *name;
	struct relay_rcpts_map *map;
	int64_t told[2]; /* when the log was last told of its trouble: a passing one, an alarm */
};
/* Somebody who wants to know. At a question's list, or nowhere while the answer is being given. */
struct relay_rcpts_wait {
	struct relay_rcpts_wait *next, **prev;
	struct relay_rcpts_wait **slot;
	struct relay_rcpts *of;
	struct domain *domain;
	struct address asked;	/* as the client wrote it */
	struct address address; /* local part in lower case, in the end without its tag */
	bool anew;
	bool whole; /* the whole local part is being asked for, not the one without its tag */
	relay_rcpts_fn *fn;
	void *ctx;
};
/* An address whose source is being asked. */
struct question {
	struct question *next, **prev;
	struct relay_rcpts *of;
	struct domain *domain;
	struct relay_rcpts_wait *waits;
	struct loop_timer *late;
	int64_t began;
	uint32_t id;
	struct address address;
	char key[KEY_MAX];
	struct smtpc_probe probe;
};
struct relay_rcpts {
	struct relay *r;
	const struct relay_rcpts_settings *set;
	struct domain *domains;
	size_t ndomains;
	struct relay_rcpts_map **maps; /* each may be that of several domains */
	size_t nmaps;
	struct relay_rcpts_cache *cache;
	struct smtpc_pool *pool;
	struct smtpc_settings *pool_set;
	struct question *questions[TABLE]; /* by the hash of the key; one for an address */
	size_t nquestions;
	uint32_t next_id;
};

static void look(struct relay_rcpts_wait *w);

/* ---- answers ---- */

static const char *source_word(const struct domain *d)
{
	static const char *const words[] = {"call-ahead", "any", "map", "ldap"};

	return words[d->set->recipients];
}

static void detach(struct relay_rcpts_wait *w)
{
	if (w->prev != NULL) {
		*w->prev = w->next;
		if (w->next != NULL)
			w->next->prev = w->prev;
	}
	w->next = NULL;
	w->prev = NULL;
	*w->slot = NULL;
}

static void judge(const struct relay_rcpts_wait *w, struct relay_rcpts_answer *a)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(&w->asked, text);
	a->accepted = a->state == RELAY_RCPTS_KNOWN ||
		      (a->state == RELAY_RCPTS_UNSURE && w->domain->set->recipient_unsure == CONF_UNSURE_ACCEPT);
	if (a->accepted)
		return;
	if (a->state == RELAY_RCPTS_UNKNOWN)
		problem_set(
		    &a->pr, PROBLEM_PERM, 550, "5.1.1", "RFC 3463 3.2", "<%s>: there is no such mailbox here", text);
	else
		problem_set(&a->pr, PROBLEM_TEMP, 451, "4.4.3", "RFC 3463 3.5",
		    "<%s>: whether there is such a mailbox cannot be found out now, try again later", text);
}

/* Takes w, which hangs nowhere. */
static void tell(
    struct relay_rcpts_wait *w, enum relay_rcpts_state state, const char *source, const char *said, int64_t age)
{
	struct relay_rcpts_answer a = {.state = state, .source = source, .age = age};

	snprintf(a.said, sizeof(a.said), "%s", said);
	judge(w, &a);
	w->fn(w->ctx, &a);
	free(w);
}

/* The address without its tag, where there is one: user+tag is user. */
static bool strip(struct relay_rcpts_wait *w)
{
	const char *delimiters = w->domain->set->recipient_delimiter;
	size_t n = strcspn(w->address.local, delimiters);

	if (!w->whole || n == 0 || w->address.local[n] == '\0')
		return false;
	w->whole = false;
	w->address.local[n] = '\0';
	return true;
}

static void conclude(struct relay_rcpts_wait *w, enum relay_rcpts_state state, const char *said, int64_t age)
{
	/* by call-ahead it is the inside server that knows its tags, and it gets the whole address later */
	if (state == RELAY_RCPTS_UNKNOWN && w->domain->set->recipients != CONF_RCPTS_CALL_AHEAD && strip(w))
		look(w);
	else
		tell(w, state, source_word(w->domain), said, age);
}

/* The source gave no answer: what it said earlier, else that nothing is known. */
static void conclude_unsure(struct relay_rcpts_wait *w, const char *key, const char *why)
{
	struct relay_rcpts_cached c;
	char said[640];

	if (relay_rcpts_cache_find(w->of->cache, key, loop_now_ms(), &c) && c.known) {
		snprintf(said, sizeof(said), "%s (said earlier: now %s)", c.said, why);
		conclude(w, RELAY_RCPTS_KNOWN, said, c.age);
		return;
	}
	conclude(w, RELAY_RCPTS_UNSURE, why, 0);
}

/* ---- questions ---- */

/* Of trouble with a source the log hears once a minute and domain. */
static void tell_log(struct domain *d, bool alarm, const char *why)
{
	int64_t now = loop_now_ms();

	if (d->told[alarm] != 0 && now - d->told[alarm] < TELL_MS)
		return;
	d->told[alarm] = now;
	if (alarm)
		log_error(
		    NULL, "relay", "alarm=recipients domain=%s source=%s why=\"%s\"", d->name, source_word(d), why);
	else
		log_warn(
		    NULL, "relay", "recipients-unsure domain=%s source=%s why=\"%s\"", d->name, source_word(d), why);
}

static void question_end(struct question *q)
{
	*q->prev = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	q->of->nquestions--;
	loop_timer_off(q->late);
}

/* Whoever is told may cancel others that wait: the list is taken from its head, one by one. */
static void question_answered(struct question *q, enum relay_rcpts_state state, const char *said)
{
	question_end(q);
	if (state != RELAY_RCPTS_UNSURE)
		relay_rcpts_cache_put(q->of->cache, q->key, state == RELAY_RCPTS_KNOWN, said, loop_now_ms());
	while (q->waits != NULL) {
		struct relay_rcpts_wait *w = q->waits;

		/* what was freed was unlinked by its own prev, which the analyser does not follow */
		// NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
		detach(w);
		if (state == RELAY_RCPTS_UNSURE)
			conclude_unsure(w, q->key, said);
		else
			conclude(w, state, said, 0);
	}
	loop_timer_free(q->late);
	free(q);
}

/* The question goes on; but an answer of the scout that has not come by now was lost, and the next client asks anew
 * (the pool of call-ahead always answers). */
static void on_late(void *ctx)
{
	struct question *q = ctx;
	char why[100];

	snprintf(why, sizeof(why), "no answer within %lld ms", (long long)q->of->set->timeout);
	tell_log(q->domain, false, why);
	if (q->domain->set->recipients == CONF_RCPTS_LDAP && loop_now_ms() - q->began > GIVE_UP_MS) {
		question_answered(q, RELAY_RCPTS_UNSURE, why);
		return;
	}
	while (q->waits != NULL) {
		struct relay_rcpts_wait *w = q->waits;

		/* what was freed was unlinked by its own prev, which the analyser does not follow */
		// NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
		detach(w);
		conclude_unsure(w, q->key, why);
	}
}

static void on_probe(void *ctx, struct smtpc_probe *p)
{
	struct question *q = ctx;
	static const enum relay_rcpts_state states[] = {
	    [SMTPC_PROBE_TAKEN] = RELAY_RCPTS_KNOWN,
	    [SMTPC_PROBE_UNKNOWN] = RELAY_RCPTS_UNKNOWN,
	    [SMTPC_PROBE_TEMP] = RELAY_RCPTS_UNSURE,
	    [SMTPC_PROBE_REFUSED] = RELAY_RCPTS_UNSURE,
	};

	if (states[p->answer] == RELAY_RCPTS_UNSURE)
		tell_log(q->domain, p->answer == SMTPC_PROBE_REFUSED, p->words);
	question_answered(q, states[p->answer], p->words);
}

static void on_hop(void *ctx, const struct smtpc_dest *d, const struct problem *pr)
{
	struct question *q = ctx;
	struct smtpc_dest dest;

	if (d == NULL) {
		tell_log(q->domain, false, pr->text);
		question_answered(q, RELAY_RCPTS_UNSURE, pr->text);
		return;
	}
	dest = *d;
	dest.key = q->domain->name;
	q->probe.done = on_probe;
	q->probe.ctx = q;
	address_text(&q->address, q->probe.address);
	smtpc_probe_ask(q->of->pool, &dest, &q->probe);
}

static void ask_scout(struct question *q)
{
	struct ldap_proto_ask m = {0};
	struct ipc_out o;

	if (mem_copy_str(m.directory, sizeof(m.directory), q->domain->set->recipient_ldap) != 0 ||
	    mem_copy_str(m.local, sizeof(m.local), q->address.local) != 0 ||
	    mem_copy_str(m.domain, sizeof(m.domain), q->address.domain) != 0)
		log_panic("an address that does not fit");
	ldap_proto_put_ask(&o, q->id, &m);
	if (relay_hops_tell_scout(q->of->r->hops, &o) != 0)
		question_answered(q, RELAY_RCPTS_UNSURE, "the look-up process is away");
}

static void ask_source(struct question *q)
{
	char hop[RELAY_HOP_MAX];

	if (q->domain->set->recipients == CONF_RCPTS_LDAP) {
		ask_scout(q);
		return;
	}
	relay_hops_key(q->of->r, q->domain->name, hop);
	relay_hops_find(q->of->r->hops, hop, on_hop, q);
}

static struct question **bucket(struct relay_rcpts *rc, const char *key)
{
	return &rc->questions[relay_rcpts_hash(key, strlen(key)) % TABLE];
}

static struct question *question_new(struct relay_rcpts *rc, const struct relay_rcpts_wait *w, const char *key)
{
	struct question *q = mem_new(sizeof(*q)), **at;

	q->of = rc;
	q->id = ++rc->next_id;
	q->began = loop_now_ms();
	q->domain = w->domain;
	q->address = w->address;
	snprintf(q->key, sizeof(q->key), "%s", key);
	q->late = loop_timer_new(rc->r->loop, on_late, q);
	at = bucket(rc, key);
	q->next = *at;
	q->prev = at;
	if (q->next != NULL)
		q->next->prev = &q->next;
	*at = q;
	rc->nquestions++;
	return q;
}

static struct question *question_find(struct relay_rcpts *rc, const char *key)
{
	struct question *q = *bucket(rc, key);

	while (q != NULL && strcmp(q->key, key) != 0)
		q = q->next;
	return q;
}

static void wait_for(struct relay_rcpts_wait *w, const char *key)
{
	struct relay_rcpts *rc = w->of;
	struct question *q = question_find(rc, key);
	bool begin = q == NULL;

	if (begin && rc->nquestions >= (size_t)rc->set->waiting_max) {
		tell_log(w->domain, true, "more addresses are being asked for than waiting-max allows");
		conclude_unsure(w, key, "too many addresses are being asked for at once");
		return;
	}
	if (begin)
		q = question_new(rc, w, key);
	if (q->waits == NULL)
		loop_timer_set(q->late, rc->set->timeout);
	w->next = q->waits;
	w->prev = &q->waits;
	if (w->next != NULL)
		w->next->prev = &w->next;
	q->waits = w;
	*w->slot = w;
	if (begin)
		ask_source(q);
}

/* ---- looking ---- */

static void look_in_map(struct relay_rcpts_wait *w)
{
	char local[ADDRESS_LOCAL_MAX + 1], said[300];
	unsigned line;
	bool known;

	if (w->domain->map == NULL) { /* the parent gives it before the listeners */
		conclude(w, RELAY_RCPTS_UNSURE, "the recipient-map is not there", 0);
		return;
	}
	memcpy(local, w->address.local, sizeof(local));
	known =
	    relay_rcpts_map_find(w->domain->map, local, strip(w) ? w->address.local : NULL, w->address.domain, &line);
	if (line == 0)
		snprintf(said, sizeof(said), "%s has no entry for it", w->domain->set->recipient_map);
	else
		snprintf(said, sizeof(said), "%s:%u %s it", w->domain->set->recipient_map, line,
		    known ? "has" : "refuses");
	conclude(w, known ? RELAY_RCPTS_KNOWN : RELAY_RCPTS_UNKNOWN, said, 0);
}

static void look(struct relay_rcpts_wait *w)
{
	struct relay_rcpts_cached c;
	char key[KEY_MAX];

	switch (w->domain->set->recipients) {
	case CONF_RCPTS_ANY:
		conclude(w, RELAY_RCPTS_KNOWN, "every recipient is taken", 0);
		return;
	case CONF_RCPTS_MAP:
		look_in_map(w);
		return;
	default:
		break;
	}
	snprintf(key, sizeof(key), "%s@%s", w->address.local, w->address.domain);
	if (!w->anew && relay_rcpts_cache_find(w->of->cache, key, loop_now_ms(), &c) && c.fresh)
		conclude(w, c.known ? RELAY_RCPTS_KNOWN : RELAY_RCPTS_UNKNOWN, c.said, c.age);
	else
		wait_for(w, key);
}

static struct domain *domain_of(struct relay_rcpts *rc, const char *name)
{
	for (size_t i = 0; i < rc->ndomains; i++)
		if (strcmp(rc->domains[i].name, name) == 0)
			return &rc->domains[i];
	return NULL;
}

static void lower(char *s)
{
	for (; *s != '\0'; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

static void ask(struct relay_rcpts *rc, const struct address *a, bool anew, relay_rcpts_fn *fn, void *ctx,
    struct relay_rcpts_wait **slot)
{
	struct relay_rcpts_wait *w = mem_new(sizeof(*w));

	*slot = NULL;
	w->of = rc;
	w->slot = slot;
	w->domain = domain_of(rc, a->domain);
	REQUIRE(w->domain != NULL);
	w->asked = w->address = *a;
	lower(w->address.local);
	w->anew = anew;
	w->whole = true;
	w->fn = fn;
	w->ctx = ctx;
	if (strcmp(w->address.local, "postmaster") == 0)
		tell(w, RELAY_RCPTS_KNOWN, "postmaster", "is taken in every domain (RFC 5321 4.5.1)", 0);
	else
		look(w);
}

void relay_rcpts_ask(
    struct relay_rcpts *rc, const struct address *a, relay_rcpts_fn *fn, void *ctx, struct relay_rcpts_wait **slot)
{
	ask(rc, a, false, fn, ctx, slot);
}

void relay_rcpts_ask_anew(
    struct relay_rcpts *rc, const struct address *a, relay_rcpts_fn *fn, void *ctx, struct relay_rcpts_wait **slot)
{
	ask(rc, a, true, fn, ctx, slot);
}

void relay_rcpts_cancel(struct relay_rcpts_wait *w)
{
	if (w == NULL)
		return;
	detach(w);
	free(w);
}

void relay_rcpts_forget(struct relay_rcpts *rc, const char *address)
{
	struct address a;
	char key[KEY_MAX];

	if (address_parse(address, strlen(address), &a, NULL) != 0)
		return;
	lower(a.local);
	snprintf(key, sizeof(key), "%s@%s", a.local, a.domain);
	relay_rcpts_cache_forget(rc->cache, key);
}

/* ---- the scout ---- */

/* A question with this range of ids that waits for the scout. */
static struct question *at_scout(struct relay_rcpts *rc, uint32_t first, uint32_t last)
{
	for (size_t i = 0; rc->nquestions > 0 && i < TABLE; i++)
		for (struct question *q = rc->questions[i]; q != NULL; q = q->next)
			/* what was freed was unlinked by its own prev, which the analyser does not follow */
			// NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
			if (q->domain->set->recipients == CONF_RCPTS_LDAP && q->id >= first && q->id <= last)
				return q;
	return NULL;
}

void relay_rcpts_ldap_came(struct relay_rcpts *rc, struct ipc_in *in)
{
	struct ldap_proto_answer *a = mem_new(sizeof(*a));
	static const enum relay_rcpts_state states[] = {
	    [LDAP_PROTO_FOUND] = RELAY_RCPTS_KNOWN,
	    [LDAP_PROTO_NOTHING] = RELAY_RCPTS_UNKNOWN,
	    [LDAP_PROTO_TEMP] = RELAY_RCPTS_UNSURE,
	    [LDAP_PROTO_WRONG] = RELAY_RCPTS_UNSURE,
	};
	uint32_t id = in->id;
	struct question *q;

	if (ldap_proto_get_answer(in, a) != 0)
		log_fatal("the scout sent an answer that cannot be read");
	q = at_scout(rc, id, id);
	if (q != NULL) {
		if (states[a->status] == RELAY_RCPTS_UNSURE)
			tell_log(q->domain, a->status == LDAP_PROTO_WRONG, a->said);
		question_answered(q, states[a->status], a->said);
	}
	free(a);
}

void relay_rcpts_scout_gone(struct relay_rcpts *rc)
{
	struct question *q;
	uint32_t last = rc->next_id;

	/* what is asked anew from inside fails at once or goes to the next scout: it is not of these */
	while ((q = at_scout(rc, 0, last)) != NULL)
		question_answered(q, RELAY_RCPTS_UNSURE, "the look-up process is away");
}

/* ---- beginning ---- */

void relay_rcpts_map_came(struct relay_rcpts *rc, unsigned domain, int fd)
{
	struct relay_rcpts_map *m = NULL;
	struct problem pr = {0};
	const char *file;
	struct buf b;

	buf_init(&b, (size_t)rc->set->map_max);
	if (domain >= rc->ndomains || lseek(fd, 0, SEEK_SET) != 0 || file_read_fd(fd, &b, &pr) != 0 ||
	    relay_rcpts_map_parse(rc->domains[domain].set->recipient_map, buf_str(&b), b.len, &m, &pr) != 0)
		log_fatal("a recipient-map from the parent cannot be read: %s", pr.text);
	rc->maps = mem_resize(rc->maps, (rc->nmaps + 1) * sizeof(struct relay_rcpts_map *));
	rc->maps[rc->nmaps++] = m;
	file = rc->domains[domain].set->recipient_map;
	log_info(NULL, "relay", "recipient-map file=%s entries=%zu", file, relay_rcpts_map_entries(m));
	for (size_t i = 0; i < rc->ndomains; i++)
		if (strcmp(rc->domains[i].set->recipient_map, file) == 0)
			rc->domains[i].map = m;
	buf_clear(&b);
	close(fd);
}

struct relay_rcpts *relay_rcpts_new(struct relay *r)
{
	struct relay_rcpts *rc = mem_new(sizeof(*rc));

	rc->r = r;
	rc->set = conf_section(r->conf, "recipients");
	rc->ndomains = conf_domains(r->conf);
	rc->domains = mem_new(rc->ndomains * sizeof(*rc->domains));
	for (size_t i = 0; i < rc->ndomains; i++)
		rc->domains[i].set = conf_domain(r->conf, i, &rc->domains[i].name);
	rc->cache = relay_rcpts_cache_new(rc->set);
	rc->pool = smtpc_probe_pool(r->loop, conf_section(r->conf, "smtp-client"), r->top->hostname,
	    rc->set->connections, rc->set->idle_time, rc->set->backoff_max, &rc->pool_set);
	return rc;
}

static void cancel_all(struct question *q)
{
	while (q->waits != NULL)
		/* what was freed was unlinked by its own prev, which the analyser does not follow */
		// NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
		relay_rcpts_cancel(q->waits);
}

void relay_rcpts_free(struct relay_rcpts *rc)
{
	for (size_t i = 0; i < TABLE; i++)
		for (struct question *q = rc->questions[i]; q != NULL; q = q->next)
			cancel_all(q);
	smtpc_pool_free(rc->pool); /* answers its probes */
	free(rc->pool_set);
	for (size_t i = 0; i < TABLE; i++)
		while (rc->questions[i] != NULL)
			question_answered(rc->questions[i], RELAY_RCPTS_UNSURE, "");
	for (size_t i = 0; i < rc->nmaps; i++)
		relay_rcpts_map_free(rc->maps[i]);
	relay_rcpts_cache_free(rc->cache);
	free(rc->maps);
	free(rc->domains);
	free(rc);
}
