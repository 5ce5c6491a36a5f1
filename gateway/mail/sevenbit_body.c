/*
 * Content-transfer-encodings, the writing side: RFC 2045 6.7 (quoted-printable), 6.8 (base64). Pure; sealer.
 * Line by line from the reader through one small buffer to the writer: the size of a body does not matter.
 */
#include "gateway/mail/sevenbit_body.h"

#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/mail/lines.h"

#define LINE_MOST 998
#define WIDTH 76
#define GROUP 57 /* octets in a base64 line of 76 */
#define FLUSH_AT 32768

struct out {
	struct writer *w;
	struct problem *pr;
	struct buf b;
	size_t column;
	uint8_t blanks[64]; /* quoted-printable: spaces and tabs not written yet, since they may be the line's last */
	size_t blanks_len;
	uint8_t group[GROUP];
	size_t group_len;
};

static bool is_odd(uint8_t c)
{
	return (c < 32 && c != '\t') || c > 126;
}

static int flush(struct out *o)
{
	int result = o->b.len ? stream_write(o->w, o->b.p, o->b.len, o->pr) : 0;

	o->b.len = 0;
	return result;
}

static int put(struct out *o, const void *p, size_t n)
{
	if (o->b.len + n > FLUSH_AT && flush(o))
		return -1;
	o->column += n;
	return buf_add(&o->b, p, n);
}

static int new_line(struct out *o)
{
	int result = put(o, "\r\n", 2);

	o->column = 0;
	return result;
}

/* n octets that belong together, with `room` columns wanted behind the place; a soft line break in front when they do
 * not fit. */
static int qp_put(struct out *o, const void *p, size_t n, size_t room)
{
	if (o->column + room <= WIDTH - 1)
		return put(o, p, n);
	if (put(o, "=", 1) || new_line(o))
		return -1;
	/* A line that begins here began nowhere before: it must not come out as a delimiter. */
	return *(const uint8_t *)p == '-' ? put(o, "=2D", 3) : put(o, p, n);
}

static int qp_hex(struct out *o, uint8_t c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char hex[3] = {'=', digits[c >> 4], digits[c & 15]};

	return qp_put(o, hex, 3, 3);
}

static int qp_blanks(struct out *o)
{
	size_t n = o->blanks_len;

	o->blanks_len = 0;
	for (size_t i = 0; i < n; i++)
		if (qp_put(o, &o->blanks[i], 1, 1))
			return -1;
	return 0;
}

static int qp_octet(struct out *o, uint8_t c, bool repair)
{
	bool blank = c == ' ' || c == '\t';

	if ((!blank || o->blanks_len == sizeof(o->blanks)) && qp_blanks(o))
		return -1;
	if (blank) {
		o->blanks[o->blanks_len++] = c;
		return 0;
	}
	if (repair && c == '=')
		return qp_put(o, &c, 1, 3); /* its two digits must fit behind it */
	return c > 32 && c < 127 && c != '=' ? qp_put(o, &c, 1, 1) : qp_hex(o, c);
}

/* A blank at the end of a line would be lost on the way (6.7 rule 3); in text that is quoted-printable already it
 * means nothing. */
static int qp_end_line(struct out *o, bool repair)
{
	uint8_t last;

	if (o->blanks_len == 0)
		return 0;
	last = o->blanks[--o->blanks_len];
	if (!repair)
		return qp_blanks(o) ? -1 : qp_hex(o, last);
	o->blanks_len = 0;
	return 0;
}

static int qp_piece(struct out *o, const struct lines_piece *line, bool repair)
{
	/* "From " at a line's start is rewritten by some mail stores. */
	bool from = !repair && line->first && line->n >= 5 && memcmp(line->p, "From ", 5) == 0;

	for (size_t i = 0; i < line->n; i++)
		if (i == 0 && from ? qp_hex(o, line->p[0]) : qp_octet(o, line->p[i], repair))
			return -1;
	if (line->last && qp_end_line(o, repair))
		return -1;
	return line->crlf ? new_line(o) : 0;
}

static int base64_group(struct out *o)
{
	char text[4 * ((GROUP + 2) / 3) + 1];
	size_t n = encode_b64(o->group, o->group_len, text);

	if (n && (put(o, text, n) || new_line(o)))
		return -1;
	o->group_len = 0;
	return 0;
}

static int base64_add(struct out *o, const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t take = GROUP - o->group_len < n ? GROUP - o->group_len : n;

		memcpy(o->group + o->group_len, p, take);
		o->group_len += take;
		p += take;
		n -= take;
		if (o->group_len == GROUP && base64_group(o))
			return -1;
	}
	return 0;
}

static int base64_piece(struct out *o, const struct lines_piece *line)
{
	return base64_add(o, line->p, line->n) || (line->crlf && base64_add(o, (const uint8_t *)"\r\n", 2)) ? -1 : 0;
}

static bool base64_octet(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
	       c == '=';
}

static int rewrap_piece(struct out *o, const struct lines_piece *line)
{
	for (size_t i = 0, n; i < line->n; i += n ? n : 1) {
		if (o->column == WIDTH && new_line(o))
			return -1;
		for (n = 0; i + n < line->n && n < WIDTH - o->column && base64_octet(line->p[i + n]);)
			n++;
		if (n && put(o, line->p + i, n))
			return -1;
	}
	return 0;
}

static bool any_odd(const struct lines_piece *line)
{
	for (size_t i = 0; i < line->n; i++)
		if (is_odd(line->p[i]))
			return true;
	return false;
}

/* No line may come out as a delimiter that was none: a broken one goes on with a blank, a changed one does not begin
 * with a hyphen. */
static int plain_piece(struct out *o, const struct lines_piece *line)
{
	bool masked = line->first && any_odd(line);

	for (size_t i = 0; i < line->n; i++) {
		uint8_t c = line->p[i];

		if (is_odd(c) || (masked && i == 0))
			c = '?';
		if (o->column >= LINE_MOST && (new_line(o) || put(o, " ", 1)))
			return -1;
		if (put(o, &c, 1))
			return -1;
	}
	return line->crlf ? new_line(o) : 0;
}

static int piece(struct out *o, const struct lines_piece *line, enum sevenbit_form form)
{
	switch (form) {
	case SEVENBIT_QP:
	case SEVENBIT_QP_REPAIR:
		return qp_piece(o, line, form == SEVENBIT_QP_REPAIR);
	case SEVENBIT_BASE64:
		return base64_piece(o, line);
	case SEVENBIT_BASE64_REWRAP:
		return rewrap_piece(o, line);
	case SEVENBIT_PLAIN:
		break;
	}
	return plain_piece(o, line);
}

int sevenbit_body_write(
    struct reader *r, uint64_t off, uint64_t len, enum sevenbit_form form, struct writer *w, struct problem *pr)
{
	struct out o = {.w = w, .pr = pr};
	struct lines *l = lines_new(r, off, len);
	struct lines_piece line;
	int got, result = 0;

	buf_init(&o.b, FLUSH_AT + WIDTH + 2);
	while (result == 0 && (got = lines_next(l, &line, pr)) != 0)
		result = got < 0 ? -1 : piece(&o, &line, form);
	if (result == 0 && o.group_len)
		result = base64_group(&o);
	if (result == 0 && form == SEVENBIT_BASE64_REWRAP && o.column)
		result = new_line(&o);
	if (result == 0)
		result = flush(&o);
	buf_clear(&o.b);
	lines_free(l);
	return result;
}

static int look(struct reader *r, uint64_t off, uint64_t len, struct lines_facts *seen_r, struct problem *pr)
{
	struct lines *l = lines_new(r, off, len);
	struct lines_piece line;
	int got;

	while ((got = lines_next(l, &line, pr)) > 0)
		;
	*seen_r = lines_facts(l);
	lines_free(l);
	return got;
}

int sevenbit_body_bare(struct reader *r, uint64_t off, uint64_t len, bool text, bool *bare_r, struct problem *pr)
{
	struct lines_facts seen;
	int got = look(r, off, len, &seen, pr);

	*bare_r = (seen.bare && !text) || seen.false_end;
	return got;
}

int sevenbit_body_needed(struct reader *r, uint64_t off, uint64_t len, bool *needed_r, struct problem *pr)
{
	struct lines_facts seen;
	int got = look(r, off, len, &seen, pr);

	*needed_r = seen.eight_bit || seen.nul || seen.bare || seen.longest > LINE_MOST;
	return got;
}

int sevenbit_body_odd(struct reader *r, uint64_t off, uint64_t len, uint64_t *odd_r, struct problem *pr)
{
	struct lines *l = lines_new(r, off, len);
	struct lines_piece line;
	uint64_t odd = 0;
	int got;

	while ((got = lines_next(l, &line, pr)) > 0)
		for (size_t i = 0; i < line.n; i++)
			odd += is_odd(line.p[i]);
	*odd_r = odd;
	lines_free(l);
	return got;
}
