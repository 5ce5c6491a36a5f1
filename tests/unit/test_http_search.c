/* URLs of certificate stores (RFC 4387). */
#include "certstore/http_search.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(urls)
{
	static const struct {
		const char *base, *by, *value, *url; /* NULL: refused */
	} t[] = {
	    {"http://c.example", "email", "bob@lab.example",
		"http://c.example/certificates/search.cgi?email=bob%40lab.example"},
	    {"http://Certificates.lab.example", "uri", "lab.example",
		"http://Certificates.lab.example/search.cgi?uri=lab.example"},
	    {"https://certificates.lab.example:8443/", "uri", "x",
		"https://certificates.lab.example:8443/search.cgi?uri=x"},
	    {"http://certificates/", "uri", "x", "http://certificates/certificates/search.cgi?uri=x"},
	    {"https://c.example:8443/", "uri", "lab.example",
		"https://c.example:8443/certificates/search.cgi?uri=lab.example"},
	    {"http://c.example/find", "email", "a b&c=d%/?#\xc3\xa4",
		"http://c.example/find?email=a%20b%26c%3Dd%25%2F%3F%23%C3%A4"},
	    {"ftp://c.example", "uri", "x", NULL},
	    {"http://", "uri", "x", NULL},
	    {"http:///x", "uri", "x", NULL},
	    {"http://c.example/?x=y", "uri", "x", NULL},
	    {"http://user@c.example/", "uri", "x", NULL},
	    {"http://c.example/ x", "uri", "x", NULL},
	};
	char out[200];

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		ck_assert_msg(
		    (http_search_url(t[i].base, t[i].by, t[i].value, out, sizeof out) == 0) == (t[i].url != NULL),
		    "%s", t[i].base);
		ck_assert_int_eq(http_search_base(t[i].base), t[i].url ? 0 : -1);
		if (t[i].url)
			ck_assert_str_eq(out, t[i].url);
	}
}
END_TEST

START_TEST(room)
{
	const char *url = "http://c.example/x?uri=lab.example";
	char out[100];

	for (size_t cap = 1; cap < sizeof out; cap++) {
		int rc = http_search_url("http://c.example/x", "uri", "lab.example", out, cap);

		ck_assert(rc == (cap >= strlen(url) + 3 ? 0 : -1) || cap >= strlen(url));
		ck_assert_uint_lt(strlen(out), cap);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("http_search");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, urls);
	tcase_add_test(tc, room);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
