/* Whom a question burdens. */
#include "certstore/source_site.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	enum source_kind kind;
	const char *name, *directory, *want;
} sites[] = {
    {SOURCE_DNS, "lab.example", "", "lab.example"},
    {SOURCE_DNS, "example", "", "example"},
    {SOURCE_DNS, "alice.lab.example", "", "lab.example"},
    {SOURCE_DNS, "_ldap._tcp.lab.example", "", "lab.example"},
    {SOURCE_DNS, "alice.trust.nhs.co.uk", "", "nhs.co.uk"},
    {SOURCE_DNS, "lab.com.au", "", "lab.com.au"},
    {SOURCE_DNS, "x.lab.com.au", "", "lab.com.au"},
    {SOURCE_DNS, "x.labor.at", "", "labor.at"},
    {SOURCE_DNS, "co.uk", "", "co.uk"},
    {SOURCE_HTTP, "http://www.lab.example:8080/x/y?z", "", "www.lab.example:8080"},
    {SOURCE_HTTP, "https://lab.example", "", "lab.example"},
    {SOURCE_LDAP, "ldap://ldap.lab.example:389", "", "ldap.lab.example:389"},
    {SOURCE_LDAP, "", "ours", "directory \"ours\""},
};

START_TEST(sites_of)
{
	struct source_ask a = {.kind = sites[_i].kind};
	char out[SOURCE_SITE_MAX];

	snprintf(a.name, sizeof a.name, "%s", sites[_i].name);
	snprintf(a.directory, sizeof a.directory, "%s", sites[_i].directory);
	source_site(&a, out);
	ck_assert_str_eq(out, sites[_i].want);
}
END_TEST

START_TEST(hash_of)
{
	ck_assert(source_site_hash("Lab.example") == source_site_hash("lab.EXAMPLE"));
	ck_assert(source_site_hash("lab.example") != source_site_hash("lab.exampl"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source_site");
	TCase *c = tcase_create("sites");

	tcase_add_loop_test(c, sites_of, 0, (int)(sizeof sites / sizeof sites[0]));
	tcase_add_test(c, hash_of);
	suite_add_tcase(s, c);
	return suite_run(s);
}
