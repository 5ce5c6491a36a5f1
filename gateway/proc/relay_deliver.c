#include "gateway/proc/relay_deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_notice.h"
#include "gateway/proc/relay_open.h"
#include "gateway/proc/relay_rcpts.h"
#include "gateway/proc/relay_settle.h"

enum {
	ACTIVE_MAX =
	    500, /* messages under way at once: bounds memory (each holds at most memory-max of sealed content) */
	CLAIM_AT_ONCE = 64,
	SKIP_MAX = 4, /* one next hop may have a quarter of the places */
	AGAIN_MS = 30000,
	STALE_MS = 60000, /* how often held mail is looked through for what was held too long */
};

struct delivery {
	struct delivery *next, **prev;
	struct relay_deliver *of;
	struct arena *a;
	char *id, *sender, *nexthop;
	enum queue_kind kind;
	int64_t arrived;
	bool body8;
	struct spool *content;
	struct relay_deliver_rcpt *rcpts;
	struct smtpc_rcpt *to;
	size_t n;
	struct smtpc_mail mail;
};
struct relay_deliver {
	struct relay *r;
	struct delivery *list;
	size_t active;
	struct loop_timer *timer, *stale;
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void delivery_free(struct delivery *y)
{
	*y->prev = y->next;
	if (y->next != NULL)
		y->next->prev = y->prev;
	y->of->active--;
	spool_free(y->content);
	arena_free(y->a);
}

/* ---- the end of one try ---- */

/* What becomes of a recipient that could not be delivered now. RFC 5321 4.5.4: temporary is tried again until it is
 * too old. */
static void failed(struct delivery *y, struct relay_settle *s, size_t i, const char *remote)
{
	const struct problem *pr = &y->to[i].pr;
	int64_t now = now_ms();
	bool expired = queue_expired(y->of->r->queue, y->arrived, now);
	char why[900];

	snprintf(
	    why, sizeof(why), "%s%s%s", pr->text, y->to[i].reply[0] ? "; the server said: " : "", y->to[i].reply);
	if (pr->cls == PROBLEM_TEMP && !expired) {
		int64_t at = queue_next_try(y->of->r->queue, y->rcpts[i].attempts + 1, now);

		relay_settle_retry(s, y->rcpts[i].row, at, why, remote, pr->enh);
		return;
	}
	if (y->kind == QUEUE_INBOUND) {
		if (y->to[i].said)
			relay_rcpts_forget(y->of->r->rcpts, y->rcpts[i].address);
		relay_settle_hold(s, y->rcpts[i].row, why, remote, pr->enh);
		log_warn(y->id, "relay", "alarm=held to=<%s> why=\"%s\"", y->rcpts[i].address, why);
		return;
	}
	relay_settle_done(s, y->rcpts[i].row, expired ? QUEUE_EXPIRED : QUEUE_BOUNCED, why, remote, pr->enh);
	if (y->kind == QUEUE_OUTBOUND && y->sender[0] != '\0')
		relay_notice_add(s, y->rcpts[i].address, pr->enh[0] == '5' ? pr->enh : "5.4.7", why, remote);
	else
		log_warn(y->id, "relay", "double-bounce to=<%s> why=\"%s\"", y->rcpts[i].address, why);
}

static void log_final(const struct delivery *y, size_t i, const char *remote, const char *tls)
{
	const struct smtpc_rcpt *t = &y->to[i];
	int64_t delay = now_ms() - y->arrived;

	log_info(y->id, "relay",
	    "%s to=<%s> from=<%s> relay=%s tls=\"%s\" treatment=%s dsn=%s delay=%lld.%03lld attempt=%d%s%.300s%s",
	    t->ok			? "delivered"
	    : t->pr.cls == PROBLEM_TEMP ? "deferred"
					: "failed",
	    y->rcpts[i].address, y->sender, remote[0] ? remote : "-", tls, y->rcpts[i].treatment,
	    t->ok ? "2.0.0" : t->pr.enh, (long long)(delay / 1000), (long long)(delay % 1000),
	    y->rcpts[i].attempts + 1, t->ok ? "" : " why=\"", t->ok ? "" : t->pr.text, t->ok ? "" : "\"");
}

static struct relay_settle *outcomes(struct delivery *y, const char *remote, bool final)
{
	struct relay_settle *s = relay_settle_new(y->of->r, y->id);

	for (size_t i = 0; i < y->n; i++) {
		if (y->to[i].ok)
			relay_settle_done(s, y->rcpts[i].row, QUEUE_DELIVERED, y->to[i].reply, remote, "2.0.0");
		else if (final)
			failed(y, s, i, remote);
		else
			relay_settle_retry(
			    s, y->rcpts[i].row, now_ms() + AGAIN_MS, y->to[i].pr.text, remote, y->to[i].pr.enh);
	}
	return s;
}

static void finish(struct delivery *y, const char *remote, const char *tls)
{
	struct relay_deliver *d = y->of;
	struct relay_settle *s;

	for (size_t i = 0; i < y->n; i++)
		log_final(y, i, remote, tls);
	s = outcomes(y, remote, true);
	if (relay_notice_make(s, y->sender, y->arrived, y->content) != 0) {
		/* nobody is recorded as failed before the sender can be told: those go another round */
		relay_settle_abandon(s);
		s = outcomes(y, remote, false);
	}
	relay_settle_commit(s);
	delivery_free(y);
	relay_deliver_kick(d);
}

static void all_fail(struct delivery *y, const struct problem *pr)
{
	for (size_t i = 0; i < y->n; i++) {
		y->to[i].ok = false;
		y->to[i].pr = *pr;
	}
	finish(y, "", "");
}

static void on_sent(void *ctx, struct smtpc_mail *m, const char *remote, const char *tls)
{
	(void)m;
	finish(ctx, remote == NULL ? "" : remote, tls == NULL ? "" : tls);
}

/* ---- the try ---- */

static bool demands_tls(const struct delivery *y)
{
	for (size_t i = 0; i < y->n; i++)
		if (strcmp(y->rcpts[i].treatment, "tls") == 0)
			return true;
	return false;
}

static void on_hop(void *ctx, const struct smtpc_dest *dest, const struct problem *pr)
{
	struct delivery *y = ctx;
	struct problem p;

	if (dest == NULL) {
		all_fail(y, pr);
		return;
	}
	if (demands_tls(y) && dest->tls != SMTPC_TLS_VERIFY) {
		problem_set(&p, PROBLEM_TEMP, 451, "4.7.10", "",
		    "this mail may only go over verified TLS, but relay-tls is no longer \"verify\": set it again or "
		    "delete the message");
		all_fail(y, &p);
		return;
	}
	y->mail.sender = y->sender;
	y->mail.rcpts = y->to;
	y->mail.nrcpts = y->n;
	y->mail.front = "";
	y->mail.content = spool_reader(y->content);
	y->mail.body8 = y->body8;
	y->mail.sealed = !y->body8;
	y->mail.id = y->id;
	y->mail.done = on_sent;
	y->mail.ctx = y;
	smtpc_pool_send(y->of->r->pool, dest, &y->mail);
}

static struct delivery *delivery_new(struct relay_deliver *d, size_t n)
{
	struct arena *a = arena_new(4 * 1024 * 1024);
	struct delivery *y = arena_alloc(a, sizeof(*y));

	REQUIRE(y != NULL);
	y->a = a;
	y->of = d;
	y->n = n;
	y->rcpts = arena_alloc(a, n * sizeof(*y->rcpts));
	y->to = arena_alloc(a, n * sizeof(*y->to));
	REQUIRE(y->rcpts != NULL && y->to != NULL);
	y->next = d->list;
	y->prev = &d->list;
	if (d->list != NULL)
		d->list->prev = &y->next;
	d->list = y;
	d->active++;
	return y;
}

void relay_deliver_begin(struct relay_deliver *d, const char *id, enum queue_kind kind, const char *sender,
    const char *nexthop, const char *facts, int64_t arrived, struct spool *content,
    const struct relay_deliver_rcpt *v, size_t n)
{
	struct delivery *y = delivery_new(d, n);

	y->id = arena_str(y->a, id);
	y->sender = arena_str(y->a, sender);
	y->nexthop = arena_str(y->a, nexthop);
	y->kind = kind;
	y->arrived = arrived;
	y->body8 = strcmp(facts, RELAY_FACTS_BODY8) == 0;
	y->content = spool_ref(content);
	REQUIRE(y->id != NULL && y->sender != NULL && y->nexthop != NULL);
	for (size_t i = 0; i < n; i++) {
		y->rcpts[i] = v[i];
		y->rcpts[i].address = arena_str(y->a, v[i].address);
		y->rcpts[i].treatment = arena_str(y->a, v[i].treatment == NULL ? "" : v[i].treatment);
		REQUIRE(y->rcpts[i].address != NULL && y->rcpts[i].treatment != NULL);
		y->to[i].address = y->rcpts[i].address;
	}
	relay_hops_find(d->r->hops, y->nexthop, on_hop, y);
}

/* ---- claiming ---- */

static void put_back(struct relay_deliver *d, const struct queue_job *j, const struct problem *pr)
{
	struct relay_settle *s = relay_settle_new(d->r, j->id);

	for (size_t i = 0; i < j->nrcpts; i++)
		relay_settle_retry(s, j->rcpts[i].row, now_ms() + 10000, pr->text, NULL, pr->enh);
	relay_settle_commit(s);
}

/* A claimed message that cannot be read back is held: its key or its octets are damaged, and a person must look. */
static void unreadable(struct relay_deliver *d, const struct queue_job *j, const struct problem *pr)
{
	struct relay_settle *s;

	if (pr->cls == PROBLEM_TEMP) {
		put_back(d, j, pr);
		return;
	}
	s = relay_settle_new(d->r, j->id);
	for (size_t i = 0; i < j->nrcpts; i++)
		relay_settle_hold(s, j->rcpts[i].row, pr->text, NULL, pr->enh);
	relay_settle_commit(s);
	log_error(j->id, "relay", "alarm=unreadable why=\"%s\"", pr->text);
}

static void start(struct relay_deliver *d, const struct queue_job *j)
{
	uint8_t key[SPOOL_KEY];
	struct problem pr = {0};
	struct relay_deliver_rcpt *v;
	struct spool *content = NULL;

	if (datakeys_unwrap(d->r->datakeys, j->wrapped, j->wrapped_len, key, &pr) == 0)
		content = queue_content(d->r->queue, j->msg, key, &pr);
	mem_wipe(key, sizeof(key));
	if (content == NULL) {
		unreadable(d, j, &pr);
		return;
	}
	if (j->kind == QUEUE_RAW) {
		relay_open_claimed(d->r, j, content);
		spool_free(content);
		return;
	}
	v = mem_new((j->nrcpts + 1) * sizeof(*v));
	for (size_t i = 0; i < j->nrcpts; i++) {
		v[i].row = j->rcpts[i].row;
		v[i].address = j->rcpts[i].address;
		v[i].treatment = j->rcpts[i].treatment;
		v[i].attempts = j->rcpts[i].attempts;
	}
	relay_deliver_begin(d, j->id, j->kind, j->sender, j->nexthop, j->facts, j->arrived, content, v, j->nrcpts);
	free(v);
	spool_free(content);
}

/* Next hops that have their share of the places already: one slow site must not take them all. The keys live as long
 * as their deliveries. */
static size_t crowded(const struct relay_deliver *d, const char *skip[SKIP_MAX])
{
	size_t n = 0;

	for (const struct delivery *y = d->list; y != NULL && n < SKIP_MAX; y = y->next) {
		size_t same = 0;
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known = known || strcmp(skip[i], y->nexthop) == 0;
		for (const struct delivery *z = y; z != NULL && !known; z = z->next)
			same += strcmp(z->nexthop, y->nexthop) == 0;
		if (same > ACTIVE_MAX / SKIP_MAX)
			skip[n++] = y->nexthop;
	}
	return n;
}

/* ---- held for too long ---- */

/* Outbound: the inside sender is told. Inbound: nobody outside ever is; the alarm is for the admin (ARCHITECTURE:
 * held mail). */
static void expire_held(struct relay_deliver *d, const struct queue_job *j)
{
	struct relay_settle *s = relay_settle_new(d->r, j->id);
	struct problem pr = {0};
	uint8_t key[SPOOL_KEY];
	struct spool *content = NULL;

	if (datakeys_unwrap(d->r->datakeys, j->wrapped, j->wrapped_len, key, &pr) == 0)
		content = queue_content(d->r->queue, j->msg, key, &pr);
	mem_wipe(key, sizeof(key));
	for (size_t i = 0; i < j->nrcpts; i++) {
		relay_settle_done(s, j->rcpts[i].row, QUEUE_EXPIRED, "held longer than hold-expire", NULL, "5.4.7");
		log_error(j->id, "relay", "alarm=hold-expired to=<%s> from=<%s>", j->rcpts[i].address, j->sender);
		if (j->kind == QUEUE_OUTBOUND && j->sender[0] != '\0')
			relay_notice_add(s, j->rcpts[i].address, "5.4.7",
			    "the message was held and nobody released it in time", NULL);
	}
	if (content == NULL || relay_notice_make(s, j->sender, j->arrived, content) != 0) {
		relay_settle_abandon(s);
		s = relay_settle_new(d->r, j->id);
		for (size_t i = 0; i < j->nrcpts; i++)
			relay_settle_hold(s, j->rcpts[i].row, NULL, NULL, NULL); /* the next look tries again */
	}
	relay_settle_commit(s);
	spool_free(content);
}

static void on_stale_timer(void *ctx)
{
	struct relay_deliver *d = ctx;
	struct queue_job *jobs[CLAIM_AT_ONCE];
	size_t n;

	loop_timer_set(d->stale, STALE_MS);
	if (d->r->stopping || d->r->keeper != KEYS_READY)
		return;
	n = queue_claim_stale(d->r->queue, CLAIM_AT_ONCE, jobs);
	for (size_t i = 0; i < n; i++) {
		expire_held(d, jobs[i]);
		queue_job_free(jobs[i]);
	}
}

static void on_timer(void *ctx)
{
	struct relay_deliver *d = ctx;
	struct queue_job *jobs[CLAIM_AT_ONCE];
	const char *skip[SKIP_MAX];
	size_t nskip;
	int64_t due = INT64_MAX;
	size_t busy = d->active + relay_open_active(d->r), n;

	if (d->r->stopping || d->r->keeper != KEYS_READY || busy >= ACTIVE_MAX) {
		loop_timer_set(d->timer, 1000);
		return;
	}
	nskip = crowded(d, skip);
	n = queue_claim(d->r->queue, ACTIVE_MAX - busy < CLAIM_AT_ONCE ? ACTIVE_MAX - busy : CLAIM_AT_ONCE, skip,
	    nskip, jobs, &due);
	keys_client_begin(d->r->keys);
	for (size_t i = 0; i < n; i++) {
		if (keys_client_failed(d->r->keys)) /* one that does not answer is not asked for every message */
			put_back(d, jobs[i], keys_client_problem(d->r->keys));
		else
			start(d, jobs[i]);
		queue_job_free(jobs[i]);
	}
	int64_t wait = n > 0 ? 1 : due == INT64_MAX ? 5000 : due - now_ms();
	loop_timer_set(d->timer, wait < 1 ? 1 : wait > 5000 ? 5000 : wait);
}

void relay_deliver_kick(struct relay_deliver *d)
{
	loop_timer_set(d->timer, 20);
}

bool relay_deliver_room(const struct relay_deliver *d)
{
	return d->active + relay_open_active(d->r) < ACTIVE_MAX;
}

size_t relay_deliver_active(const struct relay_deliver *d)
{
	return d->active;
}

struct relay_deliver *relay_deliver_new(struct relay *r)
{
	struct relay_deliver *d = mem_new(sizeof(*d));

	d->r = r;
	d->timer = loop_timer_new(r->loop, on_timer, d);
	loop_timer_set(d->timer, 1);
	d->stale = loop_timer_new(r->loop, on_stale_timer, d);
	loop_timer_set(d->stale, STALE_MS);
	return d;
}

void relay_deliver_free(struct relay_deliver *d)
{
	if (d == NULL)
		return;
	loop_timer_free(d->timer);
	loop_timer_free(d->stale);
	while (d->list != NULL)
		delivery_free(d->list);
	free(d);
}
