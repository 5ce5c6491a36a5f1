#include "gateway/pipeline/deliver.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/authres.h"
#include "gateway/mail/sevenbit.h"
#include "gateway/mail/shown.h"
#include "gateway/pipeline/entity.h"
#include "gateway/pipeline/report.h"

/* A verified signature of the transport is taken off (desktops would warn of a certificate that is not the author's);
 * anything else stays as it came. */
static const struct mime_entity *entity_to_show(const struct work *w)
{
	if (w->unwrapped_detached && w->facts.sig != POLICY_SIG_GOOD)
		return &w->before_detached;
	return &w->shown;
}

/* RFC 7281 4: whose certificate it is. When it speaks for the author, that is the address it was found to speak for.
 */
static void one_signer(struct authres *r, const struct verdict_signer *s)
{
	r->body_smime_identifier = s->address[0] ? s->address : NULL;
	r->body_smime_serial = s->serial[0] ? s->serial : NULL;
	r->body_smime_issuer = s->issuer[0] ? s->issuer : NULL;
}

/* One result for the message and the signer it rests on, then one for each other signer. */
static int add_results(struct work *w, const struct policy_in_decision *d)
{
	const struct verdict *v = &w->verdict;
	struct authres r[JUDGE_CERTS_MAX + 1] = {
	    {.authserv_id = w->rq->authserv_id, .result = d->result, .reason = d->why}};
	char who[ADDRESS_TEXT_MAX], enc[80];
	size_t n = 1;

	if (w->facts.opened) {
		snprintf(enc, sizeof(enc), "encrypted %s", w->cipher);
		r[0].encryption = enc;
	}
	if (v->decides >= 0)
		one_signer(&r[0], &v->signers[v->decides]);
	if (w->facts.sig == POLICY_SIG_GOOD)
		r[0].body_smime_identifier = address_text(&w->from, who);
	for (size_t i = 0; i < v->nsigners; i++) {
		if ((int)i == v->decides)
			continue;
		one_signer(&r[n], &v->signers[i]);
		r[n].result = verdict_smime(&v->signers[i]);
		r[n].reason = v->signers[i].why[0] ? v->signers[i].why : "valid, but it does not decide";
		r[n - 1].next = &r[n];
		n++;
	}
	return authres_add(&w->front, r);
}

static int add_layers(struct work *w)
{
	const struct verdict *v = &w->verdict;
	char text[1600];

	for (size_t i = 0; i < v->nlayers; i++) {
		verdict_layer_words(v, i, text, sizeof(text));
		if (authres_add_x(&w->front, "Layer", text) != 0)
			return -1;
	}
	for (size_t i = 0; i < v->nparts; i++) {
		verdict_part_words(&v->parts[i], text, sizeof(text));
		if (authres_add_x(&w->front, "Part", text) != 0)
			return -1;
	}
	for (size_t i = 0; i < v->nsigners; i++) {
		verdict_signer_words(&v->signers[i], text, sizeof(text));
		if (authres_add_x(&w->front, "Signer", text) != 0)
			return -1;
	}
	return 0;
}

/* Only where To and Cc are signed: the envelope's recipients say nothing of whom it was meant for. */
static int add_recipients(struct work *w)
{
	if (!w->facts.recipients_signed || w->facts.sig != POLICY_SIG_GOOD)
		return 0;
	return authres_add_x(&w->front, "Recipients",
	    w->facts.recipient_bound ? "bound; all stand in the signed To and Cc"
				     : "not bound; not all stand in the signed To and Cc");
}

static int add_verdict(struct work *w, const struct policy_in_decision *d)
{
	if (add_results(w, d) != 0 || authres_add_x(&w->front, "Verdict", d->verdict) != 0 ||
	    authres_add_x(&w->front, "Reason", d->why) != 0)
		return -1;
	if (w->from_note[0] && authres_add_x(&w->front, "Author", w->from_note) != 0)
		return -1;
	if (w->dsn_text[0] && authres_add_x(&w->front, "DSN", w->dsn_text) != 0)
		return -1;
	if (add_layers(w) != 0 || add_recipients(w) != 0)
		return -1;
	if (w->facts.opened && authres_add_x(&w->front, "Cipher", w->cipher) != 0)
		return -1;
	const char *says = unwrap_says(w);
	if (says[0] && authres_add_x(&w->front, "Headers", says) != 0)
		return -1;
	return 0;
}

/*
 * [not verified] in front of the Subject of what is marked. A copy that came with the message, the sender's or that
 * of an earlier delivery in a reply, looks like ours, so it goes from all mail, encoded or not.
 */
static const char subject_mark[] = "[not verified]";

static int add_subject(struct work *w, const struct header_field *f, bool mark)
{
	const char *v = f->value, *end = v + f->value_len;
	struct buf b;
	int removed, err;

	buf_init(&b, w->front.max);
	removed = shown_remove(w->a, v, f->value_len, subject_mark, &b);
	if (removed == 0 && !mark) {
		buf_clear(&b);
		return buf_add(&w->front, f->raw, f->raw_len);
	}
	while (v < end && strchr(" \t\r\n", *v) != NULL)
		v++;
	err = removed < 0 || buf_adds(&w->front, "Subject: ") != 0 ||
		      (mark && buf_addf(&w->front, "%s ", subject_mark) != 0) ||
		      buf_add(&w->front, removed ? (const void *)b.p : v, removed ? b.len : (size_t)(end - v)) != 0 ||
		      buf_adds(&w->front, "\r\n") != 0
		  ? -1
		  : 0;
	buf_clear(&b);
	return err;
}

/* The fields of a whole message have its Content-* fields among them, where they stand. */
static int add_fields(struct work *w, const struct unwrap_shown *s, bool mark)
{
	const struct header *h = &s->header;

	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->f[i];

		if (authres_is_forged(f, w->rq->authserv_id))
			continue;
		if (!s->whole && header_is_content(f) && !header_is(f, "MIME-Version"))
			continue;
		if (w->rq->subject_mark && header_is(f, "Subject")) {
			if (add_subject(w, f, mark) != 0)
				return -1;
			mark = false;
			continue;
		}
		if (buf_add(&w->front, f->raw, f->raw_len) != 0)
			return -1;
	}
	return mark ? buf_addf(&w->front, "Subject: %s\r\n", subject_mark) : 0; /* it came without one */
}

static int nowhere(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	(void)w, (void)p, (void)n, (void)pr;
	return 0;
}

/* The whole message in lines: *done_r false where that cannot be made of it, and nothing was written. A legacy
 * display stays in: it says twice what is shown. */
static int in_lines(struct work *w, const struct unwrap_shown *s, struct writer *out, bool *done_r)
{
	struct entity_reader e;
	struct writer dry = {.write = nowhere};
	struct problem pr = {0};

	entity_reader_init(&e, &w->front, w->cur, s->body_off, s->body_len);
	*done_r = sevenbit_lines_write(&e.reader, 0, e.reader.size, &dry, &pr) == 0;
	if (*done_r)
		return sevenbit_lines_write(&e.reader, 0, e.reader.size, out, &w->res->pr);
	if (pr.cls != PROBLEM_TEMP)
		return 0;
	w->res->pr = pr;
	return -1;
}

int deliver_write(struct work *w, const struct policy_in_decision *d, struct job_output *o, struct writer *out)
{
	const struct mime_entity *e = entity_to_show(w);
	struct entity_octets seen;
	struct unwrap_shown s;
	bool mark = w->rq->subject_mark &&
		    d->action != POLICY_DELIVER; /* what is held now comes out by release alone, marked */

	buf_reset(&w->front);
	if (unwrap_show(w, e, &s) != 0)
		return -1;
	if (buf_adds(&w->front, w->rq->trace) != 0 || add_verdict(w, d) != 0 || add_fields(w, &s, mark) != 0 ||
	    (s.whole ? buf_adds(&w->front, "\r\n") : entity_front(&s.content, &w->front)) != 0)
		return problem_perm(
		    &w->res->pr, "the header of the message, with the fields inside, does not fit into header-max");
	entity_octets_init(&seen, out);
	bool report = d->header_only && !w->rq->released, done = false;
	int err = w->binary && !report ? in_lines(w, &s, &seen.writer, &done) : 0;
	if (err == 0 && !done)
		err = stream_write(&seen.writer, w->front.p, w->front.len, &w->res->pr);
	if (err == 0 && report)
		err = report_copy(w, e, &seen.writer, &w->res->pr);
	else if (err == 0 && !done)
		err = display_copy(&s.display, w->cur, s.body_off, s.body_len, &seen.writer, &w->res->pr);
	o->eight_bit = seen.eight_bit;
	return err;
}
