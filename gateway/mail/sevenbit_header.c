/*
 * 8-bit header text into encoded words: RFC 2047 (B encoding). Pure; sealer.
 * Such text is unlawful without SMTPUTF8 and common all the same, in subjects, display names and file names. It is
 * encoded word by word where it stands; what is ASCII around it is not touched. In parameters the word goes between
 * the quotes: RFC 2047 forbids that, and mail readers have read it for thirty years.
 */
#include "gateway/mail/sevenbit_header.h"

#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/mail/lex.h"

#define LINE_MOST 998
#define LINE_FOLD 900
#define WORD_OCTETS 42 /* 56 in base64, 75 with the longest charset around it */

/* What a quoted-string with 8-bit text becomes: in text an encoded word, in parameters one between its quotes. */
enum shape { SHAPE_TEXT, SHAPE_PARAMETERS };

/* DEL is no more sendable in a header than 8-bit text, so it counts as such. */
static bool is_high(char c)
{
	return (unsigned char)c > 126;
}

static bool any_high(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_high(p[i]))
			return true;
	return false;
}

static bool long_line(const struct header_field *f)
{
	const char *p = f->raw, *end = f->raw + f->raw_len;

	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *stop = lf ? lf + 1 : end;

		if (stop - p > LINE_MOST + 2)
			return true;
		p = stop;
	}
	return false;
}

/* Octets of the UTF-8 character at p (RFC 3629), 0 when there is none. */
static size_t utf8_len(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t len = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) || (u[0] == 0xf0 && u[1] < 0x90) ||
	    (u[0] == 0xf4 && u[1] > 0x8f))
		return 0;
	return len;
}

static bool is_utf8(const char *p, size_t n)
{
	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_len(p + i, n - i);
		if (len == 0)
			return false;
	}
	return true;
}

/* As many whole characters as one encoded word holds. */
static size_t word_len(const char *p, size_t n, bool utf8)
{
	size_t at = 0;

	if (!utf8)
		return n < WORD_OCTETS ? n : WORD_OCTETS;
	while (at < n && at + utf8_len(p + at, n - at) <= WORD_OCTETS)
		at += utf8_len(p + at, n - at);
	return at;
}

/* Blanks between neighbouring encoded words are not text (RFC 2047 6.2), so the folding between them is free. */
static int put_encoded(struct buf *b, const char *p, size_t n)
{
	bool utf8 = is_utf8(p, n);
	char b64[4 * ((WORD_OCTETS + 2) / 3) + 1];

	for (size_t at = 0; at < n;) {
		size_t len = word_len(p + at, n - at, utf8);

		encode_b64((const uint8_t *)p + at, len, b64);
		if (buf_addf(b, "%s=?%s?B?%s?=", at ? "\r\n " : "", utf8 ? "utf-8" : "unknown-8bit", b64))
			return -1;
		at += len;
	}
	return 0;
}

/* A quoted-string with 8-bit text in it. */
static int put_quoted(struct buf *b, struct lex *l, enum shape shape)
{
	struct buf text;
	size_t n = (size_t)(l->end - l->p);
	uint8_t *room;
	int result = -1;

	buf_init(&text, n + 1);
	room = buf_room(&text, n + 1);
	if (room && lex_quoted(l, (char *)room, n + 1, &n) == 0)
		result = (shape == SHAPE_PARAMETERS && buf_addc(b, '"')) || put_encoded(b, (const char *)room, n) ||
			 (shape == SHAPE_PARAMETERS && buf_addc(b, '"'));
	buf_clear(&text);
	return result ? -1 : 0;
}

static bool word_octet(char c)
{
	return is_high(c) || ((unsigned char)c > ' ' && !strchr("\"(),;:<>@=", c));
}

/* The word at p and those behind it that have 8-bit text too: their blanks would be lost between encoded words of
 * their own. */
static const char *words_end(const char *p, const char *end)
{
	const char *stop = p, *next;

	for (;;) {
		while (p < end && word_octet(*p))
			p++;
		if (p == stop || !any_high(stop, (size_t)(p - stop)))
			return stop;
		stop = p;
		for (next = p; next < end && lex_is(*next, LEX_BLANK);)
			next++;
		if (next == p)
			return stop;
		p = next;
	}
}

/* The end of the quoted-string at p, p when it is not closed. */
static const char *quoted_end(const char *p, const char *end)
{
	struct lex l = {p, end};
	size_t n;

	return lex_quoted(&l, NULL, 0, &n) ? p : l.p;
}

/* An unquoted parameter value at p, as mime_field.c reads it: up to a ";", quote, comment or folding, without the
 * blanks at its end. */
static const char *bare_end(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && !strchr(";\"(\r\n", *p))
		p++;
	while (p > from && lex_is(p[-1], LEX_BLANK))
		p--;
	return p;
}

static int put_masked(struct buf *b, const char *p, const char *end)
{
	for (; p < end; p++)
		if (buf_addc(b, is_high(*p) ? '?' : (uint8_t)*p))
			return -1;
	return 0;
}

static const char *cfws_end(const char *p, const char *end)
{
	struct lex l = {p, end};

	return lex_cfws(&l, NULL) ? p : l.p;
}

static int put_quoted_at(struct buf *b, const char *p, const char *stop, enum shape shape)
{
	struct lex l = {p, stop};

	return any_high(p, (size_t)(stop - p)) ? put_quoted(b, &l, shape) : buf_add(b, p, (size_t)(stop - p));
}

/* Writes what stands at p in a field with parameters and returns the place behind it; NULL when b is full. 8-bit text
 * has a meaning in values only; elsewhere an encoded word, which begins with "=", would make a parameter of what was
 * none. */
static const char *encode_parameter(struct buf *b, const char *p, const char *end)
{
	const char *stop = quoted_end(p, end), *value;
	int result;

	if (*p == '"' && stop > p)
		return put_quoted_at(b, p, stop, SHAPE_PARAMETERS) ? NULL : stop;
	if (*p == '(' && (stop = cfws_end(p, end)) > p)
		return put_masked(b, p, stop) ? NULL : stop;
	if (*p != '=')
		return put_masked(b, p, p + 1) ? NULL : p + 1;
	value = cfws_end(p + 1, end);
	stop = bare_end(value, end);
	result = put_masked(b, p, value);
	if (result == 0 && any_high(value, (size_t)(stop - value)))
		result = buf_addc(b, '"') || put_encoded(b, value, (size_t)(stop - value)) || buf_addc(b, '"');
	else if (result == 0)
		result = buf_add(b, value, (size_t)(stop - value));
	return result ? NULL : stop;
}

/* The same for text, with or without display names. */
static const char *encode_text(struct buf *b, const char *p, const char *end)
{
	const char *stop = quoted_end(p, end);

	if (*p == '"' && stop > p)
		return put_quoted_at(b, p, stop, SHAPE_TEXT) ? NULL : stop;
	stop = words_end(p, end);
	if (stop > p)
		return put_encoded(b, p, (size_t)(stop - p)) ? NULL : stop;
	for (stop = p + 1; stop < end && word_octet(*p) && word_octet(*stop);)
		stop++;
	return buf_add(b, p, (size_t)(stop - p)) ? NULL : stop;
}

static int encode_value(struct buf *b, const struct header_field *f)
{
	bool parameters = header_is(f, "Content-Type") || header_is(f, "Content-Disposition");
	const char *p = f->value, *end = f->raw + f->raw_len;

	while (p && p < end)
		p = parameters ? encode_parameter(b, p, end) : encode_text(b, p, end);
	return p ? 0 : -1;
}

/* Breaks lines that are too long in front of a blank. */
static int fold(struct buf *b, const char *p, size_t n, struct problem *pr)
{
	size_t column = 0;

	for (size_t i = 0; i < n; i++) {
		if (column > LINE_FOLD && lex_is(p[i], LEX_BLANK) && i + 1 < n && !lex_is(p[i + 1], LEX_BLANK)) {
			if (buf_adds(b, "\r\n"))
				return -1;
			column = 0;
		}
		if (buf_addc(b, (uint8_t)p[i]))
			return -1;
		column = p[i] == '\n' ? 0 : column + 1;
		if (column > LINE_MOST && p[i] != '\r')
			return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 5322 2.1.1",
			    "A header line of the message is longer than %d octets and has no blank to break it at.",
			    LINE_MOST);
	}
	return 0;
}

static bool has_addresses(const struct header_field *f)
{
	static const char *const names[] = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc", "Resent-From",
	    "Resent-Sender", "Resent-Reply-To", "Resent-To", "Resent-Cc", "Resent-Bcc", "Return-Path",
	    "Disposition-Notification-To"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (header_is(f, names[i]))
			return true;
	return false;
}

/* One address of a list, as far as it was read. */
struct mailbox {
	bool high;   /* 8-bit text outside angle brackets: a phrase, unless it is the address itself */
	bool at;     /* an "@" there */
	bool angled; /* it has brackets */
	bool inside; /* the place is between them */
};

static bool mailbox_encodable(const struct mailbox *m)
{
	return m->angled || !m->at || !m->high;
}

/* The quoted-string or octet at p up to stop: false when it is between brackets and has 8-bit text. */
static bool mailbox_take(struct mailbox *m, const char *p, const char *stop)
{
	bool high = any_high(p, (size_t)(stop - p));

	if (high && m->inside)
		return false;
	if (*p == '<')
		m->angled = m->inside = true;
	else if (*p == '>')
		m->inside = false;
	m->high |= high;
	m->at |= *p == '@';
	return true;
}

/* RFC 2047 5 (3): an encoded word never stands in an address; so one with 8-bit text (RFC 6532) has no other form. In
 * phrases and comments it may stand. */
static bool addresses_encodable(const struct header_field *f)
{
	struct mailbox m = {0};

	for (const char *p = f->value, *end = f->raw + f->raw_len, *stop; p < end; p = stop) {
		stop = p + 1;
		if (*p == '(' && cfws_end(p, end) > p) {
			stop = cfws_end(p, end);
			continue;
		}
		if (*p == '"' && quoted_end(p, end) > p)
			stop = quoted_end(p, end);
		if (*p && strchr(",;:", *p) && !m.inside) {
			if (!mailbox_encodable(&m))
				return false;
			m = (struct mailbox){0};
		} else if (!mailbox_take(&m, p, stop)) {
			return false;
		}
	}
	return mailbox_encodable(&m);
}

int sevenbit_header_field(const struct header_field *f, struct writer *w, struct problem *pr)
{
	struct buf encoded, folded;
	int result;

	if (!any_high(f->raw, f->raw_len) && !long_line(f))
		return stream_write(w, f->raw, f->raw_len, pr);
	if (any_high(f->raw, f->raw_len) && has_addresses(f) && !addresses_encodable(f))
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.3", "RFC 6532 3.2",
		    "An address in the field %.*s of the message has characters outside ASCII, and no 7-bit form.",
		    (int)f->name_len, f->raw);
	buf_init(&encoded, f->raw_len * 24 + 256);
	buf_init(&folded, f->raw_len * 24 + 256);
	problem_perm(pr, "A header field of the message cannot be put into 7-bit form.");
	result = buf_add(&encoded, f->raw, f->name_len + 1) || encode_value(&encoded, f) ||
		 fold(&folded, buf_str(&encoded), encoded.len, pr);
	if (!result) {
		problem_clear(pr);
		result = stream_write(w, folded.p, folded.len, pr);
	}
	buf_clear(&encoded);
	buf_clear(&folded);
	return result ? -1 : 0;
}

static int write_cte(const char *cte, struct writer *w, struct problem *pr)
{
	char line[80];
	struct buf b;
	int result;

	buf_init(&b, sizeof(line));
	result = buf_addf(&b, "Content-Transfer-Encoding: %s\r\n", cte) || stream_write(w, b.p, b.len, pr);
	buf_clear(&b);
	return result ? -1 : 0;
}

static int raw_field(const struct header_field *f, struct writer *w, struct problem *pr)
{
	return stream_write(w, f->raw, f->raw_len, pr);
}

typedef int field_fn(const struct header_field *f, struct writer *w, struct problem *pr);

static int write_all(const struct header *h, const char *cte, field_fn *field, struct writer *w, struct problem *pr)
{
	for (size_t i = 0; i < h->n; i++) {
		bool mine = cte && header_is(&h->f[i], "Content-Transfer-Encoding");

		if (mine ? write_cte(cte, w, pr) : field(&h->f[i], w, pr))
			return -1;
		if (mine)
			cte = NULL;
	}
	if (cte && write_cte(cte, w, pr))
		return -1;
	return stream_write(w, "\r\n", 2, pr);
}

int sevenbit_header_write(const struct header *h, const char *cte, struct writer *w, struct problem *pr)
{
	return write_all(h, cte, sevenbit_header_field, w, pr);
}

int sevenbit_header_relabel(const struct header *h, const char *cte, struct writer *w, struct problem *pr)
{
	return write_all(h, cte, raw_field, w, pr);
}
