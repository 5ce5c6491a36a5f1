/* ber.c: any octets, from memory and through a reader that gives little at a time: the same verdict, and the copy is
 * the input. */
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/ber.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct slow {
	struct reader reader;
	const uint8_t *p;
};

static int slow_read(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct slow *s = (struct slow *)r;
	size_t rest = off < r->size ? (size_t)(r->size - off) : 0, most = 1 + off % 7;

	(void)pr;
	n = n < rest ? n : rest;
	*got_r = n < most ? n : most;
	memcpy(p, s->p + off, *got_r);
	return 0;
}

static int walk(struct ber *b, struct buf *to, struct problem *pr)
{
	struct ber_item it;
	int r = ber_next(b, &it, pr);

	if (r != 1)
		return -1;
	return ber_copy(b, &it, to, pr) == -1 ? -1 : ber_end(b, pr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slow s = {.reader = {.read_at = slow_read, .size = size}, .p = data};
	struct problem mem = {0}, reader = {0};
	struct buf to;
	struct ber b;
	int r;

	buf_init(&to, 1 << 20);
	ber_open_mem(&b, data, size, 0, 16);
	r = walk(&b, &to, &mem);
	ber_close(&b);
	if (r == 0)
		REQUIRE(to.len == size && memcmp(to.p, data, size) == 0);
	buf_clear(&to);
	ber_open(&b, &s.reader, 0, size, 16);
	REQUIRE(walk(&b, NULL, &reader) == r);
	ber_close(&b);
	REQUIRE(strcmp(mem.text, reader.text) == 0);
	return 0;
}
