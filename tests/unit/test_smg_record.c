/* The TXT record _smg: its grammar, and everything beside it. */
#include "certstore/smg_record.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

#define KEY "; key=sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static int one(const char *text, struct smg_record *r, const char **why)
{
	uint8_t rd[300];
	size_t n = strlen(text);

	rd[0] = (uint8_t)n;
	memcpy(rd + 1, text, n);
	return smg_record_read(rd, n + 1, r, why);
}

START_TEST(grammar)
{
	static const struct {
		const char *text;
		int rc;
		const char *url;
	} t[] = {
	    {"v=smg1; url=https://smg.lab.example/s", 1, "https://smg.lab.example/s"},
	    {"v=smg1; url=https://smg.lab.example/s" KEY, 1, "https://smg.lab.example/s"},
	    {"v=smg1; url=https://smg.lab.example/s" KEY KEY, 1, "https://smg.lab.example/s"},
	    {"v=smg1; url=https://smg.lab.example/s" KEY KEY KEY, -1, NULL},
	    {"v=smg1; url=http://smg.lab.example/s", -1, NULL},
	    {"v=smg1; url=https://", -1, NULL},
	    {"v=smg1; key=sha256/x", -1, NULL},
	    {"v=smg1", -1, NULL},
	    {"v=smg1; url=https://a.example/;x", -1, NULL},
	    {"v=smg1; url=https://a.example/ x", -1, NULL},
	    {"v=spf1 -all", 0, ""},
	    {"", 0, ""},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct smg_record r;
		const char *why;

		ck_assert_msg(one(t[i].text, &r, &why) == t[i].rc, "%s", t[i].text);
		ck_assert((t[i].rc < 0) == (why[0] != '\0'));
		if (t[i].url)
			ck_assert_str_eq(r.url, t[i].url);
	}
}
END_TEST

START_TEST(strings)
{
	struct smg_record r;
	const char *why;

	ck_assert_int_eq(smg_record_read((const uint8_t *)"", 0, &r, &why), 0);
	ck_assert_int_eq(smg_record_read((const uint8_t *)"\6v=smg1\5 url=", 13, &r, &why), -1);
	ck_assert_str_eq(why, "the TXT record of _smg has more than one string");
	ck_assert_int_eq(smg_record_read((const uint8_t *)"\xffv=smg1", 7, &r, &why), 0);
}
END_TEST

/* Both keys, as octets; characters of the other alphabet, and bits that are left over, are refused. */
START_TEST(keys)
{
	static const char head[] = "v=smg1; url=https://smg.lab.example/s; key=sha256/";
	char text[300];
	struct smg_record r;
	const char *why;

	(void)snprintf(text, sizeof text, "%s%s" KEY, head, "__________________________________________8");
	ck_assert_int_eq(one(text, &r, &why), 1);
	ck_assert_uint_eq(r.nkeys, 2);
	for (size_t i = 0; i < 32; i++)
		ck_assert(r.keys[0][i] == 0xff && r.keys[1][i] == 0);
	(void)snprintf(text, sizeof text, "%s%s", head, "//////////////////////////////////////////8");
	ck_assert_int_eq(one(text, &r, &why), -1);
	(void)snprintf(text, sizeof text, "%s%s", head, "__________________________________________");
	ck_assert_int_eq(one(text, &r, &why), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("smg_record");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, grammar);
	tcase_add_test(tc, strings);
	tcase_add_test(tc, keys);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
