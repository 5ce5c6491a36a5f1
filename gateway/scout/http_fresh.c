/* RFC 9111 4.2.1, 5.2.2, 5.3. */
#include "gateway/scout/http_fresh.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Digits, as many as make sense; -1: none. */
static int64_t number(const char *p)
{
	int64_t v = 0;

	if (*p == '"')
		p++;
	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v < INT64_C(1) << 40)
			v = v * 10 + (*p - '0');
	}
	return v;
}

static bool word_is(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && strncasecmp(p, word, n) == 0;
}

/* Behind the next comma that is in no quoted string. */
static const char *next_directive(const char *p)
{
	bool quoted = false;

	for (; *p && (quoted || *p != ','); p++) {
		if (quoted && *p == '\\' && p[1])
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	return *p ? p + 1 : p;
}

/* max-age, the smallest when there are several; 0 for no-store and no-cache; -1: says nothing. */
static int64_t max_age(const char *p)
{
	int64_t got = -1;

	for (; *p; p = next_directive(p)) {
		size_t n;

		p += strspn(p, " \t");
		n = strcspn(p, ",= \t");
		if (word_is(p, n, "no-store") || word_is(p, n, "no-cache"))
			return 0;
		if (word_is(p, n, "max-age") && p[n] == '=') {
			int64_t v = number(p + n + 1);

			v = v < 0 ? 0 : v; /* one that cannot be read: stale (RFC 9111 4.2.1) */
			got = got < 0 || v < got ? v : got;
		}
	}
	return got;
}

static const char *text(const char *s)
{
	return s ? s : "";
}

static int64_t time_of(const char *s)
{
	return *s ? (int64_t)curl_getdate(s, NULL) : -1;
}

uint32_t http_fresh(const struct http_fresh_fields *f, int64_t now, uint32_t max)
{
	int64_t left = max_age(text(f->cache_control)), age = number(text(f->age));
	int64_t expires = time_of(text(f->expires)), date = time_of(text(f->date));

	if (left < 0) {
		if (expires < 0)
			return 0;
		left = expires - (date < 0 ? now : date);
	}
	left -= age > 0 ? age : 0;
	if (left <= 0)
		return 0;
	return left < (int64_t)max ? (uint32_t)left : max;
}
