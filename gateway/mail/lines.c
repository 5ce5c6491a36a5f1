/*
 * Lines out of a reader: 64 KiB at a time, two memchr a line, each octet looked at once more for its high bit and
 * NUL. Pure; sealer. A line longer than a window comes in pieces, so memory does not depend on the content.
 */
#include "gateway/mail/lines.h"

#include "gateway/mail/dot.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

#define WINDOW 65536

struct lines {
	struct reader *r;
	uint64_t off; /* of buf[at] */
	uint64_t end;
	size_t at, len; /* unread octets: buf[at..len) */
	bool in_line;
	size_t so_far; /* of the line under way */
	struct lines_facts facts;
	struct dot_nul nul;
	size_t window; /* room in buf: WINDOW, or all of a shorter run */
	uint8_t buf[];
};

struct lines *lines_new(struct reader *r, uint64_t off, uint64_t len)
{
	size_t window = len < WINDOW ? (size_t)len : WINDOW;
	struct lines *l = mem_new(sizeof(*l) + window);

	dot_nul_init(&l->nul);
	l->window = window;
	l->r = r;
	l->off = off;
	l->end = len > UINT64_MAX - off ? UINT64_MAX : off + len;
	return l;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	mem_wipe(l->buf, l->window);
	free(l);
}

static bool any_eight_bit(const uint8_t *p, size_t n)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		memcpy(&word, p + i, 8);
		all |= word;
	}
	for (; i < n; i++)
		all |= p[i];
	return (all & 0x8080808080808080u) != 0;
}

/* Moves what is left to the front and reads behind it until the window is full or the octets are at their end. */
static int fill(struct lines *l, struct problem *pr)
{
	memmove(l->buf, l->buf + l->at, l->len - l->at);
	l->len -= l->at;
	l->at = 0;
	while (l->len < l->window && l->off + l->len < l->end) {
		uint64_t left = l->end - l->off - l->len;
		size_t got, want = left < l->window - l->len ? (size_t)left : l->window - l->len;
		uint8_t *to = l->buf + l->len;

		if (stream_read_at(l->r, l->off + l->len, to, want, &got, pr))
			return -1;
		if (got == 0)
			return problem_temp(pr, "The content of the message ends early.");
		l->facts.eight_bit = l->facts.eight_bit || any_eight_bit(to, got);
		l->facts.nul = l->facts.nul || memchr(to, 0, got) != NULL;
		l->facts.false_end |= dot_nul_feed(&l->nul, to, got) != 0;
		l->len += got;
	}
	return 0;
}

/* The CR of the next CRLF in the n octets at p, or NULL. Notes lone ones before it. */
static const uint8_t *line_end(struct lines *l, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n, *from = p;

	for (;;) {
		const uint8_t *lf = memchr(from, '\n', (size_t)(end - from));
		const uint8_t *stop = lf ? lf : end;
		const uint8_t *cr = memchr(from, '\r', (size_t)(stop - from));

		if (lf && cr == lf - 1)
			return cr;
		/* A CR in the last place may yet get its LF: that is seen when the window has moved on. */
		if (lf || (cr && cr + 1 < end))
			l->facts.bare = true;
		if (!lf)
			return NULL;
		if (lf > p && lf[-1] == '\r')
			return lf - 1;
		from = lf + 1;
	}
}

static void give(struct lines *l, const uint8_t *p, size_t n, size_t crlf, struct lines_piece *piece_r)
{
	piece_r->p = p;
	piece_r->n = n;
	piece_r->off = l->off;
	piece_r->next = l->off + n + crlf;
	piece_r->first = !l->in_line;
	piece_r->crlf = crlf > 0;
	l->at += n + crlf;
	l->off = piece_r->next;
	l->so_far += n;
	piece_r->last = piece_r->crlf || l->off == l->end;
	if (l->so_far > l->facts.longest)
		l->facts.longest = l->so_far;
	l->in_line = !piece_r->last;
	if (piece_r->last)
		l->so_far = 0;
}

int lines_next(struct lines *l, struct lines_piece *piece_r, struct problem *pr)
{
	const uint8_t *p, *cr;
	size_t left = l->len - l->at;
	bool more = l->off + left < l->end;

	if (left < LINES_WHOLE && more) {
		if (fill(l, pr))
			return -1;
		left = l->len - l->at;
		more = l->off + left < l->end;
	}
	if (left == 0)
		return 0;
	p = l->buf + l->at;
	cr = line_end(l, p, left);
	if (cr) {
		give(l, p, (size_t)(cr - p), 2, piece_r);
		return 1;
	}
	if (!more && p[left - 1] == '\r')
		l->facts.bare = true;
	/* No end in sight. A CR in the last place stays behind: it may be half of a CRLF. */
	if (more && p[left - 1] == '\r')
		left--;
	give(l, p, left, 0, piece_r);
	return 1;
}

struct lines_facts lines_facts(const struct lines *l)
{
	struct lines_facts f = l->facts;

	f.false_end |= dot_nul_open(&l->nul);
	return f;
}
