/*
 * Delivery status notifications: RFC 3464 (the report), RFC 6522 (multipart/report), RFC 6533 (addresses beyond
 * ASCII), RFC 3834 (automatic answers). Pure; relay. For senders inside only. Of the original its header goes back;
 * its content only when the caller says that it travelled readable anyway and the sender asked for it. The words for
 * people stand first, in full sentences; the fields for programs behind them.
 */
#include "gateway/mail/dsn.h"

#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/mail/dsn_text.h"
#include "gateway/mail/fold.h"
#include "gateway/mail/sevenbit_body.h"

#define LINE_MAX_OCTETS 998 /* RFC 5322 2.1.1 */
#define BOUNDARY_ROOM 128
#define FULL_BLOCK 16384
#define HELD_MAX (4 << 20)

struct out {
	struct writer *w;
	struct problem *pr;
	struct buf b;
	char boundary[BOUNDARY_ROOM];
	bool global;	 /* RFC 6533 */
	bool eight;	 /* as 8-bit text: whom it goes to needs SMTPUTF8 as it is */
	bool utf8;	 /* the original came with SMTPUTF8 */
	bool hold;	 /* text of a part that will be encoded */
	struct buf held; /* that text */
	int failed;
};

static void flush(struct out *o)
{
	if (!o->failed && o->hold)
		o->failed = buf_add(&o->held, o->b.p, o->b.len);
	if (o->failed)
		problem_perm(o->pr, "A delivery report could not be written: a value in it is too long.");
	else if (!o->hold)
		o->failed = stream_write(o->w, o->b.p, o->b.len, o->pr);
	buf_reset(&o->b);
}

/* Everything goes through fold_add or dsn_text_clean: no octet of a remote reply or an address can begin a line of
 * its own. */
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
		o->failed = o->global && !dsn_text_is_ascii(buf_str(&text))
				? dsn_text_clean(&o->b, buf_str(&text), text.len)
				: fold_add(&o->b, kind, buf_str(&text), text.len);
	flush(o);
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

bool dsn_global(const struct dsn *d)
{
	bool ascii = dsn_text_is_ascii(d->to);

	for (size_t i = 0; i < d->nrcpts; i++)
		ascii = ascii && dsn_text_is_ascii(d->rcpts[i].address);
	return d->utf8 && !ascii;
}

bool dsn_needs_utf8(const struct dsn *d)
{
	return dsn_global(d) && !dsn_text_is_ascii(d->to);
}

/* ---- the boundary ---- */

/* 1 the word stands in the content, 0 not, -1 it cannot be read. */
static int in_content(struct reader *r, const char *word, size_t n, struct problem *pr)
{
	char block[FULL_BLOCK];
	uint64_t off = 0;
	size_t got, kept = 0;

	do {
		if (stream_read_at(r, off, block + kept, sizeof block - kept, &got, pr))
			return -1;
		off += got;
		got += kept;
		if (memmem(block, got, word, n))
			return 1;
		kept = got < n ? got : n - 1;
		memmove(block, block + got - kept, kept);
	} while (got > kept && off < r->size);
	return 0;
}

/* A host's words are folded to lines in the first part: one could begin with what it chose. */
static bool in_words(const struct dsn_rcpt *r, const char *word)
{
	const char *const words[] = {r->diagnostic, r->sentence, r->remote_mta, r->address, r->orcpt};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i] && strstr(words[i], word))
			return true;
	return false;
}

static bool is_taken(struct out *o, const struct dsn *d, const char *word, size_t n)
{
	for (size_t i = 0; i < d->nrcpts; i++)
		if (in_words(&d->rcpts[i], word))
			return true;
	if (d->header && memmem(d->header, d->header_len, word, n))
		return true;
	if (!d->full)
		return false;

	int found = in_content(d->full, word, n, o->pr);

	if (found < 0)
		o->failed = -1;
	return found > 0;
}

/* A boundary that stands nowhere in what is not ours: the original, the words of other hosts. The number makes it
 * end: each try is another word. */
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
		if (o->failed || !is_taken(o, d, buf_str(&b), b.len))
			break;
	}
	memcpy(o->boundary, buf_str(&b), b.len + 1);
	buf_clear(&b);
}

enum encoding { PLAIN, EIGHT_BIT, QUOTED, BASE64 };

static void part(struct out *o, const char *type, const char *description, enum encoding as)
{
	static const char *const names[] = {NULL, "8bit", "quoted-printable", "base64"};

	empty(o);
	put(o, FOLD_FIELD, "--%s", o->boundary);
	field(o, "Content-Type", type);
	if (names[as])
		field(o, "Content-Transfer-Encoding", names[as]);
	field(o, "Content-Description", description);
	empty(o);
	o->hold = as == QUOTED;
}

/* Text beyond ASCII in a part of ours. */
static enum encoding encoding_of(const struct out *o, bool global)
{
	return !global ? PLAIN : o->eight ? EIGHT_BIT : QUOTED;
}

/* The end of a part's text: what was held goes out encoded. */
static void end_part(struct out *o)
{
	struct stream_mem m;

	if (!o->hold)
		return;
	o->hold = false;
	stream_mem_init(&m, o->held.p, o->held.len);
	if (!o->failed)
		o->failed = sevenbit_body_write(&m.reader, 0, o->held.len, SEVENBIT_QP, o->w, o->pr);
	buf_reset(&o->held);
}

static const char *or_unknown(const char *s)
{
	return s && s[0] ? s : "unknown";
}

/* ---- for people ---- */

static const struct {
	const char *subject, *before, *behind;
} words_of[] = {
    [DSN_FAILED] = {"Your message could not be delivered", "could not be delivered to",
	" and will not be tried again."},
    [DSN_DELAYED] = {"Your message is delayed, you need not send it again", "has not yet been delivered to",
	". It will be tried again; you need not do anything."},
    [DSN_RELAYED] = {"Your message was handed on", "was taken by a mail server for",
	". That server does not confirm deliveries: no further confirmation will come."},
    [DSN_EXPANDED] = {"Your message was sent on to a list", "was sent on to the members of",
	". No further confirmation will come."},
    [DSN_DELIVERED] = {"Your message was delivered", "was delivered to", "."},
};
enum { ACTIONS = sizeof words_of / sizeof words_of[0] };

static size_t count(const struct dsn *d, enum dsn_action a)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nrcpts; i++)
		n += d->rcpts[i].action == a;
	return n;
}

static void head(struct out *o, const struct dsn *d)
{
	char date[32];
	enum dsn_action worst = DSN_FAILED;

	while (worst + 1 < ACTIONS && count(d, worst) == 0)
		worst++;
	encode_date(d->now, date);
	field(o, "Date", date);
	put(o, FOLD_FIELD, "From: Mail Delivery System <%s>", d->postmaster);
	put(o, FOLD_FIELD, "To: <%s>", d->to);
	field(o, "Subject", words_of[worst].subject);
	field(o, "Message-ID", d->message_id);
	field(o, "Auto-Submitted", "auto-replied");
	field(o, "MIME-Version", "1.0");
	put(o, FOLD_FIELD, "Content-Type: multipart/report; report-type=%s; boundary=\"%s\"",
	    o->global ? "global-delivery-status" : "delivery-status", o->boundary);
	if (o->eight || (d->full && !o->utf8))
		field(o, "Content-Transfer-Encoding", "8bit");
}

static void words_for_one(struct out *o, const struct dsn_rcpt *r)
{
	empty(o);
	put(o, FOLD_TEXT, "<%s>", r->address);
	if (r->sentence && r->sentence[0])
		put(o, FOLD_TEXT, "%s", r->sentence);
	else if (r->action <= DSN_DELAYED)
		put(o, FOLD_TEXT, "No reason was recorded.");
	if (r->diagnostic && r->remote_mta)
		put(o, FOLD_TEXT, "The server %s answered: %s", r->remote_mta, r->diagnostic);
	else if (r->diagnostic)
		put(o, FOLD_TEXT, "The server's answer: %s", r->diagnostic);
}

static void words_for_action(struct out *o, const struct dsn *d, enum dsn_action a, const char *date)
{
	size_t n = count(d, a);

	if (n == 0)
		return;
	empty(o);
	put(o, FOLD_TEXT, "Your message of %s %s the following %s%s", date, words_of[a].before,
	    n == 1 ? "recipient" : "recipients", words_of[a].behind);
	for (size_t i = 0; i < d->nrcpts; i++)
		if (d->rcpts[i].action == a)
			words_for_one(o, &d->rcpts[i]);
}

static void words(struct out *o, const struct dsn *d)
{
	char date[32];

	encode_date(d->arrived, date);
	part(o, o->global ? "text/plain; charset=utf-8" : "text/plain; charset=us-ascii", "What happened",
	    encoding_of(o, o->global));
	put(o, FOLD_TEXT, "This is the mail gateway at %s.", d->reporting_mta);
	for (int a = 0; a < ACTIONS; a++)
		words_for_action(o, d, (enum dsn_action)a, date);
	empty(o);
	put(o, FOLD_TEXT, "%sFor questions write to %s and name %s.",
	    d->full ? "" : "The content of your message is not part of this report. ", d->postmaster, d->queue_id);
	end_part(o);
}

/* ---- for programs ---- */

/* RFC 3464 2.1.2, RFC 6533 3: the type says how to read what follows. */
static void address(struct out *o, const char *name, const char *a)
{
	char text[DSN_TEXT_MAX];

	if (dsn_text_is_ascii(a)) {
		put(o, FOLD_FIELD, "%s: rfc822; %s", name, a);
	} else if (o->global) {
		put(o, FOLD_FIELD, "%s: utf-8; %s", name, a);
	} else {
		dsn_text_escape(a, text);
		put(o, FOLD_FIELD, "%s: utf-8; %s", name, text);
	}
}

static void original_recipient(struct out *o, const char *orcpt)
{
	const char *semicolon = orcpt ? strchr(orcpt, ';') : NULL;
	char text[DSN_TEXT_MAX];

	if (!semicolon)
		return;
	dsn_text_decode(semicolon + 1, text);
	put(o, FOLD_FIELD, "Original-Recipient: %.*s; %s", (int)(semicolon - orcpt), orcpt, text);
}

const char *dsn_action_word(enum dsn_action a)
{
	static const char *const names[] = {[DSN_FAILED] = "failed",
	    [DSN_DELAYED] = "delayed",
	    [DSN_RELAYED] = "relayed",
	    [DSN_EXPANDED] = "expanded",
	    [DSN_DELIVERED] = "delivered"};

	REQUIRE(a >= DSN_FAILED && a <= DSN_DELIVERED);
	return names[a];
}

static void fields_for_one(struct out *o, const struct dsn_rcpt *r)
{
	char date[32];

	empty(o);
	original_recipient(o, r->orcpt);
	address(o, "Final-Recipient", r->address);
	field(o, "Action", dsn_action_word(r->action));
	field(o, "Status", r->status);
	if (r->remote_mta)
		put(o, FOLD_FIELD, "Remote-MTA: dns; %s", r->remote_mta);
	if (r->diagnostic)
		put(o, FOLD_FIELD, "Diagnostic-Code: smtp; %s", r->diagnostic);
	if (r->action == DSN_DELAYED && r->retry_until > 0) {
		encode_date(r->retry_until, date);
		field(o, "Will-Retry-Until", date);
	}
}

static void fields(struct out *o, const struct dsn *d)
{
	char date[32], envid[DSN_TEXT_MAX];

	encode_date(d->arrived, date);
	part(o, o->global ? "message/global-delivery-status" : "message/delivery-status", "Delivery report",
	    encoding_of(o, o->global));
	if (d->envid && d->envid[0]) {
		dsn_text_decode(d->envid, envid);
		field(o, "Original-Envelope-Id", envid);
	}
	put(o, FOLD_FIELD, "Reporting-MTA: dns; %s", or_unknown(d->reporting_mta));
	put(o, FOLD_FIELD, "X-Postern-Queue-ID: %s", or_unknown(d->queue_id));
	field(o, "Arrival-Date", date);
	for (size_t i = 0; i < d->nrcpts; i++)
		fields_for_one(o, &d->rcpts[i]);
	end_part(o);
}

/* ---- the original ---- */

/* One line of the original header without its CRLF. */
static int add_header_line(struct out *o, const char *p, size_t n)
{
	struct buf *b = &o->b;

	if (o->utf8 && n < LINE_MAX_OCTETS)
		return dsn_text_clean(b, p, n);
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

static bool beyond_ascii(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] >= 0x80)
			return true;
	return false;
}

/* Lines of lawful length; an empty line ends it, whatever stands behind. */
static void header(struct out *o, const struct dsn *d)
{
	const char *p = d->header, *end = p + d->header_len;
	bool global = o->global || (o->utf8 && beyond_ascii(p, d->header_len));

	part(o, global ? "message/global-headers" : "text/rfc822-headers", "Header of the message",
	    encoding_of(o, global));
	while (p < end && !o->failed) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((lf ? lf : end) - p);

		if (lf && n > 0 && p[n - 1] == '\r')
			n--;
		if (n == 0)
			break;
		o->failed = add_header_line(o, p, n);
		flush(o);
		p = lf ? lf + 1 : end;
	}
	end_part(o);
}

static void full(struct out *o, const struct dsn *d)
{
	char block[FULL_BLOCK];
	size_t got = 0;

	part(o, o->utf8 ? "message/global" : "message/rfc822", "The message", o->utf8 ? BASE64 : EIGHT_BIT);
	if (o->utf8) {
		if (!o->failed)
			o->failed = sevenbit_body_write(d->full, 0, d->full->size, SEVENBIT_BASE64, o->w, o->pr);
		return;
	}
	for (uint64_t off = 0; off < d->full->size && !o->failed; off += got) {
		o->failed = stream_read_at(d->full, off, block, sizeof block, &got, o->pr);
		if (!o->failed && got == 0)
			break;
		if (!o->failed)
			o->failed = stream_write(o->w, block, got, o->pr);
	}
}

int dsn_write(const struct dsn *d, struct writer *w, struct problem *pr)
{
	struct out o = {
	    .w = w, .pr = pr, .global = dsn_global(d), .eight = dsn_needs_utf8(d), .utf8 = d->utf8 || dsn_global(d)};

	buf_init(&o.b, 1 << 20);
	buf_init(&o.held, HELD_MAX);
	choose_boundary(&o, d);
	head(&o, d);
	words(&o, d);
	fields(&o, d);
	if (d->full)
		full(&o, d);
	else if (d->header && d->header_len)
		header(&o, d);
	empty(&o);
	put(&o, FOLD_FIELD, "--%s--", o.boundary);
	buf_clear(&o.b);
	buf_clear(&o.held);
	return o.failed ? -1 : 0;
}
