/* URLs of strangers, taken apart; where redirects lead. */
#include "gateway/scout/source_url.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/suite.h"

static const struct {
	const char *url;
	const char *text; /* as it is fetched; or NULL and */
	const char *why;
	const char *host;
	unsigned port;
} rows[] = {
    {"http://crl.lab.example/a/b?c=d#e", "http://crl.lab.example:80/a/b?c=d", NULL, "crl.lab.example", 80},
    {"HTTPS://Crl.LAB.example", "https://crl.lab.example:443/", NULL, "crl.lab.example", 443},
    {"http://lab.example.:8080", "http://lab.example:8080/", NULL, "lab.example", 8080},
    {"http://lab.example?x", "http://lab.example:80/?x", NULL, "lab.example", 80},
    {"http://lab.example#x", "http://lab.example:80/", NULL, "lab.example", 80},
    {"http://lab.example:/x", "http://lab.example:80/x", NULL, "lab.example", 80},
    {"http://lab.example/@x", "http://lab.example:80/@x", NULL, "lab.example", 80},
    {"http://192.0.2.1/", "http://192.0.2.1:80/", NULL, "192.0.2.1", 80},
    {"http://[2001:DB8::1]:81/x", "http://[2001:db8::1]:81/x", NULL, "2001:db8::1", 81},
    {"http://a_b.lab.example/", "http://a_b.lab.example:80/", NULL, "a_b.lab.example", 80},
    {"", NULL, "only http:// and https://", "", 0},
    {"lab.example/x", NULL, "only http:// and https://", "", 0},
    {"file:///etc/passwd", NULL, "only http:// and https://", "", 0},
    {"ldap://lab.example/", NULL, "only http:// and https://", "", 0},
    {"http:/lab.example/", NULL, "only http:// and https://", "", 0},
    {"http://", NULL, "it has no host", "", 0},
    {"http:///x", NULL, "it has no host", "", 0},
    {"http://./x", NULL, "it has no host", "", 0},
    {"http://:80/x", NULL, "it has no host", "", 0},
    {"http://a..b/", NULL, "no domain name", "", 0},
    {"http://.a/", NULL, "no domain name", "", 0},
    {"http://u@lab.example/", NULL, "a user name or password", "", 0},
    {"http://u:p@lab.example/", NULL, "a user name or password", "", 0},
    {"http://lab.example:80@192.0.2.1/", NULL, "a user name or password", "", 0},
    {"http://lab.example\\@192.0.2.1/", NULL, "octets that belong in no URL", "", 0},
    {"http://lab.example/a b", NULL, "octets that belong in no URL", "", 0},
    {"http://lab.example/\r\nHost: x", NULL, "octets that belong in no URL", "", 0},
    {"http://b\xc3\xbc"
     "cher.example/",
	NULL, "octets that belong in no URL", "", 0},
    {"http://lab%2eexample/", NULL, "no domain name in A-labels", "", 0},
    {"http://lab.example:0/", NULL, "its port is no port", "", 0},
    {"http://lab.example:65536/", NULL, "its port is no port", "", 0},
    {"http://lab.example:123456/", NULL, "its port is no port", "", 0},
    {"http://lab.example:8x/", NULL, "something else behind its host", "", 0},
    {"http://[::1]x/", NULL, "something else behind its host", "", 0},
    {"http://[::1", NULL, "no IP address", "", 0},
    {"http://[fe80::1%25eth0]/", NULL, "no IP address", "", 0},
    {"http://[lab.example]/", NULL, "no IP address", "", 0},
    {"http://2130706433/", NULL, "a number that is no usual IP address", "", 0},
    {"http://127.1/", NULL, "a number that is no usual IP address", "", 0},
    {"http://0x7f000001/", NULL, "a number that is no usual IP address", "", 0},
    {"http://0177.0.0.1/", NULL, "a number that is no usual IP address", "", 0},
    {"http://127.0.0.0x1/", NULL, "a number that is no usual IP address", "", 0},
    {"http://192.0.2.1.5/", NULL, "a number that is no usual IP address", "", 0},
};

START_TEST(split)
{
	struct source_url u;
	const char *why = NULL;
	int r = source_url_split(rows[_i].url, &u, &why);

	ck_assert_msg(r == (rows[_i].text ? 0 : -1), "%s: %d %s", rows[_i].url, r, why ? why : u.text);
	if (r == 0) {
		ck_assert_str_eq(u.text, rows[_i].text);
		ck_assert_str_eq(u.host, rows[_i].host);
		ck_assert_uint_eq(u.port, rows[_i].port);
		ck_assert(u.tls == (strncmp(u.text, "https", 5) == 0));
	} else {
		ck_assert_msg(strstr(why, rows[_i].why) != NULL, "%s: %s", rows[_i].url, why);
	}
}
END_TEST

START_TEST(lengths)
{
	char url[SOURCE_NAME_MAX + 2] = "http://";
	struct source_url u;
	const char *why;

	memset(url + 7, 'a', 63);
	strcpy(url + 70, ".b/");
	ck_assert_int_eq(source_url_split(url, &u, &why), 0);
	memset(url + 7, 'a', 64);
	strcpy(url + 71, ".b/");
	ck_assert_int_eq(source_url_split(url, &u, &why), -1);
	for (size_t i = 7; i < 7 + 254; i++)
		url[i] = i % 2 ? 'a' : '.';
	strcpy(url + 7 + 253, "/");
	ck_assert_int_eq(source_url_split(url, &u, &why), 0);
	strcpy(url + 7 + 253, "aa/");
	ck_assert_int_eq(source_url_split(url, &u, &why), -1);
	memset(url, 'x', sizeof url - 1);
	memcpy(url, "http://a/", 9);
	url[SOURCE_NAME_MAX] = 0;
	ck_assert_int_eq(source_url_split(url, &u, &why), 0);
	ck_assert_uint_eq(strlen(u.text), SOURCE_NAME_MAX + 3);
	url[SOURCE_NAME_MAX] = 'x';
	url[SOURCE_NAME_MAX + 1] = 0;
	ck_assert_int_eq(source_url_split(url, &u, &why), -1);
	ck_assert_str_eq(why, "it is longer than 2000 octets");
}
END_TEST

static const struct {
	const char *from, *location, *text, *why;
} ways[] = {
    {"http://lab.example/a/b?c", "d", "http://lab.example:80/a/d", NULL},
    {"http://lab.example/a/b?c", "/d", "http://lab.example:80/d", NULL},
    {"http://lab.example/a/b?c", "../../../d", "http://lab.example:80/d", NULL},
    {"http://lab.example/a/b?c", "?d", "http://lab.example:80/a/b?d", NULL},
    {"http://lab.example:81/a/b?c", "//other.example/d", "http://other.example:80/d", NULL},
    {"http://lab.example/", "https://lab.example/", "https://lab.example:443/", NULL},
    {"https://lab.example/", "//other.example/d", "https://other.example:443/d", NULL},
    {"https://lab.example/", "http://lab.example/", NULL, "from https to http"},
    {"http://lab.example/", "file:///etc/passwd", NULL, "only http:// and https://"},
    {"http://lab.example/", "data:text/plain,x", NULL, ""},
    {"http://lab.example/", "http://u@lab.example/", NULL, "a user name or password"},
};

START_TEST(follow)
{
	struct source_url from, u;
	const char *why = NULL;

	ck_assert_int_eq(source_url_split(ways[_i].from, &from, &why), 0);

	int r = source_url_follow(&from, ways[_i].location, &u, &why);

	ck_assert_msg(r == (ways[_i].text ? 0 : -1), "%s: %d %s", ways[_i].location, r, u.text);
	if (r == 0)
		ck_assert_str_eq(u.text, ways[_i].text);
	else
		ck_assert_msg(strstr(why, ways[_i].why) != NULL, "%s", why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source_url");
	TCase *t = tcase_create("urls");

	tcase_add_loop_test(t, split, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(t, lengths);
	tcase_add_loop_test(t, follow, 0, sizeof ways / sizeof ways[0]);
	suite_add_tcase(s, t);
	return suite_run(s);
}
