/*
 * The octets of DATA: RFC 5321 4.5.2 (transparency), 4.1.1.4 and 2.3.8 (only CRLF ends a line, only CRLF "." CRLF the
 * mail). Pure; relay (smtpd in, smtpc out). Streaming: the state carries everything, so how the octets are cut into
 * calls changes nothing.
 *
 * Smuggling: two servers that disagree on where a message ends let its author write the next one. On the way in the
 * first octet that could be read two ways (a CR without LF, an LF without CR) marks the message for refusal, and only
 * the exact five octets end it. On the way out no such octet leaves: a bare CR or LF is written as CRLF, and a dot
 * behind it doubled.
 */
#include "gateway/mail/dot.h"

#include <string.h>

#include "gateway/base/log.h"

enum {
	LINE_START, /* behind CRLF, or at the very beginning */
	IN_LINE,
	CR,	   /* behind a CR in a line */
	START_DOT, /* behind a dot that began a line; the dot itself is never content */
	START_DOT_CR
};

void dot_in_init(struct dot_in *d)
{
	d->state = LINE_START;
	d->bare = 0;
}

/* Past the maximum of out is a bug: the caller makes the room. */
static void put(struct buf *out, const uint8_t *p, size_t n)
{
	if (n)
		REQUIRE(buf_add(out, p, n) == 0);
}

static void keep(const struct dot_in *d, struct buf *out, const uint8_t *from, const uint8_t *to)
{
	if (!d->bare)
		put(out, from, (size_t)(to - from));
}

/* The next CR or LF in [p, end), or end. Lines are short and most LFs stand behind their CR: two memchr over one line
 * each. */
static const uint8_t *line_break(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
	const uint8_t *stop = lf ? lf : end;
	const uint8_t *cr = memchr(p, '\r', (size_t)(stop - p));

	return cr ? cr : stop;
}

/* The state behind octet c, away from LINE_START's and IN_LINE's fast paths. */
static int in_octet(struct dot_in *d, uint8_t c)
{
	int behind_cr = d->state == CR || d->state == START_DOT_CR;

	if (c == '\n' && behind_cr)
		return LINE_START;
	if (behind_cr || c == '\n')
		d->bare = 1;
	if (c == '\r')
		return d->state == START_DOT ? START_DOT_CR : CR;
	return IN_LINE;
}

int dot_in_feed(struct dot_in *d, const uint8_t *p, size_t n, size_t *used_r, struct buf *out)
{
	const uint8_t *at = p, *end = n ? p + n : p, *from = p; /* [from, at) is content not appended yet */

	while (at < end) {
		int was = d->state;

		if (was == LINE_START && *at == '.') {
			keep(d, out, from, at);
			from = ++at;
			d->state = START_DOT;
			continue;
		}
		if (was == LINE_START || was == IN_LINE) {
			at = line_break(at, end);
			d->state = IN_LINE;
			if (at == end)
				break;
		}
		d->state = in_octet(d, *at++);
		if (was == START_DOT_CR && d->state == LINE_START) {
			*used_r = (size_t)(at - p);
			return 1;
		}
		if (d->state == START_DOT_CR) {
			/* Held back: it is either the end's CR or a bare one, content never. */
			keep(d, out, from, at - 1);
			from = at;
		}
	}
	keep(d, out, from, end);
	*used_r = n;
	return 0;
}

enum { NUL_START, NUL_ZEROS, NUL_DOT, NUL_OTHER };

void dot_nul_init(struct dot_nul *d)
{
	d->state = NUL_START;
}

static int nul_octet(int state, uint8_t c)
{
	switch (c) {
	case '\n':
		return NUL_START;
	case '\r':
		return state;
	case 0:
		return state == NUL_START ? NUL_ZEROS : state;
	case '.':
		return state == NUL_ZEROS ? NUL_DOT : NUL_OTHER;
	default:
		return NUL_OTHER;
	}
}

int dot_nul_feed(struct dot_nul *d, const uint8_t *p, size_t n)
{
	if (n == 0)
		return 0;
	if (d->state != NUL_ZEROS && d->state != NUL_DOT && !memchr(p, 0, n)) {
		d->state = p[n - 1] == '\n' ? NUL_START : NUL_OTHER;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (d->state == NUL_DOT && p[i] == '\n')
			return 1;
		d->state = nul_octet(d->state, p[i]);
	}
	return 0;
}

bool dot_nul_open(const struct dot_nul *d)
{
	return d->state == NUL_DOT;
}

void dot_out_init(struct dot_out *d)
{
	d->state = LINE_START;
	d->bare = 0;
}

static void put_crlf(struct buf *out)
{
	put(out, (const uint8_t *)"\r\n", 2);
}

/* What the octet behind a CR decides: CRLF is written here, not when the CR was seen. */
static void settle_cr(struct dot_out *d, const uint8_t **at, const uint8_t *end, struct buf *out)
{
	if (*at == end)
		return;
	if (**at == '\n')
		++*at;
	else
		d->bare = 1;
	put_crlf(out);
	d->state = LINE_START;
}

/* From inside a line to behind its end. */
static void rest_of_line(struct dot_out *d, const uint8_t **at, const uint8_t *end, struct buf *out)
{
	const uint8_t *stop = line_break(*at, end);

	if (end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n') {
		put(out, *at, (size_t)(stop + 2 - *at));
		*at = stop + 2;
		d->state = LINE_START;
		return;
	}
	put(out, *at, (size_t)(stop - *at));
	d->state = IN_LINE;
	*at = stop;
	if (stop == end)
		return;
	++*at;
	d->state = CR;
	if (*stop == '\n') {
		d->bare = 1;
		put_crlf(out);
		d->state = LINE_START;
	}
}

void dot_out_feed(struct dot_out *d, const uint8_t *p, size_t n, struct buf *out)
{
	const uint8_t *at = p, *end = n ? p + n : p;

	while (at < end) {
		if (d->state == CR) {
			settle_cr(d, &at, end, out);
			continue;
		}
		if (d->state == LINE_START && *at == '.')
			put(out, (const uint8_t *)".", 1);
		rest_of_line(d, &at, end, out);
	}
}

void dot_out_end(struct dot_out *d, struct buf *out)
{
	if (d->state == CR)
		d->bare = 1;
	if (d->state != LINE_START)
		put_crlf(out);
	put(out, (const uint8_t *)".\r\n", 3);
	d->state = LINE_START;
}
