/* smtpd_settings.c: the defaults as documented, and that each row is in its own place. */
#include "gateway/smtp/smtpd_settings.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct settings *parse(const char *text)
{
	struct settings *s = NULL;
	struct problem pr;

	ck_assert_msg(
	    settings_parse("t.conf", text, strlen(text), &smtpd_settings_section, 1, &s, &pr) == 0, "%s", pr.text);
	return s;
}

START_TEST(defaults)
{
	struct settings *s = parse("");
	const struct smtpd_settings *v = settings_get(s, "smtp-server");

	ck_assert_int_eq(v->command_line_max, 2048);
	ck_assert_int_eq(v->text_line_max, 65536);
	ck_assert_int_eq(v->recipients_max, 1000);
	ck_assert_int_eq(v->errors_max, 10);
	ck_assert_int_eq(v->commands_max, 3000);
	ck_assert_int_eq(v->message_max, 50 * 1024 * 1024);
	ck_assert_int_eq(v->command_timeout, 300000);
	ck_assert_int_eq(v->tls_timeout, 60000);
	ck_assert_int_eq(v->answer_deadline, 240000);
	ck_assert_int_eq(v->data_timeout, 180000);
	ck_assert_int_eq(v->data_rate_min, 1024);
	ck_assert_int_eq(v->data_deadline, 7200000);
	ck_assert_int_eq(v->end_deadline, 60000);
	ck_assert_int_eq(v->session_max, 86400000);
	settings_free(s);
}
END_TEST

START_TEST(own_places)
{
	for (size_t i = 0; i < smtpd_settings_section.nrows; i++) {
		ck_assert_uint_lt(smtpd_settings_section.rows[i].offset, smtpd_settings_section.size);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(
			    smtpd_settings_section.rows[i].offset, smtpd_settings_section.rows[j].offset);
	}
	ck_assert_uint_eq(smtpd_settings_section.nrows * sizeof(int64_t), smtpd_settings_section.size);
}
END_TEST

/* P2: nobody can configure it away. */
START_TEST(end_deadline_is_at_most_a_minute)
{
	static const char text[] = "smtp-server {\n end-deadline = 61s\n}\n";
	struct settings *s = NULL;
	struct problem pr;

	ck_assert_int_eq(settings_parse("t.conf", text, strlen(text), &smtpd_settings_section, 1, &s, &pr), -1);
	ck_assert_int_eq(strncmp(pr.text, "t.conf:2:", 9), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpd_settings");
	TCase *t = tcase_create("smtpd_settings");

	tcase_add_test(t, defaults);
	tcase_add_test(t, own_places);
	tcase_add_test(t, end_deadline_is_at_most_a_minute);
	suite_add_tcase(s, t);
	return suite_run(s);
}
