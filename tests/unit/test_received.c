/* received.c: fields counted, our own host found, the same for any split of the input. */
#include "gateway/mail/received.h"

#include <check.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *in;
	uint64_t count, own;
} cases[] = {
    {"", 0, 0},
    {"\r\nReceived: by gw.a\r\n", 0, 0},
    {"Subject: x\r\n\r\nReceived: by gw.a\r\n", 0, 0},
    {"Received: by gw.a\r\n", 1, 1},
    {"received:BY GW.A.\r\n", 1, 1},
    {"Received \t: from x by gw.a; date\r\n", 1, 1},
    {"Received: from x (by gw.a) by other with ESMTP\r\n", 1, 0},
    {"Received: from x (a (b\\)) c) by(x)gw.a(y)\r\n", 1, 1},
    {"Received: from gw.a by other\r\n\tfor <by@gw.a>\r\n", 1, 0},
    {"Received: from x\r\n\tby\r\n gw.a\r\n", 1, 1},
    {"Received: by\r\nX: gw.a\r\n", 1, 0},
    {"Received: by gw.a by gw.a\r\n", 1, 1},
    {"Received: by gw.a\r\nX: y\r\n by gw.a\r\nReceived: by gw.a", 2, 1},
    {"X-Received: by gw.a\r\nReceivedx: by gw.a\r\nReceive: by gw.a\r\nReceived by gw.a\r\n", 0, 0},
    {"Received: (by gw.a\r\nReceived: by gw.a\r\n", 2, 1},
    {"Received: by gw.ab\r\nReceived: by xgw.a\r\nReceived: by gw\r\n", 3, 0},
    {"X: a\r\nReceived: by b\r\n\r\nReceived: by gw.a\r\n", 1, 0},
};

START_TEST(counts)
{
	const char *in = cases[_i].in;
	size_t n = strlen(in);

	for (size_t k = 0; k <= n; k++) {
		struct received r;

		received_init(&r, "gw.a");
		received_feed(&r, in, k);
		received_feed(&r, in + k, n - k);
		ck_assert_uint_eq(r.count, cases[_i].count);
		ck_assert_uint_eq(r.own, cases[_i].own);
	}
}
END_TEST

START_TEST(long_word)
{
	struct received r;

	received_init(&r, "gw.a");
	received_feed(&r, "Received: ", 10);
	for (int i = 0; i < 1000; i++)
		received_feed(&r, "b", 1);
	received_feed(&r, " by gw.a\r\n", 10);
	ck_assert_uint_eq(r.own, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("received");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, counts, 0, (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(t, long_word);
	suite_add_tcase(s, t);
	return suite_run(s);
}
