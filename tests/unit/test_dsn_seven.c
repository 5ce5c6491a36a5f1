/* Reports of ours in 7 bits, as dsn_write makes them; and what is none. */
#include "gateway/mail/dsn_seven.h"

#include "gateway/mail/dsn.h"
#include "tests/unit/slow_reader.h"

static struct buf report, out;

static void setup(void)
{
	buf_init(&report, 2 << 20);
	buf_init(&out, 4 << 20);
}

static void teardown(void)
{
	buf_clear(&report);
	buf_clear(&out);
}

static void make(const char *whole)
{
	struct dsn_rcpt r = {.action = DSN_FAILED,
	    .address = "a@lab.example",
	    .status = "5.1.1",
	    .sentence = "Content-Type: message/rfc822 Content-Transfer-Encoding: 8bit"};
	struct dsn d = {.reporting_mta = "gw.hospital.example",
	    .postmaster = "postmaster@hospital.example",
	    .to = "bob@hospital.example",
	    .queue_id = "Q123",
	    .message_id = "<1@gw.hospital.example>",
	    .now = 1700000000,
	    .arrived = 1699990000,
	    .rcpts = &r,
	    .nrcpts = 1};
	struct stream_mem m;
	struct stream_buf w;

	if (whole) {
		stream_mem_init(&m, whole, strlen(whole));
		d.full = &m.reader;
	}
	stream_buf_init(&w, &report);
	ck_assert_int_eq(dsn_write(&d, &w.writer, NULL), 0);
}

static int seven(const void *p, size_t n)
{
	struct stream_mem m;
	struct stream_buf w;
	struct problem pr = {0};
	int err;

	buf_reset(&out);
	stream_mem_init(&m, p, n);
	stream_buf_init(&w, &out);
	err = dsn_seven(&m.reader, &w.writer, &pr);
	ck_assert_int_eq(err != 0, pr.cls != PROBLEM_NONE);
	return err;
}

START_TEST(test_whole)
{
	make("Subject: x\r\n\r\n\xc3\xa4\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n");
	ck_assert_int_eq(seven(report.p, report.len), 0);
	for (size_t i = 0; i < out.len; i++)
		ck_assert_uint_lt(out.p[i], 0x80);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\r\nContent-Transfer-Encoding: 7bit\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out),
	    "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n"
	    "Content-Description: The message\r\n\r\n"
	    "U3ViamVjdDogeA0KDQrDpA0KQ29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMg0KQ29udGVudC1U\r\n"));
	ck_assert_ptr_null(strstr(buf_str(&out), "message/rfc822\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\r\n--=_report_Q123_0--\r\n"));
}
END_TEST

START_TEST(test_none)
{
	static const char odd[] = "Content-Transfer-Encoding: 8bit\r\nboundary=\"x";

	make(NULL);
	ck_assert_int_eq(seven(report.p, report.len), -1);
	ck_assert_int_eq(seven(odd, sizeof odd - 1), -1);
	ck_assert_int_eq(seven("", 0), -1);
	ck_assert_int_eq(seven("\r\n\r\n", 4), -1);
}
END_TEST

/* A boundary longer than any of ours is not looked for. */
START_TEST(test_long_boundary)
{
	char text[512];

	for (int n = 60; n <= 100; n++) {
		snprintf(text, sizeof text,
		    "MIME-Version: 1.0\r\n"
		    "Content-Transfer-Encoding: 8bit\r\nContent-Type: multipart/report; boundary=\"%0*d\"\r\n\r\n"
		    "--%0*d\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nA: b\r\n\r\n"
		    "--%0*d--\r\n",
		    n, 0, n, 0, n, 0);
		ck_assert_msg((seven(text, strlen(text)) == 0) == (n <= 90), "%d", n);
	}
}
END_TEST

/* Cut anywhere, it is none, and nothing is read behind it. */
START_TEST(test_cut)
{
	make("Subject: x\r\n\r\n\xc3\xa4\r\n");
	for (size_t n = 1; n < report.len - 4; n++) {
		char *p = malloc(n);

		ck_assert_ptr_nonnull(p);
		memcpy(p, report.p, n);
		ck_assert_int_eq(seven(p, n), -1);
		free(p);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dsn_seven");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_whole);
	tcase_add_test(t, test_none);
	tcase_add_test(t, test_long_boundary);
	tcase_add_test(t, test_cut);
	suite_add_tcase(s, t);
	return suite_run(s);
}
