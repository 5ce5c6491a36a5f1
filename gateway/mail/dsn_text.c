/* Texts inside a delivery report. Pure; relay. */
#include "gateway/mail/dsn_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/mail/xtext.h"

enum { LINE_MOST = 996, ESCAPE_ROOM = 12 };

bool dsn_text_is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

void dsn_text_decode(const char *x, char text_r[DSN_TEXT_MAX])
{
	size_t n = 0;

	while (*x && n < DSN_TEXT_MAX - 1) {
		int value = *x == '+' && xtext_hex(x[1]) >= 0 && xtext_hex(x[2]) >= 0
				? xtext_hex(x[1]) * 16 + xtext_hex(x[2])
				: 0;

		if (value > 0) {
			text_r[n++] = (char)value;
			x += 3;
		} else {
			text_r[n++] = *x++;
		}
	}
	text_r[n] = 0;
}

/* The octets of the character that begins at p, 0 when none does (RFC 3629: shortest form, no surrogates). */
static size_t character(const char *p, size_t n, uint32_t *value_r)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = (unsigned char)p[0];
	size_t len = c < 0x80		     ? 1
		     : c >= 0xc2 && c < 0xe0 ? 2
		     : c >= 0xe0 && c < 0xf0 ? 3
		     : c >= 0xf0 && c < 0xf5 ? 4
					     : 0;

	if (len == 0 || len > n)
		return 0;
	*value_r = len == 1 ? c : c & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return 0;
		*value_r = *value_r << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (*value_r < least[len] || *value_r > 0x10ffff || (*value_r >= 0xd800 && *value_r < 0xe000))
		return 0;
	return len;
}

void dsn_text_escape(const char *s, char text_r[DSN_TEXT_MAX])
{
	size_t left = strlen(s), n = 0;

	while (left && n < DSN_TEXT_MAX - ESCAPE_ROOM) {
		uint32_t value;
		size_t len = character(s, left, &value);

		if (len <= 1)
			text_r[n++] = len ? *s : '?';
		else
			n += (size_t)snprintf(text_r + n, ESCAPE_ROOM, "\\x{%X}", (unsigned)value);
		s += len ? len : 1;
		left -= len ? len : 1;
	}
	text_r[n] = 0;
}

static int add(struct buf *out, const char *s, size_t len, uint32_t value)
{
	if (len > 1)
		return value < 0xa0 ? buf_addc(out, '?') : buf_add(out, s, len);
	if (len == 0)
		return buf_addc(out, '?');
	return buf_addc(out, *s < 32 || *s == 127 ? ' ' : (uint8_t)*s);
}

int dsn_text_clean(struct buf *out, const char *s, size_t n)
{
	size_t begin = out->len;

	while (n) {
		uint32_t value = 0;
		size_t len = character(s, n, &value), step = len ? len : 1;

		if (out->len - begin + step > LINE_MOST)
			break;
		if (add(out, s, len, value))
			return -1;
		s += step;
		n -= step;
	}
	return buf_adds(out, "\r\n");
}
