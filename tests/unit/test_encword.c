/* encword.c: what is written reads back as the text, and no octet of it is anything but text. */
#include "gateway/mail/encword.h"

#include <stdbool.h>
#include <stdlib.h>

#include "tests/unit/slow_reader.h"

static const struct {
	const char *in, *want;
} cases[] = {
    {"", ""},
    {"plain (text) =ok?=", "plain (text) =ok?="},
    {"  two\t \r\n words ", "two words"},
    {"CN=J\xc3\xbcrgen M\xc3\xbcller; serial 1", "=?utf-8?Q?CN=3DJ=C3=BCrgen_M=C3=BCller=3B?= serial 1"},
    {"a \xc3\xa4 b \xc3\xb6", "a =?utf-8?Q?=C3=A4?= b =?utf-8?Q?=C3=B6?="},
    /* a name that is an encoded word would be read as what it hides */
    {"=?utf-8?Q?x=0D=0Ay?=", "=?utf-8?Q?=3D=3Futf-8=3FQ=3Fx=3D0D=3D0Ay=3F=3D?="},
    {"x=?utf-8?Q?y?=", "=?utf-8?Q?x=3D=3Futf-8=3FQ=3Fy=3F=3D?="},
    /* never shown: C0, DEL, C1, separators, what turns the direction, what is no UTF-8 */
    {"a\x01\x1b[1m", "a??[1m"},
    {"a\x7f", "=?utf-8?Q?a=3F?="},
    {"\xc2\x85\xc2\x9b", "=?utf-8?Q?=3F=3F?="},
    {"\xe2\x80\xa8\xe2\x80\xa9", "=?utf-8?Q?=3F=3F?="},
    {"\xe2\x80\xaex\xe2\x81\xa6\xe2\x80\x8f\xd8\x9c", "=?utf-8?Q?=3Fx=3F=3F=3F?="},
    {"\xe4\xff\xc3(", "=?utf-8?Q?=3F=3F=3F=28?="},
    {"\xed\xa0\x80", "=?utf-8?Q?=3F=3F=3F?="},
    /* 21 characters of three octets in one word, never a part of one */
    {"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad",
	"=?utf-8?Q?=E4=B8=AD=E4=B8=AD=E4=B8=AD=E4=B8=AD=E4=B8=AD=E4=B8=AD=E4=B8=AD?= =?utf-8?Q?=E4=B8=AD?="},
};

START_TEST(test_cases)
{
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(encword_add(&b, cases[_i].in, strlen(cases[_i].in), ""), 0);
	ck_assert_str_eq(buf_str(&b), cases[_i].want);
	buf_clear(&b);
}
END_TEST

START_TEST(test_comment)
{
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(encword_add(&b, "a (b) \\ \xc3\xa4)", 11, "()\\"), 0);
	ck_assert_str_eq(buf_str(&b), "a \\(b\\) \\\\ =?utf-8?Q?=C3=A4=29?=");
	buf_clear(&b);
}
END_TEST

START_TEST(test_full)
{
	struct buf b;

	buf_init(&b, 20);
	ck_assert_int_eq(encword_add(&b, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8, ""), -1);
	buf_clear(&b);
}
END_TEST

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c - 'A' + 10;
}

/* As RFC 2047 6.2 reads it. */
static size_t decode(const char *p, size_t n, char *out)
{
	static const char open[] = "=?utf-8?Q?";
	const char *end = p + n;
	size_t len = 0;
	bool was = false;

	while (p < end) {
		const char *from = p;

		if ((size_t)(end - p) < sizeof(open) || memcmp(p, open, sizeof(open) - 1) != 0) {
			was = was && *p == ' ';
			out[len++] = *p++;
			continue;
		}
		if (was)
			len--; /* the blank between two of them */
		for (p += sizeof(open) - 1; memcmp(p, "?=", 2) != 0; p++) {
			if (*p == '=') {
				out[len++] = (char)(hex(p[1]) << 4 | hex(p[2]));
				p += 2;
			} else {
				out[len++] = *p == '_' ? ' ' : *p;
			}
		}
		p += 2;
		ck_assert_int_le(p - from, 75);
		ck_assert(p == end || *p == ' ');
		was = true;
	}
	return len;
}

/* Texts of every mixture: single blanks come back, everything else as it was. */
START_TEST(test_back)
{
	static const char *const bits[] = {"a", " b", "\xc3\xa4", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", " =?",
	    "?=", "_", " \xc3\x9f", "=", "(", "\\", "\"", " x y "};
	char text[4000], out[8000];
	size_t odd = 0;
	struct buf b;

	srand(7);
	for (int round = 0; round < 500; round++) {
		size_t n = 0, len;

		for (int i = 0; i < 150; i++) {
			const char *bit = bits[(size_t)rand() % (sizeof(bits) / sizeof(bits[0]))];

			if (bit[0] == ' ' && (n == 0 || text[n - 1] == ' '))
				bit++;
			memcpy(text + n, bit, strlen(bit));
			n += strlen(bit);
		}
		while (n > 0 && text[n - 1] == ' ')
			n--;
		buf_init(&b, 65536);
		ck_assert_int_eq(encword_add(&b, text, n, ""), 0);
		for (size_t i = 0; i < b.len; i++)
			odd += b.p[i] < 32 || b.p[i] > 126;
		len = decode(buf_str(&b), b.len, out);
		ck_assert_uint_eq(len, n);
		ck_assert_mem_eq(out, text, n);
		buf_clear(&b);
	}
	ck_assert_uint_eq(odd, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("encword");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_cases, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_comment);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_back);
	suite_add_tcase(s, t);
	return suite_run(s);
}
