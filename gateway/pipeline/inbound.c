#include "gateway/pipeline/inbound.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "certstore/cert.h"
#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/mail/author_domains.h"
#include "gateway/mail/author_name.h"
#include "gateway/pipeline/deliver.h"
#include "gateway/pipeline/inside.h"
#include "gateway/pipeline/layers.h"
#include "gateway/pipeline/report.h"

static enum stage_result in_header(struct work *w);
static enum stage_result in_peel(struct work *w);
static enum stage_result in_unwrap(struct work *w);
static enum stage_result in_look(struct work *w);
static enum stage_result in_trust(struct work *w);
static enum stage_result in_judge(struct work *w);

const struct stage inbound_stages[] = {
    {"header", in_header},    /* header block, the author, To and Cc */
    {"peel", in_peel},	      /* open and verify layer by layer; CHECK stops at the first that is encrypted */
    {"unwrap", in_unwrap},    /* header fields that were signed or sealed with it: who says to be the author */
    {"look", in_look},	      /* S/MIME parts below the top; too many parts */
    {"trust", in_trust},      /* who signed: known answers, or ask the judge and run again */
    {"report", report_stage}, /* a delivery report from outside: about what? known, or ask and run again */
    {"judge", in_judge},      /* policy, then the message as it will be delivered */
    {NULL, NULL},
};

/* For the queue's record: the reason, and what was found. */
static void say_layers(struct work *w, const char *why, char *out, size_t cap)
{
	verdict_line(&w->verdict, w->res->layers, sizeof(w->res->layers));
	if (w->verdict.nlayers + w->verdict.nparts > 0)
		snprintf(out, cap, "%s (layers: %s)", why, w->res->layers);
	else
		snprintf(out, cap, "%s", why);
}

/*
 * Promise P10: after the 250 nothing ends in a refusal or shows outside: every failure of OPEN is a hold with its
 * reason, for the admin alone. A released message is delivered as it came, marked.
 */
static enum stage_result hold(struct work *w, const char *why)
{
	say_layers(w, why, w->res->why, sizeof(w->res->why));
	w->res->status = JOB_HOLD;
	return STAGE_REJECT;
}

static enum stage_result as_it_came(struct work *w)
{
	w->cur = spool_reader(w->in);
	w->shown = w->msg;
	w->unwrapped_detached = false;
	return STAGE_NEXT;
}

/* A structure that cannot be read: before the 250 that is a refusal; afterwards a hold, or, released, the message as
 * it came. */
static enum stage_result unreadable(struct work *w)
{
	char text[PROBLEM_TEXT_MAX];

	if (w->res->pr.cls == PROBLEM_TEMP)
		return STAGE_DEFER;
	if (w->rq->kind == JOB_CHECK)
		return STAGE_REJECT;
	if (w->rq->released) {
		snprintf(w->facts.open_why, sizeof(w->facts.open_why), "%s", problem_clause(&w->res->pr, text));
		return as_it_came(w);
	}
	return hold(w, problem_clause(&w->res->pr, text));
}

static void note_author(struct work *w)
{
	struct problem pr = {0};
	char text[PROBLEM_TEXT_MAX];

	w->have_from = header_author(w->a, &w->msg.header, &w->from, &pr) == 0;
	if (!w->have_from)
		snprintf(w->from_why, sizeof(w->from_why), "%.399s", problem_clause(&pr, text));
	else
		snprintf(w->res->from_domain, sizeof(w->res->from_domain), "%s", w->from.domain);
}

/* A name that shows another address is nothing that a signature vouches for: said, wherever one is believed. */
static void note_name(struct work *w)
{
	const struct header_field *f = NULL;
	char other[ADDRESS_TEXT_MAX], who[ADDRESS_TEXT_MAX];

	if (w->wrapped.kind != UNWRAP_NONE)
		f = header_find(&w->wrapped.inner, "From", 0);
	if (f == NULL)
		f = header_find(&w->msg.header, "From", 0);
	if (w->verdict.nsigners == 0 || !w->have_from || f == NULL || !author_name_other(w->a, f, &w->from, other))
		return;
	snprintf(w->from_note, sizeof(w->from_note),
	    "the name beside the author's address shows another one (%.120s): the author is %.200s", other,
	    address_text(&w->from, who));
}

static enum stage_result in_header(struct work *w)
{
	struct reader *r = spool_reader(w->in);
	const struct header_field *f;
	const char *id[1];

	if (mime_entity_read(w->a, r, 0, r->size, &w->lim, &w->msg, &w->res->pr) != 0)
		return unreadable(w);
	f = header_find(&w->msg.header, "Message-ID", 0);
	if (f != NULL && header_msgids(w->a, f, id, 1) == 1 && strlen(id[0]) < sizeof(w->res->message_id))
		snprintf(w->res->message_id, sizeof(w->res->message_id), "%s", id[0]);
	note_author(w);
	return STAGE_NEXT;
}

static enum stage_result foreign(struct work *w)
{
	const char *d = w->rq->our_domain;

	if (w->rq->foreign_deliver || w->rq->released) {
		snprintf(w->facts.open_why, sizeof(w->facts.open_why), "encrypted for somebody else's certificate");
		w->closed_goes = true;
		return as_it_came(w);
	}
	if (w->rq->kind == JOB_CHECK) {
		problem_set(&w->res->pr, PROBLEM_PERM, 550, "5.7.5", "RFC 5652 6.2",
		    "the message is encrypted, but for none of the certificates of %s: fetch our present certificate "
		    "and send again",
		    d);
		return STAGE_REJECT;
	}
	w->res->waits = QUEUE_WAITS_KEY;
	snprintf(w->res->waits_for, sizeof(w->res->waits_for), "%s", d);
	return hold(w, "encrypted for a certificate that is not ours");
}

static enum stage_result unopened_because(struct work *w, const char *what)
{
	char why[sizeof(w->res->why)], text[PROBLEM_TEXT_MAX];

	w->res->open_failed = true;
	snprintf(why, sizeof(why), "%s: %.500s", what, problem_clause(&w->res->pr, text));
	if (!w->rq->released)
		return hold(w, why);
	snprintf(w->facts.open_why, sizeof(w->facts.open_why), "%.390s", why);
	w->facts.opened = false;
	return as_it_came(w);
}

static enum stage_result unopened(struct work *w)
{
	return unopened_because(w, "encrypted for us, but it cannot be opened");
}

/*
 * What lies below the top. What came sealed was seen by no filter on its way: a structure that is there only to
 * exhaust its readers is not handed to the inside, whoever signed it. Other faults of MIME are the reader's business,
 * as they are in mail that came in the clear.
 */
static enum stage_result in_look(struct work *w)
{
	const char *type = w->shown.type.type;
	struct problem pr = {0};
	char why[sizeof(w->res->why)], text[PROBLEM_TEXT_MAX];
	bool beyond;

	if (w->cur == spool_reader(w->in) && strcmp(type, "multipart") != 0 && strcmp(type, "message") != 0)
		return STAGE_NEXT;
	if (inside_look(w, &beyond, &pr) == 0)
		return STAGE_NEXT;
	if (pr.cls == PROBLEM_TEMP) {
		w->res->pr = pr;
		return STAGE_DEFER;
	}
	if (!w->facts.opened || w->rq->released || !beyond)
		return STAGE_NEXT;
	snprintf(why, sizeof(why), "encrypted, and opened: %.500s", problem_clause(&pr, text));
	w->res->open_failed = true;
	return hold(w, why);
}

static enum stage_result unopened_foreign(struct work *w)
{
	problem_perm(&w->res->pr, "inside lies a layer that is encrypted for a certificate that is not ours");
	return unopened(w);
}

static enum stage_result in_peel(struct work *w)
{
	switch (layers_peel(w)) {
	case LAYERS_END:
		return STAGE_NEXT;
	case LAYERS_ENCRYPTED:
		w->res->status = JOB_AS_IT_CAME;
		return STAGE_DONE;
	case LAYERS_FOREIGN:
		return w->key_used ? unopened_foreign(w) : foreign(w);
	case LAYERS_MALFORMED:
		return w->key_used ? unopened_because(w, "encrypted, and opened, but a layer inside cannot be read")
				   : unreadable(w);
	case LAYERS_UNOPENED:
		return unopened(w);
	case LAYERS_TEMP:
		break;
	}
	if (w->res->pr.cls != PROBLEM_TEMP)
		problem_temp(&w->res->pr, "the key process does not answer; the message waits");
	return STAGE_DEFER;
}

static enum stage_result in_unwrap(struct work *w)
{
	return unwrap_read(w) == 0 ? STAGE_NEXT : STAGE_DEFER;
}

/* ---- trust ---- */

static void ask(struct work *w)
{
	struct judge_signers *q = &w->res->signers;
	char text[ADDRESS_TEXT_MAX];

	snprintf(q->our_domain, sizeof(q->our_domain), "%s", w->rq->our_domain);
	snprintf(q->from, sizeof(q->from), "%s", address_text(&w->from, text));
	q->opened = w->key_used;
	q->n = w->nsigners;
	memcpy(q->v, w->signers, sizeof(q->v));
	q->nextra = w->nextra;
	memcpy(q->extra, w->extra, sizeof(q->extra));
	w->res->status = JOB_NEEDS_TRUST;
}

static void name_domain(struct author_domains *d, const char *address)
{
	const char *at = strrchr(address, '@');

	if (at != NULL)
		author_domains_add(d, at + 1, strlen(at + 1));
}

/* Whoever a reader's program may show as the author when there is no one author, and the envelope's sender. false:
 * there are too many. */
static bool all_named(struct work *w, struct author_domains *d)
{
	memset(d, 0, sizeof(*d));
	if (author_domains_find(w->a, &w->msg.header, d) != 0 ||
	    (w->wrapped.kind != UNWRAP_NONE && author_domains_find(w->a, &w->wrapped.inner, d) != 0))
		return false;
	return !d->more;
}

/* Of nobody's signature: what the author's domain promises, or those do that are named. */
static void ask_promise(struct work *w)
{
	struct judge_signers *q = &w->res->signers;
	char text[ADDRESS_TEXT_MAX];
	struct author_domains d;

	snprintf(q->our_domain, sizeof(q->our_domain), "%s", w->rq->our_domain);
	if (w->have_from)
		snprintf(q->from, sizeof(q->from), "%s", address_text(&w->from, text));
	else if (all_named(w, &d)) {
		struct author_domains sender = {0};

		_Static_assert(
		    JUDGE_NAMED_MAX > AUTHOR_DOMAINS_MAX && sizeof(d.v[0]) <= sizeof(q->named[0]), "they fit");
		name_domain(&sender, w->rq->sender);
		for (size_t i = 0; i < d.n; i++)
			snprintf(q->named[q->nnamed++], sizeof(q->named[0]), "%s", d.v[i]);
		if (sender.n > 0)
			snprintf(q->named[q->nnamed++], sizeof(q->named[0]), "%s", sender.v[0]);
	}
	q->opened = w->key_used;
	w->res->status = JOB_NEEDS_TRUST;
}

static bool is_hash_of(const char *hex, const struct judge_octets *o)
{
	uint8_t h[32];
	char own[65];

	SHA256(o->p, o->n, h);
	encode_hex(h, sizeof(h), own);
	return strcmp(hex, own) == 0;
}

/* What is remembered of earlier mail holds for its author; and for what was signed about now, as that was, saying the
 * same of what its reader can: anything new the judge has to hear. */
static bool of_this_author(const struct work *w)
{
	enum { DAY = 24 * 3600 };
	char text[ADDRESS_TEXT_MAX];
	int64_t now = (int64_t)time(NULL);

	if (strcmp(w->rq->trust_from, address_text(&w->from, text)) != 0)
		return false;
	for (size_t i = 0; i < w->nsigners; i++)
		if (w->signers[i].signing_time < now - DAY || w->signers[i].signing_time > now + DAY ||
		    !is_hash_of(w->rq->trust.v[i].caps, &w->signers[i].caps))
			return false;
	return true;
}

/* What was said of a certificate that the judge knew and the message did not bring; NULL: it is none of those. */
static const struct judge_known *known(const struct judge_trust *t, const struct judge_octets *cert)
{
	for (size_t i = 0; cert->n > 0 && i < t->nknown; i++)
		if (t->known[i].cert.n == cert->n && memcmp(t->known[i].cert.p, cert->p, cert->n) == 0)
			return &t->known[i];
	return NULL;
}

/* The answers belong to exactly these certificates, in this order; anything else is asked anew. */
static bool answered(const struct work *w)
{
	const struct judge_trust *t = &w->rq->trust;

	if (!w->rq->have_trust || t->n != w->nsigners)
		return false;
	if (w->rq->trust_from[0] && !of_this_author(w))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].sha256[0] ? !is_hash_of(t->v[i].sha256, &w->signers[i].cert)
				      : known(t, &w->signers[i].cert) == NULL)
			return false;
	return true;
}

/* The answers signer by signer, whoever brought the certificate. */
static void judged(struct work *w)
{
	const struct judge_trust *t = &w->rq->trust;
	struct judge_trust all = {.n = t->n};

	for (size_t i = 0; i < t->n; i++) {
		const struct judge_known *k = known(t, &w->signers[i].cert);

		all.v[i] = t->v[i];
		if (t->v[i].sha256[0] || k == NULL)
			continue;
		all.v[i].state = k->state;
		memcpy(all.v[i].why, k->why, sizeof(all.v[i].why));
	}
	verdict_judged(&w->verdict, &all);
}

/* The store could not be asked for a certificate that is not in the message. */
static const char *not_looked(const struct work *w)
{
	const struct judge_trust *t = &w->rq->trust;

	for (size_t i = 0; w->rq->have_trust && !w->rq->trust_from[0] && i < t->n; i++)
		if (t->v[i].sha256[0] == 0 && t->v[i].state == JUDGE_TRUST_TEMP)
			return t->v[i].why;
	return NULL;
}

/* P9 remembers the author's domain when the certificate speaks for it, the person alone when it speaks for one
 * person. */
static void name_author(struct work *w)
{
	int i = w->verdict.decides;
	X509 *x = i >= 0 && (size_t)i < w->nsigners ? cache_cert(w->cache, &w->signers[i].cert, NULL) : NULL;
	char text[ADDRESS_TEXT_MAX];

	if (x != NULL && w->have_from && cert_bound(x, &w->from, CERT_TO_SIGN) == CERT_BOUND_ADDRESS)
		snprintf(w->res->from_domain, sizeof(w->res->from_domain), "%s", address_text(&w->from, text));
}

/* Who names more domains than are asked about names one that promises. */
static bool names_too_many(struct work *w)
{
	struct author_domains d;

	if (w->have_from || all_named(w, &d))
		return false;
	w->facts.promised_signed = w->facts.promised_encrypted = true;
	return true;
}

/* 1 known, 0 to be asked, -1 it cannot be told now. What is not to be known is no promise. */
static int promised(struct work *w)
{
	const struct job_request *rq = w->rq;
	const char *of = w->from.domain;
	uint8_t bits = 0;

	if (rq->promises == JOB_PROMISES_NONE || names_too_many(w))
		return 1;
	if (rq->have_trust && rq->trust_from[0] == 0) {
		bits = rq->trust.promise;
		of = w->have_from ? of : rq->trust.promise_of;
	} else if (w->have_from && rq->promises == JOB_PROMISES_KNOWN && strcmp(rq->promise_domain, of) == 0) {
		bits = rq->promise;
	} else {
		return 0;
	}
	snprintf(w->promises, sizeof(w->promises), "%s", of);
	w->facts.promised_signed = (bits & JUDGE_PROMISE_SIGNS) != 0;
	w->facts.promised_encrypted = (bits & JUDGE_PROMISE_ENCRYPTS) != 0;
	w->facts.promise_test = (bits & JUDGE_PROMISE_TEST) != 0;
	return bits & JUDGE_PROMISE_UNSURE ? -1 : 1;
}

/* The judge is asked about every signer of every layer, also those whose word does not decide; not when that could
 * change nothing. */
static enum stage_result in_trust(struct work *w)
{
	struct verdict *v = &w->verdict;
	const char *nobody, *away = not_looked(w);
	int promise = promised(w);

	if (away != NULL && !w->rq->released) {
		problem_temp(&w->res->pr, "%s", away);
		return STAGE_DEFER;
	}
	note_name(w);
	nobody = !w->have_from ? w->from_why : w->from_note[0] ? w->from_note : NULL;
	if (promise < 0 && !w->rq->released) {
		problem_temp(&w->res->pr, "it cannot be told now what %.200s promises of its mail", w->promises);
		return STAGE_DEFER;
	}
	if (promise == 0 && (w->nsigners == 0 || v->failed || nobody != NULL)) {
		ask_promise(w);
		return STAGE_NEEDS;
	}
	if (w->nsigners > 0 && !v->failed && nobody == NULL) {
		if (promise == 0 || !answered(w)) {
			ask(w);
			return STAGE_NEEDS;
		}
		judged(w);
	}
	verdict_conclude(v, nobody, &w->facts);
	name_author(w);
	named_tell(w);
	if (w->facts.sig == POLICY_SIG_TEMP && !w->rq->released) {
		problem_temp(&w->res->pr, "%s", w->facts.sig_why);
		return STAGE_DEFER;
	}
	return STAGE_NEXT;
}

/* ---- policy and what is delivered ---- */

/* A signature that holds, by somebody who may come to be trusted, or whose certificate may come to be known, is
 * judged again then; what is broken, or not signed at all, gets no better by waiting. */
static void note_waits(struct work *w)
{
	if (w->facts.sig != POLICY_SIG_UNTRUSTED && w->facts.sig != POLICY_SIG_UNBOUND && !w->unknown_signer)
		return;
	w->res->waits = QUEUE_WAITS_TRUST;
	snprintf(w->res->waits_for, sizeof(w->res->waits_for), "%s", w->from.domain);
}

static bool may_hold(const struct work *w, const struct policy_in_rules *rules)
{
	/* matched or not: the answer says nothing of what was sent from here */
	if (w->facts.dsn != POLICY_DSN_NONE && rules->dsn_unmatched >= POLICY_CHOICE_HOLD)
		return true;
	if ((w->facts.promised_signed || w->facts.promised_encrypted) && rules->promise >= POLICY_CHOICE_HOLD)
		return true;
	if (w->verdict.nsigners == 0 && !w->verdict.failed)
		return rules->unsigned_clear == POLICY_HOLD;
	return rules->untrusted == POLICY_HOLD || rules->broken == POLICY_HOLD;
}

static void say_more(const struct work *w, struct policy_in_decision *d)
{
	size_t n = strlen(d->why);

	if (w->wrapped.from_differs && w->have_from && w->nsigners > 0)
		snprintf(
		    d->why + n, sizeof(d->why) - n, "; the From outside names another author than the signed one");
}

/* It is kept in the history and in the log: nothing of the content, and never the Subject. */
static void note_log(struct work *w, const struct policy_in_decision *d)
{
	const struct verdict *v = &w->verdict;

	verdict_line(v, w->res->layers, sizeof(w->res->layers));
	snprintf(w->res->log, sizeof(w->res->log), "verdict=%s result=%s cipher=%s layers=%s signer=\"%.200s\"",
	    d->verdict, d->result, w->cipher[0] ? w->cipher : "-", w->res->layers,
	    v->decides >= 0 ? v->signers[v->decides].subject : "");
}

static void note_broken(struct work *w, const struct policy_in_decision *d)
{
	struct job_result *res = w->res;

	if (!d->broken_signed && !d->broken_encrypted)
		return;
	res->broken = (uint8_t)((d->broken_signed ? JUDGE_PROMISE_SIGNS : 0) |
				(d->broken_encrypted ? JUDGE_PROMISE_ENCRYPTS : 0) |
				(w->facts.promise_test ? JUDGE_PROMISE_TEST : 0));
	snprintf(res->broken_domain, sizeof(res->broken_domain), "%s", w->promises);
}

/* What would be held is refused before the 250 where the admin says so. */
static bool refused(struct work *w, const struct policy_in_decision *d)
{
	struct problem *pr = &w->res->pr;

	if (d->refuse)
		return problem_set(pr, PROBLEM_POLICY, 550, "5.7.1", "RFC 3464",
			   "the delivery report is about no message that is known to have been sent from here") != 0;
	if (d->refuse_part)
		return problem_set(pr, PROBLEM_POLICY, 550, "5.7.1", "RFC 8551 3.7",
			   "%s: it is not opened there; send the encrypted message by itself",
			   w->facts.part_why) != 0;
	if (!d->refuse_promise)
		return false;
	return problem_set(pr, PROBLEM_POLICY, 550, "5.7.1", "",
		   "%.200s promises in its statement (XSMG) that all its mail is %s, and this message is not",
		   w->promises[0] ? w->promises : "one of the many domains in its From",
		   d->broken_signed && d->broken_encrypted ? "signed and encrypted"
		   : d->broken_signed			   ? "signed"
							   : "encrypted") != 0;
}

static enum stage_result in_judge(struct work *w)
{
	struct policy_in_rules rules;
	struct policy_in_decision d;
	struct job_output *o;

	rules.unsigned_clear = (enum policy_in_action)w->rq->in_rules[0];
	rules.untrusted = (enum policy_in_action)w->rq->in_rules[1];
	rules.broken = (enum policy_in_action)w->rq->in_rules[2];
	rules.sealed_unsigned = (enum policy_in_action)w->rq->in_rules[3];
	rules.dsn_unmatched = (enum policy_in_choice)w->rq->dsn_unmatched;
	rules.part = (enum policy_in_choice)w->rq->encrypted_part;
	rules.promise = (enum policy_in_choice)w->rq->broken_promise;
	policy_inbound(&rules, &w->facts, &d);
	say_more(w, &d);
	note_broken(w, &d);
	if ((w->rq->released || w->closed_goes) && d.action == POLICY_HOLD)
		d.action = POLICY_MARK;
	w->res->may_hold = may_hold(w, &rules);
	if (d.action == POLICY_HOLD)
		note_waits(w);
	w->res->protected_in = w->facts.sig == POLICY_SIG_GOOD && w->facts.encrypted && w->facts.opened;
	note_log(w, &d);
	if (d.action == POLICY_HOLD && w->rq->kind == JOB_CHECK && refused(w, &d))
		return STAGE_REJECT;
	if (d.action == POLICY_HOLD && w->rq->kind == JOB_OPEN)
		return hold(w, d.why); /* the ciphertext waits, nothing opened is kept */
	struct spool *s = work_output(w, &o);
	if (s == NULL)
		return STAGE_DEFER;
	for (size_t i = 0; i < w->rq->nrcpts; i++)
		o->rcpts[o->nrcpts++] = (uint16_t)i;
	o->action = (uint8_t)d.action;
	snprintf(o->treatment, sizeof(o->treatment), "%s", w->facts.opened ? "open" : "pass");
	say_layers(w, d.why, o->why, sizeof(o->why));
	if (deliver_write(w, &d, o, spool_writer(s)) != 0 || work_output_end(w, o) != 0) {
		/* our own resources; or fields inside that will not fit next time either */
		w->res->noutputs = 0;
		return w->res->pr.cls == PROBLEM_TEMP || w->rq->released ? STAGE_DEFER : unreadable(w);
	}
	w->res->status = JOB_DONE;
	return STAGE_DONE;
}
