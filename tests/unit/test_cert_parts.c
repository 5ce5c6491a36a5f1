/* multipart/mixed with certificates: bodies as they are, base64, broken off. */
#include "certstore/cert_parts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(parts)
{
	static const struct {
		const char *body;
		size_t n;
		const char *part[3];
		int base64[3];
	} t[] = {
	    {"--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n", 2, {"one", "two"}, {0, 0}},
	    {"--b\nContent-Type: x\n\none\nmore\n\n--b--", 1, {"one\nmore\n"}, {0}},
	    {"--b\r\nContent-Transfer-Encoding: BASE64 \r\n\r\nAAAA\r\n--b--", 1, {"AAAA"}, {1}},
	    {"--b\r\n\r\n--bc\r\n--b\r\n\r\n\r\n--b--", 1, {"--bc"}, {0}},
	    {"--b\r\n\r\nbroken off", 1, {"broken off"}, {0}},
	    {"--b\r\nno body", 0, {NULL}, {0}},
	    {"--b\r\n", 0, {NULL}, {0}},
	    {"--", 0, {NULL}, {0}},
	    {"0\202", 0, {NULL}, {0}},
	    {"-----BEGIN CERTIFICATE-----\nx\n", 0, {NULL}, {0}},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		struct cert_part v[CERT_PARTS_MAX];

		ck_assert_msg(cert_parts((const uint8_t *)t[i].body, strlen(t[i].body), v) == t[i].n, "row %zu", i);
		for (size_t k = 0; k < t[i].n; k++) {
			ck_assert_msg(v[k].n == strlen(t[i].part[k]) && memcmp(v[k].p, t[i].part[k], v[k].n) == 0,
			    "row %zu part %zu", i, k);
			ck_assert_int_eq(v[k].base64, t[i].base64[k]);
		}
	}
}
END_TEST

START_TEST(many)
{
	static char body[2000] = "--b\n";
	struct cert_part v[CERT_PARTS_MAX];

	for (int i = 0; i < 100; i++)
		strcat(body, "\nx\n--b\n");
	ck_assert_uint_eq(cert_parts((const uint8_t *)body, strlen(body), v), CERT_PARTS_MAX);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cert_parts");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, parts);
	tcase_add_test(tc, many);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
