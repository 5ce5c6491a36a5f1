/*
 * Header fields of outgoing mail, inside and outside: RFC 9788 (fields on the entity that is signed, HP-Outer for
 * what stands outside), RFC 8551 3.1 (the whole message as message/rfc822). Sealer. Fields go in octet for octet and
 * in their order; what relays wrote stays outside, Bcc goes nowhere.
 */
#include "gateway/pipeline/wrap.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gateway/base/encode.h"
#include "gateway/mail/protect.h"
#include "gateway/mail/sevenbit.h"
#include "gateway/mail/sevenbit_header.h"
#include "gateway/mail/utf8.h"

enum { WRAPPER_MAX = 256 + JUDGE_STATEMENT_LINE };

/* The names of what is hidden, NULL none. */
static const char *hides(const struct work *w, const struct format *f, enum wrap_for how)
{
	return f->wrap != FORMAT_WRAP_NONE && how == WRAP_SEALED && !f->subject_outside ? w->rq->hide : NULL;
}

static bool hides_subject(const char *hide)
{
	static const struct header_field subject = {.raw = "Subject", .name_len = 7};

	return hide != NULL && protect_hides(hide, &subject);
}

/*
 * What is signed in the clear is 7 bits (RFC 8551 3.1.3), the fields in it as well, and those outside say the same.
 * Not in mail of SMTPUTF8 (RFC 6532): its addresses have no 7-bit form, and no host that takes it needs one.
 */
static bool in_seven(const struct work *w, enum format_wrap as, enum wrap_for how)
{
	return as != FORMAT_WRAP_NONE && how == WRAP_SIGNED && !w->rq->utf8;
}

static int put_field(struct work *w, const struct header_field *f, bool seven, struct buf *out)
{
	struct stream_buf to;
	struct buf field;
	int err;

	if (!seven)
		return buf_add(out, f->raw, f->raw_len);
	buf_init(&field, f->raw_len * 24 + 256);
	stream_buf_init(&to, &field);
	err = sevenbit_header_field(f, &to.writer, &w->res->pr);
	if (err == 0)
		err = buf_add(out, field.p, field.len);
	buf_clear(&field);
	return err;
}

/* RFC 5322 3.6: what must stand in a message and does not. Once for the job: inside and outside say the same. */
static const char *added(struct work *w)
{
	const struct header *h = &w->msg.header;
	char *p = w->added, date[32];
	size_t n = 0;

	if (p[0] != 0)
		return p;
	if (header_find(h, "Message-ID", 0) == NULL)
		n = (size_t)snprintf(p, sizeof(w->added), "Message-ID: %s\r\n", w->res->message_id);
	if (header_find(h, "Date", 0) != NULL)
		return p;
	encode_date(time(NULL), date);
	(void)snprintf(p + n, sizeof(w->added) - n, "Date: %s\r\n", date);
	return p;
}

/* Of the domain, about its gateway: on what is signed, and outside as well where the fields outside are compared. */
static const char *statement(const struct work *w)
{
	return w->statement != NULL ? w->statement : "";
}

/* What is done with each field that stands outside: it is put there, or recorded inside. */
typedef int put_fn(struct buf *out, const char *raw, size_t n);

static int put_raw(struct buf *out, const char *raw, size_t n)
{
	return buf_add(out, raw, n);
}

static int put_lines(struct buf *out, const char *lines, put_fn *put)
{
	while (*lines != 0) {
		size_t n = strcspn(lines, "\n") + 1;

		if (put(out, lines, n) != 0)
			return -1;
		lines += n;
	}
	return 0;
}

/* As hcp_baseline of RFC 9788 3.2.1, with the names that are set: the Subject is replaced, other fields are left out.
 * hide: these names, NULL none. */
static int put_outside(struct buf *out, const struct header_field *f, const char *hide, put_fn *put)
{
	if (hide == NULL || !protect_hides(hide, f))
		return put(out, f->raw, f->raw_len);
	return header_is(f, "Subject") ? put(out, protect_subject, strlen(protect_subject)) : 0;
}

int wrap_outer(struct work *w, const struct format *f, enum wrap_for how)
{
	const struct header *h = &w->msg.header;
	const char *hide = hides(w, f, how);
	bool seven = in_seven(w, (enum format_wrap)f->wrap, how);

	for (size_t i = 0; i < h->n; i++) {
		enum protect_kind kind = protect_kind(&h->f[i]);

		/* an HP-Outer of somebody else's would speak in our name */
		if (kind == PROTECT_STRUCTURAL || kind == PROTECT_SECRET || kind == PROTECT_RECORD)
			continue;
		if (seven && kind == PROTECT_AUTHOR) {
			if (put_field(w, &h->f[i], true, &w->front) != 0)
				return -1;
			continue;
		}
		if (put_outside(&w->front, &h->f[i], hide, put_raw) != 0)
			return -1;
	}
	if (f->wrap == FORMAT_WRAP_FIELDS && put_lines(&w->front, statement(w), put_raw) != 0)
		return -1;
	return put_lines(&w->front, added(w), put_raw);
}

static int put_records(struct work *w, const char *hide, struct buf *out)
{
	const struct header *h = &w->msg.header;

	for (size_t i = 0; i < h->n; i++)
		if (protect_kind(&h->f[i]) == PROTECT_AUTHOR &&
		    put_outside(out, &h->f[i], hide, protect_record_put) != 0)
			return -1;
	if (put_lines(out, statement(w), protect_record_put) != 0)
		return -1;
	return put_lines(out, added(w), protect_record_put);
}

/* Of the fields inside: all in their order, or one kind alone. */
enum part { PART_ALL, PART_AUTHOR, PART_STRUCTURAL };

static bool goes_inside(const struct header_field *f, enum part part)
{
	enum protect_kind kind = protect_kind(f);

	return (kind == PROTECT_AUTHOR && part != PART_STRUCTURAL) ||
	       (kind == PROTECT_STRUCTURAL && part != PART_AUTHOR);
}

/* hp NULL: Content-Type as it is. */
static int put_inside(const struct wrap *x, struct work *w, enum part part, const char *hp, struct buf *out)
{
	const struct header *h = &w->msg.header;
	bool seven = in_seven(w, x->as, x->how);
	int err = 0;

	for (size_t i = 0; i < h->n && err == 0; i++) {
		if (!goes_inside(&h->f[i], part))
			continue;
		if (hp != NULL && header_is(&h->f[i], "Content-Type"))
			err = protect_type_put(out, &h->f[i], "hp", hp);
		else
			err = put_field(w, &h->f[i], seven && protect_kind(&h->f[i]) == PROTECT_AUTHOR, out);
	}
	if (err == 0 && part != PART_STRUCTURAL)
		err = buf_adds(out, added(w));
	if (err == 0 && part != PART_AUTHOR && hp != NULL && header_find(h, "Content-Type", 0) == NULL)
		err = protect_type_put(out, NULL, "hp", hp);
	return err;
}

static const char *hp_of(const struct wrap *x)
{
	return x->as != FORMAT_WRAP_FIELDS ? NULL : x->how == WRAP_SEALED ? "cipher" : "clear";
}

/* The fields of the entity's root. HP-Outer: of encrypted mail alone (RFC 9788 2.2). */
static int fields_inside(struct wrap *x, struct work *w)
{
	/* as many as a gateway like this one reads */
	if (w->msg.header.n * 2 + 8 > w->lim.header.fields)
		return -1;
	if (buf_adds(&x->front, statement(w)) != 0 || put_inside(x, w, PART_ALL, hp_of(x), &x->front) != 0)
		return -1;
	if (x->how == WRAP_SEALED && put_records(w, x->hide, &x->front) != 0)
		return -1;
	if (x->front.len + 2 > w->lim.header.octets)
		return -1;
	return buf_adds(&x->front, "\r\n");
}

/* The container is at least as wide as what it holds (RFC 2045 6.4). */
static const char *rfc822_cte(const struct work *w, bool high)
{
	if (w->msg.cte == MIME_CTE_BINARY)
		return "Content-Transfer-Encoding: binary\r\n";
	return w->msg.cte == MIME_CTE_8BIT || high ? "Content-Transfer-Encoding: 8bit\r\n" : "";
}

static int message_inside(struct wrap *x, struct work *w, enum part part)
{
	struct buf fields;
	int err;

	buf_init(&fields, x->front.max);
	err = put_inside(x, w, part, NULL, &fields);
	if (err == 0)
		err = buf_addf(&x->front, "%sContent-Type: message/rfc822; forwarded=no\r\n%s\r\n", statement(w),
		    rfc822_cte(w, utf8_needed(buf_str(&fields), fields.len)));
	if (err == 0)
		err = buf_add(&x->front, fields.p, fields.len);
	buf_clear(&fields);
	return err == 0 && part == PART_ALL ? buf_adds(&x->front, "\r\n") : err;
}

static int too_large(struct work *w)
{
	if (w->res->pr.cls != PROBLEM_NONE)
		return -1; /* a field that has no 7-bit form */
	return problem_set(&w->res->pr, PROBLEM_PERM, 552, "5.3.4", "",
	    "the header of the message is too large to be protected (header-max)");
}

int wrap_init(struct wrap *x, struct work *w, const struct format *f, enum wrap_for how)
{
	int err = -1;

	memset(x, 0, sizeof(*x));
	x->as = (enum format_wrap)f->wrap;
	x->how = how;
	x->hide = hides(w, f, how);
	x->shows = x->as == FORMAT_WRAP_FIELDS && f->legacy_display && hides_subject(x->hide);
	/* no more than a gateway like this one reads, and the fields of the entity around a message */
	buf_init(&x->front, w->lim.header.octets + WRAPPER_MAX);
	if (x->as == FORMAT_WRAP_NONE) {
		err = buf_adds(&x->front, statement(w)) != 0 ? -1 : entity_front(&w->msg.header, &x->front);
	} else if (x->as == FORMAT_WRAP_FIELDS && (err = fields_inside(x, w)) != 0) {
		/* too many for HP-Outer beside them: the other form needs no more room than the message does */
		buf_reset(&x->front);
		x->as = FORMAT_WRAP_MESSAGE;
		x->shows = false;
	}
	if (x->as == FORMAT_WRAP_MESSAGE)
		err = message_inside(x, w, PART_ALL);
	if (err != 0)
		return too_large(w);
	entity_reader_init(&x->entity, &x->front, spool_reader(w->in), w->msg.body_off, w->msg.body_len);
	return x->shows ? display_put(&x->display, w, &x->entity.reader, &w->msg.header) : 0;
}

struct reader *wrap_reader(struct wrap *x)
{
	return x->display.n > 0 ? &x->display.reader : &x->entity.reader;
}

static int seven(struct work *w, struct reader *r, size_t max)
{
	struct spool *s = work_scratch(w, 1);

	if (sevenbit_write(r, 0, r->size, max, spool_writer(s), &w->res->pr) != 0)
		return -1;
	return spool_finish(s, &w->res->pr);
}

static int fields_apart(struct wrap *x, struct work *w, struct buf *own)
{
	int err;

	if (x->as == FORMAT_WRAP_FIELDS)
		err =
		    buf_adds(&x->front, statement(w)) != 0 ? -1 : put_inside(x, w, PART_AUTHOR, hp_of(x), &x->front);
	else
		err = message_inside(x, w, PART_AUTHOR);
	if (err == 0 && x->as == FORMAT_WRAP_FIELDS && x->how == WRAP_SEALED)
		err = put_records(w, x->hide, &x->front);
	if (err == 0)
		err = put_inside(x, w, PART_STRUCTURAL, hp_of(x), own);
	return err == 0 ? buf_adds(own, "\r\n") : -1;
}

/* The author's fields first, untouched; behind them what sevenbit makes of the entity's own fields and the body. */
static int seven_apart(struct wrap *x, struct work *w, size_t max)
{
	struct entity_reader e;
	struct buf own;
	int err;

	buf_init(&own, x->front.max);
	buf_reset(&x->front);
	if (fields_apart(x, w, &own) != 0) {
		buf_clear(&own);
		return too_large(w);
	}
	entity_reader_init(&e, &own, spool_reader(w->in), w->msg.body_off, w->msg.body_len);
	err = x->shows ? display_put(&x->display, w, &e.reader, &w->msg.header) : 0;
	if (err == 0)
		err = seven(w, x->display.n > 0 ? &x->display.reader : &e.reader, max);
	buf_clear(&own);
	return err;
}

int wrap_seven(struct wrap *x, struct work *w, size_t max)
{
	if (x->as != FORMAT_WRAP_NONE && utf8_needed(buf_str(&x->front), x->front.len)) {
		if (seven_apart(x, w, max) != 0)
			return -1;
	} else {
		if (seven(w, wrap_reader(x), max) != 0)
			return -1;
		buf_reset(&x->front);
	}
	x->display.n = 0;
	entity_reader_init(&x->entity, &x->front, spool_reader(w->plain), 0, spool_size(w->plain));
	return 0;
}

void wrap_clear(struct wrap *x)
{
	buf_clear(&x->front);
}
