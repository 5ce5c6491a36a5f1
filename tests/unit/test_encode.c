/* encode.c: RFC 4648 section 10 vectors, strictness, calendar against the C library. */
#include "gateway/base/encode.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/suite.h"

START_TEST(test_hex)
{
	uint8_t out[4];
	char text[9];

	encode_hex((const uint8_t *)"\x00\xff\x1a\xb0", 4, text);
	ck_assert_str_eq(text, "00ff1ab0");
	encode_hex(NULL, 0, text);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(encode_unhex("00Ff1aB0", 8, out, 4), 4);
	ck_assert_mem_eq(out, "\x00\xff\x1a\xb0", 4);
	ck_assert_int_eq(encode_unhex("", 0, out, 0), 0);
	ck_assert_int_eq(encode_unhex("00f", 3, out, 4), -1);
	ck_assert_int_eq(encode_unhex("0g", 2, out, 4), -1);
	ck_assert_int_eq(encode_unhex("0\0", 2, out, 4), -1);
	ck_assert_int_eq(encode_unhex("0011223344", 10, out, 4), -1);
}
END_TEST

/* Of all 256 octets, those of the alphabet have a value and no others. */
START_TEST(test_values)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int hex_want[256], b64_want[256];

	memset(hex_want, -1, sizeof hex_want);
	memset(b64_want, -1, sizeof b64_want);
	for (int i = 0; i < 16; i++)
		hex_want[(uint8_t)lower[i]] = hex_want[(uint8_t)upper[i]] = i;
	for (int i = 0; i < 64; i++)
		b64_want[(uint8_t)b64[i]] = i;
	for (int i = 0; i < 256; i++) {
		ck_assert_msg(encode_hex_value((char)i) == hex_want[i], "hex, octet %d", i);
		ck_assert_msg(encode_b64_value((char)i) == b64_want[i], "base64, octet %d", i);
	}
}
END_TEST

static const struct {
	const char *plain, *b64, *url;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

START_TEST(test_b64)
{
	size_t n = strlen(vectors[_i].plain);
	char text[20];
	uint8_t out[10];

	ck_assert_uint_eq(encode_b64((const uint8_t *)vectors[_i].plain, n, text), strlen(vectors[_i].b64));
	ck_assert_str_eq(text, vectors[_i].b64);
	ck_assert_int_eq(encode_unb64(text, strlen(text), out, n), (long)n);
	ck_assert_mem_eq(out, vectors[_i].plain, n);
	if (n)
		ck_assert_int_eq(encode_unb64(text, strlen(text), out, n - 1), -1);
	ck_assert_uint_eq(encode_b64url((const uint8_t *)vectors[_i].plain, n, text), strlen(vectors[_i].url));
	ck_assert_str_eq(text, vectors[_i].url);
}
END_TEST

static const char *const refused[] = {"Z", "Zg", "Zg=", "Zm8", "Zh==", "Zm9=", "Zg==Zg==", "====", "Z===", "Zm9v\n",
    "Zm 9v=", "=m9v", "Zm=v", "Zm9-", "Zm9_", "Zm9v====", "\xc3\xbcm9"};

START_TEST(test_unb64_refused)
{
	uint8_t out[20];

	ck_assert_int_eq(encode_unb64(refused[_i], strlen(refused[_i]), out, sizeof out), -1);
}
END_TEST

static const struct {
	const char *in, *out;
} loose[] = {
    {"", ""},
    {"Zm9vYmFy", "foobar"},
    {"Z m\r\n9-v_Y", "foo"},
    {"Zm8=", "fo"},
    {"Zg==Zg==", "f\x06`"},
    {"Zm9", "fo"},
    {"Z", ""},
    {"\303\274", ""},
};

START_TEST(test_unb64_loose)
{
	uint8_t out[20] = {0};
	size_t n = encode_unb64_loose(loose[_i].in, strlen(loose[_i].in), out, sizeof out);

	ck_assert_uint_eq(n, strlen(loose[_i].out));
	ck_assert_mem_eq(out, loose[_i].out, n);
	/* no room for the last octet */
	if (n) {
		out[n - 1] = '!';
		ck_assert_uint_eq(encode_unb64_loose(loose[_i].in, strlen(loose[_i].in), out, n - 1), n - 1);
		ck_assert_int_eq(out[n - 1], '!');
	}
}
END_TEST

START_TEST(test_dates)
{
	static const int64_t times[] = {0, 1, 951782399, 951782400, 951868799, 951868800, 1709164800, 1795313119,
	    4102444800, 4107542399, 4107542400, 253402300799};
	char got[32], want[64];

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		time_t t = times[i];
		struct tm tm;

		gmtime_r(&t, &tm);
		encode_time(times[i], got);
		strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
		ck_assert_str_eq(got, want);
		encode_date(times[i], got);
		strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S +0000", &tm);
		ck_assert_str_eq(got, want);
	}
	encode_time(1795313119, got);
	ck_assert_str_eq(got, "2026-11-22T02:05:19Z");
	encode_time(-5, got);
	ck_assert_str_eq(got, "1970-01-01T00:00:00Z");
	encode_time(INT64_MAX, got);
	ck_assert_str_eq(got, "9999-12-31T23:59:59Z");
}
END_TEST

/* Every day of 400 years: the calendar's whole period. */
START_TEST(test_every_day)
{
	char got[21], want[64];

	for (int64_t t = 0; t < INT64_C(146097) * 86400; t += 86400) {
		time_t at = t;
		struct tm tm;

		gmtime_r(&at, &tm);
		encode_time(t, got);
		strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
		ck_assert_str_eq(got, want);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("encode");
	TCase *t = tcase_create("encode");

	tcase_add_test(t, test_hex);
	tcase_add_test(t, test_values);
	tcase_add_loop_test(t, test_b64, 0, sizeof vectors / sizeof *vectors);
	tcase_add_loop_test(t, test_unb64_refused, 0, sizeof refused / sizeof *refused);
	tcase_add_loop_test(t, test_unb64_loose, 0, sizeof loose / sizeof *loose);
	tcase_add_test(t, test_dates);
	tcase_add_test(t, test_every_day);
	suite_add_tcase(s, t);
	return suite_run(s);
}
