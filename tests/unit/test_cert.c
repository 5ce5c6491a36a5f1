/* Facts of certificates: what they say, what they may be used for, what is refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"

struct fact_case {
	const char *what;
	struct testcert_spec spec;
	bool may_sign, may_encrypt, eku_mail, ca, self_signed, weak;
	const char *key, *names;
};

static const struct fact_case fact_cases[] = {
    {"both uses, EC", {.cn = "a", .san = "DNS:lab.example"}, true, true, true, false, true, false, "EC P-256",
	"dns:lab.example"},
    {"P-384", {.curve = "P-384", .digest = "SHA384"}, true, true, true, false, true, false, "EC P-384", ""},
    {"both uses, RSA", {.rsa = 2048, .san = "email:bob@lab.example,URI:https://lab.example/x y"}, true, true, true,
	false, true, false, "RSA 2048", "mail:bob@lab.example uri:https://lab.example/x\\20y"},
    {"signing half", {.ku = "critical,digitalSignature"}, true, false, true, false, true, false, "EC P-256", ""},
    {"non-repudiation alone signs", {.ku = "nonRepudiation"}, true, false, true, false, true, false, "EC P-256", ""},
    {"encrypting half, EC", {.ku = "critical,keyAgreement"}, false, true, true, false, true, false, "EC P-256", ""},
    {"EC with keyEncipherment only", {.ku = "keyEncipherment"}, false, false, true, false, true, false, "EC P-256",
	""},
    {"encrypting half, RSA", {.rsa = 2048, .ku = "keyEncipherment"}, false, true, true, false, true, false,
	"RSA 2048", ""},
    {"RSA with dataEncipherment only", {.rsa = 2048, .ku = "dataEncipherment"}, false, false, true, false, true,
	false, "RSA 2048", ""},
    {"no key usage, no EKU", {.ku = "", .eku = ""}, true, true, true, false, true, false, "EC P-256", ""},
    {"TLS only", {.eku = "serverAuth,clientAuth"}, false, false, false, false, true, false, "EC P-256", ""},
    {"any EKU is mail, too", {.eku = "anyExtendedKeyUsage"}, true, true, true, false, true, false, "EC P-256", ""},
    {"CA", {.ku = "keyCertSign,cRLSign", .eku = "", .constraints = "critical,CA:TRUE"}, false, false, true, true,
	true, false, "EC P-256", ""},
    {"RSA 1024", {.rsa = 1024}, true, true, true, false, true, true, "RSA 1024", ""},
    {"SHA-1", {.digest = "SHA1"}, true, true, true, false, true, true, "EC P-256", ""},
    {"MD5", {.rsa = 2048, .digest = "MD5"}, true, true, true, false, true, true, "RSA 2048", ""},
    {"unknown curve", {.curve = "secp256k1"}, false, false, true, false, true, true, "EC of an unknown curve", ""},
};

START_TEST(facts)
{
	const struct fact_case *k = &fact_cases[_i];
	struct testcert c = testcert_make(&k->spec);
	struct cert_facts f;
	struct problem pr = {0};
	X509 *x = cert_parse(c.der, c.n, &pr);

	ck_assert_msg(x != NULL, "%s: %s", k->what, pr.text);
	cert_facts(x, &f);
	ck_assert_msg(f.may_sign == k->may_sign, "%s: may_sign %d", k->what, f.may_sign);
	ck_assert_msg(f.may_encrypt == k->may_encrypt, "%s: may_encrypt %d", k->what, f.may_encrypt);
	ck_assert_msg(f.eku_mail == k->eku_mail, "%s: eku_mail %d", k->what, f.eku_mail);
	ck_assert_msg(f.ca == k->ca, "%s: ca %d", k->what, f.ca);
	ck_assert_msg(f.self_signed == k->self_signed, "%s: self_signed %d", k->what, f.self_signed);
	ck_assert_msg(f.weak == k->weak, "%s: weak %d %s", k->what, f.weak, f.weak_why);
	ck_assert_str_eq(f.key, k->key);
	ck_assert_str_eq(f.names, k->names);
	ck_assert_str_eq(f.sha256, c.sha256);
	ck_assert(f.not_before == TESTCERT_FROM && f.not_after == TESTCERT_UNTIL);
	ck_assert(f.weak == (f.weak_why[0] != 0));
	X509_free(x);
	testcert_free(&c);
}
END_TEST

START_TEST(words_and_fingerprint)
{
	struct testcert c = testcert_make(&(struct testcert_spec){.cn = "Gro\xc3\x9f, \x1b[2J\n", .serial = 0x1a2b});
	struct cert_facts f;
	char words[300], print[96], plain[96];
	size_t n = 0;

	cert_facts(c.x, &f);
	ck_assert_str_eq(cert_words(&f, words, sizeof words),
	    "CN=Gro\xc3\x9f\\, \\1B[2J\\0A, serial 1A2B, valid 2026-01-01 to 2028-01-01");
	cert_fingerprint(c.x, print);
	ck_assert_uint_eq(strlen(print), 79);
	for (const char *p = print; *p; p++)
		if (*p != ' ')
			plain[n++] = (char)(*p >= 'A' && *p <= 'F' ? *p + 32 : *p);
	plain[n] = 0;
	ck_assert_str_eq(plain, c.sha256);
	ck_assert(print[4] == ' ' && print[9] == ' ');
	testcert_free(&c);
}
END_TEST

START_TEST(long_names_are_cut)
{
	char san[3000] = "";
	struct testcert c;
	struct cert_facts f;

	for (int i = 0; i < 60; i++)
		(void)snprintf(san + strlen(san), sizeof san - strlen(san),
		    "%sDNS:a-rather-long-host-name-%02d.lab.example", i ? "," : "", i);
	c = testcert_make(&(struct testcert_spec){.san = san});
	cert_facts(c.x, &f);
	ck_assert_uint_lt(strlen(f.names), sizeof f.names);
	ck_assert_str_eq(f.names + strlen(f.names) - 4, " ...");
	testcert_free(&c);
}
END_TEST

START_TEST(strict_parsing)
{
	struct testcert c = testcert_make(&(struct testcert_spec){.cn = "a"});
	uint8_t *p = malloc(c.n + 8);
	struct problem pr = {0};

	memcpy(p, c.der, c.n);
	p[c.n] = 0;
	ck_assert_ptr_null(cert_parse(p, c.n + 1, &pr));
	ck_assert_msg(strstr(pr.text, "octets follow") != NULL, "%s", pr.text);
	for (size_t n = 0; n < c.n; n++)
		ck_assert_ptr_null(cert_parse(p, n, &pr));
	/* The outer length in a longer form than needed: BER, not DER. */
	ck_assert(p[1] == 0x82);
	memmove(p + 5, p + 4, c.n - 4);
	p[1] = 0x83;
	p[4] = p[3];
	p[3] = p[2];
	p[2] = 0;
	ck_assert_ptr_null(cert_parse(p, c.n + 1, &pr));
	ck_assert_msg(strstr(pr.text, "DER") != NULL, "%s", pr.text);
	ck_assert_ptr_null(cert_parse(p, 0, &pr));
	free(p);
	testcert_free(&c);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cert");
	TCase *t = tcase_create("cert");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, facts, 0, sizeof fact_cases / sizeof *fact_cases);
	tcase_add_test(t, words_and_fingerprint);
	tcase_add_test(t, long_names_are_cut);
	tcase_add_test(t, strict_parsing);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
