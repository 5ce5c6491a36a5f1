#include "gateway/pipeline/changed.h"

#include <stdio.h>
#include <string.h>

#include "gateway/cms/base64.h"
#include "gateway/cms/cms_verify.h"
#include "gateway/mail/dsn_read.h"
#include "gateway/mail/lex.h"

/* SIGNATURE_COST: its certificates are read each time, an octet of which takes longer than one of content. */
enum { FOOTER_LINES = 64, BANNER_LINES = 24, SIGNATURE_COST = 4 };

struct search {
	struct cms_outline *o;
	const char *p;	     /* the content as it came */
	size_t n, body;	     /* body: behind the empty line of its header */
	struct buf b;	     /* the variant */
	uint64_t work, each; /* octets digested; what the signature itself costs each time it is tried, in octets */
	char *words;
};

/* Does the signature fit these octets? Past the budget nothing does. */
static bool fits(struct search *s, const void *p, size_t n)
{
	struct cms_verdict v = {0};
	struct problem pr = {0};
	struct stream_mem m;
	bool ok;

	s->work += n + s->each;
	if (s->work > CHANGED_WORK_MAX)
		return false;
	stream_mem_init(&m, p, n);
	ok = cms_verify(s->o, &m.reader, NULL, &v, &pr) == 0 && v.nsigners > 0;
	for (size_t i = 0; i < v.nsigners; i++)
		ok = ok && !v.signers[i].changed;
	cms_verdict_clear(&v);
	return ok;
}

static bool is_line_end(const char *p, size_t n, size_t i)
{
	return i + 1 < n && p[i] == '\r' && p[i + 1] == '\n';
}

static size_t line_len(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && !is_line_end(p, n, i))
		i++;
	return i;
}

/* ---- line by line ---- */

/* One line without its end, as it may have been. */
static int without_blanks(struct buf *b, const char *p, size_t n)
{
	while (n > 0 && lex_is(p[n - 1], LEX_BLANK))
		n--;
	return buf_add(b, p, n);
}

static int without_quote(struct buf *b, const char *p, size_t n)
{
	size_t k = 0;

	while (k < n && p[k] == '>')
		k++;
	return k > 0 && n - k >= 5 && memcmp(p + k, "From ", 5) == 0 ? buf_add(b, p + 1, n - 1) : buf_add(b, p, n);
}

static int as_it_is(struct buf *b, const char *p, size_t n)
{
	return buf_add(b, p, n);
}

static const struct {
	int (*line)(struct buf *b, const char *p, size_t n);
	const char *end, *words;
} lines[] = {
    {without_blanks, "\r\n", "blanks were added at the ends of lines"},
    {without_quote, "\r\n", "a \">\" was put in front of lines that begin with \"From \""},
    {as_it_is, "\n",
	"its line ends were changed: it was signed with bare LF, which mail does not keep, so the sender's program "
	"is at fault"},
};

static bool by_lines(struct search *s)
{
	for (size_t k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
		int err = 0;

		buf_reset(&s->b);
		for (size_t i = 0; i < s->n && err == 0;) {
			size_t len = line_len(s->p + i, s->n - i);

			err = lines[k].line(&s->b, s->p + i, len);
			i += len;
			if (i < s->n && err == 0) {
				err = buf_adds(&s->b, lines[k].end);
				i += 2;
			}
		}
		if (err != 0 || (s->b.len == s->n && memcmp(s->b.p, s->p, s->n) == 0))
			continue;
		if (!fits(s, s->b.p, s->b.len))
			continue;
		snprintf(s->words, CHANGED_TEXT_MAX, "%s", lines[k].words);
		return true;
	}
	return false;
}

/* ---- the end and the beginning ---- */

static bool by_end(struct search *s)
{
	static const char *const ends[] = {"\r\n", "\r\n\r\n"};
	size_t n = s->n;

	for (size_t i = 0; i < 2; i++) {
		buf_reset(&s->b);
		if (buf_add(&s->b, s->p, s->n) == 0 && buf_adds(&s->b, ends[i]) == 0 && fits(s, s->b.p, s->b.len)) {
			snprintf(s->words, CHANGED_TEXT_MAX, "a line end was taken from its end");
			return true;
		}
	}
	while (n >= 2 && is_line_end(s->p, s->n, n - 2)) {
		n -= 2;
		if (fits(s, s->p, n)) {
			snprintf(s->words, CHANGED_TEXT_MAX, "empty lines were added at its end");
			return true;
		}
	}
	return false;
}

/* Cut off before, and behind, each of the last line ends. */
static bool by_footer(struct search *s)
{
	size_t seen = 0;

	for (size_t i = s->n; i-- > s->body && seen < FOOTER_LINES;) {
		if (!is_line_end(s->p, s->n, i))
			continue;
		seen++;
		for (size_t keep = i; keep <= i + 2; keep += 2) {
			if (keep == s->n || !fits(s, s->p, keep))
				continue;
			snprintf(s->words, CHANGED_TEXT_MAX,
			    "a footer of %zu octets was added behind the signed text", s->n - keep);
			return true;
		}
	}
	return false;
}

static bool by_banner(struct search *s)
{
	size_t at = s->body;

	for (size_t k = 0; k < BANNER_LINES && at < s->n; k++) {
		at += line_len(s->p + at, s->n - at);
		at += at < s->n ? 2 : 0;
		buf_reset(&s->b);
		if (buf_add(&s->b, s->p, s->body) != 0 || buf_add(&s->b, s->p + at, s->n - at) != 0 ||
		    !fits(s, s->b.p, s->b.len))
			continue;
		snprintf(s->words, CHANGED_TEXT_MAX, "a text of %zu octets was put in front of the signed one",
		    at - s->body);
		return true;
	}
	return false;
}

/* ---- the transfer encoding ---- */

/* The place of the encoding's name in the header; 0 when there is none. */
static size_t find_encoding(const struct search *s, size_t *len_r)
{
	static const char name[] = "content-transfer-encoding:";

	for (size_t i = 0; i + sizeof(name) < s->body;) {
		size_t n = line_len(s->p + i, s->body - i), at = i + sizeof(name) - 1;

		if (n >= sizeof(name) && lex_same(s->p + i, sizeof(name) - 1, name)) {
			while (at < i + n && lex_is(s->p[at], LEX_BLANK))
				at++;
			*len_r = i + n - at;
			return at;
		}
		i += n + 2;
	}
	return 0;
}

/* The body decoded into to. */
static int decode(const struct search *s, bool base64, struct buf *to)
{
	struct problem pr = {0};
	struct base64_dec d;
	struct stream_buf w;

	if (!base64) {
		if (buf_add(to, s->p + s->body, s->n - s->body) != 0)
			return -1;
		to->len = dsn_read_unquote((char *)to->p, to->len);
		return 0;
	}
	stream_buf_init(&w, to);
	base64_dec_init(&d, &w.writer);
	return stream_write(&d.writer, s->p + s->body, s->n - s->body, &pr) != 0 || base64_dec_end(&d, &pr) != 0 ? -1
														 : 0;
}

static bool by_encoding(struct search *s)
{
	static const char *const was[] = {"8bit", "8BIT", "7bit", "7BIT", "binary"};
	size_t len, at = find_encoding(s, &len);
	bool base64 = at > 0 && lex_same(s->p + at, len, "base64"), found = false;
	struct buf plain;

	if (at == 0 || (!base64 && !lex_same(s->p + at, len, "quoted-printable")))
		return false;
	buf_init(&plain, CHANGED_CONTENT_MAX);
	for (size_t i = 0, n = decode(s, base64, &plain) == 0 ? sizeof(was) / sizeof(was[0]) : 0; i < n && !found;
	     i++) {
		buf_reset(&s->b);
		found = buf_add(&s->b, s->p, at) == 0 && buf_adds(&s->b, was[i]) == 0 &&
			buf_add(&s->b, s->p + at + len, s->body - at - len) == 0 &&
			buf_add(&s->b, plain.p, plain.len) == 0 && fits(s, s->b.p, s->b.len);
		if (found)
			snprintf(s->words, CHANGED_TEXT_MAX, "a relay re-encoded it from %s to %s", was[i],
			    base64 ? "base64" : "quoted-printable");
	}
	buf_clear(&plain);
	return found;
}

/* ---- all ---- */

static bool search(struct search *s)
{
	size_t i = 0;

	while (i < s->n && line_len(s->p + i, s->n - i) > 0)
		i += line_len(s->p + i, s->n - i) + 2;
	s->body = i + 2 <= s->n ? i + 2 : s->n;
	return by_lines(s) || by_end(s) || by_encoding(s) || by_footer(s) || by_banner(s);
}

static uint64_t signature_cost(const struct cms_outline *o)
{
	const struct cms_skeleton *sk = cms_outline_skeleton(o);

	return ((uint64_t)sk->der.len + sk->certs_der.len) * SIGNATURE_COST;
}

bool changed_find(
    struct cms_outline *o, struct reader *r, const struct mime_range *content, char words_r[CHANGED_TEXT_MAX])
{
	struct search s = {.o = o, .words = words_r, .each = signature_cost(o)};
	struct problem pr = {0};
	struct buf in;
	struct stream_buf to;
	bool found;

	if (content->len > CHANGED_CONTENT_MAX)
		return false;
	buf_init(&in, CHANGED_CONTENT_MAX);
	buf_init(&s.b, CHANGED_CONTENT_MAX + 16);
	stream_buf_init(&to, &in);
	found = stream_copy(r, content->off, content->len, &to.writer, &pr) == 0;
	s.p = buf_str(&in);
	s.n = in.len;
	found = found && search(&s);
	buf_clear(&s.b);
	buf_clear(&in);
	return found;
}
