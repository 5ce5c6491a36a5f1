/*
 * The words, times and names of a statement. Judge, tests; pure. docs/XSMG.md "The content" has the same tables.
 */
#include "gateway/xsmg/statement.h"

#include <openssl/sha.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"

struct word {
	const char *word;
	unsigned value;
};

static const struct word content[] = {{"aes-256-gcm", STATEMENT_AES_256_GCM}, {"aes-128-gcm", STATEMENT_AES_128_GCM},
    {"aes-256-cbc", STATEMENT_AES_256_CBC}, {"aes-128-cbc", STATEMENT_AES_128_CBC}, {NULL, 0}};
static const struct word keys[] = {{"ecdh-p256-x963sha256-aes256wrap", STATEMENT_ECDH_P256},
    {"ecdh-p384-x963sha384-aes256wrap", STATEMENT_ECDH_P384}, {"rsa-oaep-sha256", STATEMENT_OAEP_SHA256},
    {"rsa-oaep-sha1", STATEMENT_OAEP_SHA1}, {"rsa-pkcs1", STATEMENT_PKCS1}, {NULL, 0}};
static const struct word signatures[] = {{"ecdsa-p256-sha256", STATEMENT_ECDSA_P256_SHA256},
    {"ecdsa-p384-sha384", STATEMENT_ECDSA_P384_SHA384}, {"rsa-pss-sha256", STATEMENT_PSS_SHA256},
    {"rsa-sha256", STATEMENT_RSA_SHA256}, {"rsa-sha384", STATEMENT_RSA_SHA384}, {"rsa-sha512", STATEMENT_RSA_SHA512},
    {NULL, 0}};
static const struct word formats[] = {{"signed-enveloped", STATEMENT_SIGNED_ENVELOPED},
    {"enveloped", STATEMENT_ENVELOPED}, {"signed", STATEMENT_SIGNED}, {NULL, 0}};
static const struct word headers[] = {
    {"rfc9788", STATEMENT_RFC9788}, {"rfc822-wrap", STATEMENT_RFC822_WRAP}, {NULL, 0}};
static const struct word asserts[] = {{"submission-authenticated", STATEMENT_SUBMISSION_AUTHENTICATED},
    {"sender-authorised", STATEMENT_SENDER_AUTHORISED}, {"malware-scanned", STATEMENT_MALWARE_SCANNED},
    {"dkim-aligned", STATEMENT_DKIM_ALIGNED}, {"archived", STATEMENT_ARCHIVED}, {NULL, 0}};
static const struct word notices[] = {{"dsn", STATEMENT_DSN}, {"mdn-processed", STATEMENT_MDN_PROCESSED},
    {"mdn-dispatched", STATEMENT_MDN_DISPATCHED}, {NULL, 0}};
static const struct word uses[] = {{"statement", STATEMENT_FOR_STATEMENT}, {"sign", STATEMENT_FOR_SIGN},
    {"encrypt", STATEMENT_FOR_ENCRYPT}, {"both", STATEMENT_FOR_BOTH}, {NULL, 0}};
static const struct word promises[] = {{"some", STATEMENT_PROMISES_SOME}, {"all", STATEMENT_PROMISES_ALL}, {NULL, 0}};

static const struct word *const kinds[STATEMENT_KINDS] = {
    [STATEMENT_KIND_CONTENT] = content,
    [STATEMENT_KIND_KEYS] = keys,
    [STATEMENT_KIND_SIGNATURES] = signatures,
    [STATEMENT_KIND_FORMATS] = formats,
    [STATEMENT_KIND_HEADERS] = headers,
    [STATEMENT_KIND_ASSERTS] = asserts,
    [STATEMENT_KIND_NOTICES] = notices,
    [STATEMENT_KIND_USE] = uses,
    [STATEMENT_KIND_PROMISE] = promises,
};

unsigned statement_value(enum statement_kind kind, const char *p, size_t n)
{
	REQUIRE(kind < STATEMENT_KINDS);
	for (const struct word *w = kinds[kind]; w->word; w++)
		if (strlen(w->word) == n && memcmp(w->word, p, n) == 0)
			return w->value;
	return 0;
}

const char *statement_word(enum statement_kind kind, unsigned value)
{
	REQUIRE(kind < STATEMENT_KINDS);
	for (const struct word *w = kinds[kind]; w->word; w++)
		if (w->value == value)
			return w->word;
	return NULL;
}

bool statement_words_has(const struct statement_words *w, unsigned value)
{
	return memchr(w->word, (int)value, w->n) != NULL;
}

void statement_words_add(struct statement_words *w, unsigned value)
{
	if (statement_words_has(w, value))
		return;
	REQUIRE(w->n < STATEMENT_WORDS_MAX && value > 0 && value <= UINT8_MAX);
	w->word[w->n++] = (uint8_t)value;
}

static int digits(const char *p, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* Days from 1970-01-01 in the Gregorian calendar, years counted from March. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, yoe = y % 400;
	int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

int statement_time(const char *p, size_t n, int64_t *unix_s_r)
{
	int year, month, day, hour, min, sec;
	char again[21];
	int64_t t;

	if (n != 20)
		return -1;
	year = digits(p, 4);
	month = digits(p + 5, 2);
	day = digits(p + 8, 2);
	hour = digits(p + 11, 2);
	min = digits(p + 14, 2);
	sec = digits(p + 17, 2);
	if (year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || min < 0 || sec < 0)
		return -1;
	t = days_of(year, month, day) * 86400 + hour * 3600 + min * 60 + sec;
	/* what is written again differently had a day, an hour or a second that there is not, or another form */
	encode_time(t, again);
	if (memcmp(again, p, 20) != 0)
		return -1;
	*unix_s_r = t;
	return 0;
}

bool statement_url_ok(const char *p, size_t n)
{
	static const char scheme[] = "https://";
	const size_t k = sizeof scheme - 1;

	if (n <= k || n > STATEMENT_URL_MAX || memcmp(p, scheme, k) != 0)
		return false;
	if (p[k] == '/' || p[k] == ':' || p[k] == '?' || p[k] == '#')
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] <= ' ' || p[i] > '~' || p[i] == '"' || p[i] == '\\' || p[i] == '<' || p[i] == '>')
			return false;
	return true;
}

static int b64url_value(char c)
{
	if (c == '-' || c == '_')
		return c == '-' ? 62 : 63;
	return c == '+' || c == '/' ? -1 : encode_b64_value(c);
}

int statement_unid(const char *p, size_t n, uint8_t md_r[32])
{
	uint32_t acc = 0;
	size_t bits = 0, len = 0;

	if (n != STATEMENT_ID)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int v = b64url_value(p[i]);

		if (v < 0)
			return -1;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		md_r[len++] = (uint8_t)(acc >> bits);
	}
	/* RFC 4648 3.5: else one hash has several spellings */
	return acc & 3 ? -1 : 0;
}

bool statement_id_ok(const char *p, size_t n)
{
	uint8_t md[32];

	return statement_unid(p, n, md) == 0;
}

void statement_hash(const void *p, size_t n, uint8_t md_r[32])
{
	REQUIRE(SHA256(p, n, md_r) != NULL);
}

void statement_id(const void *p, size_t n, char id_r[STATEMENT_ID + 1])
{
	uint8_t md[32];
	char text[48];

	statement_hash(p, n, md);
	REQUIRE(encode_b64url(md, sizeof md, text) == STATEMENT_ID);
	memcpy(id_r, text, STATEMENT_ID + 1);
}

static bool serves(enum statement_use has, enum statement_use want)
{
	return has == want ||
	       (has == STATEMENT_FOR_BOTH && (want == STATEMENT_FOR_SIGN || want == STATEMENT_FOR_ENCRYPT));
}

const struct statement_cert *statement_cert_now(const struct statement *s, enum statement_use use, int64_t now)
{
	const struct statement_cert *best = NULL;

	for (size_t i = 0; i < s->ncerts; i++) {
		const struct statement_cert *c = &s->certs[i];

		if (!c->good || !serves(c->use, use) || now < c->from || now >= c->until)
			continue;
		if (!best || c->from > best->from)
			best = c;
	}
	return best;
}

const char *statement_step_word(enum statement_step step)
{
	static const char *const words[STATEMENT_STEPS] = {
	    [STATEMENT_STEP_NONE] = "",
	    [STATEMENT_STEP_SIZE] = "size",
	    [STATEMENT_STEP_DER] = "der",
	    [STATEMENT_STEP_TYPE] = "type",
	    [STATEMENT_STEP_SIGNERS] = "signers",
	    [STATEMENT_STEP_SIGNATURE] = "signature",
	    [STATEMENT_STEP_JSON] = "json",
	    [STATEMENT_STEP_DOMAIN] = "domain",
	    [STATEMENT_STEP_ISSUED] = "issued",
	    [STATEMENT_STEP_EXPIRES] = "expires",
	    [STATEMENT_STEP_SERIAL] = "serial",
	    [STATEMENT_STEP_CERTIFICATE] = "certificate",
	};

	REQUIRE(step < STATEMENT_STEPS);
	return words[step];
}
