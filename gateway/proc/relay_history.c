#include "gateway/proc/relay_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/policy/policy.h"
#include "gateway/queue/queue_number.h"

enum { CERTS_SAID = 4, REPLY_MAX = 900 };

static bool outgoing(const struct relay_tx *t)
{
	return smtpd_where(t->session)->side == SMTPD_INSIDE;
}

static const char *domain_of(const char *address)
{
	const char *at = address == NULL ? NULL : strrchr(address, '@');

	return at == NULL ? "" : at + 1;
}

/* ---- refused ---- */

/* What is known of the session and the envelope. tls: SMTPD_TLS_WORDS. */
static struct history_note note_of(const struct relay_tx *t, const char *event, char *tls)
{
	tls[0] = '\0';
	smtpd_tls(t->session, tls, SMTPD_TLS_WORDS);
	return (struct history_note){.event = event,
	    .id = t->id,
	    .direction = outgoing(t) ? HISTORY_OUT : HISTORY_IN,
	    .sender = t->sender_text,
	    .client = smtpd_client(t->session),
	    .helo = smtpd_helo(t->session),
	    .tls_in = tls};
}

/* The id of `postern trace` that stands at the end of a refusal. */
static const char *trace_of(const struct problem *pr, char out[JUDGE_TRACE_ID + 1])
{
	const char *p = strstr(pr->text, "(trace ");

	snprintf(out, JUDGE_TRACE_ID + 1, "%.*s", JUDGE_TRACE_ID, p == NULL ? "" : p + strlen("(trace "));
	return out;
}

void relay_history_rcpt(struct relay_tx *t, const struct problem *pr)
{
	char tls[SMTPD_TLS_WORDS], reply[REPLY_MAX], trace[JUDGE_TRACE_ID + 1];
	struct history_rcpt rc = {.place = HISTORY_REFUSED_PLACE + t->refused,
	    .outcome = HISTORY_REFUSED,
	    .address = t->pending_rcpt,
	    .partner = outgoing(t) ? domain_of(t->pending_rcpt) : domain_of(t->sender_text),
	    .reason = reply};
	struct history_note n;

	if (t->r->history == NULL || t->refused >= HISTORY_REFUSED_PLACE - 1)
		return;
	snprintf(reply, sizeof(reply), "%d %s %s", pr->code, pr->enh, pr->text);
	n = note_of(t, "refused", tls);
	n.refused_at_rcpt = true;
	n.trace = trace_of(pr, trace);
	n.text = reply;
	n.rcpts = &rc;
	n.nrcpts = 1;
	t->refused++;
	history_note(t->r->history, &n);
}

void relay_history_refused(struct relay_tx *t, const struct problem *pr)
{
	char tls[SMTPD_TLS_WORDS], reply[REPLY_MAX];
	struct history_rcpt *v;
	struct history_note n;

	if (t->r->history == NULL)
		return;
	v = mem_new((t->nrcpts + 1) * sizeof(*v));
	snprintf(reply, sizeof(reply), "%d %s %s", pr->code, pr->enh, pr->text);
	for (size_t i = 0; i < t->nrcpts; i++)
		v[i] = (struct history_rcpt){.place = (int64_t)i,
		    .outcome = HISTORY_REFUSED,
		    .address = t->rcpts[i].address,
		    .partner = outgoing(t) ? domain_of(t->rcpts[i].address) : domain_of(t->sender_text),
		    .reason = reply};
	n = note_of(t, "refused", tls);
	n.size = t->content != NULL ? spool_size(t->content) : 0;
	n.text = reply;
	n.rcpts = v;
	n.nrcpts = t->nrcpts;
	history_note(t->r->history, &n);
	free(v);
}

/* ---- accepted ---- */

/* "CN=lab.example, serial 1A2B, sha256 3f2a...; ...": once for each verdict. They come from the judge, which has read
 * them already. */
static const char *certs_of(struct relay_verdict *v)
{
	char text[HISTORY_TEXT_MAX] = "";
	size_t n = 0, most = v->v.personal ? CERTS_SAID : 1;

	for (size_t i = 0; i < v->v.nrcpt_certs && i < most && n < sizeof(text); i++) {
		struct cert_facts f;
		X509 *x = cert_parse(v->v.rcpt_certs[i].p, v->v.rcpt_certs[i].n, NULL);

		if (x == NULL)
			continue;
		cert_facts(x, &f);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.300s, serial %.100s, sha256 %s",
		    n > 0 ? "; " : "", f.subject, f.serial, f.sha256);
		X509_free(x);
	}
	return arena_str(v->memory, text);
}

static void fill_out(const struct relay_tx *t, uint8_t verdict, const char *treatment, struct history_rcpt *rc)
{
	struct relay_verdict *v = verdict < t->nverdicts ? t->verdicts[verdict] : NULL;

	if (v == NULL)
		return;
	rc->rule = v->v.rule;
	if (strcmp(treatment, "seal") == 0 && v->memory != NULL) {
		if (v->certs == NULL)
			v->certs = certs_of(v);
		rc->certs = v->certs;
	}
	if (strcmp(treatment, "seal") == 0 || strcmp(treatment, "sign") == 0)
		rc->signed_by = v->v.have_signer ? v->v.sign_key : NULL;
}

/* The signer in a line such as `... signer="CN=..."`. */
static const char *signer_of(const char *judged, char out[256])
{
	const char *p = judged == NULL ? NULL : strstr(judged, "signer=\"");
	size_t n;

	out[0] = '\0';
	if (p == NULL)
		return out;
	p += strlen("signer=\"");
	n = strcspn(p, "\"");
	snprintf(out, 256, "%.*s", (int)(n < 255 ? n : 255), p);
	return out;
}

static enum history_outcome outcome_of(const struct queue_rcpt *q)
{
	if (q->state == QUEUE_DONE) /* refused to this one alone */
		return HISTORY_BOUNCED;
	return q->state == QUEUE_HELD ? HISTORY_HELD : HISTORY_QUEUED;
}

/* "pass": it came without encryption. */
static const char *treatment_of(const struct queue_msg *m, const struct queue_rcpt *q)
{
	if (m->kind == QUEUE_RAW || q->treatment == NULL)
		return "";
	return strcmp(q->treatment, "pass") == 0 ? "clear" : q->treatment;
}

static const char *event_of(const struct queue_msg *m, const char *treatment)
{
	static const char *const words[][2] = {{"seal", "sealed"}, {"sign", "signed"}, {"open", "opened"}};

	if (m->nrcpts > 0 && m->rcpts[0].state == QUEUE_HELD)
		return "held";
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i][0], treatment) == 0)
			return words[i][1];
	return "accepted";
}

/* The recipients of message m; o: what was decided of it, NULL of one that is kept as it came. */
static struct history_rcpt *rcpts_of(
    const struct relay_tx *t, const struct queue_msg *m, const struct job_output *o, const char *signer)
{
	struct history_rcpt *v = mem_new((m->nrcpts + 1) * sizeof(*v));

	for (size_t i = 0; i < m->nrcpts; i++) {
		v[i] = (struct history_rcpt){.place = (int64_t)i,
		    .outcome = outcome_of(&m->rcpts[i]),
		    .address = m->rcpts[i].address,
		    .treatment = treatment_of(m, &m->rcpts[i]),
		    .partner = outgoing(t) ? domain_of(m->rcpts[i].address) : domain_of(t->sender_text),
		    .reason = m->rcpts[i].reason,
		    .signed_by = signer};
		if (outgoing(t) && o != NULL && i < o->nrcpts && o->rcpts[i] < t->nrcpts)
			fill_out(t, t->rcpts[o->rcpts[i]].verdict, v[i].treatment, &v[i]);
	}
	return v;
}

static void accepted_one(const struct relay_tx *t, const struct queue_msg *m, const struct job_result *res, size_t i,
    struct history_item **list)
{
	const struct job_output *o = res->noutputs > i ? &res->outputs[i] : NULL;
	char tls[SMTPD_TLS_WORDS], signer[256];
	struct history_note n = note_of(t, "accepted", tls);
	struct history_rcpt *v = rcpts_of(t, m, o, outgoing(t) ? NULL : signer_of(res->log, signer));

	n.id = m->id;
	n.parent = i > 0 ? t->id : NULL;
	n.event = event_of(m, m->nrcpts > 0 ? v[0].treatment : "");
	n.text = o != NULL ? o->why : "encrypted: accepted as it came, to be opened";
	n.size = t->content != NULL ? spool_size(t->content) : 0;
	n.message_id = res->message_id;
	n.judged = outgoing(t) || o == NULL ? NULL : res->log;
	n.rcpts = v;
	n.nrcpts = m->nrcpts;
	history_item_add(list, &n);
	free(v);
}

static void id_of_row(int64_t row, char id[QUEUE_ID_MAX])
{
	queue_number_text(queue_number_msg(row), id, QUEUE_ID_MAX);
}

static void reports_of(const struct queue_report *v, size_t n, struct history_item **list)
{
	for (size_t i = 0; i < n; i++) {
		char id[QUEUE_ID_MAX], text[REPLY_MAX];

		id_of_row(v[i].rcpt, id);
		snprintf(text, sizeof(text), "%s%s%s%s%s%s%.500s", v[i].action, v[i].mta[0] ? " by " : "", v[i].mta,
		    v[i].status[0] ? ": " : "", v[i].status, v[i].diagnostic[0] ? " " : "", v[i].diagnostic);
		history_item_add(list, &(struct history_note){.event = "reported", .id = id, .row = 0, .text = text});
	}
}

static void notice(const struct queue_msg *m, const char *about, struct history_item **list)
{
	struct history_rcpt rc = {
	    .outcome = HISTORY_QUEUED, .address = m->nrcpts > 0 ? m->rcpts[0].address : "", .treatment = "notice"};
	char text[600];

	snprintf(text, sizeof(text), "about message %s", about);
	history_item_add(list, &(struct history_note){.event = "accepted",
				   .id = m->id,
				   .direction = HISTORY_NOTICE,
				   .text = text,
				   .sender = "",
				   .message_id = m->message_id,
				   .size = m->content != NULL ? spool_size(m->content) : 0,
				   .rcpts = &rc,
				   .nrcpts = 1});
	snprintf(text, sizeof(text), "<%.400s> is told, by message %s", rc.address, m->id);
	history_item_add(list, &(struct history_note){.event = "notified", .id = about, .text = text});
}

/* Recipients that do not get it, while the others do. */
static void refused_of(const struct queue_msg *m, struct history_item **list)
{
	char text[REPLY_MAX];

	for (size_t i = 0; i < m->nrcpts; i++) {
		if (m->rcpts[i].state != QUEUE_DONE)
			continue;
		snprintf(text, sizeof(text), "<%s>: %.500s", m->rcpts[i].address, m->rcpts[i].reason);
		history_item_add(list, &(struct history_note){.event = "bounced", .id = m->id, .text = text});
	}
}

struct history_item *relay_history_accepted(
    const struct relay_tx *t, struct relay_settle *s, const struct job_result *res)
{
	struct history_item *list = NULL;
	const struct queue_report *reports;
	const struct queue_msg *m;
	size_t n, nreports;

	if (t->r->history == NULL)
		return NULL;
	m = relay_settle_messages(s, &n);
	for (size_t i = 0; i < n; i++) {
		if (m[i].kind == QUEUE_NOTICE)
			notice(&m[i], t->id, &list);
		else
			accepted_one(t, &m[i], res, i, &list);
		refused_of(&m[i], &list);
	}
	reports = relay_settle_reported(s, &nreports);
	reports_of(reports, nreports, &list);
	return list;
}

/* ---- what became of it ---- */

/* False: it is nothing new. */
static bool settle_words(const struct queue_settle *q, struct history_note *n)
{
	static const struct {
		const char *event;
		enum history_outcome outcome;
	} ends[] = {
	    [QUEUE_DELIVERED] = {"delivered", HISTORY_DELIVERED},
	    [QUEUE_BOUNCED] = {"bounced", HISTORY_BOUNCED},
	    [QUEUE_EXPIRED] = {"expired", HISTORY_EXPIRED},
	    [QUEUE_DELETED] = {"deleted", HISTORY_DELETED},
	    [QUEUE_OPENED] = {NULL, HISTORY_REPLACED}, /* what was opened tells of itself */
	    [QUEUE_REFUSED] = {"refused", HISTORY_REFUSED},
	};

	if (q->state == QUEUE_DONE) {
		REQUIRE((size_t)q->outcome < sizeof(ends) / sizeof(ends[0]));
		n->event = ends[q->outcome].event;
		n->outcome = ends[q->outcome].outcome;
		return true;
	}
	n->event = q->state == QUEUE_HELD ? "held" : "deferred";
	n->outcome = q->state == QUEUE_HELD ? HISTORY_HELD : HISTORY_DEFERRED;
	return q->reason != NULL;
}

static void settled_one(const struct queue_settle *q, const char *tls, struct history_item **list)
{
	char id[QUEUE_ID_MAX];
	struct history_note n = {
	    .id = id, .row = q->rcpt, .text = q->reason, .remote = q->remote, .status = q->status, .tls_out = tls};

	id_of_row(q->rcpt, id);
	if (settle_words(q, &n))
		history_item_add(list, &n);
}

/* The opened form of a message that came in. */
static void opened(const struct queue_msg *m, const struct relay_history_settled *s, struct history_item **list)
{
	struct history_rcpt *v = mem_new((m->nrcpts + 1) * sizeof(*v));
	char signer[256];
	const char *treatment = m->nrcpts > 0 ? treatment_of(m, &m->rcpts[0]) : "";

	signer_of(s->judged, signer);
	for (size_t i = 0; i < m->nrcpts; i++)
		v[i] = (struct history_rcpt){.place = (int64_t)i,
		    .outcome = outcome_of(&m->rcpts[i]),
		    .address = m->rcpts[i].address,
		    .treatment = treatment_of(m, &m->rcpts[i]),
		    .partner = domain_of(m->sender),
		    .reason = m->rcpts[i].reason,
		    .signed_by = signer};
	history_item_add(list, &(struct history_note){.event = event_of(m, treatment),
				   .id = m->id,
				   .parent = s->id,
				   .direction = HISTORY_IN,
				   .text = m->nrcpts > 0 ? m->rcpts[0].reason : NULL,
				   .judged = s->judged,
				   .sender = m->sender,
				   .message_id = m->message_id,
				   .rcpts = v,
				   .nrcpts = m->nrcpts});
	free(v);
}

void relay_history_settled(struct relay *r, const struct relay_history_settled *s)
{
	struct history_item *list = NULL;

	if (r->history == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		settled_one(&s->v[i], s->tls, &list);
	for (size_t i = 0; i < s->nmsgs; i++) {
		if (s->msgs[i].kind == QUEUE_NOTICE)
			notice(&s->msgs[i], s->id, &list);
		else
			opened(&s->msgs[i], s, &list);
	}
	reports_of(s->reports, s->nreports, &list);
	history_put(r->history, list);
}
