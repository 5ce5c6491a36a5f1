/* Implicit rejection: which blocks give the transported key, and that all others give the fallback in the same shape.
 */
#include "gateway/keys/keeper_unpad.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static uint8_t key[64], fallback[32];

/* A block of k octets around a key of n, then one octet changed (at < k). */
static void block(uint8_t *em, size_t k, size_t n, size_t at, uint8_t value)
{
	memset(em, 0x77, k);
	em[0] = 0;
	em[1] = 2;
	em[k - n - 1] = 0;
	memcpy(em + k - n, key, n);
	if (at < k)
		em[at] = value;
}

#define NOWHERE 9999

static const struct {
	const char *what;
	size_t k, n, at;
	uint8_t value;
	unsigned want;
	int good;
	uint8_t len;
} cases[] = {
    {"128 bit", 256, 16, NOWHERE, 0, 0, 1, 16},
    {"192 bit", 256, 24, NOWHERE, 0, 0, 1, 24},
    {"256 bit", 256, 32, NOWHERE, 0, 0, 1, 32},
    {"256 bit, RSA-4096", 512, 32, NOWHERE, 0, 0, 1, 32},
    {"expected", 256, 16, NOWHERE, 0, 16, 1, 16},
    {"expected 24", 384, 24, NOWHERE, 0, 24, 1, 24},
    {"not the expected", 256, 16, NOWHERE, 0, 32, 0, 32},
    {"not the expected", 256, 32, NOWHERE, 0, 16, 0, 16},
    {"no AES key", 256, 20, NOWHERE, 0, 0, 0, 32},
    {"empty", 256, 0, NOWHERE, 0, 0, 0, 32},
    {"far too long", 256, 64, NOWHERE, 0, 0, 0, 32},
    {"first octet", 256, 32, 0, 1, 0, 0, 32},
    {"first octet, high bit", 256, 32, 0, 0x80, 0, 0, 32},
    {"block type 1", 256, 32, 1, 1, 0, 0, 32},
    {"block type 0", 256, 32, 1, 0, 0, 0, 32},
    {"block type 0x82", 256, 32, 1, 0x82, 0, 0, 32},
    {"zero at the first of padding", 256, 32, 2, 0, 0, 0, 32},
    {"zero after 7 of padding", 256, 32, 9, 0, 0, 0, 32},
    {"zero after 8 of padding: a long message", 256, 32, 10, 0, 0, 0, 32},
    {"no separator: the key's own octets are not zero", 256, 32, 223, 5, 0, 0, 32},
    {"separator one late", 256, 32, 222, 0, 0, 0, 32},
};

START_TEST(v15)
{
	uint8_t em[512];
	struct keeper_cek cek;

	memset(&cek, 0xee, sizeof(cek));
	block(em, cases[_i].k, cases[_i].n, cases[_i].at, cases[_i].value);
	keeper_unpad_v15(em, cases[_i].k, fallback, cases[_i].want, &cek);
	ck_assert_msg(cek.len == cases[_i].len, "%s: %u", cases[_i].what, cek.len);
	if (cases[_i].good) {
		ck_assert_msg(memcmp(cek.key, key, cek.len) == 0, "%s", cases[_i].what);
		ck_assert_mem_eq(cek.key + cek.len, fallback + cek.len, 32u - cek.len);
	} else {
		ck_assert_msg(memcmp(cek.key, fallback, 32) == 0, "%s", cases[_i].what);
	}
}
END_TEST

/* The key may contain anything, also zeroes in any place: the first zero ends the padding. */
START_TEST(v15_zero_in_key)
{
	uint8_t em[256], z[32];
	struct keeper_cek cek;

	for (size_t i = 0; i < 32; i++) {
		block(em, 256, 32, 224 + i, 0);
		memcpy(z, key, 32);
		z[i] = 0;
		keeper_unpad_v15(em, 256, fallback, 0, &cek);
		ck_assert_uint_eq(cek.len, 32);
		ck_assert_mem_eq(cek.key, z, 32);
	}
}
END_TEST

/* The separator in every place of the block: three of them give a key. */
START_TEST(v15_every_separator)
{
	uint8_t em[256];
	struct keeper_cek cek;
	int good = 0;

	for (size_t at = 2; at < 256; at++) {
		memset(em, 0x55, sizeof(em));
		em[0] = 0;
		em[1] = 2;
		em[at] = 0;
		keeper_unpad_v15(em, 256, fallback, 0, &cek);
		if (memcmp(cek.key, fallback, 32) != 0) {
			ck_assert_uint_eq(cek.len, 255 - at);
			good++;
		} else {
			ck_assert_uint_eq(cek.len, 32);
		}
	}
	ck_assert_int_eq(good, 3);
}
END_TEST

START_TEST(oaep)
{
	static const struct {
		unsigned ok;
		size_t n;
		unsigned want;
		int good;
		uint8_t len;
	} o[] = {
	    {1, 16, 0, 1, 16},
	    {1, 24, 0, 1, 24},
	    {1, 32, 0, 1, 32},
	    {1, 32, 32, 1, 32},
	    {1, 32, 16, 0, 16},
	    {1, 16, 32, 0, 32},
	    {1, 0, 0, 0, 32},
	    {1, 17, 0, 0, 32},
	    {1, 62, 0, 0, 32},
	    {1, 4096, 0, 0, 32},
	    {0, 32, 0, 0, 32},
	    {0, 16, 16, 0, 16},
	    {(unsigned)-1, 32, 0, 0, 32},
	    {(unsigned)-2, 32, 0, 0, 32},
	};
	struct keeper_cek cek;

	for (size_t i = 0; i < sizeof(o) / sizeof(o[0]); i++) {
		keeper_unpad_oaep(o[i].ok, key, o[i].n, fallback, o[i].want, &cek);
		ck_assert_msg(cek.len == o[i].len, "%zu: %u", i, cek.len);
		ck_assert_msg(memcmp(cek.key, o[i].good ? key : fallback, cek.len) == 0, "%zu", i);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper_unpad");
	TCase *t = tcase_create("all");

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i + 1);
	memset(fallback, 0xfb, sizeof(fallback));
	tcase_add_loop_test(t, v15, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, v15_zero_in_key);
	tcase_add_test(t, v15_every_separator);
	tcase_add_test(t, oaep);
	suite_add_tcase(s, t);
	return suite_run(s);
}
