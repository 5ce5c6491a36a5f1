/* smtpd_proxy.c: headers whole, octet by octet, damaged. */
#include "gateway/smtp/smtpd_proxy.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define V4 "\xc0\x00\x02\x01\xc6\x33\x64\x01\x30\x39\x00\x19"
#define V6 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x30\x39\x00\x19"
#define MAPPED "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x07\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x08\x30\x39\x00\x19"
#define H(s) s, sizeof(s) - 1

static const struct {
	const char *name, *in;
	size_t n;
	int want;
	const char *peer; /* NULL: local */
} cases[] = {
    {"IPv4", H(SIG "\x21\x11\x00\x0c" V4), 1, "192.0.2.1"},
    {"IPv6", H(SIG "\x21\x21\x00\x24" V6), 1, "IPv6:2001:db8::1"},
    {"mapped", H(SIG "\x21\x21\x00\x24" MAPPED), 1, "192.0.2.7"},
    {"TLVs", H(SIG "\x21\x11\x00\x14" V4 "\x01\x00\x02xy\x04\x00\x00"), 1, "192.0.2.1"},
    {"TLV cut", H(SIG "\x21\x11\x00\x0e" V4 "\x01\x00"), -1, NULL},
    {"TLV too long", H(SIG "\x21\x11\x00\x10" V4 "\x01\x00\x02x"), -1, NULL},
    {"local", H(SIG "\x20\x00\x00\x00"), 1, NULL},
    {"local with addresses", H(SIG "\x20\x11\x00\x0c" V4), 1, NULL},
    {"local with anything", H(SIG "\x20\xff\x00\x03xyz"), 1, NULL},
    {"short for IPv4", H(SIG "\x21\x11\x00\x0b" V4), -1, NULL},
    {"short for IPv6", H(SIG "\x21\x21\x00\x0c" V4), -1, NULL},
    {"unspec", H(SIG "\x21\x00\x00\x00"), -1, NULL},
    {"UDP", H(SIG "\x21\x12\x00\x0c" V4), -1, NULL},
    {"unix", H(SIG "\x21\x31\x00\x0c" V4), -1, NULL},
    {"command", H(SIG "\x22\x11\x00\x0c" V4), -1, NULL},
    {"version 1", H(SIG "\x11\x11\x00\x0c" V4), -1, NULL},
    {"text header", H("PROXY TCP4 192.0.2.1 198.51.100.1 12345 25\r\n"), -1, NULL},
    {"SMTP", H("EHLO x\r\n"), -1, NULL},
    {"too long", H(SIG "\x21\x11\x0f\xf1"), -1, NULL},
};

START_TEST(headers)
{
	struct smtpd_proxy got;
	size_t n = cases[_i].n;
	int r = 0;

	/* every beginning is "more", or refused for good */
	for (size_t k = 0; k <= n; k++) {
		uint8_t *copy = malloc(k + 1);

		memcpy(copy, cases[_i].in, k);
		r = smtpd_proxy_parse(copy, k, &got);
		free(copy);
		if (k < n)
			ck_assert_msg(r == 0 || (r == -1 && cases[_i].want == -1), "%s at %zu", cases[_i].name, k);
		if (r != 0)
			break;
	}
	ck_assert_msg(r == cases[_i].want, "%s: %d", cases[_i].name, r);
	if (r < 0) {
		ck_assert_ptr_nonnull(got.why);
		return;
	}
	ck_assert_uint_eq(got.used, n);
	ck_assert_int_eq(got.local, cases[_i].peer == NULL);
	ck_assert_str_eq(got.peer, cases[_i].peer ? cases[_i].peer : "");
	if (!got.local)
		ck_assert_uint_eq(got.port, 12345);
}
END_TEST

START_TEST(longest)
{
	static uint8_t p[SMTPD_PROXY_MAX + 10];
	struct smtpd_proxy got;
	size_t rest = SMTPD_PROXY_MAX - 16 - 12 - 3;

	memcpy(p, SIG "\x21\x11", 14);
	p[14] = (SMTPD_PROXY_MAX - 16) >> 8;
	p[15] = (SMTPD_PROXY_MAX - 16) & 255;
	memcpy(p + 16, V4, 12);
	p[28] = 4;
	p[29] = (uint8_t)(rest >> 8);
	p[30] = (uint8_t)rest;
	ck_assert_int_eq(smtpd_proxy_parse(p, SMTPD_PROXY_MAX - 1, &got), 0);
	ck_assert_int_eq(smtpd_proxy_parse(p, sizeof p, &got), 1);
	ck_assert_uint_eq(got.used, SMTPD_PROXY_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpd_proxy");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, headers, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, longest);
	suite_add_tcase(s, t);
	return suite_run(s);
}
