#include "certstore/find_memo.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

enum { PLACES = 8192 };

struct find_memo {
	struct {
		uint8_t key[32], kind;
	} v[PLACES];
};

struct find_memo *find_memo_new(void)
{
	return mem_new(sizeof(struct find_memo));
}

void find_memo_free(struct find_memo *m)
{
	free(m);
}

static size_t place(const uint8_t key[32])
{
	return ((size_t)key[0] << 8 | key[1]) % PLACES;
}

enum find_memo_kind find_memo_get(const struct find_memo *m, const void *p, size_t n, uint8_t key[32])
{
	if (!m)
		return FIND_MEMO_UNKNOWN;
	(void)SHA256(p, n, key);
	return memcmp(m->v[place(key)].key, key, 32) == 0 ? (enum find_memo_kind)m->v[place(key)].kind
							  : FIND_MEMO_UNKNOWN;
}

void find_memo_put(struct find_memo *m, const uint8_t key[32], enum find_memo_kind kind)
{
	if (!m)
		return;
	memcpy(m->v[place(key)].key, key, 32);
	m->v[place(key)].kind = (uint8_t)kind;
}
