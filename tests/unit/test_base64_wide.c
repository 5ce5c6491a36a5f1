/* base64_wide.c: against base/encode.c; every octet at every place of a block; nothing is read or written outside of
 * what may be. On a processor without AVX2 nothing is taken, and the tests say so by passing on that alone. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/cms/base64_wide.h"
#include "tests/unit/suite.h"

enum { N = 600 };

static uint8_t octets[N];
static char text[N / 3 * 4 + 8];

static void make(void)
{
	uint32_t x = 99;

	for (size_t i = 0; i < N; i++) {
		x = x * 1664525 + 1013904223;
		octets[i] = (uint8_t)(x >> 24);
	}
	encode_b64(octets, N, text);
}

static size_t whole_blocks(size_t n)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2") && n >= BASE64_WIDE_READ ? (n - (BASE64_WIDE_READ - 24)) / 24 * 24 : 0;
#else
	return 0;
#endif
}

START_TEST(encodes)
{
	make();
	for (size_t n = 0; n <= N; n++) {
		uint8_t *in =
		    mem_raw(n + 1); /* of exactly the size, so that a sanitizer sees what is read behind it */
		char *out = mem_raw(n / 24 * 32 + 1);
		size_t done;

		memcpy(in, octets, n);
		done = base64_wide_encode(in, n, out);
		ck_assert_uint_eq(done, whole_blocks(n));
		ck_assert(memcmp(out, text, done / 3 * 4) == 0);
		free(in);
		free(out);
	}
}
END_TEST

START_TEST(decodes)
{
	make();
	for (size_t n = 0; n <= N / 3 * 4; n++) {
		uint8_t *out = mem_raw(n + 1);
		size_t done = base64_wide_decode((const uint8_t *)text, n, out, n);

		ck_assert_uint_eq(done % 32, 0);
		ck_assert(done <= n && (whole_blocks(N) == 0 || n < 64 || done >= 32));
		ck_assert(memcmp(out, octets, done / 4 * 3) == 0);
		free(out);
	}
}
END_TEST

START_TEST(every_octet_at_every_place)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	make();
	for (size_t place = 0; place < 32; place++)
		for (int c = 0; c < 256; c++) {
			uint8_t in[64], out[64];
			bool good = c != 0 && strchr(alphabet, c) != NULL;
			size_t done;

			memcpy(in, text, sizeof(in));
			in[place] = (uint8_t)c;
			done = base64_wide_decode(in, sizeof(in), out, sizeof(out));
			ck_assert_uint_eq(done, whole_blocks(N) == 0 || !good ? 0 : 64);
		}
}
END_TEST

/* Room for less than a whole write ends it. */
START_TEST(room)
{
	uint8_t out[BASE64_WIDE_WRITE + 24];

	make();
	ck_assert_uint_eq(base64_wide_decode((const uint8_t *)text, 64, out, BASE64_WIDE_WRITE - 1), 0);
	ck_assert_uint_eq(
	    base64_wide_decode((const uint8_t *)text, 96, out, BASE64_WIDE_WRITE), whole_blocks(N) == 0 ? 0 : 32);
	ck_assert_uint_eq(
	    base64_wide_decode((const uint8_t *)text, 96, out, sizeof(out)), whole_blocks(N) == 0 ? 0 : 64);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base64_wide");
	TCase *t = tcase_create("base64_wide");

	tcase_add_test(t, encodes);
	tcase_add_test(t, decodes);
	tcase_add_test(t, every_octet_at_every_place);
	tcase_add_test(t, room);
	suite_add_tcase(s, t);
	return suite_run(s);
}
