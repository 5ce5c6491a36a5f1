/*
 * A growing run of octets with a maximum. Every process. The content may be mail or a key, so that memory is wiped
 * whenever it is given back, also when the buffer moves while it grows (realloc would leave a copy behind).
 */
#include "gateway/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { BUF_FIRST = 256 };

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
	mem_free_secret(b->p, b->cap);
	buf_init(b, b->max);
}

void buf_clear_public(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
	if (b->p)
		mem_wipe(b->p, b->len);
	b->len = 0;
}

/* cap counts the octet for the NUL; need is content only and at most max. */
static void grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;

	while (cap - 1 < need)
		cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
	if (cap - 1 > b->max)
		cap = b->max + 1;

	uint8_t *p = mem_raw(cap);

	if (b->p)
		memcpy(p, b->p, b->len);
	p[b->len] = 0;
	mem_free_secret(b->p, b->cap);
	b->p = p;
	b->cap = cap;
}

uint8_t *buf_room(struct buf *b, size_t n)
{
	REQUIRE(b->max < SIZE_MAX);
	if (n > b->max - b->len)
		return NULL;
	if (!b->p || b->len + n > b->cap - 1)
		grow(b, b->len + n);
	return b->p + b->len;
}

void buf_added(struct buf *b, size_t n)
{
	REQUIRE(b->p && n <= b->cap - 1 - b->len);
	b->len += n;
	b->p[b->len] = 0;
}

int buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return 0;

	uint8_t *to = buf_room(b, n);

	if (!to)
		return -1;
	memcpy(to, p, n);
	buf_added(b, n);
	return 0;
}

int buf_adds(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_addc(struct buf *b, uint8_t c)
{
	return buf_add(b, &c, 1);
}

int buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);

	int n = vsnprintf(NULL, 0, fmt, again);

	va_end(again);
	REQUIRE(n >= 0);

	uint8_t *to = buf_room(b, (size_t)n);

	if (!to)
		return -1;
	vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
	buf_added(b, (size_t)n);
	return 0;
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);

	int r = buf_addv(b, fmt, ap);

	va_end(ap);
	return r;
}

void buf_drop(struct buf *b, size_t n)
{
	REQUIRE(n <= b->len);
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->len - n);
	mem_wipe(b->p + b->len - n, n);
	b->len -= n;
}

const char *buf_str(const struct buf *b)
{
	return b->p ? (const char *)b->p : "";
}
