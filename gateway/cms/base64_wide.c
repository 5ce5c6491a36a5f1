/* Base64 with AVX2. Sealer. Ranges of characters are told apart by comparisons, whose results select what is added.
 */
#include "gateway/cms/base64_wide.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdbool.h>

#define WIDE __attribute__((target("avx2")))

static bool able(void)
{
	static int known; /* 0 not asked, 1 no, 2 yes: every thread finds the same */

	if (__atomic_load_n(&known, __ATOMIC_RELAXED) == 0)
		__atomic_store_n(&known, __builtin_cpu_supports("avx2") ? 2 : 1, __ATOMIC_RELAXED);
	return __atomic_load_n(&known, __ATOMIC_RELAXED) == 2;
}

/* where `v` is above `than`: `add` */
static inline WIDE __m256i above(__m256i v, char than, char add)
{
	return _mm256_and_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8(than)), _mm256_set1_epi8(add));
}

/* 0..63 to its character: 'A' = 0 + 65, 'a' = 26 + 71, '0' = 52 - 4, '+' = 62 - 19, '/' = 63 - 16. */
static inline WIDE __m256i characters(__m256i v)
{
	__m256i a = _mm256_add_epi8(v, _mm256_set1_epi8(65));
	__m256i b = _mm256_add_epi8(above(v, 25, 6), above(v, 51, -75));
	__m256i c = _mm256_add_epi8(above(v, 61, -15), above(v, 62, 3));

	return _mm256_add_epi8(a, _mm256_add_epi8(b, c));
}

WIDE static void encode_block(const uint8_t *p, char *out)
{
	/* each 32-bit lane gets the three octets of a group, as b a c b, so that all four sixes lie in 16-bit halves
	 */
	const __m256i spread = _mm256_setr_epi8(
	    1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
	__m256i v = _mm256_set_m128i(_mm_loadu_si128((const __m128i *)(p + 12)), _mm_loadu_si128((const __m128i *)p));
	__m256i first_third, second_fourth;

	v = _mm256_shuffle_epi8(v, spread);
	first_third =
	    _mm256_mulhi_epu16(_mm256_and_si256(v, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
	second_fourth =
	    _mm256_mullo_epi16(_mm256_and_si256(v, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
	_mm256_storeu_si256((__m256i *)out, characters(_mm256_or_si256(first_third, second_fourth)));
}

size_t base64_wide_encode(const uint8_t *p, size_t n, char *out)
{
	size_t done = 0;

	if (n < BASE64_WIDE_READ || !able())
		return 0;
	for (; n - done >= BASE64_WIDE_READ; done += 24, out += 32)
		encode_block(p + done, out);
	return done;
}

/* all ones where v lies in first..last (signed: octets above 127 never do) */
static inline WIDE __m256i between(__m256i v, char first, char last)
{
	return _mm256_and_si256(_mm256_cmpgt_epi8(v, _mm256_set1_epi8((char)(first - 1))),
	    _mm256_cmpgt_epi8(_mm256_set1_epi8((char)(last + 1)), v));
}

static inline WIDE __m256i chosen(__m256i where, char add)
{
	return _mm256_and_si256(where, _mm256_set1_epi8(add));
}

/* 1, or 0 when one of the 32 is not of the alphabet. */
WIDE static int decode_block(const uint8_t *p, uint8_t *out)
{
	const __m256i close = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5,
	    4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	__m256i upper = between(v, 'A', 'Z'), lower = between(v, 'a', 'z'), digit = between(v, '0', '9');
	__m256i plus = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('+')),
		slash = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('/'));
	__m256i letters = _mm256_or_si256(upper, lower), rest = _mm256_or_si256(plus, slash);
	__m256i add;

	if (_mm256_movemask_epi8(_mm256_or_si256(letters, _mm256_or_si256(digit, rest))) != -1)
		return 0;
	add = _mm256_or_si256(chosen(upper, -65), _mm256_or_si256(chosen(lower, -71), chosen(digit, 4)));
	add = _mm256_or_si256(add, _mm256_or_si256(chosen(plus, 19), chosen(slash, 16)));
	v = _mm256_add_epi8(v, add);
	/* two sixes to twelve bits, two twelves to 24, then the three octets of each lane in order */
	v = _mm256_maddubs_epi16(v, _mm256_set1_epi32(0x01400140));
	v = _mm256_madd_epi16(v, _mm256_set1_epi32(0x00011000));
	v = _mm256_shuffle_epi8(v, close);
	_mm256_storeu_si256(
	    (__m256i *)out, _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7)));
	return 1;
}

size_t base64_wide_decode(const uint8_t *p, size_t n, uint8_t *out, size_t cap)
{
	size_t done = 0;

	if (n < 32 || !able())
		return 0;
	for (; n - done >= 32 && cap >= BASE64_WIDE_WRITE; done += 32, out += 24, cap -= 24)
		if (!decode_block(p + done, out))
			break;
	return done;
}

#else

size_t base64_wide_encode(const uint8_t *p, size_t n, char *out)
{
	(void)p;
	(void)n;
	(void)out;
	return 0;
}

size_t base64_wide_decode(const uint8_t *p, size_t n, uint8_t *out, size_t cap)
{
	(void)p;
	(void)n;
	(void)out;
	(void)cap;
	return 0;
}

#endif
