/* Relay. Nothing here knows what an answer means for a client: rc->told does. */
#include "gateway/proc/relay_rcpts_question.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_rcpts_cache.h"
#include "gateway/proc/relay_rcpts_hash.h"
#include "gateway/scout/ldap_proto.h"
#include "ldap/ldap_settings.h"

enum { TELL_MS = 60000, GIVE_UP_MS = 120000 };

const char *relay_rcpts_question_source(const struct relay_rcpts_domain *d)
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
	w->question = NULL;
	*w->slot = NULL;
}

void relay_rcpts_question_log(struct relay_rcpts_domain *d, bool alarm, const char *why)
{
	int64_t now = loop_now_ms();

	if (d->told[alarm] != 0 && now - d->told[alarm] < TELL_MS)
		return;
	d->told[alarm] = now;
	if (alarm)
		log_error(NULL, "relay", "alarm=recipients domain=%s source=%s why=\"%s\"", d->name,
		    relay_rcpts_question_source(d), why);
	else
		log_warn(NULL, "relay", "recipients-unsure domain=%s source=%s why=\"%s\"", d->name,
		    relay_rcpts_question_source(d), why);
}

static void question_end(struct relay_rcpts_question *q)
{
	*q->prev = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	q->of->nquestions--;
	loop_timer_off(q->late);
	relay_rcpts_turn_out(&q->domain->turn, &q->place);
}

static void question_free(struct relay_rcpts_question *q)
{
	loop_timer_free(q->late);
	free(q);
}

/* Nobody waits for it, and nobody was asked. */
static void drop_unasked(struct relay_rcpts_question *q)
{
	if (q->waits != NULL || q->place.asked || q->telling || q->of->ending)
		return;
	question_end(q);
	question_free(q);
}

void relay_rcpts_question_leave(struct relay_rcpts_wait *w)
{
	struct relay_rcpts_question *q = w->question;

	detach(w);
	if (q != NULL)
		drop_unasked(q);
}

static void ask_next(struct relay_rcpts *rc, struct relay_rcpts_domain *d);

static void tell_all(struct relay_rcpts_question *q, enum relay_rcpts_state state, const char *said)
{
	q->telling = true;
	while (q->waits != NULL) {
		struct relay_rcpts_wait *w = q->waits;

		/* what was freed was unlinked by its own prev, which the analyser does not follow */
		// NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
		detach(w);
		q->of->told(w, state, q->key, said);
	}
	q->telling = false;
}

/* Whoever is told may cancel others that wait: the list is taken from its head, one by one. */
void relay_rcpts_question_answered(struct relay_rcpts_question *q, enum relay_rcpts_state state, const char *said)
{
	struct relay_rcpts *rc = q->of;
	struct relay_rcpts_domain *d = q->domain;

	question_end(q);
	if (state == RELAY_RCPTS_KNOWN || state == RELAY_RCPTS_UNKNOWN)
		relay_rcpts_cache_put(rc->cache, q->key, state == RELAY_RCPTS_KNOWN, said, loop_now_ms());
	tell_all(q, state, said);
	question_free(q);
	ask_next(rc, d);
}

/* What its source was asked goes on; but an answer of the scout that has not come by GIVE_UP_MS was lost (the pool of
 * call-ahead always answers). */
static void on_late(void *ctx)
{
	struct relay_rcpts_question *q = ctx;
	bool ldap = q->domain->set->recipients == CONF_RCPTS_LDAP && q->place.asked;
	int64_t left = q->began + GIVE_UP_MS - loop_now_ms();
	char why[100];

	snprintf(why, sizeof(why), "no answer within %lld ms", (long long)q->of->set->timeout);
	if (q->waits != NULL)
		relay_rcpts_question_log(q->domain, false, why);
	if (ldap && left <= 0) {
		relay_rcpts_question_answered(q, RELAY_RCPTS_UNSURE, why);
		return;
	}
	tell_all(q, RELAY_RCPTS_UNSURE, why);
	if (ldap && q->waits == NULL)
		loop_timer_set(q->late, left);
	drop_unasked(q);
}

static void on_probe(void *ctx, struct smtpc_probe *p)
{
	struct relay_rcpts_question *q = ctx;
	static const enum relay_rcpts_state states[] = {
	    [SMTPC_PROBE_TAKEN] = RELAY_RCPTS_KNOWN,
	    [SMTPC_PROBE_UNKNOWN] = RELAY_RCPTS_UNKNOWN,
	    [SMTPC_PROBE_TEMP] = RELAY_RCPTS_UNSURE,
	    [SMTPC_PROBE_REFUSED] = RELAY_RCPTS_UNSURE,
	    [SMTPC_PROBE_UNABLE] = RELAY_RCPTS_UNABLE,
	};

	if (states[p->answer] == RELAY_RCPTS_UNSURE)
		relay_rcpts_question_log(q->domain, p->answer == SMTPC_PROBE_REFUSED, p->words);
	relay_rcpts_question_answered(q, states[p->answer], p->words);
}

static void on_hop(void *ctx, const struct smtpc_dest *d, const struct problem *pr)
{
	struct relay_rcpts_question *q = ctx;
	struct smtpc_dest dest;

	if (d == NULL) {
		relay_rcpts_question_log(q->domain, false, pr->text);
		relay_rcpts_question_answered(q, RELAY_RCPTS_UNSURE, pr->text);
		return;
	}
	dest = *d;
	dest.key = q->domain->name;
	q->probe.done = on_probe;
	q->probe.ctx = q;
	address_text(&q->address, q->probe.address);
	smtpc_probe_ask(q->of->pool, &dest, &q->probe);
}

static void ask_scout(struct relay_rcpts_question *q)
{
	struct ldap_proto_ask m = {0};
	struct ipc_out o;

	if (mem_copy_str(m.directory, sizeof(m.directory), q->domain->set->recipient_ldap) != 0 ||
	    mem_copy_str(m.local, sizeof(m.local), q->address.local) != 0 ||
	    mem_copy_str(m.domain, sizeof(m.domain), q->address.domain) != 0)
		log_panic("an address that does not fit");
	q->id = ++q->of->next_id;
	ldap_proto_put_ask(&o, q->id, &m);
	if (relay_hops_tell_scout(q->of->r->hops, &o) != 0)
		relay_rcpts_question_answered(q, RELAY_RCPTS_UNSURE, "the look-up process is away");
}

static void ask_source(struct relay_rcpts_question *q)
{
	char hop[RELAY_HOP_MAX];

	q->began = loop_now_ms();
	if (q->domain->set->recipients == CONF_RCPTS_LDAP) {
		ask_scout(q);
		return;
	}
	relay_hops_key(q->of->r, q->domain->name, hop);
	relay_hops_find(q->of->r->hops, hop, on_hop, q);
}

/* A source that answers at once, or is away, is asked the next one from here and not from inside its answer. */
static void ask_next(struct relay_rcpts *rc, struct relay_rcpts_domain *d)
{
	struct relay_rcpts_place *p;

	if (d->asking || rc->ending)
		return;
	d->asking = true;
	while ((p = relay_rcpts_turn_next(&d->turn, d->at_once)) != NULL)
		ask_source(p->question);
	d->asking = false;
}

static struct relay_rcpts_question **bucket(struct relay_rcpts *rc, const char *key)
{
	return &rc->questions[relay_rcpts_hash(key, strlen(key)) % RELAY_RCPTS_TABLE];
}

static struct relay_rcpts_question *question_new(
    struct relay_rcpts *rc, const struct relay_rcpts_wait *w, const char *key)
{
	struct relay_rcpts_question *q = mem_new(sizeof(*q)), **at;

	q->of = rc;
	q->domain = w->domain;
	relay_rcpts_turn_in(&w->domain->turn, &q->place, w->client, q);
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

static struct relay_rcpts_question *question_find(struct relay_rcpts *rc, const char *key)
{
	struct relay_rcpts_question *q = *bucket(rc, key);

	while (q != NULL && strcmp(q->key, key) != 0)
		q = q->next;
	return q;
}

/* May one more question be asked for this client? */
static enum relay_rcpts_limit limit_of(const struct relay_rcpts *rc, const struct relay_rcpts_wait *w)
{
	size_t own = 0;

	if (rc->nquestions >= (size_t)rc->set->waiting_max)
		return RELAY_RCPTS_LIMIT_ALL;
	for (size_t i = 0; w->client != NULL && i < rc->ndomains; i++)
		own += relay_rcpts_turn_of(&rc->domains[i].turn, w->client);
	return own >= (size_t)rc->set->waiting_per_client ? RELAY_RCPTS_LIMIT_CLIENT : RELAY_RCPTS_NO_LIMIT;
}

/* True: told. */
static bool over_limit(struct relay_rcpts_wait *w, const char *key)
{
	char why[160];

	w->limit = limit_of(w->of, w);
	if (w->limit == RELAY_RCPTS_NO_LIMIT)
		return false;
	if (w->limit == RELAY_RCPTS_LIMIT_CLIENT)
		snprintf(why, sizeof(why),
		    "client %s has more recipients looked up than waiting-per-client allows (%lld)", w->client,
		    (long long)w->of->set->waiting_per_client);
	else
		snprintf(why, sizeof(why), "more recipients are being looked up than waiting-max allows (%lld)",
		    (long long)w->of->set->waiting_max);
	relay_rcpts_question_log(w->domain, w->limit == RELAY_RCPTS_LIMIT_ALL, why);
	w->of->told(w, RELAY_RCPTS_UNSURE, key, why);
	return true;
}

void relay_rcpts_question_wait(struct relay_rcpts_wait *w, const char *key)
{
	struct relay_rcpts *rc = w->of;
	struct relay_rcpts_question *q = question_find(rc, key);
	bool begin = q == NULL;

	if (begin && over_limit(w, key))
		return;
	if (begin)
		q = question_new(rc, w, key);
	if (q->waits == NULL)
		loop_timer_set(q->late, rc->set->timeout);
	w->question = q;
	w->next = q->waits;
	w->prev = &q->waits;
	if (w->next != NULL)
		w->next->prev = &w->next;
	q->waits = w;
	*w->slot = w;
	if (begin)
		ask_next(rc, w->domain);
}

struct relay_rcpts_question *relay_rcpts_question_at_scout(struct relay_rcpts *rc, uint32_t first, uint32_t last)
{
	for (size_t i = 0; rc->nquestions > 0 && i < RELAY_RCPTS_TABLE; i++)
		for (struct relay_rcpts_question *q = rc->questions[i]; q != NULL; q = q->next)
			/* what was freed was unlinked by its own prev, which the analyser does not follow */
			// NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
			if (q->domain->set->recipients == CONF_RCPTS_LDAP && q->place.asked && q->id >= first &&
			    q->id <= last)
				return q;
	return NULL;
}

/* As many as can be under way there: the pool's connections, or the threads of the directory and as many that wait
 * for them. */
size_t relay_rcpts_question_at_once(const struct relay_rcpts *rc, const struct conf_domain *d)
{
	const struct ldap_settings *l;
	const char *title;

	for (size_t i = 0; d->recipients == CONF_RCPTS_LDAP && i < conf_directories(rc->r->conf); i++) {
		l = conf_directory(rc->r->conf, i, &title);
		if (strcmp(title, d->recipient_ldap) == 0)
			return 2 * (size_t)l->connections;
	}
	return (size_t)rc->set->connections;
}
