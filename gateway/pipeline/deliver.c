#include "gateway/pipeline/deliver.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/authres.h"
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

static int add_verdict(struct work *w, const struct policy_in_decision *d)
{
	char who[ADDRESS_TEXT_MAX], enc[80];
	struct authres r = {
	    .authserv_id = w->rq->authserv_id,
	    .result = d->result,
	    .reason = d->why,
	    .body_smime_identifier = w->nsigners > 0 && w->have_from ? address_text(&w->from, who) : NULL,
	    .body_smime_serial = w->signer_serial[0] ? w->signer_serial : NULL,
	    .body_smime_issuer = w->signer_issuer[0] ? w->signer_issuer : NULL,
	};

	if (w->facts.opened) {
		snprintf(enc, sizeof(enc), "encrypted %s", w->cipher);
		r.encryption = enc;
	}
	if (authres_add(&w->front, &r) != 0 || authres_add_x(&w->front, "Verdict", d->verdict) != 0 ||
	    authres_add_x(&w->front, "Reason", d->why) != 0)
		return -1;
	if (w->dsn_text[0] && authres_add_x(&w->front, "DSN", w->dsn_text) != 0)
		return -1;
	if (w->signer_name[0] && authres_add_x(&w->front, "Signer", w->signer_name) != 0)
		return -1;
	if (w->facts.opened && authres_add_x(&w->front, "Cipher", w->cipher) != 0)
		return -1;
	const char *says = unwrap_says(w);
	if (says[0] && authres_add_x(&w->front, "Headers", says) != 0)
		return -1;
	return 0;
}

/* [not verified] in front of the Subject when wanted; a copy of the mark that the sender put there is nobody's
 * business but looks the same, so it goes. */
static const char subject_mark[] = "[not verified] ";

static int add_subject(struct work *w, const struct header_field *f)
{
	const char *v = header_text(w->a, f);

	if (v == NULL)
		return -1;
	while (strncmp(v, subject_mark, sizeof(subject_mark) - 2) == 0) {
		v += sizeof(subject_mark) - 2;
		v += strspn(v, " ");
	}
	return buf_addf(&w->front, "Subject: %s%s\r\n", subject_mark, v);
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
		if (mark && header_is(f, "Subject")) {
			if (add_subject(w, f) != 0)
				return -1;
			mark = false;
			continue;
		}
		if (buf_add(&w->front, f->raw, f->raw_len) != 0)
			return -1;
	}
	return 0;
}

int deliver_write(struct work *w, const struct policy_in_decision *d, struct job_output *o, struct writer *out)
{
	const struct mime_entity *e = entity_to_show(w);
	struct entity_octets seen;
	struct unwrap_shown s;
	bool mark = w->rq->subject_mark &&
		    d->action != POLICY_DELIVER; /* what is held now comes out by release alone, marked */

	buf_reset(&w->front);
	if (unwrap_show(w, e, &s) != 0 || buf_adds(&w->front, w->rq->trace) != 0 || add_verdict(w, d) != 0 ||
	    add_fields(w, &s, mark) != 0 ||
	    (s.whole ? buf_adds(&w->front, "\r\n") : entity_front(&e->header, &w->front)) != 0)
		return problem_temp(&w->res->pr, "the header of the message does not fit into header-max");
	entity_octets_init(&seen, out);
	int err = stream_write(&seen.writer, w->front.p, w->front.len, &w->res->pr);
	if (err == 0 && d->header_only && !w->rq->released)
		err = report_copy(w, e, &seen.writer, &w->res->pr);
	else if (err == 0)
		err = stream_copy(w->cur, s.body_off, s.body_len, &seen.writer, &w->res->pr);
	o->eight_bit = seen.eight_bit;
	return err;
}
