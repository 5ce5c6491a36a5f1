/* Allocation that ends the process instead of failing, and wiping. Every process. */
#include "gateway/base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

void *mem_new(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		log_fatal("out of memory: %zu octets", n);
	return p;
}

void *mem_raw(size_t n)
{
	void *p = malloc(n ? n : 1);

	if (!p)
		log_fatal("out of memory: %zu octets", n);
	return p;
}

void *mem_resize(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		log_fatal("out of memory: %zu octets", n);
	return q;
}

char *mem_dup(const void *p, size_t n)
{
	REQUIRE(n < (size_t)-1);

	char *q = mem_new(n + 1);

	if (n)
		memcpy(q, p, n);
	return q;
}

char *mem_str(const char *s)
{
	return mem_dup(s, strlen(s));
}

void mem_wipe(void *p, size_t n)
{
	if (n)
		explicit_bzero(p, n);
}

void mem_free_secret(void *p, size_t n)
{
	if (!p)
		return;
	mem_wipe(p, n);
	free(p);
}

int mem_copy_str(char *dst, size_t cap, const char *s)
{
	size_t n = strlen(s);

	REQUIRE(cap > 0);
	if (n >= cap) {
		dst[0] = 0;
		return -1;
	}
	memcpy(dst, s, n + 1);
	return 0;
}
