/* The words of a format: what is taken, what is printed, the sentences for what is neither. */
#include "certstore/format.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cms/cms.h"
#include "tests/unit/suite.h"

static const char whole[] =
    "cipher=aes-256-gcm key=oaep-sha256 digest=sha384 signature=pss recipient-id=ski "
    "inside=multipart alone=opaque wrap=rfc9788 subject=outside legacy-display=yes triple=yes calendar=multipart";

START_TEST(whole_text)
{
	struct format f = format_default();
	struct problem pr = {0};
	char text[FORMAT_TEXT_MAX];
	unsigned given;

	ck_assert_msg(format_read(whole, &f, &given, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(given, FORMAT_ALL);
	ck_assert_uint_eq(f.cipher, CMS_AES_256_GCM);
	ck_assert_uint_eq(f.keymode, CMS_KEY_RSA_OAEP_SHA256);
	ck_assert_uint_eq(f.digest, FORMAT_SHA384);
	ck_assert(f.pss && f.ski && f.triple && f.subject_outside && f.legacy_display);
	ck_assert(f.inside == FORMAT_MULTIPART && f.alone == FORMAT_OPAQUE && f.wrap == FORMAT_WRAP_FIELDS);
	ck_assert(f.calendar == FORMAT_MULTIPART && format_default().calendar == FORMAT_OPAQUE);
	format_print(&f, given, text);
	ck_assert_str_eq(text, whole);
}
END_TEST

/* Our numbers are those of gateway/cms. */
static const struct {
	const char *text;
	unsigned option;
	uint8_t value;
} words[] = {{"cipher=aes-256-cbc", FORMAT_CIPHER, CMS_AES_256_CBC},
    {"cipher=aes-192-cbc", FORMAT_CIPHER, CMS_AES_192_CBC}, {"cipher=aes-128-cbc", FORMAT_CIPHER, CMS_AES_128_CBC},
    {"cipher=aes-256-gcm", FORMAT_CIPHER, CMS_AES_256_GCM}, {"cipher=aes-192-gcm", FORMAT_CIPHER, CMS_AES_192_GCM},
    {"cipher=aes-128-gcm", FORMAT_CIPHER, CMS_AES_128_GCM}, {"key=pkcs1", FORMAT_KEY, CMS_KEY_RSA_V15},
    {"key=oaep-sha1", FORMAT_KEY, CMS_KEY_RSA_OAEP_SHA1}, {"key=oaep-sha256", FORMAT_KEY, CMS_KEY_RSA_OAEP_SHA256},
    {"wrap=message", FORMAT_WRAP, FORMAT_WRAP_MESSAGE}, {"wrap=none", FORMAT_WRAP, FORMAT_WRAP_NONE},
    {"digest=auto", FORMAT_DIGEST, FORMAT_DIGEST_AUTO}, {"digest=sha512", FORMAT_DIGEST, FORMAT_SHA512}};

START_TEST(one_word)
{
	struct format f;
	struct problem pr = {0};
	char text[FORMAT_TEXT_MAX];
	unsigned given;

	memset(&f, 0x55, sizeof f);
	f.pss = f.ski = f.triple = f.subject_outside = f.legacy_display = false;
	ck_assert_int_eq(format_read(words[_i].text, &f, &given, &pr), 0);
	ck_assert_uint_eq(given, FORMAT_GIVEN(words[_i].option));
	ck_assert_uint_eq(words[_i].option == FORMAT_CIPHER ? f.cipher
			  : words[_i].option == FORMAT_KEY  ? f.keymode
			  : words[_i].option == FORMAT_WRAP ? f.wrap
							    : f.digest,
	    words[_i].value);
	if (words[_i].option != FORMAT_CIPHER)
		ck_assert_uint_eq(f.cipher, 0x55); /* what is not named stays */
	format_print(&f, given, text);
	ck_assert_str_eq(text, words[_i].text);
	ck_assert_uint_eq(format_cipher_bits(CMS_AES_192_GCM), 192);
	ck_assert_str_eq(format_cipher_word(CMS_AES_192_GCM), "aes-192-gcm");
}
END_TEST

static const struct {
	const char *text, *why;
} wrong[] = {
    {"cipher=aes-512-gcm",
	"cipher cannot be \"aes-512-gcm\" in a format, but aes-256-gcm, aes-192-gcm, aes-128-gcm, aes-256-cbc, "
	"aes-192-cbc or aes-128-cbc"},
    {"cipher=3des", "cipher cannot be \"3des\" in a format, but aes-256-gcm, aes-192-gcm, aes-128-gcm, aes-256-cbc, "
		    "aes-192-cbc or aes-128-cbc"},
    {"triple=true", "triple cannot be \"true\" in a format, but no or yes"},
    {"cipher=", "cipher cannot be \"\" in a format, but aes-256-gcm, aes-192-gcm, aes-128-gcm, aes-256-cbc, "
		"aes-192-cbc or aes-128-cbc"},
    {"CIPHER=aes-128-cbc", "a format has no option \"CIPHER\"; it has: cipher, key, digest, signature, recipient-id, "
			   "inside, alone, wrap, subject, legacy-display, triple, calendar"},
    {"=x", "a format has no option \"\"; it has: cipher, key, digest, signature, recipient-id, inside, alone, wrap, "
	   "subject, legacy-display, triple, calendar"},
    {"wrap=none  opaque", "a format is made of name=word, such as cipher=aes-256-gcm, and \"opaque\" is none"},
    {"wrap=none triple=no,wrap=message", "wrap stands twice in the format"},
};

START_TEST(sentences)
{
	struct format f = format_default(), before = f;
	struct problem pr = {0};
	unsigned given;

	ck_assert_int_eq(format_read(wrong[_i].text, &f, &given, &pr), -1);
	ck_assert_str_eq(pr.text, wrong[_i].why);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_mem_eq(&f, &before, sizeof f);
}
END_TEST

/* Options that mean nothing without another one. */
START_TEST(what_fits)
{
	static const struct {
		const char *text;
		bool fits;
	} v[] = {{"legacy-display=yes", false}, {"wrap=message legacy-display=yes", false},
	    {"wrap=rfc9788 legacy-display=yes subject=outside", false}, {"wrap=rfc9788 legacy-display=yes", true},
	    {"legacy-display=no", true}, {"wrap=none", true}, {"", true}};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct format f = format_default();
		struct problem pr = {0};
		unsigned given;

		ck_assert_int_eq(format_read(v[i].text, &f, &given, &pr), 0);
		ck_assert_msg((format_fits(&f, given, &pr) == 0) == v[i].fits, "%s", v[i].text);
		ck_assert(v[i].fits || strncmp(pr.text, "legacy-display=yes ", 19) == 0);
	}
}
END_TEST

START_TEST(blanks_and_commas)
{
	struct format f = format_default();
	struct problem pr = {0};
	char text[FORMAT_TEXT_MAX];
	unsigned given;

	ck_assert_int_eq(format_read(" , triple=yes,,key=oaep-sha1\twrap=message ", &f, &given, &pr), 0);
	format_print(&f, given, text);
	ck_assert_str_eq(text, "key=oaep-sha1 wrap=message triple=yes");
	ck_assert_int_eq(format_read("", &f, &given, &pr), 0);
	ck_assert_uint_eq(given, 0);
	format_print(&f, given, text);
	ck_assert_str_eq(text, "");
}
END_TEST

/* An unknown reader gets what all can read. */
START_TEST(the_default)
{
	struct format f = format_default();
	char text[FORMAT_TEXT_MAX];

	format_print(&f, FORMAT_ALL, text);
	ck_assert_str_eq(text,
	    "cipher=aes-256-cbc key=pkcs1 digest=auto signature=pkcs1 recipient-id=issuer "
	    "inside=opaque alone=multipart wrap=none subject=hidden legacy-display=no triple=no calendar=opaque");
}
END_TEST

#define COUNT(t) ((int)(sizeof(t) / sizeof(t)[0]))
int main(void)
{
	Suite *s = suite_create("format");
	TCase *t = tcase_create("format");

	tcase_add_test(t, whole_text);
	tcase_add_loop_test(t, one_word, 0, COUNT(words));
	tcase_add_loop_test(t, sentences, 0, COUNT(wrong));
	tcase_add_test(t, what_fits);
	tcase_add_test(t, blanks_and_commas);
	tcase_add_test(t, the_default);
	suite_add_tcase(s, t);
	return suite_run(s);
}
