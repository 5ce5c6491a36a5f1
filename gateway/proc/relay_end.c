#include "gateway/proc/relay_end.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/format_settings.h"
#include "gateway/proc/relay_accept.h"
#include "gateway/proc/relay_again.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_facts.h"
#include "gateway/proc/relay_failures.h"
#include "gateway/proc/relay_held.h"
#include "gateway/proc/relay_history.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_inbound.h"
#include "gateway/proc/relay_jobs.h"
#include "gateway/proc/relay_outputs.h"
#include "gateway/proc/relay_partly.h"
#include "gateway/proc/relay_trust.h"
#include "gateway/proc/relay_xsmg.h"
#include "gateway/smtp/smtpd_clients.h"

enum { ALARM_MS = 60000 };

/*
 * A commit under way. It belongs to itself: when the session goes, tx becomes NULL and the commit is cancelled; what
 * the writer had begun is committed and delivered (the client will send a duplicate, which RFC 5321 4.5.5 allows;
 * losing it would not be). Nobody is answered 451 about it then: the answer waits for what the writer says.
 */
struct relay_commit {
	struct relay *r;
	struct relay_tx *tx;
	struct relay_settle *s;
	atomic_int cancel;
	char id[QUEUE_ID_MAX];
	bool outputs, held;
	uint64_t asked; /* relay_ask_trust_changes when it was judged, and whom a held one waits for */
	char waits_for[256];
	size_t nsealed;
	const char *sealed[1];
	char message_id[JOB_MESSAGE_ID_MAX];
	struct history_item *history; /* noted once it is committed */
};

static bool outgoing(const struct relay_tx *t)
{
	return smtpd_where(t->session)->side == SMTPD_INSIDE;
}

static void expect_none(struct relay_tx *t)
{
	if (t->expected)
		queue_expect_none(t->r->queue);
	t->expected = false;
}

/* said: what the client reads of pr. */
static void answer_with(struct relay_tx *t, const struct problem *pr, const struct problem *said, const char *id)
{
	char text[64];

	expect_none(t);
	snprintf(text, sizeof(text), "queued as %s", id);
	if (pr != NULL)
		log_info(t->id, "relay", "refused client=%s from=<%s> recipients=%zu code=%d dsn=%s why=\"%s\"",
		    smtpd_client(t->session), t->sender_text, t->nrcpts, pr->code, pr->enh, pr->text);
	if (pr != NULL)
		relay_history_refused(t, pr);
	smtpd_end_done(t->session, said, text);
}

static void answer(struct relay_tx *t, const struct problem *pr, const char *id)
{
	answer_with(t, pr, pr, id);
}

/* ---- commit ---- */

/* Where the queue lies, and what is wrong with its disk, is for our own people and the log, not for strangers. */
static void not_stored(struct relay_tx *t, const struct problem *pr, const char *id)
{
	struct problem said = *pr;

	if (!outgoing(t))
		snprintf(said.text, sizeof(said.text), "the message cannot be stored now, try again later");
	answer_with(t, pr, &said, id);
}

static void on_committed(void *ctx, int err, const int64_t *rows, size_t n, const struct problem *pr)
{
	struct relay_commit *c = ctx;
	struct relay_tx *t = c->tx;
	size_t nmsgs;
	const struct queue_msg *msgs = relay_settle_messages(c->s, &nmsgs);

	(void)n;
	if (t != NULL)
		t->commit = NULL;
	history_put(err == 0 ? c->r->history : NULL, c->history);
	if (err == 0 && c->outputs)
		relay_outputs_deliver(c->r, msgs, nmsgs, rows);
	if (err == 0 && (!c->outputs || msgs[nmsgs - 1].kind == QUEUE_NOTICE))
		relay_deliver_kick(c->r->deliver);
	if (err == 0 && c->held && c->asked != relay_ask_trust_changes(c->r->ask))
		relay_held_changed(c->r->held, c->waits_for);
	/* the answer last: it may free the transaction */
	if (t != NULL && err == 0)
		answer(t, NULL, c->id);
	else if (t != NULL)
		not_stored(t, pr, c->id);
	relay_settle_abandon(c->s);
	free(c);
}

static void commit(
    struct relay_tx *t, struct relay_settle *s, const char *id, bool outputs, const struct job_result *res)
{
	struct relay_commit *c;
	struct queue_tx tx = {0};
	struct problem pr;

	if (smtpd_gone(t->session)) { /* RFC 1047: who does not wait for the answer sends again */
		relay_settle_abandon(s);
		problem_temp(&pr, "the client went away before the message was accepted");
		answer(t, &pr, "");
		return;
	}
	c = mem_new(sizeof(*c));

	c->r = t->r;
	c->tx = t;
	c->s = s;
	c->outputs = outputs;
	c->held = !outputs && res->noutputs > 0 && res->waits != QUEUE_WAITS_ADMIN;
	c->asked = t->trust_asked;
	snprintf(c->waits_for, sizeof(c->waits_for), "%s", res->waits_for);
	if (mem_copy_str(c->id, sizeof(c->id), id) != 0)
		log_panic("queue id too long");
	t->commit = c;
	tx.msgs = relay_settle_messages(s, &tx.nmsgs);
	for (size_t i = 0; i < res->noutputs && c->nsealed == 0; i++)
		if (res->outputs[i].sealed &&
		    mem_copy_str(c->message_id, sizeof(c->message_id), res->message_id) == 0 && c->message_id[0])
			c->sealed[c->nsealed++] = c->message_id;
	tx.sealed_ids = c->sealed;
	tx.nsealed_ids = c->nsealed;
	tx.reports = relay_settle_reported(s, &tx.nreports);
	tx.cancel = &c->cancel;
	tx.expected = t->expected;
	t->expected = false;
	c->history = relay_history_accepted(t, s, res);
	queue_commit(t->r->queue, &tx, on_committed, c);
}

void relay_end_forget(struct relay_tx *t)
{
	expect_none(t);
	if (t->commit == NULL)
		return;
	if (!queue_cancel(&t->commit->cancel))
		log_warn(t->id, "relay",
		    "unanswered client=%s why=\"the client went away while the message was being stored: it is "
		    "delivered, and may come once more\"",
		    smtpd_client(t->session));
	t->commit->tx = NULL;
	t->commit = NULL;
}

static void log_accepted(struct relay_tx *t, const struct job_result *res, const struct queue_msg *m, size_t i)
{
	char tls[SMTPD_TLS_WORDS] = "";

	smtpd_tls(t->session, tls, sizeof(tls));
	log_info(m->id, "relay",
	    "accepted session=%s client=%s tls=\"%s\" from=<%s> recipients=%zu size=%llu treatment=%s message-id=%s "
	    "%s%swhy=\"%s\"",
	    smtpd_id(t->session), smtpd_client(t->session), tls, t->sender_text, m->nrcpts,
	    (unsigned long long)spool_size(m->content), res->noutputs > i ? res->outputs[i].treatment : "raw",
	    res->message_id[0] ? res->message_id : "-", res->log, res->log[0] ? " " : "",
	    res->noutputs > i ? res->outputs[i].why : "encrypted: accepted as it came");
}

/* P9: what was sealed once for a partner is never sent to it in the clear again. */
static void note_protected(struct relay_tx *t, const struct job_result *res)
{
	if (!outgoing(t) && res->protected_in)
		relay_ask_seen(t->r->ask, res->from_domain);
	for (size_t i = 0; outgoing(t) && i < res->noutputs; i++)
		for (size_t k = 0; res->outputs[i].sealed && k < res->outputs[i].nrcpts; k++) {
			const struct job_rcpt *rc = &t->rcpts[res->outputs[i].rcpts[k]];
			const char *at = strrchr(rc->address, '@');

			/* a certificate of one person says nothing of the others at that domain */
			if (t->verdicts[rc->verdict]->v.personal)
				relay_ask_seen(t->r->ask, rc->address);
			else
				relay_ask_seen(t->r->ask, at == NULL ? "" : at + 1);
		}
}

bool relay_end_late(struct relay_tx *t)
{
	return t->commit == NULL || queue_cancel(&t->commit->cancel);
}

static const char *client_key(const struct relay_tx *t, char key[SMTPD_CLIENT_KEY])
{
	return smtpd_clients_key(smtpd_client(t->session), key);
}

static void alarm_no_room(struct relay_tx *t, enum queue_room room, const char *client)
{
	static int64_t alarmed[QUEUE_ROOM_FULL + 1];
	int64_t now = loop_now_ms();

	if (alarmed[room] != 0 && now - alarmed[room] <= ALARM_MS)
		return;
	alarmed[room] = now;
	if (room == QUEUE_ROOM_FULL)
		log_error(t->id, "relay",
		    "alarm=held-full why=\"as many recipients are held as held-max allows: incoming mail that may "
		    "have to be held gets 452; look at `postern queue list --state held`, release or delete\"");
	else
		log_error(t->id, "relay",
		    "alarm=held-share client=%s from=<%s> why=\"as much of this client's mail, or of this sender's "
		    "domain, is held as held-share allows: what may have to be held of it gets 452; look at `postern "
		    "queue list --state held`, release or delete\"",
		    client, t->sender_text);
}

/*
 * What is held waits for a person: past held-max, or its sender's share of it, mail that may have to be held is the
 * sender's to keep. That must not hang on what this message's signature is worth, or the answer would tell it (P10):
 * it is asked of every encrypted message, and of every one signed, or not signed, of which some are held here.
 */
static bool no_room_to_hold(struct relay_tx *t, const struct job_result *res, struct problem *pr)
{
	char key[SMTPD_CLIENT_KEY];
	enum queue_room room;

	if (outgoing(t) || (res->noutputs > 0 && !res->may_hold))
		return false;
	client_key(t, key);
	room = queue_held_room(
	    t->r->queue, t->sender_text, relay_accept_unlimited(t->r->accept, t->session) ? NULL : key);
	if (room == QUEUE_ROOM)
		return false;
	problem_set(pr, PROBLEM_TEMP, 452, "4.3.1", "", "too much mail is held here already, try again later");
	alarm_no_room(t, room, key);
	return true;
}

/* malloc'd. */
static char *facts_of(const struct relay_tx *t, const struct job_result *res)
{
	struct relay_facts f = {.have_key_hash = res->have_key_hash};

	_Static_assert(sizeof(f.client) >= SMTPD_CLIENT_KEY, "a client's name fits");
	client_key(t, f.client);
	memcpy(f.key_hash, res->key_hash, sizeof(f.key_hash));
	return relay_facts_text(&f);
}

/* partly: some are refused; NULL nobody. */
static void commit_outputs(
    struct relay_tx *t, const struct job_result *res, struct spool *const *outs, const struct relay_partly *partly)
{
	struct relay_settle *s = relay_settle_new(t->r, t->id);
	char *facts = outgoing(t) ? NULL : facts_of(t, res);
	struct relay_outputs_in in = {.kind = outgoing(t) ? QUEUE_OUTBOUND : QUEUE_INBOUND,
	    .id = t->id,
	    .facts = facts,
	    .sender = t->sender_text,
	    .rcpts = t->rcpts,
	    .nrcpts = t->nrcpts,
	    .res = res,
	    .outs = outs,
	    .env = &t->env,
	    .env_rcpts = t->env_rcpts,
	    .dsn = &t->dsn,
	    .refused = partly != NULL ? &res->outputs[res->noutputs] : NULL,
	    .nrefused = partly != NULL ? partly->nrefused : 0};
	char id[QUEUE_ID_MAX];
	struct problem pr = {0};
	const struct queue_msg *m;
	size_t n;
	bool refused = no_room_to_hold(t, res, &pr) || relay_outputs_add(s, &in, id, &pr) != 0 ||
		       (partly != NULL && relay_partly_tell(partly, t, s, &pr) != 0);

	free(facts);
	if (refused) {
		relay_settle_abandon(s);
		answer(t, &pr, "");
		return;
	}
	note_protected(t, res);
	if (!outgoing(t))
		relay_xsmg_named(t->r, t->id, res, false);
	m = relay_settle_messages(s, &n);
	for (size_t i = 0; i < n; i++)
		if (m[i].kind != QUEUE_NOTICE)
			log_accepted(t, res, &m[i], i);
	commit(t, s, id, true, res);
}

static void commit_done(struct relay_tx *t, const struct job_result *res, struct spool *const *outs)
{
	struct relay_partly *p = outgoing(t) ? relay_partly_new(res, outs) : NULL;

	if (p == NULL)
		commit_outputs(t, res, outs, NULL);
	else
		commit_outputs(t, &p->res, p->outs, p);
	free(p);
}

/* Recipients of a message that is queued as it came; o: held, for the reason of this output. */
static void raw_rcpts(const struct relay_tx *t, const struct job_result *res, struct queue_rcpt *v)
{
	const struct job_output *o = res->noutputs > 0 ? &res->outputs[0] : NULL;
	enum queue_waits waits = (enum queue_waits)res->waits;

	for (size_t i = 0; i < t->nrcpts; i++) {
		v[i] = (struct queue_rcpt){.address = t->rcpts[i].address,
		    .nexthop = "open",
		    .state = o != NULL ? QUEUE_HELD : QUEUE_QUEUED,
		    .reason = o != NULL ? o->why : NULL,
		    .treatment = o != NULL ? o->treatment : "open",
		    .env = t->env_rcpts != NULL ? t->env_rcpts[i] : (struct envelope_rcpt){0}};
		if (o != NULL)
			v[i].hold = (struct queue_hold){.waits = waits,
			    .waits_for = res->waits_for,
			    .again_at = queue_held_again(t->r->queue, waits, 0)};
	}
}

/* Encrypted mail is queued as it came; the sealer opens it after the 250. So is what has to be held: it is judged
 * again as it came. */
static void commit_raw(struct relay_tx *t, const struct job_result *res)
{
	struct relay_settle *s = relay_settle_new(t->r, t->id);
	struct arena *a = relay_settle_arena(s);
	struct queue_rcpt *v = arena_alloc(a, (t->nrcpts + 1) * sizeof(*v));
	char *facts = facts_of(t, res);
	struct queue_msg m = {.id = t->id,
	    .kind = QUEUE_RAW,
	    .sender = t->sender_text,
	    .env = t->env,
	    .trace = t->trace,
	    .facts = facts,
	    .message_id = res->message_id,
	    .content = t->content,
	    .rcpts = v,
	    .nrcpts = t->nrcpts};
	struct problem pr = {0};
	struct buf w;

	REQUIRE(v != NULL);
	raw_rcpts(t, res, v);
	buf_init(&w, DATAKEYS_WRAPPED_MAX);
	if (no_room_to_hold(t, res, &pr) || datakeys_wrap(t->r->datakeys, spool_key(t->content), &w, &pr) != 0) {
		relay_settle_abandon(s);
		answer(t, &pr, "");
	} else {
		m.wrapped = w.p;
		m.wrapped_len = w.len;
		relay_settle_message(s, &m);
		log_accepted(t, res, &m, 0);
		relay_xsmg_met(t->r, t->sender.domain);
		commit(t, s, t->id, false, res);
	}
	buf_clear(&w);
	free(facts);
}

static bool holds(const struct job_result *res)
{
	for (size_t i = 0; i < res->noutputs; i++)
		if (res->outputs[i].action == POLICY_HOLD)
			return true;
	return false;
}

/* ---- the sealer and what it asks ---- */

static void run(struct relay_tx *t);

static void on_trust(void *ctx, const struct judge_trust *tr, const struct problem *pr)
{
	struct relay_tx *t = ctx;
	struct problem full = {0};

	if (tr == NULL) {
		answer(t, pr, "");
		return;
	}
	if (judge_trust_copy(t->a, tr, &t->rq.trust) != 0) {
		problem_temp(&full, "the certificates that are known of the signers do not fit into memory");
		answer(t, &full, "");
		return;
	}
	t->rq.have_trust = true;
	t->rq.trust_from[0] = '\0';
	relay_trust_note(t->r->trust, t->rq.our_domain, t->author, tr, t->trust_asked, loop_now_ms());
	relay_trust_promise_note(t->r->trust, t->author, tr, t->trust_asked, loop_now_ms());
	run(t);
}

static void need_trust(struct relay_tx *t, const struct job_result *res)
{
	t->author = arena_str(t->a, res->signers.from);
	REQUIRE(t->author != NULL);
	t->rq.have_trust = false; /* what was remembered does not fit */
	relay_ask_trust(t->r->ask, &res->signers, on_trust, t);
}

static void need_ids(struct relay_tx *t, const struct job_result *res)
{
	int was = queue_was_sealed(t->r->queue, res->ids, res->nids);

	t->rq.was_sealed = was < 0 ? JOB_UNKNOWN : was ? JOB_YES : JOB_NO;
	run(t);
}

static void need_dsn(struct relay_tx *t, const struct job_result *res)
{
	char key[SMTPD_CLIENT_KEY];
	const char *client = relay_accept_unlimited(t->r->accept, t->session) ? "" : client_key(t, key);
	struct problem pr = {0};

	if (relay_dsn_match(t->r, t->a, client, res->dsn, &t->rq, &t->dsn, &pr) != 0)
		answer(t, &pr, "");
	else
		run(t);
}

static void odd(struct relay_tx *t)
{
	struct problem pr;

	problem_temp(&pr, "the sealing process came to no end with this message; try again");
	answer(t, &pr, "");
}

/* The same message when its client sends it again, as far as we can know without reading it. */
static void crash_key(const struct relay_tx *t, uint8_t key[32])
{
	char text[2 * ADDRESS_TEXT_MAX + 64];
	int n = snprintf(text, sizeof(text), "%d %llu <%s> <%s>", (int)outgoing(t),
	    (unsigned long long)spool_size(t->content), t->sender_text, t->nrcpts ? t->rcpts[0].address : "");

	REQUIRE(n > 0 && (size_t)n < sizeof(text));
	SHA256((const uint8_t *)text, (size_t)n, key);
}

/* One that ends a sealer each time would end them all, again and again, while its client tries. */
static bool crashes_too_often(const struct relay_tx *t, struct problem *pr)
{
	uint8_t key[32];

	if (relay_failures_none(t->r->crashes))
		return false;
	crash_key(t, key);
	if (!relay_failures_key_over(t->r->crashes, key, (int64_t)time(NULL) * 1000))
		return false;
	problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "",
	    "the sealing process died over this message %lld times; it is not tried again within the hour: keep a "
	    "copy of it for the maintainers",
	    (long long)t->r->top->crashes_max);
	return true;
}

static void on_result(void *ctx, const struct job_result *res, struct spool *const *outs, bool crashed)
{
	struct relay_tx *t = ctx;

	if (!outgoing(t))
		relay_xsmg_broken(t->r, t->id, res, smtpd_client(t->session));

	if (crashed) {
		uint8_t key[32];

		crash_key(t, key);
		relay_failures_key_count(t->r->crashes, key, (int64_t)time(NULL) * 1000);
		log_error(t->id, "relay", "alarm=crash client=%s from=<%s> size=%llu why=\"%s\"",
		    smtpd_client(t->session), t->sender_text, (unsigned long long)spool_size(t->content),
		    res->pr.text);
	}
	switch (res->status) {
	case JOB_DONE:
		if (!outgoing(t) && holds(res))
			commit_raw(t, res);
		else
			commit_done(t, res, outs);
		break;
	case JOB_AS_IT_CAME:
		if (outgoing(t))
			odd(t);
		else
			commit_raw(t, res);
		break;
	case JOB_NEEDS_IDS:
		if (t->rq.was_sealed != JOB_UNASKED)
			odd(t);
		else
			need_ids(t, res);
		break;
	case JOB_NEEDS_TRUST:
		if (t->rq.have_trust && !t->rq.trust_from[0])
			odd(t);
		else
			need_trust(t, res);
		break;
	case JOB_NEEDS_DSN:
		if (t->rq.dsn != JOB_DSN_UNASKED || outgoing(t))
			odd(t);
		else
			need_dsn(t, res);
		break;
	case JOB_REFUSE:
	case JOB_LATER:
		answer(t, &res->pr, "");
		break;
	default:
		odd(t);
		break;
	}
}

static void run(struct relay_tx *t)
{
	relay_jobs_run(t->r->jobs, &t->rq, t->content, RELAY_JOB_NOW, on_result, t);
}

/* Between commas, in the arena. */
static const char *hidden(const struct relay_tx *t)
{
	const struct format_settings *f = conf_section(t->r->conf, "format");
	char text[JOB_HIDE_MAX + 1];
	size_t n = 0;

	for (size_t i = 0; i < f->hide.n && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i > 0 ? "," : "", f->hide.v[i]);
	return f->hide.n > 0 ? arena_str(t->a, text) : "";
}

static void request_out(struct relay_tx *t)
{
	struct job_request *rq = &t->rq;

	memset(rq, 0, sizeof(*rq));
	rq->kind = JOB_SEAL;
	rq->id = t->id;
	rq->sender = t->sender_text;
	rq->trace = t->trace;
	rq->rcpts = t->rcpts;
	rq->nrcpts = t->nrcpts;
	relay_inbound_common(t->r, rq);
	rq->tls_verified = relay_hops_verified(t->r, "");
	rq->utf8 = t->env.utf8;
	rq->hide = hidden(t);
	REQUIRE(rq->hide != NULL);
	rq->nverdicts = t->nverdicts;
	for (size_t i = 0; i < t->nverdicts; i++)
		rq->verdicts[i] = &t->verdicts[i]->v;
}

static void on_again(struct relay_tx *t, const struct problem *pr)
{
	if (pr != NULL) {
		answer(t, pr, "");
		return;
	}
	request_out(t);
	run(t);
}

void relay_end(struct relay_tx *t)
{
	struct problem pr = {0};

	if (spool_finish(t->content, &pr) != 0) {
		answer(t, &pr, "");
		return;
	}
	if (crashes_too_often(t, &pr)) {
		answer(t, &pr, "");
		return;
	}
	queue_expect(t->r->queue);
	t->expected = true;
	t->trace = arena_str(t->a, relay_tx_trace(t));
	REQUIRE(t->trace != NULL);
	if (outgoing(t)) {
		relay_again(t, on_again);
		return;
	}
	t->trust_asked = relay_ask_trust_changes(t->r->ask);
	relay_inbound_request(t->r, JOB_CHECK, t->id, t->sender_text, t->trace, t->rcpts, t->nrcpts, &t->rq);
	relay_trust_give(t->r->trust, &t->rq, t->trust_asked, loop_now_ms());
	if (t->r->top->xsmg)
		relay_trust_promise_give(t->r->trust, &t->rq, t->trust_asked, loop_now_ms());
	if (relay_inbound_identities(t->r, t->a, &t->rq, &pr) != 0)
		answer(t, &pr, "");
	else
		run(t);
}
