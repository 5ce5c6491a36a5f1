#include "gateway/pipeline/outbound.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/utf8.h"
#include "gateway/pipeline/seal.h"
#include "gateway/pipeline/work.h"
#include "gateway/pipeline/wrap.h"

static enum stage_result out_header(struct work *w);
static enum stage_result out_decide(struct work *w);
static enum stage_result out_write(struct work *w);

const struct stage outbound_stages[] = {
    {"header", out_header}, /* read the header block, Message-ID, what it answers */
    {"decide", out_decide}, /* policy for each recipient, all facts known */
    {"write", out_write},   /* one output per group of recipients with the same keys: sign, encrypt, render */
    {NULL, NULL},
};

/* Identifiers longer than those that are remembered cannot be found, and have no room in the answer. */
static void note_ids(struct work *w, const char *field)
{
	const struct header_field *f;

	for (size_t nth = 0; (f = header_find(&w->msg.header, field, nth)) != NULL; nth++) {
		const char **ids = &w->res->ids[w->res->nids];
		size_t n = header_msgids(w->a, f, ids, JOB_IDS_MAX - w->res->nids), kept = 0;

		for (size_t i = 0; i < n; i++)
			if (strlen(ids[i]) < sizeof(w->res->message_id))
				ids[kept++] = ids[i];
		w->res->nids += kept;
	}
}

/* Outgoing mail is remembered by its Message-ID, so one without gets it here, as any submission server does (RFC
 * 6409 8.3). */
static void note_message_id(struct work *w)
{
	const struct header_field *f = header_find(&w->msg.header, "Message-ID", 0);
	const char *id[1];

	if (f != NULL && header_msgids(w->a, f, id, 1) == 1 && strlen(id[0]) < sizeof(w->res->message_id))
		snprintf(w->res->message_id, sizeof(w->res->message_id), "%s", id[0]);
	else if (f == NULL)
		snprintf(w->res->message_id, sizeof(w->res->message_id), "<%s@%s>", w->rq->id, w->rq->hostname);
}

/* RFC 8689 5: the field stands once, and has the one value there is. */
static bool says_tls_no(const struct header *h)
{
	const struct header_field *f = header_find(h, "TLS-Required", 0);
	const char *p, *end;

	if (f == NULL || header_find(h, "TLS-Required", 1) != NULL)
		return false;
	p = f->value;
	end = p + f->value_len;
	while (p < end && strchr(" \t\r\n", *p) != NULL)
		p++;
	while (end > p && strchr(" \t\r\n", end[-1]) != NULL)
		end--;
	return lex_same(p, (size_t)(end - p), "No");
}

static enum stage_result out_header(struct work *w)
{
	struct reader *r = spool_reader(w->in);

	if (mime_entity_read(w->a, r, 0, r->size, &w->lim, &w->msg, &w->res->pr) != 0)
		return w->res->pr.cls == PROBLEM_TEMP ? STAGE_DEFER : STAGE_REJECT;
	note_message_id(w);
	w->res->tls_no = says_tls_no(&w->msg.header);
	note_ids(w, "In-Reply-To");
	note_ids(w, "References");
	return STAGE_NEXT;
}

void outbound_facts(
    const struct judge_verdict *v, bool tls_verified, enum job_answer reply_to_sealed, struct policy_out *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->rule, v->rule, sizeof(f->rule));
	f->treatment = (enum policy_treatment)v->treatment;
	f->strength = (enum policy_strength)v->strength;
	f->certs = (enum policy_certs)v->certs;
	f->listed = v->listed;
	f->seen_protected = v->seen_protected;
	f->have_signer = v->have_signer;
	f->reads_no_signed = v->no_signed;
	memcpy(f->cert_why, v->cert_why, sizeof(f->cert_why));
	memcpy(f->signer_why, v->signer_why, sizeof(f->signer_why));
	f->tls_verified_possible = tls_verified;
	f->reply_to_sealed = reply_to_sealed == JOB_YES && !v->own_domain;
}

void outbound_trace(const struct judge_verdict *v, struct problem *pr)
{
	enum { TAIL = sizeof " (trace )" + JUDGE_TRACE_ID };
	size_t n = strlen(pr->text);

	if (v->trace[0] == '\0')
		return;
	if (n > sizeof(pr->text) - TAIL) /* what is cut off stands in the log of the judge */
		n = sizeof(pr->text) - TAIL;
	snprintf(pr->text + n, sizeof(pr->text) - n, " (trace %s)", v->trace);
}

/* Rules name senders; who writes is the author in From. Where the envelope says somebody else, or nobody, no rule
 * must be evaded by that. */
static bool author_is_sender(const struct work *w)
{
	struct address from, sender;

	return header_author(w->a, &w->msg.header, &from, NULL) == 0 &&
	       address_parse_utf8(w->rq->sender, strlen(w->rq->sender), &sender, NULL) == 0 &&
	       address_same_nocase(&from, &sender);
}

static void strictest(const struct judge_verdict *v, struct policy_out *f)
{
	if (v->own_domain)
		return;
	if (v->any_treatment > (uint8_t)f->treatment)
		f->treatment = (enum policy_treatment)v->any_treatment;
	if (v->any_strength > (uint8_t)f->strength)
		f->strength = (enum policy_strength)v->any_strength;
}

/* What the message is, where the recipient's rule lets such content go, or the form of its signature depends on it.
 */
static int content_facts(struct work *w, const struct judge_verdict *v, bool author, struct policy_out *f)
{
	uint8_t may = author ? v->exempt : v->any_exempt;
	bool form = f->treatment == POLICY_SIGN && v->format.alone != v->format.calendar;

	if (v->own_domain || (may == 0 && !form))
		return 0;
	if (kind_find(w) != 0)
		return -1;
	f->exempt = w->kind.exempt & may;
	return 0;
}

/*
 * One reply answers for all recipients, so the message goes out to all or to none: the first refusal or delay
 * decides. Whether it answers sealed mail is asked only when somebody would get it with less than seal.
 */
static enum stage_result out_decide(struct work *w)
{
	bool less = false, author = author_is_sender(w);

	w->decisions = arena_alloc(w->a, (w->rq->nrcpts + 1) * sizeof(*w->decisions));
	if (w->decisions == NULL)
		return problem_temp(&w->res->pr, "too many recipients for one job"), STAGE_DEFER;
	for (size_t i = 0; i < w->rq->nrcpts; i++) {
		const struct judge_verdict *v = w->rq->verdicts[w->rq->rcpts[i].verdict];
		struct policy_out f;
		struct policy_decision *d = &w->decisions[i];

		outbound_facts(
		    v, w->rq->tls_verified || w->rq->rcpts[i].tls_verified, (enum job_answer)w->rq->was_sealed, &f);
		if (!author)
			strictest(v, &f);
		if (content_facts(w, v, author, &f) != 0)
			return STAGE_DEFER;
		policy_outbound(w->rq->sender, w->rq->rcpts[i].address, &f, d);
		if (d->action != POLICY_PASS) {
			w->res->pr = d->pr;
			outbound_trace(v, &w->res->pr);
			return d->action == POLICY_LATER ? STAGE_DEFER : STAGE_REJECT;
		}
		less = less || d->treatment != POLICY_SEAL;
	}
	if (!less || w->res->nids == 0 || w->rq->was_sealed == JOB_NO || w->rq->was_sealed == JOB_YES)
		return STAGE_NEXT;
	if (w->rq->was_sealed == JOB_UNKNOWN) {
		problem_temp(
		    &w->res->pr, "cannot tell at the moment whether this message answers a sealed one; try again");
		return STAGE_DEFER;
	}
	w->res->status = JOB_NEEDS_IDS;
	return STAGE_NEEDS;
}

/* The front of every output: our trace, then the fields that stay outside. */
static int front_outer(struct work *w, const struct seal *se)
{
	w->statement = se->sealed && se->v->format.bare ? "" : se->v->statement;
	buf_reset(&w->front);
	if (buf_adds(&w->front, w->rq->trace) != 0)
		return -1;
	return wrap_outer(w, &se->v->format, se->sealed ? WRAP_SEALED : WRAP_SIGNED);
}

/* Recipients who get the same octets. */
struct group {
	size_t first; /* of them */
	uint8_t verdict;
	bool done;
	struct seal se;
};

static bool in_group(const struct work *w, size_t i, const struct group *g)
{
	return w->rq->rcpts[i].verdict == g->verdict && w->decisions[i].treatment == w->decisions[g->first].treatment;
}

static bool signs(const struct work *w, const struct group *g)
{
	enum policy_treatment t = w->decisions[g->first].treatment;

	return t == POLICY_SEAL || t == POLICY_SIGN;
}

static int write_group(struct work *w, struct group *g, struct job_output *o, struct spool *s)
{
	if (!signs(w, g))
		return seal_write_plain(w, g->se.v, o, spool_writer(s));
	if (front_outer(w, &g->se) != 0)
		return w->res->pr.cls != PROBLEM_NONE ? -1
						      : problem_set(&w->res->pr, PROBLEM_PERM, 552, "5.3.4", "",
							    "the header of the message is too large");
	/* fields that stay outside may have UTF-8 in them (RFC 6532): the next hop must be told */
	o->eight_bit = utf8_needed(buf_str(&w->front), w->front.len);
	o->sealed = g->se.sealed;
	return seal_write(&g->se, spool_writer(s));
}

static void add_words(struct job_output *o, const char *words)
{
	size_t n = strlen(o->why);

	snprintf(o->why + n, sizeof(o->why) - n, "%s%s", n > 0 ? "; " : "", words);
}

#define TOO_LARGE "5.3.4" /* RFC 3463 3.4 */

/* What the partner's gateway would refuse is refused here, with both sizes: its own user can do something about it.
 * For its recipients alone: the others get theirs. */
static void weigh_size(const struct work *w, const struct group *g, struct job_output *o)
{
	const char *at = strrchr(w->rq->rcpts[g->first].address, '@');
	uint64_t max = g->se.v->octets_max;

	if (max == 0 || o->size <= max)
		return;
	snprintf(o->refused, sizeof(o->refused), TOO_LARGE);
	snprintf(o->why, sizeof(o->why),
	    "the gateway of %.200s takes messages of at most %llu octets, as its statement says; this one has %llu "
	    "as it would be sent",
	    at != NULL ? at + 1 : "the recipient", (unsigned long long)max, (unsigned long long)o->size);
}

/* Nobody would get it: then the reply can say so. */
static int goes_to_somebody(struct work *w)
{
	for (size_t i = 0; i < w->res->noutputs; i++)
		if (w->res->outputs[i].refused[0] == '\0')
			return 0;
	return problem_set(&w->res->pr, PROBLEM_PERM, 552, TOO_LARGE, "RFC 1870", "%.*s", PROBLEM_TEXT_MAX - 1,
	    w->res->outputs[0].why);
}

static int out_group(struct work *w, struct group *g)
{
	struct job_output *o;
	const struct policy_decision *d = &w->decisions[g->first];
	struct spool *s = work_output(w, &o);

	g->done = true;
	if (s == NULL)
		return -1;
	for (size_t i = g->first; i < w->rq->nrcpts; i++)
		if (in_group(w, i, g))
			o->rcpts[o->nrcpts++] = (uint16_t)i;
	snprintf(o->treatment, sizeof(o->treatment), "%s", policy_treatment_word(d->treatment));
	snprintf(o->why, sizeof(o->why), "%s", d->why);
	if (g->se.sealed && g->se.v->format.bare)
		add_words(
		    o, "not signed, because its statement says that it reads nothing that is signed and encrypted");
	if (write_group(w, g, o, s) != 0 || work_output_end(w, o) != 0)
		return -1;
	weigh_size(w, g, o);
	return 0;
}

/* One certificate, or one form, one group: who gets the message blind is named in no output of others. -1 when there
 * are too many. */
static int make_groups(struct work *w, struct group v[JOB_VERDICTS_MAX], size_t *n_r)
{
	size_t n = 0;

	for (size_t i = 0; i < w->rq->nrcpts; i++) {
		size_t k = 0;

		while (k < n && !in_group(w, i, &v[k]))
			k++;
		if (k < n)
			continue;
		if (n == JOB_VERDICTS_MAX)
			return problem_temp(&w->res->pr, "too many different treatments in one message");
		v[n] = (struct group){.first = i, .verdict = w->rq->rcpts[i].verdict};
		v[n].se.w = w;
		v[n].se.v = w->rq->verdicts[v[n].verdict];
		v[n].se.sealed = w->decisions[i].treatment == POLICY_SEAL;
		n++;
	}
	*n_r = n;
	return 0;
}

static bool shares(const struct work *w, const struct group *a, const struct group *b)
{
	return !b->done && signs(w, a) && signs(w, b) && seal_same(&a->se, &b->se);
}

/* The group v[at], and all behind it whose content is signed in the same way: one private operation for all of them.
 * What nobody shares flows in one pass and is kept nowhere. */
static int write_like(struct work *w, struct group *v, size_t n, size_t at)
{
	bool shared = false;

	for (size_t k = at + 1; k < n; k++)
		shared = shared || shares(w, &v[at], &v[k]);
	if (shared && seal_prepare(&v[at].se) != 0)
		return -1;
	if (out_group(w, &v[at]) != 0)
		return -1;
	for (size_t k = at + 1; k < n; k++) {
		if (!shared || !shares(w, &v[at], &v[k]))
			continue;
		v[k].se.ready = v[at].se.ready;
		if (out_group(w, &v[k]) != 0)
			return -1;
	}
	return 0;
}

static enum stage_result out_write(struct work *w)
{
	struct group v[JOB_VERDICTS_MAX];
	size_t n = 0;

	if (make_groups(w, v, &n) != 0)
		return STAGE_DEFER;
	for (size_t i = 0; i < n; i++)
		if (!v[i].done && write_like(w, v, n, i) != 0) {
			/* a keeper that is away looks like a failed operation: it is "try again", never
			 * a refusal */
			if (keys_client_failed(w->keys))
				problem_temp(&w->res->pr, "the key process does not answer; try again");
			return w->res->pr.cls == PROBLEM_TEMP ? STAGE_DEFER : STAGE_REJECT;
		}
	if (n > 0 && goes_to_somebody(w) != 0)
		return STAGE_REJECT;
	w->res->status = JOB_DONE;
	return STAGE_DONE;
}
