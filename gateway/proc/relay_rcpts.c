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
#include "gateway/proc/relay_rcpts_map.h"
#include "gateway/proc/relay_rcpts_question.h"
#include "gateway/scout/ldap_proto.h"
#include "gateway/smtp/smtpc_probe.h"

static void look(struct relay_rcpts_wait *w);

/* ---- answers ---- */

static void refuse(const struct relay_rcpts_wait *w, enum relay_rcpts_state state, struct problem *pr)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(&w->asked, text);
	if (state == RELAY_RCPTS_UNKNOWN)
		problem_set(
		    pr, PROBLEM_PERM, 550, "5.1.1", "RFC 3463 3.2", "<%s>: there is no such mailbox here", text);
	else if (state == RELAY_RCPTS_UNABLE)
		problem_set(pr, PROBLEM_PERM, 553, "5.6.7", "RFC 6531 3.5",
		    "<%s>: the mail server of this domain takes no addresses with characters outside ASCII before "
		    "the "
		    "@ (it does not know SMTPUTF8)",
		    text);
	else if (w->limit == RELAY_RCPTS_LIMIT_CLIENT)
		problem_set(pr, PROBLEM_TEMP, 451, "4.7.1", "RFC 3463 3.8",
		    "<%s>: too many recipients that you asked for are still being looked up here, try again later",
		    text);
	else if (w->limit == RELAY_RCPTS_LIMIT_ALL)
		problem_set(pr, PROBLEM_TEMP, 451, "4.3.2", "RFC 3463 3.4",
		    "<%s>: too many recipients are being looked up here at the moment, try again later", text);
	else
		problem_set(pr, PROBLEM_TEMP, 451, "4.4.3", "RFC 3463 3.5",
		    "<%s>: whether there is such a mailbox cannot be found out now, try again later", text);
}

static void judge(const struct relay_rcpts_wait *w, struct relay_rcpts_answer *a)
{
	a->accepted = a->state == RELAY_RCPTS_KNOWN ||
		      (a->state == RELAY_RCPTS_UNSURE && w->limit != RELAY_RCPTS_LIMIT_CLIENT &&
			  w->domain->set->recipient_unsure == CONF_UNSURE_ACCEPT);
	if (!a->accepted)
		refuse(w, a->state, &a->pr);
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
		tell(w, state, relay_rcpts_question_source(w->domain), said, age);
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

static void told(struct relay_rcpts_wait *w, enum relay_rcpts_state state, const char *key, const char *said)
{
	if (state == RELAY_RCPTS_UNSURE)
		conclude_unsure(w, key, said);
	else
		conclude(w, state, said, 0);
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
	char key[RELAY_RCPTS_KEY_MAX];

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
		relay_rcpts_question_wait(w, key);
}

static struct relay_rcpts_domain *domain_of(struct relay_rcpts *rc, const char *name)
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

static void ask(struct relay_rcpts *rc, const struct address *a, const char *client, bool anew, relay_rcpts_fn *fn,
    void *ctx, struct relay_rcpts_wait **slot)
{
	struct relay_rcpts_wait *w = mem_new(sizeof(*w));

	*slot = NULL;
	w->of = rc;
	w->slot = slot;
	w->domain = domain_of(rc, a->domain);
	REQUIRE(w->domain != NULL);
	w->asked = w->address = *a;
	lower(w->address.local);
	w->client = client;
	w->anew = anew;
	w->whole = true;
	w->fn = fn;
	w->ctx = ctx;
	if (strcmp(w->address.local, "postmaster") == 0)
		tell(w, RELAY_RCPTS_KNOWN, "postmaster", "is taken in every domain (RFC 5321 4.5.1)", 0);
	else
		look(w);
}

void relay_rcpts_ask(struct relay_rcpts *rc, const struct address *a, const char *client, relay_rcpts_fn *fn,
    void *ctx, struct relay_rcpts_wait **slot)
{
	ask(rc, a, client, false, fn, ctx, slot);
}

void relay_rcpts_ask_anew(
    struct relay_rcpts *rc, const struct address *a, relay_rcpts_fn *fn, void *ctx, struct relay_rcpts_wait **slot)
{
	ask(rc, a, NULL, true, fn, ctx, slot);
}

void relay_rcpts_cancel(struct relay_rcpts_wait *w)
{
	if (w == NULL)
		return;
	relay_rcpts_question_leave(w);
	free(w);
}

static void forget_key(struct relay_rcpts *rc, const struct address *a)
{
	char key[RELAY_RCPTS_KEY_MAX];

	snprintf(key, sizeof(key), "%s@%s", a->local, a->domain);
	relay_rcpts_cache_forget(rc->cache, key);
}

void relay_rcpts_forget(struct relay_rcpts *rc, const char *address)
{
	const struct relay_rcpts_domain *d;
	struct address a;
	size_t n;

	if (address_parse_utf8(address, strlen(address), &a, NULL) != 0)
		return;
	lower(a.local);
	forget_key(rc, &a);
	d = domain_of(rc, a.domain);
	if (d == NULL || d->set->recipients == CONF_RCPTS_CALL_AHEAD)
		return;
	/* it was taken because the address without its tag is there */
	n = strcspn(a.local, d->set->recipient_delimiter);
	if (n > 0 && a.local[n] != '\0') {
		a.local[n] = '\0';
		forget_key(rc, &a);
	}
}

/* ---- the scout ---- */

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
	struct relay_rcpts_question *q;

	if (ldap_proto_get_answer(in, a) != 0)
		log_fatal("the scout sent an answer that cannot be read");
	q = relay_rcpts_question_at_scout(rc, id, id);
	if (q != NULL) {
		if (states[a->status] == RELAY_RCPTS_UNSURE)
			relay_rcpts_question_log(q->domain, a->status == LDAP_PROTO_WRONG, a->said);
		relay_rcpts_question_answered(q, states[a->status], a->said);
	}
	free(a);
}

void relay_rcpts_scout_gone(struct relay_rcpts *rc)
{
	struct relay_rcpts_question *q;
	uint32_t last = rc->next_id;

	/* what is asked anew from inside fails at once or goes to the next scout: it is not of these */
	while ((q = relay_rcpts_question_at_scout(rc, 0, last)) != NULL)
		relay_rcpts_question_answered(q, RELAY_RCPTS_UNSURE, "the look-up process is away");
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
	rc->told = told;
	rc->set = conf_section(r->conf, "recipients");
	rc->ndomains = conf_domains(r->conf);
	rc->domains = mem_new(rc->ndomains * sizeof(*rc->domains));
	for (size_t i = 0; i < rc->ndomains; i++) {
		rc->domains[i].set = conf_domain(r->conf, i, &rc->domains[i].name);
		rc->domains[i].at_once = relay_rcpts_question_at_once(rc, rc->domains[i].set);
	}
	rc->cache = relay_rcpts_cache_new(rc->set);
	rc->pool = smtpc_probe_pool(r->loop, conf_section(r->conf, "smtp-client"), r->top->hostname,
	    rc->set->connections, rc->set->idle_time, rc->set->backoff_max, &rc->pool_set);
	return rc;
}

static void cancel_all(struct relay_rcpts_question *q)
{
	while (q->waits != NULL)
		/* what was freed was unlinked by its own prev, which the analyser does not follow */
		// NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
		relay_rcpts_cancel(q->waits);
}

void relay_rcpts_free(struct relay_rcpts *rc)
{
	rc->ending = true;
	for (size_t i = 0; i < RELAY_RCPTS_TABLE; i++)
		for (struct relay_rcpts_question *q = rc->questions[i]; q != NULL; q = q->next)
			cancel_all(q);
	smtpc_pool_free(rc->pool); /* answers its probes */
	free(rc->pool_set);
	for (size_t i = 0; i < RELAY_RCPTS_TABLE; i++)
		while (rc->questions[i] != NULL)
			relay_rcpts_question_answered(rc->questions[i], RELAY_RCPTS_UNSURE, "");
	for (size_t i = 0; i < rc->nmaps; i++)
		relay_rcpts_map_free(rc->maps[i]);
	relay_rcpts_cache_free(rc->cache);
	free(rc->maps);
	free(rc->domains);
	free(rc);
}
