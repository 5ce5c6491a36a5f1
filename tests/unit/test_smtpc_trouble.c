/* The judgement table: stage and reply -> scope, class, codes. */
#include "gateway/smtp/smtpc_trouble.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static void parse(struct smtpc_chat *h, const char *reply)
{
	char line[600];
	size_t used;
	int n = snprintf(line, sizeof line, "%s\r\n", reply);

	smtpc_chat_init(h, 512, 10);
	ck_assert_int_eq(smtpc_chat_feed(h, (uint8_t *)line, (size_t)n, &used), 1);
}

struct row {
	enum smtpc_stage stage;
	const char *reply;
	enum smtpc_scope scope;
	enum problem_class cls;
	int code;
	const char *enh;
	bool over;
};
static const struct row rows[] = {
    {SMTPC_STAGE_GREETING, "421 x", SMTPC_SITE, PROBLEM_TEMP, 421, "4.3.2", true},
    {SMTPC_STAGE_GREETING, "554 x", SMTPC_SITE, PROBLEM_TEMP, 451, "4.3.2", true},
    {SMTPC_STAGE_GREETING, "554 5.7.1 x", SMTPC_SITE, PROBLEM_TEMP, 451, "4.3.2", true},
    {SMTPC_STAGE_GREETING, "521 x", SMTPC_SITE, PROBLEM_PERM, 521, "5.3.2", true},
    {SMTPC_STAGE_EHLO, "450 4.7.1 x", SMTPC_SITE, PROBLEM_TEMP, 450, "4.7.1", true},
    {SMTPC_STAGE_EHLO, "550 x", SMTPC_SITE, PROBLEM_TEMP, 451, "4.3.2", true},
    {SMTPC_STAGE_STARTTLS, "454 x", SMTPC_SITE, PROBLEM_TEMP, 454, "4.7.4", true},
    {SMTPC_STAGE_MAIL, "421 x", SMTPC_SITE, PROBLEM_TEMP, 421, "4.1.0", true},
    {SMTPC_STAGE_MAIL, "451 x", SMTPC_MESSAGE, PROBLEM_TEMP, 451, "4.1.0", false},
    {SMTPC_STAGE_MAIL, "530 5.7.0 x", SMTPC_MESSAGE, PROBLEM_PERM, 530, "5.7.0", false},
    {SMTPC_STAGE_MAIL, "521 x", SMTPC_MESSAGE, PROBLEM_PERM, 521, "5.1.0", false},
    {SMTPC_STAGE_RCPT, "421 x", SMTPC_SITE, PROBLEM_TEMP, 421, "4.1.0", true},
    {SMTPC_STAGE_RCPT, "450 4.2.0 x", SMTPC_RCPT, PROBLEM_TEMP, 450, "4.2.0", false},
    {SMTPC_STAGE_RCPT, "550 5.1.1 x", SMTPC_RCPT, PROBLEM_PERM, 550, "5.1.1", false},
    {SMTPC_STAGE_RCPT, "550 x", SMTPC_RCPT, PROBLEM_PERM, 550, "5.1.0", false},
    {SMTPC_STAGE_RCPT, "552 x", SMTPC_RCPT, PROBLEM_TEMP, 451, "4.5.3", false},
    {SMTPC_STAGE_RCPT, "552 5.5.3 x", SMTPC_RCPT, PROBLEM_TEMP, 451, "4.5.3", false},
    {SMTPC_STAGE_RCPT, "552 5.2.2 x", SMTPC_RCPT, PROBLEM_PERM, 552, "5.2.2", false},
    {SMTPC_STAGE_DATA, "554 x", SMTPC_MESSAGE, PROBLEM_PERM, 554, "5.0.0", false},
    {SMTPC_STAGE_DATA, "452 4.3.1 x", SMTPC_MESSAGE, PROBLEM_TEMP, 452, "4.3.1", false},
    {SMTPC_STAGE_CONTENT, "552 x", SMTPC_MESSAGE, PROBLEM_PERM, 552, "5.0.0", true},
    {SMTPC_STAGE_CONTENT, "421 x", SMTPC_MESSAGE, PROBLEM_TEMP, 421, "4.0.0", true},
    {SMTPC_STAGE_END, "421 x", SMTPC_MESSAGE, PROBLEM_TEMP, 421, "4.0.0", true},
    {SMTPC_STAGE_END, "452 x", SMTPC_MESSAGE, PROBLEM_TEMP, 452, "4.0.0", false},
    {SMTPC_STAGE_END, "554 5.7.1 x", SMTPC_MESSAGE, PROBLEM_PERM, 554, "5.7.1", false},
};

START_TEST(replies)
{
	const struct row *r = &rows[_i];
	struct smtpc_chat h;
	struct smtpc_trouble t;

	parse(&h, r->reply);
	smtpc_trouble_reply(&t, r->stage, "mx.test[192.0.2.1]:25", &h.reply);
	ck_assert_int_eq(t.stage, r->stage);
	ck_assert_int_eq(t.scope, r->scope);
	ck_assert_int_eq(t.pr.cls, r->cls);
	ck_assert_int_eq(t.pr.code, r->code);
	ck_assert_str_eq(t.pr.enh, r->enh);
	ck_assert_int_eq(t.over, r->over);
	ck_assert_str_eq(t.reply, r->reply);
	ck_assert_ptr_nonnull(strstr(t.pr.text, "mx.test[192.0.2.1]:25 said"));
	ck_assert_ptr_nonnull(strstr(t.pr.text, r->reply));
	smtpc_chat_clear(&h);
}
END_TEST

/* Lost and malformed are temporary everywhere; only behind the final dot they do not lead to another host. */
START_TEST(lost)
{
	struct smtpc_trouble t[2];

	smtpc_trouble_lost(&t[0], (enum smtpc_stage)_i, "mx", "timeout");
	smtpc_trouble_malformed(&t[1], (enum smtpc_stage)_i, "mx", "garbage");
	for (int i = 0; i < 2; i++) {
		bool end = _i == SMTPC_STAGE_END;

		ck_assert_int_eq(t[i].pr.cls, PROBLEM_TEMP);
		ck_assert_int_eq(t[i].pr.code, 451);
		ck_assert_int_eq(t[i].scope, end ? SMTPC_MESSAGE : SMTPC_SITE);
		ck_assert(t[i].over);
		ck_assert_int_eq(strstr(t[i].pr.text, "duplicate") != NULL, end);
		ck_assert_ptr_nonnull(strstr(t[i].pr.text, i ? "garbage" : "timeout"));
	}
}
END_TEST

START_TEST(tls)
{
	struct smtpc_trouble t;
	struct smtpc_chat h;

	smtpc_trouble_no_tls(&t, "mx", SMTPC_DEMAND_VERIFIED, NULL);
	ck_assert_ptr_nonnull(strstr(t.pr.text,
	    "TLS with a verified certificate is demanded for this destination, but mx does not offer STARTTLS;"));
	parse(&h, "454 4.7.0 no");
	smtpc_trouble_no_tls(&t, "mx", SMTPC_DEMAND_TLS, &h.reply);
	ck_assert_ptr_nonnull(
	    strstr(t.pr.text, "TLS is demanded for this destination, but mx refuses STARTTLS (454 4.7.0 no);"));
	ck_assert_int_eq(t.scope, SMTPC_SITE);
	ck_assert(!t.retry_clear);
	smtpc_trouble_tls(&t, "mx", SMTPC_DEMAND_VERIFIED, "bad", "subject CN=x");
	ck_assert_ptr_nonnull(strstr(t.pr.text, "bad; its certificate: subject CN=x; nothing was sent in the clear"));
	ck_assert(!t.retry_clear);
	smtpc_trouble_tls(&t, "mx", SMTPC_DEMAND_TLS, "bad", "");
	ck_assert(!t.retry_clear);
	ck_assert_int_eq(t.pr.cls, PROBLEM_TEMP);
	smtpc_trouble_tls(&t, "mx", SMTPC_DEMAND_NONE, "bad", "");
	ck_assert(t.retry_clear);
	smtpc_chat_clear(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_trouble");
	TCase *t = tcase_create("trouble");

	tcase_add_loop_test(t, replies, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_loop_test(t, lost, 0, SMTPC_STAGES);
	tcase_add_test(t, tls);
	suite_add_tcase(s, t);
	return suite_run(s);
}
