/*
 * The words of a format. Judge, its settings and its verbs; pure. One table holds every option with its words: what
 * is read, what is printed and what the error sentences list come from it.
 */
#include "certstore/format.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct word {
	const char *word;
	uint8_t value;
};

/* Numbers of gateway/cms (cms_alg.h, cms_enc.h), which this folder cannot include; test_format holds them to it. */
enum { AES_256_CBC, AES_128_CBC, AES_256_GCM, AES_128_GCM, AES_192_CBC, AES_192_GCM };
enum { KEY_PKCS1 = 0, KEY_OAEP_SHA256 = 1, KEY_OAEP_SHA1 = 3 };

static const struct word ciphers[] = {{"aes-256-gcm", AES_256_GCM}, {"aes-192-gcm", AES_192_GCM},
    {"aes-128-gcm", AES_128_GCM}, {"aes-256-cbc", AES_256_CBC}, {"aes-192-cbc", AES_192_CBC},
    {"aes-128-cbc", AES_128_CBC}, {NULL, 0}};
static const struct word keys[] = {
    {"pkcs1", KEY_PKCS1}, {"oaep-sha256", KEY_OAEP_SHA256}, {"oaep-sha1", KEY_OAEP_SHA1}, {NULL, 0}};
static const struct word digests[] = {{"auto", FORMAT_DIGEST_AUTO}, {"sha256", FORMAT_SHA256},
    {"sha384", FORMAT_SHA384}, {"sha512", FORMAT_SHA512}, {NULL, 0}};
static const struct word signatures[] = {{"pkcs1", false}, {"pss", true}, {NULL, 0}};
static const struct word ids[] = {{"issuer", false}, {"ski", true}, {NULL, 0}};
static const struct word forms[] = {{"opaque", FORMAT_OPAQUE}, {"multipart", FORMAT_MULTIPART}, {NULL, 0}};
static const struct word wraps[] = {
    {"none", FORMAT_WRAP_NONE}, {"rfc9788", FORMAT_WRAP_FIELDS}, {"message", FORMAT_WRAP_MESSAGE}, {NULL, 0}};
static const struct word subjects[] = {{"hidden", false}, {"outside", true}, {NULL, 0}};
static const struct word yes[] = {{"no", false}, {"yes", true}, {NULL, 0}};

/* In the order of enum format_option. Every field is one octet. */
static const struct option {
	const char *name;
	size_t offset;
	const struct word *words;
} options[] = {
    [FORMAT_CIPHER] = {"cipher", offsetof(struct format, cipher), ciphers},
    [FORMAT_KEY] = {"key", offsetof(struct format, keymode), keys},
    [FORMAT_DIGEST] = {"digest", offsetof(struct format, digest), digests},
    [FORMAT_SIGNATURE] = {"signature", offsetof(struct format, pss), signatures},
    [FORMAT_RECIPIENT_ID] = {"recipient-id", offsetof(struct format, ski), ids},
    [FORMAT_INSIDE] = {"inside", offsetof(struct format, inside), forms},
    [FORMAT_ALONE] = {"alone", offsetof(struct format, alone), forms},
    [FORMAT_WRAP] = {"wrap", offsetof(struct format, wrap), wraps},
    [FORMAT_SUBJECT] = {"subject", offsetof(struct format, subject_outside), subjects},
    [FORMAT_LEGACY_DISPLAY] = {"legacy-display", offsetof(struct format, legacy_display), yes},
    [FORMAT_TRIPLE] = {"triple", offsetof(struct format, triple), yes},
    [FORMAT_CALENDAR] = {"calendar", offsetof(struct format, calendar), forms},
};
_Static_assert(sizeof options / sizeof *options == FORMAT_OPTIONS, "a row for every option");
_Static_assert(sizeof(bool) == 1, "every field of a format is one octet");

static const struct option *find_option(const char *name, size_t n)
{
	for (size_t i = 0; i < FORMAT_OPTIONS; i++)
		if (strlen(options[i].name) == n && memcmp(options[i].name, name, n) == 0)
			return &options[i];
	return NULL;
}

static const struct word *find_word(const struct word *words, const char *text, size_t n)
{
	for (; words->word; words++)
		if (strlen(words->word) == n && memcmp(words->word, text, n) == 0)
			return words;
	return NULL;
}

static void add(char *out, size_t cap, const char *text)
{
	size_t at = strlen(out);

	(void)snprintf(out + at, cap - at, "%s", text);
}

static int no_option(const char *p, size_t n, struct problem *pr)
{
	char all[256] = "";

	for (size_t i = 0; i < FORMAT_OPTIONS; i++) {
		add(all, sizeof all, i ? ", " : "");
		add(all, sizeof all, options[i].name);
	}
	return problem_set(
	    pr, PROBLEM_PERM, 0, "", "", "a format has no option \"%.*s\"; it has: %s", (int)n, p, all);
}

static int no_word(const struct option *o, const char *p, size_t n, struct problem *pr)
{
	char all[256] = "";

	for (const struct word *w = o->words; w->word; w++) {
		add(all, sizeof all, w == o->words ? "" : w[1].word ? ", " : " or ");
		add(all, sizeof all, w->word);
	}
	return problem_set(
	    pr, PROBLEM_PERM, 0, "", "", "%s cannot be \"%.*s\" in a format, but %s", o->name, (int)n, p, all);
}

/* One "name=word". */
static int read_item(const char *p, size_t n, struct format *f, unsigned *given, struct problem *pr)
{
	const char *eq = memchr(p, '=', n);
	size_t name = eq ? (size_t)(eq - p) : n, shown = n < 60 ? n : 60;
	const struct option *o = find_option(p, name);
	const struct word *w;
	unsigned bit;

	if (!eq)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "a format is made of name=word, such as cipher=aes-256-gcm, and \"%.*s\" is none", (int)shown, p);
	if (!o)
		return no_option(p, name < 60 ? name : 60, pr);
	bit = 1u << (o - options);
	if (*given & bit)
		return problem_set(pr, PROBLEM_PERM, 0, "", "", "%s stands twice in the format", o->name);
	w = find_word(o->words, eq + 1, n - name - 1);
	if (!w)
		return no_word(o, eq + 1, n - name - 1 < 60 ? n - name - 1 : 60, pr);
	((uint8_t *)f)[o->offset] = w->value;
	*given |= bit;
	return 0;
}

int format_read(const char *text, struct format *f, unsigned *given_r, struct problem *pr)
{
	struct format read = *f;

	*given_r = 0;
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, " \t\r\n,");

		if (n > 0 && read_item(p, n, &read, given_r, pr) < 0)
			return -1;
		p += n + (p[n] != '\0');
	}
	*f = read;
	return 0;
}

int format_fits(const struct format *f, unsigned given, struct problem *pr)
{
	if (!(given & FORMAT_GIVEN(FORMAT_LEGACY_DISPLAY)) || !f->legacy_display)
		return 0;
	if (f->wrap != FORMAT_WRAP_FIELDS)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "legacy-display=yes needs wrap=rfc9788 beside it: without that no field is hidden that could be "
		    "shown in the text");
	if (f->subject_outside)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "legacy-display=yes does not go with subject=outside: nothing is hidden that could be shown in "
		    "the "
		    "text");
	return 0;
}

void format_print(const struct format *f, unsigned which, char out[FORMAT_TEXT_MAX])
{
	out[0] = '\0';
	for (size_t i = 0; i < FORMAT_OPTIONS; i++) {
		const struct word *w = options[i].words;

		if (!(which & 1u << i))
			continue;
		while (w[1].word && w->value != ((const uint8_t *)f)[options[i].offset])
			w++;
		add(out, FORMAT_TEXT_MAX, out[0] ? " " : "");
		add(out, FORMAT_TEXT_MAX, options[i].name);
		add(out, FORMAT_TEXT_MAX, "=");
		add(out, FORMAT_TEXT_MAX, w->word);
	}
}

struct format format_default(void)
{
	return (struct format){.cipher = AES_256_CBC,
	    .keymode = KEY_PKCS1,
	    .inside = FORMAT_OPAQUE,
	    .alone = FORMAT_MULTIPART,
	    .calendar = FORMAT_OPAQUE};
}

const char *format_cipher_word(uint8_t cipher)
{
	for (const struct word *w = ciphers; w->word; w++)
		if (w->value == cipher)
			return w->word;
	return "?";
}

unsigned format_cipher_bits(uint8_t cipher)
{
	switch (cipher) {
	case AES_128_CBC:
	case AES_128_GCM:
		return 128;
	case AES_192_CBC:
	case AES_192_GCM:
		return 192;
	default:
		return 256;
	}
}
