/* A sorted list of numbers and a binary search. No hash: whoever writes the fields could make its names collide. */
#include "gateway/mail/field_index.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/mail/lex.h"

static int order_names(const struct header_field *f, const struct header_field *g)
{
	size_t n = f->name_len < g->name_len ? f->name_len : g->name_len;

	for (size_t i = 0; i < n; i++) {
		int d = lex_lower(f->raw[i]) - lex_lower(g->raw[i]);

		if (d != 0)
			return d;
	}
	return f->name_len < g->name_len ? -1 : f->name_len > g->name_len;
}

static int order_octets(const struct header_field *f, const struct header_field *g)
{
	if (f->raw_len != g->raw_len)
		return f->raw_len < g->raw_len ? -1 : 1;
	return memcmp(f->raw, g->raw, f->raw_len);
}

static int order(const struct field_index *x, const struct header_field *f, const struct header_field *g)
{
	return x->by == FIELD_INDEX_NAME ? order_names(f, g) : order_octets(f, g);
}

static int order_at(const void *a, const void *b, void *ctx)
{
	const struct field_index *x = ctx;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	int d = order(x, &x->h->f[i], &x->h->f[k]);

	return d != 0 ? d : i < k ? -1 : i > k;
}

int field_index_make(struct arena *a, const struct header *h, enum field_index_by by, struct field_index *x_r)
{
	*x_r = (struct field_index){.h = h, .by = by};
	x_r->at = arena_alloc(a, (h->n + 1) * sizeof(*x_r->at));
	if (x_r->at == NULL)
		return -1;
	for (size_t i = 0; i < h->n; i++)
		x_r->at[i] = (uint32_t)i;
	if (h->n > 1)
		qsort_r(x_r->at, h->n, sizeof(*x_r->at), order_at, x_r);
	return 0;
}

size_t field_index_next(const struct field_index *x, const struct header_field *f, size_t from)
{
	size_t low = 0, high = x->h->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int d = order(x, &x->h->f[x->at[mid]], f);

		if (d < 0 || (d == 0 && x->at[mid] < from))
			low = mid + 1;
		else
			high = mid;
	}
	return low < x->h->n && order(x, &x->h->f[x->at[low]], f) == 0 ? x->at[low] : x->h->n;
}

bool field_index_has(const struct field_index *x, const struct header_field *f)
{
	return field_index_next(x, f, 0) < x->h->n;
}
