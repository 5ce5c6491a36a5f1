/*
 * Folding of what this program writes into messages: RFC 5322 2.1.1 (78 octets wanted, 998 the limit) and 2.2.3.
 * Pure; sealer, relay (DSN). Much of the text comes from outside (replies of other servers, names in certificates),
 * so every octet passes here.
 */
#include "gateway/mail/fold.h"

#include <string.h>

#define WIDTH 78
#define WORD_MOST 500

static uint8_t clean(char c)
{
	unsigned char u = (unsigned char)c;

	if (u == ' ' || u == '\t' || u == '\r' || u == '\n')
		return ' ';
	return u < 32 || u > 126 ? '?' : u;
}

static int put_word(struct buf *out, enum fold_kind kind, const uint8_t *word, size_t n, size_t *column)
{
	if (*column > 0 && *column + 1 + n > WIDTH) {
		if (buf_adds(out, kind == FOLD_FIELD ? "\r\n " : "\r\n"))
			return -1;
		*column = kind == FOLD_FIELD ? 1 : 0;
	} else if (*column > 0) {
		if (buf_addc(out, ' '))
			return -1;
		++*column;
	}
	*column += n;
	return buf_add(out, word, n);
}

static int add(struct buf *out, enum fold_kind kind, const char *text, size_t n)
{
	uint8_t word[WORD_MOST];
	size_t len = 0, column = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = clean(text[i]);

		if (c != ' ')
			word[len++] = c;
		if (len > 0 && (c == ' ' || len == sizeof(word))) {
			if (put_word(out, kind, word, len, &column))
				return -1;
			len = 0;
		}
	}
	if (len > 0 && put_word(out, kind, word, len, &column))
		return -1;
	return buf_adds(out, "\r\n");
}

int fold_add(struct buf *out, enum fold_kind kind, const char *text, size_t n)
{
	struct buf lines;
	int result;

	buf_init(&lines, out->max);
	result = add(&lines, kind, text, n);
	if (result == 0)
		result = buf_add(out, lines.p, lines.len);
	buf_clear(&lines);
	return result;
}
