/* DER, read and written. X.690 8.1, 10.1, 11. Judge, tests; pure. */
#include "gateway/xsmg/statement_der.h"

#include <stdlib.h>
#include <string.h>

enum { TAG_MORE = 0x1f, CONSTRUCTED = 0x20, CLASS = 0xc0, LONG = 0x80 };

void statement_der_open(struct statement_der *d, const void *p, size_t n)
{
	d->p = p;
	d->end = d->p + n;
}

void statement_der_enter(struct statement_der *d, const struct statement_der_item *it)
{
	statement_der_open(d, it->p, it->n);
}

bool statement_der_end(const struct statement_der *d)
{
	return d->p == d->end;
}

int statement_der_peek(const struct statement_der *d)
{
	return statement_der_end(d) ? -1 : *d->p;
}

/* The length at *pp, moved behind it. NULL, or what is wrong. */
static const char *read_length(const uint8_t **pp, const uint8_t *end, size_t *n_r)
{
	const uint8_t *p = *pp;
	size_t n, octets;

	if (p == end)
		return "it is cut off";
	n = *p++;
	if (n == LONG)
		return "a length is indefinite";
	if (n > LONG) {
		octets = n - LONG;
		/* X.690 10.1: the least octets; four hold more than a statement has */
		if (octets > 4 || (size_t)(end - p) < octets)
			return "a length is longer than what there is";
		if (p[0] == 0 || (octets == 1 && p[0] < LONG))
			return "a length is not in its shortest form";
		for (n = 0; octets > 0; octets--)
			n = n << 8 | *p++;
	}
	if ((size_t)(end - p) < n)
		return "a length is longer than what there is";
	*pp = p;
	*n_r = n;
	return NULL;
}

static const char *read_item(struct statement_der *d, struct statement_der_item *it)
{
	const uint8_t *p = d->p;
	const char *why;

	it->tag = *p++;
	if ((it->tag & TAG_MORE) == TAG_MORE)
		return "an identifier has more than one octet";
	why = read_length(&p, d->end, &it->n);
	if (why)
		return why;
	it->p = p;
	it->whole = d->p;
	it->nwhole = (size_t)(p - d->p) + it->n;
	d->p = p + it->n;
	return NULL;
}

int statement_der_next(struct statement_der *d, struct statement_der_item *it_r)
{
	if (statement_der_end(d))
		return 0;
	return read_item(d, it_r) ? -1 : 1;
}

int statement_der_take(struct statement_der *d, uint8_t tag, struct statement_der_item *it_r)
{
	return statement_der_next(d, it_r) == 1 && it_r->tag == tag ? 0 : -1;
}

bool statement_der_is(const struct statement_der_item *it, const void *whole, size_t n)
{
	return it->nwhole == n && memcmp(it->whole, whole, n) == 0;
}

int statement_der_exact(struct statement_der *d, const void *whole, size_t n)
{
	struct statement_der_item it;

	return statement_der_next(d, &it) == 1 && statement_der_is(&it, whole, n) ? 0 : -1;
}

/* X.690 11.6: as octet strings; that the shorter is padded plays no part, as no element is the beginning of another.
 */
static int order(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	int c = memcmp(a, b, na < nb ? na : nb);

	return c ? c : (na > nb) - (na < nb);
}

int statement_der_next_of_set(
    struct statement_der *d, struct statement_der_item *prev, struct statement_der_item *it_r)
{
	int r = statement_der_next(d, it_r);

	if (r != 1)
		return r;
	if (prev->whole && order(prev->whole, prev->nwhole, it_r->whole, it_r->nwhole) >= 0)
		return -1;
	*prev = *it_r;
	return 1;
}

/* ---- the whole of it ---- */

static const char *wrong_form(const struct statement_der_item *it)
{
	uint8_t number = it->tag & TAG_MORE;
	bool made = (it->tag & CONSTRUCTED) != 0;

	if (it->tag & CLASS)
		return NULL;
	if (number == 0)
		return "an end of contents stands where no length is indefinite";
	if (made != (number == (STATEMENT_DER_SEQ & TAG_MORE) || number == (STATEMENT_DER_SET & TAG_MORE)))
		return made ? "a string is in pieces" : "a sequence or set is not constructed";
	if (it->tag == STATEMENT_DER_BOOLEAN && (it->n != 1 || (it->p[0] != 0 && it->p[0] != 0xff)))
		return "a boolean is neither 00 nor FF";
	if (it->tag == STATEMENT_DER_INTEGER &&
	    (it->n == 0 ||
		(it->n > 1 && ((it->p[0] == 0 && it->p[1] < 0x80) || (it->p[0] == 0xff && it->p[1] >= 0x80)))))
		return "an integer is not in its shortest form";
	return NULL;
}

const char *statement_der_wrong(const void *p, size_t n, size_t *off_r)
{
	const uint8_t *start = p, *ends[STATEMENT_DER_NESTING];
	struct statement_der d;
	struct statement_der_item it;
	const char *why = n == 0 ? "there is nothing" : NULL;
	size_t depth = 0;

	statement_der_open(&d, p, n);
	while (!why) {
		*off_r = (size_t)(d.p - start);
		while (depth > 0 && d.p == d.end)
			d.end = ends[--depth];
		if (d.p == d.end)
			return NULL;
		if (depth == 0 && d.p != start)
			return "octets follow behind its end";
		why = read_item(&d, &it);
		if (!why)
			why = wrong_form(&it);
		if (why || !(it.tag & CONSTRUCTED))
			continue;
		if (depth == STATEMENT_DER_NESTING)
			return "it is nested too deep";
		ends[depth++] = d.end;
		statement_der_enter(&d, &it);
	}
	return why;
}

/* ---- writing ---- */

int statement_der_put(struct buf *b, uint8_t tag, const void *p, size_t n)
{
	uint8_t head[6] = {tag};
	size_t k = 1, octets = 0;

	if (n < LONG) {
		head[k++] = (uint8_t)n;
	} else {
		while (octets < 4 && n >> (8 * octets))
			octets++;
		head[k++] = (uint8_t)(LONG + octets);
		while (octets > 0)
			head[k++] = (uint8_t)(n >> (8 * --octets));
	}
	if (b->max - b->len < k + n || buf_add(b, head, k) < 0)
		return -1;
	return buf_add(b, p, n);
}

static int by_order(const void *x, const void *y)
{
	const struct statement_octets *a = x, *b = y;

	return order(a->p, a->n, b->p, b->n);
}

int statement_der_put_set(struct buf *b, uint8_t tag, struct statement_octets *elements, size_t n)
{
	struct buf all;
	int r = 0;

	buf_init(&all, b->max);
	if (n > 0)
		qsort(elements, n, sizeof *elements, by_order);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (i == 0 || by_order(&elements[i - 1], &elements[i]) != 0)
			r = buf_add(&all, elements[i].p, elements[i].n);
	if (r == 0)
		r = statement_der_put(b, tag, all.p, all.len);
	buf_clear_public(&all);
	return r;
}
