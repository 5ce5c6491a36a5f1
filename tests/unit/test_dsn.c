/* dsn.c: a report that our own MIME reader takes apart, whatever the values in it try. */
#include "gateway/mail/dsn.h"

#include "gateway/mail/mime.h"
#include "tests/unit/slow_reader.h"

static struct arena *arena;
static struct buf out;

static void setup(void)
{
	arena = arena_new(1 << 20);
	buf_init(&out, 1 << 20);
}

static void teardown(void)
{
	arena_free(arena);
	buf_clear(&out);
}

static void write_dsn(const struct dsn *d)
{
	struct stream_buf w;

	buf_reset(&out);
	stream_buf_init(&w, &out);
	ck_assert_int_eq(dsn_write(d, &w.writer, NULL), 0);
}

/* The body of part `which`, as text. */
static const char *part(size_t which, size_t want_parts, struct mime_entity *e_r)
{
	struct mime_range *parts;
	struct mime_entity e;
	struct mime_facts f;
	struct stream_mem m;
	size_t n;

	stream_mem_init(&m, out.p, out.len);
	ck_assert_int_eq(mime_facts(arena, &m.reader, 0, out.len, &mime_limits_default, &f, NULL), 0);
	ck_assert(f.report && !f.eight_bit && !f.nul && !f.bare);
	ck_assert_uint_le(f.longest_line, 998);
	ck_assert_int_eq(mime_entity_read(arena, &m.reader, 0, out.len, &mime_limits_default, &e, NULL), 0);
	ck_assert_str_eq(mime_param(&e.type, "report-type"), "delivery-status");
	ck_assert_int_eq(mime_parts(arena, &m.reader, &e, &mime_limits_default, &parts, &n, NULL), 0);
	ck_assert_uint_eq(n, want_parts);
	ck_assert_int_eq(
	    mime_entity_read(arena, &m.reader, parts[which].off, parts[which].len, &mime_limits_default, e_r, NULL),
	    0);
	return arena_dup(arena, out.p + e_r->body_off, e_r->body_len);
}

static struct dsn_rcpt rcpts[] = {
    {.action = DSN_FAILED,
	.address = "a@lab.example",
	.status = "5.1.1",
	.diagnostic = "550 5.1.1 no such user",
	.remote_mta = "mx.lab.example",
	.sentence = "There is no such mailbox."},
    {.address = "b@lab.example", .status = "5.4.7", .sentence = "It could not be delivered within 5 days."},
};

static struct dsn example(void)
{
	static const char header[] = "From: bob@hospital.example\r\nSubject: x\r\n\ty\r\n\r\nSECRET BODY\r\n";
	struct dsn d = {.reporting_mta = "gw.hospital.example",
	    .postmaster = "postmaster@hospital.example",
	    .to = "bob@hospital.example",
	    .queue_id = "Q123",
	    .message_id = "<1@gw.hospital.example>",
	    .now = 1700000000,
	    .arrived = 1699990000,
	    .rcpts = rcpts,
	    .nrcpts = 2,
	    .header = header,
	    .header_len = sizeof(header) - 1};

	return d;
}

START_TEST(test_failed)
{
	struct dsn d = example();
	struct mime_entity e;
	const char *text;

	write_dsn(&d);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "To: <bob@hospital.example>\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Auto-Submitted: auto-replied\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Message-ID: <1@gw.hospital.example>\r\n"));
	ck_assert_ptr_null(strstr(buf_str(&out), "SECRET"));
	text = part(0, 3, &e);
	ck_assert(mime_is(&e.type, "text", "plain"));
	ck_assert_ptr_nonnull(strstr(text, "<a@lab.example>\r\nThere is no such mailbox.\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "could not be delivered"));
	text = part(1, 3, &e);
	ck_assert(mime_is(&e.type, "message", "delivery-status"));
	ck_assert_str_eq(text, "Reporting-MTA: dns; gw.hospital.example\r\n"
			       "X-Postern-Queue-ID: Q123\r\n"
			       "Arrival-Date: Tue, 14 Nov 2023 19:26:40 +0000\r\n"
			       "\r\n"
			       "Final-Recipient: rfc822; a@lab.example\r\n"
			       "Action: failed\r\n"
			       "Status: 5.1.1\r\n"
			       "Remote-MTA: dns; mx.lab.example\r\n"
			       "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
			       "\r\n"
			       "Final-Recipient: rfc822; b@lab.example\r\n"
			       "Action: failed\r\n"
			       "Status: 5.4.7\r\n");
	text = part(2, 3, &e);
	ck_assert(mime_is(&e.type, "text", "rfc822-headers"));
	ck_assert_str_eq(text, "From: bob@hospital.example\r\nSubject: x\r\n\ty\r\n");
}
END_TEST

START_TEST(test_delayed)
{
	struct dsn d = example();
	struct mime_entity e;

	struct dsn_rcpt late = rcpts[1];

	late.action = DSN_DELAYED;
	late.retry_until = 1700400000;
	d.rcpts = &late;
	d.nrcpts = 1;
	d.header = NULL;
	write_dsn(&d);
	ck_assert_ptr_nonnull(strstr(part(0, 2, &e), "has not yet been delivered"));
	ck_assert_ptr_nonnull(strstr(part(1, 2, &e), "Action: delayed\r\n"));
	ck_assert_ptr_nonnull(strstr(part(1, 2, &e), "Will-Retry-Until: Sun, 19 Nov 2023 13:20:00 +0000\r\n"));
}
END_TEST

START_TEST(test_hostile)
{
	static const char header[] =
	    "Subject: \xc3\xa4\x01 x\n--=_report_Q123_0\r\n--=_report_Q123_0--\r\nA: b\rC: d";
	struct dsn_rcpt bad = {.address = "a@x\r\nAction: delivered",
	    .status = "5.0.0",
	    .diagnostic = "550 no\r\n\r\n--=_report_Q123_0--\r\n\xff",
	    .remote_mta = "x\ny",
	    .sentence = NULL};
	struct dsn d = example();
	struct mime_entity e;
	const char *text;

	d.rcpts = &bad;
	d.nrcpts = 1;
	d.header = header;
	d.header_len = sizeof(header) - 1;
	/* folded, the words of a host begin a line with the boundary that it foresaw */
	bad.sentence = "mx.test said to the content: 550 5.7.1 so it is, xxxxxxxxxxxxxxxxxx --=_report_Q123_1-- "
		       "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
	write_dsn(&d);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\r\n--=_report_Q123_1--\r\nyyy"));
	text = part(1, 3, &e);
	ck_assert_ptr_nonnull(strstr(text, "Final-Recipient: rfc822; a@x Action: delivered\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Diagnostic-Code: smtp; 550 no --=_report_Q123_0-- ?\r\n"));
	ck_assert_str_eq(
	    part(2, 3, &e), "Subject: ??? x\r\n--=_report_Q123_0\r\n--=_report_Q123_0--\r\nA: b?C: d\r\n");
}
END_TEST

/* ENVID and ORCPT decoded, each recipient with its own action, one group of words for each. */
START_TEST(test_asked_for)
{
	struct dsn_rcpt v[] = {
	    {.action = DSN_RELAYED,
		.address = "a@lab.example",
		.orcpt = "rfc822;A+2BB@lab.example",
		.status = "2.0.0"},
	    {.action = DSN_FAILED,
		.address = "b@lab.example",
		.orcpt = "rfc822;x+0D+0AAction:+20y",
		.status = "5.1.1"},
	    {.action = DSN_DELIVERED, .address = "c@lab.example", .orcpt = "broken", .status = "2.0.0"},
	    {.action = DSN_EXPANDED, .address = "d@lab.example", .status = "2.0.0"},
	};
	struct dsn d = example();
	struct mime_entity e;
	const char *text;

	d.rcpts = v;
	d.nrcpts = 4;
	d.envid = "QQ+3D314";
	write_dsn(&d);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Subject: Your message could not be delivered\r\n"));
	text = part(0, 3, &e);
	ck_assert_ptr_nonnull(strstr(text, "does not confirm"));
	ck_assert_ptr_nonnull(strstr(text, "was delivered to"));
	text = part(1, 3, &e);
	ck_assert_ptr_eq(strstr(text, "Original-Envelope-Id: QQ=314\r\n"), text);
	ck_assert_ptr_nonnull(strstr(text, "Original-Recipient: rfc822; A+B@lab.example\r\n"
					   "Final-Recipient: rfc822; a@lab.example\r\nAction: relayed\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Original-Recipient: rfc822; x Action: y\r\n"));
	ck_assert_ptr_nonnull(
	    strstr(text, "\r\n\r\nFinal-Recipient: rfc822; c@lab.example\r\nAction: delivered\r\n"));
	ck_assert_ptr_nonnull(strstr(text, "Action: expanded\r\n"));
}
END_TEST

/* RFC 6533: only when the sender's path takes it; else the address is escaped. */
START_TEST(test_global)
{
	static const char header[] = "Subject: J\xc3\xb6rg \xff\r\n";
	struct dsn_rcpt r = {
	    .action = DSN_FAILED, .address = "j\xc3\xb6rg@lab.example", .status = "5.1.1", .sentence = "no\r\nsuch"};
	struct dsn d = example();

	d.rcpts = &r;
	d.nrcpts = 1;
	d.header = header;
	d.header_len = sizeof header - 1;
	ck_assert(!dsn_global(&d));
	write_dsn(&d);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Final-Recipient: utf-8; j\\x{F6}rg@lab.example\r\n"));
	for (size_t i = 0; i < out.len; i++)
		ck_assert_uint_lt(out.p[i], 0x80);
	d.utf8 = true;
	ck_assert(dsn_global(&d) && !dsn_needs_utf8(&d));
	write_dsn(&d); /* for a server without 8BITMIME and SMTPUTF8 */
	for (size_t i = 0; i < out.len; i++)
		ck_assert_uint_lt(out.p[i], 0x80);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Type: message/global-delivery-status\r\n"
						    "Content-Transfer-Encoding: quoted-printable\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Final-Recipient: utf-8; j=C3=B6rg@lab.example\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Type: message/global-headers\r\n"
						    "Content-Transfer-Encoding: quoted-printable\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Subject: J=C3=B6rg ?\r\n"));
	d.to = "\xc3\xa9va@hospital.example";
	ck_assert(dsn_needs_utf8(&d));
	write_dsn(&d);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "report-type=global-delivery-status"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Type: message/global-delivery-status\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Type: message/global-headers\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Final-Recipient: utf-8; j\xc3\xb6rg@lab.example\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Subject: J\xc3\xb6rg ?\r\n"));
	r.address = "a@lab.example";
	d.to = "bob@hospital.example";
	ck_assert(!dsn_global(&d));
	write_dsn(&d); /* its header beyond ASCII is not lost all the same */
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Type: message/delivery-status\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Subject: J=C3=B6rg ?\r\n"));
}
END_TEST

/* A whole message that came with SMTPUTF8 goes back in 7 bits too. */
START_TEST(test_full_utf8)
{
	static const char whole[] = "Subject: J\xc3\xb6rg\r\n\r\n\xc3\xa4\r\n";
	struct dsn d = example();
	struct stream_mem m;

	stream_mem_init(&m, whole, sizeof whole - 1);
	d.full = &m.reader;
	d.utf8 = true;
	write_dsn(&d);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Type: message/global\r\n"
						    "Content-Transfer-Encoding: base64\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "\r\n\r\nU3ViamVjdDogSsO2cmcNCg0Kw6QNCg==\r\n"));
	for (size_t i = 0; i < out.len; i++)
		ck_assert_uint_lt(out.p[i], 0x80);
}
END_TEST

START_TEST(test_full)
{
	static const char whole[] = "Subject: x\r\n\r\n--=_report_Q123_0\r\nBODY\r\n";
	struct dsn d = example();
	struct stream_mem m;
	struct stream_buf w;

	stream_mem_init(&m, whole, sizeof whole - 1);
	d.full = &m.reader;
	buf_reset(&out);
	stream_buf_init(&w, &out);
	ck_assert_int_eq(dsn_write(&d, &w.writer, NULL), 0);
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "boundary=\"=_report_Q123_1\""));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), "Content-Type: message/rfc822\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&out), whole));
	ck_assert_ptr_null(strstr(buf_str(&out), "is not part of this report"));
}
END_TEST

START_TEST(test_long_lines)
{
	struct dsn d = example();
	struct mime_entity e;
	char *header = malloc(20000);

	memset(header, 'x', 20000);
	memcpy(header, "Subject: ", 9);
	d.header = header;
	d.header_len = 20000;
	write_dsn(&d);
	ck_assert_uint_ge(strlen(part(2, 3, &e)), 20000);
	free(header);
}
END_TEST

static int no_write(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	(void)w, (void)p, (void)n;
	return problem_temp(pr, "full");
}

START_TEST(test_writer_fails)
{
	struct writer w = {.write = no_write};
	struct dsn d = example();
	struct problem pr;

	ck_assert_int_eq(dsn_write(&d, &w, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dsn");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_failed);
	tcase_add_test(t, test_delayed);
	tcase_add_test(t, test_hostile);
	tcase_add_test(t, test_asked_for);
	tcase_add_test(t, test_global);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_full_utf8);
	tcase_add_test(t, test_long_lines);
	tcase_add_test(t, test_writer_fails);
	suite_add_tcase(s, t);
	return suite_run(s);
}
