/* What a statement key signs, and everything near it that it does not. */
#include "gateway/keys/keeper_statement.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

#define P9 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09"
#define OID_SMG "\x06\x13\x69\x89\xc6\x87\xac\x8c\x8a\xfa\x9a\xf7\x89\xd3\xbe\xd0\x80\xa3\xc1\x88\x7d"
#define OID_DATA "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define H16 "0123456789abcdef"

/* the four as they stand in every statement, in ascending order */
#define TYPE "\x30\x22" P9 "\x03\x31\x15" OID_SMG
#define TYPE_DATA "\x30\x18" P9 "\x03\x31\x0b" OID_DATA
#define WHEN                                                                                                         \
	"\x30\x1c" P9 "\x05\x31\x0f\x17\x0d"                                                                         \
	"261122183000Z"
#define WHEN_2050                                                                                                    \
	"\x30\x1e" P9 "\x05\x31\x11\x18\x0f"                                                                         \
	"20501122183000Z"
#define DIGEST "\x30\x2f" P9 "\x04\x31\x22\x04\x20" H16 H16
#define CERT                                                                                                         \
	"\x30\x37\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x28\x30\x26\x30\x24\x30\x22\x04\x20" H16 H16
/* sha384 named */
#define CERT_384                                                                                                     \
	"\x30\x54\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x45\x30\x43\x30\x41\x30\x3f\x30\x0b\x06"   \
	"\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x04\x30\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64"   \
	"\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37"   \
	"\x38\x39\x61\x62\x63\x64\x65\x66"
/* an issuerSerial */
#define CERT_SERIAL                                                                                                  \
	"\x30\x4e\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x3f\x30\x3d\x30\x3b\x30\x39\x04\x20\x30"   \
	"\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61"   \
	"\x62\x63\x64\x65\x66\x30\x15\x30\x10\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x78\x02"   \
	"\x01\x05"
/* the default named, which DER leaves out */
#define CERT_SHA256                                                                                                  \
	"\x30\x44\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x35\x30\x33\x30\x31\x30\x2f\x30\x0b\x06"   \
	"\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64"   \
	"\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66"
/* an unknown hash */
#define CERT_SHA1                                                                                                    \
	"\x30\x44\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x35\x30\x33\x30\x31\x30\x2f\x30\x0b\x06"   \
	"\x09\x60\x86\x48\x01\x65\x03\x04\x02\x09\x04\x20\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64"   \
	"\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66"
/* a hash that is too short */
#define CERT_SHORT                                                                                                   \
	"\x30\x44\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x35\x30\x33\x30\x31\x30\x2f\x30\x0b\x06"   \
	"\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x04\x20\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64"   \
	"\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66"
/* or too long */
#define CERT_LONG                                                                                                    \
	"\x30\x47\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x38\x30\x36\x30\x34\x30\x32\x04\x30\x30"   \
	"\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61"   \
	"\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66"
/* an issuerSerial of nothing */
#define CERT_EMPTY_SERIAL                                                                                            \
	"\x30\x3d\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x2e\x30\x2c\x30\x2a\x30\x28\x04\x20\x30"   \
	"\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61"   \
	"\x62\x63\x64\x65\x66\x30\x04\x30\x00\x02\x00"
/* with more behind it */
#define CERT_SERIAL_MORE                                                                                             \
	"\x30\x54\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x45\x30\x43\x30\x41\x30\x3f\x04\x20\x30"   \
	"\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61"   \
	"\x62\x63\x64\x65\x66\x30\x1b\x30\x10\xa4\x0e\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x78\x02"   \
	"\x01\x05\x04\x04\x6d\x61\x69\x6c"
/* anything else behind */
#define CERT_BEHIND                                                                                                  \
	"\x30\x3d\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x2e\x30\x2c\x30\x2a\x30\x28\x04\x20\x30"   \
	"\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61\x62\x63\x64\x65\x66\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x61"   \
	"\x62\x63\x64\x65\x66\x04\x04\x6d\x61\x69\x6c"
#define TWO_CERTS                                                                                                    \
	"\x30\x5b\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f\x31\x4c\x30\x4a\x30\x48\x30\x22\x04\x20" H16   \
	    H16 "\x30\x22\x04\x20" H16 H16
#define OTHER "\x30\x18" P9 "\x0f\x31\x0b" OID_DATA

#define PARTS(...)                                                                                                   \
	{                                                                                                            \
		__VA_ARGS__                                                                                          \
	}
#define S(x)                                                                                                         \
	{                                                                                                            \
		x, sizeof(x) - 1                                                                                     \
	}

struct part {
	const char *p;
	size_t n;
};

static const struct {
	struct part parts[6];
	const char *words; /* NULL: signed */
	size_t digest;
} cases[] = {
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT)}, NULL, 32},
    {{S(WHEN_2050), S(TYPE), S(DIGEST), S(CERT)}, NULL, 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_384)}, NULL, 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_SERIAL)}, NULL, 32},
    /* signed mail, and mail with a statement's attributes around it */
    {{S(TYPE_DATA), S(WHEN), S(DIGEST), S(CERT)}, "contentType does not", 32},
    {{S(TYPE_DATA), S(WHEN), S(DIGEST)}, "contentType does not", 32},
    {{S(TYPE_DATA), S(WHEN), S(TYPE), S(DIGEST), S(CERT)}, "contentType does not", 32},
    {{S(WHEN), S(TYPE), S(TYPE), S(DIGEST), S(CERT)}, "not in DER", 32},
    /* one missing, one more, out of order, the digest of another hash, two certificates */
    {{S(TYPE), S(DIGEST), S(CERT)}, "missing", 32},
    {{S(WHEN), S(DIGEST), S(CERT)}, "missing", 32},
    {{S(WHEN), S(TYPE), S(CERT)}, "missing", 32},
    {{S(WHEN), S(TYPE), S(DIGEST)}, "missing", 32},
    {{S("")}, "missing", 32},
    {{S(OTHER), S(WHEN), S(TYPE), S(DIGEST), S(CERT)}, "another attribute", 32},
    {{S(TYPE), S(WHEN), S(DIGEST), S(CERT)}, "not in DER", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT)}, "messageDigest does not", 48},
    {{S(WHEN), S(TYPE), S(DIGEST), S(TWO_CERTS)}, "signingCertificateV2 does not", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_SHA256)}, "signingCertificateV2 does not", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_SHA1)}, "signingCertificateV2 does not", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_SHORT)}, "signingCertificateV2 does not", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_LONG)}, "signingCertificateV2 does not", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_EMPTY_SERIAL)}, "signingCertificateV2 does not", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_SERIAL_MORE)}, "signingCertificateV2 does not", 32},
    {{S(WHEN), S(TYPE), S(DIGEST), S(CERT_BEHIND)}, "signingCertificateV2 does not", 32},
    /* a certificate, a handshake: no SET of attributes */
    {{S("\x02\x01\x05")}, "not in DER", 32},
    {{S("\x30\x00")}, "DER attributes only", 32},
};

static size_t build(int i, uint8_t *out)
{
	size_t n = 0;

	for (int k = 0; k < 6; k++)
		n += cases[i].parts[k].n;
	out[0] = 0x31;
	out[1] = 0x81;
	out[2] = (uint8_t)n;
	size_t at = n < 0x80 ? 2 : 3;

	if (n < 0x80)
		out[1] = (uint8_t)n;
	for (int k = 0; k < 6; k++) {
		if (cases[i].parts[k].n)
			memcpy(out + at, cases[i].parts[k].p, cases[i].parts[k].n);
		at += cases[i].parts[k].n;
	}
	return at;
}

START_TEST(attributes)
{
	struct problem pr = {0};
	uint8_t der[600];
	size_t n = build(_i, der);
	int r = keeper_statement_check(der, n, cases[_i].digest, &pr);

	if (!cases[_i].words) {
		ck_assert_msg(r == 0, "%s", pr.text);
		return;
	}
	ck_assert_int_eq(r, -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_msg(strstr(pr.text, cases[_i].words) != NULL, "%s", pr.text);
}
END_TEST

/* Cut anywhere, with an octet more, in a longer form of length, with another tag: nothing of it is signed. */
START_TEST(damaged)
{
	uint8_t der[600], *copy;
	size_t n = build(0, der);

	for (size_t cut = 0; cut < n; cut++) {
		copy = malloc(cut + 1);
		memcpy(copy, der, cut);
		ck_assert_int_eq(keeper_statement_check(copy, cut, 32, NULL), -1);
		free(copy);
	}
	der[n] = 0;
	ck_assert_int_eq(keeper_statement_check(der, n + 1, 32, NULL), -1);
	for (size_t i = 0; i < n; i++) { /* tags and lengths stand where no digest or time does */
		uint8_t was = der[i];
		int free_octet = (was >= '0' && was <= '9') || (was >= 'a' && was <= 'f');

		der[i] ^= 0x80;
		ck_assert_msg(
		    keeper_statement_check(der, n, 32, NULL) == (free_octet ? 0 : -1) || (free_octet && was <= '9'),
		    "octet %zu", i);
		der[i] = was;
	}
	memmove(der + 1, der, n);
	der[0] = 0x31;
	der[1] = 0x82;
	der[2] = 0;
	ck_assert_int_eq(keeper_statement_check(der, n + 1, 32, NULL), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("keeper_statement");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, attributes, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, damaged);
	suite_add_tcase(s, t);
	return suite_run(s);
}
