/* utf8.c against every code point and every pair of octets. */
#include "gateway/mail/utf8.h"

#include <check.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/suite.h"

static size_t encode(uint32_t v, char out[4])
{
	if (v < 0x80) {
		out[0] = (char)v;
		return 1;
	}
	if (v < 0x800) {
		out[0] = (char)(0xc0 | v >> 6);
		out[1] = (char)(0x80 | (v & 63));
		return 2;
	}
	if (v < 0x10000) {
		out[0] = (char)(0xe0 | v >> 12);
		out[1] = (char)(0x80 | (v >> 6 & 63));
		out[2] = (char)(0x80 | (v & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | v >> 18);
	out[1] = (char)(0x80 | (v >> 12 & 63));
	out[2] = (char)(0x80 | (v >> 6 & 63));
	out[3] = (char)(0x80 | (v & 63));
	return 4;
}

START_TEST(code_points)
{
	char p[4];

	for (uint32_t v = 0; v < 0x1fffff; v++) {
		size_t n = encode(v, p);
		bool good = v < 0xd800 || (v > 0xdfff && v <= 0x10ffff);

		bool same = utf8_len(p, n) == (good ? n : 0) && (n == 1 || utf8_len(p, n - 1) == 0) &&
			    utf8_text(p, n) == (good && v >= 32 && (v < 127 || v > 159)) &&
			    utf8_needed(p, n) == (v > 127);

		if (!same)
			ck_abort_msg("U+%04X", v);
	}
}
END_TEST

START_TEST(directions)
{
	char p[6] = "ab";

	for (uint32_t v = 0; v < 0x110000; v++) {
		bool turns = v == 0x61c || v == 0x200e || v == 0x200f || (v >= 0x202a && v <= 0x202e) ||
			     (v >= 0x2066 && v <= 0x2069);
		size_t n;

		if (v >= 0xd800 && v <= 0xdfff)
			continue;
		n = 2 + encode(v, p + 2);
		if (utf8_turns(p, n) != turns || (turns && utf8_turns(p, n - 1)))
			ck_abort_msg("U+%04X", v);
	}
}
END_TEST

/* Overlong forms: the same number of octets more than needed. */
START_TEST(overlong)
{
	ck_assert(!utf8_text("\300\200", 2));
	ck_assert(!utf8_text("\301\277", 2));
	ck_assert(!utf8_text("\340\237\277", 3));
	ck_assert(!utf8_text("\360\217\277\277", 4));
	ck_assert(!utf8_text("\370\210\200\200\200", 5));
	ck_assert(!utf8_text("\200", 1));
	ck_assert(!utf8_text("\376", 1));
	ck_assert(!utf8_text("a\303", 2));
	ck_assert(!utf8_text("\303a", 2));
	ck_assert(utf8_text("a\303\251b", 4));
	ck_assert(utf8_text("", 0));
	ck_assert_uint_eq(utf8_len("", 0), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("utf8");
	TCase *t = tcase_create("all");

	tcase_add_test(t, code_points);
	tcase_add_test(t, directions);
	tcase_add_test(t, overlong);
	suite_add_tcase(s, t);
	return suite_run(s);
}
