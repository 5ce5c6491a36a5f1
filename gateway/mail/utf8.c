/* Strict UTF-8: RFC 3629 4, table 3-7 of the Unicode standard. Pure; relay. Normal forms are nobody's business here:
 * two spellings are two texts. */
#include "gateway/mail/utf8.h"

#include <stdint.h>

/* What may follow the first octet: how many, and the range of the first of them (the others are 80..BF). */
struct follow {
	uint8_t first, last; /* first octets this holds for */
	uint8_t more;
	uint8_t low, high;
};

static const struct follow follows[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, /* not overlong */
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xed, 0xed, 2, 0x80, 0x9f}, /* no surrogates */
    {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf}, /* not overlong */
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f}, /* to U+10FFFF */
};

static bool within(uint8_t c, uint8_t low, uint8_t high)
{
	return c >= low && c <= high;
}

size_t utf8_len(const char *p, size_t n)
{
	const uint8_t *u = (const uint8_t *)p;

	if (n == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	for (size_t i = 0; i < sizeof follows / sizeof follows[0]; i++) {
		const struct follow *f = &follows[i];

		if (!within(u[0], f->first, f->last))
			continue;
		if (n <= f->more || !within(u[1], f->low, f->high))
			return 0;
		for (size_t k = 2; k <= f->more; k++)
			if (!within(u[k], 0x80, 0xbf))
				return 0;
		return (size_t)f->more + 1;
	}
	return 0;
}

bool utf8_text(const char *p, size_t n)
{
	size_t len;

	for (; n > 0; p += len, n -= len) {
		uint8_t c = (uint8_t)p[0];

		len = utf8_len(p, n);
		if (len == 0 || c < 32 || c == 127 || (c == 0xc2 && (uint8_t)p[1] < 0xa0))
			return false;
	}
	return true;
}

bool utf8_turns(const char *p, size_t n)
{
	const uint8_t *u = (const uint8_t *)p;

	for (size_t i = 0; i + 1 < n; i++) {
		if (u[i] == 0xd8 && u[i + 1] == 0x9c)
			return true;
		if (u[i] != 0xe2 || i + 2 >= n)
			continue;
		if (u[i + 1] == 0x80 && (within(u[i + 2], 0x8e, 0x8f) || within(u[i + 2], 0xaa, 0xae)))
			return true;
		if (u[i + 1] == 0x81 && within(u[i + 2], 0xa6, 0xa9))
			return true;
	}
	return false;
}

bool utf8_needed(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] > 127)
			return true;
	return false;
}
