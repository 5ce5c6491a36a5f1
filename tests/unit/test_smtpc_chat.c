/* The reply parser: every form of reply and of what is none, whole and split at every octet. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/smtp/smtpc_chat.h"

#include "tests/unit/suite.h"

struct row {
	const char *in;
	size_t n; /* 0 = strlen */
	int want; /* 1 complete, 0 needs more, -1 bad */
	int code;
	const char *enh, *text; /* text: lines with '\n' */
	size_t left;		/* octets behind the reply */
};

static const struct row rows[] = {
    {"220 mx.test ready\r\n", 0, 1, 220, "", "mx.test ready", 0},
    {"250\r\n", 0, 1, 250, "", "", 0},
    {"250 \r\n", 0, 1, 250, "", "", 0},
    {"250-mx.test\r\n250-SIZE 1000\r\n250 STARTTLS\r\n", 0, 1, 250, "", "mx.test\nSIZE 1000\nSTARTTLS", 0},
    {"250-a\r\n250\r\n", 0, 1, 250, "", "a\n", 0},
    {"550 5.1.1 no such user\r\n", 0, 1, 550, "5.1.1", "5.1.1 no such user", 0},
    {"550 5.1.1\r\n", 0, 1, 550, "5.1.1", "5.1.1", 0},
    {"452 4.5.300 x\r\n", 0, 1, 452, "4.5.300", "4.5.300 x", 0},
    {"550 4.1.1 class differs\r\n", 0, 1, 550, "", "4.1.1 class differs", 0},
    {"550 5.1.1x\r\n", 0, 1, 550, "", "5.1.1x", 0},
    {"550 5.1000.1 x\r\n", 0, 1, 550, "", "5.1000.1 x", 0},
    {"550 5.1. x\r\n", 0, 1, 550, "", "5.1. x", 0},
    {"550 5.\r\n", 0, 1, 550, "", "5.", 0},
    {"250 ok\r\n250 next\r\n", 0, 1, 250, "", "ok", 10},
    {"250 tab\there \x01\x7f\xc3\xa9\r\n", 0, 1, 250, "", "tab here ????", 0},
    {"", 0, 0, 0, NULL, NULL, 0},
    {"25", 0, 0, 0, NULL, NULL, 0},
    {"250 no end", 0, 0, 0, NULL, NULL, 0},
    {"250 cr only\r", 0, 0, 0, NULL, NULL, 0},
    {"250-more to come\r\n", 0, 0, 0, NULL, NULL, 0},
    {"250 bare lf\n", 0, -1, 0, NULL, NULL, 0},
    {"250 bare\rcr\r\n", 0, -1, 0, NULL, NULL, 0},
    {"250 n\0ul\r\n", 11, -1, 0, NULL, NULL, 0},
    {"\r\n", 0, -1, 0, NULL, NULL, 0},
    {"25\r\n", 0, -1, 0, NULL, NULL, 0},
    {"250x\r\n", 0, -1, 0, NULL, NULL, 0},
    {"2500 ok\r\n", 0, -1, 0, NULL, NULL, 0},
    {"150 no class 1\r\n", 0, -1, 0, NULL, NULL, 0},
    {"650 no class 6\r\n", 0, -1, 0, NULL, NULL, 0},
    {"260 no second digit over 5\r\n", 0, -1, 0, NULL, NULL, 0},
    {"hello there\r\n", 0, -1, 0, NULL, NULL, 0},
    {"HTTP/1.1 400 Bad Request\r\n", 0, -1, 0, NULL, NULL, 0},
    {"250-a\r\n251 b\r\n", 0, -1, 0, NULL, NULL, 0},
    {"250-a\r\nb\r\n", 0, -1, 0, NULL, NULL, 0},
};

static void judge(const struct row *r, size_t i, struct smtpc_chat *h, int got, size_t left)
{
	ck_assert_msg(got == r->want, "row %zu: %d, wanted %d (%s)", i, got, r->want, h->why);
	if (got < 0)
		ck_assert_msg(h->why[0], "row %zu: no reason", i);
	if (got <= 0)
		return;
	ck_assert_int_eq(h->reply.code, r->code);
	ck_assert_str_eq(h->reply.enh, r->enh);
	ck_assert_str_eq(buf_str(&h->reply.text), r->text);
	ck_assert_uint_eq(left, r->left);
}

START_TEST(whole)
{
	const struct row *r = &rows[_i];
	size_t n = r->n ? r->n : strlen(r->in), used;
	struct smtpc_chat h;

	smtpc_chat_init(&h, 512, 10);

	int got = smtpc_chat_feed(&h, (const uint8_t *)r->in, n, &used);

	judge(r, (size_t)_i, &h, got, n - used);
	smtpc_chat_clear(&h);
}
END_TEST

/* As the connection does it: what was not taken is given again, with one octet more. */
START_TEST(octet_by_octet)
{
	const struct row *r = &rows[_i];
	size_t n = r->n ? r->n : strlen(r->in), at = 0, end = 0, used;
	struct smtpc_chat h;
	int got = 0;

	smtpc_chat_init(&h, 512, 10);
	while (got == 0 && end < n) {
		end++;
		got = smtpc_chat_feed(&h, (const uint8_t *)r->in + at, end - at, &used);
		at += used;
	}
	judge(r, (size_t)_i, &h, got, n - at);
	smtpc_chat_clear(&h);
}
END_TEST

START_TEST(limits)
{
	struct smtpc_chat h;
	char line[700];
	size_t used;

	smtpc_chat_init(&h, 512, 10);
	memset(line, 'a', sizeof line);
	memcpy(line, "250 ", 4);
	/* 512 octets and CRLF are in, one more is not, whether or not its end is to be seen */
	memcpy(line + 512, "\r\n", 2);
	ck_assert_int_eq(smtpc_chat_feed(&h, (uint8_t *)line, 514, &used), 1);
	line[512] = 'a';
	memcpy(line + 513, "\r\n", 2);
	ck_assert_int_eq(smtpc_chat_feed(&h, (uint8_t *)line, 515, &used), -1);
	smtpc_chat_clear(&h);
	smtpc_chat_init(&h, 512, 10);
	ck_assert_int_eq(smtpc_chat_feed(&h, (uint8_t *)line, 513, &used), -1);
	smtpc_chat_clear(&h);

	smtpc_chat_init(&h, 512, 10);
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(smtpc_chat_feed(&h, (const uint8_t *)"250-x\r\n", 7, &used), 0);
	ck_assert_int_eq(smtpc_chat_feed(&h, (const uint8_t *)"250 x\r\n", 7, &used), -1);
	smtpc_chat_clear(&h);
}
END_TEST

/* Many lines within the limits of each, too much in all. */
START_TEST(total)
{
	struct smtpc_chat h;
	char line[2002];
	size_t used;
	int r = 0, n = 0;

	memset(line, 'a', sizeof line);
	memcpy(line, "250-", 4);
	memcpy(line + 2000, "\r\n", 2);
	smtpc_chat_init(&h, 2048, 1000);
	for (; r == 0 && n < 100; n++)
		r = smtpc_chat_feed(&h, (uint8_t *)line, sizeof line, &used);
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(n, SMTPC_CHAT_TEXT_MAX / 1997 + 1);
	smtpc_chat_clear(&h);
}
END_TEST

START_TEST(one_after_the_other)
{
	static const char in[] = "250-a\r\n250 b\r\n550 5.7.1 no\r\n354 go\r\n";
	struct smtpc_chat h;
	size_t used, at = 0;
	char words[SMTPC_CHAT_WORDS];

	smtpc_chat_init(&h, 512, 10);
	ck_assert_int_eq(smtpc_chat_feed(&h, (const uint8_t *)in, strlen(in), &used), 1);
	ck_assert_str_eq(smtpc_chat_words(&h.reply, words), "250 a b");
	ck_assert_uint_eq(h.reply.lines, 2);
	at += used;
	ck_assert_int_eq(smtpc_chat_feed(&h, (const uint8_t *)in + at, strlen(in) - at, &used), 1);
	ck_assert_str_eq(smtpc_chat_words(&h.reply, words), "550 5.7.1 no");
	ck_assert_str_eq(h.reply.enh, "5.7.1");
	at += used;
	ck_assert_int_eq(smtpc_chat_feed(&h, (const uint8_t *)in + at, strlen(in) - at, &used), 1);
	ck_assert_int_eq(h.reply.code, 354);
	ck_assert_str_eq(h.reply.enh, "");
	ck_assert_uint_eq(at + used, strlen(in));
	smtpc_chat_clear(&h);
}
END_TEST

START_TEST(long_words_are_cut)
{
	struct smtpc_chat h;
	char line[500], words[SMTPC_CHAT_WORDS];
	size_t used;

	memset(line, 'a', sizeof line);
	memcpy(line, "250 ", 4);
	memcpy(line + 498, "\r\n", 2);
	smtpc_chat_init(&h, 512, 10);
	ck_assert_int_eq(smtpc_chat_feed(&h, (uint8_t *)line, sizeof line, &used), 1);
	ck_assert_uint_eq(strlen(smtpc_chat_words(&h.reply, words)), SMTPC_CHAT_WORDS - 1);
	smtpc_chat_clear(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_chat");
	TCase *t = tcase_create("replies");
	int n = (int)(sizeof rows / sizeof rows[0]);

	tcase_add_loop_test(t, whole, 0, n);
	tcase_add_loop_test(t, octet_by_octet, 0, n);
	tcase_add_test(t, limits);
	tcase_add_test(t, total);
	tcase_add_test(t, one_after_the_other);
	tcase_add_test(t, long_words_are_cut);
	suite_add_tcase(s, t);
	return suite_run(s);
}
