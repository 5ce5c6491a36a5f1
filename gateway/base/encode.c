/*
 * Hex, base64 (RFC 4648) and time as text. Pure: the date functions do their own calendar, because gmtime_r reads the
 * time zone file at its first use, which a sandbox refuses.
 */
#include "gateway/base/encode.h"

#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void encode_hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		*out++ = hex_digits[p[i] >> 4];
		*out++ = hex_digits[p[i] & 15];
	}
	*out = 0;
}

int encode_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int encode_unhex(const char *s, size_t n, uint8_t *out, size_t cap)
{
	if (n % 2 || n / 2 > cap || n / 2 > INT32_MAX)
		return -1;
	for (size_t i = 0; i < n / 2; i++) {
		int hi = encode_hex_value(s[2 * i]), lo = encode_hex_value(s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		out[i] = (uint8_t)(hi << 4 | lo);
	}
	return (int)(n / 2);
}

/* Whole groups of three; returns how many octets of p are left (0..2). */
static size_t b64_groups(const uint8_t *p, size_t n, const char *digits, char **out)
{
	char *o = *out;

	for (; n >= 3; p += 3, n -= 3) {
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

		*o++ = digits[v >> 18];
		*o++ = digits[v >> 12 & 63];
		*o++ = digits[v >> 6 & 63];
		*o++ = digits[v & 63];
	}
	*out = o;
	return n;
}

static void b64_rest(const uint8_t *p, size_t n, const char *digits, char **out)
{
	char *o = *out;
	uint32_t v = (uint32_t)p[0] << 16 | (n == 2 ? (uint32_t)p[1] << 8 : 0);

	*o++ = digits[v >> 18];
	*o++ = digits[v >> 12 & 63];
	if (n == 2)
		*o++ = digits[v >> 6 & 63];
	*out = o;
}

size_t encode_b64(const uint8_t *p, size_t n, char *out)
{
	char *o = out;
	size_t rest = b64_groups(p, n, b64_digits, &o);

	if (rest) {
		b64_rest(p + n - rest, rest, b64_digits, &o);
		for (size_t i = rest; i < 3; i++)
			*o++ = '=';
	}
	*o = 0;
	return (size_t)(o - out);
}

size_t encode_b64url(const uint8_t *p, size_t n, char *out)
{
	char *o = out;
	size_t rest = b64_groups(p, n, b64url_digits, &o);

	if (rest)
		b64_rest(p + n - rest, rest, b64url_digits, &o);
	*o = 0;
	return (size_t)(o - out);
}

int encode_b64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits at s of which the last pad are '='. Returns 24 bits, or -1. */
static int32_t b64_group(const char *s, size_t pad)
{
	int32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		int d = i < 4 - pad ? encode_b64_value(s[i]) : 0;

		if (d < 0)
			return -1;
		v = v << 6 | d;
	}
	/* RFC 4648 3.5: pad bits must be zero, else one value has several spellings */
	return v & ((1 << (8 * pad)) - 1) ? -1 : v;
}

long encode_unb64(const char *s, size_t n, uint8_t *out, size_t cap)
{
	size_t pad = n >= 4 && s[n - 1] == '=' ? (s[n - 2] == '=' ? 2 : 1) : 0;

	if (n % 4 || n > INT32_MAX || n / 4 * 3 - pad > cap)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		size_t miss = i + 4 == n ? pad : 0;
		int32_t v = b64_group(s + i, miss);

		if (v < 0)
			return -1;
		for (size_t k = 0; k < 3 - miss; k++)
			*out++ = (uint8_t)(v >> (16 - 8 * k));
	}
	return (long)(n / 4 * 3 - pad);
}

size_t encode_unb64_loose(const char *s, size_t n, uint8_t *out, size_t cap)
{
	uint32_t acc = 0;
	size_t bits = 0, len = 0;

	for (size_t i = 0; i < n && len < cap; i++) {
		int v = encode_b64_value(s[i]);

		if (v < 0)
			continue;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[len++] = (uint8_t)(acc >> bits);
		}
	}
	return len;
}

struct calendar {
	int year, month /* 1..12 */, day, hour, min, sec, weekday /* 0 = Sunday */;
};

/* Proleptic Gregorian calendar, years counted from March so that the leap day comes last. */
static void calendar_of(int64_t t, struct calendar *c)
{
	if (t < 0)
		t = 0;
	if (t > INT64_C(253402300799)) /* 9999-12-31T23:59:59Z */
		t = INT64_C(253402300799);

	int64_t days = t / 86400;
	int rest = (int)(t % 86400);
	int64_t z = days + 719468; /* days since 0000-03-01 */
	int64_t era = z / 146097;
	int doe = (int)(z % 146097);
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int m = (5 * doy + 2) / 153;

	c->day = doy - (153 * m + 2) / 5 + 1;
	c->month = m < 10 ? m + 3 : m - 9;
	c->year = (int)(era * 400) + yoe + (c->month <= 2);
	c->hour = rest / 3600;
	c->min = rest / 60 % 60;
	c->sec = rest % 60;
	c->weekday = (int)((days + 4) % 7); /* 1970-01-01 was a Thursday */
}

static char *put_digits(char *o, int v, int width)
{
	for (int i = width - 1; i >= 0; i--, v /= 10)
		o[i] = (char)('0' + v % 10);
	return o + width;
}

static char *put_clock(char *o, const struct calendar *c)
{
	o = put_digits(o, c->hour, 2);
	*o++ = ':';
	o = put_digits(o, c->min, 2);
	*o++ = ':';
	return put_digits(o, c->sec, 2);
}

void encode_time(int64_t unix_s, char out[21])
{
	struct calendar c;
	char *o = out;

	calendar_of(unix_s, &c);
	o = put_digits(o, c.year, 4);
	*o++ = '-';
	o = put_digits(o, c.month, 2);
	*o++ = '-';
	o = put_digits(o, c.day, 2);
	*o++ = 'T';
	o = put_clock(o, &c);
	*o++ = 'Z';
	*o = 0;
}

void encode_date(int64_t unix_s, char out[32])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct calendar c;
	char *o = out;

	calendar_of(unix_s, &c);
	memcpy(o, days + 3 * c.weekday, 3);
	memcpy(o + 3, ", ", 2);
	o = put_digits(o + 5, c.day, 2);
	*o++ = ' ';
	memcpy(o, months + 3 * (c.month - 1), 3);
	o[3] = ' ';
	o = put_digits(o + 4, c.year, 4);
	*o++ = ' ';
	o = put_clock(o, &c);
	memcpy(o, " +0000", 7);
}
