/*
 * Sealed octets from a disk that lies: as they come, and as a true content with some octets changed, cut or added.
 * Reading never gives an octet that was not sealed.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/queue/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static const uint8_t key[SPOOL_KEY] = {1, 2, 3};

/* Reads everything; the number of octets that came out. All of them must be those of plain. */
static uint64_t read_all(struct spool *s, const uint8_t *plain, size_t plain_n)
{
	struct reader *r = spool_reader(s);
	struct problem pr;
	uint8_t part[5000];
	uint64_t at = 0;
	size_t got;

	while (at < r->size && stream_read_at(r, at, part, sizeof part, &got, &pr) == 0 && got) {
		REQUIRE(at + got <= plain_n && memcmp(part, plain + at, got) == 0);
		at += got;
	}
	return at;
}

static void as_they_come(const uint8_t *p, size_t n)
{
	struct spool *s = spool_open_mem(key, p, n), *t = spool_new(key, 1 << 20, -1, -1, 1 << 20);
	struct problem pr;

	read_all(s, NULL, 0);
	spool_free(s);
	if (spool_add_sealed(t, p, n / 2, &pr) == 0 && spool_add_sealed(t, p + n / 2, n - n / 2, &pr) == 0 &&
	    spool_finish(t, &pr) == 0)
		read_all(t, NULL, 0);
	spool_free(t);
}

/* where and what to change, how long the content is, how much of it stays */
struct change {
	uint32_t size, at, keep;
	uint8_t flip;
};

static void changed(const struct change *c)
{
	size_t n = c->size % (3 * SPOOL_CHUNK), len;
	uint8_t *plain = malloc(n + 1), *sealed;
	struct spool *s = spool_new(key, 4 * SPOOL_CHUNK, -1, -1, UINT64_MAX);
	struct problem pr;

	REQUIRE(plain);
	for (size_t i = 0; i < n; i++)
		plain[i] = (uint8_t)(i * 7 + (i >> 8));
	REQUIRE(spool_add(s, plain, n, &pr) == 0 && spool_finish(s, &pr) == 0);

	const uint8_t *own = spool_sealed(s, &len);
	size_t keep = c->keep % (len + 1);

	sealed = malloc(len + 1);
	REQUIRE(sealed && len == spool_sealed_size(n));
	memcpy(sealed, own, len);
	sealed[c->at % len] ^= c->flip;

	struct spool *t = spool_open_mem(key, sealed, keep);
	int same = keep == len && c->flip == 0;

	REQUIRE((read_all(t, plain, n) == spool_reader(t)->size) == same);
	spool_free(t);
	spool_free(s);
	free(sealed);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct change c;

	as_they_come(p, n);
	if (n >= sizeof c) {
		memcpy(&c, p, sizeof c);
		changed(&c);
	}
	return 0;
}
