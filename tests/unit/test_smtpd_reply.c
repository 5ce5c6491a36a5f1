/* smtpd_reply.c: lines, their length, enhanced codes, and that no text can end a line early. */
#include "gateway/smtp/smtpd_reply.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/mail/utf8.h"
#include "gateway/smtp/smtpd.h"
#include "tests/unit/suite.h"

static const struct {
	int code;
	const char *enh, *text, *want;
} cases[] = {
    {250, "2.0.0", "ok", "250 2.0.0 ok\r\n"},
    {220, "", "host ESMTP", "220 host ESMTP\r\n"},
    {250, "", "host\nSIZE 5\nHELP", "250-host\r\n250-SIZE 5\r\n250 HELP\r\n"},
    {214, "2.0.0", "a\nb", "214-2.0.0 a\r\n214 2.0.0 b\r\n"},
    {214, "2.0.0", "a\n", "214 2.0.0 a\r\n"},
    {250, "2.0.0", "", "250 2.0.0\r\n"},
    {250, "", "", "250 \r\n"},
    {550, "5.1.1", "evil\r250 2.0.0 ok", "550 5.1.1 evil?250 2.0.0 ok\r\n"},
    {550, "5.1.1", "caf\xc3\xa9 \x7f\x1b", "550 5.1.1 caf\\x{E9} ??\r\n"},
    {550, "5.1.1", "\xf0\x9f\x93\xa7 \xe2\x80\xae\xc2\x85\xc3 \xff", "550 5.1.1 \\x{1F4E7} ??? ?\r\n"},
};

START_TEST(lines)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(smtpd_reply(&b, cases[_i].code, cases[_i].enh, cases[_i].text, false), 0);
	ck_assert_str_eq(buf_str(&b), cases[_i].want);
	buf_clear(&b);
}
END_TEST

/* To a client that said SMTPUTF8: as they are, and never cut within a character. */
START_TEST(utf8)
{
	char text[1001] = "";
	struct buf b;

	buf_init(&b, 4000);
	ck_assert_int_eq(smtpd_reply(&b, 550, "5.1.1", "caf\xc3\xa9 \xe2\x80\xae\xc3 x", true), 0);
	ck_assert_str_eq(buf_str(&b), "550 5.1.1 caf\xc3\xa9 ?? x\r\n");
	for (size_t off = 0; off < 3; off++) {
		buf_reset(&b);
		memset(text, 'x', off);
		for (size_t i = off; i + 3 <= 900; i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		ck_assert_int_eq(smtpd_reply(&b, 550, "5.1.1", text, true), 0);
		ck_assert(utf8_len(buf_str(&b), b.len) == 1);
		for (size_t i = 0; i < b.len;) {
			size_t n = utf8_len(buf_str(&b) + i, b.len - i);

			ck_assert_uint_gt(n, 0);
			i += n;
		}
	}
	buf_clear(&b);
}
END_TEST

/* Each line is at most 512 octets, begins alike, and the words are all there in order. */
static void check_long(const char *text, const char *enh, char blank)
{
	struct buf b, words;
	char start[20];

	buf_init(&b, 10000);
	buf_init(&words, 10000);
	ck_assert_int_eq(smtpd_reply(&b, 550, enh, text, false), 0);
	for (const char *p = buf_str(&b); *p;) {
		const char *end = strstr(p, "\r\n");

		ck_assert_ptr_nonnull(end);
		ck_assert_int_le(end + 2 - p, 512);
		snprintf(start, sizeof start, "550%c%s ", end[2] ? '-' : ' ', enh);
		ck_assert_int_eq(strncmp(p, start, strlen(start)), 0);
		p += strlen(start);
		if (words.len && blank)
			ck_assert_int_eq(buf_addc(&words, (uint8_t)blank), 0);
		ck_assert_int_eq(buf_add(&words, p, (size_t)(end - p)), 0);
		p = end + 2;
	}
	ck_assert_str_eq(buf_str(&words), text);
	buf_clear(&b);
	buf_clear(&words);
}

START_TEST(long_texts)
{
	char text[2001];

	for (size_t n = 480; n < 1100; n++) {
		memset(text, 'x', sizeof text);
		text[n] = 0;
		check_long(text, "5.7.1", 0);
		for (size_t i = 7; i < n; i += 8)
			text[i] = ' ';
		text[n - 1] = 'x';
		check_long(text, "5.7.1", ' ');
	}
}
END_TEST

START_TEST(no_room)
{
	struct buf b;

	buf_init(&b, 20);
	ck_assert_int_eq(smtpd_reply(&b, 250, "2.0.0", "ok", false), 0);
	ck_assert_int_eq(smtpd_reply(&b, 250, "2.0.0", "ok", false), -1);
	ck_assert_uint_eq(b.len, 14);
	buf_clear(&b);
}
END_TEST

static const struct {
	enum problem_class cls;
	int code;
	const char *enh, *text, *want;
} problems[] = {
    {PROBLEM_TEMP, 451, "4.7.1", "later", "451 4.7.1 later\r\n"},
    {PROBLEM_TEMP, 0, "", "later", "451 4.0.0 later\r\n"},
    {PROBLEM_PERM, 0, "", "no", "554 5.0.0 no\r\n"},
    {PROBLEM_POLICY, 0, "5.7.1", "no", "550 5.7.1 no\r\n"},
    {PROBLEM_PERM, 250, "2.0.0", "a bug must not accept", "554 5.0.0 a bug must not accept\r\n"},
    {PROBLEM_TEMP, 451, "5.7.1", "mixed", "451 4.7.1 mixed\r\n"},
    {PROBLEM_PERM, 552, "5.3.4", "", "552 5.3.4 Not accepted.\r\n"},
};

START_TEST(from_problem)
{
	struct problem pr;
	struct buf b;

	problem_set(&pr, problems[_i].cls, problems[_i].code, problems[_i].enh, "", "%s", problems[_i].text);
	buf_init(&b, 1000);
	ck_assert_int_eq(smtpd_reply_problem(&b, &pr, false), 0);
	ck_assert_str_eq(buf_str(&b), problems[_i].want);
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpd_reply");
	TCase *t = tcase_create("smtpd_reply");

	tcase_add_loop_test(t, lines, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, utf8);
	tcase_add_test(t, long_texts);
	tcase_add_test(t, no_room);
	tcase_add_loop_test(t, from_problem, 0, (int)(sizeof problems / sizeof problems[0]));
	suite_add_tcase(s, t);
	return suite_run(s);
}
