/* Whom a message that has no one author names. */
#include "gateway/mail/author_domains.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/header_fixture.h"
#include "tests/unit/suite.h"

static const struct {
	const char *what, *header, *want;
} cases[] = {
    {"none", "Subject: bob@lab.example\r\n", ""},
    {"two mailboxes", "From: a@lab.example, b@clinic.example\r\n", "lab.example clinic.example"},
    {"two fields, one twice", "From: a@lab.example\r\nX: y\r\nFROM: b@clinic.example, c@LAB.example\r\n",
	"lab.example clinic.example"},
    {"no mailbox", "From: a@lab.example trailing\r\n", "lab.example lab.exampletrailing"},
    {"a comment within", "From: a@(x \\) (y))lab\r\n .example, z\r\n", "lab.example"},
    {"in a comment", "From: nobody (really bob@lab.example)\r\n", "lab.example"},
    {"in the name alone", "From: \"bob@lab.example\" <>\r\n", "lab.example"},
    {"an encoded word", "From: =?utf-8?B?Ym9iQGxhYi5leGFtcGxl?= <x\r\n", "lab.example"},
    {"dots and hyphens behind", "From: a@lab.example.-., <\r\n", "lab.example"},
    {"a U-label",
	"From: a@b\xc3\xbc"
	"cher.example, x\r\n",
	"xn--bcher-kva.example b"},
    {"no domains", "From: a@, @, a@[192.0.2.1], a@-.-, a@b@\r\n", "b"},
    {"a route", "From: <@relay.example:bob@lab.example> x\r\n", "relay.example lab.example"},
};

static struct author_domains read_all(const char *text)
{
	struct author_domains d = {0};
	struct header h = header_of(text);

	ck_assert_int_eq(author_domains_find(arena, &h, &d), 0);
	return d;
}

START_TEST(found)
{
	struct author_domains d = read_all(cases[_i].header);
	char got[2000] = "";

	for (size_t i = 0; i < d.n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 0 ? " " : "", d.v[i]);
	ck_assert_msg(strcmp(got, cases[_i].want) == 0, "%s: %s", cases[_i].what, got);
	ck_assert(!d.more);
}
END_TEST

START_TEST(too_many)
{
	char text[4000] = "From: ";

	for (int i = 0; i <= AUTHOR_DOMAINS_MAX; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "a@d%d.example,", i);
	strcat(text, "\r\n");
	struct author_domains d = read_all(text);

	ck_assert(d.n == AUTHOR_DOMAINS_MAX && d.more);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("author_domains");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, header_setup, header_teardown);
	tcase_add_loop_test(tc, found, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(tc, too_many);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
