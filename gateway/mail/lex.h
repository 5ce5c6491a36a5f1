/*
 * The words that header grammars share (RFC 5322 3.2, RFC 2045 5.1): octet classes, comments and folding, quoted
 * strings. Pure. Total: any octets move the place forward or are an error; never reads at or behind `end`; no
 * recursion.
 */
#ifndef POSTERN_MAIL_LEX_H
#define POSTERN_MAIL_LEX_H

#include <stdbool.h>
#include <stddef.h>

enum lex_class {
	LEX_ATEXT = 1, /* RFC 5322 atext */
	LEX_TOKEN = 2, /* RFC 2045 token */
	LEX_FTEXT = 4, /* RFC 5322 field name */
	LEX_LDH = 8,   /* letter, digit, hyphen */
	LEX_BLANK = 16 /* space, tab */
};
bool lex_is(char c, enum lex_class cls);
/* ASCII only, whatever the locale. */
char lex_lower(char c);
/* n octets at p are the string s, ASCII case ignored. */
bool lex_same(const char *p, size_t n, const char *s);

/* A place in a text. */
struct lex {
	const char *p;
	const char *end;
};
void lex_init(struct lex *l, const char *p, size_t n);
bool lex_at_end(const struct lex *l);
/* The octet at the place is c (false at the end). */
bool lex_at(const struct lex *l, char c);
/* As lex_at, and steps over it. */
bool lex_take(struct lex *l, char c);

/* What the comments passed over had in them, the worst of all. */
enum lex_comment { LEX_COMMENT_NONE, LEX_COMMENT_PLAIN, LEX_COMMENT_ADDRESS /* has one of @ < > */ };
/* Passes over blanks, folding (CRLF and a blank) and comments, nested as deep as they come. *seen (NULL allowed) is
 * raised, never lowered. 0, or -1: a comment without its end, a CR, LF or other control octet that is no folding. A
 * CRLF at the very end of the text is passed over. */
int lex_cfws(struct lex *l, enum lex_comment *seen) __attribute__((warn_unused_result));
/* Octets of that class from here on; steps over them. */
size_t lex_run(struct lex *l, enum lex_class cls);
/* A quoted-string at the place: its meaning (quotes, backslashes and CRLF of folding removed) goes to out with a NUL
 * behind, at most cap octets with it; out NULL only steps over. 0 / -1 (no closing quote, control octet, over cap).
 * Octets above 127 are let through. */
int lex_quoted(struct lex *l, char *out, size_t cap, size_t *n_r) __attribute__((warn_unused_result));

#endif
