/* CERT records: the kinds, where a URL and its hash stand, the names of addresses; what is cut off or malformed. */
#include "certstore/cert_record.h"

#include <check.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct cert_record r;
static const char *why;

static int rdata(unsigned type, const void *p, size_t n)
{
	static uint8_t rd[2000];

	memset(rd, 0, 5);
	rd[0] = (uint8_t)(type >> 8);
	rd[1] = (uint8_t)type;
	memcpy(rd + 5, p, n);
	return cert_record_read(rd, n + 5, &r, &why);
}

START_TEST(pkix)
{
	ck_assert_int_eq(rdata(1, "certificate", 11), 0);
	ck_assert(r.kind == CERT_RECORD_DER && r.nder == 11 && memcmp(r.der, "certificate", 11) == 0);
	ck_assert_int_eq(rdata(1, "", 0), -1);
	ck_assert_str_eq(why, "a CERT record of less than six octets");
	for (size_t n = 0; n <= 5; n++)
		ck_assert_int_eq(cert_record_read((const uint8_t *)"\0\1\0\0\0", n, &r, &why), -1);
}
END_TEST

START_TEST(others)
{
	static const unsigned types[] = {0, 2, 3, 5, 6, 7, 8, 253, 254, 255, 65535};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		ck_assert_int_eq(rdata(types[i], "http://lab.example/", 19), 0);
		ck_assert(r.kind == CERT_RECORD_OTHER && why[0]);
	}
	ck_assert_int_eq(rdata(3, "x", 1), 0);
	ck_assert_str_eq(why, "an OpenPGP key");
}
END_TEST

START_TEST(ipkix)
{
	static const char url[] = "https://lab.example/bob.cer", body[] = "what is there";
	uint8_t rd[200];
	size_t n = sizeof url - 1;

	ck_assert_int_eq(rdata(4, url, n), 0);
	ck_assert(r.kind == CERT_RECORD_URL && r.nhash == 0 && cert_record_hash_fits(&r, "x", 1));
	ck_assert_str_eq(r.url, url);
	/* a fingerprint in front, with and without its length */
	(void)SHA256((const uint8_t *)body, sizeof body - 1, rd + 1);
	rd[0] = 32;
	memcpy(rd + 33, url, n);
	for (int bare = 0; bare < 2; bare++) {
		ck_assert_int_eq(rdata(4, rd + bare, n + 33 - (size_t)bare), 0);
		ck_assert(r.kind == CERT_RECORD_URL && r.nhash == 32);
		ck_assert_str_eq(r.url, url);
		ck_assert(cert_record_hash_fits(&r, body, sizeof body - 1));
		ck_assert(!cert_record_hash_fits(&r, body, sizeof body - 2));
	}
	(void)SHA1((const uint8_t *)body, sizeof body - 1, rd + 1);
	rd[0] = 20;
	memcpy(rd + 21, url, n);
	ck_assert_int_eq(rdata(4, rd, n + 21), 0);
	ck_assert(r.nhash == 20 && cert_record_hash_fits(&r, body, sizeof body - 1));
}
END_TEST

START_TEST(ipkix_malformed)
{
	static const char *const bad[] = {"ftp://lab.example/", "lab.example", "http://", "http://a b/",
	    "http://a\n/", "http://a/\xc3\xa4", "HTTPS"};
	char url[1100] = "http://lab.example/";

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ck_assert_msg(rdata(4, bad[i], strlen(bad[i])) == -1, "%s", bad[i]);
	memset(url + 19, 'a', 1001 - 19);
	ck_assert_int_eq(rdata(4, url, 1000), 0);
	ck_assert_int_eq(rdata(4, url, 1001), -1);
	ck_assert_str_eq(why, "a CERT record of type IPKIX whose URL is longer than 1000 octets");
}
END_TEST

START_TEST(owners)
{
	static const struct {
		const char *address, *name; /* NULL: none */
	} t[] = {
	    {"bob@lab.example", "bob.lab.example"},
	    {"bob.smith@lab.example", "bob.smith.lab.example"},
	    {"Bob@lab.example", "Bob.lab.example"},
	    {"bob+x@lab.example", "bob+x.lab.example"},
	    {"\"bob smith\"@lab.example", NULL},
	    {"\"a..b\"@lab.example", NULL},
	    {"\".b\"@lab.example", NULL},
	    {"\"b.\"@lab.example", NULL},
	    {"\"b\\\\c\"@lab.example", NULL},
	    {"bob@[192.0.2.1]", NULL},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@lab.example", NULL},
	};
	char out[CERT_RECORD_NAME_MAX + 1];
	struct address a;

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		ck_assert_msg(address_parse(t[i].address, strlen(t[i].address), &a, NULL) == 0, "%s", t[i].address);
		ck_assert_msg((cert_record_owner(&a, out) == 0) == (t[i].name != NULL), "%s", t[i].address);
		if (t[i].name)
			ck_assert_str_eq(out, t[i].name);
	}
	a.local[0] = '\0';
	ck_assert_int_eq(cert_record_owner(&a, out), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cert_record");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, pkix);
	tcase_add_test(tc, others);
	tcase_add_test(tc, ipkix);
	tcase_add_test(tc, ipkix_malformed);
	tcase_add_test(tc, owners);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
