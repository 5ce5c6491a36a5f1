/*
 * Legacy display: RFC 9788 5.2 (making), 4.5.3 (leaving out). Encoded words (RFC 2047) are undone where they are
 * UTF-8 or ASCII; others stay as they are, and on reading stand for whatever was said. Pure; sealer.
 */
#include "gateway/mail/legacy.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/protect.h"
#include "gateway/mail/utf8.h"

#define VALUE_MAX 16384 /* of one field's value, in a display */
#define WORD_MAX 1024
#define LINE_MOST 900

static const char div_open[] = "<div class=\"header-protection-legacy-display\"><pre>";
static const char div_class[] = "header-protection-legacy-display";
static const char div_close[] = "</pre></div>";

/* ---- transfer encodings ---- */

static void put(struct legacy_text *t, uint8_t c, size_t at)
{
	t->p[t->n] = c;
	t->at[t->n++] = (uint32_t)at;
}

/* A soft line break, with the blanks that relays leave in front of it: its octets, or 0. */
static size_t soft_break(const uint8_t *p, size_t n)
{
	size_t i = 1;

	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	if (i + 1 < n && p[i] == '\r' && p[i + 1] == '\n')
		return i + 2;
	return 0;
}

static size_t decode_qp(const uint8_t *raw, size_t n, struct legacy_text *t)
{
	size_t i = 0;

	while (i < n) {
		size_t soft = raw[i] == '=' ? soft_break(raw + i, n - i) : 0;
		uint8_t c;

		if (soft > 0) {
			i += soft;
			continue;
		}
		if (raw[i] == '=' && n - i < 3)
			break;
		if (raw[i] == '=' && encode_unhex((const char *)raw + i + 1, 2, &c, 1) == 1) {
			put(t, c, i);
			i += 3;
			continue;
		}
		put(t, raw[i], i);
		i++;
	}
	return i;
}

/* Whole groups of four; the end of the content, and what is no base64, ends the text. */
static size_t decode_base64(const uint8_t *raw, size_t n, struct legacy_text *t)
{
	uint32_t bits = 0;
	size_t have = 0, from = 0, i;

	for (i = 0; i < n; i++) {
		int v = encode_b64_value((char)raw[i]);

		if (raw[i] == '\r' || raw[i] == '\n' || raw[i] == ' ' || raw[i] == '\t')
			continue;
		if (v < 0)
			break;
		from = have == 0 ? i : from;
		bits = bits << 6 | (uint32_t)v;
		if (++have < 4)
			continue;
		put(t, (uint8_t)(bits >> 16), from);
		put(t, (uint8_t)(bits >> 8), from);
		put(t, (uint8_t)bits, from);
		have = 0;
	}
	return have > 0 ? from : i;
}

int legacy_decode(struct arena *a, const uint8_t *raw, size_t n, enum mime_cte cte, struct legacy_text *t_r)
{
	size_t end = n;

	memset(t_r, 0, sizeof(*t_r));
	if (n > LEGACY_RAW_MAX || cte == MIME_CTE_OTHER)
		return -1;
	t_r->p = arena_alloc(a, n + 4);
	t_r->at = arena_alloc(a, (n + 4) * sizeof(*t_r->at));
	if (t_r->p == NULL || t_r->at == NULL)
		return -1;
	if (cte == MIME_CTE_QP)
		end = decode_qp(raw, n, t_r);
	else if (cte == MIME_CTE_BASE64)
		end = decode_base64(raw, n, t_r);
	else
		for (size_t i = 0; i < n; i++)
			put(t_r, raw[i], i);
	t_r->at[t_r->n] = (uint32_t)end;
	return 0;
}

/* ---- values of fields ---- */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int decode_word(const char *p, size_t n, bool base64, uint8_t *out)
{
	size_t k = 0;

	if (base64)
		return (int)encode_unb64(p, n, out, WORD_MAX);
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '=' && i + 2 < n && encode_unhex(p + i + 1, 2, &out[k], 1) == 1) {
			k++;
			i += 2;
		} else {
			out[k++] = p[i] == '_' ? ' ' : (uint8_t)p[i];
		}
	}
	return (int)k;
}

/* An encoded word at p: its octets, and what it means; 0 when there is none that can be undone here. */
static size_t word_at(const char *p, const char *end, uint8_t out[WORD_MAX], size_t *n_r)
{
	const char *charset = p + 2, *enc, *text, *stop;
	size_t len;
	int n;

	if (end - p < 8 || p[0] != '=' || p[1] != '?')
		return 0;
	enc = memchr(charset, '?', (size_t)(end - charset));
	if (enc == NULL || end - enc < 4 || enc[2] != '?')
		return 0;
	len = strcspn(charset, "*?");
	if (!lex_same(charset, len, "utf-8") && !lex_same(charset, len, "us-ascii"))
		return 0;
	text = enc + 3;
	len = end - text < WORD_MAX ? (size_t)(end - text) : WORD_MAX;
	stop = memmem(text, len, "?=", 2);
	if (stop == NULL || stop - text > WORD_MAX - 8 || (lex_lower(enc[1]) != 'b' && lex_lower(enc[1]) != 'q'))
		return 0;
	for (const char *q = text; q < stop; q++)
		if (blank(*q)) /* RFC 2047 2: none within; a fold would become part of the value */
			return 0;
	n = decode_word(text, (size_t)(stop - text), lex_lower(enc[1]) == 'b', out);
	if (n < 0 || !utf8_text((const char *)out, (size_t)n))
		return 0;
	*n_r = (size_t)n;
	return (size_t)(stop + 2 - p);
}

/* The value as read: folding undone, encoded words as well where that can be. */
static int value_text(const char *p, size_t n, bool words, struct buf *out)
{
	const char *end = p + n;
	bool gap = false, after_word = false;

	while (p < end) {
		uint8_t word[WORD_MAX];
		size_t len = 0, k;

		if (blank(*p)) {
			gap = true;
			p++;
			continue;
		}
		k = words ? word_at(p, end, word, &len) : 0;
		if (gap && out->len > 0 && !(k > 0 && after_word) && buf_addc(out, ' ') != 0)
			return -1;
		if (k > 0 ? buf_add(out, word, len) != 0 : buf_addc(out, (uint8_t)*p) != 0)
			return -1;
		gap = false;
		after_word = k > 0;
		p += k > 0 ? k : 1;
	}
	return 0;
}

/* ---- making ---- */

static int put_html(struct buf *out, const struct buf *text)
{
	for (size_t i = 0; i < text->len; i++) {
		char c = (char)text->p[i];
		int err = c == '&'   ? buf_adds(out, "&amp;")
			  : c == '<' ? buf_adds(out, "&lt;")
			  : c == '>' ? buf_adds(out, "&gt;")
				     : buf_addc(out, (uint8_t)c);

		if (err != 0)
			return -1;
	}
	return 0;
}

/* Lines of lawful length whatever the encoding: a blank far out becomes a line end and a blank. */
static int put_folded(struct buf *out, const char *p, size_t n)
{
	size_t column = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == ' ' && column > 70) {
			if (buf_adds(out, "\r\n") != 0)
				return -1;
			column = 0;
		}
		if (buf_addc(out, (uint8_t)p[i]) != 0)
			return -1;
		column++;
		if (column > LINE_MOST)
			return -1;
	}
	return 0;
}

static int put_field(struct buf *out, enum legacy_kind kind, const struct header_field *f, bool utf8)
{
	struct buf value, html;
	int err = -1;

	buf_init(&value, VALUE_MAX);
	buf_init(&html, VALUE_MAX * 5);
	if (buf_add(&value, f->raw, f->name_len) != 0 ||
	    buf_adds(&value, f->value_len > 0 && blank(f->value[0]) ? ":" : ": ") != 0 ||
	    value_text(f->value, f->value_len, utf8, &value) != 0)
		goto out;
	if (kind == LEGACY_HTML) {
		if (put_html(&html, &value) != 0)
			goto out;
		err = put_folded(out, buf_str(&html), html.len);
	} else {
		err = put_folded(out, buf_str(&value), value.len);
	}
	if (err == 0)
		err = buf_adds(out, "\r\n");
out:
	buf_clear(&value);
	buf_clear(&html);
	return err;
}

int legacy_make(struct buf *out, enum legacy_kind kind, const struct header *h, bool utf8)
{
	bool any = false;

	for (size_t i = 0; i < h->n; i++) {
		if (!header_is(&h->f[i], "Subject"))
			continue;
		if (!any && kind == LEGACY_HTML && buf_adds(out, div_open) != 0)
			return -1;
		any = true;
		if (put_field(out, kind, &h->f[i], utf8) != 0)
			return -1;
	}
	if (!any)
		return 0;
	return buf_adds(out, kind == LEGACY_HTML ? div_close : "\r\n");
}

/* ---- finding ---- */

static bool same_here(const struct legacy_text *t, size_t at, const char *what)
{
	size_t n = strlen(what);

	return at + n <= t->n && lex_same((const char *)t->p + at, n, what);
}

static size_t find_text(const struct legacy_text *t, size_t from, const char *what)
{
	for (; from < t->n; from++)
		if (same_here(t, from, what))
			return from;
	return t->n;
}

size_t legacy_place(enum legacy_kind kind, const struct legacy_text *t)
{
	size_t at;

	if (kind == LEGACY_PLAIN)
		return 0;
	for (at = find_text(t, 0, "<body"); at < t->n; at = find_text(t, at + 1, "<body"))
		if (at + 5 < t->n && (t->p[at + 5] == '>' || blank((char)t->p[at + 5])))
			break;
	if (at == t->n)
		return 0;
	at = find_text(t, at, ">");
	return at < t->n ? at + 1 : 0;
}

/* Runs of blanks as one, none at the ends: folding in a display may stand for any of them. */
static void squeeze(struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		if (b->p[i] != ' ' || (n > 0 && b->p[n - 1] != ' '))
			b->p[n++] = b->p[i];
	b->len = n > 0 && b->p[n - 1] == ' ' ? n - 1 : n;
}

/* The line says what the field of h with that name says. A value with words that cannot be undone here says anything.
 */
static bool line_says(const struct header *h, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);
	bool found = false;
	struct buf said, want;

	if (colon == NULL || colon == p)
		return false;
	buf_init(&said, VALUE_MAX);
	buf_init(&want, VALUE_MAX);
	for (size_t i = 0; i < h->n && !found; i++) {
		const struct header_field *f = &h->f[i];

		if (protect_kind(f) != PROTECT_AUTHOR || f->name_len != (size_t)(colon - p) ||
		    strncasecmp(f->raw, p, f->name_len) != 0)
			continue;
		buf_reset(&said);
		buf_reset(&want);
		if (value_text(colon + 1, (size_t)(p + n - colon - 1), true, &said) != 0 ||
		    value_text(f->value, f->value_len, true, &want) != 0)
			continue;
		squeeze(&said);
		squeeze(&want);
		found = memmem(want.p ? want.p : (uint8_t *)"", want.len, "=?", 2) != NULL ||
			(said.len == want.len &&
			    (said.p == NULL || want.p == NULL || memcmp(said.p, want.p, said.len) == 0));
	}
	buf_clear(&said);
	buf_clear(&want);
	return found;
}

/* Lines as header fields, with continuations; at least one; all of them said by h. */
static bool lines_say(const struct header *h, const char *p, size_t n)
{
	const char *end = p + n;
	size_t lines = 0;

	while (p < end) {
		const char *q = p;

		do {
			q = memchr(q, '\n', (size_t)(end - q));
			q = q == NULL ? end : q + 1;
		} while (q < end && lex_is(*q, LEX_BLANK));
		if (++lines > 64 || !line_says(h, p, (size_t)(q - p)))
			return false;
		p = q;
	}
	return lines > 0;
}

static bool find_plain(const struct legacy_text *t, const struct header *h, size_t *from_r, size_t *to_r)
{
	const char *p = (const char *)t->p;
	size_t at = 0;

	for (;;) {
		const char *nl = memchr(p + at, '\n', t->n - at);
		size_t next;

		if (nl == NULL)
			return false;
		next = (size_t)(nl - p) + 1;
		if (next - at == 1 || (next - at == 2 && p[at] == '\r')) {
			*from_r = 0;
			*to_r = next;
			return lines_say(h, p, at);
		}
		at = next;
	}
}

static bool unescaped(const struct legacy_text *t, size_t from, size_t to, struct buf *out)
{
	static const struct {
		const char *name;
		char c;
	} known[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#39;", '\''}};

	while (from < to) {
		size_t k = 0, n = sizeof(known) / sizeof(known[0]);

		if (t->p[from] == '<')
			return false; /* an element inside: more than header fields */
		while (k < n && !same_here(t, from, known[k].name))
			k++;
		if (buf_addc(out, k < n ? (uint8_t)known[k].c : t->p[from]) != 0)
			return false;
		from += k < n ? strlen(known[k].name) : 1;
	}
	return true;
}

static size_t past_blanks(const struct legacy_text *t, size_t at)
{
	while (at < t->n && blank((char)t->p[at]))
		at++;
	return at;
}

static bool find_html(const struct legacy_text *t, const struct header *h, size_t *from_r, size_t *to_r)
{
	size_t at = past_blanks(t, legacy_place(LEGACY_HTML, t)), open, inner, end, close;
	struct buf text;
	bool found;

	*from_r = at;
	if (!same_here(t, at, "<div") || (open = find_text(t, at, ">")) == t->n)
		return false;
	if (find_text(t, at, div_class) >= open)
		return false;
	inner = past_blanks(t, open + 1);
	end = close = find_text(t, inner, "</div>");
	if (close == t->n)
		return false;
	*to_r = close + strlen("</div>");
	if (same_here(t, inner, "<pre>")) {
		inner += strlen("<pre>");
		end = find_text(t, inner, "</pre>");
		if (end == t->n || past_blanks(t, end + strlen("</pre>")) != close)
			return false;
	}
	buf_init(&text, LEGACY_RAW_MAX);
	found = unescaped(t, inner, end, &text) && lines_say(h, buf_str(&text), text.len);
	buf_clear(&text);
	return found;
}

bool legacy_find(
    enum legacy_kind kind, const struct legacy_text *t, const struct header *h, size_t *from_r, size_t *to_r)
{
	*from_r = *to_r = 0;
	return kind == LEGACY_PLAIN ? find_plain(t, h, from_r, to_r) : find_html(t, h, from_r, to_r);
}

/* ---- putting in and taking out ---- */

static int put_qp(struct buf *out, const struct buf *d)
{
	size_t column = 0;

	for (size_t i = 0; i < d->len; i++) {
		uint8_t c = d->p[i];
		bool end = c == '\r' && i + 1 < d->len && d->p[i + 1] == '\n';
		bool last = i + 1 < d->len && d->p[i + 1] == '\r';
		bool plain = c > 32 && c < 127 && c != '=';

		if (end) {
			if (buf_adds(out, "\r\n") != 0)
				return -1;
			i++;
			column = 0;
			continue;
		}
		if (column > 72) {
			if (buf_adds(out, "=\r\n") != 0)
				return -1;
			column = 0;
		}
		if (plain || (c == ' ' && !last)) {
			if (buf_addc(out, c) != 0)
				return -1;
			column++;
		} else {
			if (buf_addf(out, "=%02X", c) != 0)
				return -1;
			column += 3;
		}
	}
	return 0;
}

/* Lines of 76 and their ends; a whole number of groups, so that more may follow. */
static int put_base64(struct buf *out, const struct buf *d)
{
	for (size_t i = 0; i < d->len; i += 57) {
		size_t n = d->len - i < 57 ? d->len - i : 57;
		char line[80];

		(void)encode_b64(d->p + i, n, line);
		if (buf_addf(out, "%s\r\n", line) != 0)
			return -1;
	}
	return 0;
}

/* The group of four that holds the place is written anew around the display; blanks at the end of the display's first
 * line fill it up. */
static int insert_base64(struct buf *out, const struct legacy_text *t, size_t place, const struct buf *display,
    uint32_t *from_r, uint32_t *to_r)
{
	size_t head = place % 3, from = place - head, to = head > 0 ? from + 3 : from;
	size_t line = (size_t)(strcspn(buf_str(display), "\r")), fill;
	struct buf all;
	int err = -1;

	if (to > t->n)
		return -1;
	fill = (3 - (display->len % 3)) % 3;
	*from_r = t->at[from];
	*to_r = t->at[to];
	buf_init(&all, display->len + 16);
	if (buf_add(&all, t->p + from, head) == 0 && buf_add(&all, display->p, line) == 0 &&
	    buf_add(&all, "  ", fill) == 0 && buf_add(&all, display->p + line, display->len - line) == 0 &&
	    buf_add(&all, t->p + place, to - place) == 0 && (from == 0 || buf_adds(out, "\r\n") == 0))
		err = put_base64(out, &all);
	buf_clear(&all);
	return err;
}

int legacy_insert(struct buf *out, const struct legacy_text *t, enum mime_cte cte, size_t place,
    const struct buf *display, uint32_t *from_r, uint32_t *to_r)
{
	bool inside = place > 0;

	if (cte == MIME_CTE_BASE64)
		return insert_base64(out, t, place, display, from_r, to_r);
	*from_r = *to_r = t->at[place];
	if (cte != MIME_CTE_QP)
		return buf_add(out, display->p, display->len);
	if (inside && buf_adds(out, "=\r\n") != 0)
		return -1;
	if (put_qp(out, display) != 0)
		return -1;
	return inside ? buf_adds(out, "=\r\n") : 0;
}

bool legacy_cut(const struct legacy_text *t, const uint8_t *raw, enum mime_cte cte, size_t from, size_t to,
    uint32_t *from_r, uint32_t *to_r)
{
	if (cte == MIME_CTE_BASE64 && (from % 3 != 0 || to % 3 != 0))
		return false;
	*from_r = t->at[from];
	*to_r = t->at[to];
	/* a soft line break in front of it stands for nothing */
	if (cte == MIME_CTE_QP && *from_r >= 3 && memcmp(raw + *from_r - 3, "=\r\n", 3) == 0)
		*from_r -= 3;
	return true;
}
