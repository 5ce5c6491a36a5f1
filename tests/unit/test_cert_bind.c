/* For whom a certificate speaks. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/cert_bind.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"

/* Its value is given in Latin-1. */
#define UTF8_MAILBOX "otherName:1.3.6.1.5.5.7.8.9;UTF8:"

struct bind_case {
	const char *what, *san, *who;
	enum cert_binding sign, encrypt;
};

static const struct bind_case cases[] = {
    {"domain", "DNS:lab.example", "bob@lab.example", CERT_BOUND_DOMAIN, CERT_BOUND_DOMAIN},
    {"domain, odd case", "DNS:LAB.Example", "bob@lab.example", CERT_BOUND_DOMAIN, CERT_BOUND_DOMAIN},
    {"domain, blanks around", "DNS: lab.example ", "bob@lab.example", CERT_BOUND_DOMAIN, CERT_BOUND_DOMAIN},
    {"domain, trailing dot", "DNS:lab.example.", "bob@lab.example", CERT_BOUND_DOMAIN, CERT_BOUND_DOMAIN},
    {"domain alone asked", "DNS:lab.example", "lab.example", CERT_BOUND_DOMAIN, CERT_BOUND_DOMAIN},
    {"other domain", "DNS:lab2.example", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"subdomain of it", "DNS:mx.lab.example", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"domain above it", "DNS:example", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"wildcard", "DNS:*.example", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"wildcard below", "DNS:*.lab.example", "bob@mx.lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"address", "email:bob@lab.example", "bob@lab.example", CERT_BOUND_ADDRESS, CERT_BOUND_ADDRESS},
    {"address, odd case and blanks", "email: Bob@LAB.example  ", "bob@lab.example", CERT_BOUND_ADDRESS,
	CERT_BOUND_ADDRESS},
    {"another person", "email:carol@lab.example", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"person, domain asked", "email:bob@lab.example", "lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"signing authority", "email:domain-signing-authority@lab.example", "bob@lab.example", CERT_BOUND_AUTHORITY,
	CERT_BOUND_NOT},
    {"confidentiality authority", "email:Domain-Confidentiality-Authority@lab.example", "bob@lab.example",
	CERT_BOUND_NOT, CERT_BOUND_AUTHORITY},
    {"authority of another domain", "email:domain-signing-authority@lab2.example", "bob@lab.example", CERT_BOUND_NOT,
	CERT_BOUND_NOT},
    {"authority, domain asked", "email:domain-signing-authority@lab.example", "lab.example", CERT_BOUND_AUTHORITY,
	CERT_BOUND_NOT},
    {"securemail is nobody's office", "email:securemail@lab.example", "bob@lab.example", CERT_BOUND_NOT,
	CERT_BOUND_NOT},
    {"address before domain", "DNS:lab.example,email:bob@lab.example", "bob@lab.example", CERT_BOUND_ADDRESS,
	CERT_BOUND_ADDRESS},
    {"domain before authority", "email:domain-signing-authority@lab.example,DNS:lab.example", "bob@lab.example",
	CERT_BOUND_DOMAIN, CERT_BOUND_DOMAIN},
    {"the domain as URI", "URI:lab.example", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"A-labels of the domain", "DNS:XN--bcher-kva.example",
	"bob@b\xc3\xbc"
	"cher.example",
	CERT_BOUND_DOMAIN, CERT_BOUND_DOMAIN},
    {"U-labels in a dNSName",
	"DNS:b\xc3\xbc"
	"cher.example",
	"bob@b\xc3\xbc"
	"cher.example",
	CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"A-labels in an address", "email:bob@xn--bcher-kva.example",
	"bob@b\xc3\xbc"
	"cher.example",
	CERT_BOUND_ADDRESS, CERT_BOUND_ADDRESS},
    {"UTF-8 address", UTF8_MAILBOX "ren\xe9@lab.example", "ren\xc3\xa9@lab.example", CERT_BOUND_ADDRESS,
	CERT_BOUND_ADDRESS},
    {"UTF-8 address, A-labels", UTF8_MAILBOX "ren\xe9@xn--bcher-kva.example",
	"ren\xc3\xa9@b\xc3\xbc"
	"cher.example",
	CERT_BOUND_ADDRESS, CERT_BOUND_ADDRESS},
    {"UTF-8 address, U-labels",
	UTF8_MAILBOX "ren\xe9@b\xfc"
		     "cher.example",
	"ren\xc3\xa9@xn--bcher-kva.example", CERT_BOUND_ADDRESS, CERT_BOUND_ADDRESS},
    {"UTF-8 address, another case", UTF8_MAILBOX "ren\xc9@lab.example", "ren\xc3\xa9@lab.example", CERT_BOUND_NOT,
	CERT_BOUND_NOT},
    {"UTF-8 address in an rfc822Name", "email:ren\xc3\xa9@lab.example", "ren\xc3\xa9@lab.example", CERT_BOUND_NOT,
	CERT_BOUND_NOT},
    {"ASCII address in an SmtpUTF8Mailbox", UTF8_MAILBOX "bob@lab.example", "bob@lab.example", CERT_BOUND_NOT,
	CERT_BOUND_NOT},
    {"UTF-8 address, domain asked", UTF8_MAILBOX "ren\xe9@lab.example", "lab.example", CERT_BOUND_NOT,
	CERT_BOUND_NOT},
    {"no names", NULL, "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"two @", "email:bob@lab.example@evil.example", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
    {"address with words", "email:Bob <bob@lab.example>", "bob@lab.example", CERT_BOUND_NOT, CERT_BOUND_NOT},
};

static struct address parse(const char *text)
{
	struct address a = {.local = ""};

	if (strchr(text, '@'))
		ck_assert_int_eq(address_parse_utf8(text, strlen(text), &a, NULL), 0);
	else
		ck_assert_int_eq(address_domain(text, strlen(text), a.domain, NULL), 0);
	return a;
}

START_TEST(bound)
{
	const struct bind_case *k = &cases[_i];
	struct testcert c = testcert_make(&(struct testcert_spec){.cn = "lab.example", .san = k->san});
	struct address who = parse(k->who);

	ck_assert_msg(cert_bound(c.x, &who, CERT_TO_SIGN) == k->sign, "%s: sign", k->what);
	ck_assert_msg(cert_bound(c.x, &who, CERT_TO_ENCRYPT) == k->encrypt, "%s: encrypt", k->what);
	testcert_free(&c);
}
END_TEST

START_TEST(nul_inside)
{
	struct testcert c = testcert_make(&(struct testcert_spec){.nul_in_dns = true});
	struct address lab = parse("bob@lab.example"), evil = parse("bob@evil.example");
	struct cert_facts f;

	ck_assert_int_eq(cert_bound(c.x, &lab, CERT_TO_SIGN), CERT_BOUND_NOT);
	ck_assert_int_eq(cert_bound(c.x, &evil, CERT_TO_SIGN), CERT_BOUND_NOT);
	cert_facts(c.x, &f);
	ck_assert_str_eq(f.names, "dns:lab.example\\00.evil.example");
	testcert_free(&c);
}
END_TEST

/* The null path and <postmaster> have no domain: nothing speaks for them. */
START_TEST(nobody)
{
	struct testcert c = testcert_make(
	    &(struct testcert_spec){.san = "DNS:lab.example,email:domain-signing-authority@lab.example"});
	struct address none = {.local = ""}, postmaster = {.local = "postmaster"};

	ck_assert_int_eq(cert_bound(c.x, &none, CERT_TO_SIGN), CERT_BOUND_NOT);
	ck_assert_int_eq(cert_bound(c.x, &postmaster, CERT_TO_SIGN), CERT_BOUND_NOT);
	testcert_free(&c);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cert_bind");
	TCase *t = tcase_create("cert_bind");

	tcase_add_loop_test(t, bound, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, nul_inside);
	tcase_add_test(t, nobody);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
