#include "gateway/mail/shown.h"

#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/utf8.h"

enum { WORDS_MAX = 256, CHARSET_MAX = 40, PIECE = 36, WIDTH = 76 };

/* ---- code points ---- */

struct range {
	uint32_t from, to;
};
static const struct range unseen[] = {{0x00, 0x08}, {0x0b, 0x1f}, {0x7f, 0x84}, {0x86, 0x9f}, {0xad, 0xad},
    {0x300, 0x36f}, {0x61c, 0x61c}, {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f},
    {0x202a, 0x202e}, {0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
    {0xe0000, 0xe0fff}};
static const struct range blank[] = {{0x09, 0x0a}, {0x20, 0x20}, {0x85, 0x85}, {0xa0, 0xa0}, {0x1680, 0x1680},
    {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000}};
/* Those of brackets, of @, and of the letters that have twins in Latin, Greek, Cyrillic and Armenian. */
static const struct {
	uint32_t cp;
	char c;
} twins[] = {{0x131, 'i'}, {0x192, 'f'}, {0x261, 'g'}, {0x391, 'a'}, {0x392, 'b'}, {0x395, 'e'}, {0x396, 'z'},
    {0x397, 'h'}, {0x399, 'i'}, {0x39a, 'k'}, {0x39c, 'm'}, {0x39d, 'n'}, {0x39f, 'o'}, {0x3a1, 'p'}, {0x3a4, 't'},
    {0x3a5, 'y'}, {0x3a7, 'x'}, {0x3b1, 'a'}, {0x3b9, 'i'}, {0x3bd, 'v'}, {0x3bf, 'o'}, {0x3c1, 'p'}, {0x3c4, 't'},
    {0x3c5, 'u'}, {0x405, 's'}, {0x406, 'i'}, {0x408, 'j'}, {0x410, 'a'}, {0x412, 'b'}, {0x415, 'e'}, {0x41a, 'k'},
    {0x41c, 'm'}, {0x41d, 'h'}, {0x41e, 'o'}, {0x420, 'p'}, {0x421, 'c'}, {0x422, 't'}, {0x425, 'x'}, {0x430, 'a'},
    {0x433, 'r'}, {0x435, 'e'}, {0x43e, 'o'}, {0x43f, 'n'}, {0x440, 'p'}, {0x441, 'c'}, {0x442, 't'}, {0x443, 'y'},
    {0x445, 'x'}, {0x455, 's'}, {0x456, 'i'}, {0x458, 'j'}, {0x475, 'v'}, {0x4bb, 'h'}, {0x501, 'd'}, {0x578, 'n'},
    {0x57d, 'u'}, {0x585, 'o'}, {0x2045, '['}, {0x2046, ']'}, {0x2170, 'i'}, {0x2174, 'v'}, {0x217c, 'l'},
    {0x2772, '['}, {0x2773, ']'}, {0x27e6, '['}, {0x27e7, ']'}, {0x298b, '['}, {0x298c, ']'}, {0x3010, '['},
    {0x3011, ']'}, {0x3014, '['}, {0x3015, ']'}, {0x301a, '['}, {0x301b, ']'}, {0xfe5d, '['}, {0xfe5e, ']'},
    {0xfe6b, '@'}};

static bool within(const struct range *r, size_t n, uint32_t cp)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= r[i].from && cp <= r[i].to)
			return true;
	return false;
}

/* 0: not seen. */
static char looks(uint32_t cp)
{
	if (within(blank, sizeof(blank) / sizeof(*blank), cp))
		return ' ';
	if (within(unseen, sizeof(unseen) / sizeof(*unseen), cp))
		return 0;
	if (cp < 127)
		return lex_lower((char)cp);
	if (cp >= 0xff01 && cp <= 0xff5e) /* full width */
		return lex_lower((char)(cp - 0xfee0));
	if (cp >= 0x1d400 && cp <= 0x1d6a3) /* mathematical letters */
		return (char)('a' + (cp - 0x1d400) % 26);
	if (cp >= 0x24b6 && cp <= 0x24e9) /* in circles */
		return (char)('a' + (cp - 0x24b6) % 26);
	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		if (twins[i].cp == cp)
			return twins[i].c;
	return SHOWN_OTHER;
}

static uint32_t code_point(const uint8_t *p, size_t len)
{
	static const uint8_t first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t cp = p[0] & first[len];

	for (size_t i = 1; i < len; i++)
		cp = cp << 6 | (p[i] & 0x3f);
	return cp;
}

/* ---- reading ---- */

static void put(struct shown *s, uint32_t cp, int word, size_t off, size_t len, bool drops)
{
	char c = looks(cp);

	/* kept although it is not seen: it goes with the text around it */
	s->v[s->n++] = (struct shown_char){
	    .c = c, .drops_word = drops, .word = word, .off = (uint32_t)off, .len = (uint32_t)len};
}

/* UTF-8 where it is; other octets above 127 are letters of something, but for the no-break space of most. */
static void put_octets(struct shown *s, const uint8_t *p, size_t n, int word, size_t base, bool utf8)
{
	for (size_t i = 0; i < n;) {
		size_t len = utf8 ? utf8_len((const char *)p + i, n - i) : 0;

		if (len > 0)
			put(s, code_point(p + i, len), word, base + i, len, false);
		else
			put(s, p[i] < 128 || p[i] == 0xa0 ? p[i] : 0xfffd, word, base + i, 1, false);
		i += len > 0 ? len : 1;
	}
}

static void put_utf16(struct shown *s, const uint8_t *p, size_t n, int word, bool little)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		put(s, (uint32_t)p[i + little] << 8 | p[i + !little], word, i, 2, false);
}

/* RFC 2152: its shifts belong to several characters, so none goes without the word. */
static void put_utf7(struct shown *s, const uint8_t *p, size_t n, int word)
{
	uint32_t acc = 0;
	int bits = -1;

	for (size_t i = 0; i < n; i++) {
		int v = bits >= 0 ? encode_b64_value((char)p[i]) : -1;

		if (v >= 0) {
			acc = acc << 6 | (uint32_t)v;
			bits += 6;
			if (bits >= 16) {
				bits -= 16;
				put(s, acc >> bits & 0xffff, word, i, 0, true);
			}
		} else if (bits >= 0) {
			if (p[i - 1] == '+' && p[i] == '-')
				put(s, '+', word, i, 0, true);
			else if (p[i] != '-')
				put(s, p[i], word, i, 0, true);
			bits = -1;
		} else if (p[i] == '+') {
			bits = 0;
			acc = 0;
		} else {
			put(s, p[i], word, i, 0, true);
		}
	}
}

/* RFC 2047 4, as tolerant as readers are. out has n octets. */
static size_t decode(char how, const char *p, size_t n, uint8_t *out)
{
	size_t len = 0;

	if (how != 'q')
		return encode_unb64_loose(p, n, out, n);
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '=' && i + 2 < n && encode_unhex(p + i + 1, 2, &out[len], 1) == 1) {
			len++;
			i += 2;
		} else {
			out[len++] = p[i] == '_' ? ' ' : (uint8_t)p[i];
		}
	}
	return len;
}

static const char *find(const char *p, const char *end, char c)
{
	return p < end ? memchr(p, c, (size_t)(end - p)) : NULL;
}

/* "=?charset?how?text?=" at p; its length and parts, 0 when it is none. */
static size_t word_at(const char *p, const char *end, struct shown_word *w, char *how, const char **text, size_t *n)
{
	const char *cs = p + 2, *q1, *q2, *close, *star;

	if (end - p < 8 || p[0] != '=' || p[1] != '?' || (q1 = find(cs, end, '?')) == NULL || q1 == cs)
		return 0;
	if (end - q1 < 4 || q1[2] != '?')
		return 0;
	*how = lex_lower(q1[1]);
	q2 = q1 + 2;
	close = q2 + 1;
	while ((close = find(close, end, '?')) != NULL && (close + 1 >= end || close[1] != '='))
		close++;
	if ((*how != 'q' && *how != 'b') || close == NULL || find(p, close, '\n') != NULL ||
	    find(p, close, '\r') != NULL)
		return 0;
	star = find(cs, q1, '*'); /* RFC 2231 5: language */
	w->charset = cs;
	w->charset_len = (size_t)((star ? star : q1) - cs);
	*text = q2 + 1;
	*n = (size_t)(close - *text);
	return w->charset_len > CHARSET_MAX ? 0 : (size_t)(close + 2 - p);
}

static bool is_charset(const struct shown_word *w, const char *name)
{
	return lex_same(w->charset, w->charset_len, name);
}

static int put_word(struct arena *a, struct shown *s, struct shown_word *w, char how, const char *text, size_t n)
{
	uint8_t *out = arena_alloc(a, n + 1);
	int nr = (int)s->nwords;

	if (out == NULL)
		return -1;
	w->octets = out;
	w->n = decode(how, text, n, out);
	s->words[s->nwords++] = *w;
	if (is_charset(w, "utf-16") || is_charset(w, "utf-16be"))
		put_utf16(s, out, w->n, nr, w->n > 1 && out[0] == 0xff && out[1] == 0xfe);
	else if (is_charset(w, "utf-16le"))
		put_utf16(s, out, w->n, nr, true);
	else if (is_charset(w, "utf-7") || is_charset(w, "unicode-1-1-utf-7"))
		put_utf7(s, out, w->n, nr);
	else
		put_octets(s, out, w->n, nr, 0, true); /* UTF-8 under a wrong name is read as such by some */
	return 0;
}

/* A character gives at least one octet, so n of them are room enough. */
int shown_read(struct arena *a, const char *p, size_t n, struct shown *s_r)
{
	const char *end;

	if (n > SHOWN_MAX)
		n = SHOWN_MAX;
	end = p + n;
	memset(s_r, 0, sizeof(*s_r));
	s_r->v = arena_alloc(a, (n + 1) * sizeof(*s_r->v));
	s_r->words = arena_alloc(a, WORDS_MAX * sizeof(*s_r->words));
	if (s_r->v == NULL || s_r->words == NULL)
		return -1;
	for (const char *q = p; q < end;) {
		struct shown_word w = {.off = (uint32_t)(q - p)};
		const char *text;
		size_t len, inner;
		char how;

		w.len = s_r->nwords < WORDS_MAX ? (uint32_t)word_at(q, end, &w, &how, &text, &inner) : 0;
		if (w.len > 0) {
			if (put_word(a, s_r, &w, how, text, inner) != 0)
				return -1;
			q += w.len;
			continue;
		}
		len = utf8_len(q, (size_t)(end - q));
		len = len > 0 ? len : 1;
		put_octets(s_r, (const uint8_t *)q, len, -1, (size_t)(q - p), true);
		q += len;
	}
	return 0;
}

void shown_text(const struct shown *s, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n && n + 1 < cap; i++)
		if (s->v[i].c != 0)
			out[n++] = s->v[i].c == SHOWN_OTHER ? '?' : s->v[i].c;
	out[n] = 0;
}

/* ---- removing ---- */

static bool counts(const struct shown_char *c)
{
	return c->c != 0 && c->c != ' ';
}

/* Where the mark that begins at i ends (behind its last character), 0 when it is not there. */
static size_t mark_end(const struct shown *s, size_t i, const char *mark)
{
	for (;; i++) {
		while (*mark == ' ')
			mark++;
		if (*mark == 0)
			return i;
		if (i >= s->n)
			return 0;
		if (!counts(&s->v[i]))
			continue;
		if (s->v[i].c != *mark++)
			return 0;
	}
}

/* Marks what goes; true when something does. Once more may be needed then: what is left moves together. */
static bool strike(struct shown *s, const char *mark, bool *gone)
{
	bool any = false;

	for (size_t i = 0; i < s->n; i++) {
		size_t end = counts(&s->v[i]) ? mark_end(s, i, mark) : 0;

		if (end == 0)
			continue;
		while (end < s->n && s->v[end].word >= 0 && !counts(&s->v[end])) /* encoded blanks behind it */
			end++;
		any = true;
		while (i < end) {
			s->v[i].c = 0;
			gone[i++] = true;
		}
		i--;
	}
	return any;
}

/* The characters of a word that stay, as encoded words of the same charset; a character is never split. */
static int put_rest(struct buf *b, const struct shown *s, const bool *gone, int word)
{
	const struct shown_word *w = &s->words[word];
	uint8_t piece[PIECE + 4];
	char text[4 * (PIECE + 6) / 3 + 8];
	size_t n = 0;
	bool first = true;

	for (size_t i = 0; i <= s->n; i++) {
		bool mine = i < s->n && s->v[i].word == word && !gone[i];

		if (n > 0 && (i == s->n || (mine && n + s->v[i].len > PIECE))) {
			encode_b64(piece, n, text);
			if (buf_addf(b, "%s=?%.*s?B?%s?=", first ? "" : " ", (int)w->charset_len, w->charset, text))
				return -1;
			first = false;
			n = 0;
		}
		if (mine) {
			memcpy(piece + n, w->octets + s->v[i].off, s->v[i].len);
			n += s->v[i].len;
		}
	}
	return 0;
}

enum fate { STAYS, CHANGES, GOES };

static enum fate fate_of(const struct shown *s, const bool *gone, int word)
{
	enum fate f = STAYS;

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].word == word && gone[i]) {
			if (s->v[i].drops_word)
				return GOES;
			f = CHANGES;
		}
	return f;
}

static int put_whole_word(struct buf *b, const char *p, const struct shown *s, const bool *gone, int word)
{
	switch (fate_of(s, gone, word)) {
	case STAYS:
		return buf_add(b, p + s->words[word].off, s->words[word].len);
	case CHANGES:
		return put_rest(b, s, gone, word);
	case GOES:
		break;
	}
	return 0;
}

static int rebuild(struct buf *b, const char *p, size_t n, const struct shown *s, const bool *gone)
{
	size_t word = 0, k = 0, i = 0;

	while (i < n) {
		if (word < s->nwords && s->words[word].off == i) {
			if (put_whole_word(b, p, s, gone, (int)word))
				return -1;
			i += s->words[word++].len;
			continue;
		}
		while (k < s->n && (s->v[k].word >= 0 || s->v[k].off + s->v[k].len <= i))
			k++;
		if (k < s->n && s->v[k].off == i && gone[k]) {
			i += s->v[k].len;
			continue;
		}
		if (p[i] != '\r' && p[i] != '\n' && buf_addc(b, (uint8_t)p[i]))
			return -1;
		i++;
	}
	return 0;
}

/* RFC 5322 2.2.3, at blanks; words stay as they are. */
static int fold(const struct buf *b, struct buf *out)
{
	const char *p = buf_str(b), *end = p + b->len;
	size_t column = sizeof("Subject: ");

	for (bool first = true;; first = false) {
		const char *from;

		while (p < end && lex_is(*p, LEX_BLANK))
			p++;
		if (p == end)
			return 0;
		for (from = p; p < end && !lex_is(*p, LEX_BLANK);)
			p++;
		if (!first && column + (size_t)(p - from) > WIDTH) {
			column = 0;
			if (buf_adds(out, "\r\n"))
				return -1;
		}
		if ((!first && buf_addc(out, ' ')) || buf_add(out, from, (size_t)(p - from)))
			return -1;
		column += (size_t)(p - from) + 1;
	}
}

int shown_remove(struct arena *a, const char *p, size_t n, const char *mark, struct buf *out)
{
	struct shown s;
	struct buf b;
	bool *gone;
	int result;

	if (shown_read(a, p, n, &s) != 0 || (gone = arena_alloc(a, s.n + 1)) == NULL)
		return -1;
	memset(gone, 0, s.n + 1);
	if (!strike(&s, mark, gone))
		return 0;
	while (strike(&s, mark, gone))
		;
	buf_init(&b, n * 4 + 256);
	result = rebuild(&b, p, n, &s, gone) || fold(&b, out) ? -1 : 1;
	buf_clear(&b);
	return result;
}
