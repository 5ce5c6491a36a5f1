/* cms_caps.c: what real signers write; every octet cut and flipped; order; what we write is read again. */
#include "gateway/cms/cms_caps.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

struct bytes {
	const char *p;
	size_t n;
};
#define B(s)                                                                                                         \
	{                                                                                                            \
		s, sizeof(s) - 1                                                                                     \
	}
#define CAP(oid) "\x30\x0b\x06\x09" oid
#define AES256 "\x60\x86\x48\x01\x65\x03\x04\x01\x2a"
#define AES192 "\x60\x86\x48\x01\x65\x03\x04\x01\x16"
#define AES128 "\x60\x86\x48\x01\x65\x03\x04\x01\x02"
#define GCM256 "\x60\x86\x48\x01\x65\x03\x04\x01\x2e"
#define OAEP_OID "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"
#define SHA256 "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"
#define SHA1 "\x06\x05\x2b\x0e\x03\x02\x1a"
#define MGF1 "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"

static const struct {
	struct bytes der;
	uint32_t has;
	uint8_t norder, first;
} cases[] = {
    /* nothing at all is a valid list */
    {B("\x30\x00"), 0, 0, 0},
    /* openssl cms -sign: AES, then 3DES and RC2 with parameters */
    {B("\x30\x6a" CAP(AES256) CAP(AES192)
	     CAP(AES128) "\x30\x0a\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x07"
			 "\x30\x0e\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x02\x02\x02\x00\x80"
			 "\x30\x0d\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x02\x02\x01\x40"
			 "\x30\x07\x06\x05\x2b\x0e\x03\x02\x07"
			 "\x30\x0d\x06\x08\x2a\x86\x48\x86\xf7\x0d\x03\x02\x02\x01\x28"),
	CMS_CAPS_AES_256_CBC | CMS_CAPS_AES_192_CBC | CMS_CAPS_AES_128_CBC, 3, CMS_AES_256_CBC},
    /* the signer's order counts, a second mention does not */
    {B("\x30\x27" CAP(AES128) CAP(GCM256) CAP(AES128)), CMS_CAPS_AES_128_CBC | CMS_CAPS_AES_256_GCM, 2,
	CMS_AES_128_CBC},
    /* parameters that do not belong there are passed over */
    {B("\x30\x0f\x30\x0d\x06\x09" AES256 "\x05\x00"), CMS_CAPS_AES_256_CBC, 1, CMS_AES_256_CBC},
    /* OAEP: without parameters and with empty ones it is SHA-1 */
    {B("\x30\x0d\x30\x0b" OAEP_OID), CMS_CAPS_OAEP_SHA1, 0, 0},
    {B("\x30\x0f\x30\x0d" OAEP_OID "\x30\x00"), CMS_CAPS_OAEP_SHA1, 0, 0},
    /* SHA-256 in both places, with NULL and without */
    {B("\x30\x3e\x30\x3c" OAEP_OID "\x30\x2f\xa0\x0f\x30\x0d" SHA256 "\x05\x00\xa1\x1c\x30\x1a" MGF1 "\x30\x0d" SHA256
       "\x05\x00"),
	CMS_CAPS_OAEP_SHA256, 0, 0},
    {B("\x30\x3a\x30\x38" OAEP_OID "\x30\x2b\xa0\x0d\x30\x0b" SHA256 "\xa1\x1a\x30\x18" MGF1 "\x30\x0b" SHA256),
	CMS_CAPS_OAEP_SHA256, 0, 0},
    /* SHA-256, but MGF1 with SHA-1: nothing that we write */
    {B("\x30\x20\x30\x1e" OAEP_OID "\x30\x11\xa0\x0f\x30\x0d" SHA256 "\x05\x00"), 0, 0, 0},
    /* dhSinglePass-stdDH-sha256kdf with aes128-wrap, and with 3DES-wrap */
    {B("\x30\x17\x30\x15\x06\x06\x2b\x81\x04\x01\x0b\x01\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x05"),
	CMS_CAPS_ECDH_SHA256, 0, 0},
    {B("\x30\x1b\x30\x19\x06\x06\x2b\x81\x04\x01\x0b\x01\x30\x0f\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x06"
       "\x05\x00"),
	0, 0, 0},
    {B("\x30\x0d\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), CMS_CAPS_PSS, 0, 0},
    /* BER: indefinite lengths */
    {B("\x30\x80\x30\x80\x06\x09" AES256 "\x00\x00\x00\x00"), CMS_CAPS_AES_256_CBC, 1, CMS_AES_256_CBC},
};

START_TEST(test_read)
{
	struct cms_caps c;

	ck_assert_int_eq(cms_caps_read(cases[_i].der.p, cases[_i].der.n, &c), 0);
	ck_assert_uint_eq(c.has, cases[_i].has);
	ck_assert_uint_eq(c.norder, cases[_i].norder);
	if (c.norder > 0)
		ck_assert_uint_eq(c.order[0], cases[_i].first);
}
END_TEST

static void is_empty(const struct cms_caps *c)
{
	static const struct cms_caps none;

	ck_assert_mem_eq(c, &none, sizeof(none));
}

START_TEST(test_cut)
{
	/* every cut is refused and leaves nothing; every octet changed does no harm */
	uint8_t der[256];
	struct cms_caps c;

	for (size_t n = 0; n < cases[_i].der.n; n++) {
		ck_assert_int_eq(cms_caps_read(cases[_i].der.p, n, &c), -1);
		is_empty(&c);
	}
	for (size_t i = 0; i < cases[_i].der.n * 8; i++) {
		memcpy(der, cases[_i].der.p, cases[_i].der.n);
		der[i / 8] ^= (uint8_t)(1u << i % 8);
		if (cms_caps_read(der, cases[_i].der.n, &c) == -1)
			is_empty(&c);
		ck_assert_uint_le(c.norder, CMS_CAPS_CIPHERS);
	}
}
END_TEST

static const struct {
	const char *what;
	struct bytes der;
} bad[] = {
    {"octets behind the end", B("\x30\x0d" CAP(AES256) "\x00")},
    {"a SET", B("\x31\x0d" CAP(AES256))},
    {"a capability that is no SEQUENCE", B("\x30\x0b\x06\x09" AES256)},
    {"a capability without identifier", B("\x30\x02\x30\x00")},
    {"an integer in place of the identifier", B("\x30\x05\x30\x03\x02\x01\x05")},
    {"two parameters", B("\x30\x11\x30\x0f\x06\x09" AES256 "\x05\x00\x05\x00")},
    {"a primitive SEQUENCE", B("\x10\x00")},
};

START_TEST(test_bad)
{
	struct cms_caps c;

	ck_assert_msg(cms_caps_read(bad[_i].der.p, bad[_i].der.n, &c) == -1, "%s", bad[_i].what);
	is_empty(&c);
}
END_TEST

START_TEST(test_limits)
{
	/* 64 capabilities pass, 65 do not; neither does a value of more than 1024 octets */
	uint8_t der[2048];
	struct cms_caps c;

	for (int count = CMS_CAPS_MAX; count <= CMS_CAPS_MAX + 1; count++) {
		size_t n = 4;

		for (int i = 0; i < count; i++) {
			memcpy(der + n, CAP(AES256), 13);
			n += 13;
		}
		memcpy(der, "\x30\x82", 2);
		der[2] = (uint8_t)((n - 4) >> 8);
		der[3] = (uint8_t)(n - 4);
		ck_assert_int_eq(cms_caps_read(der, n, &c), count == CMS_CAPS_MAX ? 0 : -1);
	}
	memset(der, 0, sizeof(der));
	memcpy(der, "\x30\x82\x03\xfd\x30\x82\x03\xf9\x06\x09" AES256 "\x04\x82\x03\xea", 23);
	ck_assert_int_eq(cms_caps_read(der, 1025, &c), -1);
	memcpy(der, "\x30\x82\x03\xfc\x30\x82\x03\xf8\x06\x09" AES256 "\x04\x82\x03\xe9", 23);
	ck_assert_int_eq(cms_caps_read(der, 1024, &c), 0);
	ck_assert_uint_eq(c.has, CMS_CAPS_AES_256_CBC);
}
END_TEST

START_TEST(test_write)
{
	/* whatever is written is read as the same */
	for (uint32_t has = 0; has < 1u << 17; has += 61) {
		uint32_t known = has & 0x1ff3f;
		struct cms_caps c;
		struct buf b;

		buf_init(&b, CMS_CAPS_DER_MAX);
		ck_assert_int_eq(cms_caps_write(has, &b), 0);
		ck_assert_int_eq(cms_caps_read(b.p, b.len, &c), 0);
		ck_assert_uint_eq(c.has, known);
		/* DER: the length in as few octets as it needs */
		ck_assert(b.p[1] < 128 || (b.p[1] == 0x81 && b.p[2] >= 128) || (b.p[1] == 0x82 && b.p[2] > 0));
		buf_clear(&b);
	}
}
END_TEST

START_TEST(test_write_order)
{
	static const uint8_t order[] = {
	    CMS_AES_256_GCM, CMS_AES_192_GCM, CMS_AES_128_GCM, CMS_AES_256_CBC, CMS_AES_192_CBC, CMS_AES_128_CBC};
	struct cms_caps c;
	struct buf b;

	buf_init(&b, CMS_CAPS_DER_MAX);
	ck_assert_int_eq(cms_caps_write(0x3f, &b), 0);
	ck_assert_int_eq(cms_caps_read(b.p, b.len, &c), 0);
	ck_assert_uint_eq(c.norder, 6);
	ck_assert_mem_eq(c.order, order, 6);
	buf_clear(&b);
	buf_init(&b, 79); /* one octet too few */
	ck_assert_int_eq(cms_caps_write(0x3f, &b), -1);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_caps");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_read, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_loop_test(t, test_cut, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_loop_test(t, test_bad, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_write);
	tcase_add_test(t, test_write_order);
	suite_add_tcase(s, t);
	return suite_run(s);
}
