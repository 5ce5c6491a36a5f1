#include "gateway/proc/relay_deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_claimed.h"
#include "gateway/proc/relay_fate.h"
#include "gateway/proc/relay_hop_tls.h"
#include "gateway/proc/relay_held.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_notice.h"
#include "gateway/proc/relay_open.h"
#include "gateway/proc/relay_rcpts.h"
#include "gateway/proc/relay_settle.h"
#include "gateway/proc/relay_seven.h"
#include "gateway/proc/relay_xsmg_client.h"
#include "gateway/queue/queue_settings.h"
#include "gateway/smtp/smtpc_settings.h"

enum {
	ACTIVE_MAX =
	    500, /* messages under way at once: bounds memory (each holds at most memory-max of sealed content) */
	CLAIM_AT_ONCE = 64,
	SKIP_MAX = 4, /* one next hop may have a quarter of the places */
	CROWDS = UINT8_MAX + 1,
	SITE_MAX = 1100, /* a next hop's name and what is behind it */
	AGAIN_MS = 30000,
	KICK_MS = 5,
	PROBES_MAX = ACTIVE_MAX / 4,	/* places of next hops that were down when last tried */
	STRANGERS_MAX = ACTIVE_MAX / 2, /* of those where nothing was taken since the start: they may be dead too */
	STALE_MS = 60000,		/* how often held mail is looked through for what was held too long */
};

struct delivery {
	struct delivery *next, **prev;
	struct relay_deliver *of;
	struct arena *a;
	char *id, *sender, *nexthop;
	char *site; /* what the pool knows the next hop by: another name when the configuration changed meanwhile */
	enum queue_kind kind;
	int64_t arrived;
	struct envelope env;
	bool probe, stranger, held;
	bool verified;	    /* only over verified TLS */
	int tries;	    /* of a held one */
	uint8_t crowd;	    /* bucket of the next hop */
	bool double_notice; /* a notice about a notice */
	struct spool *content;
	struct relay_seven *converting;
	struct spool *seven; /* content in 7 bits, for a host without 8BITMIME */
	struct relay_deliver_rcpt *rcpts;
	struct smtpc_rcpt *to;
	size_t n;
	struct smtpc_mail mail;
	struct relay_xsmg_mail *xsmg; /* what is done about statements beside it */
};
struct relay_deliver {
	struct relay *r;
	struct delivery *list;
	size_t active, probes, strangers;
	size_t crowd[CROWDS]; /* deliveries by a hash of their next hop */
	struct loop_timer *timer, *stale;
	int64_t turn; /* loop_now_ms when timer runs */
};

static int64_t now_ms(const struct relay_deliver *d)
{
	return queue_now(d->r->queue);
}

static uint8_t crowd_of(const char *nexthop)
{
	unsigned h = 5381;

	while (*nexthop != '\0')
		h = h * 33 + (uint8_t)*nexthop++;
	return (uint8_t)(h ^ h >> 8);
}

static void delivery_free(struct delivery *y)
{
	*y->prev = y->next;
	if (y->next != NULL)
		y->next->prev = y->prev;
	y->of->active--;
	y->of->probes -= y->probe;
	y->of->strangers -= y->stranger;
	y->of->crowd[y->crowd]--;
	relay_xsmg_mail_free(y->xsmg);
	relay_seven_cancel(y->converting);
	spool_free(y->seven);
	if (y->held)
		relay_held_end(y->of->r->held);
	spool_free(y->content);
	arena_free(y->a);
}

/* ---- the end of one try ---- */

static struct relay_fate fate_of(const struct delivery *y, size_t i, int64_t now)
{
	const struct queue *q = y->of->r->queue;
	char postmaster[ADDRESS_TEXT_MAX];
	struct relay_fate_in in = {
	    .kind = y->kind,
	    .null_sender = y->sender[0] == '\0',
	    .notify = y->rcpts[i].env.notify,
	    .ok = y->to[i].ok,
	    .temp = y->to[i].pr.cls == PROBLEM_TEMP,
	    .dsn_lost = y->to[i].dsn_lost,
	    .expired = queue_expired(q, y->arrived, now),
	    .delayed = queue_delayed(q, y->arrived, now),
	    .warned = y->rcpts[i].warned,
	};

	relay_notice_postmaster(y->of->r, postmaster);
	in.last_notice = y->double_notice || strcasecmp(y->rcpts[i].address, postmaster) == 0;
	return relay_fate(&in);
}

static void tell(struct delivery *y, struct relay_settle *s, size_t i, const struct relay_fate *f, const char *remote)
{
	const struct problem *pr = &y->to[i].pr;
	const struct queue_settings *set = queue_settings_of(y->of->r->queue);
	struct dsn_rcpt d = {
	    .action = f->action,
	    .address = y->rcpts[i].address,
	    .orcpt = y->rcpts[i].env.orcpt,
	    .status = y->to[i].ok ? "2.0.0" : pr->enh,
	    .diagnostic = y->to[i].reply[0] ? y->to[i].reply : NULL,
	    .remote_mta = remote[0] ? remote : NULL,
	    .sentence = y->to[i].ok ? NULL : pr->text,
	    .retry_until = (y->arrived + set->expire) / 1000,
	};

	if (f->action == DSN_FAILED && pr->enh[0] != '5')
		d.status = "5.4.7";
	if (f->action == DSN_DELAYED && pr->enh[0] != '4')
		d.status = "4.4.7";
	relay_settle_tell(s, &d);
}

/* What the inside server refuses, or is away for too long: it is asked again now and then. */
static void hold(const struct delivery *y, struct relay_settle *s, size_t i, const struct relay_why *why)
{
	struct relay *r = y->of->r;
	struct queue_hold h = {.waits = QUEUE_WAITS_INSIDE,
	    .waits_for = y->nexthop,
	    .again_at = queue_held_again(r->queue, QUEUE_WAITS_INSIDE, y->held ? y->tries + 1 : 0)};

	if (y->to[i].said) /* it does not know the recipient, although it was asked before */
		relay_rcpts_forget(r->rcpts, y->rcpts[i].address);
	relay_settle_hold(s, y->rcpts[i].row, why, &h);
}

/* Writes down what becomes of recipient i; true: a notice goes to the postmaster. */
static bool settle(struct delivery *y, struct relay_settle *s, size_t i, const char *remote)
{
	const struct smtpc_rcpt *t = &y->to[i];
	int64_t now = now_ms(y->of), row = y->rcpts[i].row;
	struct relay_fate f = fate_of(y, i, now);
	char why[900], text[PROBLEM_TEXT_MAX];

	snprintf(why, sizeof(why), "%s%s%s", t->reply[0] ? problem_clause(&t->pr, text) : t->pr.text,
	    t->reply[0] ? "; the server said: " : "", t->reply);
	switch (f.end) {
	case RELAY_FATE_DELIVERED:
		relay_settle_done(s, row, QUEUE_DELIVERED, t->reply, remote, "2.0.0");
		break;
	case RELAY_FATE_RETRY:
		relay_settle_retry(
		    s, row, queue_next_try(y->of->r->queue, y->rcpts[i].attempts + 1, now), why, remote, t->pr.enh);
		if (f.tell == RELAY_FATE_SENDER)
			relay_settle_warned(s);
		break;
	case RELAY_FATE_HOLD:
		hold(y, s, i, &(struct relay_why){why, remote, t->pr.enh});
		break;
	default:
		relay_settle_done(
		    s, row, f.end == RELAY_FATE_EXPIRED ? QUEUE_EXPIRED : QUEUE_BOUNCED, why, remote, t->pr.enh);
		break;
	}
	if (f.tell == RELAY_FATE_ALARM)
		log_warn(y->id, "relay", "alarm=%s to=<%s> why=\"%s\"",
		    f.end == RELAY_FATE_HOLD ? "held" : "double-bounce", y->rcpts[i].address, why);
	else if (f.tell != RELAY_FATE_NOBODY)
		tell(y, s, i, &f, remote);
	else if (f.end >= RELAY_FATE_BOUNCED)
		log_warn(
		    y->id, "relay", "nobody-told to=<%s> from=<%s> why=\"%s\"", y->rcpts[i].address, y->sender, why);
	return f.tell == RELAY_FATE_POSTMASTER;
}

static void log_final(const struct delivery *y, size_t i, const char *remote, const char *tls)
{
	const struct smtpc_rcpt *t = &y->to[i];
	int64_t delay = now_ms(y->of) - y->arrived;

	log_info(y->id, "relay",
	    "%s to=<%s> from=<%s> relay=%s tls=\"%s\" treatment=%s dsn=%s delay=%lld.%03lld attempt=%d "
	    "why=\"%.300s\"",
	    t->ok			? "delivered"
	    : t->pr.cls == PROBLEM_TEMP ? "deferred"
					: "failed",
	    y->rcpts[i].address, y->sender, remote[0] ? remote : "-", tls, y->rcpts[i].treatment,
	    t->ok ? "2.0.0" : t->pr.enh, (long long)(delay / 1000), (long long)(delay % 1000),
	    y->rcpts[i].attempts + 1, t->ok ? t->reply : t->pr.text);
}

/* What was delivered stays so; the others go another round. */
static struct relay_settle *put_off(struct delivery *y, const char *remote)
{
	struct relay_settle *s = relay_settle_new(y->of->r, y->id);

	for (size_t i = 0; i < y->n; i++) {
		if (y->to[i].ok)
			relay_settle_done(s, y->rcpts[i].row, QUEUE_DELIVERED, y->to[i].reply, remote, "2.0.0");
		else
			relay_settle_retry(
			    s, y->rcpts[i].row, now_ms(y->of) + AGAIN_MS, y->to[i].pr.text, remote, y->to[i].pr.enh);
	}
	return s;
}

static bool all_clear(const struct delivery *y)
{
	for (size_t i = 0; i < y->n; i++)
		if (strcmp(y->rcpts[i].treatment, "clear") != 0)
			return false;
	return true;
}

/* What the try says of the next hop: one that is down is tried with one message now and then, and costs the others
 * nothing. */
static void judge_hop(const struct delivery *y, int64_t now)
{
	struct relay *r = y->of->r;
	struct problem pr;
	int64_t until = smtpc_pool_backoff(r->pool, y->site, &pr);

	if (until > now && y->verified) { /* what is wrong with its verified TLS need not concern other mail */
		queue_hop_again(r->queue, y->nexthop);
		return;
	}
	if (until > now)
		queue_hop_failed(r->queue, y->nexthop, until);
	else
		queue_hop_works(r->queue, y->nexthop);
}

static void finish(struct delivery *y, const char *remote, const char *tls)
{
	struct relay_deliver *d = y->of;
	struct relay_settle *s = relay_settle_new(d->r, y->id);
	struct relay_notice about = {
	    .sender = y->sender, .env = &y->env, .arrived = y->arrived, .content = y->content, .clear = all_clear(y)};

	relay_settle_tls(s, tls);
	for (size_t i = 0; i < y->n; i++) {
		log_final(y, i, remote, tls);
		about.to_postmaster |= settle(y, s, i, remote);
	}
	if (relay_notice_make(s, &about) != 0) {
		/* nobody is recorded as failed before the sender can be told */
		relay_settle_abandon(s);
		s = put_off(y, remote);
	}
	relay_settle_commit(s);
	delivery_free(y);
	relay_deliver_kick(d);
}

static void on_converted(void *ctx, struct spool *seven, const struct problem *pr);

static void all_fail(struct delivery *y, const struct problem *pr)
{
	for (size_t i = 0; i < y->n; i++) /* some may have their end: the others are tried with 7 bits */
		if (!y->to[i].ok && y->to[i].pr.cls == PROBLEM_NONE)
			y->to[i].pr = *pr;
	finish(y, "", "");
}

static bool any_eight(const struct delivery *y)
{
	for (size_t i = 0; i < y->n; i++)
		if (!y->to[i].ok && y->to[i].eight)
			return true;
	return false;
}

/* 8-bit content and a host that takes none: once, with what a sealer makes of it. Never of mail with SMTPUTF8: its
 * addresses have no 7-bit form (RFC 6531 3.5). */
static bool convert(struct delivery *y)
{
	const struct smtpc_settings *set = conf_section(y->of->r->conf, "smtp-client");

	if (y->seven != NULL || y->env.utf8 || !set->convert_8bit || !any_eight(y))
		return false;
	y->converting = relay_seven_start(y->of->r, y->id, y->content, on_converted, y);
	return true;
}

static void on_hop(void *ctx, const struct smtpc_dest *dest, const struct problem *pr);

/* A notice of ours that the inside server cannot be given as it is, for want of 8BITMIME, is sent again in 7 bits. */
static bool again_in_seven(struct delivery *y)
{
	struct spool *seven;

	if (y->kind != QUEUE_NOTICE || !y->env.body8 || y->env.utf8 || y->of->r->stopping)
		return false;
	for (size_t i = 0; i < y->n; i++)
		if (y->to[i].ok || y->to[i].said || strcmp(y->to[i].pr.enh, "5.6.3") != 0)
			return false;
	seven = relay_notice_seven(y->of->r, y->id, y->content);
	if (seven == NULL)
		return false;
	spool_free(y->content);
	y->content = seven;
	y->env.body8 = false;
	for (size_t i = 0; i < y->n; i++)
		y->to[i] = (struct smtpc_rcpt){.address = y->rcpts[i].address, .env = y->rcpts[i].env};
	relay_hops_find(y->of->r->hops, y->nexthop, on_hop, y);
	return true;
}

static void on_sent(void *ctx, struct smtpc_mail *m, const char *remote, const char *tls)
{
	(void)m;
	judge_hop(ctx, now_ms(((struct delivery *)ctx)->of));
	if (!again_in_seven(ctx) && !convert(ctx))
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

/* REQUIRETLS (RFC 8689) has nothing to ask of the inside hop: the octets do not leave this machine, or inside-tls
 * demands verified TLS of the server that the admin named. */
static bool inside_is_safe(const struct delivery *y)
{
	const char *at = strrchr(y->rcpts[0].address, '@');

	return y->kind == QUEUE_INBOUND && at != NULL &&
	       relay_hops_inside(y->of->r, at + 1) != RELAY_HOPS_INSIDE_OPEN;
}

static void hand_over(struct delivery *y, const struct smtpc_dest *dest)
{
	y->site = arena_str(y->a, dest->key);
	REQUIRE(y->site != NULL);
	y->mail.sender = y->sender;
	y->mail.rcpts = y->to;
	y->mail.nrcpts = y->n;
	y->mail.front = "";
	y->mail.content = spool_reader(y->seven != NULL ? y->seven : y->content);
	y->mail.env = y->env;
	y->mail.env.requiretls = y->env.requiretls && !inside_is_safe(y);
	y->mail.env.body8 = y->mail.body8 = y->env.body8 && y->seven == NULL;
	y->mail.early = y->kind == QUEUE_OUTBOUND;
	y->mail.xsmg = relay_xsmg_mail_of(y->xsmg);
	y->mail.id = y->id;
	y->mail.done = on_sent;
	y->mail.ctx = y;
	smtpc_pool_send(y->of->r->pool, dest, &y->mail);
}

/* A destination of its own in the pool, so that a failed verification backs off nobody else's mail. */
static void sure_key(const char *key, char out[SITE_MAX])
{
	REQUIRE(snprintf(out, SITE_MAX, "%s!verified", key) < SITE_MAX);
}

/* Treatment `tls`: only to the hosts with which TLS is verified. */
static void send_verified(struct delivery *y, const struct smtpc_dest *dest)
{
	struct smtpc_host *v = mem_new((dest->nhosts + 1) * sizeof(*v));
	struct smtpc_dest d = *dest;
	struct problem pr;
	char key[SITE_MAX];

	y->verified = true;
	sure_key(dest->key, key);
	d.key = key;
	d.hosts = v;
	d.nhosts = relay_hop_tls_sure(dest, v);
	if (d.nhosts > 0) {
		hand_over(y, &d);
	} else {
		problem_set(&pr, PROBLEM_TEMP, 451, "4.7.10", "",
		    "this mail may only go over verified TLS, and now neither DANE nor an MTA-STS policy vouches for "
		    "a "
		    "host of %s, nor does relay-tls = verify with a relay-host: set that, or delete the message",
		    y->nexthop);
		queue_hop_again(y->of->r->queue, y->nexthop);
		all_fail(y, &pr);
	}
	free(v);
}

/* REQUIRETLS, and which TLS there is cannot be told: it is not returned for what may be known in an hour. */
static bool put_off_unsure(struct delivery *y, const struct smtpc_dest *dest)
{
	struct problem pr;

	if (!y->env.requiretls || inside_is_safe(y) || !dest->unsure || relay_hop_tls_sure(dest, NULL) > 0)
		return false;
	problem_set(&pr, PROBLEM_TEMP, 451, "4.7.5", "RFC 8689 4.2.1",
	    "the sender demands verified TLS all the way (REQUIRETLS), and the MTA-STS policy of %s, or TLSA records "
	    "of "
	    "its mail hosts, cannot be had now",
	    y->nexthop);
	queue_hop_again(y->of->r->queue, y->nexthop);
	all_fail(y, &pr);
	return true;
}

static void on_hop(void *ctx, const struct smtpc_dest *dest, const struct problem *pr)
{
	struct delivery *y = ctx;

	if (dest == NULL) {
		if (pr->cls == PROBLEM_TEMP) /* no name server of the domain answers */
			queue_hop_failed(
			    y->of->r->queue, y->nexthop, queue_next_try(y->of->r->queue, 1, now_ms(y->of)));
		else
			queue_hop_again(y->of->r->queue, y->nexthop);
		all_fail(y, pr);
		return;
	}
	if (demands_tls(y))
		send_verified(y, dest);
	else if (!put_off_unsure(y, dest))
		hand_over(y, dest);
}

/* A partner is asked by its own hosts alone, those that its MX records name. */
static const char *partner_of(const struct delivery *y)
{
	static const char mx[] = "mx:";

	return y->kind == QUEUE_OUTBOUND && strncmp(y->nexthop, mx, sizeof(mx) - 1) == 0 ? y->nexthop + sizeof(mx) - 1
											 : NULL;
}

/* RFC 8689 5: the author prefers delivery to protection; whether that counts is the admin's decision. */
static void find_hop(void *ctx)
{
	struct delivery *y = ctx;
	struct relay *r = y->of->r;

	if (y->env.tls_no && y->kind == QUEUE_OUTBOUND && r->top->tls_required_no == CONF_TLS_NO_HONOUR &&
	    !demands_tls(y))
		relay_hops_find_less(r->hops, y->nexthop, on_hop, y);
	else
		relay_hops_find(r->hops, y->nexthop, on_hop, y);
}

static void on_converted(void *ctx, struct spool *seven, const struct problem *pr)
{
	struct delivery *y = ctx;

	y->converting = NULL;
	y->seven = seven;
	for (size_t i = 0; i < y->n; i++) {
		if (!y->to[i].eight)
			continue;
		y->to[i].eight = false;
		if (seven == NULL)
			y->to[i].pr = *pr;
		else
			memset(&y->to[i].pr, 0, sizeof(y->to[i].pr));
	}
	if (seven == NULL) {
		finish(y, "", "");
		return;
	}
	log_info(y->id, "relay", "converted from=%llu to=%llu why=\"no 8BITMIME\"",
	    (unsigned long long)spool_size(y->content), (unsigned long long)spool_size(seven));
	find_hop(y);
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

void relay_deliver_begin(
    struct relay_deliver *d, const struct relay_deliver_msg *m, const struct relay_deliver_rcpt *v, size_t n)
{
	struct delivery *y = delivery_new(d, n);

	y->id = arena_str(y->a, m->id);
	y->sender = arena_str(y->a, m->sender);
	y->nexthop = arena_str(y->a, m->nexthop);
	y->kind = m->kind;
	y->arrived = m->arrived;
	y->env = m->env;
	y->env.envid = arena_str(y->a, m->env.envid == NULL ? "" : m->env.envid);
	y->probe = m->probe;
	d->probes += y->probe;
	y->stranger = m->stranger;
	d->strangers += y->stranger;
	y->held = m->held;
	y->tries = m->tries;
	if (y->held)
		relay_held_begin(d->r->held);
	y->crowd = crowd_of(m->nexthop);
	d->crowd[y->crowd]++;
	y->double_notice = m->kind == QUEUE_NOTICE && strcmp(m->facts, RELAY_NOTICE_DOUBLE) == 0;
	y->content = spool_ref(m->content);
	REQUIRE(y->id != NULL && y->sender != NULL && y->nexthop != NULL && y->env.envid != NULL);
	for (size_t i = 0; i < n; i++) {
		y->rcpts[i] = v[i];
		y->rcpts[i].address = arena_str(y->a, v[i].address);
		y->rcpts[i].treatment = arena_str(y->a, v[i].treatment == NULL ? "" : v[i].treatment);
		y->rcpts[i].env.orcpt = arena_str(y->a, v[i].env.orcpt == NULL ? "" : v[i].env.orcpt);
		REQUIRE(
		    y->rcpts[i].address != NULL && y->rcpts[i].treatment != NULL && y->rcpts[i].env.orcpt != NULL);
		y->to[i].address = y->rcpts[i].address;
		y->to[i].env = y->rcpts[i].env;
	}

	const char *partner = partner_of(y);

	y->xsmg = partner != NULL ? relay_xsmg_mail_new(d->r, y->sender, partner) : NULL;
	if (y->xsmg != NULL)
		relay_xsmg_mail_ready(y->xsmg, find_hop, y);
	else
		find_hop(y);
}

/* ---- claiming ---- */

/* Next hops that have their share of the places already: one slow site must not take them all. More than SKIP_MAX
 * cannot have it. The keys live as long as their deliveries. */
static size_t crowded(const struct relay_deliver *d, const char *skip[SKIP_MAX])
{
	size_t n = 0;

	for (const struct delivery *y = d->list; y != NULL && n < SKIP_MAX; y = y->next) {
		size_t same = 0;
		bool known = d->crowd[y->crowd] <= ACTIVE_MAX / SKIP_MAX; /* all of this bucket together have less */

		for (size_t i = 0; i < n && !known; i++)
			known = strcmp(skip[i], y->nexthop) == 0;
		for (const struct delivery *z = y; z != NULL && !known; z = z->next)
			same += z->crowd == y->crowd && strcmp(z->nexthop, y->nexthop) == 0;
		if (same > ACTIVE_MAX / SKIP_MAX)
			skip[n++] = y->nexthop;
	}
	return n;
}

/* ---- the timers ---- */

static void next_turn(struct relay_deliver *d, int64_t ms)
{
	d->turn = loop_now_ms() + ms;
	loop_timer_set(d->timer, ms);
}

static void on_stale_timer(void *ctx)
{
	struct relay_deliver *d = ctx;

	loop_timer_set(d->stale, STALE_MS);
	datakeys_forget_old(d->r->datakeys);
	if (!d->r->stopping && d->r->keeper == KEYS_READY)
		relay_claimed_stale(d->r);
}

static void on_timer(void *ctx)
{
	struct relay_deliver *d = ctx;
	struct queue_job *jobs[CLAIM_AT_ONCE];
	const char *skip[SKIP_MAX];
	struct queue_claim_limits limits = {.skip = skip};
	int64_t due = INT64_MAX;
	size_t busy = d->active + relay_open_active(d->r), n;

	if (d->r->stopping || d->r->keeper != KEYS_READY || busy >= ACTIVE_MAX) {
		next_turn(d, 1000);
		return;
	}
	limits.nskip = crowded(d, skip);
	limits.max = ACTIVE_MAX - busy < CLAIM_AT_ONCE ? ACTIVE_MAX - busy : CLAIM_AT_ONCE;
	limits.probes = d->probes < PROBES_MAX ? PROBES_MAX - d->probes : 0;
	limits.strangers = d->strangers < STRANGERS_MAX ? STRANGERS_MAX - d->strangers : 0;
	n = queue_claim_with(d->r->queue, &limits, jobs, &due);
	keys_client_begin(d->r->keys);
	for (size_t i = 0; i < n; i++) {
		if (keys_client_failed(d->r->keys)) /* one that does not answer is not asked for every message */
			relay_claimed_put_back(d->r, jobs[i], keys_client_problem(d->r->keys));
		else
			relay_claimed_begin(d->r, jobs[i]);
		queue_job_free(jobs[i]);
	}
	int64_t wait = n > 0 ? 1 : due == INT64_MAX ? 5000 : due - now_ms(d);

	if (n == 0 && wait < 1) /* due, but all places are taken: the end of a delivery kicks */
		wait = 1000;
	next_turn(d, wait < 1 ? 1 : wait > 5000 ? 5000 : wait);
}

void relay_deliver_wake(struct relay_deliver *d, const char *nexthop)
{
	char sure[SITE_MAX];

	sure_key(nexthop, sure);
	smtpc_pool_wake(d->r->pool, nexthop);
	smtpc_pool_wake(d->r->pool, sure);
}

void relay_deliver_kick(struct relay_deliver *d)
{
	/* Many ends one after the other must not put off what each of them asks for. */
	if (d->turn > loop_now_ms() + KICK_MS)
		next_turn(d, KICK_MS);
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
	next_turn(d, 1);
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
