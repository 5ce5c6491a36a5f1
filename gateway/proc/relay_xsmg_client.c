/*
 * XSMG beside a mail. Relay. One mail at a time asks a partner; one that could not be asked is left alone for a
 * while. The octets of statements go to the judge as they came.
 */
#include "gateway/proc/relay_xsmg_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_xsmg.h"
#include "gateway/proc/relay_xsmg_due.h"
#include "gateway/smtp/smtpc_chat.h"
#include "gateway/xsmg/xsmg_verb.h"

enum {
	ASKING_MS = 10 * 60 * 1000, /* a mail that asks may be under way so long */
	ASKED_MS = 60 * 1000,	    /* what the judge made of the answer is known by then */
	LATER_MS = 10 * 60 * 1000,  /* until a partner that said "later" is asked again */
	FAILED_MS = 60 * 60 * 1000, /* and one that gave no usable answer */
	TOLD_MS = 60 * 60 * 1000,   /* until the judge is told once more of what goes on */
	ANSWER_MEMORY = 128 * 1024,
	COMMAND_MAX = 330,
};

struct relay_xsmg_mail {
	struct smtpc_xsmg x; /* first */
	struct relay *r;
	char ours[JUDGE_XSMG_DOMAIN], partner[JUDGE_XSMG_DOMAIN];
	char held[JUDGE_XSMG_ID + 1], get[COMMAND_MAX];
	struct relay_xsmg_own *own; /* to be handed over */
	bool expected, asking, ready;
	struct loop_timer *timer;
	void (*fn)(void *ctx);
	void *ctx;
};
struct put {
	struct smtpc_put p; /* first */
	struct relay *r;
	char ours[JUDGE_XSMG_DOMAIN], partner[JUDGE_XSMG_DOMAIN], id[JUDGE_XSMG_ID + 1];
	char command[COMMAND_MAX];
	struct buf lines;
};

static struct relay_xsmg_due *partner_of(const struct relay_xsmg_mail *m)
{
	return relay_xsmg_due(relay_xsmg_dues_of(m->r->xsmg), "", m->partner);
}

/* A partner's backup may lack what its first host has: what was told is remembered for each. */
static struct relay_xsmg_due *host_of(const struct relay_xsmg_mail *m, const struct smtpc *c)
{
	char host[JUDGE_XSMG_DOMAIN];

	snprintf(host, sizeof(host), "@%.250s", smtpc_remote(c));
	return relay_xsmg_due(relay_xsmg_dues_of(m->r->xsmg), host, m->partner);
}

/* ---- to the judge ---- */

static void note(struct relay *r, struct judge_xsmg_note *n, const struct smtpc *c)
{
	struct ipc_out o;

	n->verified = smtpc_verified(c);
	snprintf(n->remote, sizeof(n->remote), "%s", smtpc_remote(c));
	ipc_out_init(&o, JUDGE_XSMG_NOTE, 0);
	judge_xsmg_note_put(&o, n);
	(void)relay_ask_tell(r->ask, &o);
}

static void note_mail(
    struct relay_xsmg_mail *m, enum judge_xsmg_seen seen, const char *id, const char *words, const struct smtpc *c)
{
	struct judge_xsmg_note n = {.seen = seen};

	memcpy(n.partner, m->partner, sizeof(n.partner));
	snprintf(n.id, sizeof(n.id), "%s", id);
	snprintf(n.words, sizeof(n.words), "%s", words);
	note(m->r, &n, c);
}

static void came(struct relay_xsmg_mail *m, const struct buf *der, const struct smtpc *c)
{
	struct judge_statement_came s = {
	    .how = JUDGE_STATEMENT_ANSWER, .verified = smtpc_verified(c), .der = {der->p, der->len}};
	struct ipc_out o;

	memcpy(s.domain, m->partner, sizeof(s.domain));
	snprintf(s.remote, sizeof(s.remote), "%s", smtpc_remote(c));
	ipc_out_init(&o, JUDGE_STATEMENT_CAME, 0);
	judge_statement_came_put(&o, &s);
	if (!relay_ask_tell(m->r->ask, &o))
		log_warn(NULL, "relay", "xsmg-lost partner=%s why=\"the trust process is away\"", m->partner);
}

/* ---- PUT ---- */

static void put_over(struct smtpc_put *p, const struct smtpc *c, const struct smtpc_reply *r, const char *why)
{
	struct put *u = (struct put *)p;
	struct judge_xsmg_note n = {.seen = JUDGE_XSMG_UNTAKEN};
	char words[SMTPC_CHAT_WORDS] = "";
	struct problem pr;

	snprintf(n.words, sizeof(n.words), "%s", r ? smtpc_chat_words(r, words) : why);
	if (r && xsmg_verb_put_answer(250, r->code, buf_str(&r->text), r->text.len, &pr) == XSMG_VERB_TAKEN)
		n.seen = JUDGE_XSMG_TAKEN;
	log_info(NULL, "relay", "xsmg-put ours=%s partner=%s remote=%s id=%s taken=%d said=\"%s\"", u->ours,
	    u->partner, smtpc_remote(c), u->id, n.seen == JUDGE_XSMG_TAKEN, n.words);
	memcpy(n.ours, u->ours, sizeof(n.ours));
	memcpy(n.partner, u->partner, sizeof(n.partner));
	memcpy(n.id, u->id, sizeof(n.id));
	note(u->r, &n, c);
	buf_clear_public(&u->lines);
	free(u);
}

static struct smtpc_put *put_new(const struct relay_xsmg_mail *m)
{
	struct put *u = mem_new(sizeof(*u));

	u->r = m->r;
	memcpy(u->ours, m->ours, sizeof(u->ours));
	memcpy(u->partner, m->partner, sizeof(u->partner));
	memcpy(u->id, m->own->id, sizeof(u->id));
	snprintf(u->command, sizeof(u->command), "XSMG PUT %s %zu", u->ours, m->own->n);
	buf_init(&u->lines, XSMG_VERB_REPLY_MAX);
	REQUIRE(xsmg_verb_body(m->own->der, m->own->n, &u->lines) == 0);
	u->p = (struct smtpc_put){.command = u->command, .lines = u->lines.p, .n = u->lines.len, .over = put_over};
	return &u->p;
}

/* ---- GET ---- */

static void rest(struct relay_xsmg_mail *m, int64_t ms)
{
	struct relay_xsmg_due *e = partner_of(m);

	e->rest_until = loop_now_ms() + ms;
	e->busy_until = 0;
	m->asking = false;
	relay_xsmg_due(relay_xsmg_dues_of(m->r->xsmg), m->ours, m->partner)->until = 0;
}

static void failed(struct relay_xsmg_mail *m, const struct smtpc *c, const char *why, int64_t ms)
{
	log_warn(
	    NULL, "relay", "xsmg-get partner=%s remote=%s answer=none why=\"%s\"", m->partner, smtpc_remote(c), why);
	note_mail(m, JUDGE_XSMG_FAILED, "", why, c);
	rest(m, ms);
}

static struct smtpc_put *on_got(
    struct smtpc_xsmg *x, const struct smtpc *c, const struct smtpc_reply *r, const char *why)
{
	struct relay_xsmg_mail *m = (struct relay_xsmg_mail *)x;
	char id[STATEMENT_ID + 1] = "";
	struct problem pr = {0};
	enum xsmg_verb_answer a;
	struct buf der;

	if (r == NULL) {
		failed(m, c, why, FAILED_MS);
		return NULL;
	}
	buf_init(&der, STATEMENT_MAX);
	a = xsmg_verb_get_answer(r->code, buf_str(&r->text), r->text.len, m->held, &der, id, &pr);
	if (a == XSMG_VERB_CURRENT)
		note_mail(m, JUDGE_XSMG_CURRENT, id, "", c);
	else if (a == XSMG_VERB_STATEMENT)
		came(m, &der, c);
	else
		failed(m, c, pr.text, a == XSMG_VERB_LATER ? LATER_MS : FAILED_MS);
	buf_clear_public(&der);
	if (a != XSMG_VERB_CURRENT && a != XSMG_VERB_STATEMENT)
		return NULL;
	log_info(NULL, "relay", "xsmg-get partner=%s remote=%s answer=%s id=%s", m->partner, smtpc_remote(c),
	    a == XSMG_VERB_CURRENT ? "current" : "statement", id);
	rest(m, ASKED_MS);
	return m->own != NULL ? put_new(m) : NULL;
}

static void on_seen(struct smtpc_xsmg *x, const struct smtpc *c, bool offered)
{
	struct relay_xsmg_mail *m = (struct relay_xsmg_mail *)x;
	int64_t now = loop_now_ms();
	struct relay_xsmg_due *e;
	char tls[128];

	if (!offered && !m->expected)
		return;
	e = host_of(m, c);
	if (offered && e->offered_until <= now) {
		e->offered_until = now + TOLD_MS;
		e->missing_until = 0;
		note_mail(m, JUDGE_XSMG_OFFERED, "", "", c);
	}
	if (!offered && e->missing_until <= now) {
		e->missing_until = now + TOLD_MS;
		e->offered_until = 0;
		log_warn(NULL, "relay", "xsmg-missing partner=%s remote=%s", m->partner, smtpc_remote(c));
		note_mail(m, JUDGE_XSMG_MISSING, "",
		    smtpc_tls_words(c, tls, sizeof(tls))[0] != '\0' ? "the host does not name XSMG any more"
								    : "there is no TLS with the host",
		    c);
	}
}

/* ---- what is due ---- */

static void decide(struct relay_xsmg_mail *m, const struct relay_xsmg_due *e)
{
	struct relay_xsmg_due *p;
	int64_t now = loop_now_ms();

	m->expected = e->expected;
	if (!e->get)
		return;
	memcpy(m->held, e->held, sizeof(m->held));
	relay_xsmg_own_free(m->own);
	m->own = relay_xsmg_own_ref(e->own);
	p = partner_of(m); /* e may be gone */
	if (p->busy_until > now || p->rest_until > now || m->r->stopping)
		return;
	p->busy_until = now + ASKING_MS;
	m->asking = true;
	snprintf(m->get, sizeof(m->get), "XSMG GET %s%s%s", m->partner, m->held[0] ? " " : "", m->held);
	m->x.get = m->get;
}

static void ready(struct relay_xsmg_mail *m)
{
	if (m->ready)
		return;
	m->ready = true;
	loop_timer_free(m->timer);
	m->timer = NULL;
	m->fn(m->ctx);
}

static void on_duty(void *ctx, struct ipc_in *in, const struct problem *pr)
{
	struct relay_xsmg_mail *m = ctx;
	struct relay_xsmg_dues *dues = relay_xsmg_dues_of(m->r->xsmg);
	struct judge_xsmg_duty duty;
	struct relay_xsmg_due *e;
	struct arena *a;

	(void)pr;
	if (in == NULL) {
		ready(m);
		return;
	}
	a = arena_new(ANSWER_MEMORY);
	if (judge_xsmg_duty_get(in, a, &duty) != 0)
		log_fatal("the judge told what is due in a way that cannot be read");
	e = relay_xsmg_due(dues, m->ours, m->partner);
	relay_xsmg_due_set(dues, e, &duty, relay_ask_changes(m->r->ask), loop_now_ms());
	arena_free(a);
	if (!m->ready)
		decide(m, e);
	ready(m);
}

/* The answer is still of use to the next mail. */
static void on_timer(void *ctx)
{
	ready(ctx);
}

void relay_xsmg_mail_ready(struct relay_xsmg_mail *m, void (*fn)(void *ctx), void *ctx)
{
	struct judge_xsmg_question q = {0};
	struct relay_xsmg_due *e = relay_xsmg_due(relay_xsmg_dues_of(m->r->xsmg), m->ours, m->partner);
	struct ipc_out o;
	uint32_t id;

	m->fn = fn;
	m->ctx = ctx;
	if (relay_xsmg_due_fresh(e, relay_ask_changes(m->r->ask), loop_now_ms())) {
		decide(m, e);
		ready(m);
		return;
	}
	memcpy(q.ours, m->ours, sizeof(q.ours));
	memcpy(q.partner, m->partner, sizeof(q.partner));
	m->timer = loop_timer_new(m->r->loop, on_timer, m);
	loop_timer_set(m->timer, RELAY_XSMG_WAIT_MS);
	id = relay_ask_begin(m->r->ask, JUDGE_XSMG_DUE, JUDGE_XSMG_DUTY, on_duty, m, &o);
	if (id == 0)
		return;
	judge_xsmg_question_put(&o, &q);
	relay_ask_send(m->r->ask, &o, id);
}

struct smtpc_xsmg *relay_xsmg_mail_of(struct relay_xsmg_mail *m)
{
	return m != NULL ? &m->x : NULL;
}

/* "" for what is in none of our domains. */
static void our_domain(const struct relay *r, const char *sender, char out[JUDGE_XSMG_DOMAIN])
{
	const char *at = strrchr(sender, '@');

	out[0] = '\0';
	if (at != NULL && conf_domain_find(r->conf, at + 1) != NULL &&
	    mem_copy_str(out, JUDGE_XSMG_DOMAIN, at + 1) != 0)
		out[0] = '\0';
}

struct relay_xsmg_mail *relay_xsmg_mail_new(struct relay *r, const char *sender, const char *partner)
{
	struct relay_xsmg_mail *m;
	char domain[ADDRESS_DOMAIN_MAX + 1];

	if (!r->top->xsmg || address_domain(partner, strlen(partner), domain, NULL) != 0)
		return NULL;
	m = mem_new(sizeof(*m));
	m->r = r;
	m->x.seen = on_seen;
	m->x.got = on_got;
	our_domain(r, sender, m->ours);
	memcpy(m->partner, domain, sizeof(domain));
	return m;
}

void relay_xsmg_mail_free(struct relay_xsmg_mail *m)
{
	if (m == NULL)
		return;
	relay_ask_cancel(m->r->ask, m);
	loop_timer_free(m->timer);
	if (m->asking) /* it came to nothing: the next mail asks */
		partner_of(m)->busy_until = 0;
	relay_xsmg_own_free(m->own);
	free(m);
}
