/* SMIMEA records: usages, selectors, matching types, lengths; the name of an address as RFC 8162 3 has it. */
#include "certstore/smimea_record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(fields)
{
	static const struct {
		uint8_t usage, selector, matching;
		size_t n; /* octets of data */
		int rc, is_cert;
	} t[] = {
	    {0, 0, 0, 10, 0, 0},
	    {1, 0, 0, 10, 0, 1},
	    {2, 0, 0, 10, 0, 0},
	    {3, 0, 0, 10, 0, 1},
	    {3, 1, 0, 10, 0, 0},
	    {3, 0, 1, 32, 0, 0},
	    {3, 1, 1, 32, 0, 0},
	    {3, 1, 2, 64, 0, 0},
	    {3, 1, 1, 31, -1, 0},
	    {3, 1, 1, 33, -1, 0},
	    {3, 1, 2, 32, -1, 0},
	    {4, 0, 0, 10, -1, 0},
	    {255, 0, 0, 10, -1, 0},
	    {3, 2, 0, 10, -1, 0},
	    {3, 0, 3, 32, -1, 0},
	    {3, 0, 0, 0, -1, 0},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		uint8_t rd[100] = {t[i].usage, t[i].selector, t[i].matching};
		struct trust_dane d;
		const char *why = NULL;

		ck_assert_msg(smimea_record_read(rd, 3 + t[i].n, &d, &why) == t[i].rc, "row %zu", i);
		ck_assert(why && (t[i].rc == 0) == (why[0] == '\0'));
		if (t[i].rc < 0)
			continue;
		ck_assert(d.usage == t[i].usage && d.selector == t[i].selector && d.matching == t[i].matching);
		ck_assert(d.data == rd + 3 && d.n == t[i].n);
		ck_assert_int_eq(smimea_record_is_cert(&d), t[i].is_cert);
	}
}
END_TEST

START_TEST(cut_off)
{
	static const uint8_t rd[] = {3, 0, 0, 1};
	struct trust_dane d;
	const char *why;

	for (size_t n = 0; n < 4; n++)
		ck_assert_int_eq(smimea_record_read(rd, n, &d, &why), -1);
}
END_TEST

/* RFC 8162 3: the example of "hugh" */
START_TEST(owner)
{
	char out[SMIMEA_RECORD_NAME_MAX];
	struct address a = {.local = "hugh", .domain = "example.com"};

	ck_assert_int_eq(smimea_record_owner(&a, out), 0);
	ck_assert_str_eq(out, "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6._smimecert.example.com");
	a.local[0] = 'H'; /* as it stands: another name */
	ck_assert_int_eq(smimea_record_owner(&a, out), 0);
	ck_assert(strncmp(out, "c93f1e40", 8) != 0);
	a.local[0] = '\0';
	ck_assert_int_eq(smimea_record_owner(&a, out), -1);
	a = (struct address){.local = "hugh", .domain = "[192.0.2.1]"};
	ck_assert_int_eq(smimea_record_owner(&a, out), -1);
	memset(a.domain, 'a', 250);
	ck_assert_int_eq(smimea_record_owner(&a, out), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smimea_record");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, fields);
	tcase_add_test(tc, cut_off);
	tcase_add_test(tc, owner);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
