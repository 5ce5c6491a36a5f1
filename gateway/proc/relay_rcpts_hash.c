/* FNV-1a from a random start, with its bits mixed at the end, so that nobody can aim at one chain by guessing. */
#include "gateway/proc/relay_rcpts_hash.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t seed[2];

static void make_seed(void)
{
	arc4random_buf(seed, sizeof(seed));
}

uint64_t relay_rcpts_hash(const char *p, size_t n)
{
	uint64_t h;

	pthread_once(&once, make_seed);
	h = seed[0];
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	h ^= seed[1];
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	return h ^ h >> 29;
}
