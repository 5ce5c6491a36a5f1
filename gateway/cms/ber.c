/*
 * The bounded pull parser for BER. Sealer and tests. X.690 8.1.2 (identifier), 8.1.3 (length), 8.1.5 (end of
 * contents). Accepts BER where DER would want less (long lengths, indefinite ones): which octets must be DER is the
 * caller's knowledge.
 */
#include "gateway/cms/ber.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

int ber_problem(uint64_t off, struct problem *pr, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return problem_set(
	    pr, PROBLEM_PERM, 554, "5.6.0", "X.690 8.1", "octet %llu: %s", (unsigned long long)off, text);
}

static void start(struct ber *b, uint64_t off, uint64_t end, size_t nesting)
{
	memset(b, 0, sizeof(*b));
	b->pos = b->win_off = off;
	b->nesting = nesting < BER_NESTING_MAX ? nesting : BER_NESTING_MAX;
	b->frame[0].end = end;
}

void ber_open(struct ber *b, struct reader *in, uint64_t off, uint64_t end, size_t nesting)
{
	REQUIRE(off <= end && end <= in->size);
	start(b, off, end, nesting);
	b->in = in;
	b->own_len = end - off < BER_WINDOW ? (size_t)(end - off) : BER_WINDOW;
}

void ber_open_mem(struct ber *b, const void *p, size_t n, uint64_t off, size_t nesting)
{
	start(b, off, off + n, nesting);
	b->win = p;
	b->win_len = n;
}

void ber_close(struct ber *b)
{
	mem_free_secret(b->own, b->own_len);
	b->own = NULL;
	b->win = NULL;
	b->win_len = 0;
}

static struct ber_frame *top(struct ber *b)
{
	return &b->frame[b->depth];
}

static size_t in_window(const struct ber *b)
{
	if (b->pos < b->win_off || b->pos - b->win_off >= b->win_len)
		return 0;
	return b->win_len - (size_t)(b->pos - b->win_off);
}

static const uint8_t *at_pos(const struct ber *b)
{
	return b->win + (b->pos - b->win_off);
}

/* Has at least `want` octets at pos in the window (want <= BER_HEAD_MAX), or as many as there are before `end`. */
static int fill(struct ber *b, size_t want, uint64_t end, struct problem *pr)
{
	size_t have = 0;

	if (want > end - b->pos)
		want = (size_t)(end - b->pos);
	if (in_window(b) >= want || b->in == NULL)
		return 0;
	if (b->own == NULL)
		b->own = mem_new(b->own_len);
	b->win = b->own;
	b->win_off = b->pos;
	b->win_len = 0;
	while (have < want) {
		uint64_t rest = b->frame[0].end - b->pos - have;
		size_t got, room = b->own_len - have;

		if (stream_read_at(
			b->in, b->pos + have, b->own + have, room < rest ? room : (size_t)rest, &got, pr) == -1)
			return -1;
		REQUIRE(got > 0); /* an early end is a problem of the reader (stream.h) */
		have += got;
	}
	b->win_len = have;
	return 0;
}

/* Identifier octets. Returns how many, 0 with pr set. */
static size_t parse_identifier(const uint8_t *p, size_t n, struct ber_item *it, struct problem *pr)
{
	size_t i = 1;

	it->cls = p[0] >> 6;
	it->constructed = (p[0] & 0x20) != 0;
	it->tag = p[0] & 0x1f;
	if (it->tag != 0x1f)
		return 1;
	it->tag = 0;
	do {
		/* 8.1.2.4.2 c: no leading zeroes; four octets of tag are more than any structure here has */
		if (i >= n || i > 4 || (i == 1 && p[i] == 0x80)) {
			ber_problem(it->off, pr, "an identifier of a form that is not allowed.");
			return 0;
		}
		it->tag = it->tag << 7 | (p[i] & 0x7f);
	} while (p[i++] & 0x80);
	return i;
}

/* Length octets at p[i]. Returns octets of the header in all, 0 with pr set. */
static size_t parse_length(const uint8_t *p, size_t n, size_t i, struct ber_item *it, struct problem *pr)
{
	size_t k;

	if (i >= n) {
		ber_problem(it->off, pr, "the structure ends inside the header of an element.");
		return 0;
	}
	if (p[i] < 0x80) {
		it->len = p[i];
		return i + 1;
	}
	k = p[i++] & 0x7f;
	if (k == 0) {
		it->indefinite = true;
		return i;
	}
	if (k > 8) {
		ber_problem(it->off, pr, "a length of %zu octets; at most 8 are allowed.", k);
		return 0;
	}
	if (n - i < k) {
		ber_problem(it->off, pr, "the structure ends inside the header of an element.");
		return 0;
	}
	for (; k > 0; k--)
		it->len = it->len << 8 | p[i++];
	return i;
}

static int check_item(struct ber *b, struct ber_item *it, struct problem *pr)
{
	uint64_t room = top(b)->end - it->off - it->nhead;

	if (it->cls == BER_UNIVERSAL && it->tag == 0)
		return ber_problem(it->off, pr, "an end of contents where none belongs.");
	if (it->indefinite && !it->constructed)
		return ber_problem(it->off, pr, "a primitive element of indefinite length (X.690 8.1.3.2).");
	if (!it->indefinite && it->len > room)
		return ber_problem(it->off, pr, "an element of %llu octets where %llu are left: cut off or damaged.",
		    (unsigned long long)it->len, (unsigned long long)room);
	return 0;
}

/* The two zero octets that end an indefinite element (8.1.5). */
static bool at_eoc(struct ber *b, size_t n)
{
	return top(b)->indefinite && n >= 2 && at_pos(b)[0] == 0 && at_pos(b)[1] == 0;
}

int ber_next(struct ber *b, struct ber_item *it_r, struct problem *pr)
{
	struct ber_frame *f = top(b);
	size_t n;

	REQUIRE(b->left == 0);
	if (f->closed || (!f->indefinite && b->pos == f->end))
		return 0;
	if (b->pos == f->end)
		return ber_problem(b->pos, pr, "the end of an element of indefinite length is missing: cut off.");
	if (fill(b, BER_HEAD_MAX, f->end, pr) == -1)
		return -1;
	n = in_window(b);
	if (n > f->end - b->pos)
		n = (size_t)(f->end - b->pos);
	if (at_eoc(b, n)) {
		b->pos += 2;
		f->closed = true;
		return 0;
	}
	memset(it_r, 0, sizeof(*it_r));
	it_r->off = b->pos;
	it_r->nhead = parse_identifier(at_pos(b), n, it_r, pr);
	if (it_r->nhead > 0)
		it_r->nhead = parse_length(at_pos(b), n, it_r->nhead, it_r, pr);
	if (it_r->nhead == 0 || check_item(b, it_r, pr) == -1)
		return -1;
	memcpy(it_r->head, at_pos(b), it_r->nhead);
	b->pos += it_r->nhead;
	b->left = it_r->constructed ? 0 : it_r->len;
	return 1;
}

bool ber_is(const struct ber_item *it, enum ber_class cls, uint32_t tag)
{
	return it->cls == cls && it->tag == tag;
}

int ber_enter(struct ber *b, const struct ber_item *it, struct problem *pr)
{
	uint64_t bound = top(b)->end;

	REQUIRE(it->constructed && b->pos == it->off + it->nhead);
	if (b->depth >= b->nesting)
		return ber_problem(it->off, pr, "elements nested more than %zu deep.", b->nesting);
	b->depth++;
	*top(b) = (struct ber_frame){.end = it->indefinite ? bound : b->pos + it->len, .indefinite = it->indefinite};
	return 0;
}

int ber_leave(struct ber *b, struct problem *pr)
{
	struct ber_item it = {0};
	int r;

	REQUIRE(b->depth > 0);
	r = ber_next(b, &it, pr);
	if (r == -1)
		return -1;
	if (r == 1)
		return ber_problem(it.off, pr, "an element (tag 0x%02x) that does not belong there.", it.head[0]);
	b->depth--;
	return 0;
}

int ber_run(struct ber *b, const uint8_t **p_r, size_t *n_r, struct problem *pr)
{
	size_t n;

	if (b->left == 0)
		return 0;
	if (fill(b, 1, b->frame[0].end, pr) == -1)
		return -1;
	n = in_window(b);
	if (n > b->left)
		n = (size_t)b->left;
	*p_r = at_pos(b);
	*n_r = n;
	b->pos += n;
	b->left -= n;
	return 1;
}

void ber_pass(struct ber *b)
{
	b->pos += b->left;
	b->left = 0;
}

static int put(struct buf *to, const void *p, size_t n, uint64_t off, struct problem *pr)
{
	if (to == NULL || buf_add(to, p, n) == 0)
		return 0;
	return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 5652",
	    "octet %llu: the structure around the content is larger than the limit of %zu octets.",
	    (unsigned long long)off, to->max);
}

static int copy_primitive(struct ber *b, struct buf *to, struct problem *pr)
{
	const uint8_t *p;
	size_t n;
	int r;

	if (to == NULL) {
		ber_pass(b);
		return 0;
	}
	while ((r = ber_run(b, &p, &n, pr)) == 1)
		if (put(to, p, n, b->pos, pr) == -1)
			return -1;
	return r;
}

int ber_copy(struct ber *b, const struct ber_item *it, struct buf *to, struct problem *pr)
{
	struct ber_item child = *it;
	size_t depth = b->depth;
	int r = 1;

	for (;;) {
		if (r == 1) {
			if (put(to, child.head, child.nhead, child.off, pr) == -1)
				return -1;
			if ((child.constructed ? ber_enter(b, &child, pr) : copy_primitive(b, to, pr)) == -1)
				return -1;
		} else {
			if (top(b)->indefinite && put(to, "\0", 2, b->pos, pr) == -1)
				return -1;
			if (ber_leave(b, pr) == -1)
				return -1;
		}
		if (b->depth == depth)
			return 0;
		r = ber_next(b, &child, pr);
		if (r == -1)
			return -1;
	}
}

int ber_skip(struct ber *b, const struct ber_item *it, struct problem *pr)
{
	return ber_copy(b, it, NULL, pr);
}

int ber_end(struct ber *b, struct problem *pr)
{
	REQUIRE(b->depth == 0);
	if (b->pos != b->frame[0].end)
		return ber_problem(b->pos, pr, "%llu octets follow behind the end of the structure.",
		    (unsigned long long)(b->frame[0].end - b->pos));
	return 0;
}
