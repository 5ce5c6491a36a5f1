/* Walking the segments of a content string (X.690 8.7). Sealer and tests. */
#include "gateway/cms/cms_content.h"

#include <string.h>

/* Counts; what may stand inside a constructed octet string are octet strings. */
static int check_segment(const struct ber_item *it, uint64_t *segments, struct problem *pr)
{
	if (!ber_is(it, BER_UNIVERSAL, BER_OCTETS))
		return ber_problem(it->off, pr,
		    "an element (tag 0x%02x) inside the content that is not an octet string.", it->head[0]);
	if (*segments == 0)
		return ber_problem(it->off, pr, "the content is cut into more segments than are allowed.");
	(*segments)--;
	return 0;
}

/* Goes on to the next primitive segment below depth `floor`. 1, 0 at the end, -1. */
static int next_segment(struct ber *b, size_t lowest, uint64_t *segments, struct problem *pr)
{
	while (b->depth > lowest) {
		struct ber_item it;
		int r = ber_next(b, &it, pr);

		if (r == 1)
			r = check_segment(&it, segments, pr) == -1 ? -1 : 1;
		if (r == -1)
			return -1;
		if (r == 1 && !it.constructed)
			return 1;
		if ((r == 1 ? ber_enter(b, &it, pr) : ber_leave(b, pr)) == -1)
			return -1;
	}
	return 0;
}

int cms_content_scan(struct ber *b, const struct ber_item *it, uint64_t segments, struct cms_content_place *place_r,
    struct problem *pr)
{
	size_t depth = b->depth;
	int r = 1;

	memset(place_r, 0, sizeof(*place_r));
	place_r->off = it->off;
	if (it->constructed) {
		if (ber_enter(b, it, pr) == -1)
			return -1;
		r = next_segment(b, depth, &segments, pr);
	}
	while (r == 1) {
		place_r->octets += b->left;
		ber_pass(b);
		r = next_segment(b, depth, &segments, pr);
	}
	place_r->end = b->pos;
	return r;
}

int cms_content_open(struct cms_content *c, struct reader *in, const struct cms_content_place *place, size_t nesting,
    uint64_t segments, struct problem *pr)
{
	struct ber_item it;
	int r;

	ber_open(&c->ber, in, place->off, place->end, nesting);
	c->segments = segments;
	c->ended = false;
	r = ber_next(&c->ber, &it, pr);
	if (r == 0)
		r = ber_problem(place->off, pr, "no content.");
	if (r == 1 && it.constructed)
		r = ber_enter(&c->ber, &it, pr);
	if (r == -1) {
		cms_content_close(c);
		return -1;
	}
	return 0;
}

int cms_content_next(struct cms_content *c, const uint8_t **p_r, size_t *n_r, struct problem *pr)
{
	while (!c->ended) {
		int r = ber_run(&c->ber, p_r, n_r, pr);

		if (r != 0)
			return r;
		r = next_segment(&c->ber, 0, &c->segments, pr);
		if (r == -1)
			return -1;
		c->ended = r == 0;
	}
	return 0;
}

void cms_content_close(struct cms_content *c)
{
	ber_close(&c->ber);
}
