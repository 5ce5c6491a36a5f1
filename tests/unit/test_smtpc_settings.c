/* The table of section "smtp-client": defaults are those of RFC 5321 4.5.3.2, each name reaches its own field. */
#include "gateway/smtp/smtpc_settings.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct smtpc_settings *parse(const char *text, struct settings **s_r)
{
	struct problem pr;

	ck_assert_msg(
	    settings_parse("c", text, strlen(text), &smtpc_settings_section, 1, s_r, &pr) == 0, "%s", pr.text);
	return settings_get(*s_r, "smtp-client");
}

START_TEST(defaults)
{
	struct settings *s;
	const struct smtpc_settings *c = parse("", &s);

	/* at least what RFC 5321 4.5.3.2 asks for */
	ck_assert_int_ge(c->greeting_timeout, 5 * 60 * 1000);
	ck_assert_int_ge(c->mail_timeout, 5 * 60 * 1000);
	ck_assert_int_ge(c->rcpt_timeout, 5 * 60 * 1000);
	ck_assert_int_ge(c->data_timeout, 2 * 60 * 1000);
	ck_assert_int_ge(c->block_timeout, 3 * 60 * 1000);
	ck_assert_int_ge(c->end_timeout, 10 * 60 * 1000);
	ck_assert_int_ge(c->reply_line, 512);
	ck_assert_int_ge(c->recipients, 100);
	ck_assert_int_le(c->first_connections, c->connections);
	ck_assert_int_le(c->backoff_min, c->backoff_max);
	ck_assert(!c->assume_8bit);
	settings_free(s);
}
END_TEST

/* Every row set to a value of its own; no two share a field. */
START_TEST(fields)
{
	struct settings *s;
	const struct setting *rows = smtpc_settings_section.rows;
	char text[4096] = "smtp-client {\n";
	size_t n = strlen(text), nrows = smtpc_settings_section.nrows;

	for (size_t i = 0; i < nrows; i++) {
		if (rows[i].type == SETTING_BOOL)
			n += (size_t)snprintf(text + n, sizeof text - n, "%s = yes\n", rows[i].name);
		else
			n += (size_t)snprintf(text + n, sizeof text - n, "%s = %zu%s\n", rows[i].name,
			    (size_t)(rows[i].min > 1 ? rows[i].min : 1) + i,
			    rows[i].type == SETTING_DURATION ? "ms" : "");
	}
	snprintf(text + n, sizeof text - n, "}\n");

	const uint8_t *c = (const uint8_t *)parse(text, &s);

	for (size_t i = 0; i < nrows; i++) {
		int64_t v;

		if (rows[i].type == SETTING_BOOL) {
			ck_assert(*(const bool *)(c + rows[i].offset));
			continue;
		}
		memcpy(&v, c + rows[i].offset, sizeof v);
		ck_assert_msg(v == (rows[i].min > 1 ? rows[i].min : 1) + (int64_t)i, "%s", rows[i].name);
	}
	settings_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smtpc_settings");
	TCase *t = tcase_create("settings");

	tcase_add_test(t, defaults);
	tcase_add_test(t, fields);
	suite_add_tcase(s, t);
	return suite_run(s);
}
