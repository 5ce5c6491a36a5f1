/* Encoded words, RFC 2047 2, 4.2, 5 and 6.2. Pure; sealer. */
#include "gateway/mail/encword.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gateway/mail/utf8.h"

#define WORD_MOST 75
#define PLAIN_MOST 200

static const char opening[] = "=?utf-8?Q?";
static const char closing[] = "?=";

size_t encword_char(const char *p, size_t n, size_t *taken_r)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t len = utf8_len(p, n);

	*taken_r = len > 0 ? len : 1;
	if (len == 0 || u[0] < 32 || u[0] == 127)
		return 0;
	if (len == 2 && u[0] == 0xc2 && u[1] < 0xa0)
		return 0;
	if (len == 3 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9))
		return 0;
	return len > 1 && utf8_turns(p, len) ? 0 : len;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t word_len(const char *p, size_t n)
{
	size_t len = 0;

	while (len < n && !is_blank(p[len]))
		len++;
	return len;
}

static size_t blanks_len(const char *p, size_t n)
{
	size_t len = 0;

	while (len < n && is_blank(p[len]))
		len++;
	return len;
}

static bool needs(const char *p, size_t n)
{
	if (n > PLAIN_MOST)
		return true;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] > 126 || (p[i] == '=' && i + 1 < n && p[i + 1] == '?'))
			return true;
	return false;
}

static int put_plain(struct buf *out, const char *p, size_t n, const char *special)
{
	for (size_t i = 0; i < n; i++) {
		if (special[0] != 0 && p[i] != 0 && strchr(special, p[i]) != NULL && buf_addc(out, '\\') != 0)
			return -1;
		if (buf_addc(out, (unsigned char)p[i] < 32 ? '?' : (uint8_t)p[i]) != 0)
			return -1;
	}
	return 0;
}

/* RFC 2047 5 (3), the narrowest alphabet: it holds in comments and phrases as well. */
static bool stands_for_itself(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != 0 && strchr("!*+-/", c) != NULL);
}

static size_t encode(const char *p, size_t n, char out[16])
{
	static const char hex[] = "0123456789ABCDEF";
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c == ' ') {
			out[len++] = '_';
		} else if (stands_for_itself(c)) {
			out[len++] = (char)c;
		} else {
			out[len++] = '=';
			out[len++] = hex[c >> 4];
			out[len++] = hex[c & 15];
		}
	}
	return len;
}

/* Blanks between neighbouring encoded words are not text: whoever folds may do so there. */
static int put_encoded(struct buf *out, const char *p, size_t n)
{
	size_t room = 0, taken;

	for (size_t i = 0; i < n; i += taken) {
		char one[16];
		size_t len = encword_char(p + i, n - i, &taken);

		if (is_blank(p[i])) {
			taken = blanks_len(p + i, n - i);
			len = encode(" ", 1, one);
		} else {
			len = len > 0 ? encode(p + i, len, one) : encode("?", 1, one);
		}
		if (len > room) {
			if ((i > 0 && (buf_adds(out, closing) != 0 || buf_addc(out, ' ') != 0)) ||
			    buf_adds(out, opening) != 0)
				return -1;
			room = WORD_MOST - (sizeof(opening) - 1) - (sizeof(closing) - 1);
		}
		if (buf_add(out, one, len) != 0)
			return -1;
		room -= len;
	}
	return buf_adds(out, closing);
}

/* The word at p, which is to be encoded, and those behind it that are as well. */
static size_t encoded_run(const char *p, size_t n)
{
	size_t end = word_len(p, n);

	for (;;) {
		size_t next = end + blanks_len(p + end, n - end);
		size_t len = word_len(p + next, n - next);

		if (len == 0 || !needs(p + next, len))
			return end;
		end = next + len;
	}
}

int encword_add(struct buf *out, const char *text, size_t n, const char *special)
{
	bool first = true;

	for (size_t i = blanks_len(text, n), len; i < n; i += len, i += blanks_len(text + i, n - i), first = false) {
		int err;

		if (!first && buf_addc(out, ' ') != 0)
			return -1;
		len = word_len(text + i, n - i);
		if (needs(text + i, len)) {
			len = encoded_run(text + i, n - i);
			err = put_encoded(out, text + i, len);
		} else {
			err = put_plain(out, text + i, len, special);
		}
		if (err != 0)
			return -1;
	}
	return 0;
}
