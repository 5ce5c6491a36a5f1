/* xtext: RFC 3461 4. Pure; relay. Nothing is repaired: a lower-case hexadecimal digit is no xtext. */
#include "gateway/mail/xtext.h"

#include <stdint.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/utf8.h"

int xtext_hex(char c)
{
	return c >= 'a' ? -1 : encode_hex_value(c);
}

int xtext_decode(const char *p, size_t n, char *out, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (c < 33 || c > 126 || c == '=' || len + 1 >= cap)
			return -1;
		if (c == '+') {
			if (n - i < 3 || xtext_hex(p[i + 1]) < 0 || xtext_hex(p[i + 2]) < 0)
				return -1;
			c = (char)(xtext_hex(p[i + 1]) << 4 | xtext_hex(p[i + 2]));
			i += 2;
		}
		out[len++] = c;
	}
	if (cap == 0)
		return -1;
	out[len] = 0;
	return (int)len;
}

static bool printable(const char *p, size_t n)
{
	char out[512];
	int len = n < sizeof out ? xtext_decode(p, n, out, sizeof out) : -1;

	for (int i = 0; i < len; i++)
		if (out[i] < 32 || out[i] > 126)
			return false;
	return len > 0;
}

bool xtext_printable(const char *p, size_t n, size_t max)
{
	return n <= max && printable(p, n);
}

/* RFC 6533 3 EmbeddedUnicodeChar "\x{HEX}" at p: its octets, 0 = none. No control characters, no surrogates. */
static size_t embedded(const char *p, size_t n)
{
	uint32_t v = 0;
	size_t i = 3;

	if (n < 6 || memcmp(p, "\\x{", 3) != 0)
		return 0;
	for (; i < n && i < 9 && xtext_hex(p[i]) >= 0; i++)
		v = v << 4 | (uint32_t)xtext_hex(p[i]);
	if (i >= n || p[i] != '}' || i < 5 || v < 32 || (v >= 127 && v < 160) || (v >= 0xd800 && v < 0xe000) ||
	    v > 0x10ffff)
		return 0;
	return i + 1;
}

static bool unicode(const char *p, size_t n, bool utf8)
{
	size_t len;

	if (n == 0)
		return false;
	for (; n > 0; p += len, n -= len) {
		uint8_t c = (uint8_t)p[0];

		if (c == '\\')
			len = embedded(p, n);
		else if (c < 128)
			len = c > 32 && c < 127 && c != '+' && c != '=';
		else
			len = utf8 && utf8_text(p, utf8_len(p, n)) ? utf8_len(p, n) : 0;
		if (len == 0)
			return false;
	}
	return true;
}

bool xtext_orcpt(const char *p, size_t n, size_t max, bool utf8)
{
	const char *semi = n > 0 ? memchr(p, ';', n) : NULL;
	size_t type = semi ? (size_t)(semi - p) : 0;

	if (n > max || type == 0)
		return false;
	for (size_t i = 0; i < type; i++)
		if (!lex_is(p[i], LEX_ATEXT))
			return false;
	if (lex_same(p, type, "utf-8"))
		return unicode(semi + 1, n - type - 1, utf8);
	return printable(semi + 1, n - type - 1);
}
