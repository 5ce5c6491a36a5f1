/*
 * Taking off PKCS #1 v1.5 padding in constant time, see the header. Role keeper. Masks are all ones or all zeroes.
 * Loops run over lengths that everybody knows (the modulus, the allowed key lengths); memory is read in an order that
 * does not depend on its content.
 */
#include "gateway/keys/keeper_unpad.h"

#include <string.h>

#include "gateway/base/log.h"

/* The optimiser must not find out that a mask has two values only, or it may make a branch of it. */
static uint32_t hide(uint32_t v)
{
	__asm__("" : "+r"(v));
	return v;
}

static uint32_t mask_zero(uint32_t v)
{
	return hide(0u - ((~v & (v - 1)) >> 31));
}

static uint32_t mask_eq(uint32_t a, uint32_t b)
{
	return mask_zero(a ^ b);
}

static uint8_t pick(uint32_t mask, uint8_t if_set, uint8_t if_not)
{
	return (uint8_t)((mask & if_set) | (~mask & if_not));
}

static const uint8_t lengths[] = {16, 24, 32};

/*
 * good: mask, the transport was sound. n: octets transported. msg_end: behind the last octet that may belong to the
 * key; a key of n octets stands at msg_end - n, and at least KEEPER_KEY_MAX octets before msg_end may be read.
 */
static void choose(uint32_t good, uint32_t n, const uint8_t *msg_end, const uint8_t *fallback, unsigned want,
    struct keeper_cek *cek_r)
{
	uint32_t len = want ? want : KEEPER_KEY_MAX;

	memcpy(cek_r->key, fallback, KEEPER_KEY_MAX);
	for (size_t i = 0; i < sizeof(lengths); i++) {
		uint8_t l = lengths[i];
		uint32_t take;

		if (want && l != want) /* public: it stands outside in the message */
			continue;
		take = hide(good & mask_eq(n, l));
		for (size_t j = 0; j < l; j++)
			cek_r->key[j] = pick(take, (msg_end - l)[j], cek_r->key[j]);
		len = (take & l) | (~take & len);
	}
	cek_r->len = (uint8_t)len;
}

void keeper_unpad_v15(
    const uint8_t *em, size_t k, const uint8_t fallback[KEEPER_KEY_MAX], unsigned want, struct keeper_cek *cek_r)
{
	uint32_t good = mask_zero(em[0]) & mask_eq(em[1], 2);
	uint32_t looking = ~0u, at = 0;

	REQUIRE(k >= 64 && k <= 4096);
	/* the first zero after the block type ends the padding */
	for (uint32_t i = 2; i < k; i++) {
		uint32_t here = looking & mask_zero(em[i]);

		at = (here & i) | (~here & at);
		looking &= ~here;
	}
	/* there is one, and at least 8 octets of padding stand before it: at >= 10, that is at - 10 did not wrap (at
	 * < 2^31) */
	good &= ~looking & mask_zero((at - 10) >> 31);
	choose(good, (uint32_t)k - 1 - at, em + k, fallback, want, cek_r);
}

void keeper_unpad_oaep(unsigned ok, const uint8_t msg[KEEPER_KEY_MAX], size_t n,
    const uint8_t fallback[KEEPER_KEY_MAX], unsigned want, struct keeper_cek *cek_r)
{
	uint8_t end[2 * KEEPER_KEY_MAX] = {0};
	uint32_t good = mask_eq(ok, 1);

	/* the message begins at its place for each of the allowed lengths in turn; n > 32 fits none */
	for (size_t i = 0; i < sizeof(lengths); i++) {
		uint8_t l = lengths[i];
		uint32_t here = mask_eq((uint32_t)n, l);

		for (size_t j = 0; j < l; j++)
			end[KEEPER_KEY_MAX - l + j] = pick(here, msg[j], end[KEEPER_KEY_MAX - l + j]);
	}
	choose(good, (uint32_t)n, end + KEEPER_KEY_MAX, fallback, want, cek_r);
	explicit_bzero(end, sizeof(end));
}
