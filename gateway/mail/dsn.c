/*
 * Delivery status notifications: RFC 3464 (the report), RFC 6522 (multipart/report), RFC 3834 (automatic answers).
 * Pure; relay. For senders inside only. Of the original its header goes back, never its content: a report travels as
 * readable as any mail. The words for people stand first, in full sentences; the fields for programs behind them.
 */
#include "gateway/mail/dsn.h"

#include <stdbool.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/mail/fold.h"

#define LINE_MAX_OCTETS 998 /* RFC 5322 2.1.1 */
#define BOUNDARY_ROOM 128

struct out {
	struct writer *w;
	struct problem *pr;
	struct buf b;
	char boundary[BOUNDARY_ROOM];
	int failed;
};

/* Everything goes through fold_add: no octet of a remote reply or an address can begin a line of its own. */
static void put(struct out *o, enum fold_kind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void put(struct out *o, enum fold_kind kind, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	if (o->failed)
		return;
	buf_init(&text, 16384);
	va_start(ap, fmt);
	o->failed = buf_addv(&text, fmt, ap);
	va_end(ap);
	if (!o->failed)
		o->failed = fold_add(&o->b, kind, buf_str(&text), text.len);
	if (o->failed)
		problem_perm(o->pr, "A delivery report could not be written: a value in it is too long.");
	else
		o->failed = stream_write(o->w, o->b.p, o->b.len, o->pr);
	buf_reset(&o->b);
	buf_clear(&text);
}

static void field(struct out *o, const char *name, const char *value)
{
	put(o, FOLD_FIELD, "%s: %s", name, value);
}

static void empty(struct out *o)
{
	put(o, FOLD_TEXT, "%s", "");
}

/* A boundary that stands nowhere in the only part that is not ours. The number makes it end: each try is another
 * word. */
static void choose_boundary(struct out *o, const struct dsn *d)
{
	struct buf b;
	char id[41] = "";
	size_t n = 0;

	for (const char *p = d->queue_id; *p && n < sizeof(id) - 1; p++)
		if ((*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
			id[n++] = *p;
	id[n] = 0;
	buf_init(&b, sizeof(o->boundary) - 1);
	for (unsigned i = 0;; i++) {
		buf_reset(&b);
		o->failed = buf_addf(&b, "=_report_%s_%u", id, i);
		if (o->failed || !d->header || !memmem(d->header, d->header_len, b.p, b.len))
			break;
	}
	memcpy(o->boundary, buf_str(&b), b.len + 1);
	buf_clear(&b);
}

static void part(struct out *o, const char *type, const char *description)
{
	empty(o);
	put(o, FOLD_FIELD, "--%s", o->boundary);
	field(o, "Content-Type", type);
	field(o, "Content-Description", description);
	empty(o);
}

static const char *or_unknown(const char *s)
{
	return s && s[0] ? s : "unknown";
}

static void head(struct out *o, const struct dsn *d)
{
	char date[32];

	encode_date(d->now, date);
	field(o, "Date", date);
	put(o, FOLD_FIELD, "From: Mail Delivery System <%s>", d->postmaster);
	put(o, FOLD_FIELD, "To: <%s>", d->to);
	field(o, "Subject",
	    d->action == DSN_FAILED ? "Your message could not be delivered"
				    : "Your message is delayed, you need not send it again");
	field(o, "Message-ID", d->message_id);
	field(o, "Auto-Submitted", "auto-replied");
	field(o, "MIME-Version", "1.0");
	put(o, FOLD_FIELD, "Content-Type: multipart/report; report-type=delivery-status; boundary=\"%s\"",
	    o->boundary);
}

static void words_for_one(struct out *o, const struct dsn_rcpt *r)
{
	empty(o);
	put(o, FOLD_TEXT, "<%s>", r->address);
	put(o, FOLD_TEXT, "%s", r->sentence && r->sentence[0] ? r->sentence : "No reason was recorded.");
	if (r->diagnostic && r->remote_mta)
		put(o, FOLD_TEXT, "The server %s answered: %s", r->remote_mta, r->diagnostic);
	else if (r->diagnostic)
		put(o, FOLD_TEXT, "The server's answer: %s", r->diagnostic);
}

static void words(struct out *o, const struct dsn *d)
{
	char date[32];

	encode_date(d->arrived, date);
	part(o, "text/plain; charset=us-ascii", "What happened");
	put(o, FOLD_TEXT, "This is the mail gateway at %s.", d->reporting_mta);
	empty(o);
	if (d->action == DSN_FAILED)
		put(o, FOLD_TEXT,
		    "Your message of %s could not be delivered to the following %s and will not be tried again.",
		    date, d->nrcpts == 1 ? "recipient" : "recipients");
	else
		put(o, FOLD_TEXT,
		    "Your message of %s has not yet been delivered to the following %s. It will be tried again; "
		    "you need not do anything.",
		    date, d->nrcpts == 1 ? "recipient" : "recipients");
	for (size_t i = 0; i < d->nrcpts; i++)
		words_for_one(o, &d->rcpts[i]);
	empty(o);
	put(o, FOLD_TEXT,
	    "The content of your message is not part of this report. For questions write to %s and name %s.",
	    d->postmaster, d->queue_id);
}

static void fields_for_one(struct out *o, const struct dsn *d, const struct dsn_rcpt *r)
{
	empty(o);
	put(o, FOLD_FIELD, "Final-Recipient: rfc822; %s", r->address);
	field(o, "Action", d->action == DSN_FAILED ? "failed" : "delayed");
	field(o, "Status", r->status);
	if (r->remote_mta)
		put(o, FOLD_FIELD, "Remote-MTA: dns; %s", r->remote_mta);
	if (r->diagnostic)
		put(o, FOLD_FIELD, "Diagnostic-Code: smtp; %s", r->diagnostic);
}

static void fields(struct out *o, const struct dsn *d)
{
	char date[32];

	encode_date(d->arrived, date);
	part(o, "message/delivery-status", "Delivery report");
	put(o, FOLD_FIELD, "Reporting-MTA: dns; %s", or_unknown(d->reporting_mta));
	put(o, FOLD_FIELD, "X-Postern-Queue-ID: %s", or_unknown(d->queue_id));
	field(o, "Arrival-Date", date);
	for (size_t i = 0; i < d->nrcpts; i++)
		fields_for_one(o, d, &d->rcpts[i]);
}

/* One line of the original header without its CRLF. */
static int add_header_line(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		bool shown = (c >= 32 && c < 127) || c == '\t';

		if (i > 0 && i % (LINE_MAX_OCTETS - 1) == 0 && buf_adds(b, "\r\n "))
			return -1;
		if (buf_addc(b, shown ? c : '?'))
			return -1;
	}
	return buf_adds(b, "\r\n");
}

/* 7-bit, lines of lawful length; an empty line ends it, whatever stands behind. */
static void original(struct out *o, const struct dsn *d)
{
	const char *p = d->header, *end = p + d->header_len;

	part(o, "text/rfc822-headers", "Header of the message");
	while (p < end && !o->failed) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf ? lf : end) - p);

		if (lf && n > 0 && p[n - 1] == '\r')
			n--;
		if (n == 0)
			break;
		o->failed = add_header_line(&o->b, p, n);
		if (o->failed)
			problem_perm(o->pr,
			    "A delivery report could not be written: a line of the original header is too long.");
		else
			o->failed = stream_write(o->w, o->b.p, o->b.len, o->pr);
		buf_reset(&o->b);
		p = lf ? lf + 1 : end;
	}
}

int dsn_write(const struct dsn *d, struct writer *w, struct problem *pr)
{
	struct out o = {.w = w, .pr = pr};

	buf_init(&o.b, 1 << 20);
	choose_boundary(&o, d);
	head(&o, d);
	words(&o, d);
	fields(&o, d);
	if (d->header && d->header_len)
		original(&o, d);
	empty(&o);
	put(&o, FOLD_FIELD, "--%s--", o.boundary);
	buf_clear(&o.b);
	return o.failed ? -1 : 0;
}
