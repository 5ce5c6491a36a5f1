/* Wrapping of the queue's data keys, see the header. Role keeper, any of its threads. */
#include "gateway/keys/keeper_wrap.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum {
	VERSION = 1,
	NAME = 4,
	RANDOM = 24,
	HEAD = 1 + NAME + RANDOM, /* bound to the sealed part */
	WRAPPED = HEAD + KEYS_DATA_KEY + KEEPER_SEAL_MORE,
};

_Static_assert(WRAPPED <= KEYS_WRAPPED_MAX, "a wrapped key fits what the queue keeps for it");

/* HMAC-SHA-256 with the queue key; what keeps the two uses apart is the first octet. */
static void derive(const uint8_t queue[KEEPER_SEAL_KEY], uint8_t what, const uint8_t *p, size_t n, uint8_t out[32])
{
	uint8_t in[1 + RANDOM] = {what};
	unsigned len = 0;

	REQUIRE(n <= RANDOM);
	if (n)
		memcpy(in + 1, p, n);
	if (!HMAC(EVP_sha256(), queue, KEEPER_SEAL_KEY, in, 1 + n, out, &len) || len != 32)
		log_fatal("libcrypto failed to compute an HMAC");
}

/* Tells a queue of another keeper from a damaged one. */
static void queue_name(const uint8_t queue[KEEPER_SEAL_KEY], uint8_t name[NAME])
{
	uint8_t all[32];

	derive(queue, 'n', NULL, 0, all);
	memcpy(name, all, NAME);
}

int keeper_wrap(
    const uint8_t queue[KEEPER_SEAL_KEY], const uint8_t key[KEYS_DATA_KEY], struct buf *wrapped_r, struct problem *pr)
{
	uint8_t head[HEAD] = {VERSION}, once[32];
	int r;

	queue_name(queue, head + 1);
	if (RAND_bytes(head + 1 + NAME, RANDOM) != 1)
		return problem_temp(pr, "The keeper has no random numbers to wrap a data key with; try later");
	derive(queue, 'k', head + 1 + NAME, RANDOM, once);
	r = buf_add(wrapped_r, head, HEAD);
	if (r == 0)
		r = keeper_seal_lock(once, head, HEAD, key, KEYS_DATA_KEY, wrapped_r);
	mem_wipe(once, sizeof(once));
	return r == 0 ? 0 : problem_temp(pr, "The keeper failed to wrap a data key; try later");
}

int keeper_wrap_open(const uint8_t queue[KEEPER_SEAL_KEY], const uint8_t *wrapped, size_t n,
    uint8_t key_r[KEYS_DATA_KEY], struct problem *pr)
{
	uint8_t name[NAME], once[32];
	int r;

	if (n != WRAPPED || wrapped[0] != VERSION)
		return problem_perm(pr,
		    "A wrapped data key of the queue is damaged, or of another version (%zu octets instead of %d)", n,
		    WRAPPED);
	queue_name(queue, name);
	if (memcmp(name, wrapped + 1, NAME) != 0)
		return problem_perm(pr,
		    "A data key of the queue was wrapped by another keeper: the queue and the keys directory "
		    "do not belong together");
	derive(queue, 'k', wrapped + 1 + NAME, RANDOM, once);
	r = keeper_seal_open(once, wrapped, HEAD, wrapped + HEAD, n - HEAD, key_r);
	mem_wipe(once, sizeof(once));
	return r == 0 ? 0 : problem_perm(pr, "A wrapped data key of the queue is damaged");
}
