/*
 * Octet classes, comments, folding and quoted strings of header grammars (RFC 5322 3.2, RFC 2045 5.1). Pure, every
 * process that reads mail. Comments are counted, not recursed into: ten thousand brackets cost a counter.
 */
#include "gateway/mail/lex.h"

#include <stdint.h>
#include <string.h>

#define A LEX_ATEXT
#define T LEX_TOKEN
#define F LEX_FTEXT
#define L LEX_LDH
#define B LEX_BLANK
#define ALNUM (A | T | F | L)

static const uint8_t classes[128] = {
    ['\t'] = B,
    [' '] = B,
    ['!'] = A | T | F,
    ['"'] = F,
    ['#'] = A | T | F,
    ['$'] = A | T | F,
    ['%'] = A | T | F,
    ['&'] = A | T | F,
    ['\''] = A | T | F,
    ['('] = F,
    [')'] = F,
    ['*'] = A | T | F,
    ['+'] = A | T | F,
    [','] = F,
    ['-'] = A | T | F | L,
    ['.'] = T | F,
    ['/'] = A | F,
    ['0' ... '9'] = ALNUM,
    [';'] = F,
    ['<'] = F,
    ['='] = A | F,
    ['>'] = F,
    ['?'] = A | F,
    ['@'] = F,
    ['A' ... 'Z'] = ALNUM,
    ['['] = F,
    ['\\'] = F,
    [']'] = F,
    ['^'] = A | T | F,
    ['_'] = A | T | F,
    ['`'] = A | T | F,
    ['a' ... 'z'] = ALNUM,
    ['{'] = A | T | F,
    ['|'] = A | T | F,
    ['}'] = A | T | F,
    ['~'] = A | T | F,
};

bool lex_is(char c, enum lex_class cls)
{
	unsigned char u = (unsigned char)c;

	return u < 128 && (classes[u] & cls) != 0;
}

char lex_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

bool lex_same(const char *p, size_t n, const char *s)
{
	if (strlen(s) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lex_lower(p[i]) != lex_lower(s[i]))
			return false;
	return true;
}

void lex_init(struct lex *l, const char *p, size_t n)
{
	l->p = p;
	l->end = n ? p + n : p;
}

bool lex_at_end(const struct lex *l)
{
	return l->p >= l->end;
}

bool lex_at(const struct lex *l, char c)
{
	return l->p < l->end && *l->p == c;
}

bool lex_take(struct lex *l, char c)
{
	if (!lex_at(l, c))
		return false;
	l->p++;
	return true;
}

/* CRLF that folds: a blank, or the end of the text, behind it. */
static bool at_folding(const struct lex *l)
{
	size_t left = (size_t)(l->end - l->p);

	return left >= 2 && l->p[0] == '\r' && l->p[1] == '\n' && (left == 2 || lex_is(l->p[2], LEX_BLANK));
}

static bool is_control(char c)
{
	unsigned char u = (unsigned char)c;

	return (u < 32 && u != '\t') || u == 127;
}

/* One octet of a comment; the depth after it in *depth. */
static int comment_octet(struct lex *l, size_t *depth, enum lex_comment *seen)
{
	if (at_folding(l)) {
		l->p += 2;
		return 0;
	}
	if (*l->p == '\\' && l->p + 1 < l->end)
		l->p++;
	else if (*l->p == '(')
		++*depth;
	else if (*l->p == ')')
		--*depth;
	if (is_control(*l->p))
		return -1;
	if (*l->p == '@' || *l->p == '<' || *l->p == '>')
		*seen = LEX_COMMENT_ADDRESS;
	l->p++;
	return 0;
}

static int comment(struct lex *l, enum lex_comment *seen)
{
	size_t depth = 1;

	if (*seen == LEX_COMMENT_NONE)
		*seen = LEX_COMMENT_PLAIN;
	for (l->p++; depth > 0;)
		if (lex_at_end(l) || comment_octet(l, &depth, seen))
			return -1;
	return 0;
}

int lex_cfws(struct lex *l, enum lex_comment *seen)
{
	enum lex_comment here = LEX_COMMENT_NONE;

	while (!lex_at_end(l)) {
		if (lex_is(*l->p, LEX_BLANK))
			l->p++;
		else if (at_folding(l))
			l->p += 2;
		else if (*l->p != '(')
			break;
		else if (comment(l, &here))
			return -1;
	}
	if (seen && here > *seen)
		*seen = here;
	return !lex_at_end(l) && is_control(*l->p) ? -1 : 0;
}

size_t lex_run(struct lex *l, enum lex_class cls)
{
	const char *from = l->p;

	while (!lex_at_end(l) && lex_is(*l->p, cls))
		l->p++;
	return (size_t)(l->p - from);
}

int lex_quoted(struct lex *l, char *out, size_t cap, size_t *n_r)
{
	size_t n = 0;

	*n_r = 0;
	if (!lex_take(l, '"'))
		return -1;
	while (!lex_at_end(l) && *l->p != '"') {
		if (at_folding(l)) {
			l->p += 2;
			continue;
		}
		if (*l->p == '\\' && ++l->p >= l->end)
			return -1;
		if (is_control(*l->p) || (out && n + 1 >= cap))
			return -1;
		if (out)
			out[n] = *l->p;
		n++;
		l->p++;
	}
	if (!lex_take(l, '"') || (out && n >= cap))
		return -1;
	if (out)
		out[n] = 0;
	*n_r = n;
	return 0;
}
