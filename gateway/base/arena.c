/*
 * Memory of one job or session: pieces cut from blocks, freed together. Every process. The bound counts what was
 * asked for, rounded up to the alignment, so that a peer who makes us allocate many small things meets it too.
 */
#include "gateway/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { ARENA_BLOCK = 4096, ARENA_ALIGN = alignof(max_align_t) };

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) uint8_t p[];
};

struct arena {
	struct block *first; /* the one being cut; full and large ones follow */
	size_t used, max;
};

struct arena *arena_new(size_t max)
{
	struct arena *a = mem_new(sizeof *a);

	a->max = max;
	return a;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	for (struct block *b = a->first, *next; b; b = next) {
		next = b->next;
		mem_free_secret(b, sizeof *b + b->size);
	}
	mem_free_secret(a, sizeof *a);
}

/* A block for n octets. A large one goes behind the first, whose rest stays in use. */
static struct block *block_for(struct arena *a, size_t n)
{
	struct block *b = a->first;

	if (b && b->size - b->used >= n)
		return b;

	size_t room = ARENA_BLOCK - sizeof *b;
	size_t size = n > room / 4 ? n : room;

	b = mem_new(sizeof *b + size);
	b->size = size;
	if (a->first && size == n) {
		b->next = a->first->next;
		a->first->next = b;
	} else {
		b->next = a->first;
		a->first = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
	if (n == 0)
		n = 1;
	if (n > a->max - a->used || n > SIZE_MAX / 2)
		return NULL;
	n = (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	if (n > a->max - a->used)
		return NULL;

	struct block *b = block_for(a, n);
	void *p = b->p + b->used;

	b->used += n;
	a->used += n;
	return p;
}

char *arena_dup(struct arena *a, const void *p, size_t n)
{
	char *q = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (q && n)
		memcpy(q, p, n);
	return q;
}

char *arena_str(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);

	int n = vsnprintf(NULL, 0, fmt, ap);

	va_end(ap);
	REQUIRE(n >= 0);

	char *s = arena_alloc(a, (size_t)n + 1);

	if (!s)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
