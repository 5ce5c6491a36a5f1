#include "gateway/proc/relay_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/lex.h"
#include "gateway/pipeline/outbound.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/relay_accept.h"
#include "gateway/proc/relay_end.h"
#include "gateway/proc/relay_hop_sure.h"
#include "gateway/proc/relay_history.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_partly.h"
#include "gateway/proc/relay_rcpts.h"
#include "gateway/proc/relay_tx.h"
#include "gateway/proc/relay_xsmg_server.h"
#include "gateway/queue/queue_settings.h"
#include "gateway/smtp/smtpd_settings.h"

static struct relay_tx *tx_of(struct smtpd *s)
{
	return smtpd_user(s);
}

static bool inside(const struct smtpd *s)
{
	return smtpd_where(s)->side == SMTPD_INSIDE;
}

static bool proxied(void *app, struct smtpd *s)
{
	struct relay *r = app;

	return relay_accept_proxied(r->accept, s);
}

static int connected(void *app, struct smtpd *s, struct problem *pr)
{
	struct relay *r = app;

	if (r->stopping)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.3.2", "", "is shutting down, try again");
	if (r->keeper != KEYS_READY)
		return problem_set(pr, PROBLEM_TEMP, 421, "4.3.2", "", "waits for its keys, try again later");
	return relay_accept_count(r->accept, s, pr);
}

static void closed(void *app, struct smtpd *s)
{
	struct relay *r = app;

	relay_tx_free(tx_of(s));
	smtpd_set_user(s, NULL);
	relay_accept_uncount(r->accept, s);
}

static void reset(void *app, struct smtpd *s)
{
	(void)app;
	relay_tx_free(tx_of(s));
	smtpd_set_user(s, NULL);
}

static void mail(void *app, struct smtpd *s, const struct smtpd_mail *m)
{
	relay_tx_free(tx_of(s));
	smtpd_set_user(s, NULL);
	smtpd_set_user(s, relay_tx_new(app, s, m));
	smtpd_mail_done(s, NULL);
}

/* ---- RCPT ---- */

static void rcpt_answer(struct relay_tx *t, const struct problem *pr)
{
	struct smtpd *s = t->session;

	if (pr != NULL)
		log_info(t->id, "relay", "refused client=%s from=<%s> to=<%s> code=%d dsn=%s why=\"%s\"",
		    smtpd_client(s), t->sender_text, t->pending_rcpt, pr->code, pr->enh, pr->text);
	if (pr != NULL)
		relay_history_rcpt(t, pr);
	smtpd_rcpt_done(s, pr);
}

/* a: UNKNOWN, too, where it was not asked. */
static void rcpt_add(struct relay_tx *t, struct relay_verdict *v, enum relay_hop_sure_answer a)
{
	struct problem pr;

	if (relay_tx_add(t, t->pending_rcpt, v, &pr) != 0) {
		rcpt_answer(t, &pr);
		return;
	}
	t->rcpts[t->nrcpts - 1].tls_verified = a == RELAY_HOP_SURE_YES;
	t->rcpts[t->nrcpts - 1].tls_asked = a != RELAY_HOP_SURE_UNKNOWN;
	rcpt_answer(t, NULL);
}

/* Refused here only when every content would be refused: the content's facts are still unknown, and they can only
 * make the answer stricter. */
static void decide(struct relay_tx *t, struct relay_verdict *v, enum relay_hop_sure_answer a)
{
	struct policy_out f;
	struct policy_decision *d = mem_new(sizeof(*d));

	outbound_facts(&v->v, a == RELAY_HOP_SURE_YES, JOB_UNASKED, &f);
	policy_outbound(t->sender_text, t->pending_rcpt, &f, d);
	if (d->action != POLICY_PASS) {
		outbound_trace(&v->v, &d->pr);
		rcpt_answer(t, &d->pr);
	} else if (relay_partly_too_large(&v->v, t->pending_rcpt, t->size, d->treatment == POLICY_SEAL, &d->pr)) {
		rcpt_answer(t, &d->pr);
	} else {
		rcpt_add(t, v, a);
	}
	free(d);
}

static void on_sure(void *ctx, enum relay_hop_sure_answer a, const struct problem *pr)
{
	struct relay_tx *t = ctx;
	struct relay_verdict *v = t->pending_verdict;

	t->pending_verdict = NULL;
	/* also where only another author of the sender's would make it `tls`: once the mail is here, it is too late
	 * to ask */
	if (a == RELAY_HOP_SURE_UNKNOWN)
		rcpt_answer(t, pr);
	else
		decide(t, v, a);
	relay_verdict_free(v);
}

static void on_verdict(void *ctx, struct relay_verdict *v, const struct problem *pr)
{
	struct relay_tx *t = ctx;
	const char *at = strrchr(t->pending_rcpt, '@');

	if (v == NULL) {
		rcpt_answer(t, pr);
		return;
	}
	/* any_treatment: when the author turns out not to be the sender */
	if (!relay_tx_asks_tls(v)) {
		decide(t, v, RELAY_HOP_SURE_UNKNOWN);
		return;
	}
	t->pending_verdict = relay_verdict_ref(v);
	relay_hop_sure_ask(t->r, at == NULL ? "" : at + 1, on_sure, t, &t->hop_wait);
}

static void rcpt_inside(struct relay_tx *t, const struct address *a)
{
	if (conf_domain_find(t->r->conf, a->domain) != NULL) {
		struct relay_verdict *v = relay_verdict_local();

		rcpt_add(t, v, RELAY_HOP_SURE_UNKNOWN);
		relay_verdict_free(v);
		return;
	}
	relay_ask_verdict(t->r->ask, t->identity_text, t->pending_rcpt, on_verdict, t);
}

static void on_known(void *ctx, const struct relay_rcpts_answer *a)
{
	if (a->accepted)
		rcpt_add(ctx, NULL, RELAY_HOP_SURE_UNKNOWN);
	else
		rcpt_answer(ctx, &a->pr);
}

/* RFC 5321 3.6.1 and appendix F.2 know them as routes: to the inside server they may be, and it may pass on what the
 * gateway brings. */
static bool has_route(const struct conf_domain *d, const struct address *a)
{
	return d->recipient_routes == CONF_ROUTES_REFUSE && strpbrk(a->local, "%!@") != NULL;
}

/* From outside only our own domains (no open relay), one domain a transaction: its keys and rules decide for the
 * whole message. */
static void rcpt_outside(struct relay_tx *t, const struct address *a)
{
	const char *domain = a->domain;
	const struct conf_domain *ours = conf_domain_find(t->r->conf, domain);
	struct problem pr;
	const char *first;

	if (ours == NULL) {
		problem_set(&pr, PROBLEM_POLICY, 550, "5.7.1", "RFC 5321 3.6.2",
		    "relaying denied: <%s> is not of a domain served here", t->pending_rcpt);
		rcpt_answer(t, &pr);
		return;
	}
	if (has_route(ours, a)) {
		problem_set(&pr, PROBLEM_POLICY, 550, "5.7.1", "RFC 5321 3.6.1",
		    "relaying denied: <%s> has a route (%%, ! or @) in front of its @", t->pending_rcpt);
		rcpt_answer(t, &pr);
		return;
	}
	first = t->nrcpts == 0 ? NULL : strrchr(t->rcpts[0].address, '@');
	if (first != NULL && strcmp(first + 1, domain) != 0) {
		problem_set(&pr, PROBLEM_TEMP, 452, "4.5.3", "RFC 5321 4.5.3.1.10",
		    "one recipient domain a transaction: send this one again by itself");
		rcpt_answer(t, &pr);
		return;
	}
	if (t->env.requiretls && relay_hops_inside(t->r, domain) == RELAY_HOPS_INSIDE_OPEN) {
		problem_set(&pr, PROBLEM_POLICY, 550, "5.7.30", "RFC 8689 4.2.1",
		    "REQUIRETLS cannot be kept for <%s>: the way from here to its mailbox is not under verified TLS",
		    t->pending_rcpt);
		rcpt_answer(t, &pr);
		return;
	}
	relay_rcpts_ask(
	    t->r->rcpts, a, smtpd_limited(t->session) ? smtpd_client(t->session) : NULL, on_known, t, &t->rcpt_wait);
}

/* RFC 5321 4.5.1: always a recipient here, whatever else is known of the recipients of a domain; with our host name,
 * the sender of our own notices, or without a domain it is the one of our first domain. */
static bool is_postmaster(const struct address *a)
{
	return lex_same(a->local, strlen(a->local), "postmaster");
}

static void rcpt(void *app, struct smtpd *s, const struct address *a, const struct envelope_rcpt *env)
{
	struct relay *r = app;
	struct relay_tx *t = tx_of(s);
	struct address full = *a;
	const char *name;

	REQUIRE(t != NULL);
	if (is_postmaster(a) && (full.domain[0] == '\0' || (strcmp(full.domain, r->top->hostname) == 0 &&
							       conf_domain_find(r->conf, full.domain) == NULL))) {
		conf_domain(r->conf, 0, &name);
		if (mem_copy_str(full.domain, sizeof(full.domain), name) != 0)
			log_panic("a domain of the configuration is too long");
	}
	address_text(&full, t->pending_rcpt);
	t->pending_notify = env->notify;
	snprintf(t->pending_orcpt, sizeof(t->pending_orcpt), "%s", env->orcpt ? env->orcpt : "");
	if (relay_tx_known(t, t->pending_rcpt))
		rcpt_answer(t, NULL);
	else if (inside(s))
		rcpt_inside(t, &full);
	else
		rcpt_outside(t, &full);
}

/* ---- DATA ---- */

static void data(void *app, struct smtpd *s)
{
	struct relay *r = app;
	struct relay_tx *t = tx_of(s);
	const struct queue_settings *qs = conf_section(r->conf, "queue");
	const struct smtpd_settings *set = smtpd_where(s)->set;
	uint8_t key[SPOOL_KEY];

	relay_data_key(key);
	spool_free(t->content);
	t->content = spool_new(key, (size_t)qs->memory_max, r->spool_dir, -1, (uint64_t)set->message_max);
	mem_wipe(key, sizeof(key));
	smtpd_data_done(s, NULL);
}

static int content(void *app, struct smtpd *s, const void *p, size_t n, struct problem *pr)
{
	(void)app;
	return spool_add(tx_of(s)->content, p, n, pr);
}

static void end(void *app, struct smtpd *s)
{
	(void)app;
	relay_end(tx_of(s));
}

static bool late(void *app, struct smtpd *s)
{
	(void)app;
	return relay_end_late(tx_of(s));
}

const struct smtpd_ops relay_session_ops = {
    .proxied = proxied,
    .connected = connected,
    .mail = mail,
    .rcpt = rcpt,
    .data = data,
    .content = content,
    .end = end,
    .late = late,
    .reset = reset,
    .xsmg = relay_xsmg_server,
    .xsmg_line = relay_xsmg_server_line,
    .xsmg_end = relay_xsmg_server_end,
    .xsmg_over = relay_xsmg_server_over,
    .closed = closed,
};
