/* base64.c: both directions against base/encode.c, cut at every place, and what must be refused. */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"
#include "gateway/cms/base64.h"
#include "tests/unit/suite.h"

static void fill(uint8_t *p, size_t n)
{
	uint32_t x = 12345;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (uint8_t)(x >> 24);
	}
}

/* Encodes in writes of `step` octets. */
static struct buf encode(const uint8_t *p, size_t n, size_t step)
{
	struct problem pr = {0};
	struct base64_enc e;
	struct stream_buf to;
	struct buf b;

	buf_init(&b, 1 << 22);
	stream_buf_init(&to, &b);
	base64_enc_init(&e, &to.writer);
	for (size_t i = 0; i < n; i += step)
		ck_assert_int_eq(stream_write(&e.writer, p + i, n - i < step ? n - i : step, &pr), 0);
	ck_assert_int_eq(base64_enc_end(&e, &pr), 0);
	return b;
}

static int decode(const void *text, size_t n, size_t step, struct buf *b, struct problem *pr)
{
	const char *p = text;
	struct base64_dec d;
	struct stream_buf to;

	memset(pr, 0, sizeof(*pr));
	buf_init(b, 1 << 22);
	stream_buf_init(&to, b);
	base64_dec_init(&d, &to.writer);
	for (size_t i = 0; i < n; i += step)
		if (stream_write(&d.writer, p + i, n - i < step ? n - i : step, pr) == -1)
			return -1;
	return base64_dec_end(&d, pr);
}

/* What the encoder must write, made from the one-line encoder of the base layer. */
static struct buf expected(const uint8_t *p, size_t n)
{
	char *line = mem_new(4 * ((n + 2) / 3) + 1);
	size_t len = encode_b64(p, n, line);
	struct buf b;

	buf_init(&b, 1 << 22);
	for (size_t i = 0; i < len; i += 76) {
		ck_assert_int_eq(buf_add(&b, line + i, len - i < 76 ? len - i : 76), 0);
		ck_assert_int_eq(buf_adds(&b, "\r\n"), 0);
	}
	free(line);
	return b;
}

START_TEST(test_lengths)
{
	uint8_t in[400];
	struct problem pr;

	fill(in, sizeof(in));
	for (size_t n = 0; n <= sizeof(in); n++) {
		struct buf got = encode(in, n, 400), want = expected(in, n), back;

		ck_assert_uint_eq(got.len, want.len);
		ck_assert(n == 0 || memcmp(got.p, want.p, got.len) == 0);
		ck_assert_int_eq(decode(got.p, got.len, 1 << 20, &back, &pr), 0);
		ck_assert_uint_eq(back.len, n);
		ck_assert(n == 0 || memcmp(back.p, in, n) == 0);
		buf_clear(&got);
		buf_clear(&want);
		buf_clear(&back);
	}
}
END_TEST

START_TEST(test_cuts)
{
	uint8_t in[300];
	struct problem pr;
	struct buf want, back;

	fill(in, sizeof(in));
	want = expected(in, sizeof(in));
	for (size_t step = 1; step <= sizeof(in); step++) {
		struct buf got = encode(in, sizeof(in), step);

		ck_assert_uint_eq(got.len, want.len);
		ck_assert(memcmp(got.p, want.p, got.len) == 0);
		ck_assert_int_eq(decode(got.p, got.len, step, &back, &pr), 0);
		ck_assert_uint_eq(back.len, sizeof(in));
		ck_assert(memcmp(back.p, in, sizeof(in)) == 0);
		buf_clear(&back);
		buf_clear(&got);
	}
	buf_clear(&want);
}
END_TEST

START_TEST(test_large)
{
	size_t n = 300001;
	uint8_t *in = mem_new(n);
	struct problem pr;
	struct buf got, want, back;
	char *line = mem_new(4 * ((n + 2) / 3) + 1);
	size_t len;

	fill(in, n);
	got = encode(in, n, 16384);
	want = expected(in, n);
	ck_assert_uint_eq(got.len, want.len);
	ck_assert(memcmp(got.p, want.p, got.len) == 0);
	ck_assert_int_eq(decode(got.p, got.len, 10000, &back, &pr), 0);
	ck_assert_uint_eq(back.len, n);
	ck_assert(memcmp(back.p, in, n) == 0);
	buf_clear(&back);
	/* in one line of 400,000 characters */
	len = encode_b64(in, n, line);
	ck_assert_int_eq(decode(line, len, len, &back, &pr), 0);
	ck_assert_uint_eq(back.len, n);
	ck_assert(memcmp(back.p, in, n) == 0);
	buf_clear(&back);
	buf_clear(&got);
	buf_clear(&want);
	free(line);
	free(in);
}
END_TEST

static const struct {
	const char *text, *want; /* want NULL: refused */
} cases[] = {
    {"", ""},
    {"\r\n\r\n", ""},
    {"QUJD", "ABC"},
    {"Q\r\nU\tJ D\n", "ABC"},
    {"QUI=", "AB"},
    {"QQ==", "A"},
    {"Q Q\r\n=\r\n= \r\n\r\n", "A"},
    {"QUJDQUJDQQ==\r\n", "ABCABCA"},
    {"QUJ", NULL}, /* cut off */
    {"QQ", NULL},
    {"Q", NULL},
    {"QQ=", NULL},
    {"=", NULL}, /* padding in wrong places */
    {"Q===", NULL},
    {"QUJD=", NULL},
    {"QQ===", NULL},
    {"QQ=Q", NULL},
    {"QQ==QQ==", NULL}, /* content behind the padding */
    {"QUI=QUJD", NULL},
    {"QUI=\r\nQ", NULL},
    {"QU-_", NULL}, /* another alphabet */
    {"QUJD!", NULL},
    {"QUJD\f", NULL},
    {"\xc3\xa4QUJD", NULL},
    {"QUJDQUJDQUJDQUJDQUJ*", NULL},
};

START_TEST(test_cases)
{
	struct problem pr;
	struct buf b;
	size_t n = strlen(cases[_i].text);

	for (size_t step = 1; step <= n + 1; step++) {
		int r = decode(cases[_i].text, n, step, &b, &pr);

		if (cases[_i].want == NULL) {
			ck_assert_int_eq(r, -1);
			ck_assert_int_eq(pr.cls, PROBLEM_PERM);
			ck_assert_str_eq(pr.enh, "5.6.0");
			ck_assert_str_ne(pr.text, "");
		} else {
			ck_assert_int_eq(r, 0);
			ck_assert_str_eq(buf_str(&b), cases[_i].want);
		}
		buf_clear(&b);
	}
}
END_TEST

START_TEST(test_every_octet)
{
	/* a NUL is not part of base64 either, and no table index is out of range */
	for (int c = 0; c < 256; c++) {
		char text[5] = {'Q', 'U', 'J', (char)c, 0};
		bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
			    c == '/' || c == '=';
		struct problem pr;
		struct buf b;

		ck_assert_int_eq(decode(text, 4, 4, &b, &pr), good ? 0 : -1);
		buf_clear(&b);
	}
}
END_TEST

START_TEST(test_full)
{
	/* what the writer behind says comes through, in both directions */
	struct problem pr = {0};
	struct base64_enc e;
	struct base64_dec d;
	struct stream_buf to;
	struct buf b;
	uint8_t in[100] = {0};

	buf_init(&b, 10);
	stream_buf_init(&to, &b);
	base64_enc_init(&e, &to.writer);
	ck_assert_int_eq(stream_write(&e.writer, in, sizeof(in), &pr), -1);
	ck_assert_str_eq(pr.enh, "5.3.4");
	base64_dec_init(&d, &to.writer);
	memset(in, 'A', sizeof(in));
	ck_assert_int_eq(stream_write(&d.writer, in, sizeof(in), &pr), -1);
	ck_assert_str_eq(pr.enh, "5.3.4");
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base64");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_lengths);
	tcase_add_test(t, test_cuts);
	tcase_add_test(t, test_large);
	tcase_add_loop_test(t, test_cases, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_every_octet);
	tcase_add_test(t, test_full);
	suite_add_tcase(s, t);
	return suite_run(s);
}
