/* Readers at positions and writers in order, with the checks that every user of them relies on. Blocking. */
#include "gateway/base/stream.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { STREAM_CHUNK = 16 * 1024 };

int stream_read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	*got_r = 0;
	if (n == 0 || off >= r->size)
		return 0;
	if (n > r->size - off)
		n = (size_t)(r->size - off);
	if (r->read_at(r, off, p, n, got_r, pr) < 0)
		return -1;
	REQUIRE(*got_r <= n);
	/* *got_r = 0 means the end to callers; a source that has less than it promised must not look complete. */
	if (*got_r == 0)
		return problem_temp(
		    pr, "content ends early: %llu octets are missing", (unsigned long long)(r->size - off));
	return 0;
}

int stream_read_full(struct reader *r, uint64_t off, void *p, size_t n, struct problem *pr)
{
	uint8_t *to = p;

	while (n > 0) {
		size_t got;

		if (stream_read_at(r, off, to, n, &got, pr) < 0)
			return -1;
		if (got == 0)
			return problem_temp(pr, "content ends early: %zu octets are missing", n);
		to += got;
		off += got;
		n -= got;
	}
	return 0;
}

int stream_write(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	return n == 0 ? 0 : w->write(w, p, n, pr);
}

int stream_copy(struct reader *r, uint64_t off, uint64_t n, struct writer *w, struct problem *pr)
{
	uint8_t chunk[STREAM_CHUNK];
	int ret = 0;

	while (ret == 0 && n > 0) {
		size_t some = n < sizeof chunk ? (size_t)n : sizeof chunk;

		ret = stream_read_full(r, off, chunk, some, pr);
		if (ret == 0)
			ret = stream_write(w, chunk, some, pr);
		off += some;
		n -= some;
	}
	mem_wipe(chunk, sizeof chunk);
	return ret;
}

static int mem_read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct stream_mem *m = (struct stream_mem *)r;

	(void)pr;
	*got_r = 0;
	if (off >= r->size)
		return 0;
	if (n > r->size - off)
		n = (size_t)(r->size - off);
	if (n)
		memcpy(p, m->p + off, n);
	*got_r = n;
	return 0;
}

void stream_mem_init(struct stream_mem *m, const void *p, size_t n)
{
	*m = (struct stream_mem){.reader = {.read_at = mem_read_at, .size = n}, .p = p};
}

static int part_read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct stream_part *s = (struct stream_part *)r;

	*got_r = 0;
	if (off >= r->size)
		return 0;
	if (n > r->size - off)
		n = (size_t)(r->size - off);
	return stream_read_at(s->of, s->off + off, p, n, got_r, pr);
}

void stream_part_init(struct stream_part *s, struct reader *of, uint64_t off, uint64_t n)
{
	REQUIRE(off <= of->size && n <= of->size - off);
	*s = (struct stream_part){.reader = {.read_at = part_read_at, .size = n}, .of = of, .off = off};
}

static int buf_write(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	struct stream_buf *s = (struct stream_buf *)w;

	if (buf_add(s->b, p, n) < 0)
		return problem_set(
		    pr, PROBLEM_PERM, 552, "5.3.4", "RFC 3463 3.4", "content is larger than %zu octets", s->b->max);
	return 0;
}

void stream_buf_init(struct stream_buf *s, struct buf *b)
{
	*s = (struct stream_buf){.writer = {.write = buf_write}, .b = b};
}
