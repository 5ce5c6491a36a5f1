/* Delivery reports of other servers, as they write them: what is read, what is passed over, and that nothing but
 * printable text comes out. */
#include "gateway/mail/dsn_read.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct dsn_read d;

static int read_text(const char *s)
{
	return dsn_read_status(s, strlen(s), &d);
}

START_TEST(test_postfix)
{
	ck_assert_int_eq(read_text("Reporting-MTA: dns; mail.lab.example\r\n"
				   "Original-Envelope-Id: env+one\r\n"
				   "X-Postfix-Queue-ID: 2A1B\r\n"
				   "Arrival-Date: Sun, 22 Nov 2026 08:00:00 +0000 (UTC)\r\n"
				   "\r\n"
				   "Final-Recipient: rfc822; bob@Lab.Example\r\n"
				   "Original-Recipient: rfc822;Bob+1@lab.example\r\n"
				   "Action: failed\r\n"
				   "Status: 5.1.1\r\n"
				   "Remote-MTA: dns; store.lab.example\r\n"
				   "Diagnostic-Code: smtp; 550 5.1.1 <bob@lab.example>:\r\n"
				   "    Recipient address rejected\r\n"
				   "\r\n"
				   "Final-Recipient: rfc822; eve@lab.example\r\n"
				   "Action: delayed\r\n"
				   "Status: 4.4.1\r\n"
				   "Will-Retry-Until: Fri, 27 Nov 2026 08:00:00 +0000\r\n"),
	    0);
	ck_assert_str_eq(d.mta, "mail.lab.example");
	ck_assert_str_eq(d.envid, "env+one");
	ck_assert_uint_eq(d.nrcpts, 2);
	ck_assert_int_eq(d.rcpts[0].action, DSN_FAILED);
	ck_assert_str_eq(d.rcpts[0].final, "bob@lab.example");
	ck_assert_str_eq(d.rcpts[0].original, "Bob+1@lab.example");
	ck_assert_str_eq(d.rcpts[0].status, "5.1.1");
	ck_assert_str_eq(d.rcpts[0].diagnostic, "550 5.1.1 <bob@lab.example>: Recipient address rejected");
	ck_assert_int_eq(d.rcpts[1].action, DSN_DELAYED);
	ck_assert_str_eq(d.rcpts[1].final, "eve@lab.example");
	ck_assert_str_eq(d.rcpts[1].original, "");
	ck_assert_str_eq(d.rcpts[1].diagnostic, "");
}
END_TEST

/* LF lines, several empty ones, no blank behind colons, capitals, brackets, a comment, no types, fields of the
 * message among the recipient's. */
START_TEST(test_untidy)
{
	ck_assert_int_eq(
	    read_text("\n\nREPORTING-MTA:mail.lab.example\n\n\n\nfinal-recipient:RFC822;<bob@lab.example>\n"
		      "Action:FAILED (really)\nStatus: 5.0.0 (no idea)\nOriginal-Envelope-ID:x\n\n\n"),
	    0);
	ck_assert_uint_eq(d.nrcpts, 1);
	ck_assert_str_eq(d.mta, "mail.lab.example");
	ck_assert_str_eq(d.envid, "x");
	ck_assert_str_eq(d.rcpts[0].final, "bob@lab.example");
	ck_assert_str_eq(d.rcpts[0].status, "5.0.0");
}
END_TEST

static const struct {
	const char *action;
	int want;
} actions[] = {{"failed", DSN_FAILED}, {"delayed", DSN_DELAYED}, {"delivered", DSN_DELIVERED},
    {"relayed", DSN_RELAYED}, {"expanded", DSN_EXPANDED}, {"", -1}, {"fail", -1}, {"failedly", -1}, {"deleted", -1}};

START_TEST(test_actions)
{
	char text[200];

	snprintf(text, sizeof text, "Final-Recipient: rfc822; a@b.example\r\nAction: %s\r\n", actions[_i].action);
	ck_assert_int_eq(read_text(text), actions[_i].want < 0 ? -1 : 0);
	ck_assert_uint_eq(d.nrcpts, actions[_i].want >= 0);
	if (actions[_i].want >= 0)
		ck_assert_int_eq(d.rcpts[0].action, actions[_i].want);
}
END_TEST

static const struct {
	const char *typed, *want; /* NULL: none */
} addresses[] = {{"rfc822;a@b.example", "a@b.example"}, {" RFC822 ; <A@B.Example> ", "A@b.example"},
    {"a@b.example", "a@b.example"}, {"utf-8; j\xc3\xb6rg@b.example", "j\xc3\xb6rg@b.example"},
    {"utf-8; j\\x{F6}rg@b.example", "j\xc3\xb6rg@b.example"},
    {"utf-8;a@b\xc3\xbc"
     "cher.example",
	"a@xn--bbcher-n2a.example"},
    {"rfc822;\"a b\"@b.example", "\"a b\"@b.example"}, {"x400;/G=a/S=b/", NULL}, {"unknown; a@b.example", NULL},
    {"", NULL}, {";", NULL}, {"rfc822;", NULL}, {"rfc822; a", NULL}, {"rfc822; postmaster", NULL},
    {"rfc822; a@b.example, c@d.example", NULL}, {"rfc822; a@b.example\r\nX: y", NULL},
    {"rfc822; @x:a@b.example", NULL}, {"utf-8; \\x{0}a@b.example", NULL}, {"utf-8; \\x{D800}a@b.example", NULL},
    {"utf-8; \\x{110000}a@b.example", NULL}, {"utf-8; \xff@b.example", NULL}};

START_TEST(test_addresses)
{
	char got[ADDRESS_TEXT_MAX];
	int rc = dsn_read_address(addresses[_i].typed, got);

	if (addresses[_i].want && strncmp(addresses[_i].want, "a@xn--", 6) == 0) {
		ck_assert_int_eq(rc, 0);
		ck_assert_int_eq(strncmp(got, "a@xn--", 6), 0);
		return;
	}
	ck_assert_int_eq(rc, addresses[_i].want ? 0 : -1);
	ck_assert_str_eq(got, addresses[_i].want ? addresses[_i].want : "");
}
END_TEST

static const struct {
	const char *text, *want;
} statuses[] = {{"5.1.1", "5.1.1"}, {" 4.123.456", "4.123.456"}, {"5.1", ""}, {"5.1.1234", ""}, {"55.1.1", ""},
    {"5.1.1x", ""}, {"", ""}, {"5.1.1 x", "5.1.1"}, {"5..1", ""}};

START_TEST(test_statuses)
{
	char text[200];

	snprintf(text, sizeof text, "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus:%s\r\n",
	    statuses[_i].text);
	ck_assert_int_eq(read_text(text), 0);
	ck_assert_str_eq(d.rcpts[0].status, statuses[_i].want);
}
END_TEST

/* Texts end where they must and have nothing that a log, a header or a terminal would obey. */
START_TEST(test_texts)
{
	static const char *const head =
	    "Final-Recipient: rfc822; a@b.example\r\nAction: failed\r\nDiagnostic-Code: smtp; ";
	char *text = malloc(20000);

	strcpy(text, head);
	memset(text + strlen(head), 'x', 10000);
	strcpy(text + strlen(head) + 10000, "\x1b[2J\xc3\xa4\r\nReporting-MTA: dns; a\x07"
					    "b\t \tc\r\n");
	ck_assert_int_eq(read_text(text), 0);
	ck_assert_uint_eq(strlen(d.rcpts[0].diagnostic), DSN_READ_TEXT_MAX - 1);
	ck_assert_str_eq(d.mta, "a?b c");
	free(text);
	static const char nul[] =
	    "Action: failed\0\r\nFinal-Recipient: rfc822; a@b.example\r\nDiagnostic-Code: x; a\0b";

	ck_assert_int_eq(dsn_read_status(nul, sizeof nul - 1, &d), 0);
	ck_assert_str_eq(d.rcpts[0].diagnostic, "a?b");

	/* an ENVID that is too long is none: half of it might be another's */
	char longer[400] = "Original-Envelope-Id: ";

	memset(longer + strlen(longer), 'e', 101);
	strcat(longer, "\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n");
	ck_assert_int_eq(read_text(longer), 0);
	ck_assert_str_eq(d.envid, "");
}
END_TEST

START_TEST(test_many)
{
	char *text = calloc(1, 200 * 80);

	for (int i = 0; i < 200; i++)
		(void)snprintf(
		    text + strlen(text), 80, "\nFinal-Recipient: rfc822; a%d@b.example\nAction: failed\n", i);
	ck_assert_int_eq(read_text(text), 0);
	ck_assert_uint_eq(d.nrcpts, DSN_READ_RCPTS);
	ck_assert_str_eq(d.rcpts[DSN_READ_RCPTS - 1].final, "a31@b.example");
	free(text);
}
END_TEST

static const char *const nothing[] = {"", "\r\n\r\n", "no field", "Reporting-MTA: dns; a\r\n\r\n",
    "Final-Recipient: rfc822; a@b.example\r\n\r\nAction: failed\r\n", ": \r\n:", "\xff\xfe\0", "Action: failed\r\n",
    " Final-Recipient: rfc822; a@b.example\r\n Action: failed\r\n"};

START_TEST(test_nothing)
{
	ck_assert_int_eq(read_text(nothing[_i]), -1);
	ck_assert_uint_eq(d.nrcpts, 0);
}
END_TEST

static const struct {
	const char *header, *want;
} ids[] = {{"Message-ID: <1@a.example>\r\n", "<1@a.example>"}, {"message-id:<1@a.example>", "<1@a.example>"},
    {"From: x\nMessage-Id:\n <1@a.example>\nTo: y\n\nMessage-ID: <2@a.example>\n", "<1@a.example>"},
    {"From: x\r\n\r\nMessage-ID: <2@a.example>\r\n", NULL}, {"Message-ID: 1@a.example\r\n", NULL},
    {"Message-ID: <>\r\n", NULL}, {"Message-ID: <a b@c>\r\n", NULL}, {"Message-ID: <a\x01@c>\r\n", NULL},
    {"X-Message-ID: <1@a.example>\r\n", NULL}, {"garbage\r\nMessage-ID: <1@a.example>\r\n", "<1@a.example>"},
    {"", NULL}};

START_TEST(test_ids)
{
	char id[DSN_READ_MESSAGE_ID_MAX];
	int rc = dsn_read_message_id(ids[_i].header, strlen(ids[_i].header), id);

	ck_assert_int_eq(rc, ids[_i].want ? 0 : -1);
	ck_assert_str_eq(id, ids[_i].want ? ids[_i].want : "");
}
END_TEST

START_TEST(test_unquote)
{
	static const struct {
		const char *in, *out;
	} c[] = {{"a=3Db", "a=b"}, {"a=\r\nb", "ab"}, {"a=\nb", "ab"}, {"=", "="}, {"=4", "=4"}, {"=zz", "=zz"},
	    {"=3d=3D", "=="}, {"a\r\nb", "a\r\nb"}};

	for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
		char text[32];

		strcpy(text, c[i].in);
		text[dsn_read_unquote(text, strlen(text))] = 0;
		ck_assert_str_eq(text, c[i].out);
	}
}
END_TEST

#define LOOP(f, v) tcase_add_loop_test(t, f, 0, sizeof(v) / sizeof(v)[0])

int main(void)
{
	Suite *s = suite_create("dsn_read");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_postfix);
	tcase_add_test(t, test_untidy);
	LOOP(test_actions, actions);
	LOOP(test_addresses, addresses);
	LOOP(test_statuses, statuses);
	tcase_add_test(t, test_texts);
	tcase_add_test(t, test_many);
	LOOP(test_nothing, nothing);
	LOOP(test_ids, ids);
	tcase_add_test(t, test_unquote);
	suite_add_tcase(s, t);
	return suite_run(s);
}
