#include "gateway/pipeline/report.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cms/base64.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/mime_boundary.h"

enum {
	PARTS_MAX = 8,	       /* RFC 6522 3: two or three */
	PART_MAX = 128 * 1024, /* of a status or a header that is read */
};

static bool is_report(const struct mime_entity *e)
{
	const char *type = mime_param(&e->type, "report-type");

	if (!mime_is(&e->type, "multipart", "report") || type == NULL)
		return false;
	return lex_same(type, strlen(type), "delivery-status") ||
	       lex_same(type, strlen(type), "global-delivery-status");
}

static bool is_status(const struct mime_type *t)
{
	return mime_is(t, "message", "delivery-status") || mime_is(t, "message", "global-delivery-status");
}

static bool is_header(const struct mime_type *t)
{
	return mime_is(t, "text", "rfc822-headers") || mime_is(t, "message", "rfc822-headers") ||
	       mime_is(t, "message", "global-headers");
}

static bool is_message(const struct mime_type *t)
{
	return mime_is(t, "message", "rfc822") || mime_is(t, "message", "global");
}

static bool is_plain(enum mime_cte c)
{
	return c == MIME_CTE_7BIT || c == MIME_CTE_8BIT || c == MIME_CTE_BINARY;
}

/* ---- reading ---- */

/* What decodes up to a fault, or up to the limit, is read: it may be all that is needed. */
static void unbase64(struct buf *b)
{
	struct base64_dec d;
	struct stream_buf to;
	struct problem pr = {0};
	struct buf plain;

	buf_init(&plain, PART_MAX);
	stream_buf_init(&to, &plain);
	base64_dec_init(&d, &to.writer);
	if (stream_write(&d.writer, b->p, b->len, &pr) != 0 || base64_dec_end(&d, &pr) != 0)
		pr = (struct problem){0};
	buf_clear(b);
	*b = plain;
}

/* The beginning of a part's body, decoded. The buffer is the caller's to clear. */
static int read_body(struct work *w, const struct mime_entity *e, struct buf *b)
{
	size_t n = e->body_len < PART_MAX ? (size_t)e->body_len : PART_MAX;
	uint8_t *to;

	buf_init(b, PART_MAX);
	if (n == 0)
		return 0;
	to = buf_room(b, n);
	if (to == NULL || stream_read_full(w->cur, e->body_off, to, n, &w->res->pr) != 0)
		return -1;
	buf_added(b, n);
	if (e->cte == MIME_CTE_QP)
		b->len = dsn_read_unquote((char *)b->p, b->len);
	else if (e->cte == MIME_CTE_BASE64)
		unbase64(b);
	return 0;
}

static int read_part(struct work *w, const struct mime_entity *e, struct job_dsn *d)
{
	struct buf b;
	int err = read_body(w, e, &b);

	if (err != 0)
		w->res->pr.cls = PROBLEM_TEMP; /* the spool, not the message */
	else if (is_status(&e->type) && d->read.nrcpts == 0 && dsn_read_status(buf_str(&b), b.len, &d->read) != 0)
		d->read.nrcpts = 0;
	else if (!is_status(&e->type) && !d->message_id[0] &&
		 dsn_read_message_id(buf_str(&b), b.len, d->message_id) != 0)
		d->message_id[0] = 0;
	buf_clear(&b);
	return err;
}

/* Parts that cannot be read are passed over: then nothing is known of what they say. What another reader would take
 * apart in another way is not read at all (why_r). -1: the spool cannot be read. */
static int read_parts(struct work *w, struct job_dsn *d, struct problem *why_r)
{
	struct mime_range *v;
	struct problem pr = {0};
	size_t n;

	if (mime_parts_sure(w->a, w->cur, &w->shown, &w->lim, &v, &n, &pr) != 0)
		*why_r = pr;
	for (size_t i = 0; i < n && i < PARTS_MAX && pr.cls != PROBLEM_TEMP; i++) {
		struct mime_entity e;

		if (mime_entity_read(w->a, w->cur, v[i].off, v[i].len, &w->lim, &e, &pr) != 0)
			continue;
		if ((is_status(&e.type) || is_header(&e.type) || is_message(&e.type)) && read_part(w, &e, d) != 0)
			return -1;
	}
	if (pr.cls != PROBLEM_TEMP)
		return 0;
	w->res->pr = pr;
	return -1;
}

static enum stage_result unmatched(struct work *w, const char *why)
{
	w->facts.dsn = POLICY_DSN_UNMATCHED;
	snprintf(w->dsn_text, sizeof(w->dsn_text), "unmatched; %s", why);
	return STAGE_NEXT;
}

enum stage_result report_stage(struct work *w)
{
	struct problem unsure = {0};
	char text[PROBLEM_TEXT_MAX];
	struct job_dsn *d;

	if (w->rq->sender[0] != 0 || w->closed_goes || !is_report(&w->shown))
		return STAGE_NEXT;
	if (w->rq->dsn == JOB_DSN_MATCHED) {
		w->facts.dsn = POLICY_DSN_MATCHED;
		snprintf(w->dsn_text, sizeof(w->dsn_text), "matched%s", w->rq->dsn_text);
		return STAGE_NEXT;
	}
	if (w->rq->dsn == JOB_DSN_UNMATCHED)
		return unmatched(w, w->rq->dsn_text);
	d = arena_alloc(w->a, sizeof(*d));
	if (d == NULL || read_parts(w, d, &unsure) != 0) {
		if (d == NULL)
			problem_temp(&w->res->pr, "the report does not fit into the job's memory");
		return STAGE_DEFER;
	}
	if (unsure.cls != PROBLEM_NONE)
		return unmatched(w, problem_clause(&unsure, text));
	if (d->read.nrcpts == 0)
		return unmatched(w, "it names no recipient");
	if (!d->message_id[0] && !d->read.envid[0])
		return unmatched(w, "it names neither a Message-ID nor an envelope id");
	w->res->dsn = d;
	w->res->status = JOB_NEEDS_DSN;
	return STAGE_NEEDS;
}

/* ---- what is let through of an unsigned one ---- */

enum { SEEN_TEXT = 1, SEEN_STATUS = 2, SEEN_HEADER = 4 };

static unsigned kind_of(const struct mime_type *t)
{
	return mime_is(t, "text", "plain") ? SEEN_TEXT : is_status(t) ? SEEN_STATUS : is_header(t) ? SEEN_HEADER : 0;
}

/* How far a part is copied: all of it (of each kind the first, and nothing that is there to be opened or saved), its
 * own header, or the header of the message in it. */
static uint64_t kept(struct work *w, const struct mime_range *r, unsigned *seen)
{
	struct mime_entity e, inner;
	unsigned kind;

	if (mime_entity_read(w->a, w->cur, r->off, r->len, &w->lim, &e, NULL) != 0)
		return r->off;
	kind = kind_of(&e.type);
	if (kind != 0 && (*seen & kind) == 0 && e.filename == NULL && !e.set_apart) {
		*seen |= kind;
		return r->off + r->len;
	}
	if (is_message(&e.type) && is_plain(e.cte) &&
	    mime_entity_read(w->a, w->cur, e.body_off, e.body_len, &w->lim, &inner, NULL) == 0)
		return inner.body_off;
	return e.body_off;
}

static int delimiter(
    const struct mime_boundary *b, const char *before, const char *after, struct writer *out, struct problem *pr)
{
	if (stream_write(out, before, strlen(before), pr) != 0 || stream_write(out, b->text, b->len, pr) != 0)
		return -1;
	return stream_write(out, after, strlen(after), pr);
}

/* Written anew: what stands in front of the first part and behind the last one is nothing that MIME knows. */
int report_copy(struct work *w, const struct mime_entity *e, struct writer *out, struct problem *pr)
{
	struct mime_boundary b;
	struct mime_range *v;
	unsigned seen = 0;
	size_t n;

	if (mime_boundary_of(&e->type, &b, pr) != 0 || mime_parts_sure(w->a, w->cur, e, &w->lim, &v, &n, pr) != 0)
		return -1;
	for (size_t i = 0; i < n && i < PARTS_MAX; i++)
		if (delimiter(&b, i == 0 ? "--" : "\r\n--", "\r\n", out, pr) != 0 ||
		    stream_copy(w->cur, v[i].off, kept(w, &v[i], &seen) - v[i].off, out, pr) != 0)
			return -1;
	return delimiter(&b, "\r\n--", "--\r\n", out, pr);
}
